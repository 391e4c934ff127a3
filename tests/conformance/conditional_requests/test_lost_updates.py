"""Many clients at once: with If-Match nobody overwrites what they have not seen."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, member
from stadtherz.store.public import create_organisation

pytestmark = pytest.mark.django_db(transaction=True)
_CLIENTS = 4
_ROUNDS = 5


@pytest.fixture
def town(transactional_db: None) -> int:
    return create_organisation("town", "Town")


def _at_once(work: Callable[[int], None]) -> None:
    """The work in as many threads as there are clients, each with a connection of its own."""
    barrier = Barrier(_CLIENTS)

    def run(number: int) -> None:
        try:
            barrier.wait(30)
            work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(_CLIENTS) as pool:
        list(pool.map(run, range(_CLIENTS)))


def _addresses(api: Client) -> list[str]:
    api.post("/Things", bodies.station(properties={"n": 0}))
    (reading, *_) = api.get("/Observations").ids
    api.patch(f"/Observations({reading})", {"parameters": {"n": 0}})
    stream = api.get("/Datastreams").ids[0]
    api.patch(f"/Datastreams({stream})", {"properties": {"n": 0}})
    return [
        f"/Things({api.get('/Things').ids[0]})",
        f"/Datastreams({stream})",
        f"/Observations({reading})",
    ]


def test_no_increment_is_lost(town: int) -> None:
    """Read, add one, write if unchanged, else try again: the sum is right in the end."""
    api = Client(member(town))
    for address in _addresses(api):
        name = "parameters" if "Observations" in address else "properties"

        def increment(_: int, address: str = address, name: str = name) -> None:
            done = 0
            while done < _ROUNDS:
                seen = api.get(address)
                new = {name: {"n": seen.json[name]["n"] + 1}}
                reply = api.patch(address, new, if_match=seen.headers["etag"])
                assert reply.status in (200, 412), reply.body
                done += reply.status == 200

        _at_once(increment)
        assert api.get(address).json[name] == {"n": _CLIENTS * _ROUNDS}


def test_changes_of_different_properties_do_not_undo_each_other(town: int) -> None:
    """Also without any condition."""
    api = Client(member(town))
    thing, _, reading = _addresses(api)
    changes = {
        thing: [{"name": "a"}, {"description": "b"}, {"properties": {"c": 1}}, {}],
        reading: [{"result": 7}, {"resultQuality": "b"}, {"parameters": {"c": 1}}, {}],
    }
    for address, bodies_ in changes.items():
        for _ in range(_ROUNDS):

            def patch(number: int, address: str = address) -> None:
                reply = api.patch(address, changes[address][number])
                assert reply.status == 200, reply.body

            _at_once(patch)
            shown = api.get(address).json
            for body in bodies_:
                assert body.items() <= shown.items()
