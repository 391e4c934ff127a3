"""Whatever is done to the store in whatever order, it agrees with a list in memory."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from stadtherz.base.expressions import Column, Compare, Kind, Literal, Order
from stadtherz.base.time import HOUR, Period
from stadtherz.store.public import (
    Bucketing,
    Reading,
    Selection,
    append,
    buckets,
    correct,
    count,
    delete_readings,
    extents,
    latest,
    log_after,
    select,
)
from stadtherz.store.tests.factories import stream, town

TIMES = st.integers(0, 5).map(lambda n: n * HOUR // 2)
RESULTS = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, "x", True, None, {"a": 1}]))
KEYS = st.one_of(st.none(), st.sampled_from("abcde"))


@dataclass(frozen=True)
class _Kept:
    id: int
    reading: Reading

    @property
    def start(self) -> int:
        return self.reading.phenomenon_time.start


class Store(RuleBasedStateMachine):
    streams: tuple[int, int]

    def __init__(self) -> None:
        super().__init__()
        owner = town(f"town{next(_numbers)}")
        self.streams = (stream(owner, name="a"), stream(owner, name="b"))
        self.kept: list[_Kept] = []

    @rule(
        rows=st.lists(
            st.tuples(st.booleans(), TIMES, st.integers(-1, 2), RESULTS, KEYS), max_size=4
        )
    )
    def append_batch(self, rows: list[tuple[bool, int, int, Any, str | None]]) -> None:
        readings = [
            Reading(
                self.streams[second],
                Period(at, at + length if length >= 0 else None),
                result,
                result_time=at + 1 if length else None,
                key=key,
            )
            for second, at, length, result, key in rows
        ]
        for reading, receipt in zip(readings, append(readings), strict=True):
            known = self._with_key(reading)
            assert receipt.duplicate == (known is not None)
            if known is None:
                self.kept.append(_Kept(receipt.id, reading))
            else:
                assert receipt.id == known.id

    def _with_key(self, reading: Reading) -> _Kept | None:
        key = (reading.datastream, reading.key)
        same = (k for k in self.kept if (k.reading.datastream, k.reading.key) == key)
        return None if reading.key is None else next(same, None)

    @rule(place=st.integers(0, 20), at=TIMES, result=RESULTS)
    def correct_one(self, place: int, at: int, result: Any) -> None:
        if place < len(self.kept):
            old = self.kept[place]
            changed = replace(old.reading, phenomenon_time=Period(at), result=result)
            correct(old.id, changed)
            self.kept[place] = _Kept(old.id, changed)

    @rule(places=st.sets(st.integers(0, 10), max_size=3))
    def delete_some(self, places: set[int]) -> None:
        gone = {self.kept[place].id for place in places if place < len(self.kept)}
        assert delete_readings(gone) == len(gone)
        self.kept = [k for k in self.kept if k.id not in gone]

    def of(self, datastream: int) -> list[_Kept]:
        return sorted(
            (k for k in self.kept if k.reading.datastream == datastream),
            key=lambda k: (k.start, k.id),
        )

    @invariant()
    def selections_agree(self) -> None:
        streams = frozenset(self.streams)
        order = (Order(Column("phenomenon_start", Kind.TIME), descending=True),)
        found = select(Selection(streams, order=order, skip=1, limit=3))
        expected = sorted(self.kept, key=lambda k: (k.start, k.id), reverse=True)[1:4]
        assert list(found.id) == [k.id for k in expected]
        assert list(found.result) == [k.reading.result for k in expected]
        above = Compare("ge", Column("result", Kind.JSON), Literal(1, Kind.NUMBER))
        assert count(Selection(streams, where=above)) == sum(_number(k, 1) for k in self.kept)

    @invariant()
    def the_log_agrees(self) -> None:
        logged = log_after(0, 1000, streams=frozenset(self.streams)).columns
        assert list(logged.id) == sorted(k.id for k in self.kept)

    @invariant()
    def latest_and_extents_agree(self) -> None:
        kept = {s: rows for s in self.streams if (rows := self.of(s))}
        assert list(latest(self.streams).id) == [kept[s][-1].id for s in sorted(kept)]
        found = extents(self.streams)
        assert set(found) == set(kept)
        for key, rows in kept.items():
            times = [k.reading.result_time for k in rows if k.reading.result_time is not None]
            assert found[key].count == len(rows)
            assert found[key].phenomenon == Period(
                rows[0].start, max(k.reading.phenomenon_time.last for k in rows)
            )
            assert found[key].result_time == (Period(min(times), max(times)) if times else None)

    @invariant()
    def buckets_agree(self) -> None:
        rows = [k for k in self.of(self.streams[0]) if _number(k, -99)]
        groups: dict[int, list[Any]] = {}
        for k in rows:
            groups.setdefault(k.start // HOUR * HOUR, []).append(k.reading.result)
        found = buckets(self.streams[0], Bucketing.HOUR, "Europe/Berlin")
        assert list(found.start) == list(groups)
        assert list(found.total) == [sum(group) for group in groups.values()]
        assert list(found.last) == [group[-1] for group in groups.values()]


def _number(kept: _Kept, least: float) -> bool:
    result = kept.reading.result
    return isinstance(result, int | float) and not isinstance(result, bool) and result >= least


_numbers = iter(range(1_000_000))


@pytest.mark.django_db
def test_the_store_agrees_with_a_list_in_memory() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Store, settings=settings(max_examples=20, stateful_step_count=15, deadline=None)
    )
