"""Instants and intervals in filters: comparisons and the relations of 18-088 table 25.

An interval is a pair of columns whose end is null for an instant. Everything here becomes plain
comparisons of starts and ends, so that no other stage has to know what an interval is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal as OneOf

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


def _last_to_last(operator: OneOf["eq", "le", "lt", "gt"], left: Span, right: Span) -> Expression:
    return _of_last(left, lambda a: _of_last(right, lambda b: Compare(operator, a, b)))


def _start(operator: OneOf["eq", "le", "lt", "gt", "ge"], left: Span, right: Span) -> Expression:
    return Compare(operator, left.start, right.start)


def compare(operator: str, left: Span, right: Span) -> Expression:
    """`gt` is after, `lt` is before, `ge` starts no earlier, `le` ends no later."""
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
            return _start("ge", left, right)
        case _:
            return _last_to_last("le", left, right)


def is_null(span: Span) -> Expression:
    return Compare("eq", span.start, _NULL)


def before(left: Span, right: Span) -> Expression:
    return _of_last(left, lambda last: Compare("lt", last, right.start))


def after(left: Span, right: Span) -> Expression:
    return before(right, left)


def meets(left: Span, right: Span) -> Expression:
    return _of_last(left, lambda last: Compare("eq", last, right.start))


def during(left: Span, right: Span) -> Expression:
    """Within, boundaries included: what starts no earlier and ends no later."""
    return And((_start("ge", left, right), _last_to_last("le", left, right)))


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
