"""Readings that are not plain numbers, one row each: texts, documents, qualities, parameters.

Also readings that a correction moved into another datastream: their id tells where they arrived.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from stadtherz.base.errors import Invalid
from stadtherz.base.expressions import Column, Order
from stadtherz.sql.public import (
    Source,
    Sql,
    compile_condition,
    compile_order,
    compose,
    dialect_of,
    join,
)
from stadtherz.store.database import ID_RANGE, database, listed, members, on_sqlite, rows_of, run
from stadtherz.store.sealed.batch import Batch
from stadtherz.store.sealed.columns import SELECTED, columns_of
from stadtherz.store.values import NONE, READING_COLUMNS, Columns, Int64, Selection

_NEVER_NULL = frozenset({"id", "datastream", "phenomenon_start"})
_TYPES = (
    *("bigint[]",) * 5,
    *("double precision[]", "jsonb[]", "bigint[]", "bigint[]", "bigint[]", "jsonb[]", "jsonb[]"),
)
_NAMES = SELECTED.split(", ")


def source_of(column: Column) -> Source:
    """Where a reading's column stands in the row table. Raises Invalid for one that is none."""
    if column.name not in READING_COLUMNS:
        raise Invalid("$filter", f"{column.name} is not a property of an observation")
    kind = READING_COLUMNS[column.name]
    number = Sql("number") if column.name == "result" else None
    return Source(Sql(column.name), kind, number, nullable=column.name not in _NEVER_NULL)


def _where(selection: Selection) -> Sql:
    condition = compile_condition(selection.where, source_of, dialect_of(database()))
    if selection.streams is None:
        return condition
    return compose("({} AND {})", members("datastream", selection.streams), condition)


def select(selection: Selection, order: Sequence[Order], limit: int | None) -> Columns:
    """The first readings, as many as `limit` says, that the selection describes."""
    ordered = compile_order(order, source_of, dialect_of(database()))
    most = ID_RANGE.stop - 1 if limit is None else limit
    template = f"SELECT {SELECTED} FROM store_row WHERE {{}} ORDER BY {{}} LIMIT {most}"
    return columns_of(rows_of(compose(template, _where(selection), ordered)))


def count(selection: Selection) -> int:
    counted = compose("SELECT count(*) FROM store_row WHERE {}", _where(selection))
    return int(rows_of(counted)[0][0])


def counts_by_feature(streams: Iterable[int] | None) -> dict[int, int]:
    """How many such readings of these datastreams, or of all, each feature of interest has."""
    some = Sql("1 = 1") if streams is None else members("datastream", streams)
    template = (
        "SELECT feature, count(*) FROM store_row WHERE feature IS NOT NULL AND {} GROUP BY feature"
    )
    return dict(rows_of(compose(template, some)))


def with_ids(ids: Iterable[int]) -> Columns:
    condition = members("id", ids)
    return columns_of(rows_of(compose(f"SELECT {SELECTED} FROM store_row WHERE {{}}", condition)))


def any_at_all() -> bool:
    return bool(rows_of(Sql("SELECT 1 FROM store_row LIMIT 1")))


def any_of(streams: Iterable[int]) -> set[int]:
    """Which of these datastreams have such readings."""
    template = (
        "SELECT value FROM {} WHERE EXISTS (SELECT 1 FROM store_row WHERE datastream = value)"
    )
    return {row[0] for row in rows_of(compose(template, listed(streams)))}


def streams_at(feature: int) -> set[int]:
    """The datastreams with such readings at a feature of interest."""
    text = "SELECT DISTINCT datastream FROM store_row WHERE feature = %s"
    return {row[0] for row in rows_of(Sql(text, (feature,)))}


def before(stream: int, cutoff: int) -> list[int]:
    """The ids of such readings that begin before an instant."""
    text = "SELECT id FROM store_row WHERE datastream = %s AND phenomenon_start < %s"
    return [row[0] for row in rows_of(Sql(text, (stream, cutoff)))]


# --- changes -------------------------------------------------------------------------------------


def insert(batch: Batch) -> None:
    """Keep the readings of a batch that are not plain."""
    rows = []
    for place, extra in batch.extras.items():
        reading = batch.readings[place]
        times = [_null(reading[n]) for n in ("phenomenon_end", "result_time")]
        rows.append(
            (
                *(int(reading[n]) for n in ("id", "datastream", "phenomenon_start")),
                *times,
                extra.number,
                extra.result,
                _null(reading["feature"]),
                *extra[2:],
            )
        )
    insert_rows(rows)


def insert_rows(rows: Sequence[tuple[Any, ...]]) -> None:
    """Keep rows in the order of SELECTED."""
    if not rows:
        return
    if on_sqlite():
        marks = ", ".join(["%s"] * len(_NAMES))
        with database().cursor() as cursor:
            cursor.executemany(f"INSERT INTO store_row ({SELECTED}) VALUES ({marks})", rows)
        return
    arrays = ", ".join(f"%s::{type_name}" for type_name in _TYPES)
    run(
        f"INSERT INTO store_row ({SELECTED}) SELECT * FROM unnest({arrays})",
        [list(column) for column in zip(*rows, strict=True)],
    )


def _null(value: Any) -> int | None:
    return None if value == NONE else int(value)


def remove(ids: Iterable[int]) -> None:
    condition = members("id", sorted(ids))
    run(f"DELETE FROM store_row WHERE {condition.text}", condition.parameters)


def remove_streams(streams: Iterable[int]) -> None:
    condition = members("datastream", streams)
    run(f"DELETE FROM store_row WHERE {condition.text}", condition.parameters)


def starting_between(streams: Int64, start: int | None, end: int | None) -> Columns:
    """Such readings that are numbers, by datastream and time, from `start` to before `end`."""
    conditions = [members("datastream", streams.tolist()), Sql("number IS NOT NULL")]
    if start is not None:
        conditions.append(Sql("phenomenon_start >= %s", (start,)))
    if end is not None:
        conditions.append(Sql("phenomenon_start < %s", (end,)))
    template = (
        f"SELECT {SELECTED} FROM store_row WHERE {{}} ORDER BY datastream, phenomenon_start, id"
    )
    return columns_of(rows_of(compose(template, join(" AND ", conditions))))
