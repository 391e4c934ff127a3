"""Values out of a payload: a path into what the network decoded, or bytes where it decoded nothing.

A path is written like in JavaScript: `level_cm`, `data.level`, `values[0]`, `["level (cm)"]`; one
step more finds an entry by one of its values: `messages[measurementId=4097].measurementValue`.
`history[*].level` leads to one value in each entry of a list (`entries`).
`bytes:2:u16be` takes an unsigned big-endian 16-bit number from the third byte on. `radio:rssi` is no
part of the payload: what the network tells of the message (`FACTS`).
"""

import re
import struct
from collections.abc import Sequence
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


class Every:
    """Each entry of a list."""


EVERY = Every()
Step = str | int | Entry | Every


@dataclass(frozen=True, slots=True)
class Path:
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ByteSpec:
    offset: int
    format: str


_BYTES = re.compile(r"bytes:(\d{1,3}):([a-z0-9]+)", re.ASCII)
_STEP = re.compile(
    r"""(?P<dot>\.)?(?:
        (?P<name>[^.\[\]"=]+)
      | (?P<every>\[\*\])
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
    steps: list[Step] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None or not _joined(match, first=position == 0):
            raise ValueError(f"{text!r} cannot be read at position {position}")
        steps.append(_step(match))
        position = match.end()
    if not 0 < len(steps) <= MAX_STEPS:
        raise ValueError(f"a path has 1 to {MAX_STEPS} steps")
    if steps.count(EVERY) > 1:
        raise ValueError(f"{text!r} has [*] more than once")
    return Path(tuple(steps))


def _joined(match: re.Match[str], *, first: bool) -> bool:
    """A name needs a dot before it unless it is the first step; a bracket has none."""
    return (match["dot"] is not None) == (match["name"] is not None and not first)


def _step(match: re.Match[str]) -> Step:
    if match["every"] is not None:
        return EVERY
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
    return _walk(decoded, way.steps)


def list_of(text: str) -> str | None:
    """The list whose every entry `text` leads to, None for the way to one value."""
    before, every, _ = text.partition("[*]")
    return before if every and EVERY in _steps(text) else None


def entries(text: str, decoded: Any) -> list[Any]:
    """What `text` leads to in every entry of its list, MISSING where that has none."""
    steps = _steps(text)
    place = steps.index(EVERY)
    holder = _walk(decoded, steps[:place])
    found = holder if isinstance(holder, list) else []
    return [_walk(entry, steps[place + 1 :]) for entry in found]


def _steps(text: str) -> tuple[Step, ...]:
    way = parse(text)
    return way.steps if isinstance(way, Path) else ()


def _walk(holder: Any, steps: Sequence[Step]) -> Any:
    for step in steps:
        holder = follow(holder, step)
        if holder is MISSING or holder is None:
            return MISSING
    return MISSING if holder is None else holder


def follow(holder: Any, step: Step) -> Any:
    if isinstance(step, str):
        return holder.get(step, MISSING) if isinstance(holder, dict) else MISSING
    if isinstance(step, Entry) and _matches(holder, step):
        return holder  # where XML tells of several, it tells of one without a list
    if not isinstance(holder, list) or isinstance(step, Every):
        return MISSING
    if isinstance(step, int):
        return holder[step] if step < len(holder) else MISSING
    return next((e for e in holder if _matches(e, step)), MISSING)


def _matches(entry: Any, wanted: Entry) -> bool:
    return (
        isinstance(entry, dict) and wanted.key in entry and str(entry[wanted.key]) == wanted.value
    )
