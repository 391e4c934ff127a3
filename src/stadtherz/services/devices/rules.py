"""Which devices are silent, and whether it is their network that is. Pure: no database, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass

from stadtherz.base.time import Micros
from stadtherz.ingest.public import is_late, is_silent

FEWEST = 5  # devices that fell silent together make a silent network or gateway …
SHARE = 0.8  # … if they are more than this share of those that should have reported since

_SPREAD = 1.5  # own intervals before the last of them was heard


@dataclass(frozen=True, slots=True)
class Watched:
    """A device whose interval is known. `excused` is how long nobody could have heard it."""

    id: int
    last_seen: Micros
    interval: Micros
    excused: Micros = 0

    def silent(self, now: Micros) -> bool:
        return is_silent(self.last_seen + self.excused, self.interval, now)

    def late(self, now: Micros) -> bool:
        return is_late(self.last_seen + self.excused, self.interval, now)


@dataclass(frozen=True, slots=True)
class Outage:
    """Devices that fell silent together; `since` is when the last of them was heard."""

    since: Micros
    devices: frozenset[int]


def outage(group: Sequence[Watched], now: Micros) -> Outage | None:
    """Whether a network or gateway has gone, as its devices show.

    Devices report at different times. So those that are late count as soon as one is silent, those that
    are not due yet count for nothing, and those silent since long ago have another reason.
    """
    missing = [each for each in group if each.late(now)]
    if not any(each.silent(now) for each in missing):
        return None
    since = max(each.last_seen for each in missing)
    together = [each for each in missing if since - each.last_seen <= _SPREAD * each.interval]
    if len(together) < FEWEST or not any(each.silent(now) for each in together):
        return None
    heard = sum(not each.late(now) and each.last_seen > since for each in group)
    if len(together) <= SHARE * (len(together) + heard):
        return None
    return Outage(since, frozenset(each.id for each in together))


def is_over(group: Sequence[Watched], since: Micros) -> bool:
    """Whether enough of its devices have been heard again since an outage began."""
    heard = sum(each.last_seen > since for each in group)
    return not group or heard >= max((1 - SHARE) * len(group), 1)


def excused(last_seen: Micros, pauses: Sequence[tuple[Micros, Micros]]) -> Micros:
    """How much of the time since a device was heard fell into pauses, in which nothing could be heard."""
    return sum(max(end - max(begin, last_seen), 0) for begin, end in pauses)
