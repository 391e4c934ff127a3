"""Readings out of the table that had a row for each, for the migration of older instances.

A reading keeps its place in the log, which was its id; its new id is made of its datastream and of
its number within it. What some consumer has not seen yet is put into the log.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np

from stadtherz.sql.public import Sql
from stadtherz.store.database import on_sqlite, rows_of
from stadtherz.store.readings import keys, rows, summaries
from stadtherz.store.readings.keys import digest
from stadtherz.store.readings.tail import Segment
from stadtherz.store.readings.view import READINGS
from stadtherz.store.sealed import chunks
from stadtherz.store.sealed.batch import SEQUENCE_BITS, TAIL, Batch, Extra, encode, joined, take
from stadtherz.store.sealed.block import Sheaf
from stadtherz.store.sealed.merge import split
from stadtherz.store.state import remember
from stadtherz.store.values import or_none
from stadtherz.store.writing.insert import append_row

_COLUMNS = (
    "id, phenomenon_start, phenomenon_end, result_time, number, result, feature, valid_start, "
    "valid_end, result_quality, parameters, key"
)


def move_readings() -> None:
    """Fill the compact tables from `store_observation`."""
    seen = _slowest_cursor()
    unseen = []
    for (stream,) in rows_of(Sql("SELECT DISTINCT datastream FROM store_observation")):
        batch = _readings_of(stream)
        _seal(stream, batch)
        late = np.flatnonzero(batch.readings["position"] > seen)
        if len(late):
            unseen.append(take(batch, late))
    for batch in _in_order(unseen):
        last = int(batch.readings["position"][-1])
        append_row(READINGS, last, len(batch), encode(batch))
    remember("sealed", _last_id())


def _slowest_cursor() -> int:
    return int(rows_of(Sql("SELECT coalesce(min(position), 0) FROM store_cursor"))[0][0])


def _last_id() -> int:
    """The last id that was ever given out: positions go on behind it."""
    if on_sqlite():
        found = rows_of(Sql("SELECT seq FROM sqlite_sequence WHERE name = 'store_observation'"))
        return int(found[0][0]) if found else 0
    sequence = "pg_get_serial_sequence('store_observation', 'id')"
    return int(rows_of(Sql(f"SELECT coalesce(pg_sequence_last_value({sequence}), 0)"))[0][0])


def _readings_of(stream: int) -> Batch:
    """All readings of a datastream in the order of their arrival, with their new ids."""
    json = "{0}" if on_sqlite() else "{0}::text AS {0}"
    columns = _COLUMNS
    for name in ("result_quality", "parameters", "result,"):
        plain = name.rstrip(",")
        columns = columns.replace(f" {name}", f" {json.format(plain)}{name[len(plain) :]}", 1)
    text = f"SELECT {columns} FROM store_observation WHERE datastream = %s ORDER BY id"
    found = rows_of(Sql(text, (stream,)))
    readings = np.array([_row(stream, i, row) for i, row in enumerate(found)], TAIL)
    extras = {i: _extra(row) for i, row in enumerate(found) if not _plain(row)}
    return Batch(readings, extras)


def _plain(row: tuple[Any, ...]) -> bool:
    return row[4] is not None and all(value is None for value in row[7:11])


def _extra(row: tuple[Any, ...]) -> Extra:
    return Extra(row[4], row[5], *row[7:11])


def _row(stream: int, place: int, row: tuple[Any, ...]) -> tuple[Any, ...]:
    position, start, end, result_time, number, _, feature, *_, key = row
    ids = (stream << SEQUENCE_BITS) + place + 1
    times = map(or_none, (end, result_time, feature))
    known = 0 if key is None else digest(stream, key)
    result = np.nan if number is None else number
    return (ids, start, result, stream, *times, known, position, _plain(row))


def _seal(stream: int, batch: Batch) -> None:
    readings = Segment.of(batch.readings).readings
    blocks = Sheaf.of(readings[readings["plain"]])
    chunks.insert_rows([chunks.row_of(piece) for block in blocks for piece in split(block)])
    rows.insert(batch)
    summaries.write(summaries.of_readings(readings))
    keyed = readings[readings["key"] != 0]
    keys.seal(keyed["key"], keyed["id"])


def _in_order(batches: list[Batch]) -> Iterator[Batch]:
    """The batches as log rows: without gaps between the positions of one row."""

    if not batches:
        return
    whole = joined(batches)
    whole = take(whole, np.argsort(whole.readings["position"]))
    positions = whole.readings["position"] - np.arange(len(whole))
    begin = 0
    for _, run in groupby(positions.tolist()):
        end = begin + len(list(run))
        yield take(whole, np.arange(begin, end))
        begin = end
