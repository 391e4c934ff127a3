"""What a condition leaves of one column, whatever the readings are."""

import math
from collections.abc import Sequence
from typing import Any

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
from stadtherz.store.values import READING_COLUMNS

Hull = tuple[Any, Any]

_OPEN: Hull = (None, None)
NOTHING: Hull = (1, 0)
"""What no value can keep: the lower bound is above the upper one."""

_SWAPPED = {"gt": "lt", "lt": "gt", "ge": "le", "le": "ge", "eq": "eq", "ne": "ne"}
_OPPOSITE = {"gt": "le", "le": "gt", "lt": "ge", "ge": "lt"}
_NEVER_NULL = ("id", "datastream", "phenomenon_start")


def hull(expression: Expression, column_name: str) -> Hull:
    """The bounds (both included, None if open) that a column keeps in every fulfilling reading.

    `low > high` says that no reading fulfils the condition. Bounds of ids and times are int.
    """
    match expression:
        case Literal(value, Kind.BOOLEAN):
            return _OPEN if value else NOTHING
        case And(parts):
            return _intersection([hull(part, column_name) for part in parts])
        case Or(parts):
            return _union([hull(part, column_name) for part in parts])
        case Not(part):
            return _of_opposite(part, column_name)
        case Among(Column(name, _, ()), members) if name == column_name:
            return (min(members), max(members)) if members else NOTHING
        case Compare():
            return _of_compare(expression, column_name)
        case _:
            return _OPEN


def _of_opposite(part: Expression, name: str) -> Hull:
    """The condition with Not moved inwards. What can be null fulfils the opposite by being null."""
    match part:
        case Literal(value, Kind.BOOLEAN):
            return NOTHING if value else _OPEN
        case And(parts):
            return _union([_of_opposite(each, name) for each in parts])
        case Or(parts):
            return _intersection([_of_opposite(each, name) for each in parts])
        case Not(inner):
            return hull(inner, name)
        case Compare("ne", left, right):
            return hull(Compare("eq", left, right), name)
        case Compare(operator, left, right) if operator in _OPPOSITE and name in _NEVER_NULL:
            return hull(Compare(_OPPOSITE[operator], left, right), name)  # type: ignore[arg-type]  # one of the six
        case _:
            return _OPEN


def _intersection(hulls: Sequence[Hull]) -> Hull:
    lows = [low for low, _ in hulls if low is not None]
    highs = [high for _, high in hulls if high is not None]
    return max(lows, default=None), min(highs, default=None)


def _union(hulls: Sequence[Hull]) -> Hull:
    kept = [(low, high) for low, high in hulls if low is None or high is None or low <= high]
    if not kept:
        return NOTHING
    lows, highs = [low for low, _ in kept], [high for _, high in kept]
    return None if None in lows else min(lows), None if None in highs else max(highs)


def _of_compare(compare: Compare, name: str) -> Hull:
    operator: str = compare.operator
    column, literal = compare.left, compare.right
    if isinstance(column, Literal):
        operator, column, literal = _SWAPPED[operator], literal, column
    if not isinstance(column, Column) or column.name != name or column.path:
        return _OPEN
    if not isinstance(literal, Literal) or not _is_number(literal.value):
        return _OPEN
    return _bounded(operator, literal.value, whole=READING_COLUMNS.get(name) is not Kind.JSON)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _bounded(operator: str, value: Any, *, whole: bool) -> Hull:
    up, down = (math.ceil(value), math.floor(value)) if whole else (value, value)
    match operator:
        case "eq":
            return up, down
        case "ge":
            return up, None
        case "le":
            return None, down
        case "gt":
            return (down + 1 if whole else value), None
        case "lt":
            return None, (up - 1 if whole else value)
        case _:
            return _OPEN


def members_of(expression: Expression, name: str) -> frozenset[int] | None:
    """The values that an integer column is confined to; None where the condition does not say."""
    match expression:
        case Among(Column(column, _, ()), members) if column == name:
            return members
        case Compare("eq", Column(column, _, ()), Literal(int(value), Kind.NUMBER)) if (
            column == name
        ):
            return frozenset({value})
        case And(parts):
            found = [m for part in parts if (m := members_of(part, name)) is not None]
            return frozenset.intersection(*found) if found else None
        case Or(parts) if parts:
            each = [members_of(part, name) for part in parts]
            known = [members for members in each if members is not None]
            return frozenset().union(*known) if len(known) == len(each) else None
        case _:
            return None
