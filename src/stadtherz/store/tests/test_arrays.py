"""Conditions and orders over columns in memory mean what the oracle of `sql` says they mean."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stadtherz.base.expressions import Order
from stadtherz.sql.tests import evaluate
from stadtherz.store.arrays import holds, ordering
from stadtherz.store.chunk import Block, Chunk, encode, stats
from stadtherz.store.columns import taken
from stadtherz.store.reads import total_order
from stadtherz.store.sieve import Stats, sieve
from stadtherz.store.tests.oracle import draws
from stadtherz.store.values import NONE, READING_COLUMNS, Columns

STREAMS = [3, 5, 8]
FEATURE = 4
rows = st.lists(st.tuples(st.sampled_from(STREAMS), draws.plain), min_size=1, max_size=12)


def columns_of(drawn: list[tuple[int, dict[str, Any]]]) -> Columns:
    size = len(drawn)
    none = np.full(size, NONE, np.int64)
    periods = [values["phenomenon_time"] for _, values in drawn]
    return Columns(
        id=np.array([(stream << 32) + i + 1 for i, (stream, _) in enumerate(drawn)], np.int64),
        datastream=np.array([stream for stream, _ in drawn], np.int64),
        phenomenon_start=np.array([p.start for p in periods], np.int64),
        phenomenon_end=np.array([NONE if p.end is None else p.end for p in periods], np.int64),
        result_time=np.array([v.get("result_time", NONE) for _, v in drawn], np.int64),
        result=np.array([v["result"] for _, v in drawn], np.float64),
        feature=np.array([FEATURE if v.get("feature") else NONE for _, v in drawn], np.int64),
        valid_start=none,
        valid_end=none,
    )


def python_row(columns: Columns, i: int) -> dict[str, Any]:
    row: dict[str, Any] = {"result_quality": None, "parameters": None}
    for name in READING_COLUMNS:
        if name not in row:
            value = getattr(columns, name)[i].item()
            row[name] = None if value == NONE else value
    return row


@given(drawn=rows, asked=draws.conditions)
@settings(deadline=None)
def test_a_condition_holds_for_the_readings_that_the_oracle_names(drawn: Any, asked: Any) -> None:
    columns, condition = columns_of(drawn), asked(STREAMS, FEATURE)
    expected = [evaluate.holds(condition, python_row(columns, i)) for i in range(len(columns))]
    assert holds(condition, columns).tolist() == expected


@given(drawn=rows, order=draws.orders)
@settings(deadline=None)
def test_readings_are_sorted_as_the_oracle_sorts_them(drawn: Any, order: tuple[Order, ...]) -> None:
    columns, order = columns_of(drawn), total_order(order)
    listed = [python_row(columns, i) for i in range(len(columns))]
    expected = [row["id"] for row in evaluate.ordered(listed, list(order))]
    assert columns.id[ordering(order, columns)].tolist() == expected


@given(drawn=st.lists(draws.plain, min_size=1, max_size=12), asked=draws.conditions)
@settings(deadline=None)
def test_the_sieve_never_hides_a_reading_nor_promises_one_that_is_not(
    drawn: Any, asked: Any
) -> None:
    columns, condition = columns_of([(5, values) for values in drawn]), asked(STREAMS, FEATURE)
    columns = taken(columns, np.lexsort((columns.id, columns.phenomenon_start)))
    chunk = Chunk(5, encode(block_of(columns)))
    possible, certain = sieve(condition, stats_of(chunk))
    found = holds(condition, chunk)
    assert possible[0] or not found.any()
    assert found.all() or not certain[0]


def block_of(columns: Columns) -> Block:
    names = ("id", "phenomenon_start", "phenomenon_end", "result_time", "feature", "result")
    return Block(5, **{name: getattr(columns, name) for name in names})


def stats_of(chunk: Chunk) -> Stats:
    found = stats(chunk.block())
    values: dict[str, Any] = {
        name: np.array([NONE if (v := getattr(found, name)) is None else v])
        for name in Stats.__dataclass_fields__
        if name != "datastream"
    }
    return Stats(datastream=np.array([5]), **values)
