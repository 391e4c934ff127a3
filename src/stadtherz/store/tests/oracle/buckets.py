"""Calendar buckets, one reading after the other."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from stadtherz.base.time import HOUR, MINUTE, from_us, to_us
from stadtherz.store.public import Bucketing

_CLOCK = {Bucketing.MINUTE: MINUTE, Bucketing.QUARTER: 15 * MINUTE, Bucketing.HOUR: HOUR}


WHOLE = 1 << 62
"""The generation of readings that are still whole."""


@dataclass(frozen=True, slots=True, order=True)
class Number:
    """A number in a bucket: its own time, or the hour that is left of it."""

    time: int
    generation: int  # which thinning took the reading
    arrival: tuple[int, int]  # phenomenon start and id
    value: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """The numbers of one bucket; never none."""

    start: int
    held: tuple[Number, ...]

    @property
    def numbers(self) -> list[float]:
        """In the order of time."""
        return [number.value for number in self.held]

    @property
    def firsts(self) -> set[float]:
        """Which number may be the first: where an hour was thinned again and again, one of each time."""
        hour = min(number.time // HOUR for number in self.held)
        return {part[0].value for part in self._parts(hour)}

    @property
    def lasts(self) -> set[float]:
        hour = max(number.time // HOUR for number in self.held)
        return {part[-1].value for part in self._parts(hour)}

    def _parts(self, hour: int) -> list[list[Number]]:
        """What happened in an hour, by generation."""
        parts: dict[int, list[Number]] = {}
        for number in sorted(self.held, key=lambda number: number.arrival):
            if number.time // HOUR == hour:
                parts.setdefault(number.generation, []).append(number)
        return list(parts.values())

    @property
    def whole(self) -> bool:
        """Whether all readings are still there."""
        return all(number.generation == WHOLE for number in self.held)

    def quantile(self, share: float) -> float:
        """Linear between the two nearest numbers."""
        return float(np.quantile(np.array(self.numbers), share))


def grouped(numbers: Iterable[Number], width: Bucketing, zone: str) -> list[Bucket]:
    """The numbers by the bucket that their time falls into."""
    groups: dict[int, list[Number]] = {}
    for number in sorted(numbers):
        groups.setdefault(start_of(number.time, width, ZoneInfo(zone)), []).append(number)
    return [Bucket(start, tuple(held)) for start, held in groups.items()]


def start_of(time: int, width: Bucketing, zone: ZoneInfo) -> int:
    """The first instant of the bucket around `time`; only for years in the middle of the calendar."""
    local = from_us(time).astimezone(zone)
    if width in _CLOCK:
        offset = (local.utcoffset() or timedelta()) // timedelta(microseconds=1)
        return time - (time + offset) % _CLOCK[width]
    return to_us(_first_day(local, width).astimezone(UTC))


def _first_day(local: datetime, width: Bucketing) -> datetime:
    midnight = datetime(local.year, local.month, local.day, tzinfo=local.tzinfo)
    match width:
        case Bucketing.WEEK:
            first = midnight.date() - timedelta(days=midnight.weekday())
            return datetime(first.year, first.month, first.day, tzinfo=local.tzinfo)
        case Bucketing.MONTH:
            return midnight.replace(day=1)
        case Bucketing.YEAR:
            return midnight.replace(month=1, day=1)
        case _:
            return midnight
