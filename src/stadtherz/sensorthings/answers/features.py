"""Sets as a GeoJSON FeatureCollection (RFC 7946): every entity with the place that belongs to it.

A Thing stands at its first Location, an Observation at its feature. Entities without a place
have no geometry. `properties` are the entity's own, and what is expanded.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson

from stadtherz.sensorthings.answers.found import Page
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.answers.render import documents
from stadtherz.sensorthings.language.syntax import Expand, Query
from stadtherz.sensorthings.standard.schema import (
    DATASTREAM,
    FEATURE_OF_INTEREST,
    LOCATION,
    OBSERVATION,
    THING,
    EntityType,
)

_GEOMETRY = {
    LOCATION.kind: "location",
    FEATURE_OF_INTEREST.kind: "feature",
    DATASTREAM.kind: "observedArea",
}


def _place_of(entity: EntityType) -> tuple[str | None, str | None]:
    """The link that leads to the place, if one has to be followed, and the property that holds it."""
    if entity.is_a(THING):
        return "Locations", "location"
    if entity.is_a(OBSERVATION):
        return entity.feature_link.name, "feature"
    return None, _GEOMETRY.get(entity.kind)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the place of an entity is found, and what of it was not asked for."""

    name: str | None
    link: str | None
    hidden: frozenset[str]


def with_places(entity: EntityType, query: Query) -> tuple[Query, Places]:
    """The query that also asks for the places."""
    link, name = _place_of(entity)
    if link is None:
        if name is None or query.select is None:
            return query, Places(name, None, frozenset())
        return replace(query, select=(*query.select, name)), Places(name, None, frozenset())
    if any(expand.link == link for expand in query.expand):
        return query, Places(name, link, frozenset())
    added = Expand(link, Query(top=1, select=(str(name),)), 0)
    wider = replace(query, expand=(*query.expand, added))
    return wider, Places(name, link, frozenset({link}))


def collection(parts: Iterable[Page], places: Places, urls: Urls) -> Iterator[bytes]:
    """The collection in pieces."""
    yield b'{"type":"FeatureCollection","features":['
    separator = b""
    for part in parts:
        if len(part):
            features = [
                _feature(document, places, urls.face.id) for document in documents(part, urls)
            ]
            yield separator + orjson.dumps(features)[1:-1]
            separator = b","
    yield b"]}"


def _feature(shown: dict[str, Any], places: Places, key: str) -> dict[str, Any]:
    own = places.name if places.link is None else None
    properties = {
        name: value
        for name, value in shown.items()
        if "@" not in name and name not in (own, key) and name not in places.hidden
    }
    feature = {"type": "Feature", "geometry": _geometry(shown, places), "properties": properties}
    if key in shown:
        feature["id"] = shown[key]
    return feature


def _geometry(shown: dict[str, Any], places: Places) -> Any:
    holder: Any = shown if places.link is None else shown.get(places.link)
    if isinstance(holder, list):
        holder = holder[0] if holder else None
    place = holder.get(places.name) if isinstance(holder, dict) else None
    if isinstance(place, dict) and place.get("type") == "Feature":
        place = place.get("geometry")
    known = isinstance(place, dict) and ("coordinates" in place or "geometries" in place)
    return place if known else None  # another encoding than GeoJSON is no geometry
