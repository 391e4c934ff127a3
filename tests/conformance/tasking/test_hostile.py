"""What is odd in a body about tasks is refused with its name, or kept as it is; it never breaks anything."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client
from tests.conformance.tasking.conftest import Lamp

_ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 2**63, 2**70, "", " ", "\0", "x" * 10_000, "\ud83d", "DataRecord", "P1D",
    [], [[]], [None], [{}], ["a", "a"], {}, {"": ""}, {"type": "DataRecord"}, {"@iot.id": 1}, {"@iot.id": None},
    {"type": "DataRecord", "field": []}, {"type": "Quantity", "uom": {"code": 5}}, [{"@iot.id": "x"}],
    {"type": "AllowedTokens", "pattern": "("}, {"type": "AllowedTokens", "pattern": "(a+)+$"},
    {"type": "AllowedValues", "interval": [[5, 1], [], [None, 1], ["a", "b"], 5]}, {"a": {"b": [1, {"c": None}]}},
)  # fmt: skip


def _places(document: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to everything within a document."""
    inside = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in inside:
        yield (*way, key)
        if isinstance(value, dict | list):
            yield from _places(value, (*way, key))


def _spoilt(document: Any) -> Iterator[Any]:
    """The document with one part of it after the other replaced by, or joined by, something odd."""
    for *way, last in _places(document):
        for odd in _ODD:
            changed = copy.deepcopy(document)
            held = changed
            for step in way:
                held = held[step]
            held[last] = odd
            yield changed


_FULL_TASK = {
    **bodies.task("on", level=5, colour="#00ff00"),
    "properties": {"why": "dark"},
    "TaskingCapability": {"@iot.id": 1},
}


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("/Actuators", bodies.actuator()),
        ("/Things({thing})/TaskingCapabilities", bodies.capability(properties={"a": [1]})),
        ("/Tasks", _FULL_TASK),
        ("/TaskingCapabilities({capability})/Tasks", bodies.task("on", level=5)),
    ],
    ids=["actuators", "capabilities", "tasks", "tasks-of-one"],
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_no_part_of_a_body_breaks_anything(
    api: Client, lamp: Lamp, address: str, body: Any, method: str
) -> None:
    where = address.format(thing=lamp.thing, capability=lamp.capability)
    if method != "POST":
        where = f"{where}({api.get(where).ids[0]})"
    for changed in _spoilt(body):
        reply = api.request(method, where, json.dumps(changed).encode())
        assert reply.status in (200, 201, 400, 409), (changed, reply.body)
    for name in ("Tasks?$expand=TaskingCapability", "TaskingCapabilities", "Actuators"):
        assert api.get(f"/{name}").status == 200
