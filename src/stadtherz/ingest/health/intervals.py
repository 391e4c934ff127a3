"""How often a device reports, learned from when it did. Pure."""

import struct
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from stadtherz.base.time import DAY, MINUTE, Micros

REMEMBERED = 21  # times of uplinks: twenty gaps
_FEWEST_GAPS = 3
_LATE, _SILENT = 1.5, 3.0  # intervals without an uplink
_LATE_AT_LEAST, _SILENT_AT_LEAST = 5 * MINUTE, 10 * MINUTE


def remember(times: Sequence[Micros], new: Micros) -> tuple[Micros, ...]:
    """The newest times, in order; the same in whatever order they come."""
    if not times or new > times[-1]:
        return (*times, new)[-REMEMBERED:]
    place = bisect_left(times, new)
    if times[place] == new:
        return tuple(times)
    return (*times[:place], new, *times[place:])[-REMEMBERED:]


def remember_all(
    times: Sequence[Micros], news: Sequence[Micros]
) -> tuple[tuple[Micros, ...], Sequence[bool]]:
    """As `remember` for one after the other, and which of them changed what is remembered."""
    known = tuple(times)
    if all(before < after for before, after in pairwise((*known[-1:], *news))):  # as nearly always
        return (*known, *news)[-REMEMBERED:], [True] * len(news)
    are_new = []
    for new in news:
        before, known = known, remember(known, new)
        are_new.append(known != before)
    return known, are_new


def usual(times: Sequence[Micros]) -> Micros | None:
    """The usual time between two uplinks: the median, so that a pause or a burst does not count."""
    gaps = [after - before for before, after in pairwise(times)]
    return int(median(gaps)) if len(gaps) >= _FEWEST_GAPS else None


def late_after(interval: Micros) -> Micros:
    """How long a device may be quiet before it is late."""
    return max(int(_LATE * interval), _LATE_AT_LEAST)


def silent_after(interval: Micros) -> Micros:
    """How long a device may be quiet before it is silent."""
    return max(int(_SILENT * interval), _SILENT_AT_LEAST)


def first_after(interval: Micros | None) -> Micros:
    """How long a new device may take until it is heard for the first time; a day if nobody said."""
    return max(DAY if interval is None else interval, _SILENT_AT_LEAST)


def pack(times: Sequence[Micros]) -> bytes:
    return struct.pack(f"<{len(times)}q", *times)


def unpack(kept: bytes) -> tuple[Micros, ...]:
    return struct.unpack(f"<{len(kept) // 8}q", kept)
