"""Which figure of a series is judged: the reading, a window's mean, its rise, its distance from the usual.

Pure, over whole columns: `times` ascend, in microseconds; an answer has one figure for each reading, NaN
where there is none. A window of a reading begins just after the same moment earlier and ends with it.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from stadtherz.base.time import MINUTE, Micros, from_us

Times = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Window = Literal["newest", "mean", "min", "max", "sum"]
Usual = Mapping[tuple[int, int], float]  # the day (ordinal) and the hour, both local

STEEP_SPAN = 15 * MINUTE
USUAL_DAYS = 28
_FEWEST_DAYS = 7


def windowed(times: Times, values: Floats, window: Window, span: Micros) -> Floats:
    """
    >>> windowed(np.array([0, 60, 120]), np.array([1.0, 3.0, 8.0]), "mean", 61).tolist()
    [1.0, 2.0, 5.5]
    """
    if window == "newest":
        return values
    first = np.searchsorted(times, times - span, side="right")
    if window in ("mean", "sum"):
        totals = np.concatenate(([0.0], np.cumsum(values)))
        sums = totals[1:] - totals[first]
        return sums if window == "sum" else sums / (np.arange(1, len(times) + 1) - first)
    pick = np.min if window == "min" else np.max
    return np.array([pick(values[start : place + 1]) for place, start in enumerate(first)])


def risen(times: Times, values: Floats, span: Micros, sign: int = 1) -> Floats:
    """How far each reading stands above the lowest of its window; with sign -1 below the highest (negative).

    >>> risen(np.array([0, 60, 120]), np.array([5.0, 3.0, 8.0]), 120).tolist()
    [0.0, 0.0, 5.0]
    """
    return values - windowed(times, values, "min" if sign > 0 else "max", span)


def steep(times: Times, values: Floats, rise: float | None, sign: int = 1) -> npt.NDArray[np.bool_]:
    """Where the last quarter of an hour brought at least that much."""
    if rise is None:
        return np.zeros(len(times), np.bool_)
    # The reading a quarter of an hour ago belongs to it, hence one microsecond more.
    return sign * risen(times, values, STEEP_SPAN + 1, sign) >= rise


def at_times(moments: Times, times: Times, values: Floats, window: Window, span: Micros) -> Floats:
    """What an input of an expression is at each moment: NaN where its last reading is older than the span."""
    if not len(times):
        return np.full(len(moments), np.nan)
    last = np.searchsorted(times, moments, side="right") - 1
    known = (last >= 0) & (moments - times[np.maximum(last, 0)] < span)
    found = _within(moments, times, values, window, span) if window != "newest" else values[last]
    return np.where(known, found, np.nan)


def _within(moments: Times, times: Times, values: Floats, window: Window, span: Micros) -> Floats:
    first = np.searchsorted(times, moments - span, side="right")
    behind = np.searchsorted(times, moments, side="right")
    found = np.full(len(moments), np.nan)
    for place, (start, end) in enumerate(zip(first.tolist(), behind.tolist(), strict=True)):
        if end > start:
            found[place] = getattr(np, window)(values[start:end])
    return found


def usual(hours: Sequence[Micros], means: Sequence[float], zone: str) -> Usual:
    """What is usual at each local hour: the median of its means on up to 28 days before, at least 7.

    The median, since a flood three days ago is no part of what is usual.
    """
    by_hour: dict[int, list[tuple[int, float]]] = {}
    for at, mean in zip(hours, means, strict=True):
        day, hour = day_and_hour(at, zone)
        by_hour.setdefault(hour, []).append((day, mean))
    found: dict[tuple[int, int], float] = {}
    for hour, known in by_hour.items():
        for day in range(known[0][0] + 1, known[-1][0] + 2):
            past = [mean for when, mean in known if day - USUAL_DAYS <= when < day]
            if len(past) >= _FEWEST_DAYS:
                found[day, hour] = median(past)
    return found


def deviation(times: Times, values: Floats, known: Usual, zone: str) -> Floats:
    """The distance of each reading from what is usual at its hour."""
    at = [known.get(day_and_hour(moment, zone), np.nan) for moment in times.tolist()]
    return values - np.array(at, np.float64)


def day_and_hour(at: Micros, zone: str) -> tuple[int, int]:
    """The local day (ordinal) and hour of a moment."""
    local = from_us(at).astimezone(ZoneInfo(zone))
    return local.toordinal(), local.hour
