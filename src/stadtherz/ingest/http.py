"""The ingest door: `POST /ingest/tts` and `POST /ingest/chirpstack`, as a bare ASGI application.

A delivery is acknowledged only after its readings are on disk. The event loop reads bytes and waits;
whatever asks the database runs in `lanes`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import orjson
from django.db import DatabaseError
from django.utils import translation

from stadtherz.base.errors import Invalid, StadtherzError, Unauthenticated
from stadtherz.base.time import now_us
from stadtherz.base.visibility import ANONYMOUS, Scope, Visibility
from stadtherz.ingest import document, lanes, pipeline, refused, seen
from stadtherz.ingest.pipeline import READERS, Answer, Delivery, Plan, Refusal
from stadtherz.ingest.reasons import Reason
from stadtherz.store.public import Receipt

logger = logging.getLogger(__name__)

AsgiScope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
VisibilityOf = Callable[[AsgiScope], Visibility]
Application = Callable[[AsgiScope, Receive, Send], Awaitable[None]]

_PREFIX = "/ingest/"
_BODY_PATIENCE_S = 10.0
_DRAIN = 8 * document.LARGEST  # of a body that is too large, so that its sender hears the answer
_RETRY_AFTER_S = b"10"


class _Gone(Exception):
    pass


def application(visibility_of: VisibilityOf) -> Application:
    """The door; `visibility_of` says who sends a request and may raise Unauthenticated."""

    async def door(scope: AsgiScope, receive: Receive, send: Send) -> None:
        try:
            given = await _answer(scope, receive, visibility_of)
        except _Gone:
            return
        except (DatabaseError, StadtherzError, TimeoutError) as problem:
            logger.warning("an uplink could not be taken: %s", type(problem).__name__)
            given = _refused(scope, Refusal(Reason.STORE_UNAVAILABLE))
        except Exception:
            logger.exception("an uplink could not be taken")
            given = _refused(scope, Refusal(Reason.STORE_UNAVAILABLE))
        await _send(send, given)

    return door


async def _answer(scope: AsgiScope, receive: Receive, visibility_of: VisibilityOf) -> Answer:
    network = scope["path"].removeprefix(_PREFIX).rstrip("/")
    if network not in READERS:
        return Answer(404, {"error": "unknown_address", "networks": sorted(READERS)})
    if scope["method"] != "POST":
        return Answer(405, {"error": "method", "detail": "POST"})
    visibility = await asyncio.wrap_future(lanes.work.submit(_visibility, scope, visibility_of))
    try:
        body = await _body(receive)
    except TimeoutError:
        return Answer(408, {"error": "timeout"})
    delivery = Delivery(
        network=network,
        body=body,
        query=scope["query_string"].decode("ascii", errors="replace"),
        received=now_us(),
        visibility=visibility,
    )
    refusal = _refusal_at_the_door(delivery)
    if refusal is not None:
        lane = lanes.quiet if visibility == ANONYMOUS else lanes.work
        await asyncio.wrap_future(lane.submit(refused.keep, delivery, refusal))
        return _refused(scope, refusal)
    return await _deliver(scope, delivery)


def _visibility(scope: AsgiScope, visibility_of: VisibilityOf) -> Visibility:
    """Who sends this; cookies do not count here, or any web page could send uplinks for staff."""
    if not any(name == b"authorization" for name, _ in scope["headers"]):
        return ANONYMOUS
    try:
        return visibility_of(scope)
    except Unauthenticated:
        return ANONYMOUS


def _refusal_at_the_door(delivery: Delivery) -> Refusal | None:
    visibility = delivery.visibility
    if visibility == ANONYMOUS:
        return Refusal(Reason.BAD_TOKEN)
    if not visibility.allows(Scope.INGEST) or not (visibility.everything or visibility.home):
        return Refusal(Reason.NO_SCOPE)
    if len(delivery.body) > document.LARGEST:
        return Refusal(Reason.TOO_LARGE, {"limit": f"{document.LARGEST // 1024} kB"})
    return None


async def _deliver(scope: AsgiScope, delivery: Delivery) -> Answer:
    plan, receipts = await _committed(delivery)
    if plan.refusal is not None:
        await asyncio.wrap_future(lanes.work.submit(refused.keep, delivery, plan.refusal))
    if plan.seen is not None and pipeline.is_news(receipts):
        seen.note(plan.seen)
    with translation.override(_language(scope)):
        return pipeline.answer(plan, receipts)


async def _committed(delivery: Delivery) -> tuple[Plan, Sequence[Receipt]]:
    """What came of a delivery, once its readings are on disk."""
    try:
        async with asyncio.timeout(pipeline.PATIENCE_S):
            plan, commit = await asyncio.wrap_future(lanes.work.submit(pipeline.begin, delivery))
            return plan, await asyncio.shield(asyncio.wrap_future(commit))
    except Invalid as problem:
        return Plan(refusal=pipeline.unreadable(problem)), []
    except Exception:
        # Networks rarely send again, so whatever went wrong, the document is kept if there is a
        # place to keep it; the door tells what happened.
        lost = Refusal(Reason.STORE_UNAVAILABLE)
        await asyncio.wrap_future(lanes.work.submit(refused.keep, delivery, lost))
        raise


async def _body(receive: Receive) -> bytes:
    """The body; of one that is too large only so much as shows that it is."""
    parts: list[bytes] = []
    kept = read = 0
    async with asyncio.timeout(_BODY_PATIENCE_S):
        more = True
        while more and read <= _DRAIN:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            part = message.get("body", b"")
            read += len(part)
            if kept <= document.LARGEST:
                parts.append(part[: document.LARGEST + 1])
                kept += len(part)
            more = message.get("more_body", False)
    return b"".join(parts)[: document.LARGEST + 1]


def _refused(scope: AsgiScope, refusal: Refusal) -> Answer:
    with translation.override(_language(scope)):
        return pipeline.refused(refusal)


def _language(scope: AsgiScope) -> str:
    """English unless German is asked for: a network's log is read by its administrators."""
    for name, value in scope["headers"]:
        if name == b"accept-language" and value.lower().startswith(b"de"):
            return "de"
    return "en"


_EXTRA: dict[int, list[tuple[bytes, bytes]]] = {
    401: [(b"www-authenticate", b'Bearer realm="ingest", Basic realm="ingest"')],
    405: [(b"allow", b"POST")],
    503: [(b"retry-after", _RETRY_AFTER_S)],
}


async def _send(send: Send, given: Answer) -> None:
    body = orjson.dumps(given.body)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *_EXTRA.get(given.status, []),
    ]
    await send({"type": "http.response.start", "status": given.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
