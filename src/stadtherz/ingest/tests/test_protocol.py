"""Clients that stop in the middle, and faults of our own: an answer where somebody listens."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from stadtherz.base.visibility import Visibility
from stadtherz.ingest import public
from stadtherz.ingest.doors import http

Message = dict[str, Any]


@pytest.fixture(autouse=True)
def _stopped() -> Any:
    yield
    public.stop()


def speak(
    receive: Callable[[], Awaitable[Message]], visibility_of: Callable[[Any], Visibility]
) -> list[Message]:
    """What the door sends to a client of whom it hears what `receive` gives."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "path": "/ingest/tts",
        "method": "POST",
        "query_string": b"",
        "headers": [(b"authorization", b"Bearer town")],
    }
    asyncio.run(public.application(visibility_of)(scope, receive, send))
    return sent


async def silence() -> Message:
    await asyncio.sleep(60)
    return {"type": "http.disconnect"}


async def empty() -> Message:
    return {"type": "http.request", "body": b""}


async def hang_up() -> Message:
    return {"type": "http.disconnect"}


def town(scope: Any) -> Visibility:
    return Visibility(home=1)


def test_a_client_that_never_finishes_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_BODY_PATIENCE_S", 0.01)
    assert speak(silence, town)[0]["status"] == 408


def test_a_client_that_hung_up_is_told_nothing() -> None:
    assert speak(hang_up, town) == []


def test_a_fault_of_our_own_is_told_as_a_reason_to_try_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(scope: Any) -> Visibility:
        raise RuntimeError("a fault")

    start, body = speak(empty, broken)
    assert start["status"] == 503
    assert (b"retry-after", b"10") in start["headers"]
    assert b"a fault" not in body["body"]
    assert "a fault" in caplog.text
    assert "Bearer" not in caplog.text
