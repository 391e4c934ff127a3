"""What happened to readings behind a place of the log, for those who come back to it later."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import orjson

from stadtherz.sql.public import Sql
from stadtherz.store.database import rows_of
from stadtherz.store.readings.view import CHANGED, READINGS, newest_row
from stadtherz.store.sealed.batch import decode
from stadtherz.store.state import remembered
from stadtherz.store.values import Int64

_AT_ONCE = 100  # rows of the log
_Row = tuple[int, int, int, int, bytes]  # last, number, kind, stamp, payload


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Behind so many positions; `stamp` is that of the log row in which the last of them lies.

    It tells a log that goes on from one that was put back from a backup and went another way.
    """

    position: int
    stamp: int


@dataclass(frozen=True, slots=True)
class News:
    """Readings that were written, corrected or deleted, in the order of the commits.

    `places` are where to go on behind each. `streams` are all datastreams they are or were in.
    `place` is where to go on behind everything that was looked at; it may move without readings.
    """

    ids: Int64
    places: list[LogPlace]
    streams: frozenset[int]
    place: LogPlace


def log_place() -> LogPlace:
    """The end of the log."""
    return LogPlace(*newest_row())


def news_after(place: LogPlace, limit: int) -> News | None:
    """What happened behind the place: at most `limit` readings, or all of one correction or deletion.

    None if the log does not reach back to it, or is not the one that it was of.
    """
    ids: list[Int64] = []
    places: list[LogPlace] = []
    streams: set[int] = set()
    reached, known = place, False
    for row in _rows_from(place.position):
        if not known and not _continues(row, place):
            return None
        known = True
        if row[0] <= place.position:
            continue
        found, positions, touched = _read(row, place.position, limit - len(places))
        ids.append(found)
        places += [LogPlace(position, row[3]) for position in positions]
        streams |= touched
        reached = LogPlace(positions[-1] if positions else row[0], row[3])
        if len(places) >= limit:
            break
    if not known and place.position != remembered("sealed"):
        return None
    together = np.concatenate(ids) if ids else np.empty(0, np.int64)
    return News(together, places, frozenset(streams), reached)


def _rows_from(position: int) -> Iterator[_Row]:
    """Log rows that end at the position or behind it, some at a time."""
    text = (
        "SELECT last, number, kind, stamp, payload FROM store_log"
        " WHERE last >= %s ORDER BY last LIMIT %s"
    )
    while rows := rows_of(Sql(text, (position, _AT_ONCE))):
        yield from rows
        position = rows[-1][0] + 1
        if len(rows) < _AT_ONCE:
            return


def _continues(row: _Row, place: LogPlace) -> bool:
    """Whether this first row that was found holds the place, or begins right behind it."""
    last, number, kind, stamp, _ = row
    begin = last - (number if kind == READINGS else max(number, 1))
    if begin == place.position:
        return True
    return begin < place.position and stamp == place.stamp


def _read(row: _Row, position: int, limit: int) -> tuple[Int64, list[int], set[int]]:
    """Ids of the row's first readings behind the position, the positions, and the datastreams."""
    last, _, kind, _, payload = row
    if kind == READINGS:
        readings = decode(bytes(payload), last).readings
        readings = readings[readings["position"] > position][:limit]
        streams = set(np.unique(readings["datastream"]).tolist())
        return readings["id"].copy(), readings["position"].tolist(), streams
    if kind == CHANGED:
        event = orjson.loads(bytes(payload))
        ids = np.unique(np.array(event["ids"], np.int64))
        return ids, [last] * len(ids), set(event["streams"])
    return np.empty(0, np.int64), [], set()
