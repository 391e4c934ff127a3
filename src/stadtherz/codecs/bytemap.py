"""A table of what lies where in a payload: for devices that need no script, and to be read by anybody.

port 2                          what follows holds for this port only
level_cm     0  u16be *0.1 cm   name, first byte, type, then as far as wanted: factor, addend, unit
temperature  2  i16le *0.01 -40 Cel
battery     -1  u8 %            a negative place counts from the end
open         3  bit0            one bit, the lowest is 0
mode         3  bits1-3         several bits as one number
# a remark
"""

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Literal

from stadtherz.codecs.outcomes import Decoded, Failed, Fault, Outcome

_MOST_ROWS = 200
_DIGITS = 9  # of what a factor made; floats show more than was measured
_ROW = re.compile(
    r"""(?P<name>[^\s\#*+\[\].="]+)\s+(?P<place>-?\d{1,3})\s+(?P<type>[a-z]+[a-z0-9-]*)
        (?:\s+\*(?P<factor>\S+))?(?:\s+(?P<addend>[+-]\s?[\d.]\S*))?(?:\s+(?P<unit>[^\s\#]+))?""",
    re.VERBOSE | re.ASCII,
)
_PORT = re.compile(r"port\s+(\d{1,3})", re.ASCII)
_WHOLE = re.compile(r"(?P<sign>[ui])(?P<bits>8|16|24|32|40|48|64)(?P<order>be|le)?")
_FLOAT = re.compile(r"f(?P<bits>32|64)(?P<order>be|le)?")
_BITS = re.compile(r"bits?(?P<low>[0-7])(?:-(?P<high>[0-7]))?")

Reader = Callable[[bytes], float]


class BadMap(ValueError):
    """A row that cannot be read; `line` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    place: int
    size: int  # bytes
    read: Reader
    factor: float = 1.0
    addend: float = 0.0
    unit: str = ""
    port: int | None = None

    def value(self, payload: bytes) -> float | None:
        """None where the payload ends before."""
        start = self.place if self.place >= 0 else len(payload) + self.place
        part = payload[start : start + self.size] if start >= 0 else b""
        if len(part) < self.size:
            return None
        raw = self.read(part)
        if self.factor == 1 and self.addend == 0:
            return raw
        return round(raw * self.factor + self.addend, _DIGITS)


@dataclass(frozen=True, slots=True)
class ByteMap:
    rows: tuple[Row, ...]

    @property
    def units(self) -> Mapping[str, str]:
        """Unit (UCUM) by name, where the table says one."""
        return MappingProxyType({row.name: row.unit for row in self.rows if row.unit})

    def decode(self, payload: bytes, f_port: int) -> Outcome:
        rows = [row for row in self.rows if row.port in (None, f_port)]
        if not rows:
            return Failed(Fault.UNREADABLE, f"port {f_port}")
        values = {row.name: row.value(payload) for row in rows}
        data = {name: value for name, value in values.items() if value is not None}
        if not data:
            return Failed(Fault.TOO_SHORT, f"{len(payload)} bytes")
        return Decoded(
            {
                name: str(value) if value != value or abs(value) == float("inf") else value
                for name, value in data.items()
            }
        )


@lru_cache(maxsize=256)
def parse(text: str) -> ByteMap:
    """The table; raises BadMap with the line and what is wrong."""
    rows: list[Row] = []
    port: int | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        told = line.partition("#")[0].strip()
        if match := _PORT.fullmatch(told):
            port = _port(number, int(match[1]))
        elif told:
            rows.append(_row(number, told, port))
    if not 0 < len(rows) <= _MOST_ROWS:
        raise BadMap(1, f"a byte map has 1 to {_MOST_ROWS} rows")
    _check_names(rows)
    return ByteMap(tuple(rows))


def _port(line: int, number: int) -> int:
    if number > 255:
        raise BadMap(line, "a port is 0 to 255")
    return number


def _row(line: int, told: str, port: int | None) -> Row:
    match = _ROW.fullmatch(told)
    if match is None:
        raise BadMap(line, "is not: name, first byte, type, *factor, +addend, unit")
    size, read = _reader(line, match["type"])
    place = int(match["place"])
    if place < 0 and size > -place:
        raise BadMap(line, "reaches beyond the end")
    return Row(
        name=match["name"],
        place=place,
        size=size,
        read=read,
        factor=_number(line, match["factor"] or "1"),
        addend=_number(line, (match["addend"] or "0").replace(" ", "")),
        unit=match["unit"] or "",
        port=port,
    )


def _number(line: int, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not abs(number) < 1e15:
        raise BadMap(line, f"{text!r} is no number")
    return number


def _reader(line: int, text: str) -> tuple[int, Reader]:
    if match := _WHOLE.fullmatch(text):
        little, signed = match["order"] == "le", match["sign"] == "i"
        order: Literal["little", "big"] = "little" if little else "big"
        return int(match["bits"]) // 8, partial(int.from_bytes, byteorder=order, signed=signed)
    if match := _FLOAT.fullmatch(text):
        form = ("<" if match["order"] == "le" else ">") + ("f" if match["bits"] == "32" else "d")
        return struct.calcsize(form), partial(_float, form)
    if match := _BITS.fullmatch(text):
        low = int(match["low"])
        high = int(match["high"] or low)
        if high >= low:
            return 1, partial(_bits, low, high)
    raise BadMap(line, f"{text!r} is no type: u8, i16be, u32le, f32be, bit0, bits1-3 …")


def _float(form: str, part: bytes) -> float:
    return float(struct.unpack(form, part)[0])


def _bits(low: int, high: int, part: bytes) -> int:
    return (part[0] >> low) & ((1 << (high - low + 1)) - 1)


def _check_names(rows: list[Row]) -> None:
    seen: set[tuple[str, int | None]] = set()
    for number, row in enumerate(rows, start=1):
        if (row.name, row.port) in seen:
            raise BadMap(number, f"{row.name} is there twice")
        seen.add((row.name, row.port))
