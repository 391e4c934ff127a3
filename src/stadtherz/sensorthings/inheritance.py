"""As what a new entity is created: as visible as what it is created for.

A place is as visible as its Things, a feature as its readings, and what a new Datastream brings
along as its Thing, whether the path names them or the body refers to them. Of several, the
narrowest counts.
"""

from collections.abc import Iterable
from typing import Any

from stadtherz.sensorthings import access, readings, sql
from stadtherz.sensorthings.bodies import Body
from stadtherz.sensorthings.execute import rows
from stadtherz.sensorthings.schema import (
    ACTUATOR,
    FEATURE_OF_INTEREST,
    LOCATION,
    OBSERVED_PROPERTY,
    SENSOR,
    THING,
)
from stadtherz.sensorthings.tables import Reader
from stadtherz.sql.public import Sql

Ownership = dict[str, Any]
_SHARED = (LOCATION, SENSOR, OBSERVED_PROPERTY, ACTUATOR)


def inherited(body: Body, given: dict[str, int], reader: Reader) -> Ownership:
    """Owner, access and group of the new entity; empty if it has none to take them from."""
    if body.entity.is_a(FEATURE_OF_INTEREST):
        return _narrowest(_of_streams(body, given, reader))
    return _narrowest(_of_things(body, given, reader))


def _of_things(body: Body, given: dict[str, int], reader: Reader) -> Iterable[Sql]:
    """Only places refer to Things; the others are given the one they stand beside."""
    if not any(body.entity.is_a(shared) for shared in _SHARED):
        return
    for key in _existing(body, given, "Thing") + _existing(body, given, "Things"):
        if rows(sql.identify(THING, reader, sql.with_id(key))):
            yield access.ownership(THING, key)


def _of_streams(body: Body, given: dict[str, int], reader: Reader) -> Iterable[Sql]:
    if "Datastream" in given:
        yield access.ownership_of_stream(given["Datastream"])
    for key in _existing(body, given, "Observations"):
        if (reading := readings.by_id(key, reader)) is not None:
            yield access.ownership_of_stream(reading["datastream"])


def _existing(body: Body, given: dict[str, int], link: str) -> list[int]:
    named = [item for item in body.links.get(link, ()) if isinstance(item, int)]
    return [given[link], *named] if link in given else named


def _narrowest(statements: Iterable[Sql]) -> Ownership:
    names = ("owner", "access", "group")
    found = [dict(zip(names, row, strict=True)) for s in statements for row in rows(s)]
    hidden = (ownership for ownership in found if ownership["access"] != "public")
    return next(hidden, found[0] if found else {})
