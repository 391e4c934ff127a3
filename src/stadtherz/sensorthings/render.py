"""Entities and pages as the JSON of 18-088 §9, straight to bytes."""

from collections.abc import Callable
from typing import Any

import orjson

from stadtherz.base.time import Micros, iso
from stadtherz.sensorthings.found import Entity, Page, Readings
from stadtherz.sensorthings.links import Urls
from stadtherz.sensorthings.plan import SetPlan
from stadtherz.sensorthings.routes import Route
from stadtherz.sensorthings.schema import ENTITY_SETS, OBSERVATION, EntityType, Property, Shape

Document = dict[str, Any]

CONFORMANCE = tuple(
    f"http://www.opengis.net/spec/iot_sensing/1.1/req/{name}"
    for name in (
        "datamodel",
        "resource-path/resource-path-to-entities",
        "request-data",
        "create-update-delete/create-entity",
        "create-update-delete/link-to-existing-entities",
        "create-update-delete/deep-insert",
        "create-update-delete/deep-insert-status-code",
        "create-update-delete/update-entity",
        "create-update-delete/update-entity-put",
        "create-update-delete/update-entity-jsonpatch",
        "create-update-delete/delete-entity",
        "create-update-delete/historical-location-auto-creation",
        "create-update-delete/historical-location-manual-creation",
        "batch-request/batch-request",
        "data-array/data-array",
    )
)


def service_root(urls: Urls) -> bytes:
    """The list of entity sets, and which parts of the standard are kept (18-088 §9.2.1)."""
    sets = [{"name": e.plural, "url": urls.entity_set(e)} for e in ENTITY_SETS.values()]
    return orjson.dumps({"value": sets, "serverSettings": {"conformance": CONFORMANCE}})


def page(found: Page, urls: Urls, path: str) -> bytes:
    """A set: `path` is its absolute address, where the next page is found, too."""
    return orjson.dumps(_collection("", found, urls, path, "value"))


def entity(found: Entity, plan: SetPlan, urls: Urls) -> bytes:
    return orjson.dumps(entity_document(found, plan, urls))


def references(found: Page, urls: Urls, path: str) -> bytes:
    """A set as nothing but addresses (`$ref`)."""
    document = frame("", found, path)
    document["value"] = [{"@iot.selfLink": urls.entity(e.type, e.id)} for e in found.entities]
    return orjson.dumps(document)


def reference(kind: EntityType, key: int, urls: Urls) -> bytes:
    return orjson.dumps({"@iot.selfLink": urls.entity(kind, key)})


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


def property_name(route: Route) -> str:
    if route.inside:
        return route.inside[-1]
    return "@iot.id" if route.prop is None else route.prop.name


# --- documents -----------------------------------------------------------------------------------


def _collection(prefix: str, found: Page, urls: Urls, path: str, name: str) -> Document:
    document = frame(prefix, found, path)
    document[name] = [entity_document(e, found.plan, urls) for e in found.entities]
    return document


def frame(prefix: str, found: Page | Readings, path: str) -> Document:
    """What stands before the value of a set: how many there are, and where to go on."""
    document: Document = {}
    plan = found.plan
    if found.count is not None:
        document[f"{prefix}@iot.count"] = found.count
    if found.more:
        document[f"{prefix}@iot.nextLink"] = Urls(path).page_after(
            path, plan.texts, skip=plan.skip + plan.top, token=found.token
        )
    return document


def entity_document(found: Entity, plan: SetPlan, urls: Urls) -> Document:
    """What is shown of an entity; JSON from tables is in it as text (`orjson.Fragment`)."""
    address = urls.entity(found.type, found.id)
    document: Document = {}
    if plan.shows("@iot.selfLink"):
        document["@iot.selfLink"] = address
    if plan.shows("@iot.id"):
        document["@iot.id"] = found.id
    for prop in found.type.properties:
        if plan.shows(prop.name) and (value := _value(found, prop)) is not _ABSENT:
            document[prop.name] = value
    for link in found.type.links:
        if link.name in found.expanded:
            _add_expanded(document, link.name, found.expanded[link.name], plan, urls, address)
        elif plan.shows(link.name):
            document[f"{link.name}@iot.navigationLink"] = f"{address}/{link.name}"
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
    if plan.select is None:
        document[f"{name}@iot.navigationLink"] = path
    if isinstance(held, Page):
        document.update(_collection(name, held, urls, path, name))
    else:
        inner = next(e.plan for e in plan.expands if e.link.name == name)
        document[name] = None if held is None else entity_document(held, inner, urls)


class _Absent:
    """A property that has no value and is not shown at all."""


_ABSENT = _Absent()
_OPTIONAL = frozenset(
    {"properties", "resultQuality", "validTime", "parameters", "observedArea"}
)  # left out when empty; resultTime of an Observation is shown as null (18-088 table 12)


def _value(found: Entity, prop: Property) -> Any:
    value = _CONVERTERS[prop.shape](found, prop)
    absent = value is None and (
        prop.name in _OPTIONAL or (prop.derived and found.type is not OBSERVATION)
    )
    return _ABSENT if absent else value


def _plain(found: Entity, prop: Property) -> Any:
    return found.values.get(prop.column)


def _json(found: Entity, prop: Property) -> Any:
    """Documents from tables are JSON text already and go out as they are."""
    value = found.values.get(prop.column)
    if found.type is OBSERVATION or value is None:
        return value
    return None if value == "null" else orjson.Fragment(value)


def _time(found: Entity, prop: Property) -> str | None:
    value = found.values.get(prop.column)
    return None if value is None else _instant(value)


def _period(found: Entity, prop: Property) -> str | None:
    start, end = (found.values.get(column) for column in prop.columns)
    if start is None:
        return None
    return _instant(start) if end is None else f"{_instant(start)}/{_instant(end)}"


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
}
