"""Readings that a message arranges as a table: rows under a list of names, a column for each name, or series.

`{"fields": ["time", "level"], "values": [[…], […]]}`, rows whose first one holds the names,
`{"time": […], "level": […]}` and `series` all become a list of objects, one for each row. A unit that stands with a name
goes behind its numbers (`5 cm`), where `written` reads it. What stands beside the table counts for all rows.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stadtherz.ingest.forms import series
from stadtherz.ingest.forms.cells import NAMES, TIMES, UNITS, is_value, with_unit
from stadtherz.ingest.forms.leaves import inside
from stadtherz.ingest.values import decode
from stadtherz.ingest.values.decode import MISSING
from stadtherz.ingest.values.written import unit_of

TABLE = "table:"
MOST_ROWS = 1_000
_MOST_COLUMNS = 200
_MOST_TABLES = 5
_LOOKED_AT = 400  # objects and lists of a message
_HEADERS = re.compile(
    r"(fields?|columns?|headers?|head|names?|keys|labels|components|spalten|felder|namen|kopf(zeile)?|schema)(_?names?)?",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r"(.*\S)\s*[\[(]([^\[\]()]{1,20})[\])]")


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    unit: str = ""  # UCUM


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a table as objects, and the message without it."""

    rows: list[dict[str, Any]]
    beside: dict[str, Any]


def rows_at(path: str, content: Any) -> Rows | None:
    """The table that `path` leads to, empty for the message itself; None if there is none."""
    holder, table = _found(path, content)
    if isinstance(table, dict):
        return _of_columns(table, holder, content)
    if isinstance(table, list) and table and all(isinstance(row, list) for row in table):
        return _of_rows(table, holder, content)
    rows = series.rows_of(table)
    return None if rows is None else Rows(rows, _without(content, (table,)))


def tables(content: Any) -> list[str]:
    """The paths to the first tables of a message, outer ones first."""
    found: list[str] = []
    todo: list[tuple[str, Any, Any]] = [("", content, None)]
    looked = 0
    while todo and len(found) < _MOST_TABLES and looked < _LOOKED_AT:
        path, value, holder = todo.pop(0)
        looked += 1
        if _is_table(value, holder):
            found.append(path)
        elif isinstance(value, dict | list):
            todo.extend((inner, each, value) for inner, each in inside(path, value))
    return found


def _is_table(value: Any, holder: Any) -> bool:
    if isinstance(value, dict):
        columns = _columns(value)
        return len(columns) > 1 and any(TIMES.fullmatch(name) for name in columns)
    if not isinstance(value, list) or not value:
        return False
    if not all(isinstance(row, list) for row in value):
        return bool(series.rows_of(value))
    return _header(value, holder) is not None


def _found(path: str, content: Any) -> tuple[Any, Any]:
    """What holds the table, and the table; MISSING if it is not there."""
    if not path:
        return None, content
    steps = decode.parse(path)
    assert isinstance(steps, decode.Path)
    holder: Any = None
    for step in steps.steps:
        holder, content = content, decode.follow(content, step)
        if content is MISSING or content is None:
            return None, MISSING
    return holder, content


# --- rows under names -----------------------------------------------------------------------------


def _of_rows(table: list[list[Any]], holder: Any, content: Any) -> Rows | None:
    header = _header(table, holder)
    if header is None:
        return None
    columns, told, first = header
    rows = [_row(columns, row) for row in table[first:]]
    return Rows(rows, _without(content, (table, told)))


def _header(table: list[list[Any]], holder: Any) -> tuple[list[Column], Any, int] | None:
    """The columns, what tells them, and which row is the first of values."""
    width = max(map(len, table))
    if isinstance(holder, dict):
        lists = [(name, each) for name, each in holder.items() if each is not table]
        lists.sort(key=lambda each: _HEADERS.fullmatch(each[0]) is None)
        for name, each in lists:
            columns = _named(each)
            if len(columns) >= width and (_HEADERS.fullmatch(name) or len(columns) == width):
                return _with_units(columns, holder, (name,)), each, 0
    columns = _named(table[0])
    if len(table) > 1 and len(columns) == width:
        return columns, None, 1
    return None


def _named(told: Any) -> list[Column]:
    """The columns that a list names; none if it is no list of names."""
    if not isinstance(told, list) or not 0 < len(told) <= _MOST_COLUMNS:
        return []
    columns = [_column(each) for each in told]
    names = [column.name for column in columns if column is not None]
    if len(names) < len(told) or len(set(names)) < len(names):
        return []
    return [column for column in columns if column is not None]


def _column(told: Any) -> Column | None:
    """From `level`, `level [cm]` or an object with name and unit."""
    if isinstance(told, Mapping):
        name = next((told[key] for key in NAMES if isinstance(told.get(key), str)), None)
        unit = next((unit_of(told[key]) for key in UNITS if key in told), "")
        return Column(name, unit) if name and '"' not in name else None
    if not isinstance(told, str) or not told.strip() or '"' in told or is_value(told):
        return None
    match = _IN_BRACKETS.fullmatch(told.strip())
    unit = unit_of(match[2]) if match else ""
    return Column(match[1], unit) if match and unit else Column(told.strip())


def _row(columns: Sequence[Column], row: Sequence[Any]) -> dict[str, Any]:
    """Its cells by name; an empty one is not there. What has no name is told by its place."""
    cells = {
        column.name: with_unit(cell, column.unit)
        for column, cell in zip(columns, row, strict=False)
        if cell is not None and cell != ""
    }
    if len(row) > len(columns):
        cells["more"] = list(row[len(columns) :])
    return cells


# --- a column for each name -----------------------------------------------------------------------


def _of_columns(table: dict[str, Any], holder: Any, content: Any) -> Rows | None:
    columns = _columns(table)
    if not columns:
        return None
    owner = (
        next((k for k, v in holder.items() if v is table), "") if isinstance(holder, dict) else ""
    )
    told = _with_units(
        [_column(name) or Column(name) for name in columns], holder or table, (owner,)
    )
    rows = [_row(told, row) for row in zip(*columns.values(), strict=True)]
    return Rows(rows, _without(content, tuple(columns.values())))


def _columns(table: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Its lists of plain values that are as long as the most of them, two at least."""
    lists = {
        name: each
        for name, each in table.items()
        if isinstance(each, list) and each and name and '"' not in name and _is_plain(each)
    }
    lengths = [len(each) for each in lists.values()]
    usual = max(lengths, key=lambda n: (lengths.count(n), n), default=0)
    same = {name: each for name, each in lists.items() if len(each) == usual}
    return same if 2 <= len(same) <= _MOST_COLUMNS else {}


def _is_plain(values: Sequence[Any]) -> bool:
    return not any(isinstance(each, dict | list) for each in values)


# --- beside the table -----------------------------------------------------------------------------


def _with_units(columns: list[Column], holder: Any, of: tuple[str, ...]) -> list[Column]:
    """With the units that stand beside: a list `units` in their order, or an object by their names."""
    if not isinstance(holder, dict):
        return columns
    wanted = {*UNITS, "einheiten", *(f"{name}_units" for name in of if name)}
    told = next((v for k, v in holder.items() if str(k).lower() in wanted), None)
    if isinstance(told, dict):
        units = [unit_of(told.get(column.name)) for column in columns]
    elif isinstance(told, list) and len(told) == len(columns):
        units = [unit_of(each) for each in told]
    else:
        return columns
    return [Column(c.name, u or c.unit) for c, u in zip(columns, units, strict=True)]


def _without(content: Any, gone: Sequence[Any]) -> dict[str, Any]:
    """The message without these parts of it."""
    if not isinstance(content, dict):
        return {}
    return dict(_kept(content, gone))


def _kept(holder: Mapping[str, Any], gone: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    for name, each in holder.items():
        if any(each is part for part in gone if part is not None):
            continue
        if isinstance(each, dict):
            inner = dict(_kept(each, gone))
            if inner or not each:
                yield name, inner
        elif not _holds(each, gone):
            yield name, each


def _holds(value: Any, gone: Sequence[Any], depth: int = 8) -> bool:
    """Whether a list holds one of these, somewhere within."""
    if depth == 0 or not isinstance(value, dict | list):
        return False
    for each in value.values() if isinstance(value, dict) else value[:60]:
        if any(each is part for part in gone if part is not None) or _holds(each, gone, depth - 1):
            return True
    return False
