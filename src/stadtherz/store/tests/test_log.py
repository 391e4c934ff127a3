"""The append log: every commit once, in order, and whoever waits is woken."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import Error, connection, connections
from django.test.utils import CaptureQueriesContext

from stadtherz.store.database import on_sqlite, run
from stadtherz.store.public import (
    append,
    cursor,
    delete_readings,
    log_after,
    log_end,
    move_cursor,
    move_cursors_to_end,
    wait_for_log,
)
from stadtherz.store.tests.factories import reading, stream, town

within = pytest.mark.django_db
alone = pytest.mark.django_db(transaction=True)


@within
def test_the_log_gives_readings_in_the_order_of_their_arrival() -> None:
    level, start = stream(), log_end()
    append([reading(level, 9, 1)])
    append([reading(level, 3, 2)])
    piece = log_after(start, 10)
    assert list(piece.columns.result) == [1, 2]
    assert piece.position == log_end()


@within
def test_the_log_is_read_in_pieces() -> None:
    level, position = stream(), log_end()
    append([reading(level, i, i) for i in range(5)])
    pieces = []
    while len((piece := log_after(position, 2)).columns):
        pieces.append(list(piece.columns.result))
        position = piece.position
    assert pieces == [[0, 1], [2, 3], [4]]


@within
def test_the_position_passes_readings_of_other_datastreams() -> None:
    owner = town()
    mine, other, start = stream(owner, name="a"), stream(owner, name="b"), log_end()
    append([reading(mine, 1, 1), reading(other, 1, 2)])
    piece = log_after(start, 10, streams=frozenset({mine}))
    assert list(piece.columns.result) == [1]
    assert piece.position == log_end()
    assert log_after(start, 10, streams=frozenset()).position == log_end()


@within
def test_a_repetition_does_not_appear_in_the_log() -> None:
    level = stream()
    append([reading(level, key="a")])
    end = log_end()
    append([reading(level, key="a")])
    assert log_after(end, 10).position == end


@within
def test_deleted_readings_leave_the_log() -> None:
    level, start = stream(), log_end()
    first, _ = append([reading(level, 1, 1), reading(level, 2, 2)])
    delete_readings([first.id])
    assert list(log_after(start, 10).columns.result) == [2]


@alone
def test_a_reader_beside_many_writers_misses_nothing() -> None:
    level, position = stream(), log_end()
    with ThreadPoolExecutor(4) as pool:
        written = [pool.submit(append, [reading(level, i, i)]) for i in range(100)]
        seen: list[float] = []
        while len(seen) < 100:
            assert wait_for_log(position, 10)
            piece = log_after(position, 7)
            seen += list(piece.columns.result)
            position = piece.position
        assert all(future.result() for future in written)
    assert sorted(seen) == list(range(100))


@alone
def test_a_commit_wakes_who_waits() -> None:
    level, end = stream(), log_end()
    woken: list[float] = []

    def wait() -> None:
        assert wait_for_log(end, 20)
        woken.append(time.monotonic())
        connections.close_all()

    thread = threading.Thread(target=wait)
    thread.start()
    append([reading(level)])
    committed = time.monotonic()
    thread.join()
    assert woken[0] - committed < 5


@alone
def test_waiting_ends_at_its_time() -> None:
    assert not wait_for_log(log_end(), 0.05)


@alone
def test_who_waits_asks_the_database_only_when_something_was_written() -> None:
    if not on_sqlite():
        pytest.skip("PostgreSQL wakes who waits")
    with CaptureQueriesContext(connection) as once:
        end = log_end()
    with CaptureQueriesContext(connection) as asked:
        assert not wait_for_log(end, 0.5)
    assert len(asked) == 2 * len(once)  # when it begins, and when its time is over


@alone
def test_what_another_process_writes_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stadtherz.store.writing.writer.notify_log", lambda: None)
    level, end = stream(), log_end()
    with ThreadPoolExecutor(1) as pool:
        heard = pool.submit(_heard, end)
        append([reading(level)])
        assert heard.result()


def _heard(end: int) -> bool:
    try:
        return wait_for_log(end, 60)
    finally:
        connections.close_all()


@within
def test_a_cursor_remembers_where_a_consumer_is() -> None:
    assert cursor("alerts") is None
    move_cursor("alerts", 5)
    move_cursor("alerts", 7)
    assert cursor("alerts") == 7


@within
def test_cursors_can_skip_what_is_there() -> None:
    append([reading(stream())])
    move_cursors_to_end(["a", "b"])
    assert cursor("a") == cursor("b") == log_end()


@alone
def test_who_waits_hears_of_a_lost_connection_as_of_any_fault_of_the_database() -> None:
    if on_sqlite():
        pytest.skip("SQLite has no connection that could be lost")
    outcome: list[BaseException] = []

    def wait() -> None:
        try:
            wait_for_log(log_end(), 20)
        except Error as error:
            outcome.append(error)
        finally:
            connections.close_all()

    waiting = threading.Thread(target=wait)
    waiting.start()
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    while waiting.is_alive():
        run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
        waiting.join(0.1)
    assert len(outcome) == 1
