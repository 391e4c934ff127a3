"""Compiled SQL and the obvious evaluator give the same rows on every engine."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stadtherz.base.expressions import And, Column, Expression, Kind, Not, Order
from stadtherz.sql.public import beyond, compile_condition, compile_order
from stadtherz.sql.tests.evaluate import holds, ordered, value_of
from stadtherz.sql.tests.table import create_table, dialect, ids, resolve
from stadtherz.sql.tests.trees import ROWS, condition, json, number_leaf, text_leaf, time_leaf

pytestmark = pytest.mark.django_db
unhurried = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
ID = Column("id", Kind.NUMBER)


@pytest.fixture(autouse=True)
def table(db: None) -> None:
    create_table()


@given(condition)
@settings(unhurried, max_examples=400)
def test_a_condition_lets_the_same_rows_through(expression: Expression) -> None:
    found = ids(compile_condition(expression, resolve, dialect()))
    assert found == [row["id"] for row in ROWS if holds(expression, row)]


@given(condition)
@settings(unhurried, max_examples=100)
def test_a_row_is_in_a_condition_or_in_its_opposite(expression: Expression) -> None:
    inside = ids(compile_condition(expression, resolve, dialect()))
    outside = ids(compile_condition(Not(expression), resolve, dialect()))
    assert sorted(inside + outside) == [row["id"] for row in ROWS]


terms = st.builds(Order, st.one_of(json, number_leaf, text_leaf, time_leaf), st.booleans())


@given(st.lists(terms, max_size=2), st.booleans())
@settings(unhurried, max_examples=150)
def test_rows_come_in_the_same_order(order: list[Order], descending: bool) -> None:
    order = [*order, Order(ID, descending)]
    found = ids(
        compile_condition(And(()), resolve, dialect()), compile_order(order, resolve, dialect())
    )
    assert found == [row["id"] for row in ordered(ROWS, order)]  # type: ignore[arg-type]


@given(st.lists(terms, max_size=2), st.booleans(), st.integers(0, len(ROWS) - 1))
@settings(unhurried, max_examples=150)
def test_the_rows_beyond_a_row_are_those_behind_it(
    order: list[Order], descending: bool, place: int
) -> None:
    order = [*order, Order(ID, descending)]
    rows: list[Any] = ordered(ROWS, order)  # type: ignore[arg-type]
    rest = beyond(order, [value_of(term.by, rows[place]) for term in order])
    found = ids(compile_condition(rest, resolve, dialect()))
    assert found == sorted(row["id"] for row in rows[place + 1 :])
