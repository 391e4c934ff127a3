"""The thread that runs consumers: at once, each on its own, again after a failure."""

import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from stadtherz.store.public import LogSlice, append, cursor, log_end
from stadtherz.stream.dispatcher import _LAZINESS, Dispatcher, _has_news, _State
from stadtherz.stream.public import Consumer, consumers_at_end, start_dispatcher, stop_dispatcher
from stadtherz.stream.tests.cast import Notebook, consuming, datastream, reading

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _stopped_afterwards() -> Iterator[None]:
    yield
    stop_dispatcher()


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_a_new_reading_reaches_its_consumer() -> None:
    level, notebook = datastream(), Notebook()
    with consuming("notebook", notebook):
        start_dispatcher()
        append([reading(level, 1)])
        assert eventually(lambda: notebook.seen == [1])
        stop_dispatcher()


def test_a_failing_consumer_blocks_only_itself_and_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    level, notebook, attempts = datastream(), Notebook(), [0]

    def fail_twice(piece: LogSlice) -> None:
        attempts[0] += 1
        if attempts[0] < 3:
            raise ValueError("not yet")

    caplog.set_level(logging.CRITICAL)
    append([reading(level, 1)])
    with consuming("failing", fail_twice), consuming("notebook", notebook):
        start_dispatcher()
        assert eventually(lambda: notebook.seen == [1])
        assert eventually(lambda: attempts[0] == 3)
        stop_dispatcher()


def test_who_has_seen_everything_asks_the_database_for_nothing() -> None:
    level, notebook, dispatcher = datastream(), Notebook(), Dispatcher()
    with consuming("notebook", notebook):
        append([reading(level, 1)])
        while dispatcher._run_all(log_end()):
            pass
        end = log_end()
        with CaptureQueriesContext(connection) as asked:
            assert not dispatcher._run_all(end)
        assert list(asked) == []
        append([reading(level, 2)])
        assert dispatcher._run_all(log_end())
    assert notebook.seen == [1, 2]


@pytest.mark.parametrize("urgent", [True, False])
def test_what_is_urgent_does_not_wait_for_what_is_not(urgent: bool) -> None:
    level, hurried, patient = datastream(), Notebook(), Notebook()
    with consuming("hurried", hurried, urgent=True), consuming("patient", patient):
        append([reading(level, 1)])
        assert Dispatcher(urgent=urgent)._run_all(log_end())
    assert (hurried.seen, patient.seen) == (([1], []) if urgent else ([], [1]))


def test_starting_twice_runs_each_thread_once() -> None:
    start_dispatcher()
    start_dispatcher()
    names = [thread.name for thread in threading.enumerate()]
    assert (names.count("stream-dispatcher"), names.count("stream-urgent")) == (1, 1)
    stop_dispatcher()
    assert "stream-dispatcher" not in [thread.name for thread in threading.enumerate()]


def test_pauses_grow_up_to_half_a_minute() -> None:
    state, lengths = _State(), []
    for _ in range(10):
        state.prolong()
        lengths.append(state.pause)
    assert lengths[:3] == [0.2, 0.4, 0.8]
    assert lengths[-1] == 30


def test_a_cursor_moves_lazily_past_what_is_of_no_interest() -> None:
    level, state = datastream(), _State()
    bored = Consumer("bored", Notebook(), frozenset)
    append([reading(level, 0)])  # positions go on after those of other tests' readings
    consumers_at_end(["bored"])
    before = cursor("bored")
    append([reading(level, 1)])
    assert not _has_news(bored, state, log_end())
    assert cursor("bored") == before
    assert state.passed == log_end()
    append([reading(level, n) for n in range(_LAZINESS + 1)])
    assert _has_news(bored, state, log_end())
