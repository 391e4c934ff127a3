"""Calendar buckets in a named time zone, daylight saving included.

A zone is a short table of the stretches between two changes of its clocks (`_Clock`), so no reading
is ever asked for its offset alone. A bucket starts at the first instant whose local time has
reached it: where clocks go back over midnight, the repeated end of the old day counts as the new
one, and starts always ascend.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from stadtherz.base.errors import Invalid
from stadtherz.base.time import DAY, EARLIEST, HOUR, LATEST, MINUTE, SECOND, from_us
from stadtherz.store.values import Bucketing, Buckets, Int64

Float64 = npt.NDArray[np.float64]

_WIDTHS = {Bucketing.MINUTE: MINUTE, Bucketing.QUARTER: 15 * MINUTE, Bucketing.HOUR: HOUR}
_UNITS = {Bucketing.MONTH: "datetime64[M]", Bucketing.YEAR: "datetime64[Y]"}
_THURSDAY = 3  # 1970-01-01, counted from Monday
_BLOCK = 400 * DAY  # changes are looked up for so long at once; longer than any bucket
_FOREVER: int = np.iinfo(np.int64).max


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name, or Invalid."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("zone", f"{name!r} is not a time zone such as Europe/Berlin") from None


def bucket(
    times: Int64,
    numbers: Float64,
    width: Bucketing,
    zone: ZoneInfo,
    quantiles: Sequence[float] = (),
) -> Buckets:
    """Aggregate numbers by the bucket their time falls into.

    `times` (microseconds) must ascend. `quantiles` between 0 and 1 come out under their own value
    in `Buckets.quantiles`, interpolated linearly as `numpy.quantile` does; Invalid beyond.
    """
    edges, starts = runs(times, width, zone)
    return _aggregate(numbers, edges, starts, quantiles)


def bucket_each(
    groups: Int64,
    times: Int64,
    numbers: Float64,
    width: Bucketing,
    zone: ZoneInfo,
    quantiles: Sequence[float] = (),
) -> dict[int, Buckets]:
    """The same for many datastreams at once.

    `groups` names each reading's datastream; readings of one lie together, in the order of time.
    """
    edges, starts = runs(times, width, zone, groups)
    return split(_aggregate(numbers, edges, starts, quantiles), groups[edges])


def split(buckets: Buckets, groups: Int64) -> dict[int, Buckets]:
    """Buckets of several datastreams, one after the other, taken apart; `groups` names each one's."""
    edges = changes(groups)
    ends = [*edges.tolist(), len(groups)][1:]
    named = zip(groups[edges].tolist(), edges.tolist(), ends, strict=True)
    return {group: _part(buckets, slice(first, end)) for group, first, end in named}


def _part(buckets: Buckets, which: slice) -> Buckets:
    return Buckets(
        start=buckets.start[which],
        count=buckets.count[which],
        mean=buckets.mean[which],
        minimum=buckets.minimum[which],
        maximum=buckets.maximum[which],
        total=buckets.total[which],
        first=buckets.first[which],
        last=buckets.last[which],
        quantiles={q: values[which] for q, values in buckets.quantiles.items()},
    )


def bucket_starts(times: Int64, width: Bucketing, zone: ZoneInfo) -> Int64:
    """For each time (in any order) the first instant of its bucket."""
    edges, starts = runs(times, width, zone)
    return np.repeat(starts, np.diff(edges, append=len(times)))


def whole_hours(zone: ZoneInfo, first: int, last: int) -> bool:
    """Whether all of the zone's hours from `first` to `last` are hours in UTC, too."""
    ends = np.array([first, last], dtype=np.int64)
    clock = _clock_of(ends, zone, complete=True)
    a, b = clock.ends(ends)
    hours = [*clock.ahead[a : b + 1].tolist(), *clock.since[a + 1 : b + 1].tolist()]
    return all(value % HOUR == 0 for value in hours)


def changes(*keys: Int64) -> Int64:
    """Where a run of equal values begins in any of the arrays; they have one length."""
    changed = np.zeros(len(keys[0]), dtype=bool)
    changed[:1] = True
    for key in keys:
        changed[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(changed)


def places_of(begins: Int64, lengths: Int64) -> Int64:
    """The places of several ranges, one range behind the other."""
    before = np.cumsum(lengths) - lengths
    found: Int64 = np.repeat(begins - before, lengths) + np.arange(int(lengths.sum()))
    return found


def _aggregate(
    numbers: Float64, edges: Int64, starts: Int64, quantiles: Sequence[float]
) -> Buckets:
    for q in quantiles:
        if not 0 <= q <= 1:
            raise Invalid("quantiles", f"{q} is not between 0 and 1")
    if len(edges) == 0:
        empty, none = np.empty(0, np.int64), np.empty(0, np.float64)
        nothing = dict.fromkeys(quantiles, none)
        return Buckets(empty, empty, none, none, none, none, none, none, nothing)
    counts = np.diff(edges, append=len(numbers))
    totals = np.add.reduceat(numbers, edges)
    return Buckets(
        start=starts,
        count=counts,
        mean=totals / counts,
        minimum=np.minimum.reduceat(numbers, edges),
        maximum=np.maximum.reduceat(numbers, edges),
        total=totals,
        first=numbers[edges],
        last=numbers[edges + counts - 1],
        quantiles=_quantiles(numbers, edges, counts, quantiles) if quantiles else {},
    )


def _quantiles(
    numbers: Float64, edges: Int64, counts: Int64, wanted: Sequence[float]
) -> dict[float, Float64]:
    """Every bucket's quantiles, from one sort by (bucket, number)."""
    bases = np.repeat(np.arange(len(edges)) * len(numbers), counts)
    order = np.argsort(numbers)
    keys = bases[order] + np.arange(len(numbers))
    keys.sort()
    ascending = numbers[order][keys - bases]
    return {q: _quantile(ascending, edges, counts, q) for q in wanted}


def _quantile(ascending: Float64, edges: Int64, counts: Int64, q: float) -> Float64:
    at = (counts - 1) * q
    below = np.floor(at).astype(np.int64)
    part = at - below
    low = ascending[edges + below]
    high = ascending[edges + np.minimum(below + 1, counts - 1)]
    step = high - low
    # As numpy does: from the nearer side, so that rounding never leaves the two neighbours.
    near: Float64 = np.where(part < 0.5, low + step * part, high - step * (1 - part))
    return near


def runs(
    times: Int64, width: Bucketing, zone: ZoneInfo, groups: Int64 | None = None
) -> tuple[Int64, Int64]:
    """Where in `times` a new bucket (or group) begins, and the first instant of each bucket."""
    if len(times) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    clock = _clock_of(times, zone)
    at = clock.stretch(times)
    others = () if groups is None else (groups,)
    if width in _WIDTHS:
        return _even_runs(times, clock, at, _WIDTHS[width], others)
    days = clock.days(times, at)
    edges = changes(days, *others)
    starts = clock.start_of(_first_days(days[edges], width))
    merged = changes(starts, *[group[edges] for group in others])
    return edges[merged], starts[merged]


def _even_runs(
    times: Int64, clock: "_Clock", at: Int64, size: int, others: tuple[Int64, ...]
) -> tuple[Int64, Int64]:
    """Hours and less: they begin anew also where clocks change, even to an hour that comes twice."""
    local = (times + clock.ahead[at]) // size
    edges = changes(local, *others) if len(at) == 1 else changes(local, at, *others)
    at = at if len(at) == 1 else at[edges]
    starts = local[edges] * size - clock.ahead[at]
    return edges, np.maximum(np.maximum(starts, clock.since[at]), EARLIEST)


def _first_days(days: Int64, width: Bucketing) -> Int64:
    """The first local day of each day's bucket; days count from 1970."""
    if width is Bucketing.DAY:
        return days
    if width is Bucketing.WEEK:
        return days - (days + _THURSDAY) % 7
    first: Int64 = days.astype("datetime64[D]").astype(_UNITS[width]).astype("datetime64[D]")
    return first.astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Clock:
    """The stretches of time in which a zone's clocks run evenly; everything in microseconds."""

    since: Int64  # the first instant of each
    ahead: Int64  # how far local clocks are ahead of UTC
    shown: Int64  # local time that was first reached after its end

    def stretch(self, times: Int64) -> Int64:
        """Each time's stretch; a single one if it is the same for all."""
        first, last = self.ends(times)
        if first == last:
            return np.array([first])
        return first + np.searchsorted(self.since[first + 1 : last + 1], times, side="right")

    def ends(self, times: Int64) -> tuple[int, int]:
        """The stretches of the earliest and of the latest time."""
        first, last = np.searchsorted(self.since, [times.min(), times.max()], side="right") - 1
        return int(first), int(last)

    def days(self, times: Int64, at: Int64) -> Int64:
        """Local days, counted from 1970, that had begun; they never go back."""
        days = (times + self.ahead[at]) // DAY
        begun = (self.shown[:-1] - 1) // DAY
        if np.all(begun <= (self.since[1:] + self.ahead[1:]) // DAY):
            return days  # nowhere do clocks go back over midnight
        latest: Int64 = np.maximum(days, np.r_[days.min(), begun][at])
        return latest

    def start_of(self, days: Int64) -> Int64:
        """The first instant at which local clocks had reached each day."""
        midnights = days * DAY
        at = np.minimum(np.searchsorted(self.shown, midnights, side="right"), len(self.since) - 1)
        first: Int64 = np.maximum(np.maximum(midnights - self.ahead[at], self.since[at]), EARLIEST)
        return first


def _clock_of(times: Int64, zone: ZoneInfo, *, complete: bool = False) -> _Clock:
    """The zone's clock from a while before the first time to the last.

    Where times lie centuries apart, the years between are left out unless it shall be complete.
    """
    first, last = int(times.min()) // _BLOCK, int(times.max()) // _BLOCK
    if complete or last - first < 64:
        return _clock(zone, tuple(range(first - 1, last + 1)))
    used = np.unique(times // _BLOCK)
    return _clock(zone, tuple(np.unique(np.r_[used - 1, used]).tolist()))


@lru_cache(maxsize=256)
def _clock(zone: ZoneInfo, blocks: tuple[int, ...]) -> _Clock:
    stretches: list[tuple[int, int]] = []
    for stretch in (each for block in blocks for each in _block(zone, block)):
        if not stretches or stretches[-1][1] != stretch[1]:
            stretches.append(stretch)
    table = np.array(stretches, dtype=np.int64)
    since, ahead = table[:, 0].copy(), table[:, 1].copy()
    ends = np.append(since[1:] + ahead[:-1], _FOREVER)
    return _Clock(since, ahead, np.maximum.accumulate(ends))


@lru_cache(maxsize=4096)
def _block(zone: ZoneInfo, block: int) -> tuple[tuple[int, int], ...]:
    """The stretches that begin in the block; the first one begins with it.

    Asked once a day: a change that is taken back within a day would be overlooked.
    """
    days = [(us, _offset(us, zone)) for us in range(block * _BLOCK, (block + 1) * _BLOCK + 1, DAY)]
    return (days[0], *_found(days, zone))


def _found(days: list[tuple[int, int]], zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """The first instant of every other offset, by bisection to the second."""
    for (low, before), (high, after) in pairwise(days):
        if before == after:
            continue
        while high - low > SECOND:
            middle = (low + high) // 2 // SECOND * SECOND
            low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
        yield high, after


def _offset(us: int, zone: ZoneInfo) -> int:
    moment = from_us(min(max(us, EARLIEST + DAY), LATEST - DAY)).astimezone(zone)
    offset = moment.utcoffset()
    return 0 if offset is None else offset // timedelta(microseconds=1)
