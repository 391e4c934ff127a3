"""A valid body of each type, and the values of properties that are taken and refused."""

from typing import Any

from stadtherz.sensorthings.standard.schema import ENTITY_SETS, Property, Shape
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client

_PLACED = bodies.thing(Locations=[bodies.location()])
WHOLE: dict[str, dict[str, Any]] = {
    "Things": bodies.thing(properties={"a": 1}),
    "Locations": bodies.location(properties={"a": 1}),
    "HistoricalLocations": {
        "time": "2025-01-01T00:00:00.000Z",
        "Thing": bodies.thing(),
        "Locations": [bodies.location()],
    },
    "Datastreams": bodies.datastream(Thing=_PLACED, properties={"a": 1}),
    "MultiDatastreams": bodies.multi_datastream(Thing=_PLACED, properties={"a": 1}),
    "Sensors": bodies.sensor(properties={"a": 1}),
    "ObservedProperties": bodies.observed_property(properties={"a": 1}),
    "Observations": bodies.observation(
        5,
        "2026-01-01T00:00:00.000Z",
        resultTime="2026-01-02T00:00:00.000Z",
        resultQuality="good",
        validTime="2026-01-01T00:00:00.000Z/2026-02-01T00:00:00.000Z",
        parameters={"a": 1},
        Datastream=bodies.datastream(Thing=_PLACED),
    ),
    "FeaturesOfInterest": bodies.feature(properties={"a": 1}),
    "Actuators": bodies.actuator(properties={"a": 1}),
    "TaskingCapabilities": bodies.capability(Thing=_PLACED, properties={"a": 1}),
    "Tasks": {
        **bodies.task(),
        "properties": {"a": 1},
        "TaskingCapability": bodies.capability(Thing=_PLACED),
    },
}
"""With a value for each property that clients give; STAplus has suites of its own."""

OBJECTS = ("properties", "parameters", "unitOfMeasurement")
LISTS = ("multiObservationDataTypes", "unitOfMeasurements")
_NO_TEXTS: tuple[Any, ...] = (5, 1.5, True, [], {}, ["a"], {"a": 1}, "a\0b")
_NO_OBJECTS: tuple[Any, ...] = (5, 1.5, True, "text", [], [{}])
_NO_LISTS: tuple[Any, ...] = (5, True, "text", {}, [1, 2], [None, None], [[], []])
_NO_TIMES: tuple[Any, ...] = (
    5,
    True,
    [],
    {},
    "",
    " ",
    "yesterday",
    "2026-13-01T00:00:00Z",
    "12:00",
)
_NO_PLACES: tuple[Any, ...] = (5, True, "here", [], {}, {"type": "Circle"}, {"type": "Point"})


def given(name: str) -> list[Property]:
    """The properties of a set's type that clients give."""
    return [prop for prop in ENTITY_SETS[name].properties if not prop.derived]


def wrong(prop: Property | None) -> tuple[Any, ...]:
    """Values that the property cannot have."""
    assert prop is not None
    if prop.name in OBJECTS or prop.name == "taskingParameters":
        return _NO_OBJECTS
    if prop.name in LISTS:
        return _NO_LISTS
    return {
        Shape.TEXT: _NO_TEXTS,
        Shape.TIME: _NO_TIMES,
        Shape.PERIOD: (*_NO_TIMES, "2026-01-02T00:00:00Z/2026-01-01T00:00:00Z", "/", "a/b"),
        Shape.GEOMETRY: _NO_PLACES,
    }.get(prop.shape, ())


def checked() -> list[tuple[str, str]]:
    """Set and property of all that cannot have any value."""
    return [(name, prop.name) for name in WHOLE for prop in given(name) if wrong(prop)]


def needed() -> list[tuple[str, str]]:
    """Set and property or link that an entity cannot be without."""
    return [
        (name, each.name)
        for name, entity in ENTITY_SETS.items()
        if name in WHOLE
        for each in (*entity.properties, *entity.links)
        if each.required
    ]


def create(client: Client, name: str, **more: Any) -> str:
    """The address of a new entity."""
    reply = client.post(f"/{name}", {**WHOLE[name], **more})
    assert reply.status == 201, reply.body
    return reply.headers["location"]


def nothing_is_there(client: Client) -> bool:
    return all(
        client.get(f"/{name}?$count=true&$top=0").json["@iot.count"] == 0 for name in ENTITY_SETS
    )
