"""Conditions and orders over columns mean what they mean in SQL and in the obvious evaluator."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stadtherz.base.errors import Invalid
from stadtherz.base.expressions import (
    Among,
    And,
    Call,
    Column,
    Compare,
    Expression,
    Kind,
    Literal,
    Lookup,
    Not,
    Or,
    Order,
)
from stadtherz.base.time import DAY
from stadtherz.sql.public import SQLITE, Source, Sql, beyond, compile_condition
from stadtherz.sql.tests import evaluate
from stadtherz.sql.tests.trees import (
    ROWS,
    json,
    moment,
    number,
    number_leaf,
    shape_leaf,
    span,
    text,
    text_leaf,
    time_leaf,
)
from stadtherz.sql.tests.trees import condition as any_condition
from stadtherz.store.conditions.arrays import holds, needed, ordering, values_of
from stadtherz.store.conditions.sieve import Stats, sieve
from stadtherz.store.readings.reads import total_order
from stadtherz.store.sealed.block import Block, stats
from stadtherz.store.sealed.chunk import Chunk, encode
from stadtherz.store.sealed.columns import taken
from stadtherz.store.tests.oracle import draws
from stadtherz.store.tests.reading_trees import (
    ID,
    columns_of_rows,
    in_doubles,
    moved,
    moved_order,
    plain,
)
from stadtherz.store.values import NONE, READING_COLUMNS, Columns

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
mixed = st.lists(st.sampled_from(ROWS), max_size=9)
numbers_only = st.lists(st.sampled_from([plain(row) for row in ROWS]), max_size=9)
rows = st.one_of(mixed, numbers_only)
conditions = any_condition.map(in_doubles)
RESULT = Column("result", Kind.JSON)
START = Column("phenomenon_start", Kind.TIME)


def _number(value: float) -> Literal:
    return Literal(value, Kind.NUMBER)


# --- conditions ----------------------------------------------------------------------------------


@given(conditions, rows)
@settings(unhurried, max_examples=600)
def test_a_condition_lets_the_same_readings_through(
    expression: Expression, rows: list[dict[str, Any]]
) -> None:
    found = holds(moved(expression), columns_of_rows(rows))
    assert found.dtype == np.bool_
    assert found.tolist() == [evaluate.holds(expression, row) for row in rows]


@given(conditions, rows)
@settings(unhurried, max_examples=100)
def test_a_reading_is_in_a_condition_or_in_its_opposite(
    expression: Expression, rows: list[dict[str, Any]]
) -> None:
    columns = columns_of_rows(rows)
    inside, outside = holds(moved(expression), columns), holds(moved(Not(expression)), columns)
    assert (inside != outside).all()


@given(conditions, rows)
@settings(unhurried, max_examples=100)
def test_only_the_columns_that_are_needed_are_asked_for(
    expression: Expression, rows: list[dict[str, Any]]
) -> None:
    asked: set[str] = set()

    class Watched:
        def __len__(self) -> int:
            return len(rows)

        def __getattr__(self, name: str) -> Any:
            asked.add(name)
            return getattr(columns, name)

    columns, tree = columns_of_rows(rows), moved(expression)
    assert holds(tree, Watched()).tolist() == holds(tree, columns).tolist()
    assert asked <= needed(tree)


def test_what_cannot_matter_any_more_is_not_asked_for() -> None:
    class Dull:
        result = np.zeros(3)

        def __len__(self) -> int:
            return 3

    tree = And((Compare("gt", RESULT, _number(1)), Compare("gt", START, Literal(0, Kind.TIME))))
    assert not holds(tree, Dull()).any()


def test_a_mask_belongs_to_the_caller() -> None:
    columns = columns_of_rows(ROWS)
    for tree in (And(()), Or(()), Compare("ge", ID, _number(0)), Among(ID, frozenset({1}))):
        mask = holds(tree, columns)
        mask &= False
        assert columns.id.tolist() == [row["id"] for row in ROWS]


# --- errors --------------------------------------------------------------------------------------


def _resolve(column: Column) -> Source:
    number = Sql("number") if column.name == "result" else None
    return Source(Sql(column.name), READING_COLUMNS[column.name], number)


anything = st.one_of(json, number, text, moment, span, shape_leaf, conditions)
operators = st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"])
lists_of = st.lists(anything, min_size=1, max_size=3)
calls = st.one_of(
    st.tuples(st.sampled_from(["year", "substring", "contains", "floor"]), lists_of),
    # The grammar gives operators as many operands as they take, so SQL does not count them.
    st.tuples(st.sampled_from(["add", "sub", "mul", "div"]), st.tuples(anything, anything)),
    st.tuples(st.just("neg"), st.tuples(anything)),
).map(lambda call: Call(call[0], tuple(call[1]), Kind.NUMBER))
careless = st.one_of(
    anything,
    st.builds(Compare, operators, anything, anything),
    st.builds(Compare, operators, calls, st.just(Literal(None, Kind.NULL))),
)


@given(careless)
@settings(unhurried, max_examples=400)
def test_what_makes_no_sense_in_sql_makes_none_here(expression: Expression) -> None:
    tree = moved(expression)
    columns = columns_of_rows(ROWS)
    refused = _refusal(lambda: compile_condition(tree, _resolve, SQLITE))
    assert _refusal(lambda: holds(tree, columns)) == refused


def _refusal(make: Callable[[], object]) -> str | None:
    try:
        make()
    except Invalid as refused:
        return refused.reason
    return None


@pytest.mark.parametrize(
    "expression",
    [
        Compare("eq", Column("name", Kind.TEXT), Literal("x", Kind.TEXT)),
        Compare("eq", START, _number(1)),
        Compare("eq", ID, _number(math.nan)),
        Compare("eq", ID, _number(10**400)),
        Compare("eq", START, Literal(10**18, Kind.TIME)),
        Compare("eq", RESULT, Literal("a\0b", Kind.TEXT)),
        Compare("eq", Column("result", Kind.JSON, ("a\0",)), _number(1)),
        Among(Column("thing", Kind.NUMBER), frozenset({1})),
        Call("drop_table", (ID,), Kind.NUMBER),
        START,
    ],
)
def test_what_makes_no_sense_is_invalid_even_without_readings(expression: Expression) -> None:
    with pytest.raises(Invalid):
        holds(expression, columns_of_rows([]))


# --- values --------------------------------------------------------------------------------------

computed = st.one_of(number, text, moment, span, json, conditions).map(in_doubles)


@given(computed, rows)
@example(
    expression=in_doubles(
        Call(
            "add", (_number(1), Call("add", (_number(1), _number(2**53)), Kind.NUMBER)), Kind.NUMBER
        )
    ),
    rows=ROWS[:1],
)
@settings(unhurried, max_examples=400)
def test_values_are_those_of_each_reading(
    expression: Expression, rows: list[dict[str, Any]]
) -> None:
    values, null = values_of(moved(expression), columns_of_rows(rows))
    found = [None if n else v for v, n in zip(values.tolist(), null.tolist(), strict=True)]
    wanted = [evaluate.value_of(expression, row) for row in rows]
    assert [_comparable(v) for v in found] == [_comparable(v) for v in wanted]


def _comparable(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if abs(value) < 1e300 else math.copysign(math.inf, value)
    return value


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("div", (RESULT, _number(0))),
        ("mod", (RESULT, _number(0))),
        ("mod", (_number(1e308), Call("sub", (RESULT, RESULT), Kind.NUMBER))),
        ("floor", (Call("mul", (RESULT, _number(1e308)), Kind.NUMBER),)),
        ("round", (Call("mul", (RESULT, _number(1e308)), Kind.NUMBER),)),
        ("length", (RESULT,)),
    ],
)
def test_what_has_no_answer_is_null(name: str, arguments: tuple[Expression, ...]) -> None:
    columns = columns_of_rows([plain(row) | {"result": 1e9} for row in ROWS])
    assert values_of(Call(name, arguments, Kind.NUMBER), columns)[1].all()


def test_a_time_beyond_the_calendar_is_null() -> None:
    long = Literal(3_000_000 * DAY, Kind.DURATION)
    columns = columns_of_rows(ROWS)
    ends = Column("phenomenon_end", Kind.TIME)
    assert values_of(Call("add", (ends, long), Kind.TIME), columns)[1].sum() == 7


def test_a_constant_text_is_the_same_for_all_readings() -> None:
    values, null = values_of(Literal("x", Kind.TEXT), columns_of_rows(ROWS))
    assert (values == "x").all()
    assert not null.any()


def test_no_value_among_the_members_is_not_no_value() -> None:
    members = Among(Column("feature", Kind.NUMBER), frozenset({NONE, 2**70}))
    assert not holds(members, columns_of_rows(ROWS)).any()


# --- order ---------------------------------------------------------------------------------------

terms = st.builds(Order, st.one_of(json, number_leaf, text_leaf, time_leaf), st.booleans())


@given(st.lists(terms, max_size=3), rows)
@settings(unhurried, max_examples=400)
def test_readings_come_in_the_same_order(order: list[Order], rows: list[dict[str, Any]]) -> None:
    numbered = [row | {"place": place} for place, row in enumerate(rows)]
    found = ordering(moved_order(order))(columns_of_rows(rows))
    assert found.dtype == np.int64
    assert found.tolist() == [row["place"] for row in evaluate.ordered(numbered, order)]


@given(st.lists(terms, max_size=2), st.booleans(), rows, st.data())
@settings(unhurried, max_examples=200)
def test_the_readings_beyond_one_are_those_behind_it(
    order: list[Order], descending: bool, rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    rows = list({row["id"]: row for row in rows}.values())
    if not rows:
        return
    total = [*order, Order(ID, descending)]
    columns = columns_of_rows(rows)
    places = ordering(moved_order(total))(columns).tolist()
    at = data.draw(st.integers(0, len(rows) - 1))
    values = [evaluate.value_of(term.by, rows[places[at]]) for term in total]
    found = holds(moved(beyond(total, values)), columns)
    assert np.flatnonzero(found).tolist() == sorted(places[at + 1 :])


@given(st.lists(st.integers(0, 3), max_size=8), st.booleans())
def test_sorted_and_reversed_readings_need_no_sorting(starts: list[int], descending: bool) -> None:
    rows = [plain(ROWS[0]) | {"id": place} for place in range(len(starts))]
    columns = columns_of_rows(rows)
    columns.phenomenon_start[:] = sorted(starts)
    order = [Order(START, descending), Order(ID, descending)]
    places = list(range(len(starts)))
    assert ordering(order)(columns).tolist() == (places[::-1] if descending else places)


def test_an_order_that_makes_no_sense_is_invalid() -> None:
    with pytest.raises(Invalid):
        ordering([Order(Column("name", Kind.TEXT))])(columns_of_rows([]))


def test_needed_says_which_columns() -> None:
    lookup = Lookup(Column("datastream", Kind.NUMBER), {1: 2.0}, Kind.NUMBER)
    tree = Or(
        (Not(Compare("gt", RESULT, lookup)), Among(Column("feature", Kind.NUMBER), frozenset()))
    )
    assert needed(tree) == {"result", "datastream", "feature"}
    assert needed([Order(START), Order(ID)]) == {"phenomenon_start", "id"}


def test_no_readings_fulfil_and_order_nothing() -> None:
    empty: Columns = columns_of_rows([])
    assert holds(Compare("gt", RESULT, _number(1)), empty).tolist() == []
    assert ordering([Order(RESULT), Order(ID)])(empty).tolist() == []


# --- plain readings as they are drawn for the oracle of the store ---------------------------------

STREAMS = [3, 5, 8]
FEATURE = 4
drawn_rows = st.lists(st.tuples(st.sampled_from(STREAMS), draws.plain), min_size=1, max_size=12)


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


@given(drawn=drawn_rows, asked=draws.conditions)
@settings(deadline=None)
def test_a_condition_holds_for_the_readings_that_the_oracle_names(drawn: Any, asked: Any) -> None:
    columns, condition = columns_of(drawn), asked(STREAMS, FEATURE)
    expected = [evaluate.holds(condition, python_row(columns, i)) for i in range(len(columns))]
    assert holds(condition, columns).tolist() == expected


@given(drawn=drawn_rows, order=draws.orders)
@settings(deadline=None)
def test_readings_are_sorted_as_the_oracle_sorts_them(drawn: Any, order: tuple[Order, ...]) -> None:
    columns, order = columns_of(drawn), total_order(order)
    listed = [python_row(columns, i) for i in range(len(columns))]
    expected = [row["id"] for row in evaluate.ordered(listed, list(order))]
    assert columns.id[ordering(order)(columns)].tolist() == expected


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
