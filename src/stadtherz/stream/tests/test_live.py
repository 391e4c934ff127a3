"""News for live pages: what is committed from now on, for as many as listen."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from stadtherz.store.public import Columns, append
from stadtherz.stream.live import _BACKLOG, _Listener
from stadtherz.stream.public import growth, listen, nudge
from stadtherz.stream.tests.cast import datastream, reading

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quiet_tail")]


async def take(news: AsyncIterator[Columns], number: int) -> list[float]:
    seen: list[float] = []
    while len(seen) < number:
        seen += list((await asyncio.wait_for(anext(news), 20)).result)
    return seen


async def keep(stream: int, *numbers: float) -> None:
    await asyncio.to_thread(append, [reading(stream, n) for n in numbers])


def test_every_listener_hears_what_is_committed_from_now_on() -> None:
    level = datastream()
    append([reading(level, 1)])

    async def scene() -> list[list[float]]:
        async with listen() as first, listen() as second:
            await keep(level, 2, 3)
            await keep(level, 4)
            return [await take(first, 3), await take(second, 3)]

    assert asyncio.run(scene()) == [[2, 3, 4], [2, 3, 4]]


def test_listening_works_again_after_everybody_left() -> None:
    level = datastream()

    async def scene(number: float) -> list[float]:
        async with listen() as news:
            await keep(level, number)
            return await take(news, 1)

    assert [asyncio.run(scene(n)) for n in (1, 2)] == [[1], [2]]


def test_a_slow_listener_loses_the_oldest_news() -> None:
    async def scene() -> int:
        listener = _Listener()
        for number in range(_BACKLOG + 3):
            listener._put(number)  # type: ignore[arg-type]
        return await anext(aiter(listener))  # type: ignore[return-value]

    assert asyncio.run(scene()) == 3


def test_who_reads_the_log_himself_is_woken_when_it_grows_and_when_nudged() -> None:
    level = datastream()

    async def scene() -> None:
        async with growth() as grown, asyncio.timeout(20):
            assert not grown.is_set()
            await keep(level, 1)
            await grown.wait()
            grown.clear()
            await asyncio.to_thread(nudge)
            await grown.wait()

    asyncio.run(scene())
