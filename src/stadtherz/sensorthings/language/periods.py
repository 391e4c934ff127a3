"""Instants and intervals in filters: comparisons and the relations of 18-088 table 25.

An interval is a pair of columns whose end is null for an instant. It begins with its start and is over
at its end, so that two which meet share nothing. Everything here becomes plain comparisons of starts
and ends, so that no other stage has to know what an interval is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal as OneOf

from stadtherz.base.errors import Invalid
from stadtherz.base.expressions import (
    And,
    Call,
    Compare,
    Expression,
    Kind,
    Literal,
    Not,
    Or,
)

_NULL = Literal(None, Kind.NULL)
_NO_TIME = Literal(None, Kind.TIME)
Order = OneOf["gt", "ge", "lt", "le"]


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to `end`; `end` None means that it is always an instant."""

    start: Expression
    end: Expression | None = None


def _of_last(span: Span, condition: Callable[[Expression], Expression]) -> Expression:
    """`condition` of the last instant: the end, or the start where there is no end."""
    if span.end is None:
        return condition(span.start)
    if isinstance(span.end, Literal):
        return condition(span.start if span.end.value is None else span.end)
    return Or(
        (
            And((Compare("ne", span.end, _NULL), condition(span.end))),
            And((Compare("eq", span.end, _NULL), condition(span.start))),
        )
    )


def _last_to_last(operator: OneOf["eq", "le"], left: Span, right: Span) -> Expression:
    return _of_last(left, lambda a: _of_last(right, lambda b: Compare(operator, a, b)))


def _start(operator: OneOf["eq", "le", "lt", "ge"], left: Span, right: Span) -> Expression:
    return Compare(operator, left.start, right.start)


def _is_instant(span: Span) -> bool:
    """Whether it has no end in any row."""
    return span.end is None or span.end == _NO_TIME


def compare(operator: str, left: Span, right: Span) -> Expression:
    """`gt` is after, `lt` is before, `ge` and `le` say the same of both ends."""
    match operator:
        case "eq":
            return And((_start("eq", left, right), _last_to_last("eq", left, right)))
        case "ne":
            return Not(compare("eq", left, right))
        case "gt":
            return after(left, right)
        case "lt":
            return before(left, right)
        case "ge":
            return _no_later(right, left)
        case _:
            return _no_later(left, right)


def _no_later(left: Span, right: Span) -> Expression:
    """It starts no later and ends no later; beside an instant one of them says the other."""
    if _is_instant(left):
        return _start("le", left, right)
    if _is_instant(right):
        return _last_to_last("le", left, right)
    return And((_start("le", left, right), _last_to_last("le", left, right)))


def is_null(span: Span) -> Expression:
    return Compare("eq", span.start, _NULL)


def before(left: Span, right: Span) -> Expression:
    """It is over when the other begins. The end of an interval does not belong to it any more."""
    starts_first = _start("lt", left, right)
    if _is_instant(left):
        return starts_first
    return And((starts_first, _of_last(left, lambda last: Compare("le", last, right.start))))


def after(left: Span, right: Span) -> Expression:
    return before(right, left)


def meets(left: Span, right: Span) -> Expression:
    """One ends where the other begins, whichever is first."""
    return Or((_ends_where_begins(left, right), _ends_where_begins(right, left)))


def _ends_where_begins(one: Span, other: Span) -> Expression:
    return _of_last(one, lambda last: Compare("eq", last, other.start))


def during(left: Span, right: Span) -> Expression:
    """Within an interval, from its start, and over when it is over.

    Raises:
        Invalid: if the other is always an instant, for nothing is within that.
    """
    if right.end is None:
        raise Invalid("$filter", "during needs an interval after the comma, not an instant")
    end = right.end
    return And(
        (
            _start("ge", left, right),
            Compare("lt", left.start, end),
            _of_last(left, lambda last: Compare("le", last, end)),
        )
    )


def overlaps(left: Span, right: Span) -> Expression:
    """They share an instant; the end of an interval does not belong to it, so what meets does not."""
    return And((_begins_within(left, right), _begins_within(right, left)))


def _begins_within(one: Span, other: Span) -> Expression:
    """`one` starts before `other` is over."""
    instant = Compare("le", one.start, other.start)
    if other.end is None or other.end == _NO_TIME:
        return instant
    within = Compare("lt", one.start, other.end)
    if isinstance(other.end, Literal):
        return within
    return Or((within, And((Compare("eq", other.end, _NULL), instant))))


def starts(left: Span, right: Span) -> Expression:
    return _start("eq", left, right)


def finishes(left: Span, right: Span) -> Expression:
    return _last_to_last("eq", left, right)


RELATIONS: dict[str, Callable[[Span, Span], Expression]] = {
    "before": before,
    "after": after,
    "meets": meets,
    "during": during,
    "overlaps": overlaps,
    "starts": starts,
    "finishes": finishes,
}


def shift(operator: OneOf["add", "sub"], span: Span, by: Expression) -> Span:
    """The same length, later or earlier."""
    end = None if span.end is None else Call(operator, (span.end, by), Kind.TIME)
    return Span(Call(operator, (span.start, by), Kind.TIME), end)
