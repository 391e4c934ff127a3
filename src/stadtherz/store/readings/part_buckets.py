"""Buckets of parts of results: of records, arrays and other documents, which no roll-up holds.

The parts come out of the row table as numbers, so that no document is made an object here.
"""

from collections.abc import Collection, Sequence

import numpy as np

from stadtherz.base.expressions import Call, Column, Kind
from stadtherz.sql.public import Sql, compile_value, compose, dialect_of, join
from stadtherz.store.database import database, members, rows_of
from stadtherz.store.readings import rows
from stadtherz.store.sealed.buckets import bucket_each, zone_of
from stadtherz.store.values import Bucketing, Buckets

Part = tuple[str, ...]
"""The way to a part within a result."""


def buckets_of_parts(
    streams: Collection[int],
    parts: Sequence[Part],
    width: Bucketing,
    zone: str,
    *,
    start: int | None = None,
    end: int | None = None,
) -> tuple[dict[int, Buckets], ...]:
    """As `buckets_of`, for each of these parts of results that are no plain numbers.

    The first is of all readings that have a number in any of the parts, or of all readings if there
    are no parts; only its starts and counts mean something. Raises Invalid for an unknown zone.
    """
    columns = [Sql("datastream"), Sql("phenomenon_start"), *map(_number, parts)]
    template = "SELECT {} FROM store_row WHERE number IS NULL AND {} ORDER BY datastream, phenomenon_start, id"
    found = rows_of(compose(template, join(", ", columns), _within(streams, start, end)))
    table = np.array(found, np.float64).reshape(len(found), len(columns))
    keys = np.array([row[:2] for row in found], np.int64).reshape(-1, 2)
    stream, time = (np.ascontiguousarray(column) for column in keys.T)
    there = ~np.isnan(table[:, 2:])
    some = there.any(axis=1) if parts else np.ones(len(found), bool)
    clocks = zone_of(zone)
    whole = bucket_each(stream[some], time[some], np.zeros(int(some.sum())), width, clocks)
    each = [
        bucket_each(stream[own], time[own], table[own, place + 2], width, clocks)
        for place, own in enumerate(there.T)
    ]
    return whole, *each


def number_with_parts(
    streams: Collection[int], most: int, *, start: int | None = None, end: int | None = None
) -> int:
    """How many readings `buckets_of_parts` would look at; not counted beyond `most`."""
    template = f"SELECT count(*) FROM (SELECT 1 FROM store_row WHERE number IS NULL AND {{}} LIMIT {most}) q"
    return int(rows_of(compose(template, _within(streams, start, end)))[0][0])


def _number(part: Part) -> Sql:
    value = Call("json_number", (Column("result", Kind.JSON, part),), Kind.NUMBER)
    return compile_value(value, rows.source_of, dialect_of(database()))


def _within(streams: Collection[int], start: int | None, end: int | None) -> Sql:
    conditions = [members("datastream", sorted(streams))]
    if start is not None:
        conditions.append(Sql("phenomenon_start >= %s", (start,)))
    if end is not None:
        conditions.append(Sql("phenomenon_start < %s", (end,)))
    return join(" AND ", conditions)
