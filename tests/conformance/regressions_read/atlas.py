"""A small country with something of everything: mixed types in JSON, odd names, results of all kinds."""

from typing import Any

from stadtherz.sensorthings.tests.bodies import (
    DEGREE,
    datastream,
    location,
    observation,
    observed_property,
    sensor,
    thing,
)
from stadtherz.sensorthings.tests.client import Client

WEIR, SOUTH, BRIDGE, BANK, BARE = "Weir", "Pegel Süd", "O'Neill's bridge", "100%_bank", "Bare"
EVERY = [WEIR, SOUTH, BRIDGE, BANK, BARE]

_PROPERTIES: tuple[dict[str, Any] | None, ...] = (
    {
        "code": "A-1",
        "level": 1,
        "ratio": 0.5,
        "active": True,
        "tags": ["wet", "north"],
        "grid": [[1, 2], [3, 4]],
        "parts": [{"id": "p1", "n": 1}, {"id": "p2", "n": 2}],
        "owner": {"name": "Stadt", "phone": None},
        "my-key": "dash",
        "under_score": "line",
        "Straße": "Mühlgasse",
        "a.b": "dot",
    },
    {
        "code": "B-2",
        "level": 2,
        "ratio": 1.5,
        "active": False,
        "tags": ["dry"],
        "owner": {"name": "Land"},
    },
    {"code": "C%3", "level": 10, "ratio": -2.5, "active": True, "tags": [], "owner": None},
    {"code": "c_3", "level": "2", "active": "true"},
    None,
)
_RESULTS: dict[str, tuple[Any, ...]] = {
    "Weir level": (1, 2.5, 4),
    "Weir heat": (-3, 20, 20),
    "Süd level": (10, "high", True, {"a": {"b": 1}, "c": [1, 2]}, [1, 2, 3], None, False),
    "Bridge level": (),
}


def _stream(name: str, **more: Any) -> dict[str, Any]:
    readings = [
        observation(result, f"2026-03-0{day}T00:00:00Z", **_EXTRAS.get((name, day), {}))
        for day, result in enumerate(_RESULTS[name], start=1)
    ]
    return datastream(name, Observations=readings, **more)


_EXTRAS: dict[tuple[str, int], dict[str, Any]] = {
    ("Weir level", 1): {"resultQuality": "good", "parameters": {"depth": 1, "by": "Ann"}},
    ("Weir level", 2): {"resultQuality": 2, "resultTime": "2026-03-02T00:00:01.250Z"},
    ("Weir level", 3): {
        "resultQuality": {"DQ": {"code": 2}},
        "validTime": "2026-03-01T00:00:00Z/2026-04-01T00:00:00Z",
    },
    ("Weir heat", 1): {"resultQuality": [{"code": 7}]},
}


def _things() -> list[dict[str, Any]]:
    places = (("Here", 8.0, 50.0), ("There", 8.0, 51.0), ("South", 8.0, 49.0))
    streams = (
        [
            _stream("Weir level", properties={"limit": 2}),
            _stream("Weir heat", unitOfMeasurement=DEGREE, properties={"limit": 15}),
        ],
        [
            _stream(
                "Süd level",
                Sensor=sensor("Float", metadata={"maker": "Acme", "year": 2020}),
                ObservedProperty=observed_property("Gauge height"),
            )
        ],
        [_stream("Bridge level")],
    )
    found = [thing(name, description=f"{name}!") for name in EVERY]
    for body, properties in zip(found, _PROPERTIES, strict=True):
        if properties is not None:
            body["properties"] = properties
    for body, place, held in zip(found, places, streams, strict=False):
        body |= {"Locations": [location(*place)], "Datastreams": held}
    return found


def settle(land: Client) -> Client:
    """The five Things with what belongs to them; 13 Observations in four Datastreams."""
    for body in _things():
        reply = land.post("/Things", body)
        assert reply.status == 201, reply.body
    return land


def shown(client: Client, address: str) -> list[Any]:
    """What a set holds, each by its name, result or time, in the order of the answer."""
    return [
        next(entity[key] for key in ("name", "result", "time", "@iot.id") if key in entity)
        for entity in client.get(address).value
    ]
