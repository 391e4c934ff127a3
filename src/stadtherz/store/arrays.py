"""What conditions and orders say of readings that are columns in memory.

The usual ones are computed by numpy on whole columns. Whatever else a filter may contain (texts,
paths into documents, geometries) is answered by an SQLite table in memory through the very compiler
that serves the row table, so there is no second opinion about what it means.
"""

import sqlite3
import threading
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import orjson

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
from stadtherz.base.time import DAY, HOUR, MINUTE, SECOND
from stadtherz.sql.public import (
    SQLITE,
    Source,
    Sql,
    compile_condition,
    compile_order,
    install_on_sqlite,
    rank,
    typed,
)
from stadtherz.store.values import NONE, READING_COLUMNS, Int64, Values

Mask = npt.NDArray[np.bool_]
_PLAIN = frozenset({Kind.NUMBER, Kind.TIME, Kind.DURATION})


class Table(Protocol):
    """Columns, or a chunk that decodes them when asked."""

    def __len__(self) -> int: ...


class _Unusual(Exception):
    """Numpy cannot say; the table in memory can."""


def holds(expression: Expression, columns: Table) -> Mask:
    """For each reading whether it fulfils the condition; null counts as no."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            return _condition(expression, columns)
    except _Unusual:
        return _asked(expression, columns)


def ordering(order: Sequence[Order], columns: Table) -> Int64:
    """The places of the readings in this order; null first when ascending, last when descending."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            keys = [key for term in typed(order) for key in _sort_keys(term, columns)]
    except _Unusual:
        return _sorted(order, columns)
    if len(keys) == 1:
        return np.argsort(keys[0], kind="stable").astype(np.int64)
    return np.lexsort(keys[::-1]).astype(np.int64)


# --- conditions by numpy ---------------------------------------------------------------------------


def _condition(expression: Expression, columns: Table) -> Mask:
    match expression:
        case And(parts):
            found = np.ones(len(columns), bool)
            for part in parts:
                found &= _condition(part, columns)
            return found
        case Or(parts):
            found = np.zeros(len(columns), bool)
            for part in parts:
                found |= _condition(part, columns)
            return found
        case Not(part):
            return ~_condition(part, columns)
        case Literal(value, Kind.BOOLEAN):
            return np.full(len(columns), value is True)
        case Among(column, members):
            return np.isin(_column(column, columns)[0], np.array(sorted(members), np.int64))
        case Compare():
            return _compare(expression, columns)
        case _:
            raise _Unusual


def _compare(compare: Compare, columns: Table) -> Mask:
    (left, no_left), (right, no_right) = (
        _value(side, columns) for side in (compare.left, compare.right)
    )
    if compare.operator in ("eq", "ne"):
        equal = (left == right) & ~(no_left | no_right) | (no_left & no_right)
        return np.broadcast_to(equal if compare.operator == "eq" else ~equal, len(columns)).copy()
    compared = _OPERATORS[compare.operator](left, right)
    return np.broadcast_to(compared & ~(no_left | no_right), len(columns)).copy()


_OPERATORS = {"gt": np.greater, "ge": np.greater_equal, "lt": np.less, "le": np.less_equal}
Value = tuple[Any, Any]  # values and where they are null: arrays, or one of each for all readings


def _value(expression: Expression, columns: Table) -> Value:
    match expression:
        case Literal(None, _):
            return 0, np.True_
        case Literal(value, kind) if kind in _PLAIN:
            return value, np.False_
        case Column():
            return _column(expression, columns)
        case Lookup(column, table, kind) if kind in _PLAIN:
            return _looked_up(_column(column, columns)[0], table)
        case Call():
            return _call(expression, columns)
        case _:
            raise _Unusual


def _column(column: Column, columns: Table) -> Value:
    if column.path or column.name in ("result_quality", "parameters"):
        raise _Unusual
    values = getattr(columns, column.name)
    if column.name == "result":
        if values.dtype == object:
            raise _Unusual
        return values, np.False_
    return values, values == NONE


def _looked_up(keys: Int64, table: Any) -> Value:
    distinct, back = np.unique(keys, return_inverse=True)
    found = [table.get(key) for key in distinct.tolist()]
    missing = np.array([value is None for value in found], bool)
    whole = all(isinstance(value, int) for value in found if value is not None)
    values = np.array([0 if v is None else v for v in found], np.int64 if whole else np.float64)
    return values[back], missing[back]


def _call(call: Call, columns: Table) -> Value:
    known = _CALLS.get(call.name)
    kinds = [getattr(argument, "kind", None) for argument in call.arguments]
    if known is None or (Kind.JSON in kinds and not call.name.startswith("json_")):
        raise _Unusual
    arguments = [_value(argument, columns) for argument in call.arguments]
    missing = np.False_
    for _, none in arguments:
        missing = missing | none
    if call.name in ("json_text", "json_boolean"):  # a plain result is a number
        return 0, np.True_
    if call.name in ("add", "sub", "mul", "neg"):
        if set(kinds) != {Kind.NUMBER}:
            raise _Unusual
        arguments = [(np.asarray(value, np.float64), none) for value, none in arguments]
    return known(*(value for value, _ in arguments)), missing


def _calendar(unit: str, base: str, offset: int) -> Any:
    def part(us: Any) -> Any:
        moment = np.asarray(us).astype("datetime64[us]")
        return (moment.astype(unit) - moment.astype(base).astype(unit)).astype(np.int64) + offset

    return part


_CALLS: dict[str, Any] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "neg": np.negative,
    "json_rank": lambda _: 2,
    "json_number": lambda value: value,
    "json_text": None,
    "json_boolean": None,
    "year": lambda us: (
        np.asarray(us).astype("datetime64[us]").astype("datetime64[Y]").astype(int) + 1970
    ),
    "month": _calendar("datetime64[M]", "datetime64[Y]", 1),
    "day": _calendar("datetime64[D]", "datetime64[M]", 1),
    "hour": lambda us: us // HOUR % 24,
    "minute": lambda us: us // MINUTE % 60,
    "second": lambda us: us // SECOND % 60,
    "date": lambda us: us - us % DAY,
    "time": lambda us: us % DAY,
    "floor": np.floor,
    "ceiling": np.ceil,
}
_CALLS["json_text"] = _CALLS["json_boolean"] = _CALLS["json_rank"]


# --- order by numpy --------------------------------------------------------------------------------


def _sort_keys(term: Order, columns: Table) -> list[Any]:
    by = term.by
    if isinstance(by, Call) and by.name.startswith("json_"):
        values, missing = _json_part(by, columns)
    else:
        values, missing = _value(by, columns)
    values = np.broadcast_to(np.asarray(values), len(columns))
    missing = np.broadcast_to(np.asarray(missing), len(columns))
    keys = [np.where(missing, 0, values)]
    if missing.any():
        keys.insert(0, ~missing)
    return [_reversed(key) if term.descending else key for key in keys]


def _reversed(key: Values) -> Values:
    return -key if key.dtype.kind == "f" else ~key


def _json_part(call: Call, columns: Table) -> Value:
    """A part of results of mixed types, which are Python values."""
    (column,) = call.arguments
    results = getattr(columns, "result", None)
    if not isinstance(column, Column) or column.name != "result" or column.path or results is None:
        raise _Unusual
    if results.dtype != object:
        return _call(call, columns)
    ranks = np.array([rank(value) for value in results], np.int64)
    if call.name == "json_rank":
        return ranks, np.False_
    wanted = {"json_boolean": 1, "json_number": 2, "json_text": 3}[call.name]
    chosen = ranks == wanted
    if call.name == "json_text":
        texts = np.array([v if r == 3 else "" for v, r in zip(results, ranks, strict=True)], object)
        return np.unique(texts, return_inverse=True)[1], ~chosen
    numbers = [float(v) if c else 0.0 for v, c in zip(results, chosen, strict=True)]
    return np.array(numbers, np.float64), ~chosen


# --- everything else -------------------------------------------------------------------------------

_here = threading.local()
_NAMES = tuple(READING_COLUMNS)


def _source(column: Column) -> Source:
    number = Sql("number") if column.name == "result" else None
    return Source(Sql(column.name), READING_COLUMNS[column.name], number)


def _filled(columns: Table) -> sqlite3.Connection:
    """A table in memory with these readings; rowid is their place."""
    connection: sqlite3.Connection | None = getattr(_here, "connection", None)
    if connection is None:
        connection = _here.connection = sqlite3.connect(":memory:")
        install_on_sqlite(connection)
        connection.execute(f"CREATE TABLE reading ({', '.join(_NAMES)}, number)")
    connection.execute("DELETE FROM reading")
    marks = ", ".join("?" * (len(_NAMES) + 2))
    names = ", ".join(("rowid", *_NAMES, "number"))
    lists = [_python(name, columns) for name in _NAMES]
    numbers = [v if rank(v) == 2 else None for v in getattr(columns, "result").tolist()]  # noqa: B009
    rows = zip(range(len(columns)), *lists, numbers, strict=True)
    connection.executemany(f"INSERT INTO reading ({names}) VALUES ({marks})", rows)
    return connection


def _python(name: str, columns: Table) -> list[Any]:
    values = getattr(columns, name)
    if name == "result":
        return [None if rank(v) == 2 else _json(v) for v in values.tolist()]
    if name in ("result_quality", "parameters"):
        if values is None:
            return [None] * len(columns)
        return [None if value is None else _json(value) for value in values]
    return [None if value == NONE else value for value in values.tolist()]


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _ask(template: str, sql: Sql, columns: Table) -> Int64:
    text = template.format(sql.text.replace("%s", "?"))
    rows = _filled(columns).execute(text, sql.parameters).fetchall()
    return np.array([row[0] for row in rows], np.int64)


def _asked(expression: Expression, columns: Table) -> Mask:
    found = np.zeros(len(columns), bool)
    condition = compile_condition(expression, _source, SQLITE)
    found[_ask("SELECT rowid FROM reading WHERE {}", condition, columns)] = True
    return found


def _sorted(order: Sequence[Order], columns: Table) -> Int64:
    compiled = compile_order(order, _source, SQLITE)
    return _ask("SELECT rowid FROM reading ORDER BY {}", compiled, columns)
