"""The conformance tests of OGC 18-088, one folder for each requirements class.

They speak to the engine as a client does. `city` holds three stations that differ in everything
filters can ask for: names, numbers, places, times, types of results. One has a MultiDatastream, too.
"""

from collections.abc import Callable

import pytest

from stadtherz.sensorthings.tests.bodies import (
    datastream,
    location,
    multi_datastream,
    observation,
    observed_property,
    thing,
)
from stadtherz.sensorthings.tests.client import Client
from stadtherz.sensorthings.tests.conftest import api, visitor
from stadtherz.store.public import create_organisation
from tests.rows import Shelf

__all__ = ["api", "city", "found", "town", "visitor"]

_DAYS = ("2026-01-01T06:00:00Z", "2026-01-01T18:30:15.250Z", "2026-02-03T12:00:00Z")


def _station(
    name: str, longitude: float, depth: int, results: tuple[object, ...]
) -> dict[str, object]:
    readings = [
        observation(result, time, resultTime=time, parameters={"battery": 10 * depth + i})
        for i, (result, time) in enumerate(zip(results, _DAYS, strict=True))
    ]
    return thing(
        name,
        properties={"depth": depth, "river": {"name": f"{name} river"}, "tags": ["a", name]},
        Locations=[location(f"{name} bridge", longitude)],
        Datastreams=[
            datastream(
                f"{name} level",
                properties={"limit": 3},
                Observations=readings,
                ObservedProperty=observed_property(f"Level {depth}"),
            )
        ],
    )


@pytest.fixture
def town(db: None, shelf: Shelf) -> int:
    """An organisation with the same id in every test, since the city's rows name it."""
    return shelf.fetch("town", lambda: create_organisation("town", "Town"))


@pytest.fixture
def city(api: Client, shelf: Shelf) -> Client:
    """Lauter (7.7° east, depth 1), Alsenz (7.8, 2) and 100% Glan_x (7.9, 3)."""
    shelf.fetch("city", lambda: _post_stations(api))
    return api


def _post_stations(api: Client) -> None:
    stations = (
        _station("Lauter", 7.7, 1, (1, 2.5, 4)),
        _station("Alsenz", 7.8, 2, (10, 20, -3)),
        _station("100% Glan_x", 7.9, 3, ("high", True, {"state": "ok"})),
    )
    for body in stations:
        assert api.post("/Things", body).status == 201
    _add_weather(api)


def _add_weather(api: Client) -> None:
    """A MultiDatastream without Observations beside the Datastream of Lauter."""
    thing, sensor = (
        api.get(f"/{name}?$orderby=id&$top=1").ids[0] for name in ("Things", "Sensors")
    )
    observed = [{"@iot.id": key} for key in api.get("/ObservedProperties?$orderby=id").ids[:2]]
    links = {"Sensor": {"@iot.id": sensor}, "ObservedProperties": observed}
    body = multi_datastream("Lauter weather", **links)
    assert api.post(f"/Things({thing})/MultiDatastreams", body).status == 201


@pytest.fixture
def found(city: Client) -> Callable[[str, str], list[str]]:
    """What a filter finds: the names of entities in the order of their ids."""

    def names(entity_set: str, condition: str) -> list[str]:
        reply = city.get(f"/{entity_set}?$filter={condition.replace('+', '%2B')}")
        return [entity["name"] for entity in reply.value]

    return names
