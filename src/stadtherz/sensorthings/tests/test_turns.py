"""Who may compute: one after the other, unless somebody takes long."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from stadtherz.sensorthings.doors.turns import Turns

_NEVER_S = 3600.0


async def _noted(turns: Turns, log: list[str], name: str, *, breaths: int = 3) -> None:
    async with turns.take():
        log.append(f"{name} begins")
        for _ in range(breaths):
            await asyncio.sleep(0)
        log.append(f"{name} ends")


def _run(work: Callable[[], Awaitable[None]]) -> None:
    async def within_a_minute() -> None:
        await asyncio.wait_for(work(), 60)

    asyncio.run(within_a_minute())


def test_questions_are_answered_one_after_the_other_in_the_order_they_came() -> None:
    log: list[str] = []

    async def work() -> None:
        turns = Turns(lasts_s=_NEVER_S)
        await asyncio.gather(*(_noted(turns, log, name) for name in "abc"))

    _run(work)
    assert log == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]


def test_two_at_once_are_two() -> None:
    log: list[str] = []

    async def work() -> None:
        turns = Turns(at_once=2, lasts_s=_NEVER_S)
        await asyncio.gather(*(_noted(turns, log, name) for name in "abc"))

    _run(work)
    assert log[:2] == ["a begins", "b begins"]
    assert log.index("c begins") > log.index("a ends")


def test_one_that_takes_long_lets_the_next_begin_beside_it() -> None:
    async def work() -> None:
        turns, other_came = Turns(lasts_s=0.001), asyncio.Event()

        async def slow() -> None:
            async with turns.take():
                await other_came.wait()

        async def quick() -> None:
            async with turns.take():
                other_came.set()

        await asyncio.gather(slow(), quick())

    _run(work)


def test_one_that_took_long_gives_its_turn_back_only_once() -> None:
    log: list[str] = []

    async def work() -> None:
        turns = Turns(lasts_s=0.001)
        async with turns.take(), turns.take():  # begins when the first has lasted its time
            pass
        turns._lasts_s = _NEVER_S  # from now on, so that nothing depends on the machine
        await asyncio.gather(*(_noted(turns, log, name) for name in "ab"))

    _run(work)
    assert log == ["a begins", "a ends", "b begins", "b ends"]


def test_an_error_gives_the_turn_back() -> None:
    log: list[str] = []

    async def work() -> None:
        turns = Turns(lasts_s=_NEVER_S)
        with pytest.raises(ValueError, match="broken"):
            async with turns.take():
                raise ValueError("broken")
        await _noted(turns, log, "a")

    _run(work)
    assert log == ["a begins", "a ends"]


def test_who_stops_waiting_takes_no_turn() -> None:
    log: list[str] = []

    async def work() -> None:
        turns = Turns(lasts_s=_NEVER_S)
        async with turns.take():
            waiting = asyncio.ensure_future(_noted(turns, log, "a"))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        await _noted(turns, log, "b")

    _run(work)
    assert log == ["b begins", "b ends"]
