"""What one commit brings: readings as columns, and how they lie in a row of the log.

A log row is written once and read by every process, so it is columns of eight bytes, without those
that no reading of the commit has, compressed where that pays.

    byte 0      version
    byte 1      1 if the rest is compressed by zstandard
    4 bytes     how many readings
    2 bytes     which optional columns are there, one bit each (`_OPTIONAL`)
    4 bytes     CRC-32 of what follows
    columns     id, phenomenon_start, result, then the optional ones
    the rest    JSON: what the readings hold that are no plain numbers, by their place
"""

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson
import zstandard

from stadtherz.store.sealed.codec import Corrupt
from stadtherz.store.values import NONE, Int64

SEQUENCE_BITS = 32
"""An id is its datastream shifted by these, plus the reading's number within the datastream."""
SEQUENCES = (1 << SEQUENCE_BITS) - 1
"""Mask of the number within the datastream."""

TAIL = np.dtype(
    [
        ("id", "<i8"),
        ("phenomenon_start", "<i8"),
        ("result", "<f8"),
        ("datastream", "<i8"),  # differs from the id's only after a correction moved the reading
        ("phenomenon_end", "<i8"),
        ("result_time", "<i8"),
        ("feature", "<i8"),
        ("key", "<u8"),  # digest; 0 where there is no key
        ("position", "<i8"),
        ("plain", "?"),
    ]
)
"""A reading as the tail keeps it; of one that is not plain only the times count."""

Readings = npt.NDArray[np.void]

_VERSION = 1
_HEAD = struct.Struct("<BBIHI")
_ALWAYS = ("id", "phenomenon_start", "result")
_OPTIONAL = ("phenomenon_end", "result_time", "feature", "key")
_ABSENT = {"phenomenon_end": NONE, "result_time": NONE, "feature": NONE, "key": 0}
_WORTH_COMPRESSING = 1_000  # bytes


class Extra(NamedTuple):
    """What a reading holds beside a plain number; texts are JSON."""

    number: float | None
    result: str | None
    valid_start: int | None
    valid_end: int | None
    result_quality: str | None
    parameters: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings in the order of their arrival; `extras` belong to those that are not plain."""

    readings: Readings
    extras: dict[int, Extra]

    def __len__(self) -> int:
        return len(self.readings)


def blank(size: int) -> Readings:
    """Plain readings with nothing in them yet."""
    readings = np.zeros(size, TAIL)
    for name, value in _ABSENT.items():
        readings[name] = value
    readings["plain"] = True
    return readings


def stream_of(ids: Int64) -> Int64:
    """The datastreams in which readings with these ids arrived."""
    return ids >> SEQUENCE_BITS


def joined(batches: Sequence[Batch]) -> Batch:
    """One batch out of several, in their order."""
    if len(batches) == 1:
        return batches[0]
    extras: dict[int, Extra] = {}
    before = 0
    for batch in batches:
        extras.update({before + place: extra for place, extra in batch.extras.items()})
        before += len(batch)
    return Batch(np.concatenate([batch.readings for batch in batches]), extras)


def take(batch: Batch, places: Int64) -> Batch:
    """The readings at these places."""
    if not batch.extras:
        return Batch(batch.readings[places], {})
    extras = {
        new: batch.extras[old] for new, old in enumerate(places.tolist()) if old in batch.extras
    }
    return Batch(batch.readings[places], extras)


# --- the log's bytes -----------------------------------------------------------------------------


def encode(batch: Batch) -> bytes:
    """The payload of the log row."""
    readings = batch.readings
    present = [name for name in _OPTIONAL if (readings[name] != _ABSENT[name]).any()]
    flags = sum(1 << _OPTIONAL.index(name) for name in present)
    body = b"".join(readings[name].tobytes() for name in (*_ALWAYS, *present))
    if batch.extras:
        body += orjson.dumps([[place, *extra] for place, extra in batch.extras.items()])
    compress = len(body) > _WORTH_COMPRESSING
    if compress:
        body = zstandard.compress(body, 1)
    return _HEAD.pack(_VERSION, compress, len(readings), flags, zlib.crc32(body)) + body


def decode(payload: bytes, last: int) -> Batch:
    """The batch in a log row whose last reading has the position `last`. Raises Corrupt."""
    if len(payload) < _HEAD.size or payload[0] != _VERSION:
        raise Corrupt(f"log row {last} is of no version that is known here")
    _, compressed, number, flags, expected = _HEAD.unpack_from(payload)
    body = payload[_HEAD.size :]
    if zlib.crc32(body) != expected:
        raise Corrupt(f"log row {last} is damaged: its checksum is wrong")
    if compressed:
        body = zstandard.decompress(body)
    readings = blank(number)
    names = [*_ALWAYS, *(n for bit, n in enumerate(_OPTIONAL) if flags >> bit & 1)]
    for place, name in enumerate(names):
        readings[name] = np.frombuffer(body, TAIL[name], number, place * number * 8)
    readings["datastream"] = stream_of(readings["id"])
    readings["position"] = np.arange(last - number + 1, last + 1)
    rest = body[len(names) * number * 8 :]
    extras = _extras(orjson.loads(rest)) if rest else {}
    readings["plain"][list(extras)] = False
    return Batch(readings, extras)


def _extras(listed: Iterable[list[Any]]) -> dict[int, Extra]:
    return {place: Extra(*values) for place, *values in listed}
