"""PATCH with entities in it (OData 4.01 part 1 §11.4.3, 23-019 deep update).

A list is everything that a link shall lead to: what is described is created, what is named is linked,
and what was linked besides is let go, unless it cannot be without the entity.
"""

from dataclasses import replace

from stadtherz.base.time import Micros
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers.found import Parent
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.query import access
from stadtherz.sensorthings.query.execute import rows
from stadtherz.sensorthings.standard.schema import (
    DATASTREAM,
    FEATURE_OF_INTEREST,
    OBSERVATION,
    THING,
    EntityType,
    Link,
    Own,
    back_link,
)
from stadtherz.sensorthings.writing import references, write
from stadtherz.sensorthings.writing.bodies import Body, way_to
from stadtherz.sensorthings.writing.write import Change, Given


def update(source: Parent, body: Body, visibility: Visibility, urls: Urls, now: Micros) -> None:
    """As `write.update` for a body that may hold new entities and whole lists."""
    change = Change(visibility, now)
    own: dict[str, list[int | Body]] = {}
    for name, items in body.links.items():
        link = source.type.link(name)
        assert link is not None, "the body has been read against the schema"
        if isinstance(link.via, Own) or write.held_as(source.type, link) is not None:
            given = _beside(source)
            own[name] = [
                _key(change, item, given, way_to(name, place, len(items)))
                for place, item in enumerate(items)
            ]
        else:
            _set_others(change, source, link, items, urls)
    hidden = {name: write.hidden(source, name, visibility) for name in own}
    links = {name: [*keys, *hidden[name]] for name, keys in own.items()}
    write.update(source.type, source.id, replace(body, links=links), visibility)
    change.store()


def _key(change: Change, item: int | Body, given: Given, way: str) -> int:
    if isinstance(item, int):
        return item
    key = change.below(way, item, given)
    assert key is not None, "the entity holds no Observations itself"
    return key


def _set_others(
    change: Change, source: Parent, link: Link, items: list[int | Body], urls: Urls
) -> None:
    """What holds the link is at its other end."""
    named = [item for item in items if isinstance(item, int)]
    references.lead_to(source, link, named, change.visibility, urls)
    back = back_link(source.type, link)
    for place, item in enumerate(items):
        if isinstance(item, Body):
            change.below(way_to(link.name, place, len(items)), item, {back.name: source.id})


def _beside(source: Parent) -> Given:
    """By what the visibility of a new entity is found that the source holds."""
    kind = source.type
    if kind.is_a(OBSERVATION):
        assert source.reading is not None
        return {DATASTREAM.name: source.reading["datastream"]}
    if kind.is_a(THING) or kind.is_a(DATASTREAM):
        return {kind.name: source.id}
    if kind.is_a(FEATURE_OF_INTEREST):
        return {"Feature": source.id}
    return _beside_thing(kind, source.id)


def _beside_thing(kind: EntityType, key: int) -> Given:
    found = rows(access.thing_of(kind, key)) if kind.link(THING.name) is not None else []
    return {THING.name: found[0][0]} if found else {}
