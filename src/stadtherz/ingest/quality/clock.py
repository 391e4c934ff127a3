"""When something was measured, as the device's own clock tells it, and whether that can be true.

A clock tells ISO 8601 text, or seconds or milliseconds since 1970. It may run in local time: then the
hour that comes twice a year is told apart by the order of the entries and the time of receipt.
"""

import re
from collections.abc import Sequence
from datetime import UTC
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from stadtherz.base.time import DAY, SECOND, Micros, from_us, iso, parse_instant, to_us
from stadtherz.ingest.documents import uplink
from stadtherz.ingest.values.decode import MISSING, shown

LOGGED: Micros = 400 * DAY  # an entry of a device's log may be this old

_MILLISECONDS_SINCE = 100_000_000_000  # as seconds this is the year 5138, as milliseconds 1973
_LARGEST = 1e15
_OFFSET = re.compile(r"[+-]\d\d:?\d\d$")
_SHOWN = 40


class Moment(NamedTuple):
    """When it was measured. `told` is what a clock said that cannot be right, else empty; `ends` is there for
    an interval.
    """

    at: Micros
    told: str = ""
    ends: Micros | None = None


def moment(told: Any, zone: str, time: Micros) -> Moment:
    """The time of a message's own values; the network's `time` where the device's cannot be true."""
    if told is MISSING:
        return Moment(time)
    own = instants([told], zone, latest=time + uplink.AHEAD)[0]
    at = uplink.measured_at(own, time)
    return Moment(at) if own == at else Moment(at, _shown(told, own))


def entry_moments(told: Sequence[Any], zone: str, time: Micros) -> list[Moment | None]:
    """The times of a log's entries; None where there is none that can be true."""
    own = instants(told, zone, latest=time + uplink.AHEAD)
    return [_logged(at, time) for at in own]


def _logged(at: Micros | None, time: Micros) -> Moment | None:
    return None if at is None or not -LOGGED <= at - time <= uplink.AHEAD else Moment(at)


def _shown(told: Any, own: Micros | None) -> str:
    return shown(str(told), _SHOWN) if own is None else iso(own)


def instants(told: Sequence[Any], zone: str, *, latest: Micros) -> list[Micros | None]:
    """What clocks told, as instants; None where it cannot be read. No local time is read as one
    later than `latest`, or than the entry that follows, if it can also be an earlier one.
    """
    if not zone:
        return [_read(each) for each in told]
    walls = [_read(each) for each in told]
    known = [wall for wall in walls if wall is not None]
    rising = sum(a < b for a, b in pairwise(known)) >= sum(a > b for a, b in pairwise(known))
    places = range(len(told))
    found: list[Micros | None] = [None] * len(told)
    for place in reversed(places) if rising else places:
        wall, text = walls[place], told[place]
        if wall is None or (isinstance(text, str) and _OFFSET.search(text)):
            found[place] = wall
        else:
            found[place] = latest = _local(wall, zone, latest)
    return found


def _local(wall: Micros, zone: str, latest: Micros) -> Micros:
    """The instant at which clocks of the zone showed `wall` (microseconds as if in UTC)."""
    shown_then = from_us(wall).replace(tzinfo=ZoneInfo(zone))
    first, second = (to_us(shown_then.replace(fold=fold).astimezone(UTC)) for fold in (0, 1))
    return second if first < second <= latest else first


def _read(told: Any) -> Micros | None:
    if isinstance(told, str):
        try:
            return _within(parse_instant(told))
        except (ValueError, OverflowError):
            return None
    if isinstance(told, bool) or not isinstance(told, int | float) or not abs(told) < _LARGEST:
        return None
    return _within(int(told * (SECOND // 1000 if told >= _MILLISECONDS_SINCE else SECOND)))


def _within(at: Micros) -> Micros | None:
    """None for a year that no calendar of ours has."""
    return at if abs(at) < _FAR else None


_FAR: Micros = 200 * 365 * DAY  # from 1970
