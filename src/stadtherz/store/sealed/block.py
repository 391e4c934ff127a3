"""Plain readings of a datastream, of several one behind the other, and what can be said of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from stadtherz.store.sealed.batch import Readings
from stadtherz.store.sealed.buckets import changes
from stadtherz.store.values import NONE, Int64

BLOCK_COLUMNS = ("id", "phenomenon_start", "phenomenon_end", "result_time", "feature", "result")

_LATEST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Block:
    """Plain readings of a datastream by (phenomenon start, id); NONE where there is no value."""

    datastream: int
    id: Int64
    phenomenon_start: Int64
    phenomenon_end: Int64
    result_time: Int64
    feature: Int64
    result: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.id)

    @property
    def datastream_column(self) -> Int64:
        return np.full(len(self), self.datastream, np.int64)

    def take(self, places: Any) -> "Block":
        """The readings of a slice, a mask or of indices."""
        return Block(self.datastream, *(getattr(self, name)[places] for name in BLOCK_COLUMNS))


@dataclass(frozen=True, slots=True)
class ChunkStats:
    """What can be said of a chunk without reading it; None where no reading has the value."""

    t0: int
    t1: int
    last: int
    n: int
    id_min: int
    id_max: int
    low: float
    high: float
    result_first: int | None
    result_last: int | None
    result_nulls: int
    feature_min: int | None
    feature_max: int | None


@dataclass(frozen=True, slots=True)
class Sheaf:
    """Blocks of at least one reading each, one behind the other.

    What is done with many short blocks is done with their columns at once, because a step of numpy
    costs the same for a block as for a thousand.
    """

    streams: Int64
    edges: Int64  # where each block begins, and the end of the last one
    columns: dict[str, npt.NDArray[Any]]

    @classmethod
    def of(cls, readings: Readings) -> "Sheaf":
        """The readings, which are sorted by (datastream, phenomenon start, id), by datastream."""
        first = changes(readings["datastream"])
        columns = {name: np.ascontiguousarray(readings[name]) for name in BLOCK_COLUMNS}
        return cls(readings["datastream"][first], np.r_[first, len(readings)], columns)

    @classmethod
    def bound(cls, blocks: Sequence[Block]) -> "Sheaf":
        """The blocks, at least one, in their order."""
        streams = np.array([block.datastream for block in blocks], np.int64)
        edges = np.cumsum([0, *map(len, blocks)])
        parts = {name: [getattr(block, name) for block in blocks] for name in BLOCK_COLUMNS}
        return cls(streams, edges, {name: np.concatenate(part) for name, part in parts.items()})

    def __len__(self) -> int:
        return len(self.streams)

    def __iter__(self) -> Iterator[Block]:
        for stream, (a, b) in zip(
            self.streams.tolist(), pairwise(self.edges.tolist()), strict=True
        ):
            yield Block(stream, *(self.columns[name][a:b] for name in BLOCK_COLUMNS))

    @property
    def lengths(self) -> Int64:
        return np.diff(self.edges)

    def take(self, which: npt.NDArray[np.bool_]) -> "Sheaf":
        """The blocks of a mask."""
        if which.all():
            return self
        readings = np.repeat(which, self.lengths)
        columns = {name: column[readings] for name, column in self.columns.items()}
        return Sheaf(self.streams[which], np.r_[0, np.cumsum(self.lengths[which])], columns)


def stats(block: Block) -> ChunkStats:
    """The statistics of a block with at least one reading."""
    return ChunkStats(*next(stats_of_each(Sheaf.bound([block]))))


def stats_of_each(sheaf: Sheaf) -> Iterator[tuple[Any, ...]]:
    """The statistics of each block, in the order of `ChunkStats`."""
    first, column = sheaf.edges[:-1], sheaf.columns
    starts, times = column["phenomenon_start"], column["result_time"]
    result_first, result_last, timed = _span(times, first)
    feature_min, feature_max, _ = _span(column["feature"], first)
    told: dict[str, list[Any]] = {
        "t0": starts[first].tolist(),
        "t1": starts[sheaf.edges[1:] - 1].tolist(),
        "last": np.maximum.reduceat(np.maximum(starts, column["phenomenon_end"]), first).tolist(),
        "n": sheaf.lengths.tolist(),
        "id_min": np.minimum.reduceat(column["id"], first).tolist(),
        "id_max": np.maximum.reduceat(column["id"], first).tolist(),
        "low": np.minimum.reduceat(column["result"], first).tolist(),
        "high": np.maximum.reduceat(column["result"], first).tolist(),
        "result_first": result_first,
        "result_last": result_last,
        "result_nulls": (sheaf.lengths - timed).tolist(),
        "feature_min": feature_min,
        "feature_max": feature_max,
    }
    return zip(*(told[field.name] for field in fields(ChunkStats)), strict=True)


def _span(values: Int64, first: Int64) -> tuple[list[int | None], list[int | None], Int64]:
    """Of each block the least and greatest value that is there, or None, and how many are."""
    there = values != NONE
    number = np.add.reduceat(there, first, dtype=np.int64)
    low = np.minimum.reduceat(np.where(there, values, _LATEST), first)
    high = np.maximum.reduceat(values, first)
    return _or_none(low, number), _or_none(high, number), number


def _or_none(values: Int64, number: Int64) -> list[int | None]:
    listed = zip(values.tolist(), number.tolist(), strict=True)
    return [value if some else None for value, some in listed]
