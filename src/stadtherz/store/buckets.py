"""Calendar buckets in a named time zone, daylight saving included."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from stadtherz.base.errors import Invalid
from stadtherz.base.time import DAY, EARLIEST, HOUR, LATEST, MINUTE, SECOND, from_us, to_us
from stadtherz.store.values import Bucketing, Buckets, Int64, Values

_QUARTER = 15 * MINUTE
_WIDTHS = {Bucketing.MINUTE: MINUTE, Bucketing.QUARTER: _QUARTER, Bucketing.HOUR: HOUR}
_EPOCH = date(1970, 1, 1)

_FIRST_DAYS: dict[Bucketing, Callable[[date], date]] = {
    Bucketing.DAY: lambda day: day,
    Bucketing.WEEK: lambda day: day - timedelta(days=day.weekday()),
    Bucketing.MONTH: lambda day: day.replace(day=1),
    Bucketing.YEAR: lambda day: day.replace(month=1, day=1),
}


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name, or Invalid."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("zone", f"{name!r} is not a time zone such as Europe/Berlin") from None


def bucket(times: Int64, numbers: Values, width: Bucketing, zone: ZoneInfo) -> Buckets:
    """Aggregate numbers by the bucket their time falls into; `times` must ascend."""
    if len(times) == 0:
        empty, none = np.empty(0, np.int64), np.empty(0, np.float64)
        return Buckets(empty, empty, none, none, none, none, none, none)
    starts = bucket_starts(times, width, zone)
    edges = np.flatnonzero(np.r_[True, starts[1:] != starts[:-1]])
    counts = np.diff(np.r_[edges, len(times)])
    totals = np.add.reduceat(numbers, edges)
    return Buckets(
        start=starts[edges],
        count=counts.astype(np.int64),
        mean=totals / counts,
        minimum=np.minimum.reduceat(numbers, edges),
        maximum=np.maximum.reduceat(numbers, edges),
        total=totals,
        first=numbers[edges],
        last=numbers[edges + counts - 1],
    )


def bucket_starts(times: Int64, width: Bucketing, zone: ZoneInfo) -> Int64:
    """For each time the first instant of its bucket."""
    offsets = _offsets(times, zone)
    local = times + offsets
    if width in _WIDTHS:
        size = _WIDTHS[width]
        return local - local % size - offsets
    days, back = np.unique(local // DAY, return_inverse=True)
    return np.array([_start(int(day), width, zone) for day in days], dtype=np.int64)[back]


def _offsets(times: Int64, zone: ZoneInfo) -> Int64:
    """Microseconds that local clocks are ahead of UTC; they change only at full quarters."""
    quarters, back = np.unique(times // _QUARTER, return_inverse=True)
    return np.array([_offset(int(q) * _QUARTER, zone) for q in quarters], dtype=np.int64)[back]


def _offset(us: int, zone: ZoneInfo) -> int:
    moment = from_us(min(max(us, EARLIEST + DAY), LATEST - DAY)).astimezone(zone)
    offset = moment.utcoffset()
    return 0 if offset is None else int(offset / timedelta(microseconds=1))


def _start(day: int, width: Bucketing, zone: ZoneInfo) -> int:
    """The first instant of the bucket that contains the local day, counted from 1970."""
    ordinal = _EPOCH.toordinal() + day
    first = _FIRST_DAYS[width](date.fromordinal(min(max(ordinal, 1), date.max.toordinal())))
    midnight = datetime(first.year, first.month, first.day, tzinfo=zone)
    if not 1 < first.year < 9999:
        return ((first - _EPOCH).days * 86_400) * SECOND
    return to_us(midnight.astimezone(UTC))
