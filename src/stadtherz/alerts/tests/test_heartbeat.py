"""The watcher outside hears from the chain as long as it lives, and of its troubles."""

import http.server
import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest

from stadtherz.alerts import heartbeat, signs
from stadtherz.alerts.models import Delivery, Gateway
from stadtherz.alerts.public import change
from stadtherz.alerts.tests.factories import Ward
from stadtherz.base.time import MINUTE, Period, now_us
from stadtherz.store.public import LogSlice, Reading, append
from stadtherz.stream.public import Consumer, drain, register, unregister


@pytest.fixture
def watcher(settings: Any) -> Iterator[list[tuple[str, str]]]:
    """What a watcher was told: the path and the text."""
    told: list[tuple[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            told.append((self.path, self.rfile.read(length).decode()))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}/ping/7"
    settings.STADTHERZ = {**settings.STADTHERZ, "heartbeat": url}
    heartbeat._behind.clear()
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_chain_that_lives_says_so(ward: Ward, watcher: list[tuple[str, str]]) -> None:
    heartbeat.beat(now_us())
    assert watcher == [("/ping/7", "")]


def test_an_urgent_message_that_does_not_move_is_trouble(
    ward: Ward, watcher: list[tuple[str, str]]
) -> None:
    change(ward.goes(0, 2, observation=1))
    heartbeat.beat(now_us())
    heartbeat.beat(now_us() + 4 * MINUTE)
    assert [path for path, _text in watcher] == ["/ping/7", "/ping/7/fail"]
    assert "1 urgent messages" in watcher[1][1]
    Delivery.objects.update(status=Delivery.Status.SENT)
    heartbeat.beat(now_us() + 5 * MINUTE)
    assert watcher[2] == ("/ping/7", "")


def test_readings_that_nobody_judges_are_trouble(
    ward: Ward, watcher: list[tuple[str, str]]
) -> None:
    def handle(_piece: LogSlice) -> None:
        return

    register(Consumer("test.stuck", handle))
    try:
        drain()
        append([Reading(ward.datastream, Period(now_us()), 1.0)])
        now = now_us()
        for minutes in (0, 2, 4):
            heartbeat.beat(now + minutes * MINUTE)
        assert [path for path, _text in watcher] == ["/ping/7", "/ping/7", "/ping/7/fail"]
        assert "test.stuck" in watcher[2][1]
        drain()
        heartbeat.beat(now + 5 * MINUTE)
        assert watcher[3] == ("/ping/7", "")
    finally:
        unregister("test.stuck")


def test_a_way_whose_every_gateway_is_down_is_trouble(
    ward: Ward, watcher: list[tuple[str, str]]
) -> None:
    """One that is down beside another has an alert of its own; the chain still lives."""
    first = {"channel": "sms", "kind": "smstools", "failing_since": now_us()}
    Gateway.objects.create(name="modem", **first)
    second = Gateway.objects.create(name="spare", channel="sms", kind="smstools")
    heartbeat.beat(now_us() + 4 * MINUTE)
    Gateway.objects.filter(pk=second.pk).update(failing_since=now_us())
    heartbeat.beat(now_us() + 2 * MINUTE)
    heartbeat.beat(now_us() + 4 * MINUTE)
    assert [path for path, _text in watcher] == ["/ping/7", "/ping/7", "/ping/7/fail"]
    assert watcher[2][1] == "No gateway for sms takes messages."


def test_a_thread_that_hangs_is_trouble(
    ward: Ward, watcher: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signs, "_seen", {})
    signs.alive("alert clock")
    heartbeat.beat(now_us())
    later = monotonic() + 200
    monkeypatch.setattr(signs.time, "monotonic", lambda: later)
    heartbeat.beat(now_us())
    signs.ended("alert clock")
    heartbeat.beat(now_us())
    assert [path for path, _text in watcher] == ["/ping/7", "/ping/7/fail", "/ping/7"]
    assert "alert clock" in watcher[1][1]


def test_a_watcher_that_is_away_stops_nothing(ward: Ward, settings: Any) -> None:
    settings.STADTHERZ = {**settings.STADTHERZ, "heartbeat": "http://127.0.0.1:9/ping"}
    heartbeat.beat(now_us())
