"""Readings out: selections, newest values, extents, corrections, deletions."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from stadtherz.base.errors import Invalid, NotFound
from stadtherz.base.expressions import (
    Among,
    Call,
    Column,
    Compare,
    Expression,
    Kind,
    Literal,
    Lookup,
    Order,
)
from stadtherz.base.time import Period
from stadtherz.sql.public import beyond
from stadtherz.store.models import Datastream, Observed
from stadtherz.store.public import (
    NONE,
    Extent,
    Receipt,
    Selection,
    append,
    by_id,
    correct,
    count,
    delete_readings,
    extents,
    latest,
    organisations,
    reading_at,
    select,
)
from stadtherz.store.tests.factories import reading, results, stream, town
from stadtherz.store.writing.changes import forget_orphans

pytestmark = pytest.mark.django_db
RESULT = Column("result", Kind.JSON)
START = Column("phenomenon_start", Kind.TIME)
STREAM = Column("datastream", Kind.NUMBER)


def above(limit: float) -> Expression:
    return Compare("gt", RESULT, Literal(limit, Kind.NUMBER))


@pytest.fixture
def level() -> int:
    return stream()


def test_numbers_come_as_an_array_of_floats(level: int) -> None:
    append([reading(level, 1, 5), reading(level, 2, 2.5)])
    columns = select(Selection())
    assert columns.result.dtype == float
    assert columns.result_quality is None
    assert columns.parameters is None
    assert list(columns.phenomenon_end) == [NONE, NONE]


def test_no_readings_give_empty_columns() -> None:
    assert len(select(Selection())) == 0
    assert len(latest([1])) == 0
    assert extents([1]) == {}


def test_a_condition_on_results_looks_at_numbers_only(level: int) -> None:
    append([reading(level, i, value) for i, value in enumerate([1, 5, "9", True, None, 7])])
    assert results(where=above(2)) == [5, 7]
    assert count(Selection(where=above(2))) == 2


def test_a_path_leads_into_a_result(level: int) -> None:
    append([reading(level, 1, {"a": {"b": 5}}), reading(level, 2, {"a": 5}), reading(level, 3, 5)])
    inside = Column("result", Kind.JSON, ("a", "b"))
    assert results(where=Compare("eq", inside, Literal(5, Kind.NUMBER))) == [{"a": {"b": 5}}]


def test_streams_limit_a_selection() -> None:
    owner = town()
    a, b, c = (stream(owner, name=name) for name in "abc")
    append([reading(a, 1, 1), reading(b, 1, 2), reading(c, 1, 3)])
    assert results(streams=frozenset({a})) == [1]
    assert results(streams=frozenset({a, c})) == [1, 3]
    assert results(streams=frozenset()) == []


def test_order_limit_and_skip(level: int) -> None:
    append([reading(level, at, at) for at in (3, 1, 2, 1)])
    newest_first = (Order(START, descending=True),)
    assert results(order=newest_first) == [3, 2, 1, 1]
    assert results(order=newest_first, limit=2, skip=1) == [2, 1]
    assert results(skip=3) == [1]
    assert count(Selection(limit=1, skip=1)) == 4


def test_a_page_beyond_everything_is_empty(level: int) -> None:
    append([reading(level)])
    assert results(skip=10**30) == []
    assert results(limit=10**30) == [1]
    assert results(limit=0) == []


def test_equal_rows_are_ordered_by_id_in_the_direction_of_the_order(level: int) -> None:
    append([reading(level, 0, 1), reading(level, 0, 2)])
    assert results(order=(Order(START),)) == [1, 2]
    assert results(order=(Order(START, descending=True),)) == [2, 1]


def test_paging_by_key_meets_every_reading_once(level: int) -> None:
    append([reading(level, i % 3, v) for i, v in enumerate([5, "x", None, 5, True, 2, "x"])])
    order = (Order(RESULT), Order(Column("id", Kind.NUMBER)))
    expected = results(order=order)
    seen: list[Any] = []
    where: Expression = Literal(True, Kind.BOOLEAN)
    while len(page := select(Selection(order=order, where=where, limit=2))):
        seen += list(page.result)
        where = beyond(order, [page.result[-1], int(page.id[-1])])
    assert seen == expected


def test_readings_can_be_ordered_by_what_belongs_to_their_datastream() -> None:
    owner = town()
    a, b = stream(owner, name="a"), stream(owner, name="b")
    append([reading(a, 1, 1), reading(b, 1, 2)])
    names = Lookup(STREAM, {a: "zebra", b: "ant"}, Kind.TEXT)
    assert results(order=(Order(names),)) == [2, 1]
    assert results(where=Among(STREAM, frozenset({b, 99}))) == [2]


def test_a_column_that_does_not_exist_is_invalid() -> None:
    with pytest.raises(Invalid):
        select(Selection(where=Compare("eq", Column("key", Kind.TEXT), Literal("x", Kind.TEXT))))


def test_numbers_beyond_the_engine_are_no_failure(level: int) -> None:
    append([reading(level, 1, 1e300)])
    squared = Call("mul", (RESULT, RESULT), Kind.NUMBER)
    with suppress(Invalid):  # PostgreSQL refuses what SQLite calls infinite
        assert count(Selection(where=Compare("gt", squared, Literal(0, Kind.NUMBER)))) == 1


def test_readings_are_found_by_id(level: int) -> None:
    receipts = append([reading(level, i, i) for i in range(3)])
    columns = by_id([receipts[2].id, receipts[0].id, 999_999])
    assert list(columns.result) == [0, 2]


# --- latest and extents --------------------------------------------------------------------------


def test_the_latest_reading_is_the_newest_by_phenomenon_time(level: int) -> None:
    append([reading(level, 10, 1)])
    append([reading(level, 5, 2)])  # late
    assert list(latest([level]).result) == [1]
    append([reading(level, 10, 3)])  # the same instant again: the later arrival counts
    assert list(latest([level]).result) == [3]


def test_extents_cover_instants_intervals_and_result_times(level: int) -> None:
    append([reading(level, 10, 1, result_time=100)])
    append([reading_over(level, 2, 50), reading(level, 20, 1, result_time=40)])
    assert extents([level]) == {level: Extent(3, Period(2, 50), Period(40, 100))}


def reading_over(level: int, start: int, end: int) -> Any:
    return replace(reading(level), phenomenon_time=Period(start, end))


def test_deleting_the_newest_reading_brings_back_the_one_before(level: int) -> None:
    receipts = append([reading(level, at, at) for at in (1, 2, 3)])
    assert delete_readings([receipts[2].id]) == 1
    assert list(latest([level]).result) == [2]
    assert extents([level])[level] == Extent(2, Period(1, 2), None)


def test_deleting_the_last_reading_leaves_nothing(level: int) -> None:
    (receipt,) = append([reading(level)])
    delete_readings([receipt.id])
    assert extents([level]) == {}
    assert len(latest([level])) == 0
    assert delete_readings([receipt.id]) == 0


def test_an_id_is_never_used_again(level: int) -> None:
    (first,) = append([reading(level)])
    delete_readings([first.id])
    (second,) = append([reading(level)])
    assert second.id > first.id


# --- corrections ---------------------------------------------------------------------------------


def test_a_correction_keeps_the_id_and_repairs_latest(level: int) -> None:
    old, new = append([reading(level, 1, 1), reading(level, 2, 2)])
    correct(new.id, reading(level, 0, 7))
    assert list(by_id([new.id]).result) == [7]
    assert list(latest([level]).id) == [old.id]
    assert extents([level])[level].phenomenon == Period(0, 1)


def test_a_correction_may_move_a_reading_to_another_datastream(level: int) -> None:
    other = stream(organisations()[0].id, name="other")
    (receipt,) = append([reading(level, 1, 1)])
    correct(receipt.id, reading(other, 1, 1))
    assert set(extents([level, other])) == {other}


def test_a_corrected_reading_is_still_recognised_by_its_key(level: int) -> None:
    (receipt,) = append([reading(level, 1, 1, key="a")])
    columns = by_id([receipt.id])
    correct(receipt.id, reading_at(columns, 0, result=9))
    assert append([reading(level, 1, 1, key="a")])[0].duplicate
    assert results() == [9]


def test_a_reading_survives_the_way_out_and_back_in(level: int) -> None:
    whole = replace(
        reading(level, 0, {"a": [1]}),
        phenomenon_time=Period(1, 2),
        result_time=3,
        result_quality="good",
        valid_time=Period(4, 5),
        parameters={"depth": 2},
    )
    (receipt,) = append([whole])
    assert reading_at(by_id([receipt.id]), 0) == whole


def test_a_correction_of_nothing_is_not_found(level: int) -> None:
    with pytest.raises(NotFound):
        correct(999_999, reading(level))


def test_a_correction_into_an_unknown_datastream_is_invalid(level: int) -> None:
    (receipt,) = append([reading(level)])
    with pytest.raises(Invalid):
        correct(receipt.id, reading(999_999))


@pytest.mark.django_db(transaction=True)
def test_the_key_of_a_moved_reading_counts_where_it_arrived() -> None:
    owner = town()
    a, b = stream(owner, name="a"), stream(owner, name="b")
    (receipt, _) = append([reading(a, key="k"), reading(b, key="k")])
    correct(receipt.id, reading(b))
    assert append([reading(a, key="k")])[0] == Receipt(receipt.id, duplicate=True)
    assert extents([a, b])[b].count == 2


# --- an emptied database -------------------------------------------------------------------------


def test_without_datastreams_no_reading_remains(level: int) -> None:
    append([reading(level)])
    for everything in (Observed.objects.all(), Datastream.objects.all()):
        everything._raw_delete(everything.db)  # as `flush` does, past every signal
    forget_orphans()
    assert results() == []
    assert extents([level]) == {}


def test_readings_stay_while_there_are_datastreams(level: int) -> None:
    append([reading(level)])
    forget_orphans()
    assert results() == [1]
