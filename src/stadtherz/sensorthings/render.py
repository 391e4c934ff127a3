"""Entities and pages as the JSON of 18-088 §9, straight to bytes."""

from collections.abc import Callable
from typing import Any

import orjson

from stadtherz.base.time import Micros, iso
from stadtherz.sensorthings import csdl, result_types
from stadtherz.sensorthings.found import Entity, Page, Readings
from stadtherz.sensorthings.links import Urls
from stadtherz.sensorthings.plan import ADDRESS, ID, SetPlan
from stadtherz.sensorthings.routes import Route
from stadtherz.sensorthings.schema import (
    OBSERVATION,
    QUALITY,
    EntityType,
    Own,
    Property,
    Shape,
    target,
)

Document = dict[str, Any]


def page(found: Page, urls: Urls, path: str) -> bytes:
    """A set: `path` is its absolute address, where the next page is found, too."""
    context = urls.context(found.plan.entity.plural, found.plan.format)
    return orjson.dumps(context | _collection("", found, urls, path, "value"))


def entity(found: Entity, plan: SetPlan, urls: Urls) -> bytes:
    context = urls.context(f"{found.type.plural}/$entity", plan.format)
    return orjson.dumps(context | entity_document(found, plan, urls))


def references(found: Page, urls: Urls, path: str) -> bytes:
    """A set as nothing but addresses (`$ref`)."""
    document: Document = {**urls.context("Collection($ref)"), **frame("", found, urls, path)}
    document["value"] = [{urls.face.address: urls.entity(e.type, e.id)} for e in found.entities]
    return orjson.dumps(document)


def reference(kind: EntityType, key: int, urls: Urls) -> bytes:
    return orjson.dumps(urls.context("$ref") | {urls.face.address: urls.entity(kind, key)})


def property_value(found: Entity, route: Route) -> Any:
    """What the route's property holds; None if there is nothing."""
    if route.is_id:
        return found.id
    assert route.prop is not None
    value = _value(found, route.prop)
    if value is _ABSENT:
        return None
    if isinstance(value, orjson.Fragment):
        value = orjson.loads(orjson.dumps(value))
    for name in route.inside:
        value = _inside(value, name)
    return value


def _inside(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, list) and name.isascii() and name.isdigit():
        index = int(name[:9])
        return value[index] if index < len(value) else None
    return None


def by_itself(value: Any, route: Route, urls: Urls) -> bytes:
    """A property alone in a document."""
    if urls.face.odata:
        return orjson.dumps(urls.context(_edm_type(route)) | {"value": value})
    return orjson.dumps({_property_name(route, urls): value})


def _edm_type(route: Route) -> str:
    if route.inside:
        return csdl.UNTYPED
    return csdl.KEY if route.prop is None else csdl.edm_type(route.prop)


def _property_name(route: Route, urls: Urls) -> str:
    if route.inside:
        return route.inside[-1]
    return urls.face.id if route.prop is None else route.prop.name


# --- documents -----------------------------------------------------------------------------------


def _collection(prefix: str, found: Page, urls: Urls, path: str, name: str) -> Document:
    document = frame(prefix, found, urls, path)
    document[name] = [entity_document(e, found.plan, urls) for e in found.entities]
    return document


def frame(prefix: str, found: Page | Readings, urls: Urls, path: str) -> Document:
    """What stands before the value of a set: how many there are, and where to go on."""
    document: Document = {}
    plan, control = found.plan, f"{prefix}@{urls.face.control}"
    if found.count is not None:
        document[f"{control}count"] = found.count
    if found.more:
        document[f"{control}nextLink"] = urls.page_after(
            path, plan.texts, skip=plan.skip + plan.top, token=found.token
        )
    return document


def entity_document(found: Entity, plan: SetPlan, urls: Urls) -> Document:
    """What is shown of an entity; JSON from tables is in it as text (`orjson.Fragment`)."""
    address = urls.entity(found.type, found.id)
    document: Document = {}
    addresses = plan.format.addresses
    if addresses and (plan.shows(ADDRESS) or urls.face.odata):
        document[urls.face.address] = address
    if plan.shows(ID):
        document[urls.face.id] = found.id
    for prop in found.type.properties:
        if plan.shows(prop.name) and (value := _value(found, prop)) is not _ABSENT:
            document[prop.name] = value
    for link in found.type.links:
        if link.name in found.expanded:
            _add_expanded(document, link.name, found.expanded[link.name], plan, urls, address)
        elif addresses and plan.shows(link.name):
            document[urls.face.navigation_link(link.name)] = f"{address}/{link.name}"
    return document


def _add_expanded(
    document: Document,
    name: str,
    held: Entity | Page | None,
    plan: SetPlan,
    urls: Urls,
    address: str,
) -> None:
    """The navigation link stays beside what is expanded, as the examples of the standard show."""
    path = f"{address}/{name}"
    if plan.select is None and plan.format.addresses:
        document[urls.face.navigation_link(name)] = path
    if isinstance(held, Page):
        document.update(_collection(name, held, urls, path, name))
    else:
        inner = next(e.plan for e in plan.expands if e.link.name == name)
        document[name] = None if held is None else entity_document(held, inner, urls)


class _Absent:
    """A property that has no value and is not shown at all."""


_ABSENT = _Absent()


def _value(found: Entity, prop: Property) -> Any:
    value = _CONVERTERS[prop.shape](found, prop)
    return _ABSENT if value is None and prop.silent else value


def _plain(found: Entity, prop: Property) -> Any:
    value = found.values.get(prop.column)
    return None if prop.silent and value == prop.nothing else value


def _json(found: Entity, prop: Property) -> Any:
    """Documents from tables are JSON text already and go out as they are."""
    value = found.values.get(prop.column)
    if found.type.is_a(OBSERVATION) or value is None:
        return value
    if prop.hides and prop.hides in value:
        return {k: v for k, v in orjson.loads(value).items() if k != prop.hides}
    nothing = "null" if prop.nothing is None else orjson.dumps(prop.nothing).decode()
    return None if value in ("null", nothing) else orjson.Fragment(value)


def notes(parameters: Any, quality: Any) -> Document | None:
    """What there is to say about a reading, as one document."""
    if quality is None:
        return parameters  # type: ignore[no-any-return]  # the store keeps objects only
    return {**(parameters or {}), QUALITY: quality}


def _notes(found: Entity, prop: Property) -> Document | None:
    parameters, quality = (found.values.get(column) for column in prop.columns)
    return notes(parameters, quality)


def _result_type(found: Entity, prop: Property) -> Any:
    kind, unit, name = (found.values[column] for column in prop.columns)
    link = next(link for link in found.type.links if link.listed)
    assert isinstance(link.via, Own), "it is held to one"
    observed = f"{target(link).plural}({found.values[link.via.column]})"
    return result_types.shown(kind, orjson.loads(unit), observed, name)


def _time(found: Entity, prop: Property) -> str | None:
    value = found.values.get(prop.column)
    return None if value is None else _instant(value)


def _period(found: Entity, prop: Property) -> str | None:
    start, end = (found.values.get(column) for column in prop.columns)
    if start is None:
        return None
    return _instant(start) if end is None else f"{_instant(start)}/{_instant(end)}"


def _moment(found: Entity, prop: Property) -> Document | None:
    start, end = (found.values.get(column) for column in prop.columns)
    if start is None:
        return None
    return {"start": _instant(start)} | ({} if end is None else {"end": _instant(end)})


def _interval(found: Entity, prop: Property) -> Document | None:
    shown = _moment(found, prop)
    return None if shown is None else {"end": shown["start"]} | shown


def _instant(us: Micros) -> str:
    """With milliseconds also where they are zero: the official test suite compares texts."""
    text = iso(us)
    return text if "." in text else f"{text[:-1]}.000Z"


_CONVERTERS: dict[Shape, Callable[[Entity, Property], Any]] = {
    Shape.TEXT: _plain,
    Shape.JSON: _json,
    Shape.GEOMETRY: _json,
    Shape.TIME: _time,
    Shape.PERIOD: _period,
    Shape.MOMENT: _moment,
    Shape.INTERVAL: _interval,
    Shape.NOTES: _notes,
    Shape.RESULT_TYPE: _result_type,
}
