"""The conformance tests of OGC 17-079r1 (Tasking Core): a lamp that can be turned on and off."""

from dataclasses import dataclass

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client


@dataclass(frozen=True)
class Lamp:
    thing: int
    capability: int
    actuator: int
    task: int

    @property
    def tasks(self) -> str:
        """Where its Tasks are."""
        return f"/TaskingCapabilities({self.capability})/Tasks"


@pytest.fixture
def lamp(api: Client) -> Lamp:
    capability = bodies.capability(properties={"pole": 7}, Tasks=[bodies.task("off")])
    thing = api.post("/Things", bodies.thing("Lamp", TaskingCapabilities=[capability])).key
    names = ("TaskingCapabilities", "Actuators", "Tasks")
    return Lamp(thing, *(api.get(f"/{name}").ids[0] for name in names))
