"""The conformance tests of OGC 22-022r1 (STAplus): a station, whose three readings are 1, 2 and 3."""

from dataclasses import dataclass

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, member
from stadtherz.store.public import create_organisation


@dataclass(frozen=True)
class Station:
    thing: int
    stream: int
    readings: tuple[int, ...]

    def named(self, *places: int) -> list[dict[str, int]]:
        """References to some of the readings."""
        return [{"@iot.id": self.readings[place]} for place in places]


@pytest.fixture
def station(api: Client) -> Station:
    thing = api.post("/Things", bodies.station()).key
    (stream,) = api.get(f"/Things({thing})/Datastreams").ids
    return Station(thing, stream, tuple(api.get("/Observations?$orderby=result").ids))


@pytest.fixture
def stranger(db: None) -> Client:
    return Client(member(create_organisation("elsewhere", "Elsewhere")))
