"""Values out of a payload: a path into what the network decoded, or bytes where it decoded nothing.

A path is written like in JavaScript: `level_cm`, `data.level`, `values[0]`, `["level (cm)"]`; one
step more finds an entry by one of its values: `messages[measurementId=4097].measurementValue`.
`bytes:2:u16be` takes an unsigned big-endian 16-bit number from the third byte on. `radio:rssi` is no
part of the payload: what the network tells of the message (`FACTS`).
"""

import re
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

MAX_STEPS = 16
RADIO = "radio:"
FACTS = (
    "rssi",
    "snr",
    "gateways",
    "spreading_factor",
    "data_rate",
    "frequency",
    "f_cnt",
    "battery",
)
_TYPES = {
    "u8": ">B", "i8": ">b",
    "u16be": ">H", "u16le": "<H", "i16be": ">h", "i16le": "<h",
    "u32be": ">I", "u32le": "<I", "i32be": ">i", "i32le": "<i",
    "f32be": ">f", "f32le": "<f", "f64be": ">d", "f64le": "<d",
}  # fmt: skip


class Missing:
    """The payload does not hold what was asked for."""


MISSING = Missing()


@dataclass(frozen=True, slots=True)
class Entry:
    """The first entry of a list whose `key` has this value, compared as text."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Path:
    steps: tuple[str | int | Entry, ...]


@dataclass(frozen=True, slots=True)
class ByteSpec:
    offset: int
    format: str


_BYTES = re.compile(r"bytes:(\d{1,3}):([a-z0-9]+)", re.ASCII)
_STEP = re.compile(
    r"""(?P<dot>\.)?(?:
        (?P<name>[^.\[\]"=]+)
      | \[(?P<index>\d{1,4})\]
      | \["(?P<quoted>[^"]+)"\]
      | \[(?P<key>[^\[\]="]+)=(?P<value>[^\[\]="]*)\]
    )""",
    re.VERBOSE | re.ASCII,
)


@lru_cache(maxsize=1024)
def parse(text: str) -> Path | ByteSpec:
    """The way to a value; raises ValueError with the place that cannot be read."""
    if text.startswith("bytes:"):
        return _byte_spec(text)
    if text.startswith(RADIO):
        return _fact(text)
    steps: list[str | int | Entry] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None or not _joined(match, first=position == 0):
            raise ValueError(f"{text!r} cannot be read at position {position}")
        steps.append(_step(match))
        position = match.end()
    if not 0 < len(steps) <= MAX_STEPS:
        raise ValueError(f"a path has 1 to {MAX_STEPS} steps")
    return Path(tuple(steps))


def _joined(match: re.Match[str], *, first: bool) -> bool:
    """A name needs a dot before it unless it is the first step; a bracket has none."""
    return (match["dot"] is not None) == (match["name"] is not None and not first)


def _step(match: re.Match[str]) -> str | int | Entry:
    if match["index"] is not None:
        return int(match["index"])
    if match["key"] is not None:
        return Entry(match["key"], match["value"])
    return match["name"] or match["quoted"]


def _fact(text: str) -> Path:
    if text.removeprefix(RADIO) not in FACTS:
        raise ValueError(f"{text!r} is not radio: with one of {', '.join(FACTS)}; steps")
    return Path((text,))


def _byte_spec(text: str) -> ByteSpec:
    match = _BYTES.fullmatch(text)
    if match is None or match[2] not in _TYPES:
        raise ValueError(f"{text!r} is not bytes:OFFSET:TYPE with one of {', '.join(_TYPES)}")
    return ByteSpec(int(match[1]), _TYPES[match[2]])


def shown(text: str, most: int) -> str:
    """Text of strangers, for people: short, and without characters that cannot be shown or kept."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:most])


def value(text: str, *, decoded: Any, payload: bytes) -> Any:
    """What `text` leads to, or MISSING. A null is a value that is not there."""
    way = parse(text)
    if isinstance(way, ByteSpec):
        end = way.offset + struct.calcsize(way.format)
        return (
            struct.unpack_from(way.format, payload, way.offset)[0]
            if end <= len(payload)
            else MISSING
        )
    found = decoded
    for step in way.steps:
        found = _follow(found, step)
        if found is MISSING or found is None:
            return MISSING
    return found


def _follow(holder: Any, step: str | int | Entry) -> Any:
    if isinstance(step, str):
        return holder.get(step, MISSING) if isinstance(holder, dict) else MISSING
    if not isinstance(holder, list):
        return MISSING
    if isinstance(step, int):
        return holder[step] if step < len(holder) else MISSING
    return next((e for e in holder if _matches(e, step)), MISSING)


def _matches(entry: Any, wanted: Entry) -> bool:
    return (
        isinstance(entry, dict) and wanted.key in entry and str(entry[wanted.key]) == wanted.value
    )
