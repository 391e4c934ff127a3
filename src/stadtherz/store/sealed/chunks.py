"""Sealed readings in the database: chunks, their statistics, and those decoded lately."""

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from itertools import accumulate, islice
from typing import Any

import numpy as np

from stadtherz.base.errors import Unavailable
from stadtherz.base.time import DAY, iso, now_us
from stadtherz.sql.public import Sql, compose
from stadtherz.store.conditions.sieve import Stats
from stadtherz.store.database import database, members, rows_of, run
from stadtherz.store.sealed.block import BLOCK_COLUMNS, Block, ChunkStats, Sheaf, stats_of_each
from stadtherz.store.sealed.buckets import places_of
from stadtherz.store.sealed.chunk import Chunk, Corrupt, encode, encode_each, gathered
from stadtherz.store.sealed.rollup import Hours, rollup, unroll
from stadtherz.store.values import NONE, Int64, or_none

log = logging.getLogger(__name__)

MOST = 2_048
"""Readings in a chunk; only a run of equal instants may be longer, since it is never split."""

LONGEST = 31 * DAY
"""From a chunk's first reading to its last."""

_STATS = tuple(field.name for field in fields(Stats))
_OWN = ("key", "checksum", "hours")
_FEW = 50  # datastreams that are looked up one by one
_FLOATS = ("low", "high")
_CACHED = 64 * 2**20  # bytes of decoded chunks


@dataclass(frozen=True, slots=True)
class Directory:
    """Chunks without their readings, one entry each."""

    key: Int64  # the row's id
    checksum: Int64
    hours: Int64  # 1 if there is a roll-up
    stats: Stats

    def __len__(self) -> int:
        return len(self.key)

    def of(self, streams: Int64 | None) -> "Directory":
        """The chunks of these datastreams, which ascend."""
        if streams is None:
            return self
        held = self.stats.datastream
        if len(streams) > _FEW:
            return self.take(np.isin(held, streams))
        first, behind = (np.searchsorted(held, streams, side) for side in ("left", "right"))
        if len(streams) == 1:
            return self.take(slice(first[0], behind[0]))
        return self.take(places_of(first, behind - first))

    def with_readings(self) -> "Directory":
        """Without the chunks of which only hours are left."""
        whole = self.stats.n > 0
        return self if whole.all() else self.take(whole)

    def take(self, places: Any) -> "Directory":
        chosen = Stats(**{name: getattr(self.stats, name)[places] for name in _STATS})
        return Directory(self.key[places], self.checksum[places], self.hours[places], chosen)


def directory(after: int = 0) -> Directory:
    """The statistics of all chunks whose id is greater, by datastream and time."""
    names = f"id, checksum, rollup IS NOT NULL, {', '.join(_STATS)}"
    rows = rows_of(Sql(f"SELECT {names} FROM store_chunk WHERE id > %s", (after,)))
    columns = list(zip(*rows, strict=True)) if rows else [()] * (3 + len(_STATS))
    arrays = {name: _array(values, name) for name, values in zip(_STATS, columns[3:], strict=True)}
    key, checksum, hours = (np.array(column, np.int64) for column in columns[:3])
    return _ordered(Directory(key, checksum, hours, Stats(**arrays)))


def _ordered(found: Directory) -> Directory:
    return found.take(np.lexsort((found.stats.t0, found.stats.datastream)))


def renewed(known: Directory, removed: Int64) -> Directory:
    """The directory as it is now, if these chunks are all that vanished since."""
    newest = int(known.key.max()) if len(known) else 0
    kept = known.take(~np.isin(known.key, removed))
    more = directory(newest)
    if not len(more):
        return kept
    both = [
        np.concatenate([getattr(kept.stats, name), getattr(more.stats, name)]) for name in _STATS
    ]
    stats_of_both = Stats(**dict(zip(_STATS, both, strict=True)))
    key, checksum, hours = (
        np.concatenate([getattr(kept, name), getattr(more, name)]) for name in _OWN
    )
    whole = Directory(key, checksum, hours, stats_of_both)
    order = _appended(kept.stats, more.stats)
    return _ordered(whole) if order is None else whole.take(order)


def _appended(held: Stats, more: Stats) -> Int64 | None:
    """The order of both if all that is new lies behind what its datastream had, as nearly always."""
    behind = np.searchsorted(held.datastream, more.datastream, "right")
    same = np.r_[held.datastream, NONE][behind - 1] == more.datastream
    if (same & (more.t0 <= np.r_[held.t0, NONE][behind - 1])).any():
        return None
    number = len(held.t0)
    return np.insert(np.arange(number), behind, np.arange(number, number + len(more.t0)))


def _array(values: Sequence[Any], name: str) -> Any:
    if name in _FLOATS:
        return np.array(values, np.float64)
    return np.array([*map(or_none, values)] if None in values else values, np.int64)


# --- readings ------------------------------------------------------------------------------------


class _Decoded:
    """Chunks decoded lately. A row's id may come again after a rollback, but not with its checksum."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._chunks: OrderedDict[tuple[int, int], Chunk] = OrderedDict()
        self._size = 0

    def get(self, keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Chunk | None]:
        with self._lock:
            found = {key: self._chunks.get(key) for key in keys}
            for key, chunk in found.items():
                if chunk is not None:
                    self._chunks.move_to_end(key)
            return found

    def put(self, chunks: Mapping[tuple[int, int], Chunk]) -> None:
        with self._lock:
            for key, chunk in chunks.items():
                if key not in self._chunks:
                    self._chunks[key] = chunk
                    self._size += _weight(1, len(chunk))
            while self._size > _CACHED:
                _, old = self._chunks.popitem(last=False)
                self._size -= _weight(1, len(old))

    def clear(self) -> None:
        with self._lock:
            self._chunks.clear()
            self._size = 0


def _weight(chunks: int, readings: int) -> int:
    """Bytes, when the columns that nearly every question needs are decoded."""
    return 500 * chunks + 26 * readings


decoded = _Decoded()
_READINGS = 32_768  # of a group of chunks: their columns stay in the processor's cache
_AT_ONCE = 128  # chunks fetched by one statement


def chunks_of(found: Directory, *, keep: bool = True) -> Iterator[Chunk]:
    """The chunks in the directory's order; for the next who asks they are kept, if all find room."""
    keep = keep and _weight(len(found), int(found.stats.n.sum())) <= _CACHED
    keys = list(zip(found.key.tolist(), found.checksum.tolist(), strict=True))
    for begin in range(0, len(keys), _AT_ONCE):
        part = keys[begin : begin + _AT_ONCE]
        held = decoded.get(part)
        missing = [key for key in part if held[key] is None]
        if missing:
            opened_now = _opened(missing)
            held.update(opened_now)
            if keep:
                decoded.put(opened_now)
        yield from held.values()  # type: ignore[misc]  # none is missing now


def readable(found: Directory) -> list[Block | None]:
    """The readings of each chunk, None where they are damaged; the log tells of those."""
    with suppress(Unavailable):
        list(chunks_of(found))  # together, and from now on each is at hand
    return [_readable(found.take(slice(place, place + 1))) for place in range(len(found))]


def _readable(found: Directory) -> Block | None:
    try:
        (chunk,) = chunks_of(found)
        return chunk.block()
    except Unavailable as error:
        log.warning("%s", error)
        return None


def _opened(keys: list[tuple[int, int]]) -> dict[tuple[int, int], Chunk]:
    """Chunks out of the database."""
    rows = _fetch([key for key, _ in keys])
    return {key: opened(*rows[key[0]]) for key in keys}


def _fetch(keys: list[int]) -> dict[int, tuple[Any, ...]]:
    template = "SELECT id, datastream, t0, t1, data FROM store_chunk WHERE {}"
    rows = rows_of(compose(template, members("id", keys)))
    return {row[0]: row[1:] for row in rows}


class Group:
    """Several chunks as one table, so that a condition is looked at once for all of them."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self.chunks = chunks
        self.edges = [0, *accumulate(map(len, chunks))]
        self._columns: dict[str, Any] = {}

    def __len__(self) -> int:
        return self.edges[-1]

    def __getattr__(self, name: str) -> Any:
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = self._gathered(name)
        return found

    def _gathered(self, name: str) -> Any:
        if name == "datastream":
            return np.repeat([chunk.stream for chunk in self.chunks], np.diff(self.edges))
        if name not in BLOCK_COLUMNS:
            parts = [getattr(chunk, name) for chunk in self.chunks]
            return None if parts[0] is None else np.concatenate(parts)
        return gathered(self.chunks, np.array(self.edges), name, lambda: self.phenomenon_start)


def groups_of(found: Directory) -> Iterator[Group]:
    """The chunks some at a time."""
    chunks = chunks_of(found)
    each = int(found.stats.n.mean()) if len(found) else 0
    size = min(max(_READINGS // max(each, 1), 1), _AT_ONCE)
    while part := list(islice(chunks, size)):
        yield Group(part)


def rollups_of(found: Directory) -> list[bytes]:
    """The roll-ups of these chunks, all of which have one, in the directory's order."""
    template = "SELECT id, rollup FROM store_chunk WHERE {}"
    rows = dict(rows_of(compose(template, members("id", found.key.tolist()))))
    return [bytes(rows[key]) for key in found.key.tolist()]


def opened(datastream: int, t0: int, t1: int, data: bytes) -> Chunk:
    """The chunk in a row. Raises Unavailable where the bytes are not what was written."""
    try:
        return Chunk(datastream, data)
    except Corrupt as error:
        period = f"{iso(t0)} to {iso(t1)}"
        raise Unavailable(
            "store",
            f"the readings of datastream {datastream} from {period} are damaged ({error}); "
            "`stadtherz store check` says what can be done",
            retry=False,
        ) from error


# --- changes -------------------------------------------------------------------------------------

_WRITTEN = (
    *("datastream", "t0", "t1", "last", "n", "id_min", "id_max", "low", "high", "result_first"),
    *("result_last", "result_nulls", "feature_min", "feature_max", "checksum", "sealed_at"),
    *("rollup", "data"),
)


def insert_rows(rows: list[tuple[Any, ...]]) -> None:
    """Keep rows that `row_of` made."""
    if not rows:
        return
    marks = ", ".join(["%s"] * len(_WRITTEN))
    with database().cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO store_chunk ({', '.join(_WRITTEN)}) VALUES ({marks})", rows
        )


def row_of(block: Block) -> tuple[Any, ...]:
    """The row that keeps the block, as small as can be."""
    (row,) = _rows(Sheaf.bound([block]), [encode(block)])
    return row


def passing_rows(sheaf: Sheaf) -> list[tuple[Any, ...]]:
    """The rows that keep the blocks until they are joined with others: quickly made, but larger."""
    return _rows(sheaf, encode_each(sheaf)) if len(sheaf) else []


def _rows(sheaf: Sheaf, datas: list[bytes]) -> list[tuple[Any, ...]]:
    now = now_us()
    told = zip(sheaf, stats_of_each(sheaf), datas, strict=True)
    return [
        (block.datastream, *stats, checksum_of(hours, data), now, hours, data)
        for block, stats, data in told
        for hours in [rollup(block.phenomenon_start, block.result)]
    ]


def thinned_row(stream: int, hours: bytes) -> tuple[Any, ...]:
    """The row of a chunk of which only this roll-up is left."""
    told = stats_of_hours(unroll(hours))
    return (stream, *astuple(told), checksum_of(hours, None), now_us(), hours, None)


def stats_of_hours(hours: Hours) -> ChunkStats:
    """The statistics of a chunk of which these hours are left."""
    first, last = int(hours.start[0]), int(hours.start[-1])
    nothing: dict[str, None] = dict.fromkeys(
        ("id_min", "id_max", "result_first", "result_last", "feature_min", "feature_max")
    )
    return ChunkStats(
        t0=first,
        t1=last,
        last=last,
        n=0,
        low=float(hours.minimum.min()),
        high=float(hours.maximum.max()),
        result_nulls=0,
        **nothing,  # type: ignore[arg-type]
    )


def checksum_of(hours: bytes | None, data: bytes | None) -> int:
    """What the row of a chunk carries. (A CRC would be blind here: the data end with their own.)"""
    whole = hashlib.blake2b(hours or b"", digest_size=7)
    whole.update(data or b"")
    return int.from_bytes(whole.digest())


def remove(keys: Iterable[int]) -> None:
    listed = members("id", sorted(keys))
    run(f"DELETE FROM store_chunk WHERE {listed.text}", listed.parameters)
