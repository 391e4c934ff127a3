"""The Thing follows its device: one durable consumer of the log.

Longitude and latitude are measurements like others; here two of the same moment become the place where
the Thing stands. It happens in the transaction that moves the cursor, so no place is lost or taken twice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save

from stadtherz.base.expressions import And, Column, Compare, Kind, Literal
from stadtherz.base.time import Micros
from stadtherz.ingest.devices.remembered import Remembered
from stadtherz.ingest.models import Device, DeviceField
from stadtherz.ingest.values.positions import Place, checked_place, paths_of_position
from stadtherz.store.public import (
    LogSlice,
    Selection,
    entity_changed,
    select,
    stand,
    stood,
)
from stadtherz.stream.public import Consumer

NAME = "ingest:moving"
LEAST_M = 25.0
"""A place nearer than this to the last one is the same: receivers wander by ten metres where they stand."""

_MOST_MOVES = 20  # in one transaction: on SQLite nobody else writes meanwhile
_EARTH_M = 6_371_008.8  # mean radius (IUGG)
_TIME = Column("phenomenon_start", Kind.TIME)


@dataclass(frozen=True, slots=True)
class Mover:
    """A Thing that moves, and the datastreams that say where it is."""

    thing: int
    longitude: int
    latitude: int


def consumer() -> Consumer:
    """What the stream hands new positions to."""
    return Consumer(NAME, follow, streams=lambda: frozenset(_movers()))


def follow(piece: LogSlice) -> int:
    """Let the Things of these readings move; how many of them, from the first on, have been dealt with."""
    movers, columns = _movers(), piece.columns
    rows = list(zip(columns.datastream.tolist(), columns.phenomenon_start.tolist(), strict=True))
    places = _places(movers, rows)
    moves = 0
    for done, (stream, at) in enumerate(rows, 1):
        mover = movers.get(stream)
        place = places.get((mover.thing, at)) if mover else None
        if mover is None or place is None:
            continue
        moves += _moved(mover.thing, place, at)
        if moves == _MOST_MOVES:
            return done
    return len(rows)


def _moved(thing: int, place: Place, at: Micros) -> bool:
    """Whether the Thing stands elsewhere from this moment on."""
    before = stood(thing, at)
    if before is not None and before.since == at:
        return False
    if before is not None and before.point and metres(before.point, place) < LEAST_M:
        return False
    stand(thing, place, at)
    return True


def metres(one: Place, other: Place) -> float:
    """The distance on the sphere (haversine)."""
    east1, north1, east2, north2 = map(radians, (*one, *other))
    half = sin((north2 - north1) / 2) ** 2
    half += cos(north1) * cos(north2) * sin((east2 - east1) / 2) ** 2
    return 2 * _EARTH_M * asin(min(1.0, sqrt(half)))


def _places(
    movers: Mapping[int, Mover], rows: Iterable[tuple[int, Micros]]
) -> dict[tuple[int, Micros], Place]:
    """Where each Thing was at the moments of these readings, as far as both numbers are known."""
    moments: dict[Mover, list[Micros]] = {}
    for stream, at in rows:
        if stream in movers:
            moments.setdefault(movers[stream], []).append(at)
    return {
        (mover.thing, at): place
        for mover, times in moments.items()
        for at, place in _between(mover, min(times), max(times)).items()
    }


def _between(mover: Mover, first: Micros, last: Micros) -> dict[Micros, Place]:
    told = select(
        Selection(
            streams=frozenset({mover.longitude, mover.latitude}),
            where=And(
                (
                    Compare("ge", _TIME, Literal(first, Kind.TIME)),
                    Compare("le", _TIME, Literal(last, Kind.TIME)),
                )
            ),
        )
    )
    east: dict[Micros, Any] = {}
    north: dict[Micros, Any] = {}
    for stream, at, value in zip(
        told.datastream.tolist(), told.phenomenon_start.tolist(), told.result.tolist(), strict=True
    ):
        (east if stream == mover.longitude else north)[at] = value
    both = {at: checked_place(east[at], north[at]) for at in east.keys() & north.keys()}
    return {at: place for at, place in both.items() if place is not None}


# --- who moves -----------------------------------------------------------------------------------


def _load(_wanted: Iterable[None]) -> dict[None, dict[int, Mover]]:
    """The movers by both of their datastreams."""
    fields = (
        DeviceField.objects.filter(device__moves=True, listed=False)
        .select_related("datastream", "device")
        .order_by("device", "pk")
    )
    by_device: dict[int, dict[str, DeviceField]] = {}
    for field in fields:
        if field.datastream.owner_id == field.device.owner_id:
            by_device.setdefault(field.device_id, {})[field.path] = field
    found = {}
    for mover in map(_mover, by_device.values()):
        if mover is not None:
            found[mover.longitude] = found[mover.latitude] = mover
    return {None: found}


def _mover(fields: Mapping[str, DeviceField]) -> Mover | None:
    pair = paths_of_position(fields)
    if pair is None:
        return None
    east, north = (fields[path].datastream for path in pair)
    if east.thing_id != north.thing_id:
        return None
    return Mover(east.thing_id, east.pk, north.pk)


_cache: Remembered[None, dict[int, Mover]] = Remembered(_load)


def _movers() -> dict[int, Mover]:
    return _cache.find(None) or {}


def _forget(**_signal: Any) -> None:
    _cache.clear()
    transaction.on_commit(_cache.clear)


for _signal in (post_save, post_delete):
    for _model in (Device, DeviceField):
        _signal.connect(_forget, sender=_model, dispatch_uid=f"ingest-moving-{_model.__name__}")


def _forget_streams(sender: str, **_told: Any) -> None:
    if sender == "Datastream":
        _forget()


entity_changed.connect(_forget_streams, dispatch_uid="ingest-moving")
