"""Places in an order as text, and the conditions behind them."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stadtherz.base.errors import Invalid
from stadtherz.base.expressions import TRUE, Call, Column, Kind, Literal, Lookup, Order
from stadtherz.sensorthings.query.cursors import (
    MAX_LENGTH,
    behind,
    place,
    place_of_row,
    places_of_readings,
    token,
)

_ID = Order(Column("id", Kind.NUMBER))
_TIME = Order(Column("phenomenon_start", Kind.TIME), descending=True)
_RESULT = Order(Column("result", Kind.JSON))
_values = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20)


@given(st.lists(_values | st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_a_token_leads_back_to_its_place(values: list[Any]) -> None:
    text = token(tuple(values))
    assert text is not None
    assert place(text) == tuple(values)
    assert all(c.isalnum() or c in "-_" for c in text)


def test_a_place_too_long_for_an_address_has_no_token() -> None:
    assert token(("x" * MAX_LENGTH, 1)) is None


@given(st.text(max_size=30))
def test_any_text_is_a_token_or_refused_in_words(text: str) -> None:
    try:
        found: object = place(text)
    except ValueError as error:
        found = "next link" in str(error)
    assert found


def test_without_a_place_everything_is_behind() -> None:
    assert behind((_ID,), None) == TRUE


@pytest.mark.parametrize(
    "after",
    [
        (),
        (1,),
        (1, 2, 3),
        ("yesterday", 1),
        (1.5, 1),
        (True, 1),
        (2**63, 1),
        (1, None),
        (1, True),
        (1, 2.0),
    ],
)
def test_a_place_must_fit_the_order(after: tuple[Any, ...]) -> None:
    with pytest.raises(Invalid, match="another query"):
        behind((_TIME, _ID), after)


@example(-(2**63) - 1)
@example(2**63)
@example(2**64)
@given(st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers()))
def test_a_result_may_be_anything_an_engine_can_hold(result: Any) -> None:
    """Whole numbers as far as JSON's are read exactly: with a sign of 64 bits, or without."""
    holds = not isinstance(result, int) or -(2**63) <= result < 2**64
    holds = holds and not (isinstance(result, str) and "\0" in result)
    try:
        behind((_RESULT, _ID), (result, 1))
    except Invalid:
        assert not holds
    else:
        assert holds


def test_readings_stand_where_their_values_say() -> None:
    readings = {
        "id": [7, 8],
        "result": ["high", 4],
        "datastream": [3, 4],
        "phenomenon_start": [5, 6],
    }
    names = Lookup(Column("datastream", Kind.NUMBER), {3: "Lauter"}, Kind.TEXT)
    assert places_of_readings((Order(names), _RESULT, _TIME, _ID), readings.__getitem__) == [
        ("Lauter", "high", 5, 7),
        (None, 4, 6, 8),
    ]


def test_readings_sorted_by_something_computed_have_no_places() -> None:
    twice = Order(
        Call("mul", (Column("result", Kind.NUMBER), Literal(2, Kind.NUMBER)), Kind.NUMBER)
    )
    assert places_of_readings((twice, _ID), lambda name: [name]) is None


def test_readings_stand_where_what_is_inside_their_values_says() -> None:
    readings = {"id": [7, 8, 9], "parameters": [{"battery": 3}, {"other": 1}, None]}
    inside = Order(Column("parameters", Kind.JSON, ("battery",)))
    places = places_of_readings((inside, _ID), readings.__getitem__)
    assert places == [(3, 7), (None, 8), (None, 9)]


def test_a_row_stands_where_its_sorting_values_say() -> None:
    assert place_of_row((_RESULT, _TIME, _ID), ('{"a":1}', 5, 7)) == ({"a": 1}, 5, 7)
