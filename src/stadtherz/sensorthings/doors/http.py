"""SensorThings over HTTP: requests to answers, errors to documents, and the bare ASGI around both.

This is one of the product's two translators of errors; `handle` is plain and synchronous, and runs
in threads of its own, so that the event loop never waits for a database.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import orjson
from django.db import IntegrityError, OperationalError, close_old_connections

from stadtherz.base.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    QuerySyntaxError,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from stadtherz.base.time import now_us
from stadtherz.base.visibility import Scope as TokenScope
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers import openapi
from stadtherz.sensorthings.answers.addresses import asked, within
from stadtherz.sensorthings.answers.get import Answer, conditional, get
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.doors import batch, datasets, multipart
from stadtherz.sensorthings.doors.intake import Intake
from stadtherz.sensorthings.doors.packing import packed
from stadtherz.sensorthings.doors.parts import FailedDependency
from stadtherz.sensorthings.doors.turns import Turns
from stadtherz.sensorthings.headers.conditions import PreconditionFailed, conditions_of
from stadtherz.sensorthings.headers.origin import check_origin, header, root_of
from stadtherz.sensorthings.headers.refusals import NotHere, UnsupportedMedia
from stadtherz.sensorthings.language import formats
from stadtherz.sensorthings.language.formats import Unsupported
from stadtherz.sensorthings.live import events
from stadtherz.sensorthings.live.watch import watch
from stadtherz.sensorthings.query.options import as_spelt_here
from stadtherz.sensorthings.standard.faces import FACES
from stadtherz.sensorthings.writing import bulk, changes, posts
from stadtherz.store.public import Kept, Otherwise, on_sqlite, supposing

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
VisibilityOf = Callable[[Scope], Visibility]
VisibilityAtOnce = Callable[[Scope], Visibility | None]
_T = TypeVar("_T")

MAX_BODY = 2 * 1024 * 1024
THREADS = 8
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE")
_WRITES = frozenset({"POST", "PATCH", "PUT", "DELETE"})
_BATCH = "$batch"
_READS = ("GET", "HEAD", "OPTIONS")
_METHODS_AT = {
    "": _READS,
    openapi.NAME: _READS,
    "$metadata": _READS,
    _BATCH: ("POST", "OPTIONS"),
    bulk.NAME: ("POST", "OPTIONS"),
}
"""What is no set, and which methods it takes."""

_ASKED_WITH = (
    *("accept", "accept-language", "authorization", "cache-control", "content-type"),
    *("if-match", "if-modified-since", "if-none-match", "last-event-id", "odata-maxversion"),
    *("odata-version", "pragma", "prefer", "range", "x-requested-with"),
)
"""Headers that pages of other servers may send: ours, and those that their libraries always add."""

_PREFLIGHT = (
    ("access-control-allow-methods", ", ".join(METHODS)),
    ("access-control-allow-headers", ", ".join(_ASKED_WITH)),
    ("access-control-max-age", "86400"),
    ("accept-patch", ", ".join(changes.PATCHES)),
)
_ALWAYS = (
    ("access-control-allow-origin", "*"),
    (
        "access-control-expose-headers",
        "accept-patch, allow, etag, location, odata-version, preference-applied, retry-after",
    ),
    ("vary", "accept, accept-encoding, authorization, cookie"),
    ("cache-control", "no-cache"),
    ("x-content-type-options", "nosniff"),
)
log = logging.getLogger(__name__)


class MethodNotAllowed(Exception):
    """The address exists, the method does not."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = tuple(allowed)
        super().__init__("only " + ", ".join(self.allowed) + " are possible here")


# --- one request, synchronously ----------------------------------------------------------------------


def handle(scope: Scope, body: bytes, visibility_of: VisibilityOf) -> Answer:
    """The answer to one request; errors become documents here and nowhere else."""
    try:
        if scope["method"] not in _WRITES:
            with suppress(Otherwise), supposing():
                return _answer(scope, body, visibility_of)
        return _answer(scope, body, visibility_of)
    except Exception as error:  # noqa: BLE001 - the translator: nothing may pass untranslated
        return _translated(error, scope)


def _answer(scope: Scope, body: bytes, visibility_of: VisibilityOf) -> Answer:
    method: str = scope["method"]
    if method not in METHODS:
        raise MethodNotAllowed(METHODS)
    if method == "OPTIONS" and not _asks_as_get(scope):
        return _possible(scope)
    if datasets.is_about(_path(scope)):
        return _about_datasets(scope, body, visibility_of(scope))
    urls, path = _address(scope)
    if method not in (methods := _methods_at(path)):
        raise MethodNotAllowed(methods)
    query = _query(scope, urls)
    caller = visibility_of(scope)
    visibility = within(caller, urls)
    if path.strip("/") == _BATCH:
        return _batch(scope, body, caller, urls)
    if method in _WRITES:
        check_origin(scope)
        _check_may_write(visibility)
        spelt = {**scope, "query_string": query.encode("latin-1")}
        return changes.change(method, path, spelt, body, visibility, urls, now=now_us())
    if urls.face.odata:
        query = formats.asked_for(query, header(scope, b"accept"))
    return conditional(get(path, query, visibility, urls, now=now_us()), conditions_of(scope))


def _possible(scope: Scope) -> Answer:
    """What may be done here, for those who ask before they do it."""
    return Answer(204, headers=(*_PREFLIGHT, ("allow", ", ".join(_methods_of(scope)))))


def _methods_of(scope: Scope) -> tuple[str, ...]:
    found = asked(_path(scope), "")
    return METHODS if found is None else _methods_at(found[1])


def _methods_at(path: str) -> tuple[str, ...]:
    """Methods that may be possible at a path below a service root."""
    return _METHODS_AT.get(path.strip("/"), METHODS)


def _asks_as_get(scope: Scope) -> bool:
    """Whether OPTIONS is answered as GET would be, but for the body (23-019 binding/http).

    A browser that asks before it asks (a preflight) wants something else, and so does who asks what
    cannot be got.
    """
    preflight = header(scope, b"access-control-request-method")
    return _is_odata(scope) and not preflight and "GET" in _methods_of(scope)


def _about_datasets(scope: Scope, body: bytes, visibility: Visibility) -> Answer:
    """The data sets themselves, which are no entities of the standard."""
    method: str = scope["method"]
    if method in _WRITES:
        check_origin(scope)
        _check_may_write(visibility)
    return datasets.answer(method, _path(scope), body, visibility, root_of(scope))


def _batch(scope: Scope, body: bytes, visibility: Visibility, urls: Urls) -> Answer:
    """Each request of the batch comes in by the same door, and may do no more than the batch."""
    doors = batch.Doors(
        lambda inner, content: whole(inner, content, visibility),
        lambda error: _translated(error, scope),
    )
    content_type = header(scope, b"content-type")
    match content_type.partition(";")[0].strip().lower():
        case "" | "application/json":
            outcomes = batch.run(batch.read_json(body), scope, urls.root, doors)
            return batch.as_json(outcomes)
        case "multipart/mixed":
            parts = multipart.read(content_type, body)
            return multipart.write(batch.run(parts, scope, urls.root, doors))
        case other:
            raise UnsupportedMedia(
                f"a batch is application/json or multipart/mixed, not {other[:80]}"
            )


def whole(scope: Scope, body: bytes, visibility: Visibility) -> Answer:
    """The answer to a request in a batch or a message, which cannot be streamed."""
    try:
        return handle(scope, body, lambda _: visibility).whole()
    except TooLarge as error:
        return _translated(error, scope)


def _address(scope: Scope) -> tuple[Urls, str]:
    """The face that is asked, and the path below its root."""
    found = asked(_path(scope), root_of(scope))
    if found is None:
        raise NotFound(f"anything outside {' and '.join(face.prefix for face in FACES)}")
    return found


def _query(scope: Scope, urls: Urls) -> str:
    """The query string, with the names of options as they are usually written."""
    query = scope.get("query_string", b"").decode("latin-1")
    return as_spelt_here(query) if urls.face.odata else query


def _is_odata(scope: Scope) -> bool:
    """Whether the face that is asked follows OData 4.01."""
    found = asked(_path(scope), "")
    return found is not None and found[0].face.odata


def _path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0].decode("latin-1")


def _check_may_write(visibility: Visibility) -> None:
    if TokenScope.WRITE in visibility.scopes:
        return
    if visibility.actor == "anonymous":
        raise Unauthenticated("changes need a token or a session")
    raise Forbidden("this token may not write")


# --- errors ------------------------------------------------------------------------------------------

_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NotFound, 404),
    (Invalid, 400),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (Conflict, 409),
    (PreconditionFailed, 412),
    (FailedDependency, 424),
    (TooLarge, 413),
    (UnsupportedMedia, 415),
    (Unsupported, 501),
    (MethodNotAllowed, 405),
    (NotHere, 405),
)


def _translated(error: Exception, scope: Scope) -> Answer:
    method: str = scope["method"]
    status, message = _said(error, method)
    in_words = _as_odata if _is_odata(scope) else _plainly
    document = in_words(error, status, message)
    return Answer(status, orjson.dumps(document), headers=_advice(error, method))


def _plainly(error: Exception, status: int, message: str) -> dict[str, Any]:
    document: dict[str, Any] = {"code": status, "type": "error", "message": message}
    if isinstance(error, QuerySyntaxError):
        document["position"] = error.position
    return document


def _as_odata(error: Exception, status: int, message: str) -> dict[str, Any]:
    """OData JSON format 4.01 §21.1: where a mistake stands is for the service to say as it likes."""
    told: dict[str, Any] = {"code": str(status), "message": message}
    if isinstance(error, Invalid):
        told["target"] = error.field
    if isinstance(error, QuerySyntaxError):
        told["innererror"] = {"position": error.position}
    return {"error": told}


def _said(error: Exception, method: str) -> tuple[int, str]:
    """Status and message; what is no error of the product's own is written to the log."""
    match error:
        case Unavailable():
            return 503 if error.retry else 501, str(error)
        case TooLarge() if method not in _WRITES:
            return 400, str(error)  # the query asks for too much; 413 is for bodies
        case IntegrityError():
            return 409, "this collides with a change that was made at the same time"
        case OperationalError():
            log.warning("The database does not answer: %s", error)
            return 503, "the database does not answer just now; try again"
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status, str(error)
    log.error("A SensorThings request failed", exc_info=error)
    return 500, "Something is broken on our side; it is written to the log."


def _advice(error: Exception, method: str) -> tuple[tuple[str, str], ...]:
    """Headers that tell the client how to do better."""
    match error:
        case OperationalError() | Unavailable(retry=True):
            return (("retry-after", "5"),)
        case Unauthenticated():
            return (("www-authenticate", 'Bearer realm="Stadtherz", Basic realm="Stadtherz"'),)
        case UnsupportedMedia() if method == "PATCH":
            return (("accept-patch", ", ".join(changes.PATCHES)),)
        case MethodNotAllowed() | NotHere():
            return (("allow", ", ".join(error.allowed)),)
    return ()


# --- ASGI --------------------------------------------------------------------------------------------


def _turns() -> Turns:
    """PostgreSQL works for one question while we put the answer to another together."""
    return Turns(at_once=1 if on_sqlite() else 2)


@dataclass(frozen=True, slots=True)
class Application:
    """The ASGI application; `executor` runs the work on the database.

    `visibility_at_once` tells without the database who sends a request, or None if it cannot.
    """

    visibility_of: VisibilityOf
    executor: Executor
    visibility_at_once: VisibilityAtOnce = lambda _scope: None
    intake: Intake = field(default_factory=Intake)
    listeners: events.Door = field(default_factory=events.Door)
    turns: Turns = field(default_factory=_turns)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if events.wanted(scope):
            await self._tell(scope, receive, send)
            return
        answer = _of_its_version(await self._answer(scope, receive), scope)
        head = scope["method"] == "HEAD"
        if scope["method"] == "OPTIONS":
            await _send(_told_of(answer, scope), send, head=False)
        elif answer.more is None or head:
            await _send(answer, send, head=head)
        else:
            await self._stream(answer, answer.more, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        try:
            body = await _read(receive) if scope["method"] in _WRITES else b""
        except (TooLarge, Invalid) as error:
            return _translated(error, scope)
        posted = await self._posted(scope, body)
        if posted is not None:
            return posted
        if scope["method"] in _WRITES:  # who writes waits for the database, not for others
            return await self._in_thread(self._work, scope, body)
        async with self.turns.take():
            return await self._in_thread(self._work, scope, body)

    async def _in_thread(self, work: Callable[..., _T], *args: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self.executor, work, *args)

    async def _posted(self, scope: Scope, body: bytes) -> Answer | None:
        """The answer to a single Observation, for whose commit no thread waits; None if it is none."""
        if scope["method"] != "POST" or not _path(scope).endswith("/Observations"):
            return None
        try:
            post = self._post(scope, body)
            kept = None if post is None else await self.intake.keep(post.offer)
            if post is None or kept is None:
                return None
            if post.direct:
                return post.answer(kept)
            return await self._in_thread(_told, post, kept)
        except Exception as error:  # noqa: BLE001 - the translator, as above
            return _translated(error, scope)

    def _post(self, scope: Scope, body: bytes) -> posts.Post | None:
        visibility = self.visibility_at_once(scope)
        if visibility is None:
            return None
        urls, path = _address(scope)
        if urls.dataset:  # whether it is of this one the database knows
            return None
        return posts.read(path, scope, body, visibility, urls, now=now_us())

    async def _tell(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Changes of a query, until somebody has had enough."""

        def open_watch() -> events.Watch:
            urls, path = _address(scope)
            return watch(
                path, _query(scope, urls), urls, lambda: within(self.visibility_of(scope), urls)
            )

        telling = events.Telling(open_watch, lambda error: _said(error, "GET"), _ALWAYS)
        try:
            await self.listeners.answer(telling, scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the translator
            await _send(_translated(error, scope), send, head=False)

    async def _stream(
        self, answer: Answer, more: Iterator[bytes], receive: Receive, send: Send
    ) -> None:
        """Pieces as they are made, until there are no more or nobody is there to take them."""
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await send(_start(answer))
            piece: bytes | None = answer.body
            while piece is not None and not gone.done():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                async with self.turns.take():
                    piece = await self._in_thread(next, more, None)
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()

    def _work(self, scope: Scope, body: bytes) -> Answer:
        close_old_connections()
        return packed(handle(scope, body, self.visibility_of), scope)


def _told(post: posts.Post, kept: Kept) -> Answer:
    close_old_connections()
    return post.answer(kept)


def application(
    visibility_of: VisibilityOf, visibility_at_once: VisibilityAtOnce = lambda _scope: None
) -> Application:
    """An application with threads of its own."""
    executor = ThreadPoolExecutor(THREADS, thread_name_prefix="sta")
    return Application(visibility_of, executor, visibility_at_once)


async def _read(receive: Receive) -> bytes:
    """The body, given up as soon as it is too long."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Invalid("body", "ended early")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            raise TooLarge(f"the body is longer than {MAX_BODY} bytes")
        if not message.get("more_body", False):
            return b"".join(parts)


async def _disconnected(receive: Receive) -> None:
    """Ends when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _of_its_version(answer: Answer, scope: Scope) -> Answer:
    """OData 4.01 part 1 §8.1.5: every answer says by which version it is to be read."""
    if not _is_odata(scope):
        return answer
    return replace(answer, headers=(*answer.headers, ("odata-version", "4.01")))


def _told_of(answer: Answer, scope: Scope) -> Answer:
    """Status and headers, with what may be done. No content is announced that does not come (RFC 9110 §8.6)."""
    headers = answer.headers
    if answer.status == 200:
        headers = (*headers, ("allow", ", ".join(_methods_of(scope))))
    return replace(answer, body=b"", more=None, headers=headers)


def _start(answer: Answer) -> MutableMapping[str, Any]:
    headers = list(answer.headers)
    if answer.status not in (204, 304):
        if answer.body or answer.more is not None:
            headers.append(("content-type", answer.content_type))
        if answer.more is None:
            headers.append(("content-length", str(len(answer.body))))
    encoded = [*_ALWAYS_SENT, *map(_sent, headers)]
    return {"type": "http.response.start", "status": answer.status, "headers": encoded}


def _sent(header: tuple[str, str]) -> tuple[bytes, bytes]:
    name, value = header
    return name.encode(), value.encode("latin-1", "replace")


_ALWAYS_SENT = tuple(map(_sent, _ALWAYS))


async def _send(answer: Answer, send: Send, *, head: bool) -> None:
    await send(_start(answer))
    await send({"type": "http.response.body", "body": b"" if head else answer.body})
