"""Groups of several clients at once, beside single requests: nobody waits in a circle."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, member
from stadtherz.store.public import create_organisation

_ROUNDS = 6


def _group(stream: int, thing: int, number: int) -> list[dict[str, Any]]:
    """A reading comes, is corrected and read, another goes; the Thing is renamed beside it."""
    steps = [
        ("POST", f"Datastreams({stream})/Observations", bodies.observation(number)),
        ("GET", "Observations?$top=5", None),
        ("PATCH", "$0", {"result": number + 0.5}),
        ("PATCH", f"Things({thing})", {"name": f"Round {number}"}),
        ("POST", f"Things({thing})/Locations", bodies.location(f"Place {number}")),
        ("DELETE", "$0", None),
        ("POST", f"Datastreams({stream})/Observations", bodies.observation(number)),
    ]
    return [
        {"id": str(i), "method": method, "url": url, "atomicityGroup": "g"}
        | ({} if body is None else {"body": body})
        for i, (method, url, body) in enumerate(steps)
    ]


@pytest.mark.django_db(transaction=True)
def test_groups_beside_single_requests() -> None:
    api = Client(member(create_organisation("town", "Town")))
    thing = api.post("/Things", bodies.station(results=())).key
    (stream,) = api.get("/Datastreams").ids
    barrier = Barrier(4)

    def groups(number: int) -> None:
        for turn in range(_ROUNDS):
            requests = _group(stream, thing, 10 * number + turn)
            reply = api.post("/$batch", {"requests": requests})
            assert {r["status"] for r in reply.json["responses"]} == {200, 201}, reply.body

    def singles(number: int) -> None:
        for turn in range(_ROUNDS):
            body = bodies.observation(100 * number + turn)
            key = api.post(f"/Datastreams({stream})/Observations", body).key
            assert api.patch(f"/Observations({key})", {"parameters": {"n": turn}}).status == 200
            assert api.patch(f"/Datastreams({stream})", {"name": f"Turn {turn}"}).status == 200

    def run(number: int) -> None:
        try:
            barrier.wait(30)
            (groups if number < 2 else singles)(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert api.get(f"/Datastreams({stream})/Observations/$count").body == b"%d" % (4 * _ROUNDS)
    assert api.get(f"/Things({thing})/HistoricalLocations/$count").body == b"%d" % (1 + 2 * _ROUNDS)
