"""Live pages: one stream of server-sent events per page, as a bare ASGI application.

`GET /live?streams=1,2,3` answers with a named event `reading` for each new reading of those
datastreams the caller may see, and a comment every 20 seconds so that proxies keep the line open.
Pages are drawn by the server; the event only tells them that it is time to look again.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import orjson
from asgiref.sync import sync_to_async
from django.db import connections

from stadtherz.base.errors import (
    Invalid,
    NotFound,
    StadtherzError,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from stadtherz.base.time import iso
from stadtherz.base.visibility import Visibility
from stadtherz.store.public import Columns, streams_visible_to
from stadtherz.stream.public import Connections, endless, listen

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Write = Callable[[bytes], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
VisibilityOf = Callable[[Scope], Visibility]

MOST_STREAMS = 200
MOST_PER_ADDRESS = 20
MOST_CONNECTIONS = 5_000
PING_SECONDS = 20
_PING = b": still here\n\n"


def application(
    visibility_of: VisibilityOf, *, connections: Connections | None = None
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The ASGI application for `/live`; `visibility_of` says what the caller may see."""
    counted = connections or Connections(MOST_CONNECTIONS, MOST_PER_ADDRESS)

    async def live(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            asked = _asked(scope)
            streams = await sync_to_async(_allowed, thread_sensitive=False)(
                visibility_of, scope, asked
            )
            if not streams:
                raise NotFound("datastream")
            with counted.place(_address(scope)):
                await _stream(streams, receive, send)
        except StadtherzError as error:
            await _refuse(error, send)

    return live


def _asked(scope: Scope) -> frozenset[int]:
    """The ids in the query; Invalid or TooLarge says what is wrong with them."""
    if scope["method"] != "GET":
        raise Invalid("method", "only GET")
    text = parse_qs(scope["query_string"].decode("latin-1")).get("streams", [""])[0]
    parts = [part for part in text.split(",") if part][: MOST_STREAMS + 1]
    if len(parts) > MOST_STREAMS:
        raise TooLarge(f"at most {MOST_STREAMS} streams")
    if not parts or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        raise Invalid("streams", "must be ids of datastreams separated by commas")
    return frozenset(map(int, parts))


def _allowed(visibility_of: VisibilityOf, scope: Scope, asked: frozenset[int]) -> frozenset[int]:
    """Which of them the caller may hear; in a thread of a pool, which must keep no connection."""
    try:
        return asked & streams_visible_to(visibility_of(scope))
    finally:
        connections.close_all()


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


async def _stream(streams: frozenset[int], receive: Receive, send: Send) -> None:
    """Send until the reader leaves or the server shuts down."""

    async def news(write: Write) -> None:
        async with listen() as batches:
            async for readings in batches:
                for event in events(readings, streams):
                    await write(event)

    await endless((news, _send_pings), receive, send)


async def _send_pings(write: Write) -> None:
    while True:
        await asyncio.sleep(PING_SECONDS)
        await write(_PING)


def events(readings: Columns, streams: frozenset[int]) -> list[bytes]:
    """The events of one batch: the newest reading of each stream, the others are history."""
    newest: dict[int, int] = {}
    for row, stream in enumerate(readings.datastream.tolist()):
        before = newest.get(stream)
        if stream in streams and (
            before is None or _time(readings, row) >= _time(readings, before)
        ):
            newest[stream] = row
    return [_event(stream, readings, row) for stream, row in newest.items()]


def _time(readings: Columns, row: int) -> int:
    return int(readings.phenomenon_start[row])


def _event(stream: int, readings: Columns, row: int) -> bytes:
    result = readings.result[row]
    body = {
        "stream": stream,
        "time": iso(_time(readings, row)),
        "result": result.item() if hasattr(result, "item") else result,
    }
    return b"event: reading\ndata: " + orjson.dumps(body) + b"\n\n"


async def _refuse(error: StadtherzError, send: Send) -> None:
    """A short plain answer: nobody reads it but a developer and the browser's log."""
    match error:
        case Unauthenticated():
            status = 401
        case NotFound():
            status = 404
        case TooLarge():
            status = 413
        case Unavailable():
            status = 503
        case _:
            status = 400
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{error}\n".encode()})
