"""Endless answers: how many there may be, how they are sent, how they end."""

import asyncio
from typing import Any

import pytest

from stadtherz.base.errors import Unavailable
from stadtherz.stream import events
from stadtherz.stream.events import HEADERS, Connections, Write, close_live_streams, endless


class _Reader:
    """At the other end: keeps what is sent, leaves when told."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.left = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(dict(message))


async def _for_ever(_write: Write) -> None:
    await asyncio.Event().wait()


def test_one_address_cannot_take_all_places() -> None:
    connections = Connections(most=3, most_per_address=2)
    with (
        connections.place("192.0.2.1"),
        connections.place("192.0.2.1"),
        pytest.raises(Unavailable),
        connections.place("192.0.2.1"),
    ):
        pass
    with connections.place("192.0.2.1"), connections.place("192.0.2.2"):
        pass


def test_all_places_together_are_limited() -> None:
    connections = Connections(most=1, most_per_address=5)
    with connections.place("192.0.2.1"), pytest.raises(Unavailable), connections.place("192.0.2.2"):
        pass


def test_headers_keep_proxies_from_holding_back() -> None:
    headers = dict(HEADERS)
    assert headers[b"x-accel-buffering"] == b"no"
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"content-encoding"] == b"identity"


@pytest.mark.parametrize("how", ["reader", "server", "writer"])
def test_an_answer_ends_with_its_reader_the_server_or_its_writer(how: str) -> None:
    async def once(write: Write) -> None:
        await write(b"data: 1\n\n")

    async def scene() -> _Reader:
        reader = _Reader()
        writer = once if how == "writer" else _for_ever
        task = asyncio.create_task(endless([writer], reader.receive, reader.send))
        await asyncio.sleep(0.05)
        if how == "reader":
            reader.left.set()
        if how == "server":
            close_live_streams()
        async with asyncio.timeout(10):
            await task
        return reader

    sent = asyncio.run(scene()).sent
    assert sent[-1] == {"type": "http.response.body", "body": b""}
    assert (b"data: 1\n\n" in [message.get("body") for message in sent]) is (how == "writer")


def test_who_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "PATIENCE", 0.05)

    async def much(write: Write) -> None:
        while True:
            await write(b"data: 1\n\n")

    async def scene() -> int:
        reader = _Reader()

        async def send(message: Any) -> None:
            await reader.send(message)
            if len(reader.sent) == 5:
                await asyncio.Event().wait()

        async with asyncio.timeout(10):
            await endless([much], reader.receive, send)
        return len(reader.sent)

    assert asyncio.run(scene()) == 6
