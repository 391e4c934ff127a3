"""Whatever is done to the store in whatever order, it agrees with a plain row table.

Many more examples: `STADTHERZ_MODEL_EXAMPLES=2000 pytest src/stadtherz/store/tests/test_model.py`.
"""

import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from stadtherz.base.errors import Invalid
from stadtherz.base.expressions import And
from stadtherz.base.visibility import SYSTEM
from stadtherz.sql.public import beyond
from stadtherz.sql.tests.evaluate import value_of
from stadtherz.store import chunks, merge, public, seal, tend, view
from stadtherz.store.care import check
from stadtherz.store.database import database
from stadtherz.store.public import (
    NONE,
    Bucketing,
    Columns,
    Reading,
    Receipt,
    Selection,
    append,
    buckets,
    by_id,
    correct,
    count,
    delete,
    delete_readings,
    extents,
    feature_for,
    latest,
    log_after,
    log_end,
    select,
)
from stadtherz.store.tests.factories import stream, town
from stadtherz.store.tests.oracle import draws
from stadtherz.store.tests.oracle.table import RowTable, total

EXAMPLES = int(os.environ.get("STADTHERZ_MODEL_EXAMPLES", "25"))
_towns = iter(range(1_000_000))

# Hypothesis names the strategy of all trees when a story fails: long, but harmless.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


def plainly(columns: Columns) -> list[dict[str, Any]]:
    """The readings one by one; equal numbers and truths stay apart."""
    names = [name for name in Columns.__slots__ if getattr(columns, name) is not None]
    lists = {name: list(getattr(columns, name)) for name in names}
    rows = []
    for place in range(len(columns)):
        row = {name: lists[name][place] for name in names}
        rows.append({name: _plain(value) for name, value in row.items() if value is not None})
    return rows


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return (type(value).__name__, value) if isinstance(value, bool) else value


def agree(found: Columns, expected: Columns) -> None:
    assert plainly(found) == plainly(expected)
    if len(expected):
        assert found.result.dtype == expected.result.dtype
        assert (found.parameters is None) == (expected.parameters is None)
        assert (found.result_quality is None) == (expected.result_quality is None)


class Machine(RuleBasedStateMachine):
    """Does the same to the store and to the oracle, and asks both."""

    def __init__(self) -> None:
        super().__init__()
        self.owner = town(f"town{next(_towns)}")
        self.streams = [stream(self.owner, name=f"s{i}") for i in range(draws.STREAMS)]
        feature = feature_for(self.streams[0])
        assert feature is not None
        self.feature = feature
        self.oracle = RowTable()
        self.oracle.create()
        self.position = log_end()
        self.logged: list[int] = []
        self.made = draws.STREAMS

    # --- writing ---------------------------------------------------------------------------------

    def reading(self, place: int, values: dict[str, Any]) -> Reading:
        feature = self.feature if values.get("feature") else None
        return Reading(self.streams[place], **{**values, "feature": feature})

    def write(self, rows: list[tuple[int, dict[str, Any]]]) -> None:
        readings = [self.reading(place, values) for place, values in rows]
        self.oracle.append(readings, append(readings))

    @rule(rows=st.lists(draws.drawn, max_size=6))
    def append_batch(self, rows: list[tuple[int, dict[str, Any]]]) -> None:
        self.write(rows)

    @rule(place=draws.places, series=draws.series, keyed=st.booleans(), timed=st.booleans())
    def append_series(
        self, place: int, series: list[tuple[int, float]], keyed: bool, timed: bool
    ) -> None:
        readings = [
            Reading(
                self.streams[place],
                draws.Period(time),
                number,
                result_time=time + 1 if timed else None,
                key=f"at {time}" if keyed else None,
            )
            for time, number in series
        ]
        receipts = public.append_columns(_columns(readings))
        pairs = zip(receipts.ids.tolist(), receipts.duplicates.tolist(), strict=True)
        self.oracle.append(readings, [Receipt(*pair) for pair in pairs])

    @rule(place=st.integers(0, 40), where=draws.places, values=draws.anything)
    def correct_one(self, place: int, where: int, values: dict[str, Any]) -> None:
        ids = self.oracle.ids()
        if place < len(ids):
            changed = self.reading(where, {**values, "key": None})
            correct(ids[place], changed)
            self.oracle.correct(ids[place], changed)

    @rule(places=st.sets(st.integers(0, 40), max_size=4))
    def delete_some(self, places: set[int]) -> None:
        ids = [identity for i, identity in enumerate(self.oracle.ids()) if i in places]
        gone = delete_readings([*ids, 2**62])
        assert gone == self.oracle.delete_readings(ids)

    @rule(place=st.none() | draws.places, asked=draws.conditions)
    def delete_selected(self, place: int | None, asked: draws.Asked) -> None:
        streams = frozenset(self.streams if place is None else [self.streams[place]])
        selection = Selection(streams, where=asked(self.streams, self.feature))
        assert public.delete_where(selection) == self.oracle.delete_where(selection)

    @rule(place=draws.places)
    def delete_a_stream(self, place: int) -> None:
        gone = self.streams[place]
        delete("Datastream", gone, SYSTEM)
        self.oracle.delete_stream(gone)
        self.streams[place] = stream(self.owner, name=f"s{self.made}")
        self.made += 1
        assert len(select(Selection(frozenset([gone])))) == 0
        assert extents([gone]) == {}

    # --- what must not be seen -------------------------------------------------------------------

    @rule()
    def seal(self) -> None:
        public.seal()

    @rule(steps=st.integers(0, 2))
    def begin_to_seal(self, steps: int) -> None:
        left = iter([False] * steps)
        public.seal(until=lambda: next(left, True))

    @rule()
    def tend(self) -> None:
        public.tend()

    @rule()
    def start_again(self) -> None:
        view.forget()

    @rule(
        rows=st.lists(draws.drawn, min_size=1, max_size=3),
        places=st.sets(st.integers(0, 10), max_size=2),
        sealed=st.booleans(),
    )
    def change_their_mind(
        self, rows: list[tuple[int, dict[str, Any]]], places: set[int], sealed: bool
    ) -> None:
        with transaction.atomic():
            self.write(rows)
            self.everything_agrees()
            self.delete_some(places)
            if sealed:
                public.seal()
            self.everything_agrees()
            transaction.set_rollback(True)

    # --- asking ----------------------------------------------------------------------------------

    def selection(
        self, place: int | None, asked: draws.Asked, order: Any, **page: Any
    ) -> Selection:
        streams = self.streams if place is None else [self.streams[place]]
        where = asked(self.streams, self.feature)
        return Selection(frozenset(streams), where, order, **page)

    @rule(
        place=st.none() | draws.places,
        asked=draws.questions,
        order=draws.orders,
        limit=st.none() | st.integers(0, 10),
        skip=st.integers(0, 5),
    )
    def ask(self, place: int | None, asked: draws.Asked, order: Any, limit: Any, skip: int) -> None:
        selection = self.selection(place, asked, order, limit=limit, skip=skip)
        try:
            expected = self.oracle.select(selection)
        except Invalid:
            return
        agree(select(selection), expected)
        assert count(selection) == self.oracle.count(selection)

    @rule(
        place=st.none() | draws.places,
        asked=draws.conditions,
        order=draws.orders,
        size=st.integers(2, 9),
    )
    def turn_pages(self, place: int | None, asked: draws.Asked, order: Any, size: int) -> None:
        first = self.selection(place, asked, order, limit=size)
        whole = plainly(self.oracle.select(replace(first, limit=None)))
        terms = total(order)
        read: list[dict[str, Any]] = []
        page = select(first)
        while len(page) == size and len(read) <= len(whole):
            read += plainly(page)
            behind = beyond(terms, [value_of(term.by, _last(page)) for term in terms])
            page = select(replace(first, where=And((first.where, behind))))
        assert read + plainly(page) == whole

    @rule(asked=draws.conditions, size=st.integers(1, 9))
    def scan(self, asked: draws.Asked, size: int) -> None:
        selection = self.selection(None, asked, ())
        pieces = list(public.scan(selection, size=size))
        expected = plainly(self.oracle.select(selection))
        expected.sort(key=lambda row: (row["datastream"], row["phenomenon_start"], row["id"]))
        assert [row for piece in pieces for row in plainly(piece)] == expected

    @rule(places=st.sets(st.integers(0, 60), max_size=6))
    def ask_by_id(self, places: set[int]) -> None:
        ids = [identity for i, identity in enumerate(self.oracle.ids()) if i in places]
        agree(by_id([*ids, 0, 2**62]), self.oracle.by_id(ids))

    @rule(
        place=draws.places,
        width=st.sampled_from(list(Bucketing)),
        zone=st.sampled_from(["Europe/Berlin", "UTC", "Asia/Kathmandu"]),
        start=st.none() | draws.times,
        end=st.none() | draws.times,
    )
    def ask_for_buckets(
        self, place: int, width: Bucketing, zone: str, start: int | None, end: int | None
    ) -> None:
        of = self.streams[place]
        held = self.oracle.buckets(of, width, zone, start=start, end=end)
        found = buckets(of, width, zone, start=start, end=end, quantiles=(0.1, 0.5))
        assert found.start.tolist() == [bucket.start for bucket in held]
        assert found.count.tolist() == [len(bucket.numbers) for bucket in held]
        assert found.minimum.tolist() == [min(bucket.numbers) for bucket in held]
        assert found.maximum.tolist() == [max(bucket.numbers) for bucket in held]
        assert found.first.tolist() == [bucket.numbers[0] for bucket in held]
        assert found.last.tolist() == [bucket.numbers[-1] for bucket in held]
        assert found.total == pytest.approx([sum(bucket.numbers) for bucket in held])
        assert found.mean == pytest.approx([np.mean(bucket.numbers) for bucket in held])
        for share, values in found.quantiles.items():
            assert values == pytest.approx([bucket.quantile(share) for bucket in held])

    # --- what holds at any time ------------------------------------------------------------------

    @invariant()
    def everything_agrees(self) -> None:
        own = frozenset(self.streams)
        agree(select(Selection(own)), self.oracle.select(Selection(own)))
        agree(latest(own), self.oracle.latest(own))
        assert extents(own) == self.oracle.extents(own)

    @invariant()
    def the_log_gives_each_reading_once(self) -> None:
        while True:
            piece = log_after(self.position, 3, streams=frozenset(self.streams))
            self.logged += piece.columns.id.tolist()
            agree_in_order = self.oracle.by_id(piece.columns.id.tolist())
            assert _sorted(piece.columns) == plainly(agree_in_order)
            assert piece.position >= self.position
            if piece.position == self.position:
                break
            self.position = piece.position
        assert len(set(self.logged)) == len(self.logged)
        assert set(self.oracle.ids()) <= set(self.logged)

    def teardown(self) -> None:
        if not database().in_atomic_block:
            assert check() == []
        for gone in self.streams:
            delete("Datastream", gone, SYSTEM)
        self.oracle.drop()


def _sorted(columns: Columns) -> list[dict[str, Any]]:
    return sorted(plainly(columns), key=lambda row: row["id"])


def _last(page: Columns) -> dict[str, Any]:
    """The last row as the evaluator of trees wants it."""
    row: dict[str, Any] = {}
    for name in Columns.__slots__:
        values = getattr(page, name)
        value = None if values is None else values[len(page) - 1]
        row[name] = value.item() if isinstance(value, np.generic) else value
        row[name] = None if isinstance(row[name], int) and row[name] == NONE else row[name]
    return row


def _columns(readings: list[Reading]) -> Any:
    none = [NONE if reading.result_time is None else reading.result_time for reading in readings]
    return public.NewColumns(
        datastream=np.array([reading.datastream for reading in readings], np.int64),
        phenomenon_start=np.array([r.phenomenon_time.start for r in readings], np.int64),
        result=np.array([reading.result for reading in readings], np.float64),
        result_time=np.array(none, np.int64),
        keys=[r.key for r in readings] if any(r.key for r in readings) else None,
    )


def run_machine(examples: int) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks and steps so small that a short story has many of them."""
    for module in (chunks, merge, tend):
        monkeypatch.setattr(module, "MOST", 16)
    for module in (seal, tend):
        monkeypatch.setattr(module, "_AT_ONCE", 1)


@pytest.mark.django_db(transaction=True)
def test_the_store_agrees_with_a_row_table(small: None) -> None:
    run_machine(EXAMPLES)


@pytest.mark.django_db
def test_the_store_agrees_with_a_row_table_within_a_transaction(small: None) -> None:
    run_machine(max(EXAMPLES // 4, 2))
