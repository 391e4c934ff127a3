"""Calendar buckets, one reading after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from stadtherz.base.time import HOUR, MINUTE, from_us, to_us
from stadtherz.store.public import Bucketing

_CLOCK = {Bucketing.MINUTE: MINUTE, Bucketing.QUARTER: 15 * MINUTE, Bucketing.HOUR: HOUR}


@dataclass(frozen=True, slots=True)
class Bucket:
    """The numbers of one bucket, in the order of time; never none."""

    start: int
    numbers: tuple[float, ...]

    def quantile(self, share: float) -> float:
        """Linear between the two nearest numbers."""
        return float(np.quantile(np.array(self.numbers), share))


def grouped(
    times: Sequence[int], numbers: Sequence[float], width: Bucketing, zone: str
) -> list[Bucket]:
    """The numbers by the bucket that their time falls into."""
    groups: dict[int, list[float]] = {}
    for time, number in zip(times, numbers, strict=True):
        groups.setdefault(start_of(time, width, ZoneInfo(zone)), []).append(number)
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
