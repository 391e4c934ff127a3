"""The recordings go on over real HTTP: in order, with the right token, and after a restart."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from stadtherz.base.time import now_us
from stadtherz.demo import city
from stadtherz.demo.recordings import STATIONS
from stadtherz.demo.replay import Player
from stadtherz.ingest.public import Device

pytestmark = pytest.mark.django_db(transaction=True)

LAUTER = STATIONS[0]


class Door(ThreadingHTTPServer):
    """Stands where the ingest door would be, notes what comes and answers what it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.answers: deque[int] = deque()
        self.came: list[tuple[dict[str, Any], str]] = []
        self.enough = threading.Semaphore(0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/ingest"

    def counters(self, uplinks: int) -> list[int]:
        """The Lauter's frame counters, once so many of its uplinks have come."""
        assert all(self.enough.acquire(timeout=30) for _ in range(uplinks))
        counters = [
            document["uplink_message"]["f_cnt"]
            for document, _token in self.came
            if _is_lauters(document)
        ]
        return counters[:uplinks]


def _is_lauters(document: dict[str, Any]) -> bool:
    ids = document.get("end_device_ids")
    return ids is not None and ids["dev_eui"] == LAUTER.dev_eui


class _Answer(BaseHTTPRequestHandler):
    server: Door

    def do_POST(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.came.append((document, self.headers["Authorization"]))
        self.send_response(self.server.answers.popleft() if self.server.answers else 200)
        self.end_headers()
        if _is_lauters(document):
            self.server.enough.release()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def door() -> Iterator[Door]:
    city.set_up(history=False)
    with Door() as door:
        threading.Thread(target=door.serve_forever, daemon=True).start()
        yield door
        door.shutdown()


@pytest.fixture
def player(door: Door) -> Iterator[Player]:
    player = Player(url=door.url, tokens={"city": "of-city", "neighbour": "of-other"}, speed=20_000)
    yield player
    player.stop()


def test_a_fresh_demo_begins_at_the_beginning(door: Door, player: Player) -> None:
    player.start()
    assert door.counters(3) == [0, 1, 2]
    assert door.came[0][1] == "Bearer of-city"


def test_what_the_server_could_not_take_is_sent_again(door: Door, player: Player) -> None:
    door.answers.extend([200, 503, 200])
    player.start()
    assert door.counters(4) == [0, 1, 1, 2]


def test_what_the_server_refuses_is_not_repeated(door: Door, player: Player) -> None:
    door.answers.extend([422, 200])
    player.start()
    assert door.counters(3) == [0, 1, 2]


def test_a_restarted_demo_goes_on_where_it_was(door: Door, player: Player) -> None:
    seen = {"last_f_cnt": 41, "last_seen": now_us()}
    assert Device.objects.filter(dev_eui=LAUTER.dev_eui).update(**seen) == 1
    player.start()
    assert door.counters(2) == [42, 43]


def test_a_demo_that_ends_before_its_recordings_began_ends_cleanly(player: Player) -> None:
    player.stop()
