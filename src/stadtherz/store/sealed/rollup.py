"""Hours of a datastream in a few bytes, so that a year by hour need not touch its readings.

Sensors speak in decimals (21.3 °C), so a number becomes a small integer: how many steps of a power
of ten it is above the least of the chunk or of its hour. Both ways of making a decimal are tried,
since 3 / 10 and 3 * 0.1 are different doubles. What is no short decimal stays a double, byte-shuffled
and compressed. Either way the numbers come back exactly; only a total may differ by rounding.

    bytes 0      form: QUOTIENTS, PRODUCTS or DOUBLES
          1      exponent: a step is 10 ** -exponent
          2, 3   bytes of each integer of a record, and of its last one
          4..19  hours (uint32), first hour since 1970 (int32), least minimum in steps (int64)
          20..   integers: per hour one record of hour - first, count, minimum - least, maximum, first
                 and last - minimum, total - count * minimum; doubles: columns of 8 bytes, shuffled, zstandard

The roll-up's checksum is that of its chunk's row.
"""

import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, overload
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import zstandard

from stadtherz.base.time import HOUR
from stadtherz.store.sealed.buckets import Float64, changes, runs, split, whole_hours
from stadtherz.store.sealed.codec import Corrupt, decimals
from stadtherz.store.values import Bucketing, Buckets, Int64

_NUMBERS = ("minimum", "maximum", "first", "last", "total")
_NAMES = ("start", "count", *_NUMBERS)


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours, in UTC, that hold readings: columns of equal length, as in `Buckets`."""

    start: Int64
    count: Int64
    minimum: Float64
    maximum: Float64
    first: Float64
    last: Float64
    total: Float64

    def __len__(self) -> int:
        return len(self.start)

    @overload
    def __getitem__(self, which: str) -> npt.NDArray[Any]: ...
    @overload
    def __getitem__(self, which: slice | npt.NDArray[Any]) -> "Hours": ...
    def __getitem__(self, which: str | slice | npt.NDArray[Any]) -> "npt.NDArray[Any] | Hours":
        """A column by its name, or the hours of a slice, a mask or of indices."""
        if isinstance(which, str):
            column: npt.NDArray[Any] = getattr(self, which)
            return column
        return Hours(*[getattr(self, name)[which] for name in _NAMES])


QUOTIENTS, PRODUCTS, DOUBLES = 1, 2, 3
_HEAD = struct.Struct("<BBBBIiq")
_HEADS = np.dtype([("form", "<u4"), ("hours", "<u4"), ("first", "<i4"), ("least", "<i8")])
_EXPONENTS = range(8)
_EXACT = 2.0**53  # integers below are doubles, too
_WORTH = 8  # readings per hour, on average, below which a roll-up saves nothing
_LEAST = 256  # readings below which they themselves are read as quickly
_SAMPLE = 32  # hours from which the exponent is guessed
_LEVEL = 3
_local = threading.local()


def hours_of(starts: Int64, results: Float64) -> Hours:
    """Readings by hour in UTC; `starts` (microseconds) must ascend."""
    hour = starts // HOUR
    return hours_at(changes(hour), hour * HOUR, results)


def hours_at(edges: Int64, hour: Int64, results: Float64) -> Hours:
    """Readings, of each of which the hour is given, taken together from each edge to the next."""
    if not len(edges):
        return _nothing()
    ends = np.r_[edges[1:], len(hour)]
    return Hours(
        start=hour[edges],
        count=ends - edges,
        minimum=np.minimum.reduceat(results, edges),
        maximum=np.maximum.reduceat(results, edges),
        first=results[edges],
        last=results[ends - 1],
        total=np.add.reduceat(results, edges),
    )


def _nothing() -> Hours:
    empty, none = np.empty(0, np.int64), np.empty(0, np.float64)
    return Hours(empty, empty, none, none, none, none, none)


def rollup(starts: Int64, results: Float64) -> bytes | None:
    """The readings' hours as bytes; None where there is little to read or little in an hour."""
    if len(starts) < _LEAST:
        return None
    hours = 1 + np.count_nonzero(np.diff(starts // HOUR))
    return roll(hours_of(starts, results)) if len(starts) >= _WORTH * hours else None


def rollup_always(starts: Int64, results: Float64) -> bytes:
    """The readings' hours as bytes, for thinning: they are all that will be left."""
    return roll(hours_of(starts, results))


# --- bytes ---------------------------------------------------------------------------------------


def roll(hours: Hours) -> bytes:
    """Hours as bytes, in the first form that gives the same numbers back."""
    with np.errstate(invalid="ignore", over="ignore"):
        for exponent, form in _forms(hours):
            data = _integers(hours, form, exponent)
            if data is not None:
                return data
    table = np.stack([getattr(hours, name).view(np.uint8) for name in _NAMES])
    shuffled = table.reshape(len(_NAMES), -1, 8).transpose(0, 2, 1).tobytes()
    head = _HEAD.pack(DOUBLES, 0, 0, 0, len(hours), 0, 0)
    return head + zstandard.ZstdCompressor(level=_LEVEL).compress(shuffled)


def _forms(hours: Hours) -> Iterator[tuple[int, int]]:
    """How numbers may be written as integers, the likeliest first."""
    if len(hours):
        likely = decimals(hours.minimum[:_SAMPLE])
        if likely is not None and likely in _EXPONENTS:
            yield likely, QUOTIENTS
        yield from product(_EXPONENTS, (QUOTIENTS, PRODUCTS))


def _integers(hours: Hours, form: int, exponent: int) -> bytes | None:
    """Hours as integers, or None where that would change a number."""
    numbers = np.stack([getattr(hours, name) for name in _NUMBERS])
    steps = np.rint(numbers * 10.0**exponent)
    same = _numbers(steps[:4], form, exponent) == numbers[:4]
    if not (same.all() and (np.abs(steps) < _EXACT).all()):
        return None
    least, first = int(steps[0].min()), int(hours.start[0]) // HOUR
    columns = steps.astype(np.int64)
    columns[1:4] -= columns[0]
    columns[4] -= columns[0] * hours.count
    columns[0] -= least
    small = np.vstack([hours.start // HOUR - first, hours.count, columns[:4]])
    if min(small.min(), columns[4].min()) < 0:
        return None  # a total beyond the doubles' reach
    widths = _bytes_for(int(small.max())), _bytes_for(int(columns[4].max()))
    records = np.empty(len(hours), _record(*widths))
    records["small"], records["total"] = small.T, columns[4]
    if not _close(_numbers(steps[4], form, exponent), hours):
        return None
    head = _HEAD.pack(form, exponent, *widths, len(hours), first, least)
    return head + records.tobytes()


def _numbers(steps: Float64, form: int, exponent: int) -> Float64:
    if exponent == 0:
        return steps
    return steps / 10.0**exponent if form == QUOTIENTS else steps * 10.0**-exponent


def _close(totals: Float64, hours: Hours) -> bool:
    """Whether totals are those of the hours but for rounding."""
    size = np.maximum(np.abs(hours.minimum), np.abs(hours.maximum)) * hours.count
    return bool((np.abs(totals - hours.total) <= 1e-12 * size).all())


def _bytes_for(largest: int) -> int:
    return next(size for size in (1, 2, 4, 8) if largest < 1 << 8 * size)


@lru_cache(maxsize=16)
def _record(small: int, total: int) -> np.dtype[Any]:
    if not {small, total} <= {1, 2, 4, 8}:
        raise Corrupt(f"no roll-up has integers of {small} and {total} bytes")
    return np.dtype([("small", f"<u{small}", (6,)), ("total", f"<u{total}")])


def unroll(data: bytes) -> Hours:
    """The hours that `roll` made bytes of; raises Corrupt."""
    return unroll_each([data])[0]


def unroll_each(datas: Sequence[bytes]) -> tuple[Hours, Int64]:
    """The hours of many roll-ups, one after the other, and how many are of each.

    Roll-ups of one form are decoded together, which costs about a microsecond each instead of
    twenty. Raises Corrupt.
    """
    if any(len(data) < _HEAD.size for data in datas):
        raise Corrupt("a roll-up is shorter than its head")
    heads = np.frombuffer(b"".join([data[: _HEAD.size] for data in datas]), _HEADS)
    counts = heads["hours"].astype(np.int64)
    forms = np.unique(heads["form"]).tolist()
    if not forms:
        return _nothing(), counts
    if len(forms) == 1:
        return _alike(datas, heads, counts), counts
    which = [np.flatnonzero(heads["form"] == form).tolist() for form in forms]
    parts = [_alike([datas[i] for i in some], heads[some], counts[some]) for some in which]
    owners = np.concatenate([np.repeat(some, counts[some]) for some in which])
    return joined(parts)[np.argsort(owners, kind="stable")], counts


def _alike(datas: Sequence[bytes], heads: npt.NDArray[Any], counts: Int64) -> Hours:
    """Roll-ups that begin with the same four bytes."""
    form, exponent, small, total = datas[0][:4]
    if form == DOUBLES:
        return joined([_doubles(data, n) for data, n in zip(datas, counts.tolist(), strict=True)])
    if form not in (QUOTIENTS, PRODUCTS):
        raise Corrupt(f"a roll-up has the form {form}, which is not known here")
    layout = _record(small, total)
    if (_HEAD.size + counts * layout.itemsize).tolist() != [len(data) for data in datas]:
        raise Corrupt("a roll-up is not as long as its hours")
    records = np.frombuffer(b"".join([data[_HEAD.size :] for data in datas]), layout)
    first, least = (np.repeat(heads[name].astype(np.int64), counts) for name in ("first", "least"))
    offset, count, *above = records["small"].T.astype(np.int64)
    lowest = (above[0] + least).astype(np.float64)
    steps = [lowest, *(lowest + part for part in above[1:]), lowest * count + records["total"]]
    numbers = [_numbers(column, form, exponent) for column in steps]
    return Hours((first + offset) * HOUR, count, *numbers)


def _doubles(data: bytes, number: int) -> Hours:
    if not hasattr(_local, "decompressor"):
        _local.decompressor = zstandard.ZstdDecompressor()
    size = len(_NAMES) * 8 * number
    try:
        plain = _local.decompressor.decompress(memoryview(data)[_HEAD.size :])
    except zstandard.ZstdError as problem:
        raise Corrupt(f"a roll-up cannot be unpacked: {problem}") from None
    if len(plain) != size:
        raise Corrupt(f"a roll-up of {number} hours has {len(plain)} bytes")
    table = np.frombuffer(plain, np.uint8).reshape(len(_NAMES), 8, number).transpose(0, 2, 1)
    whole = np.ascontiguousarray(table).reshape(len(_NAMES), -1).view(np.int64)
    return Hours(whole[0], whole[1], *whole[2:].view(np.float64))


# --- what hours are for --------------------------------------------------------------------------


def joined(parts: Sequence[Hours]) -> Hours:
    """Hours one after the other."""
    if not parts:
        return _nothing()
    return Hours(*[np.concatenate([getattr(part, name) for part in parts]) for name in _NAMES])


def _folded(hours: Hours, edges: Int64) -> Hours:
    """Consecutive hours, from each edge to the next, as one."""
    return Hours(
        start=hours.start[edges],
        count=np.add.reduceat(hours.count, edges),
        minimum=np.minimum.reduceat(hours.minimum, edges),
        maximum=np.maximum.reduceat(hours.maximum, edges),
        first=hours.first[edges],
        last=hours.last[np.r_[edges[1:], len(hours)] - 1],
        total=np.add.reduceat(hours.total, edges),
    )


def servable(width: Bucketing, zone: ZoneInfo, first: int, last: int) -> bool:
    """Whether hours in UTC are enough for such buckets of readings from `first` to `last`."""
    return width not in (Bucketing.MINUTE, Bucketing.QUARTER) and whole_hours(zone, first, last)


def from_hours(hours: Hours, width: Bucketing, zone: ZoneInfo) -> Buckets:
    """Buckets of one datastream's hours, in the order of time; hours may repeat at seams."""
    edges, starts = runs(hours.start, width, zone)
    return _buckets(hours, edges, starts)


def from_hours_each(
    groups: Int64, hours: Hours, width: Bucketing, zone: ZoneInfo
) -> dict[int, Buckets]:
    """The same for many datastreams; `groups` names each hour's, hours of one lie together."""
    edges, starts = runs(hours.start, width, zone, groups)
    return split(_buckets(hours, edges, starts), groups[edges])


def _buckets(hours: Hours, edges: Int64, starts: Int64) -> Buckets:
    if len(edges):
        hours = _folded(hours, edges)
    return Buckets(
        start=starts,
        count=hours.count,
        mean=hours.total / hours.count,
        minimum=hours.minimum,
        maximum=hours.maximum,
        total=hours.total,
        first=hours.first,
        last=hours.last,
    )
