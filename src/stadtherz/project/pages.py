"""Django's pages under WSGI, in threads that never wait for a client.

A page needs one of a few threads. So a body is read as a whole before a thread is taken, and what
the thread writes waits in memory for its reader: however slowly somebody sends or reads, the
threads stay free for everybody else.
"""

import asyncio

from a2wsgi import WSGIMiddleware

from stadtherz.project.admission import Message, Receive, Refusal, Scope, Send, refuse
from stadtherz.project.wsgi import application

THREADS = 8
LARGEST_BODY = 1024 * 1024  # forms; nothing is uploaded here
BODY_PATIENCE_S = 60.0
_METHODS = ("GET", "HEAD", "POST")
_UNLIMITED = 0

_threads = WSGIMiddleware(application, workers=THREADS, send_queue_size=_UNLIMITED)


class _Gone(Exception):
    """The client went away before its request was complete."""


async def pages(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request for a page."""
    if scope["method"] not in _METHODS:
        allowed = ", ".join(_METHODS)
        given = Refusal(405, f"Pages know only {allowed}.")
        await refuse(given, send, (b"allow", allowed.encode()))
        return
    try:
        async with asyncio.timeout(BODY_PATIENCE_S):
            body = await _whole_body(receive)
    except _Gone:
        return
    except TimeoutError:
        await refuse(Refusal(408, "The request took too long to arrive."), send)
        return
    if body is None:
        await refuse(Refusal(413, f"At most {LARGEST_BODY} bytes fit in a form."), send)
        return
    await _threads(scope, _only(body), send)


async def _whole_body(receive: Receive) -> bytes | None:
    """The request's body; None if it is too large."""
    parts: list[bytes] = []
    size = 0
    while size <= LARGEST_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if not message.get("more_body", False):
            return b"".join(parts) if size <= LARGEST_BODY else None
    return None


def _only(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
