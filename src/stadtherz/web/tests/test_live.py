"""The live stream: who hears what, how much, and how it ends."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from stadtherz.alerts.news import tell
from stadtherz.base.errors import Unauthenticated
from stadtherz.base.time import Period
from stadtherz.base.visibility import ANONYMOUS, SYSTEM, Visibility
from stadtherz.store.public import Reading, append
from stadtherz.stream.public import close_live_streams
from stadtherz.web import live
from stadtherz.web.tests.web_cast import NOON, stream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet_tail")]


class Reader:
    """A browser at the other end: asks, collects what is sent, and leaves when told."""

    def __init__(self, query: str, *, method: str = "GET") -> None:
        self.scope = {
            "type": "http",
            "method": method,
            "path": "/live",
            "query_string": query.encode(),
            "headers": [],
            "client": ("192.0.2.1", 1),
        }
        self.messages: list[dict[str, Any]] = []
        self.left = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.messages.append(dict(message))

    @property
    def status(self) -> int | None:
        return self.messages[0]["status"] if self.messages else None

    @property
    def text(self) -> str:
        return b"".join(m.get("body", b"") for m in self.messages[1:]).decode()

    async def until(self, seen: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not seen():  # noqa: ASYNC110 - the one who is waited for knows no event
                await asyncio.sleep(0.01)


def read(stream_id: int, number: float) -> None:
    append([Reading(stream_id, Period(NOON), number)])


async def listen(reader: Reader, visibility: Visibility = ANONYMOUS, **options: Any) -> None:
    await live.application(lambda _scope: visibility, **options)(
        reader.scope, reader.receive, reader.send
    )


async def heard(reader: Reader, readings: dict[int, float], wanted: int) -> list[dict[str, Any]]:
    """Listen, commit the readings, and return the events once `wanted` of them arrived."""
    task = asyncio.create_task(listen(reader))
    await reader.until(lambda: "retry" in reader.text)
    await asyncio.sleep(0.3)
    for key, number in readings.items():
        await asyncio.to_thread(read, key, number)
    await reader.until(lambda: reader.text.count("event: reading") >= wanted)
    reader.left.set()
    await task
    lines = [line for line in reader.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def test_a_page_hears_its_streams_and_no_others() -> None:
    level, other = stream(), stream(town="otterbach")

    async def scene() -> list[dict[str, Any]]:
        return await heard(Reader(f"streams={level}"), {other: 1.0, level: 2.0}, 1)

    assert asyncio.run(scene()) == [
        {"stream": level, "time": "2026-11-25T11:00:00Z", "result": 2.0}
    ]


def test_what_is_not_public_stays_silent_for_strangers() -> None:
    public, hidden = stream(), stream(access="organisation", town="otterbach")

    async def scene() -> list[dict[str, Any]]:
        return await heard(Reader(f"streams={hidden},{public}"), {hidden: 1.0, public: 2.0}, 1)

    assert [event["stream"] for event in asyncio.run(scene())] == [public]


def test_streams_nobody_may_see_do_not_exist() -> None:
    hidden = stream(access="organisation")

    async def scene() -> Reader:
        reader = Reader(f"streams={hidden},999999")
        await listen(reader)
        return reader

    assert asyncio.run(scene()).messages[0]["status"] == 404


@pytest.mark.parametrize(
    ("query", "method", "status"),
    [
        ("", "GET", 400),
        ("streams=one", "GET", 400),
        ("streams=-1", "GET", 400),
        ("streams=" + "9" * 30, "GET", 400),
        ("streams=" + ",".join(["1"] * 201), "GET", 413),
        ("streams=1", "POST", 400),
    ],
)
def test_a_bad_question_gets_a_short_answer(query: str, method: str, status: int) -> None:
    async def scene() -> Reader:
        reader = Reader(query, method=method)
        await listen(reader)
        return reader

    reader = asyncio.run(scene())
    assert reader.status == status
    assert reader.text.strip()


def test_a_bad_token_is_refused() -> None:
    def nobody(_scope: Any) -> Visibility:
        raise Unauthenticated("unknown token")

    async def scene() -> Reader:
        reader = Reader("streams=1")
        await live.application(nobody)(reader.scope, reader.receive, reader.send)
        return reader

    assert asyncio.run(scene()).status == 401


def test_streams_end_when_the_server_stops() -> None:
    level = stream()

    async def scene() -> Reader:
        reader = Reader(f"streams={level}")
        task = asyncio.create_task(listen(reader, SYSTEM))
        await reader.until(lambda: "retry" in reader.text)
        close_live_streams()
        async with asyncio.timeout(10):
            await task
        return reader

    last = asyncio.run(scene()).messages[-1]
    assert last == {"type": "http.response.body", "body": b""}


def test_only_the_newest_of_a_batch_is_told() -> None:
    level = stream()

    async def scene() -> list[dict[str, Any]]:
        reader = Reader(f"streams={level}")
        task = asyncio.create_task(listen(reader))
        await reader.until(lambda: "retry" in reader.text)
        await asyncio.sleep(0.3)
        batch = [Reading(level, Period(NOON + i), float(i)) for i in (3, 1, 2)]
        await asyncio.to_thread(append, batch)
        await reader.until(lambda: "event: reading" in reader.text)
        reader.left.set()
        await task
        return [json.loads(line[6:]) for line in reader.text.splitlines() if line[:5] == "data:"]

    assert [event["result"] for event in asyncio.run(scene())] == [3.0]


async def rung(query: str, visibility: Visibility, public: list[bool]) -> str:
    """What a page has heard after alerts have changed, the last of them a public one."""
    reader = Reader(query)
    task = asyncio.create_task(listen(reader, visibility))
    await reader.until(lambda: "retry" in reader.text)
    await asyncio.sleep(0.3)
    for each in public:
        await asyncio.to_thread(tell, public=each)
        await asyncio.sleep(0.3)
    await reader.until(lambda: "event: " in reader.text)
    reader.left.set()
    await task
    return reader.text


def test_a_page_is_told_that_a_public_warning_has_changed_and_nothing_more() -> None:
    text = asyncio.run(rung("warnings=1", ANONYMOUS, [False, True]))
    assert text.count("event: ") == 1
    assert "event: warning\ndata: {}" in text


def test_the_bell_of_staff_rings_for_staff_only() -> None:
    staff = Visibility(actor="user:1", organisations=frozenset({1}))
    assert "event: alert" in asyncio.run(rung("alerts=1", staff, [False]))
    text = asyncio.run(rung("alerts=1&warnings=1", ANONYMOUS, [False, True]))
    assert "event: alert" not in text


def test_who_may_hear_nothing_gets_no_line() -> None:
    reader = Reader("alerts=1")
    asyncio.run(listen(reader))
    assert reader.status == 404
