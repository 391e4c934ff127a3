"""Whatever is done to the store in whatever order, it agrees with a plain row table.

Many more examples: `STADTHERZ_MODEL_EXAMPLES=2000 pytest src/stadtherz/store/tests/test_model.py`.
"""

import os
from typing import Any

import numpy as np
import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from stadtherz.base.time import DAY, HOUR, MINUTE, Period
from stadtherz.base.visibility import SYSTEM
from stadtherz.store import public
from stadtherz.store.care.check import check
from stadtherz.store.database import database
from stadtherz.store.models import Cursor
from stadtherz.store.public import (
    NONE,
    Bucketing,
    NewColumns,
    Reading,
    Receipt,
    Selection,
    append,
    append_columns,
    buckets,
    correct,
    delete,
    delete_readings,
    delete_where,
    extents,
    feature_for,
    log_after,
    log_end,
    move_cursor,
    select,
)
from stadtherz.store.readings import view
from stadtherz.store.sealed import chunks, merge
from stadtherz.store.tests.factories import reading, stream, town
from stadtherz.store.tests.oracle import agreement, draws
from stadtherz.store.tests.oracle.agreement import plainly
from stadtherz.store.tests.oracle.table import RowTable
from stadtherz.store.writing import seal, tend
from stadtherz.store.writing.policies import Policy, set_policy

EXAMPLES = int(os.environ.get("STADTHERZ_MODEL_EXAMPLES", "25"))
CONSUMER = "model"
TODAY = draws.QUIET + 1000 * DAY
"""When the machine tidies up: long after all readings."""

POLICIES = [
    Policy(*days) for days in [(), (1000,), (1,), (1000, 1000), (1, 1000), (1, 1), (None, 1000)]
]
"""Each with an end that falls into the quiet or behind all readings."""

_towns = iter(range(1_000_000))

# Hypothesis names the strategy of all trees when a story fails: long, but harmless.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

Rows = list[tuple[int, dict[str, Any]]]
Questions = st.sampled_from(["selection", "pages", "scan", "ids", "buckets"])


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
        self.written: list[Reading] = []
        self.position = self.behind = log_end()
        move_cursor(CONSUMER, self.behind)
        self.logged: list[int] = []
        self.consumed: list[int] = []
        self.made = draws.STREAMS
        self.policies: dict[int, Policy] = {}

    # --- writing ---------------------------------------------------------------------------------

    def reading(self, place: int, values: dict[str, Any]) -> Reading:
        feature = self.feature if values.get("feature") else None
        return Reading(self.streams[place], **{**values, "feature": feature})

    def write(self, readings: list[Reading]) -> None:
        self.oracle.append(readings, append(readings))

    @initialize(rows=st.lists(draws.drawn, min_size=5, max_size=20), first=draws.series)
    def begin(self, rows: Rows, first: list[tuple[int, float]]) -> None:
        self.append_batch(rows)
        self.append_series(0, first, True, True)

    @rule(rows=st.lists(draws.drawn, min_size=1, max_size=10))
    def append_batch(self, rows: Rows) -> None:
        readings = [self.reading(place, values) for place, values in rows]
        self.write(readings)
        self.written += readings

    @rule(places=st.lists(st.integers(0, 200), min_size=1, max_size=8))
    def repeat(self, places: list[int]) -> None:
        known = [r for r in self.written if r.datastream in self.streams]
        self.write([known[-1 - place % len(known)] for place in places] if known else [])

    @rule(place=draws.places, series=draws.series, keyed=st.booleans(), timed=st.booleans())
    def append_series(
        self, place: int, series: list[tuple[int, float]], keyed: bool, timed: bool
    ) -> None:
        readings = [
            Reading(
                self.streams[place],
                Period(time),
                number,
                result_time=time + 1 if timed else None,
                key=f"at {time}" if keyed else None,
            )
            for time, number in series
        ]
        receipts = append_columns(_columns(readings))
        pairs = zip(receipts.ids.tolist(), receipts.duplicates.tolist(), strict=True)
        self.oracle.append(readings, [Receipt(*pair) for pair in pairs])
        self.written += readings

    @rule(place=st.integers(0, 200), where=draws.places, values=draws.anything)
    def correct_one(self, place: int, where: int, values: dict[str, Any]) -> None:
        for identity in self.chosen({place}):
            changed = self.reading(where, {**values, "key": None})
            correct(identity, changed)
            self.oracle.correct(identity, changed)

    @rule(places=st.sets(st.integers(0, 200), min_size=1, max_size=4))
    def delete_some(self, places: set[int]) -> None:
        ids = self.chosen(places)
        assert delete_readings([*ids, 2**62]) == self.oracle.delete_readings(ids)

    def chosen(self, places: set[int]) -> list[int]:
        """Readings by any number; most of them came lately."""
        ids = self.oracle.ids()
        return sorted({ids[-1 - place % len(ids)] for place in places}) if ids else []

    @rule(place=st.none() | draws.places, first=draws.conditions, second=draws.conditions)
    def delete_selected(self, place: int | None, first: draws.Asked, second: draws.Asked) -> None:
        streams = frozenset(self.streams if place is None else [self.streams[place]])
        where = draws.And(tuple(asked(self.streams, self.feature) for asked in (first, second)))
        selection = Selection(streams, where)
        assert delete_where(selection) == self.oracle.delete_where(selection)

    @rule(place=draws.places)
    def delete_a_stream(self, place: int) -> None:
        gone = self.streams[place]
        delete("Datastream", gone, SYSTEM)
        self.oracle.delete_stream(gone)
        self.policies.pop(gone, None)
        self.streams[place] = stream(self.owner, name=f"s{self.made}")
        self.made += 1
        assert len(select(Selection(frozenset([gone])))) == 0
        assert extents([gone]) == {}

    # --- what must not be seen -------------------------------------------------------------------

    @rule(again=st.booleans())
    def seal(self, again: bool) -> None:
        public.seal()
        if again:
            view.forget()

    @rule(steps=st.integers(0, 2), again=st.booleans())
    def begin_to_seal(self, steps: int, again: bool) -> None:
        left = iter([False] * steps)
        public.seal(until=lambda: next(left, True))
        if again:
            view.forget()

    @rule(place=draws.places, policy=st.none() | st.sampled_from(POLICIES))
    def tend(self, place: int, policy: Policy | None) -> None:
        if policy is not None:
            set_policy(self.streams[place], policy)
            self.policies[self.streams[place]] = policy
        public.seal()
        public.tend()
        for datastream, kept in self.policies.items():
            self.oracle.keep(datastream, kept, TODAY)

    @rule(
        rows=st.lists(draws.drawn, min_size=1, max_size=3),
        places=st.sets(st.integers(0, 200), max_size=2),
        sealed=st.booleans(),
    )
    def change_their_mind(self, rows: Rows, places: set[int], sealed: bool) -> None:
        with transaction.atomic():
            self.write([self.reading(place, values) for place, values in rows])
            self.everything_agrees()
            self.delete_some(places)
            if sealed:
                public.seal()
            self.everything_agrees()
            transaction.set_rollback(True)

    # --- asking ----------------------------------------------------------------------------------

    @rule(data=st.data(), kinds=st.lists(Questions, min_size=2, max_size=5))
    def ask(self, data: st.DataObject, kinds: list[str]) -> None:
        for kind in kinds:
            getattr(self, f"_ask_{kind}")(data)

    def selection(self, data: st.DataObject, asked: Any, **page: Any) -> Selection:
        place = data.draw(st.none() | draws.places)
        streams = frozenset(self.streams if place is None else [self.streams[place]])
        where = data.draw(asked)(self.streams, self.feature)
        return Selection(streams, where, data.draw(draws.orders), **page)

    def _ask_selection(self, data: st.DataObject) -> None:
        limit, skip = data.draw(st.none() | st.integers(0, 10)), data.draw(st.integers(0, 5))
        selection = self.selection(data, draws.questions, limit=limit, skip=skip)
        agreement.on_selection(self.oracle, selection)

    def _ask_pages(self, data: st.DataObject) -> None:
        selection = self.selection(data, draws.conditions)
        agreement.on_pages(self.oracle, selection, data.draw(st.integers(2, 9)))

    def _ask_scan(self, data: st.DataObject) -> None:
        selection = self.selection(data, draws.conditions)
        agreement.on_scan(self.oracle, selection, data.draw(st.integers(1, 9)))

    def _ask_ids(self, data: st.DataObject) -> None:
        places = data.draw(st.sets(st.integers(0, 200), max_size=6))
        agreement.on_ids(self.oracle, self.chosen(places))

    def _ask_buckets(self, data: st.DataObject) -> None:
        place, width = data.draw(draws.places), data.draw(st.sampled_from(Bucketing))
        zone = data.draw(st.sampled_from(["Europe/Berlin", "UTC", "Asia/Kathmandu"]))
        start, end = (data.draw(st.none() | draws.times) for _ in range(2))
        agreement.on_buckets(self.oracle, self.streams[place], width, zone, start, end)

    # --- what holds at any time ------------------------------------------------------------------

    @invariant()
    def everything_agrees(self) -> None:
        agreement.on_streams(self.oracle, self.streams)

    @invariant()
    def hours_outlive_their_readings(self) -> None:
        for thinned in self.oracle.thinned:
            for zone in ("UTC", "Asia/Kathmandu"):
                agreement.on_buckets(self.oracle, thinned, Bucketing.HOUR, zone, None, None)

    @invariant()
    def the_log_gives_each_reading_once(self) -> None:
        self.position = self.follow(self.position, 3, self.logged)

    @rule(size=st.integers(1, 20))
    def catch_up(self, size: int) -> None:
        """A consumer that is behind gets what has become of the readings meanwhile."""
        self.behind = self.follow(self.behind, size, self.consumed)
        move_cursor(CONSUMER, self.behind)

    def follow(self, position: int, size: int, seen: list[int]) -> int:
        while True:
            piece = log_after(position, size)
            ids = piece.columns.id.tolist()
            seen += ids
            aged = self.oracle.aged  # the log may still have them
            left = [row for row in plainly(piece.columns) if row["id"] not in aged]
            assert sorted(left, key=lambda row: row["id"]) == plainly(self.oracle.by_id(ids))
            assert piece.position >= position
            if piece.position == position:
                break
            position = piece.position
        assert len(set(seen)) == len(seen)
        assert set(self.oracle.ids()) <= set(seen)
        return position

    def teardown(self) -> None:
        if not database().in_atomic_block:
            assert check() == []
        Cursor.objects.filter(consumer=CONSUMER).delete()
        for gone in self.streams:
            delete("Datastream", gone, SYSTEM)
        self.oracle.drop()


def _columns(readings: list[Reading]) -> NewColumns:
    times = [NONE if reading.result_time is None else reading.result_time for reading in readings]
    return NewColumns(
        datastream=np.array([reading.datastream for reading in readings], np.int64),
        phenomenon_start=np.array([r.phenomenon_time.start for r in readings], np.int64),
        result=np.array([reading.result for reading in readings], np.float64),
        result_time=np.array(times, np.int64),
        keys=[r.key for r in readings] if any(r.key for r in readings) else None,
    )


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks and steps so small that a short story has many of them."""
    for module in (chunks, merge, tend):
        monkeypatch.setattr(module, "MOST", 16)
    for module in (seal, tend):
        monkeypatch.setattr(module, "_AT_ONCE", 1)
    monkeypatch.setattr(tend, "now_us", lambda: TODAY)


def run_machine(examples: int) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db(transaction=True)
def test_the_store_agrees_with_a_row_table(small: None) -> None:
    run_machine(EXAMPLES)


@pytest.mark.django_db
def test_the_store_agrees_with_a_row_table_within_a_transaction(small: None) -> None:
    run_machine(max(EXAMPLES // 4, 2))


# --- stories that once ended badly ---------------------------------------------------------------


@pytest.mark.django_db
def test_first_and_last_of_a_bucket_follow_the_order_of_arrival() -> None:
    level = stream()
    append([reading(level, 0, "no number"), reading(level, 0, 1)])
    public.seal()
    append([reading(level, 0, 2)])
    found = buckets(level, Bucketing.MINUTE, "UTC")
    assert (list(found.first), list(found.last)) == ([1], [2])
    found = buckets(level, Bucketing.HOUR, "UTC")
    assert (list(found.first), list(found.last)) == ([1], [2])


@pytest.mark.django_db
def test_a_reading_that_was_moved_outlives_its_first_datastream() -> None:
    owner = town()
    first, second = (stream(owner, name=name) for name in "ab")
    start = log_end()
    (receipt,) = append([reading(first, 0, 1)])
    correct(receipt.id, reading(second, 0, 2))
    delete("Datastream", first, SYSTEM)
    assert log_after(start, 10).columns.result.tolist() == [2]


@pytest.mark.django_db
def test_a_reading_beside_thinned_hours_counts_by_its_own_time(small: None) -> None:
    """Hours in Kathmandu begin at a quarter past those in UTC."""
    level = stream()
    append([reading(level, 0, 1)])
    set_policy(level, Policy(raw_days=1))
    public.seal()
    public.tend()
    assert len(select(Selection())) == 0
    late = draws.QUIET + 12 * HOUR
    append([reading(level, late + 20 * MINUTE, 2)])
    found = buckets(level, Bucketing.HOUR, "Asia/Kathmandu")
    assert found.start[-1] == late + 15 * MINUTE
    assert list(found.last) == [1, 2]
