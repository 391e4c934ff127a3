"""One ASGI application for everything: the data plane's own, and Django's pages beside it.

Measurements, SensorThings and live streams are bare ASGI; pages run under WSGI in threads, because
Django's ASGI handler costs ten times as much for each request (docs/decisions/0003).
"""

import os
from collections.abc import Awaitable, Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stadtherz.project.settings")
django.setup()

from django.urls import get_resolver

from stadtherz.base.errors import Invalid
from stadtherz.identity.public import visibility_at_once, visibility_of_scope
from stadtherz.ingest.public import WRITING
from stadtherz.ingest.public import application as ingest_application
from stadtherz.project import admission, mqtt, runtime
from stadtherz.project.admission import Receive, Scope, Send
from stadtherz.project.pages import pages
from stadtherz.sensorthings.public import application as sensorthings_application
from stadtherz.sensorthings.public import is_for_people
from stadtherz.web.public import live_application

_sensorthings = sensorthings_application(visibility_of_scope, visibility_at_once)
_ingest = ingest_application(visibility_of_scope, visibility_at_once)
_doors: dict[str, Callable[[Any, Any, Any], Awaitable[None]]] = {
    "sta": _sensorthings,
    "datasets": _sensorthings,
    "ingest": _ingest,
    "live": live_application(visibility_of_scope),
}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Hand a request to the door its path names, and the rest to the pages."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http":
        await _answer(admission.without_hearsay(scope), receive, send)
    elif scope["type"] == "websocket":
        await mqtt.door(scope, receive, send)


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    refused = admission.refusal(scope)
    if refused is not None:
        await admission.refuse(refused, send)
        return
    door = _ingest if scope["path"] in WRITING else _doors.get(scope["path"].split("/", 2)[1])
    if door is None or (door is _sensorthings and is_for_people(scope)):
        await pages(scope, receive, send)
    else:
        await door(scope, receive, admission.guarded(scope, send))


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            # Loaded now: a broken page stops the start, and the first reader does not wait for it.
            _ = get_resolver().url_patterns
            runtime.start()
            try:
                await mqtt.start()
            except Invalid as problem:
                runtime.stop()
                await send({"type": "lifespan.startup.failed", "message": str(problem)})
                return
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await mqtt.door.stop()
            runtime.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
