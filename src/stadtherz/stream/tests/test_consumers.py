"""Consumers get every reading once and in order, and move their cursor with their effects."""

import threading

import pytest
from django.db import connections

from stadtherz.base.errors import Conflict
from stadtherz.store.public import LogSlice, Selection, append, cursor, log_end, select
from stadtherz.stream.consumers import step
from stadtherz.stream.public import Consumer, consumers_at_end, drain, register
from stadtherz.stream.tests.cast import Notebook, consuming, datastream, reading

within = pytest.mark.django_db
alone = pytest.mark.django_db(transaction=True)


@within
def test_a_consumer_gets_every_reading_once_and_in_order() -> None:
    level, notebook = datastream(), Notebook()
    with consuming("notebook", notebook):
        append([reading(level, n) for n in (3, 1, 2)])
        drain()
        append([reading(level, 4)])
        drain()
        drain()
    assert notebook.seen == [3, 1, 2, 4]
    assert cursor("notebook") == log_end()


@within
def test_a_long_log_comes_in_slices() -> None:
    level, sizes = datastream(), []
    append([reading(level, n) for n in range(1200)])
    with consuming("sizes", lambda piece: sizes.append(len(piece.columns))):
        drain()
    assert sizes == [500, 500, 200]


@within
def test_a_consumer_sees_only_the_datastreams_it_asks_for() -> None:
    mine, other, notebook = datastream("a"), datastream("b"), Notebook()
    append([reading(mine, 1), reading(other, 2)])
    with consuming("notebook", notebook, lambda: frozenset({mine})):
        drain()
    assert notebook.seen == [1]
    assert cursor("notebook") == log_end()


@within
def test_nothing_of_interest_does_not_call_the_handler() -> None:
    append([reading(datastream(), 1)])
    calls: list[LogSlice] = []
    with consuming("idle", calls.append, frozenset):
        drain()
    assert calls == []
    assert cursor("idle") == log_end()


@within
def test_a_consumer_can_skip_the_history() -> None:
    level, notebook = datastream(), Notebook()
    append([reading(level, 1)])
    with consuming("notebook", notebook):
        consumers_at_end(["notebook"])
        append([reading(level, 2)])
        drain()
    assert notebook.seen == [2]


@within
def test_two_consumers_cannot_share_a_name() -> None:
    with consuming("notebook", Notebook()) as first:
        register(first)
        with pytest.raises(Conflict):
            register(Consumer("notebook", Notebook()))


@alone
def test_a_failed_slice_leaves_no_effect_and_comes_again() -> None:
    source, target = datastream("a"), datastream("b")
    append([reading(source, 1)])
    fails = [True]

    def derive(piece: LogSlice) -> None:
        append([reading(target, n * 10) for n in piece.columns.result])
        if fails.pop() if fails else False:
            raise ValueError

    with consuming("derive", derive, lambda: frozenset({source})):
        with pytest.raises(ValueError):  # noqa: PT011
            drain()
        assert len(select(Selection(frozenset({target})))) == 0
        drain()
    assert list(select(Selection(frozenset({target}))).result) == [10]


@alone
def test_two_processes_never_run_a_consumer_at_once() -> None:
    source, target = datastream("a"), datastream("b")
    append([reading(source, n) for n in range(30)])

    def derive(piece: LogSlice) -> None:
        append([reading(target, n) for n in piece.columns.result])

    consumer = Consumer("derive", derive, lambda: frozenset({source}))

    def work() -> None:
        while step(consumer, wait=True):
            pass
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(select(Selection(frozenset({target}))).result) == list(range(30))
