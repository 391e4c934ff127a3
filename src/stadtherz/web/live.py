"""Live pages: one stream of server-sent events per page, as a bare ASGI application.

`GET /live?streams=1,2,3` answers with a named event `reading` for each new reading of those
datastreams the caller may see, and a comment every 20 seconds so that proxies keep the line open.
`?warnings=1` adds an event `warning` when a public warning has changed, `?alerts=1` for staff an event
`alert` when any alert has. These carry nothing: what there is to see, the page asks for.
Pages are drawn by the server; the event only tells them that it is time to look again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import orjson
from asgiref.sync import sync_to_async
from django.db import connections

from stadtherz.alerts.public import PUBLIC_NEWS, STAFF_NEWS
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
from stadtherz.stream.public import Connections, bell, endless, listen

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
BELL_REST = 1.0  # seconds: many changes at once are one piece of news
_PING = b": still here\n\n"


def application(
    visibility_of: VisibilityOf, *, connections: Connections | None = None
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The ASGI application for `/live`; `visibility_of` says what the caller may see."""
    counted = connections or Connections(MOST_CONNECTIONS, MOST_PER_ADDRESS)

    async def live(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            asked = _asked(scope)
            allowed = await sync_to_async(_allowed, thread_sensitive=False)(
                visibility_of, scope, asked
            )
            if not allowed.streams and not allowed.bells:
                raise NotFound("datastream")
            with counted.place(_address(scope)):
                await _stream(allowed, receive, send)
        except StadtherzError as error:
            await _refuse(error, send)

    return live


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page wants to hear: readings of these datastreams, and these bells with their events."""

    streams: frozenset[int]
    bells: Mapping[str, str]


_BELLS = {"warnings": (PUBLIC_NEWS, "warning"), "alerts": (STAFF_NEWS, "alert")}


def _asked(scope: Scope) -> Asked:
    """What the query asks for; Invalid or TooLarge says what is wrong with it."""
    if scope["method"] != "GET":
        raise Invalid("method", "only GET")
    query = parse_qs(scope["query_string"].decode("latin-1"))
    bells = {bell: event for name, (bell, event) in _BELLS.items() if query.get(name) == ["1"]}
    if bells and "streams" not in query:
        return Asked(frozenset(), bells)
    return Asked(_ids(query.get("streams", [""])[0]), bells)


def _ids(text: str) -> frozenset[int]:
    parts = [part for part in text.split(",") if part][: MOST_STREAMS + 1]
    if len(parts) > MOST_STREAMS:
        raise TooLarge(f"at most {MOST_STREAMS} streams")
    if not parts or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        raise Invalid("streams", "must be ids of datastreams separated by commas")
    return frozenset(map(int, parts))


def _allowed(visibility_of: VisibilityOf, scope: Scope, asked: Asked) -> Asked:
    """Which of them the caller may hear; in a thread of a pool, which must keep no connection."""
    try:
        visibility = visibility_of(scope)
        streams = asked.streams & streams_visible_to(visibility) if asked.streams else frozenset()
        bells = dict(asked.bells)
        if not visibility.everything and not visibility.organisations:
            bells.pop(STAFF_NEWS, None)
        return Asked(streams, bells)
    finally:
        connections.close_all()


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


async def _stream(asked: Asked, receive: Receive, send: Send) -> None:
    """Send until the reader leaves or the server shuts down."""

    async def news(write: Write) -> None:
        async with listen() as batches:
            async for readings in batches:
                for event in events(readings, asked.streams):
                    await write(event)

    def rings(name: str, event: str) -> Callable[[Write], Awaitable[None]]:
        async def heard(write: Write) -> None:
            async with bell(name) as rung:
                while await rung.wait():
                    rung.clear()
                    await write(f"event: {event}\ndata: {{}}\n\n".encode())
                    await asyncio.sleep(BELL_REST)

        return heard

    sources = [rings(name, event) for name, event in asked.bells.items()]
    if asked.streams:
        sources.append(news)
    await endless((*sources, _send_pings), receive, send)


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
