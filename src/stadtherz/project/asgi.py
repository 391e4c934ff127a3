"""One ASGI application for everything: the data plane's own, and Django's pages beside it.

Measurements, SensorThings and live streams are bare ASGI; pages run under WSGI in threads, because
Django's ASGI handler costs ten times as much for each request (docs/decisions/0003).
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stadtherz.project.settings")
django.setup()

from a2wsgi import WSGIMiddleware

from stadtherz.identity.public import visibility_of_scope
from stadtherz.ingest.public import application as ingest_application
from stadtherz.project import runtime
from stadtherz.project.wsgi import application as pages
from stadtherz.sensorthings.public import application as sensorthings_application
from stadtherz.web.public import live_application

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PAGE_THREADS = 8
_HEADERS = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    (b"referrer-policy", b"same-origin"),
)

_pages = WSGIMiddleware(pages, workers=_PAGE_THREADS)
_doors: dict[str, Callable[[Any, Any, Any], Awaitable[None]]] = {
    "sta": sensorthings_application(visibility_of_scope),
    "ingest": ingest_application(visibility_of_scope),
    "live": live_application(visibility_of_scope),
}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Hand a request to the door its path names, and the rest to the pages."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http":
        door = _doors.get(scope["path"].split("/", 2)[1])
        if door is None:
            await _pages(scope, receive, send)
        else:
            await door(scope, receive, _guarded(send))


def _guarded(send: Send) -> Send:
    """Adds to a data plane's answers what the pages get from `web.security`: they run nothing."""

    async def guarded(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_HEADERS]
        await send(message)

    return guarded


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            runtime.start()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            runtime.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
