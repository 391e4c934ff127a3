"""What statistics say of whole chunks: which may hold a reading that fulfils a condition, and of
which all readings do.

Logic with three values over the bounds of `sieve_bounds`: sound for every condition, sharp for
comparisons with constants, with each other's bounds and with what hangs on the datastream alone.
`hull` and `members_of` say what a condition leaves of one column, whatever the chunks are.
"""

from typing import Any

import numpy as np

from stadtherz.base.expressions import (
    Among,
    And,
    Column,
    Compare,
    Expression,
    Kind,
    Literal,
    Not,
    Or,
)
from stadtherz.sql.public import RANKS, kind_of
from stadtherz.store.conditions.array_values import Mask, integers
from stadtherz.store.conditions.arrays import holds
from stadtherz.store.conditions.bounds import (
    Bounds,
    Stats,
    Streams,
    bounds_of,
    is_of_stream,
    ranks_of,
)
from stadtherz.store.conditions.hull import hull, members_of

__all__ = ["Stats", "hull", "members_of", "sieve"]

Verdict = tuple[Any, Any]  # possible, certain: arrays of bool, or one bool for all chunks

_UNKNOWN: Verdict = (np.True_, np.False_)
_NEVER: Verdict = (np.False_, np.False_)


def sieve(expression: Expression, stats: Stats) -> tuple[Mask, Mask]:
    """For each chunk whether any of its readings may fulfil the condition, and whether all do.

    A chunk without readings has none that do. Where a part of the condition depends on the
    datastream alone and makes no sense, raises Invalid.
    """
    with np.errstate(all="ignore"):
        possible, certain = _verdict(expression, stats)
    there = stats.n > 0
    return possible & there, certain & there


def _verdict(expression: Expression, stats: Stats) -> Verdict:
    match expression:
        case Literal(value, Kind.BOOLEAN):
            return np.bool_(bool(value)), np.bool_(bool(value))
        case And(parts):
            return _both([_verdict(part, stats) for part in parts])
        case Or(parts):
            return _either(parts, stats)
        case Not(part):
            return _opposite(_verdict(part, stats))
        case Among(column, members):
            return _among(column, members, stats)
        case Compare():
            return _compare(expression, stats)
        case _ if is_of_stream(expression):
            found = holds(expression, Streams(stats.datastream))
            return found, found
        case _:
            return _UNKNOWN


def _opposite(verdict: Verdict) -> Verdict:
    possible, certain = verdict
    return ~certain, ~possible


def _both(verdicts: list[Verdict]) -> Verdict:
    possible, certain = np.True_, np.True_
    for one, all_of_them in verdicts:
        possible, certain = possible & one, certain & all_of_them
    return possible, certain


def _either(parts: tuple[Expression, ...], stats: Stats) -> Verdict:
    possible, certain = np.False_, np.False_
    for one, all_of_them in (_verdict(part, stats) for part in parts):
        possible, certain = possible | one, certain | all_of_them
    return possible, certain | _certain_either_way(parts, stats)


def _certain_either_way(parts: tuple[Expression, ...], stats: Stats) -> Any:
    """`x ne null and A(x) or x eq null and B`: how filters speak of the last instant.

    All readings fulfil it if A holds for all values of x, and B holds.
    """
    match parts:
        case (
            And((Compare("ne", Column() as x, Literal(None)), of_value)),
            And((Compare("eq", Column() as same, Literal(None)), of_null)),
        ) if x == same and isinstance(of_value, Compare) and x.name == "phenomenon_end":
            at_values = _compare(of_value, stats, never_null=x)[1]
            return at_values & _verdict(of_null, stats)[1]
        case _:
            return np.False_


def _among(column: Column, members: frozenset[int], stats: Stats) -> Verdict:
    """How many members lie between the bounds; ids leave no gaps only if all of them are named."""
    if kind_of(column) is not Kind.NUMBER:
        return _UNKNOWN
    listed = integers(members)
    if column.name == "datastream":
        found = np.isin(stats.datastream, listed)
        return found, found
    listed.sort()
    bounds = bounds_of(column, stats)
    first = np.searchsorted(listed, bounds.low)
    number = np.searchsorted(listed, bounds.high, "right") - first
    whole = number == bounds.high - bounds.low + 1
    return (number > 0) & bounds.some, (number > 0) & whole & ~bounds.null


# --- comparisons ---------------------------------------------------------------------------------


def _compare(compare: Compare, stats: Stats, *, never_null: Column | None = None) -> Verdict:
    if is_of_stream(compare):
        found = holds(compare, Streams(stats.datastream))
        return found, found
    if compare.operator == "ne":
        return _opposite(_compare(Compare("eq", compare.left, compare.right), stats))
    left, right = kind_of(compare.left), kind_of(compare.right)
    if Kind.JSON in (left, right) and left is not right:
        return _compare_json(compare, stats)
    sides = [_bounds(side, stats) for side in (compare.left, compare.right)]
    if never_null is not None:
        sides = [
            Bounds(b.low, b.high) if side == never_null else b
            for side, b in zip((compare.left, compare.right), sides, strict=True)
        ]
    verdict = _compared(compare.operator, *sides)
    if left is Kind.JSON:
        return _if_numbers(compare, verdict, stats)
    return verdict


def _bounds(side: Expression, stats: Stats) -> Bounds:
    """The bounds of an operand; a condition is false or true, false coming first."""
    if isinstance(side, And | Or | Not | Compare | Among):
        possible, certain = _verdict(side, stats)
        return Bounds(certain, possible)
    return bounds_of(side, stats)


def _compared(operator: str, a: Bounds, b: Bounds) -> Verdict:
    some, sure = a.some & b.some, ~(a.null | b.null)
    match operator:
        case "gt":
            return (a.high > b.low) & some, (a.low > b.high) & sure
        case "ge":
            return (a.high >= b.low) & some, (a.low >= b.high) & sure
        case "lt":
            return (a.low < b.high) & some, (a.high < b.low) & sure
        case "le":
            return (a.low <= b.high) & some, (a.high <= b.low) & sure
        case _:
            return _equal(a, b, some, sure)


def _equal(a: Bounds, b: Bounds, some: Any, sure: Any) -> Verdict:
    """Null equals null."""
    possible = (a.low <= b.high) & (b.low <= a.high) & some | (a.null & b.null)
    single = (a.low == b.high) & (b.low == a.high) & sure
    return possible, single | ~(a.some | b.some)


def _compare_json(compare: Compare, stats: Stats) -> Verdict:
    """A document with a value of another kind: true only where it has that type."""
    document, other = compare.left, compare.right
    if kind_of(other) is Kind.JSON:
        document, other = other, document
    ranks, kind = ranks_of(document, stats), kind_of(other)
    if kind is Kind.NULL:
        null = ranks == 0
        if compare.operator != "eq":
            return _NEVER
        return null | (ranks < 0), null
    if kind not in RANKS:
        return _NEVER
    sides = [_bounds(side, stats) for side in (compare.left, compare.right)]
    possible, certain = _compared(compare.operator, *sides) if kind is Kind.NUMBER else _UNKNOWN
    both_null = compare.operator == "eq" and not isinstance(other, Literal)
    fits = (ranks == RANKS[kind]) | (ranks < 0) | ((ranks == 0) & np.bool_(both_null))
    return possible & fits, certain & (ranks == RANKS[kind])


def _if_numbers(compare: Compare, verdict: Verdict, stats: Stats) -> Verdict:
    """Two documents: the verdict on numbers if both are, otherwise what their types say."""
    a, b = ranks_of(compare.left, stats), ranks_of(compare.right, stats)
    possible, certain = verdict
    numbers, nulls = (a == 2) & (b == 2), (a == 0) & (b == 0)
    differ = (a != b) & (a >= 0) & (b >= 0)
    both_null = nulls & np.bool_(compare.operator == "eq")
    open_ = ~(numbers | nulls | differ)
    return (numbers & possible) | both_null | open_, (numbers & certain) | both_null
