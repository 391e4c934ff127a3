"""What is known of each datastream without reading its readings: count, extents, the newest one.

A row of `store_stream` holds for everything up to its log position `sealed`; what came later is
in the tail and is added when somebody asks.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from stadtherz.sql.public import compose
from stadtherz.store.database import database, members, rows_of, run
from stadtherz.store.sealed.batch import SEQUENCE_BITS, Readings, stream_of
from stadtherz.store.sealed.buckets import changes
from stadtherz.store.values import NONE, Int64

SUMMARY = np.dtype(
    [
        ("datastream", "<i8"),
        ("sealed", "<i8"),
        ("next_sequence", "<i8"),
        ("count", "<i8"),
        ("newest", "<i8"),  # id
        ("newest_start", "<i8"),
        ("newest_end", "<i8"),
        ("newest_result_time", "<i8"),
        ("newest_feature", "<i8"),
        ("newest_number", "<f8"),  # NaN if it is not a plain reading
        ("phenomenon_first", "<i8"),
        ("phenomenon_last", "<i8"),
        ("result_first", "<i8"),
        ("result_last", "<i8"),
    ]
)
Summaries = npt.NDArray[np.void]

_NAMES = SUMMARY.names or ()
_NEWEST = tuple(name for name in _NAMES if name.startswith("newest"))
_COLUMNS = ", ".join(_NAMES)
_LATEST = np.iinfo(np.int64).max


def empty(streams: Int64) -> Summaries:
    """Summaries of datastreams without readings."""
    found = np.full(len(streams), NONE, np.int64).repeat(len(_NAMES)).view(SUMMARY)
    found["datastream"] = streams
    found["sealed"] = found["count"] = 0
    found["next_sequence"] = 1
    found["newest_number"] = np.nan
    return found


def read(streams: Int64) -> Summaries:
    """The rows of these datastreams (ascending); an empty one where there is no row."""
    found = empty(streams)
    listed = members("datastream", streams.tolist())
    rows = rows_of(compose(f"SELECT {_COLUMNS} FROM store_stream WHERE {{}}", listed))
    for row in rows:
        found[np.searchsorted(streams, row[0])] = tuple(
            _known(v, n) for v, n in zip(row, _NAMES, strict=True)
        )
    return found


def _known(value: Any, name: str) -> Any:
    if value is not None:
        return value
    return np.nan if name == "newest_number" else NONE


def write(summaries: Summaries) -> None:
    """Keep the rows in place of those that are there."""
    run(*_deletion(summaries["datastream"]))
    marks = ", ".join(["%s"] * len(_NAMES))
    with database().cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO store_stream ({_COLUMNS}) VALUES ({marks})",
            [tuple(_null(value) for value in row) for row in summaries.tolist()],
        )


def _null(value: Any) -> Any:
    return None if value == NONE or value != value else value


def forget(streams: Iterable[int]) -> None:
    """Remove the rows of datastreams that are gone."""
    run(*_deletion(np.array(sorted(streams), np.int64)))


def _deletion(streams: Int64) -> tuple[str, tuple[Any, ...]]:
    listed = members("datastream", streams.tolist())
    return f"DELETE FROM store_stream WHERE {listed.text}", listed.parameters


# --- arithmetic ----------------------------------------------------------------------------------


def of_readings(readings: Readings) -> Summaries:
    """One summary for each datastream among readings that are sorted as the tail sorts them."""
    streams = readings["datastream"]
    if not len(readings):
        return empty(np.empty(0, np.int64))
    first = changes(streams)
    found = empty(streams[first])
    newest = readings[np.r_[first[1:], len(readings)] - 1]
    found["newest"] = newest["id"]
    for name in ("start", "end"):
        found[f"newest_{name}"] = newest[f"phenomenon_{name}"]
    found["newest_result_time"] = newest["result_time"]
    found["newest_feature"] = newest["feature"]
    found["newest_number"] = np.where(newest["plain"], newest["result"], np.nan)
    starts, ends, times = (
        readings[n] for n in ("phenomenon_start", "phenomenon_end", "result_time")
    )
    found["count"] = np.diff(np.r_[first, len(readings)])
    found["phenomenon_first"] = np.minimum.reduceat(starts, first)
    found["phenomenon_last"] = np.maximum.reduceat(np.maximum(starts, ends), first)
    earliest = np.minimum.reduceat(np.where(times == NONE, _LATEST, times), first)
    found["result_first"] = np.where(earliest == _LATEST, NONE, earliest)
    found["result_last"] = np.maximum.reduceat(times, first)
    own = np.where(stream_of(readings["id"]) == streams, readings["id"], 0)
    found["next_sequence"] = (np.maximum.reduceat(own, first) & ((1 << SEQUENCE_BITS) - 1)) + 1
    found["sealed"] = np.maximum.reduceat(readings["position"], first)
    return found


def add(held: Summaries, more: Summaries) -> None:
    """Add `more` to `held`, in place; every datastream of `more` must be in `held`, which ascends."""
    places = np.searchsorted(held["datastream"], more["datastream"])
    old = held[places]
    newer = (old["newest"] == NONE) | (more["newest_start"] > old["newest_start"])
    newer |= (more["newest_start"] == old["newest_start"]) & (more["newest"] > old["newest"])
    new = np.where(newer, more, old)
    for name in ("sealed", "next_sequence", "phenomenon_last", "result_last"):
        new[name] = np.maximum(old[name], more[name])
    new["count"] = old["count"] + more["count"]
    for name in ("phenomenon_first", "result_first"):
        new[name] = _earlier(old[name], more[name])
    held[places] = new


def _earlier(a: Int64, b: Int64) -> Int64:
    return np.where(a == NONE, b, np.where(b == NONE, a, np.minimum(a, b)))
