"""Pages run in few threads; what comes in is read before one of them is taken."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from stadtherz.project import pages


def asked(method: str, parts: Iterable[bytes] = (b"",), *, ends: bool = True) -> Any:
    """The start of the answer, or None; a client that goes away sends no last part."""
    waiting = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    waiting += [{"type": "http.request", "body": b""} if ends else {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": "/healthz",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    asyncio.run(pages.pages(scope, receive, send))
    return sent[0] if sent else None


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "OPTIONS", "PROPFIND"])
def test_pages_know_three_methods(method: str) -> None:
    answer = asked(method)
    assert answer["status"] == 405
    assert (b"allow", b"GET, HEAD, POST") in answer["headers"]


def test_a_body_that_is_too_large_is_given_up() -> None:
    part = b"x" * (pages.LARGEST_BODY // 2 + 1)
    assert asked("POST", [part, part, part])["status"] == 413


def test_a_client_that_goes_away_takes_no_thread() -> None:
    assert asked("POST", [b"a="], ends=False) is None


def test_a_body_that_never_ends_takes_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "BODY_PATIENCE_S", 0.05)

    async def never() -> Any:
        await asyncio.sleep(60)

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(pages.pages({"method": "POST", "headers": []}, never, send))
    assert sent[0]["status"] == 408
