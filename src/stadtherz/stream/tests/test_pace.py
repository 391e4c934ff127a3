"""A consumer with a long backlog holds nobody up for long, and does not dawdle either."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from stadtherz.store.public import LogSlice, append, stop_writer
from stadtherz.stream.consumers import LARGEST_SLICE, Pace, step
from stadtherz.stream.public import consumers_at_end, start_dispatcher, stop_dispatcher
from stadtherz.stream.tests.cast import Notebook, consuming, datastream, reading

pytestmark = pytest.mark.django_db(transaction=True)


def test_slices_shrink_while_steps_are_long_and_grow_again() -> None:
    pace = Pace()
    for _ in range(20):
        pace.adapt(took=1.0)
    smallest = pace.most
    assert 0 < smallest < LARGEST_SLICE / 10
    pace.adapt(took=0.1)
    assert pace.most == smallest
    for _ in range(20):
        pace.adapt(took=0.01)
    assert pace.most == LARGEST_SLICE


def test_a_step_takes_as_many_as_its_pace_says_and_loses_none() -> None:
    level, notebook = datastream(), Notebook()
    consumers_at_end(["notebook"])
    append([reading(level, n) for n in range(100)])
    with consuming("notebook", notebook) as consumer:
        assert step(consumer, wait=True, pace=Pace(30))
        assert notebook.seen == list(range(30))
        while step(consumer, wait=True, pace=Pace(30)):
            pass
    assert notebook.seen == list(range(100))


def test_uplinks_do_not_starve_beside_a_slow_consumer_with_a_backlog() -> None:
    level, slow = datastream(), Notebook()

    def handle(piece: LogSlice) -> None:
        time.sleep(0.001 * len(piece.columns))
        slow(piece)

    consumers_at_end(["slow"])
    append([reading(level, n) for n in range(20_000)])
    with consuming("slow", handle):
        start_dispatcher()
        try:
            with ThreadPoolExecutor(4) as pool:
                took = list(pool.map(lambda n: timed(level, n), range(40)))
        finally:
            stop_dispatcher()
    stop_writer()
    assert 0 < len(slow.seen) < 20_000  # it was at work all the time
    assert sorted(took)[len(took) // 2] < 2  # far below the door's patience, on any machine


def timed(level: int, number: int) -> float:
    began = time.monotonic()
    append([reading(level, number, key=f"uplink {number}")])
    return time.monotonic() - began
