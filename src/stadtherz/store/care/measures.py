"""`stats`: how large the store is and what it consists of. Reads sizes only, never the readings."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stadtherz.sql.public import Sql
from stadtherz.store.database import on_sqlite, rows_of
from stadtherz.store.models import Cursor, Datastream
from stadtherz.store.readings.view import View, reading
from stadtherz.store.sealed.chunks import MOST
from stadtherz.store.state import remembered

SQLITE_ROW, POSTGRESQL_ROW = 32, 130
"""Bytes that a reading takes as a clustered row of SQLite, and as a row of PostgreSQL with index."""

_SMALL = MOST // 4  # readings below which a chunk is called small


@dataclass(frozen=True, slots=True)
class Sizes:
    """What sealed readings take; of one datastream or of all."""

    readings: int  # in chunks
    rows: int  # readings that are no plain numbers
    chunks: int
    small: int  # chunks below a quarter of what they may hold
    thinned: int  # chunks of which only hours are left
    fill: int  # median of readings in a chunk
    data: int  # bytes
    rollups: int  # bytes
    oldest: int | None  # microseconds; phenomenon times of what is in chunks
    newest: int | None

    @property
    def bytes_per_reading(self) -> float | None:
        return (self.data + self.rollups) / self.readings if self.readings else None

    def times_smaller(self, row: int) -> float | None:
        """How many times as much rows of so many bytes would take."""
        each = self.bytes_per_reading
        return row / each if each else None


@dataclass(frozen=True, slots=True)
class StreamSizes:
    """Those of one datastream."""

    datastream: int
    name: str
    sizes: Sizes


@dataclass(frozen=True, slots=True)
class LogSizes:
    """The log, and who follows it."""

    rows: int
    bytes: int
    end: int  # position
    sealed: int  # position
    unsealed: int  # readings, those that are no plain numbers included
    oldest_unsealed: int | None  # microseconds; the earliest phenomenon time among them
    slowest: str | None  # consumer
    behind: int  # positions that it has not seen yet


@dataclass(frozen=True, slots=True)
class StoreStats:
    """Sizes of the whole store and of its largest datastreams."""

    sizes: Sizes
    rows_bytes: int  # contents of the row table
    log: LogSizes
    keys: int
    keys_bytes: int
    database: int  # bytes of the file, or of the PostgreSQL database
    largest: list[StreamSizes]


def stats(largest: int = 10) -> StoreStats:
    """Sizes now, and those of the `largest` datastreams that take most bytes."""
    with reading() as known:
        chunks = _chunks()
        rows = dict(rows_of(Sql("SELECT datastream, count(*) FROM store_row GROUP BY datastream")))
        keys = _first(rows_of(Sql("SELECT coalesce(sum(number), 0) FROM store_key")))
        return StoreStats(
            sizes=_sizes(chunks, sum(rows.values())),
            rows_bytes=_bytes_of_rows(),
            log=_log(known),
            keys=int(keys),
            keys_bytes=16 * int(keys),
            database=_bytes_of_database(),
            largest=_largest(chunks, rows, largest),
        )


_CHUNK = np.dtype(
    [(name, "<i8") for name in ("datastream", "n", "t0", "t1", "data", "rollup", "thin")]
)
Chunks = npt.NDArray[np.void]


def _chunks() -> Chunks:
    text = (
        "SELECT datastream, n, t0, t1, coalesce(length(data), 0), coalesce(length(rollup), 0), "
        "CASE WHEN data IS NULL THEN 1 ELSE 0 END FROM store_chunk ORDER BY datastream"
    )
    return np.array(rows_of(Sql(text)), _CHUNK)


def _sizes(chunks: Chunks, rows: int) -> Sizes:
    whole = chunks["n"][chunks["thin"] == 0]
    return Sizes(
        readings=int(whole.sum()),
        rows=rows,
        chunks=len(whole),
        small=int((whole < _SMALL).sum()),
        thinned=int(chunks["thin"].sum()),
        fill=int(np.median(whole)) if len(whole) else 0,
        data=int(chunks["data"].sum()),
        rollups=int(chunks["rollup"].sum()),
        oldest=int(chunks["t0"].min()) if len(chunks) else None,
        newest=int(chunks["t1"].max()) if len(chunks) else None,
    )


def _largest(chunks: Chunks, rows: dict[int, int], number: int) -> list[StreamSizes]:
    streams, edges = np.unique(chunks["datastream"], return_index=True)
    ends = np.r_[edges[1:], len(chunks)]
    weight = np.add.reduceat(chunks["data"] + chunks["rollup"], edges) if len(edges) else edges
    order = np.argsort(-weight, kind="stable")[:number].tolist()
    names = dict(
        Datastream.objects.filter(pk__in=streams[order].tolist()).values_list("pk", "name")
    )
    found = []
    for place in order:
        stream = int(streams[place])
        sizes = _sizes(chunks[edges[place] : ends[place]], rows.get(stream, 0))
        found.append(StreamSizes(stream, names.get(stream, ""), sizes))
    return found


def _bytes_of_rows() -> int:
    """Eight for each number and time, and the JSON."""
    numbers = ("phenomenon_end", "result_time", "number", "feature", "valid_start", "valid_end")
    texts = ("result", "result_quality", "parameters")
    parts = [f"8 * count({name})" for name in numbers]
    parts += [f"coalesce(sum(length({_text(name)})), 0)" for name in texts]
    return int(rows_of(Sql(f"SELECT 24 * count(*) + {' + '.join(parts)} FROM store_row"))[0][0])


def _text(name: str) -> str:
    return name if on_sqlite() else f"{name}::text"


def _log(known: View) -> LogSizes:
    text = "SELECT count(*), coalesce(sum(length(payload)), 0) FROM store_log"
    number, size = rows_of(Sql(text))[0]
    tail, end = known.tail.of(None), known.end
    slowest = Cursor.objects.order_by("position").values_list("consumer", "position").first()
    return LogSizes(
        rows=int(number),
        bytes=int(size),
        end=end,
        sealed=remembered("sealed"),
        unsealed=len(tail),
        oldest_unsealed=int(tail["phenomenon_start"].min()) if len(tail) else None,
        slowest=slowest[0] if slowest else None,
        behind=max(end - slowest[1], 0) if slowest else 0,
    )


def _bytes_of_database() -> int:
    text = (
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        if on_sqlite()
        else "SELECT pg_database_size(current_database())"
    )
    return int(_first(rows_of(Sql(text))))


def _first(rows: list[tuple[Any, ...]]) -> Any:
    return rows[0][0]
