"""Where a chart's axes get their marks: round numbers, and round times on a place's clock."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from stadtherz.base.time import DAY, HOUR, MINUTE, Micros, from_us, to_us

_TIME_STEPS: tuple[Micros, ...] = (
    15 * MINUTE,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    30 * DAY,
    91 * DAY,
    365 * DAY,
)


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight line from values to places on the paper."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def round_step(span: float, marks: int) -> float:
    """The round number (1, 2, 2.5 or 5 times a power of ten) that gives about `marks` marks."""
    rough = span / max(marks, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * f for f in (1, 2, 2.5, 5, 10) if power * f >= rough * 0.999)


def value_marks(low: float, high: float, marks: int = 5) -> list[float]:
    """Round values from below `low` to above `high`; never a single one."""
    if high <= low:
        low, high = low - 1, high + 1
    step = round_step(high - low, marks)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(i * step, 10) for i in range(first, last + 1)]


def time_marks(start: Micros, end: Micros, zone: tzinfo, marks: int = 6) -> list[Micros]:
    """Round instants between `start` and `end`, counted from midnight in that zone."""
    step = next((s for s in _TIME_STEPS if (end - start) / s <= marks), _TIME_STEPS[-1])
    return [mark for mark in _rounded(start, end, step, zone) if start <= mark <= end]


def _rounded(start: Micros, end: Micros, step: Micros, zone: tzinfo) -> Iterator[Micros]:
    """Steps on the wall clock, so that the change to summer time does not shift the marks."""
    begin = from_us(start).astimezone(zone)
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    width = timedelta(microseconds=step)
    for i in range(int((end - start) // step) + int(DAY // min(step, DAY)) + 2):
        yield to_us(_on_wall(midnight + i * width, zone))


def _on_wall(naive: datetime, zone: tzinfo) -> datetime:
    return naive.replace(tzinfo=zone)
