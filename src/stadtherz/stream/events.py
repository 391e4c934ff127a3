"""Endless answers of server-sent events over bare ASGI: their headers, their pulse, their end.

A writer sends blocks of text/event-stream until it is cancelled or has nothing more to say. Beside
it the reader is watched, so that nothing is kept for those who have gone.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from stadtherz.base.errors import Unavailable

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Write = Callable[[bytes], Awaitable[None]]
Header = tuple[bytes, bytes]

HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"content-encoding", b"identity"),  # no middleware or proxy may pack the chunks
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
)
RETRY_MS = 2_000
PATIENCE = 60.0
"""Seconds until a reader who takes nothing is given up."""

_running: set[asyncio.Future[None]] = set()


def close_live_streams() -> None:
    """End all endless answers of this process; on the event loop's thread, when the server stops.

    A server waits for open answers before it ends, and these never end by themselves.
    """
    for task in tuple(_running):
        task.cancel()


class Connections:
    """Counts open streams, so that no single address can take them all."""

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._open: Counter[str] = Counter()

    @contextmanager
    def place(self, address: str) -> Iterator[None]:
        """Hold one place; Unavailable when there is none left."""
        if self._open.total() >= self._most or self._open[address] >= self._most_per_address:
            raise Unavailable("live", "too many open connections", retry=True)
        self._open[address] += 1
        try:
            yield
        finally:
            self._open[address] -= 1
            self._open += Counter()  # forget addresses without connections


async def endless(
    writers: Iterable[Callable[[Write], Awaitable[None]]],
    receive: Receive,
    send: Send,
    headers: Iterable[Header] = HEADERS,
) -> None:
    """Answer with what the writers write, until the reader leaves, one of them ends or all must."""
    await send({"type": "http.response.start", "status": 200, "headers": list(headers)})

    async def write(body: bytes) -> None:
        async with asyncio.timeout(PATIENCE):
            await send({"type": "http.response.body", "body": body, "more_body": True})

    await write(f"retry: {RETRY_MS}\n\n".encode())
    tasks = {asyncio.ensure_future(_left(receive))}
    tasks |= {asyncio.ensure_future(writer(write)) for writer in writers}
    _running.update(tasks)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        _running.difference_update(tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await send({"type": "http.response.body", "body": b""})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
