"""The ingest door: `POST /ingest/tts`, `/ingest/chirpstack` and so on, as a bare ASGI application.

What InfluxDB's clients write to their own addresses is a delivery as any other (`influx`).

A delivery is acknowledged only after its readings are on disk. The event loop reads bytes and waits;
whatever asks the database runs in `lanes`, and what asks none takes the short way (`at_once`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import DatabaseError
from django.utils import translation

from stadtherz.base.errors import Invalid, StadtherzError, Unauthenticated
from stadtherz.base.hurry import give_way_in_loop
from stadtherz.base.time import Micros, now_us
from stadtherz.base.visibility import ANONYMOUS, Visibility
from stadtherz.ingest.documents import document
from stadtherz.ingest.doors import influx
from stadtherz.ingest.doors.at_once import ShortWay
from stadtherz.ingest.downlinks import news
from stadtherz.ingest.forms import reading
from stadtherz.ingest.health import notes
from stadtherz.ingest.intake import lanes, pipeline, resets
from stadtherz.ingest.intake.pipeline import (
    NETWORKS,
    Answer,
    Begun,
    Delivery,
    Plan,
    Refusal,
)
from stadtherz.ingest.quality.reasons import Reason
from stadtherz.ingest.refused import keeping
from stadtherz.ingest.trust import address_tokens
from stadtherz.store.public import Receipt

logger = logging.getLogger(__name__)

AsgiScope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
VisibilityOf = Callable[[AsgiScope], Visibility]
AtOnce = Callable[[AsgiScope], Visibility | None]
Application = Callable[[AsgiScope, Receive, Send], Awaitable[None]]

_PREFIX = "/ingest/"
_BODY_PATIENCE_S = 10.0
_DRAIN = 8 * document.LARGEST  # of a body that is too large, so that its sender hears the answer
_RETRY_AFTER_S = b"10"
_RESCUE_PATIENCE_S = 1.0  # and PATIENCE_S before: networks give up after 10 seconds
_LOST = "an uplink that was answered with 503 could not even be kept"
_MOST_RESCUES = 500  # documents in memory that wait for a database that has gone


class _Gone(Exception):
    pass


def application(visibility_of: VisibilityOf, at_once: AtOnce = lambda _: None) -> Application:
    """The door; `visibility_of` says who sends a request and may raise Unauthenticated.

    `at_once` says it without asking the database, or None.
    """
    senders = _Senders(visibility_of, at_once)
    short = ShortWay()

    async def door(scope: AsgiScope, receive: Receive, send: Send) -> None:
        writing = influx.writing(scope)
        scope = scope if writing is None else writing.scope
        try:
            given = await _answer(scope, receive, senders, short)
        except _Gone:
            return
        except (DatabaseError, StadtherzError, TimeoutError) as problem:
            logger.warning("an uplink could not be taken: %s", type(problem).__name__)
            given = _refused(scope, Refusal(Reason.STORE_UNAVAILABLE))
        except Exception:
            logger.exception("an uplink could not be taken")
            given = _refused(scope, Refusal(Reason.STORE_UNAVAILABLE))
        await _send(send, given if writing is None else writing.answer(given))

    return door


async def _answer(
    scope: AsgiScope, receive: Receive, senders: "_Senders", short: ShortWay
) -> Answer:
    network, _, rest = scope["path"].removeprefix(_PREFIX).rstrip("/").partition("/")
    if network not in NETWORKS or (rest and network != reading.NETWORK):
        return Answer(404, {"error": "unknown_address", "networks": sorted(NETWORKS)})
    arrival = _Arrival(scope, network, rest)
    if network == reading.NETWORK:
        arrival.take_token_out()
    if scope["method"] == "GET" and arrival.in_address:
        arrival.read_address()
    elif (no := _no_delivery(scope)) is not None:
        return no
    await give_way_in_loop()
    try:
        arrival.body += document.unpacked(await _body(receive))
        arrival.received = now_us()
    except TimeoutError:
        return Answer(408, {"error": "timeout"})
    plan, receipts = await _committed(arrival, senders, short)
    if resets.doubtful(plan, receipts):
        receipts = await asyncio.wrap_future(lanes.work.submit(resets.settled, plan, receipts))
    if plan.refusal is not None and arrival.delivery is not None:
        lane = lanes.quiet if arrival.delivery.visibility == ANONYMOUS else lanes.work
        await asyncio.wrap_future(lane.submit(keeping.keep, arrival.delivery, plan.refusal))
    notes.note(arrival.received, arrival.body, plan, receipts)
    if plan.told is not None:
        await asyncio.wrap_future(lanes.work.submit(news.tell, plan.told))
    if plan.refusal is None:
        return pipeline.answer(plan, receipts)
    with translation.override(_language(scope)):
        return pipeline.answer(plan, receipts)


def _no_delivery(scope: AsgiScope) -> Answer | None:
    """What a request is told whose body nobody could read."""
    if scope["method"] != "POST":
        return Answer(405, {"error": "method", "detail": "POST"})
    if _header(scope, b"content-encoding").strip().lower() not in document.ENCODINGS:
        return Answer(415, {"error": "encoding", "detail": "gzip"})
    return None


@dataclass(frozen=True, slots=True)
class _Senders:
    """Who sends; cookies do not count here, or any web page could send uplinks for staff."""

    visibility_of: VisibilityOf
    at_once: AtOnce

    def find(self, scope: AsgiScope) -> Visibility:
        if not any(name == b"authorization" for name, _ in scope["headers"]):
            return ANONYMOUS
        try:
            return self.visibility_of(scope)
        except Unauthenticated:
            return ANONYMOUS


@dataclass(slots=True)
class _Arrival:
    """A request that has been read; `delivery` is there once its sender is known."""

    scope: AsgiScope
    network: str
    rest: str  # of the path, behind the network
    body: bytes = b""
    received: Micros = field(default_factory=now_us)
    delivery: Delivery | None = None
    in_address: bool = False  # is the token

    def take_token_out(self) -> None:
        """From here on the address is without its token, which counts as if it were in a header.

        Where there is a header, that counts.
        """
        asked = self.scope["query_string"].decode("ascii", errors="replace")
        found = address_tokens.taken_out(self.rest, asked)
        self.rest = found.path
        headers = self.scope["headers"]
        if found.token and not _header(self.scope, b"authorization"):
            bearer = f"Bearer {found.token}".encode("latin-1", "replace")
            headers, self.in_address = [*headers, (b"authorization", bearer)], True
        self.scope = {**self.scope, "headers": headers, "query_string": found.query.encode()}

    def read_address(self) -> None:
        """What simple weather stations send has no body: its parameters are the message."""
        kept = [pair for pair in self.scope["headers"] if pair[0] != b"content-type"]
        kind = (b"content-type", reading.FORM.encode())
        self.body = self.scope["query_string"]
        self.scope = {**self.scope, "headers": [*kept, kind], "query_string": b""}

    def identified(self, senders: _Senders) -> Delivery:
        """With its sender. Asks the database, the first time."""
        if self.delivery is None:
            self.delivery = self._by(senders.find(self.scope))
        return self.delivery

    def identified_at_once(self, senders: _Senders) -> Delivery | None:
        """The same where nothing has to be asked."""
        visibility = senders.at_once(self.scope)
        if visibility is not None:
            self.delivery = self._by(visibility)
        return self.delivery

    def _by(self, visibility: Visibility) -> Delivery:
        return Delivery(
            network=self.network,
            body=self.body,
            query=self._query(),
            received=self.received,
            visibility=visibility,
            in_address=self.in_address,
        )

    def _query(self) -> str:
        """What came beside the body; for a message form also the form's key and what kind it is."""
        query = str(self.scope["query_string"].decode("ascii", errors="replace"))
        if self.network != reading.NETWORK:
            return query
        form, _, topic = self.rest.partition("/")
        return reading.query_of(form, topic, _header(self.scope, b"content-type"), query)


async def _committed(
    arrival: _Arrival, senders: _Senders, short: ShortWay
) -> tuple[Plan, Sequence[Receipt]]:
    """What came of a request, once its readings are on disk."""
    try:
        delivery = arrival.identified_at_once(senders)
        done = None if delivery is None else await short.committed(delivery)
        if done is not None:
            return done
        async with asyncio.timeout(pipeline.PATIENCE_S):
            begun = lanes.work.submit(_begin, arrival, senders)
            step = await asyncio.wrap_future(begun)
            plan, commit = await asyncio.wrap_future(step) if isinstance(step, Future) else step
            return plan, await asyncio.shield(asyncio.wrap_future(commit))
    except Invalid as problem:
        return Plan(refusal=pipeline.unreadable(problem)), []
    except Exception:
        await _rescue(arrival, senders)
        raise


def _begin(arrival: _Arrival, senders: _Senders) -> Begun | Future[Begun]:
    """All that asks the database before the commit, in one job: each change of threads costs."""
    delivery = arrival.identified(senders)
    refusal = pipeline.refusal_at_the_door(delivery)
    return pipeline.begin_soon(delivery) if refusal is None else pipeline.turned_away(refusal)


async def _rescue(arrival: _Arrival, senders: _Senders) -> None:
    """Keep what could not be stored: networks rarely send again.

    The place to keep it may be the very thing that is broken, so nobody waits for long, and no
    more than so many documents wait in memory.
    """
    if lanes.rescue.waiting >= _MOST_RESCUES:
        logger.error(_LOST)
        return
    kept = asyncio.wrap_future(lanes.rescue.submit(_keep_lost, arrival, senders))
    await asyncio.wait([kept], timeout=_RESCUE_PATIENCE_S)


def _keep_lost(arrival: _Arrival, senders: _Senders) -> None:
    lost = Refusal(Reason.STORE_UNAVAILABLE)
    try:
        delivery = arrival.identified(senders)
        keeping.keep(delivery, pipeline.refusal_at_the_door(delivery) or lost)
    except Exception as problem:  # noqa: BLE001 - nobody waits for this job: the log must tell
        logger.error("%s: %s", _LOST, problem)


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
    return "de" if _header(scope, b"accept-language").lower().startswith("de") else "en"


def _header(scope: AsgiScope, name: bytes) -> str:
    """The first of this name, or nothing."""
    found = (value for key, value in scope["headers"] if key == name)
    return str(next(found, b"").decode("latin-1"))


_EXTRA: dict[int, list[tuple[bytes, bytes]]] = {
    401: [(b"www-authenticate", b'Bearer realm="ingest", Basic realm="ingest"')],
    405: [(b"allow", b"POST")],
    415: [(b"accept-encoding", b"gzip")],
    503: [(b"retry-after", _RETRY_AFTER_S)],
}


async def _send(send: Send, given: Answer) -> None:
    body = b"" if given.status == 204 else orjson.dumps(given.body)
    headers = [(b"cache-control", b"no-store"), *_EXTRA.get(given.status, [])]
    if body:
        headers += [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
    await send({"type": "http.response.start", "status": given.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
