"""What was doubtful of a device in the last days: readings that are marked, and messages that wait as refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stadtherz.base.expressions import And, Column, Compare, Kind, Literal, Order
from stadtherz.base.time import DAY, Micros
from stadtherz.ingest.models import DeviceField
from stadtherz.ingest.refused.models import RefusedUplink
from stadtherz.store.public import Selection, select

DAYS = 7
MOST = 1_000  # readings, and kinds of refused messages, are looked at: the newest
_TIME = Column("phenomenon_start", Kind.TIME)
_QUALITY = Column("result_quality", Kind.JSON)


@dataclass(slots=True)
class Marked:
    """Readings of a datastream with the same flag; `told` is the quality of the newest."""

    datastream: int
    flag: str
    count: int
    last_at: Micros
    told: Mapping[str, Any]


@dataclass(slots=True)
class Waiting:
    """Messages refused for one reason that nobody has settled; `newest` is the last of them."""

    newest: RefusedUplink
    count: int


@dataclass(frozen=True, slots=True)
class Doubts:
    """The most frequent of each first; `many`: there are more than were looked at."""

    marked: Sequence[Marked] = ()
    waiting: Sequence[Waiting] = ()
    readings: int = 0
    many: bool = False
    messages: int = 0


def doubts_of(device: int, now: Micros) -> Doubts:
    """Of the last `DAYS` days until now."""
    since = now - DAYS * DAY
    marked, readings = _marked(device, since)
    waiting = _waiting(device, since)
    return Doubts(
        marked=sorted(marked, key=lambda each: -each.count),
        waiting=waiting,
        readings=readings,
        many=readings >= MOST,
        messages=sum(each.count for each in waiting),
    )


def _marked(device: int, since: Micros) -> tuple[list[Marked], int]:
    streams = frozenset(
        DeviceField.objects.filter(device=device).values_list("datastream", flat=True)
    )
    if not streams:
        return [], 0
    recent = Compare("ge", _TIME, Literal(since, Kind.TIME))
    is_told = Compare("ne", _QUALITY, Literal(None, Kind.NULL))
    newest = (Order(_TIME, descending=True),)
    rows = select(
        Selection(streams=streams, where=And((recent, is_told)), order=newest, limit=MOST)
    )
    found: dict[tuple[int, str], Marked] = {}
    count = 0
    qualities = rows.result_quality or ()
    for stream, at, told in zip(
        rows.datastream.tolist(), rows.phenomenon_start.tolist(), qualities, strict=False
    ):
        flags = told.get("flags") if isinstance(told, dict) else None
        if not isinstance(flags, list):
            continue
        count += 1
        for flag in map(str, flags):
            known = found.setdefault((stream, flag), Marked(stream, flag, 0, at, told))
            known.count += 1
    return list(found.values()), count


def _waiting(device: int, since: Micros) -> list[Waiting]:
    rows = RefusedUplink.objects.filter(device=device, last_at__gte=since)
    rows = rows.exclude(outcome=RefusedUplink.REPLAYED).defer("document")
    found: dict[str, Waiting] = {}
    for row in rows.order_by("-last_at", "-pk")[:MOST]:
        known = found.setdefault(row.reason, Waiting(row, 0))
        known.count += row.count
    return sorted(found.values(), key=lambda each: -each.count)
