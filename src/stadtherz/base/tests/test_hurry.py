"""Who has to warn people goes first, and the others get their turn all the same."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from stadtherz.base import hurry as module
from stadtherz.base.hurry import (
    LONGEST,
    RightOfWay,
    calm_down,
    give_way,
    give_way_in_loop,
    hurry,
)
from stadtherz.base.tests.right_of_way import way

__all__ = ["way"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the only clock that counts."""
    now = [100.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def later(seconds: float) -> None:
        now[0] += seconds

    return later


def _beside(other: Callable[[], None], meanwhile: Callable[[], None]) -> None:
    """Run `other` in a thread of its own, and `meanwhile` here once it runs."""
    begun = threading.Event()

    def run() -> None:
        begun.set()
        other()

    with ThreadPoolExecutor(1) as pool:
        ran = pool.submit(run)
        begun.wait()
        meanwhile()
        ran.result()


def _a_moment() -> None:
    time.sleep(0.05)  # in which a thread that does not give way gets far


def test_a_thread_that_gives_way_waits_until_people_are_told(way: RightOfWay) -> None:
    order = []

    def other() -> None:
        way.wait()
        order.append("uplink")

    def meanwhile() -> None:
        _a_moment()
        order.append("told")
        way.give_back()

    way.take()
    _beside(other, meanwhile)
    assert order == ["told", "uplink"]


def test_an_event_loop_goes_on_while_what_it_does_gives_way(way: RightOfWay) -> None:
    order: list[str] = []

    async def uplink() -> None:
        await way.wait_in_loop()
        order.append("uplink")

    async def all_of_it() -> None:
        way.take()
        waiting = [asyncio.create_task(uplink()) for _ in range(3)]
        await asyncio.sleep(0.05)
        order.append("the loop goes on")
        await asyncio.to_thread(way.give_back)
        await asyncio.gather(*waiting)

    asyncio.run(all_of_it())
    assert order == ["the loop goes on", "uplink", "uplink", "uplink"]


def test_nobody_waits_where_nobody_hurries(way: RightOfWay) -> None:
    give_way()
    asyncio.run(give_way_in_loop())
    assert way.rest() == 0


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", 0.01)
    way = RightOfWay()
    way.take()
    way.wait()
    asyncio.run(way.wait_in_loop())
    assert way.rest() == 0


def test_who_comes_later_waits_only_for_what_is_left(clock: Callable[[float], None]) -> None:
    way = RightOfWay()
    way.take()
    assert way.rest() == LONGEST
    clock(LONGEST - 0.05)
    assert way.rest() == pytest.approx(0.05)
    clock(0.05)
    assert way.rest() == 0


def test_after_a_long_hurry_the_others_have_as_long_for_themselves(
    clock: Callable[[float], None],
) -> None:
    way = RightOfWay()
    way.take()
    clock(10 * LONGEST)
    way.give_back()
    way.take()
    assert way.rest() == 0
    way.give_back()
    clock(LONGEST + 0.01)
    way.take()
    assert way.rest() == LONGEST


def test_many_short_ones_in_a_row_take_half_of_the_time_at_most(
    clock: Callable[[float], None],
) -> None:
    way, went_first = RightOfWay(), 0.0
    for _ in range(1000):
        way.take()
        went_first += 0.04 if way.rest() else 0.0
        clock(0.04)
        way.give_back()
    assert 0.4 < went_first / 40 < 0.6


def test_of_several_in_a_hurry_the_last_one_lets_the_others_go(
    clock: Callable[[float], None],
) -> None:
    way = RightOfWay()
    way.take()
    way.take()
    way.give_back()
    assert way.rest() == LONGEST
    way.give_back()
    assert way.rest() == 0


def test_a_hurry_ends_when_it_waits_for_an_answer_and_within_another_it_changes_nothing(
    way: RightOfWay,
) -> None:
    with hurry():
        with hurry():
            assert way.rest()
        assert way.rest()
        calm_down()
        assert way.rest() == 0
        calm_down()
    assert way.rest() == 0
    with hurry():
        assert way.rest()


def test_whatever_goes_wrong_in_a_hurry_ends_it(way: RightOfWay) -> None:
    with pytest.raises(ValueError, match="a gateway"), hurry():
        raise ValueError("a gateway")
    assert way.rest() == 0
