"""Relations between periods, built from plain comparisons: an interval is over at its end."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.errors import Invalid
from stadtherz.base.expressions import And, Compare, Expression, Kind, Literal, Not, Or
from stadtherz.sensorthings.language import periods
from stadtherz.sensorthings.language.periods import RELATIONS, Span


def _value(expression: Expression) -> Any:
    """Computes comparisons of constants; null makes all but eq and ne false."""
    match expression:
        case Literal(value=value):
            return value
        case And(parts=parts):
            return all(map(_value, parts))
        case Or(parts=parts):
            return any(map(_value, parts))
        case Not(part=part):
            return not _value(part)
        case Compare(operator=operator, left=left, right=right):
            a, b = _value(left), _value(right)
            if operator in ("eq", "ne"):
                return (a == b) == (operator == "eq")
            if a is None or b is None:
                return False
            return {"gt": a > b, "ge": a >= b, "lt": a < b, "le": a <= b}[operator]
    raise AssertionError(expression)


def _span(start: int, length: int | None) -> Span:
    end = None if length is None else start + length
    return Span(Literal(start, Kind.TIME), Literal(end, Kind.TIME))


_times = st.tuples(st.integers(0, 6), st.none() | st.integers(1, 4))


@given(_times, _times)
def test_relations_follow_their_definitions(one: Any, other: Any) -> None:
    a, b = one[0], one[0] + (one[1] or 0)
    c, d = other[0], other[0] + (other[1] or 0)
    shared = any(  # in steps of a half, the end of an interval left out
        (a <= x < b or x == a) and (c <= x < d or x == c) for x in (i / 2 for i in range(30))
    )
    expected = {
        "before": a < c and b <= c,
        "after": c < a and d <= a,
        "meets": b == c or a == d,
        "during": c <= a < d and b <= d,
        "overlaps": shared,
        "starts": a == c,
        "finishes": b == d,
    }
    left, right = _span(*one), _span(*other)
    assert {name: _value(relation(left, right)) for name, relation in RELATIONS.items()} == expected


@given(_times, _times)
def test_comparisons_agree_with_relations(one: Any, other: Any) -> None:
    left, right = _span(*one), _span(*other)
    operators = ("eq", "ne", "gt", "lt", "ge", "le")
    values = {name: _value(periods.compare(name, left, right)) for name in operators}
    assert values["ne"] is not values["eq"]
    assert values["gt"] == _value(periods.after(left, right))
    assert values["lt"] == _value(periods.before(left, right))
    assert sum((values["eq"], values["gt"], values["lt"])) <= 1
    a, b, c, d = (
        moment for start, length in (one, other) for moment in (start, start + (length or 0))
    )
    assert (values["le"], values["ge"]) == (a <= c and b <= d, a >= c and b >= d)


@given(_times, _times)
def test_the_end_of_an_instant_may_be_left_out(one: Any, other: Any) -> None:
    instant = Span(Literal(other[0], Kind.TIME))
    same = _span(other[0], None)
    for name, relation in RELATIONS.items():
        assert _value(relation(instant, _span(*one))) == _value(relation(same, _span(*one)))
        if name != "during":
            assert _value(relation(_span(*one), instant)) == _value(relation(_span(*one), same))


def test_nothing_is_during_an_instant() -> None:
    with pytest.raises(Invalid, match="interval"):
        periods.during(_span(1, 2), Span(Literal(3, Kind.TIME)))
