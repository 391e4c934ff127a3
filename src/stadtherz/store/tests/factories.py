"""A small cast for the store's tests: two towns and what they measure with."""

from typing import Any

from stadtherz.base.time import Period
from stadtherz.base.units import CENTIMETRE
from stadtherz.base.visibility import SYSTEM, Scope, Visibility
from stadtherz.base.vocabulary import Observable
from stadtherz.store.public import (
    NewStream,
    Reading,
    Selection,
    create,
    create_organisation,
    register_stream,
    select,
)

PLACE = {"type": "Point", "coordinates": [7.77, 49.44]}
UNIT = {"name": "centimetre", "symbol": "cm", "definition": "ucum:cm"}


def town(slug: str = "lautern") -> int:
    return create_organisation(slug, slug.capitalize())


def staff_of(organisation: int, **changes: Any) -> Visibility:
    """Somebody who may read and change what belongs to the organisation."""
    values: dict[str, Any] = {
        "actor": f"staff of {organisation}",
        "organisations": frozenset({organisation}),
        "writes": frozenset({organisation}),
        "scopes": frozenset({Scope.READ, Scope.WRITE}),
        "home": organisation,
    }
    return Visibility(**(values | changes))


LEVEL = Observable(
    "level", "Water level", "Height of the water", "http://example.org/level", CENTIMETRE
)


def new_stream(owner: int, **changes: Any) -> NewStream:
    values: dict[str, Any] = {
        "owner": owner,
        "thing_name": "Gauge at the mill",
        "thing_description": "A radar gauge",
        "location": PLACE,
        "sensor_name": "Radar",
        "sensor_description": "Looks down from the bridge",
        "observed": LEVEL,
        "name": "Level",
        "description": "Water level at the mill",
    }
    return NewStream(**(values | changes))


def stream(owner: int | None = None, **changes: Any) -> int:
    return register_stream(new_stream(town() if owner is None else owner, **changes))


def reading(datastream: int, at: int = 0, result: Any = 1.0, **changes: Any) -> Reading:
    return Reading(datastream, Period(at), result, **changes)


def results(**selection: Any) -> list[Any]:
    return list(select(Selection(**selection)).result)


def thing(owner: int, **values: Any) -> int:
    return create("Thing", {"name": "Bridge", "owner": owner, **values}, SYSTEM)


def location(owner: int, **values: Any) -> int:
    return create("Location", {"name": "Mill", "location": PLACE, "owner": owner, **values}, SYSTEM)
