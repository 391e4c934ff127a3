"""The checks of the official test suite (ets-sta10) on reading, each under its name there.

Its service is small: two of everything, each set below one page.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from stadtherz.sensorthings.standard.schema import ENTITY_TYPES, EntityType, target
from stadtherz.sensorthings.tests.bodies import datastream, location, observation, sensor, thing
from stadtherz.sensorthings.tests.client import ROOT, Client

_NAMES = ("Thing", "Location", "HistoricalLocation", "Datastream", "Sensor", "ObservedProperty", "Observation",
          "FeatureOfInterest")  # fmt: skip
_KINDS = [ENTITY_TYPES[name] for name in _NAMES]
every_kind = pytest.mark.parametrize("kind", _KINDS, ids=_NAMES)

_MANDATORY = {
    "Thing": ("name", "description"),
    "Location": ("name", "description", "encodingType", "location"),
    "HistoricalLocation": ("time",),
    "Datastream": ("name", "description", "unitOfMeasurement", "observationType"),
    "Sensor": ("name", "description", "encodingType", "metadata"),
    "ObservedProperty": ("name", "definition", "description"),
    "Observation": ("phenomenonTime", "result", "resultTime"),
    "FeatureOfInterest": ("name", "description", "encodingType", "feature"),
}
_COMPARED = {
    "Thing": ("name", "description"),
    "Location": ("name", "description", "encodingType"),
    "HistoricalLocation": ("time",),
    "Datastream": ("name", "description", "observationType", "unitOfMeasurement/symbol"),
    "Sensor": ("name", "description", "encodingType", "metadata"),
    "ObservedProperty": ("name", "definition", "description"),
    "Observation": ("result", "phenomenonTime", "resultTime"),
    "FeatureOfInterest": ("name", "description", "encodingType"),
}


@pytest.fixture(scope="module")
def service(land: Client) -> Client:
    for number in (1, 2):
        readings = [
            observation(
                6 * number + n,
                f"2015-03-0{n}T0{number}:00:00Z",
                resultTime=f"2015-03-0{n}T0{number}:30:00Z",
            )
            for n in (1, 2, 3)
        ]
        streams = [
            datastream(
                f"datastream {number}.{n}",
                Sensor=sensor(f"sensor {number}.{n}"),
                Observations=readings,
            )
            for n in (1, 2)
        ]
        body = thing(
            f"thing {number}",
            properties={"reference": number},
            Locations=[location(f"location {number}")],
        )
        assert land.post("/Things", body | {"Datastreams": streams}).status == 201
    return land


def _links(kind: EntityType) -> list[Any]:
    """The links of the eight types; whose readings are of a Datastream have no MultiDatastream."""
    return [link for link in kind.links if link.target in _NAMES]


@every_kind
def test_read_entities_and_check_response(service: Client, kind: EntityType) -> None:
    entities = service.get(f"/{kind.plural}").value
    assert len(entities) >= 2
    for entity in entities:
        assert {"@iot.id", "@iot.selfLink", *_MANDATORY[kind.name]} <= entity.keys()
        assert entity["@iot.selfLink"] == f"{ROOT}/{kind.plural}({entity['@iot.id']})"
        for link in _links(kind):
            address = entity[f"{link.name}@iot.navigationLink"]
            assert address == f"{entity['@iot.selfLink']}/{link.name}"


@every_kind
def test_read_nonexistent_entity(service: Client, kind: EntityType) -> None:
    assert service.get(f"/{kind.plural}(9223372036854775807)").status == 404


@every_kind
def test_read_entity_and_check_response(service: Client, kind: EntityType) -> None:
    for entity in service.get(f"/{kind.plural}").value:
        reply = service.get(f"/{kind.plural}({entity['@iot.id']})")
        assert (reply.status, reply.json) == (200, entity)


@every_kind
def test_read_property_of_entity_and_check_response(service: Client, kind: EntityType) -> None:
    entity = service.get(f"/{kind.plural}").value[0]
    for name in _MANDATORY[kind.name]:
        reply = service.get(f"{entity['@iot.selfLink']}/{name}")
        assert (reply.status, reply.json) == (200, {name: entity[name]})
        raw = service.get(f"{entity['@iot.selfLink']}/{name}/$value")
        value = entity[name]
        assert raw.json == value if isinstance(value, dict) else raw.body == str(value).encode()
        assert service.get(f"/{kind.plural}({entity['@iot.id']})/no{name}").status == 404


def _paths(service: Client, kind: EntityType, here: str, levels: int) -> Iterator[tuple[str, Any]]:
    for link in _links(kind):
        path = f"{here}/{link.name}"
        yield path, link
        if levels > 1:
            inner = (
                f"{path}({service.get(f'{path}?$select=id&$top=1').ids[0]})" if link.many else path
            )
            yield from _paths(service, target(link), inner, levels - 1)


@every_kind
def test_check_resource_paths(service: Client, kind: EntityType) -> None:
    """Up to four levels deep, over all relations, with a property, its value and references at the end."""
    key = service.get(f"/{kind.plural}?$top=1").ids[0]
    paths = list(itertools.islice(_paths(service, kind, f"/{kind.plural}({key})", 3), 0, None, 3))
    for path, link in paths:
        reply = service.get(path)
        assert reply.status == 200, path
        entity = reply.value[0] if link.many else reply.json
        name = _MANDATORY[link.target][0]
        one = f"{path}({entity['@iot.id']})" if link.many else path
        assert service.get(f"{one}/{name}").json == {name: entity[name]}
        assert service.get(f"{one}/$ref").json == {"@iot.selfLink": entity["@iot.selfLink"]}


def test_check_service_root_uri(service: Client) -> None:
    listed = {entry["name"]: entry["url"] for entry in service.get("").json["value"]}
    for kind in _KINDS:
        assert listed[kind.plural] == f"{ROOT}/{kind.plural}"


# --- level 3: query options ---------------------------------------------------------------------------


def _sets(service: Client, kind: EntityType) -> Iterator[tuple[EntityType, str]]:
    """The set itself, and those behind the links of its first entity."""
    yield kind, f"/{kind.plural}"
    key = service.get(f"/{kind.plural}?$top=1").ids[0]
    for link in _links(kind):
        if link.many:
            yield target(link), f"/{kind.plural}({key})/{link.name}"


@every_kind
def test_read_entities_with_select(service: Client, kind: EntityType) -> None:
    for behind, path in _sets(service, kind):
        names = _MANDATORY[behind.name]
        for number in range(1, len(names) + 1):
            for entity in service.get(f"{path}?$select={','.join(names[:number])}").value:
                assert entity.keys() == set(names[:number])


@every_kind
def test_read_entities_with_expand(service: Client, kind: EntityType) -> None:
    """One and two levels, each relation alone and all together."""
    for behind, path in _sets(service, kind):
        links = _links(behind)
        for entity in service.get(f"{path}?$expand={','.join(link.name for link in links)}").value:
            assert {link.name for link in links} <= entity.keys()
        for link in links:
            for inner in _links(target(link)):
                for entity in service.get(f"{path}?$expand={link.name}/{inner.name}&$top=1").value:
                    held = entity[link.name]
                    for each in held if link.many else [held]:
                        assert inner.name in each


@every_kind
def test_read_entities_with_top_and_skip(service: Client, kind: EntityType) -> None:
    for _, path in _sets(service, kind):
        everything = service.get(path).ids
        for top in (1, 2, 3, 5, 12):
            page = service.get(f"{path}?$top={top}")
            assert page.ids == everything[:top]
            assert ("@iot.nextLink" in page.json) == (top < len(everything))
        for skip in (1, 2, 3, 4, 12):
            page = service.get(f"{path}?$skip={skip}")
            assert (page.ids, "@iot.nextLink" in page.json) == (everything[skip:], False)
        assert service.get(f"{path}?$skip=1&$top=2").ids == everything[1:3]


@every_kind
def test_read_entities_with_orderby(service: Client, kind: EntityType) -> None:
    for behind, path in _sets(service, kind):
        for name in _COMPARED[behind.name]:
            up, down = (service.get(f"{path}?$orderby={name}{way}").value for way in ("", " desc"))
            explicit = service.get(f"{path}?$orderby={name} asc").value
            values = [_inside(entity, name) for entity in up]
            assert (values, up) == (sorted(values), explicit)
            assert [_inside(entity, name) for entity in down] == sorted(values, reverse=True)
        both = ",".join(f"{name} desc" for name in _COMPARED[behind.name])
        assert len(service.get(f"{path}?$orderby={both}").value) == len(service.get(path).value)


@every_kind
def test_read_entities_with_count(service: Client, kind: EntityType) -> None:
    for _, path in _sets(service, kind):
        number = len(service.get(path).ids)
        for query in (
            "$count=true",
            "$count=true&$top=1",
            "$count=true&$skip=1",
            "$count=true&$top=0",
        ):
            assert service.get(f"{path}?{query}").json["@iot.count"] == number
        assert "@iot.count" not in service.get(f"{path}?$count=false").json


_TESTS = {
    "lt": lambda a, b: a < b, "le": lambda a, b: a <= b, "eq": lambda a, b: a == b,
    "ge": lambda a, b: a >= b, "gt": lambda a, b: a > b, "ne": lambda a, b: a != b,
}  # fmt: skip


@every_kind
@pytest.mark.parametrize("operator", _TESTS)
def test_read_entities_with_filter(service: Client, kind: EntityType, operator: str) -> None:
    """Every property of every type against a value that is there, alone and over a relation."""
    for behind, path in _sets(service, kind):
        everything = service.get(path).value
        for name in _COMPARED[behind.name]:
            values = [_inside(entity, name) for entity in everything]
            middle = values[len(values) // 2]
            for literal in _literals(middle):
                found = service.get(f"{path}?$filter={name} {operator} {literal}").value
                expected = [value for value in values if _TESTS[operator](value, middle)]
                assert [_inside(entity, name) for entity in found] == expected, (
                    path,
                    name,
                    literal,
                )


def _inside(entity: dict[str, Any], name: str) -> Any:
    value: Any = entity
    for step in name.split("/"):
        value = value[step]
    return value


def _literals(value: Any) -> list[str]:
    """Times are written bare or in quotes, and so are numbers."""
    if not isinstance(value, str):
        return [str(value), f"'{value}'"]
    text = value.replace("+", "%2B")
    return [f"'{text}'", text] if value.startswith("20") else [f"'{text}'"]


def test_check_queries_priority_ordering(service: Client) -> None:
    """All options at once, with the number in quotes as the suite writes it."""
    query = (
        "$count=true&$top=1&$skip=2&$orderby=phenomenonTime asc,id asc&$expand=Datastream&$select=result,phenomenonTime"
        "&$filter=result gt '8'"
    )
    reply = service.get(f"/Observations?{query}")
    assert (reply.json["@iot.count"], len(reply.value)) == (8, 1)
    assert reply.value[0]["result"] == 14
    assert reply.value[0].keys() == {"result", "phenomenonTime", "Datastream"}
    assert service.get("/Observations?$filter=result eq '9'&$count=true").json["@iot.count"] == 2
