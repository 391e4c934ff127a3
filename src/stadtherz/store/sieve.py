"""What statistics say of whole chunks: which may hold a reading that fulfils a condition, and of
which all readings do. Three-valued, sound for every condition, sharp for the usual ones."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

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
from stadtherz.store.values import NONE, Int64

Mask = npt.NDArray[np.bool_]
Verdict = tuple[Mask, Mask]  # possible, certain


@dataclass(frozen=True, slots=True)
class Stats:
    """Statistics of chunks, an entry for each; NONE where no reading has the value."""

    datastream: Int64
    t0: Int64
    t1: Int64
    n: Int64
    id_min: Int64
    id_max: Int64
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    result_first: Int64
    result_last: Int64
    result_nulls: Int64
    feature_min: Int64
    feature_max: Int64

    def __len__(self) -> int:
        return len(self.datastream)


_BOUNDS = {
    "datastream": ("datastream", "datastream"),
    "id": ("id_min", "id_max"),
    "phenomenon_start": ("t0", "t1"),
    "result": ("low", "high"),
    "result_time": ("result_first", "result_last"),
}


def sieve(expression: Expression, stats: Stats) -> Verdict:
    """For each chunk whether any of its readings may fulfil the condition, and whether all do."""
    match expression:
        case And(parts):
            verdicts = [sieve(part, stats) for part in parts]
            return _all([p for p, _ in verdicts], stats), _all([c for _, c in verdicts], stats)
        case Or(parts):
            verdicts = [sieve(part, stats) for part in parts]
            return _any([p for p, _ in verdicts], stats), _any([c for _, c in verdicts], stats)
        case Not(part):
            possible, certain = sieve(part, stats)
            return ~certain, ~possible
        case Literal(value, Kind.BOOLEAN):
            answer = np.full(len(stats), value is True)
            return answer, answer
        case Among(Column("datastream", _, ()), members):
            found = np.isin(stats.datastream, np.array(sorted(members), np.int64))
            return found, found
        case Compare():
            return _compare(expression, stats)
        case _:
            return _unknown(stats)


def _unknown(stats: Stats) -> Verdict:
    return np.ones(len(stats), bool), np.zeros(len(stats), bool)


def _all(masks: list[Mask], stats: Stats) -> Mask:
    found: Mask = np.logical_and.reduce([np.ones(len(stats), bool), *masks])
    return found


def _any(masks: list[Mask], stats: Stats) -> Mask:
    found: Mask = np.logical_or.reduce([np.zeros(len(stats), bool), *masks])
    return found


_SWAPPED = {"gt": "lt", "lt": "gt", "ge": "le", "le": "ge", "eq": "eq", "ne": "ne"}
_RULES: dict[str, Callable[[Any, Any, Any], Verdict]] = {
    "gt": lambda low, high, x: (high > x, low > x),
    "ge": lambda low, high, x: (high >= x, low >= x),
    "lt": lambda low, high, x: (low < x, high < x),
    "le": lambda low, high, x: (low <= x, high <= x),
    "eq": lambda low, high, x: ((low <= x) & (x <= high), (low == x) & (high == x)),
}


def _compare(compare: Compare, stats: Stats) -> Verdict:
    operator, column, literal = compare.operator, compare.left, compare.right
    if isinstance(column, Literal):
        operator, column, literal = _SWAPPED[operator], literal, column  # type: ignore[assignment]
    if not isinstance(column, Column) or not isinstance(literal, Literal) or column.path:
        return _unknown(stats)
    if column.name not in _BOUNDS or not _comparable(literal):
        return _unknown(stats)
    low, high = (getattr(stats, name) for name in _BOUNDS[column.name])
    possible, certain = _RULES["eq" if operator == "ne" else operator](low, high, literal.value)
    if column.name == "result_time":
        there = stats.result_first != NONE
        possible, certain = possible & there, certain & (stats.result_nulls == 0) & there
    return (~certain, ~possible) if operator == "ne" else (possible, certain)


def _comparable(literal: Literal) -> bool:
    number = isinstance(literal.value, int | float) and not isinstance(literal.value, bool)
    return number and literal.kind in (Kind.NUMBER, Kind.TIME)


def members_of(expression: Expression, name: str) -> frozenset[int] | None:
    """The values that a column is confined to; None where the condition does not say."""
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
