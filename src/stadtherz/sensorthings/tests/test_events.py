"""Changes as an endless answer: asked for by name, woken by commits, ended by what ends it."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from stadtherz.base.errors import Unauthenticated
from stadtherz.base.visibility import ANONYMOUS, Visibility
from stadtherz.sensorthings.doors.http import Application
from stadtherz.sensorthings.live import events
from stadtherz.sensorthings.standard.faces import V1_1
from stadtherz.sensorthings.tests.bodies import observation, station, thing
from stadtherz.sensorthings.tests.client import Client, member
from stadtherz.store.public import create_organisation
from stadtherz.stream.public import Connections, close_live_streams

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet_tail")]


@pytest.fixture
def api() -> Client:
    return Client(member(create_organisation("town", "Town")))


async def elsewhere(work: Callable[..., Any], *arguments: Any) -> Any:
    """What the work gives, done in a thread that keeps no connection."""

    def done() -> Any:
        try:
            return work(*arguments)
        finally:
            connections.close_all()

    return await asyncio.to_thread(done)


class Listener:
    """A client at the other end of an endless answer."""

    def __init__(
        self, address: str, visibility_of: Callable[[Any], Visibility], last: str = ""
    ) -> None:
        path, _, query = address.partition("?")
        self.scope = {
            "type": "http",
            "method": "GET",
            "path": V1_1.prefix + path,
            "query_string": query.encode(),
            "headers": [
                (b"host", b"city.example"),
                (b"accept", b"text/event-stream"),
                (b"last-event-id", last.encode()),
            ],
            "client": ("192.0.2.1", 1),
        }
        self.pool = ThreadPoolExecutor(1)
        door = events.Door(self.pool, Connections(2, 1))
        self.app = Application(visibility_of, self.pool, listeners=door)
        self.messages: list[dict[str, Any]] = []
        self.left = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.messages.append(dict(message))

    @property
    def text(self) -> str:
        return b"".join(m.get("body", b"") for m in self.messages[1:]).decode()

    async def until(self, words: str) -> None:
        async with asyncio.timeout(20):
            while words not in self.text:  # noqa: ASYNC110 - who is waited for knows no event
                await asyncio.sleep(0.01)

    async def listen(self) -> None:
        try:
            async with asyncio.timeout(30):
                await self.app(self.scope, self.receive, self.send)
        finally:
            await asyncio.get_running_loop().run_in_executor(self.pool, connections.close_all)
            self.pool.shutdown()


def test_a_commit_wakes_those_who_listen(api: Client) -> None:
    api.post("/Things", station())

    async def scene() -> Listener:
        listener = Listener("/Observations?$filter=result%20eq%2042", lambda _: ANONYMOUS)
        task = asyncio.create_task(listener.listen())
        await listener.until("ready")
        stream = (await elsewhere(api.get, "/Datastreams")).ids[0]
        await elsewhere(api.post, f"/Datastreams({stream})/Observations", observation(42))
        await listener.until('"result":42')
        listener.left.set()
        await task
        return listener

    listener = asyncio.run(scene())
    headers = dict(listener.messages[0]["headers"])
    assert listener.messages[0]["status"] == 200
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert headers[b"access-control-allow-origin"] == b"*"
    assert headers[b"cache-control"] == b"no-store"
    assert b"Accept" in headers[b"vary"] or b"accept" in headers[b"vary"]


def test_who_comes_back_hears_at_once_what_he_missed(api: Client) -> None:
    api.post("/Things", station(results=(1,)))

    async def scene() -> None:
        listener = Listener("/Observations", lambda _: ANONYMOUS, "0-0")
        task = asyncio.create_task(listener.listen())
        async with asyncio.timeout(8):  # less than it would take without looking at once
            await listener.until('"result":1')
        listener.left.set()
        await task

    asyncio.run(scene())


def test_a_changed_entity_wakes_those_who_watch_entities(api: Client) -> None:
    async def scene() -> None:
        listener = Listener("/Things", lambda _: ANONYMOUS)
        task = asyncio.create_task(listener.listen())
        await listener.until("ready")
        await elsewhere(api.post, "/Things", thing("Mill"))
        async with asyncio.timeout(8):  # less than it would take without being woken
            await listener.until("Mill")
        listener.left.set()
        await task

    asyncio.run(scene())


def test_who_may_no_longer_listen_is_told_so_and_the_answer_ends(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stadtherz.sensorthings.live.watch.LogWatch.patience", 0.1)
    revoked = threading.Event()

    def visibility_of(_: Any) -> Visibility:
        if revoked.is_set():
            raise Unauthenticated("this token is unknown")
        return ANONYMOUS

    async def scene() -> Listener:
        listener = Listener("/Observations", visibility_of)
        task = asyncio.create_task(listener.listen())
        await listener.until("ready")
        revoked.set()
        await task
        return listener

    listener = asyncio.run(scene())
    assert "event: closed" in listener.text
    assert '"code":401' in listener.text
    assert listener.messages[-1] == {"type": "http.response.body", "body": b""}


def test_silence_has_a_pulse_that_tells_the_place(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stadtherz.sensorthings.live.watch.LogWatch.patience", 0.05)
    monkeypatch.setattr(events, "PING_SECONDS", 1.1)

    async def scene() -> Listener:
        listener = Listener("/Observations", lambda _: ANONYMOUS)
        task = asyncio.create_task(listener.listen())
        await listener.until(": still here\nid: ")
        close_live_streams()
        await task
        return listener

    assert asyncio.run(scene()).messages[-1] == {"type": "http.response.body", "body": b""}


def test_what_is_wrong_is_answered_before_anything_is_sent(api: Client) -> None:
    async def scene(address: str) -> Listener:
        listener = Listener(address, lambda _: ANONYMOUS)
        await listener.listen()
        return listener

    for address, status in (("/Observations?$top=1", 400), ("/Things(9)", 404), ("/Nothing", 404)):
        listener = asyncio.run(scene(address))
        assert listener.messages[0]["status"] == status
        assert f'"code":{status}' in listener.text


def test_one_address_cannot_take_all_places(api: Client) -> None:
    async def scene() -> Listener:
        first = Listener("/Observations", lambda _: ANONYMOUS)
        task = asyncio.create_task(first.listen())
        await first.until("ready")
        second = Listener("/Observations", lambda _: ANONYMOUS)
        second.app = first.app
        await second.app(second.scope, second.receive, second.send)
        second.pool.shutdown()
        first.left.set()
        await task
        return second

    refused = asyncio.run(scene()).messages[0]
    assert (refused["status"], dict(refused["headers"])[b"retry-after"]) == (503, b"5")


@pytest.mark.parametrize(
    ("method", "accept", "expected"),
    [
        ("GET", "text/event-stream", True),
        ("GET", "text/event-stream, */*;q=0.1", True),
        ("GET", "*/*", False),
        ("GET", "text/*", False),
        ("GET", "application/json, text/event-stream;q=0.5", False),
        ("GET", "", False),
        ("HEAD", "text/event-stream", False),
        ("POST", "text/event-stream", False),
    ],
)
def test_only_who_names_them_gets_events(method: str, accept: str, expected: bool) -> None:
    scope = {"method": method, "headers": [(b"accept", accept.encode())]}
    assert events.wanted(scope) is expected
