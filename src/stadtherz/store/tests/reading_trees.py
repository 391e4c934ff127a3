"""The expression trees and rows of the tests of `sql`, moved to the columns of readings.

A reading has no column of text, truth or shape, so a table keyed by its id stands for each.
"""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

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
from stadtherz.sql.tests.trees import ROWS
from stadtherz.store.values import NONE, Columns

ID = Column("id", Kind.NUMBER)
_NAMES = {"whole": "datastream", "moment": "phenomenon_end", "document": "parameters"}
_TABLES = {"number", "text", "flag", "shape"}


def moved(expression: Expression) -> Any:
    """The tree over columns of readings that means the same."""
    match expression:
        case Column(name, kind, _) if name in _TABLES:
            table = {row["id"]: row[name] for row in ROWS if row[name] is not None}
            return Lookup(ID, table, kind)
        case Column(name, _, _):
            return replace(expression, name=_NAMES.get(name, name))
        case Lookup(column, _, _) | Among(column, _):
            return replace(expression, column=moved(column))
        case And(parts) | Or(parts):
            return type(expression)(tuple(moved(part) for part in parts))
        case Not(part):
            return Not(moved(part))
        case Compare(operator, left, right):
            return Compare(operator, moved(left), moved(right))
        case Call(name, arguments, kind):
            return Call(name, tuple(moved(argument) for argument in arguments), kind)
        case _:
            return expression


def in_doubles(part: Any) -> Any:
    """The tree with large whole numbers as what columns of readings make of them: doubles.

    From 2^53 on a sum of whole numbers is another one than the sum of the doubles.
    """
    if isinstance(part, Literal):
        whole = part.kind is Kind.NUMBER and isinstance(part.value, int)
        large = whole and abs(part.value) >= 2**53
        return replace(part, value=float(part.value)) if large else part
    if isinstance(part, tuple):
        return tuple(map(in_doubles, part))
    if is_dataclass(part) and not isinstance(part, type):
        inner = {each.name: in_doubles(getattr(part, each.name)) for each in fields(part)}
        return replace(part, **inner)
    return part


def moved_order(order: Sequence[Order]) -> list[Order]:
    return [replace(term, by=moved(term.by)) for term in order]


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """The row as that of a plain reading, whose result is a number and nothing else is there."""
    return row | {"result": row["number"] or 0.0, "document": None}


def columns_of_rows(rows: Sequence[dict[str, Any]]) -> Columns:
    """The rows as readings; their results are an array of float64 if all are floats."""
    none = np.full(len(rows), NONE, np.int64)
    ends = [NONE if row["moment"] is None else row["moment"] for row in rows]
    documents = [row["document"] for row in rows]
    return Columns(
        id=np.array([row["id"] for row in rows], np.int64),
        datastream=np.array([row["whole"] for row in rows], np.int64),
        phenomenon_start=none + 1,
        phenomenon_end=np.array(ends, np.int64),
        result_time=none,
        result=_results([row["result"] for row in rows]),
        feature=none,
        valid_start=none,
        valid_end=none,
        parameters=None if all(d is None for d in documents) else documents,
    )


def _results(results: list[Any]) -> Any:
    if all(type(result) is float for result in results):
        return np.array(results, np.float64)
    array = np.empty(len(results), object)
    for place, result in enumerate(results):
        array[place] = result
    return array
