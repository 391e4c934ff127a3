"""A rule's steps as plain values: limits with hysteresis, some of them only in part of the year, week or day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from stadtherz.base.time import Micros, from_us, to_us

_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Season:
    """When a limit holds, in local time. Empty sets mean always; hours may go over midnight."""

    months: frozenset[int] = frozenset()  # 1 to 12
    weekdays: frozenset[int] = frozenset()  # 1 is Monday
    start: int | None = None  # minutes since midnight
    end: int | None = None

    @property
    def always(self) -> bool:
        return not self.months and not self.weekdays and self.start is None and self.end is None

    def holds(self, local: datetime) -> bool:
        """The hours after midnight of a night belong to the day on which they lie."""
        if self.months and local.month not in self.months:
            return False
        if self.weekdays and local.isoweekday() not in self.weekdays:
            return False
        return self._within(local.hour * 60 + local.minute)

    def _within(self, minute: int) -> bool:
        start, end = self.start or 0, _DAY_MINUTES if self.end is None else self.end
        if start <= end:
            return start <= minute < end
        return minute >= start or minute < end

    def edges(self) -> frozenset[int]:
        """Minutes of a day at which it may begin or end."""
        days = {0} if self.months or self.weekdays else set()
        return frozenset(days | {m for m in (self.start, self.end) if m is not None})


ALWAYS = Season()


@dataclass(frozen=True, slots=True)
class Limit:
    """A step: reached at `level`, over beyond `release`. Both are turned so that more is worse."""

    level: float
    release: float
    season: Season = ALWAYS


@dataclass(frozen=True, slots=True)
class Judging:
    """All that the judge needs of a rule. `limits` ascend; times are microseconds.

    `sign` is -1 where falling below a limit is what counts. A figure counts after `samples` readings in a
    row and after `hold`; a step is over after `calm`. `growing` figures are the minutes since the last
    reading: they grow by themselves.
    """

    limits: Sequence[Limit]
    sign: int = 1
    samples: int = 1
    hold: Micros = 0
    calm: Micros = 0
    zone: str = "Europe/Berlin"
    growing: bool = False

    @property
    def seasonal(self) -> bool:
        return any(not limit.season.always for limit in self.limits)


def rank_at(rule: Judging, value: float, rank: int, at: Micros) -> int:
    """The highest step that holds at this value, coming from `rank`; 0 for none.

    >>> rule = Judging((Limit(90, 85), Limit(120, 115)))
    >>> [rank_at(rule, value, rank, 0) for value, rank in ((121, 0), (116, 2), (114, 2), (84, 1))]
    [2, 2, 1, 0]
    """
    turned = rule.sign * value
    local = _local(at, rule.zone) if rule.seasonal else None
    for place in range(len(rule.limits), 0, -1):
        limit = rule.limits[place - 1]
        reached = turned >= limit.level or (place <= rank and turned >= limit.release)
        if reached and (local is None or limit.season.holds(local)):
            return place
    return 0


def next_edge(rule: Judging, at: Micros) -> Micros | None:
    """The next moment after `at` at which a season may begin or end; None if there are none."""
    edges = frozenset().union(*(limit.season.edges() for limit in rule.limits))
    if not edges:
        return None
    local = _local(at, rule.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    moments = (
        _instant(midnight + timedelta(days=day), minute) for day in (0, 1) for minute in edges
    )
    return min(moment for moment in moments if moment > at)


def _instant(midnight: datetime, minute: int) -> Micros:
    """That minute by the clock on the wall, also on the days on which clocks are changed."""
    return to_us(midnight.replace(hour=minute // 60 % 24, minute=minute % 60))


def _local(at: Micros, zone: str) -> datetime:
    return from_us(at).astimezone(_zone(zone))


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
