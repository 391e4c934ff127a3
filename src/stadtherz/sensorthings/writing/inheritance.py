"""As what a new entity is created: as visible as what it is created for.

A place is as visible as its Things, a feature as its readings and Datastreams, the type of a feature
as this, and what a new Datastream brings along as its Thing, whether the path names them or the body refers to them. Of several, the
narrowest counts.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from stadtherz.sensorthings.query import access, readings, sql
from stadtherz.sensorthings.query.execute import rows
from stadtherz.sensorthings.query.tables import Reader
from stadtherz.sensorthings.standard.schema import (
    ACTUATOR,
    CAMPAIGN,
    DATASTREAM,
    FEATURE_OF_INTEREST,
    LICENSE,
    LOCATION,
    MODELS,
    OBSERVATION_GROUP,
    OBSERVED_PROPERTY,
    PARTY,
    RELATION,
    SENSOR,
    STREAM,
    THING,
    EntityType,
)
from stadtherz.sensorthings.writing.bodies import Body
from stadtherz.sql.public import Sql

Ownership = dict[str, Any]
_FEATURE_TYPE = MODELS["2.0"]["FeatureType"]
_SHARED = (
    LOCATION,
    SENSOR,
    OBSERVED_PROPERTY,
    FEATURE_OF_INTEREST,
    _FEATURE_TYPE,
    ACTUATOR,
    PARTY,
    LICENSE,
)
_GATHERING = (CAMPAIGN, OBSERVATION_GROUP, RELATION)
_STREAMS = ("DatastreamsProximate", "DatastreamsUltimate")
_GATHERED = ("Datastreams", "MultiDatastreams")
_READINGS = "Observations"
_ENDS = ("Subject", "Object")
_MOST = 100  # readings that are looked at


def inherited(body: Body, given: dict[str, int], reader: Reader) -> Ownership:
    """Owner, access and group of the new entity; empty if it has none to take them from."""
    if gathers(body.entity):
        return _own_of(_narrowest(_of_streams(body, given, reader)))
    sources = [_of_things(body, given, reader)]
    if body.entity.is_a(FEATURE_OF_INTEREST) or body.entity.is_a(_FEATURE_TYPE):
        sources += [_of_streams(body, given, reader), _of_features(body, given, reader)]
    return _narrowest(chain(*sources))


def whereabouts(body: Body, given: dict[str, int]) -> dict[str, int]:
    """What a new feature belongs to, by which the visibility of its new types is found."""
    if not body.entity.is_a(FEATURE_OF_INTEREST):
        return {}
    named = {name: _existing(body, given, name)[:1] for name in (*_STREAMS, _READINGS)}
    above = {name: given[name] for name in (THING.name, DATASTREAM.name) if name in given}
    return above | {name: keys[0] for name, keys in named.items() if keys}


def gathers(entity: EntityType) -> bool:
    """Whether it leads to data of anybody, wherever that is; so it belongs to no data set."""
    return any(entity.is_a(gathering) for gathering in _GATHERING)


def _own_of(found: Ownership) -> Ownership:
    """What gathers data of anybody is its maker's, and for nobody else if some of the data is not for all."""
    hidden = found.get("access", "public") != "public"
    return {"access": "organisation", "group": None} if hidden else {}


def _of_things(body: Body, given: dict[str, int], reader: Reader) -> Iterable[Sql]:
    """Only places refer to Things; the others are given the one they stand beside."""
    if not any(body.entity.is_a(shared) for shared in _SHARED):
        return
    if DATASTREAM.name in given:
        yield access.ownership_of_stream(given[DATASTREAM.name])
    for key in _existing(body, given, "Thing") + _existing(body, given, "Things"):
        if rows(sql.identify(THING, reader, sql.with_id(key))):
            yield access.ownership(THING, key)


def _of_streams(body: Body, given: dict[str, int], reader: Reader) -> Iterable[Sql]:
    for key in _all_existing(body, given, (*_STREAMS, *_GATHERED)):
        if rows(sql.identify(STREAM, reader, sql.with_id(key))):
            yield access.ownership_of_stream(key)
    for key in _all_existing(body, given, (_READINGS, *_ENDS))[:_MOST]:
        if (reading := readings.by_id(key, reader)) is not None:
            yield access.ownership_of_stream(reading["datastream"])


def _of_features(body: Body, given: dict[str, int], reader: Reader) -> Iterable[Sql]:
    for key in _existing(body, given, "Feature") + _existing(body, given, "Features"):
        if rows(sql.identify(FEATURE_OF_INTEREST, reader, sql.with_id(key))):
            yield access.ownership(FEATURE_OF_INTEREST, key)


def _all_existing(body: Body, given: dict[str, int], links: Iterable[str]) -> list[int]:
    return [key for link in links for key in _existing(body, given, link)]


def _existing(body: Body, given: dict[str, int], link: str) -> list[int]:
    named = [item for item in body.links.get(link, ()) if isinstance(item, int)]
    return [given[link], *named] if link in given else named


def _narrowest(statements: Iterable[Sql]) -> Ownership:
    names = ("owner", "access", "group")
    found = [dict(zip(names, row, strict=True)) for s in statements for row in rows(s)]
    hidden = (ownership for ownership in found if ownership["access"] != "public")
    return next(hidden, found[0] if found else {})
