"""Readings in one row table: the simplest implementation that is right.

It stays as the reference when the compact form takes its place, so nothing here is clever.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from django.db import IntegrityError

from stadtherz.base.errors import Conflict, Invalid, NotFound
from stadtherz.base.expressions import Column, Kind, Order
from stadtherz.base.time import Micros, Period
from stadtherz.sql.public import (
    Source,
    Sql,
    compile_condition,
    compile_order,
    compose,
    dialect_of,
    join,
)
from stadtherz.store.buckets import bucket, zone_of
from stadtherz.store.checks import ROW_COLUMNS, row_of
from stadtherz.store.columns import SELECTED, columns_of
from stadtherz.store.database import ID_RANGE, database, members, rows_of, run, writing
from stadtherz.store.insert import check_references
from stadtherz.store.latest import repair_latest
from stadtherz.store.models import Datastream, FeatureOfInterest
from stadtherz.store.values import (
    NONE,
    READING_COLUMNS,
    Bucketing,
    Buckets,
    Columns,
    Extent,
    Reading,
    Selection,
)

_NEVER_NULL = frozenset({"id", "datastream", "phenomenon_start"})


def _resolve(column: Column) -> Source:
    if column.name not in READING_COLUMNS:
        raise Invalid("$filter", f"{column.name} is not a property of an observation")
    kind = READING_COLUMNS[column.name]
    number = Sql("number") if column.name == "result" else None
    return Source(Sql(column.name), kind, number, nullable=column.name not in _NEVER_NULL)


def _where(selection: Selection) -> Sql:
    condition = compile_condition(selection.where, _resolve, dialect_of(database()))
    if selection.streams is None:
        return condition
    return compose("({} AND {})", members("datastream", selection.streams), condition)


def total_order(order: Sequence[Order]) -> tuple[Order, ...]:
    """The order made total by the id, which follows the direction of the term before it."""
    descending = order[-1].descending if order else False
    return (*order, Order(Column("id", Kind.NUMBER), descending))


def select(selection: Selection) -> Columns:
    """The readings that the selection describes, in its order.

    Raises Invalid where the condition names a column that is none or compares what cannot be.
    """
    order = compile_order(total_order(selection.order), _resolve, dialect_of(database()))
    limit = ID_RANGE.stop - 1 if selection.limit is None else selection.limit
    page = f"LIMIT {_within(limit)} OFFSET {_within(selection.skip)}"
    template = f"SELECT {SELECTED} FROM store_observation WHERE {{}} ORDER BY {{}} {page}"
    return columns_of(rows_of(compose(template, _where(selection), order)))


def _within(number: int) -> int:
    """The number, or the nearest one the engines can count to."""
    return max(0, min(int(number), ID_RANGE.stop - 1))


def count(selection: Selection) -> int:
    """How many readings fulfil the selection's condition, whatever its limit and skip."""
    counted = compose("SELECT count(*) FROM store_observation WHERE {}", _where(selection))
    return int(rows_of(counted)[0][0])


def by_id(ids: Iterable[int]) -> Columns:
    """The readings with these ids, ordered by id; those that do not exist are left out."""
    condition = members("id", sorted(set(ids)))
    template = f"SELECT {SELECTED} FROM store_observation WHERE {{}} ORDER BY id"
    return columns_of(rows_of(compose(template, condition)))


def latest(streams: Iterable[int]) -> Columns:
    """The newest reading, by phenomenon time, of each datastream that has any."""
    condition = members("store_latest.datastream", sorted(set(streams)))
    columns = ", ".join(f"o.{name}" for name in SELECTED.split(", "))
    template = (
        f"SELECT {columns} FROM store_latest JOIN store_observation o ON o.id = newest "
        "WHERE {} ORDER BY o.datastream"
    )
    return columns_of(rows_of(compose(template, condition)))


def extents(streams: Iterable[int]) -> dict[int, Extent]:
    """First and last instants and the count of each datastream that has readings."""
    condition = members("datastream", sorted(set(streams)))
    template = (
        "SELECT datastream, count, phenomenon_first, phenomenon_last, result_first, result_last "
        "FROM store_latest WHERE {}"
    )
    return {row[0]: _extent(*row[1:]) for row in rows_of(compose(template, condition))}


def _extent(
    number: int,
    first: Micros,
    last: Micros,
    result_first: Micros | None,
    result_last: Micros | None,
) -> Extent:
    if result_first is None or result_last is None:
        return Extent(number, Period(first, last), None)
    return Extent(number, Period(first, last), Period(result_first, result_last))


def buckets(
    stream: int,
    width: Bucketing,
    zone: str,
    *,
    start: Micros | None = None,
    end: Micros | None = None,
) -> Buckets:
    """Aggregates of a datastream's numbers from `start` to before `end`, by phenomenon start.

    Results that are no numbers are left out. Raises Invalid for an unknown zone.
    """
    conditions = [Sql("datastream = %s", (stream,)), Sql("number IS NOT NULL")]
    if start is not None:
        conditions.append(Sql("phenomenon_start >= %s", (start,)))
    if end is not None:
        conditions.append(Sql("phenomenon_start < %s", (end,)))
    template = (
        "SELECT phenomenon_start, number FROM store_observation WHERE {} "
        "ORDER BY phenomenon_start, id"
    )
    rows = rows_of(compose(template, join(" AND ", conditions)))
    times = np.array([row[0] for row in rows], dtype=np.int64)
    numbers = np.array([row[1] for row in rows], dtype=np.float64)
    return bucket(times, numbers, width, zone_of(zone))


# --- changes -------------------------------------------------------------------------------------


def correct(reading: int, changed: Reading) -> None:
    """Replace a reading, keeping its id and its place in the log.

    Its key stays, too. Raises NotFound if it does not exist, Invalid for a value that cannot be
    kept, Conflict if it would become a repetition in another datastream.
    """
    row = row_of(changed)
    with writing():
        check_references(row)
        found = rows_of(Sql("SELECT datastream FROM store_observation WHERE id = %s", (reading,)))
        if not found:
            raise NotFound(f"Observation {reading}")
        assigned = ", ".join(f"{name} = %s" for name in ROW_COLUMNS[:-1])  # the key is last
        try:
            run(f"UPDATE store_observation SET {assigned} WHERE id = %s", (*row[:-1], reading))
        except IntegrityError:
            raise Conflict(f"datastream {changed.datastream} has this reading already") from None
        repair_latest({found[0][0], changed.datastream})


def delete_readings(ids: Iterable[int]) -> int:
    """Delete readings by id and say how many there were."""
    return _delete(members("id", sorted(set(ids))))


def delete_of(entity: Datastream | FeatureOfInterest) -> None:
    """Delete all readings of a datastream, or those taken at a feature of interest."""
    column = "datastream" if isinstance(entity, Datastream) else "feature"
    _delete(members(column, [entity.pk]))


def streams_at(feature: int) -> list[int]:
    """The datastreams with readings at this feature of interest."""
    text = "SELECT DISTINCT datastream FROM store_observation WHERE feature = %s"
    return [row[0] for row in rows_of(Sql(text, (feature,)))]


def _delete(condition: Sql) -> int:
    with writing():
        touched = compose("SELECT DISTINCT datastream FROM store_observation WHERE {}", condition)
        streams = [row[0] for row in rows_of(touched)]
        deleted = run(f"DELETE FROM store_observation WHERE {condition.text}", condition.parameters)
        if streams:
            repair_latest(streams)
    return deleted


def forget_orphans() -> None:
    """Delete all readings if there is no datastream left."""
    if "store_observation" in database().introspection.table_names():
        with writing():
            for table in ("store_observation", "store_latest"):
                run(f"DELETE FROM {table} WHERE NOT EXISTS (SELECT 1 FROM store_datastream)")


def reading_at(columns: Columns, i: int, **changes: Any) -> Reading:
    """Row `i` of the columns as a Reading, for corrections."""

    def time(values: Any) -> int | None:
        return None if values[i] == NONE else int(values[i])

    start, valid = int(columns.phenomenon_start[i]), time(columns.valid_start)
    result = columns.result[i]
    values: dict[str, Any] = {
        "datastream": int(columns.datastream[i]),
        "phenomenon_time": Period(start, time(columns.phenomenon_end)),
        "result": result.item() if isinstance(result, np.generic) else result,
        "result_time": time(columns.result_time),
        "feature": time(columns.feature),
        "result_quality": columns.result_quality[i] if columns.result_quality else None,
        "valid_time": None if valid is None else Period(valid, time(columns.valid_end)),
        "parameters": columns.parameters[i] if columns.parameters else None,
    }
    return Reading(**(values | changes))
