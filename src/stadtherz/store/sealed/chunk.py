"""A chunk: some two thousand plain readings of one datastream as bytes, and read again.

Version 1; docs/explain/chunk-format.md tells more. All numbers are little-endian.

    byte 0      version
         1      which columns count from the phenomenon start, as bits in the order of BLOCK_COLUMNS
         2..5   how many readings
         6..29  length of each column's bytes, in the order of BLOCK_COLUMNS
         30..   the columns, as `codec.pack` made them
    last four   CRC-32 of everything before
"""

import struct
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stadtherz.store.sealed import narrow
from stadtherz.store.sealed.block import BLOCK_COLUMNS, Block, Sheaf
from stadtherz.store.sealed.codec import Codec, Corrupt, pack, unpack
from stadtherz.store.values import NONE, Int64

__all__ = [
    "FORMAT",
    "FORMATS",
    "Chunk",
    "Corrupt",
    "Layout",
    "decode",
    "encode",
    "encode_each",
    "version",
]

FORMAT = 1
"""The version that is written; all that ever were can be read."""

# --- bytes ---------------------------------------------------------------------------------------

_HEAD = struct.Struct("<BBI6I")
_CRC = struct.Struct("<I")
_RELATIVE = ("phenomenon_end", "result_time")  # what may count from the phenomenon start
_PLACES = {name: place for place, name in enumerate(BLOCK_COLUMNS)}
_ABSOLUTE = tuple(name for name in BLOCK_COLUMNS if name not in _RELATIVE)
_INT64, _FLOAT64 = np.dtype(np.int64), np.dtype(np.float64)
_SIMPLE = (Codec.CONSTANT, Codec.AFFINE)


def encode(block: Block) -> bytes:
    """The block in the newest format."""
    packed = [_packed(block, name) for name in BLOCK_COLUMNS]
    relative = sum(1 << place for place, (counts, _) in enumerate(packed) if counts)
    return _framed(relative, len(block), [data for _, data in packed])


def encode_each(sheaf: Sheaf) -> list[bytes]:
    """Blocks in the newest format: quickly, and larger than `encode` makes them."""
    columns = {name: narrow.pack_each(sheaf.columns[name], sheaf.edges) for name in _ABSOLUTE}
    counted = {name: _counted(sheaf, name) for name in _RELATIVE}
    columns |= {
        name: narrow.pack_each(values, sheaf.edges) for name, (values, _) in counted.items()
    }
    bits = [flags << _PLACES[name] for name, (_, flags) in counted.items()]
    packed = zip(*(columns[name] for name in BLOCK_COLUMNS), strict=True)
    sizes = sheaf.lengths.tolist()
    return list(map(_framed, np.bitwise_or.reduce(bits).tolist(), sizes, packed))


def _counted(sheaf: Sheaf, name: str) -> tuple[Int64, Int64]:
    """The column, from the phenomenon start where that can be, and of which blocks that is so.

    It is not where all values are equal, or some are missing: those could not be told apart.
    """
    values, first = sheaf.columns[name], sheaf.edges[:-1]
    offsets = values - sheaf.columns["phenomenon_start"]
    even = np.maximum.reduceat(values, first) == np.minimum.reduceat(values, first)
    gaps = np.logical_or.reduceat((values == NONE) | (offsets == NONE), first)
    counts = ~even & ~gaps
    return np.where(np.repeat(counts, sheaf.lengths), offsets, values), counts.astype(np.int64)


def _framed(relative: int, size: int, columns: Sequence[bytes]) -> bytes:
    head = _HEAD.pack(FORMAT, relative, size, *map(len, columns))
    body = b"".join([head, *columns])
    return body + _CRC.pack(zlib.crc32(body))


def _packed(block: Block, name: str) -> tuple[bool, bytes]:
    """Whether the column counts from the phenomenon start, and its bytes."""
    values: Int64 = getattr(block, name)
    if name not in _RELATIVE or (values == values[:1]).all():
        return False, pack(values)
    offsets = _offsets(values, block.phenomenon_start)
    if offsets is None:
        return False, pack(values)
    counted = pack(offsets)
    if counted[0] in _SIMPLE or not _repeats(values):
        return True, counted
    absolute = pack(values)
    return (True, counted) if len(counted) <= len(absolute) else (False, absolute)


def _offsets(values: Int64, starts: Int64) -> Int64 | None:
    """From the starts; None where there are none, or one that would be mistaken for NONE."""
    missing = values == NONE
    offsets = np.where(missing, NONE, values - starts)
    return None if ((offsets == NONE) != missing).any() else offsets


def _repeats(values: Int64) -> bool:
    """Whether many neighbours are equal, as the result times of a device that sends in batches."""
    return bool(2 * np.count_nonzero(np.diff(values)) < len(values))


# --- and back ------------------------------------------------------------------------------------


class Layout(NamedTuple):  # not a dataclass: one is made of each chunk that is opened
    """What a version's reader finds: bytes of columns that `codec.unpack` understands."""

    size: int  # readings
    relative: frozenset[str]  # columns that count from the phenomenon start
    data: bytes
    edges: tuple[int, ...]  # where each column begins, and the last one's end

    def column(self, name: str) -> bytes:
        """The bytes of a column; cut out when asked for, since most questions need one or two."""
        place = _PLACES[name]
        return self.data[self.edges[place] : self.edges[place + 1]]

    @property
    def columns(self) -> dict[str, bytes]:
        """All of them by name."""
        return {name: self.column(name) for name in BLOCK_COLUMNS}


def version(data: bytes | memoryview) -> int:
    """The version of the format in which these bytes were written. Raises Corrupt."""
    if not len(data):
        raise Corrupt("a chunk has no bytes")
    return data[0]


def decode(data: bytes | memoryview) -> Layout:
    """Where the columns are, in whatever version the bytes were written. Raises Corrupt."""
    reader = FORMATS.get(version(data))
    if reader is None:
        raise Corrupt(f"the version {data[0]} of chunks is not known here")
    return reader(bytes(data))


def _read_1(data: bytes) -> Layout:
    body = len(data) - _CRC.size
    if body < _HEAD.size:
        raise Corrupt("a chunk is shorter than its head")
    if zlib.crc32(memoryview(data)[:body]) != _CRC.unpack_from(data, body)[0]:
        raise Corrupt("the checksum is wrong")
    _, relative, size, *lengths = _HEAD.unpack_from(data)
    edges = tuple(accumulate(lengths, initial=_HEAD.size))
    if edges[-1] != body:
        raise Corrupt("the columns are not as long as the head says")
    return Layout(size, _names(relative), data, edges)


@cache
def _names(relative: int) -> frozenset[str]:
    names = frozenset(name for i, name in enumerate(BLOCK_COLUMNS) if relative >> i & 1)
    if relative >> len(BLOCK_COLUMNS) or not names <= set(_RELATIVE):
        raise Corrupt(f"the columns {relative:#x} cannot count from the phenomenon start")
    return names


def bound(chunks: Sequence["Chunk"]) -> Sheaf:
    """The readings of chunks, of at least one, all at once. Raises Corrupt."""
    streams = np.array([chunk.stream for chunk in chunks], np.int64)
    edges = np.cumsum([0, *map(len, chunks)])
    columns: dict[str, npt.NDArray[Any]] = {}
    for name in BLOCK_COLUMNS:
        columns[name] = gathered(chunks, edges, name, lambda: columns["phenomenon_start"])
    return Sheaf(streams, edges, columns)


def gathered(
    chunks: Sequence["Chunk"], edges: Int64, name: str, starts: Callable[[], Int64]
) -> npt.NDArray[Any]:
    """A column of chunks, each of which goes from one edge to the next. Raises Corrupt.

    `starts` gives the phenomenon starts if the column counts from them.
    """
    dtype = _FLOAT64 if name == "result" else _INT64
    try:
        values = narrow.unpack_each([chunk.packed(name) for chunk in chunks], edges, dtype)
    except Corrupt as error:
        raise Corrupt(f"{name}: {error}") from error
    if name in _RELATIVE and any(chunk.counts(name) for chunk in chunks):
        counts = np.repeat([chunk.counts(name) for chunk in chunks], np.diff(edges))
        values += np.where(counts & (values != NONE), starts(), 0)
    return values


FORMATS: dict[int, Callable[[bytes], Layout]] = {1: _read_1}
"""How each version is read. A new one is added here and written by `encode`; none is removed."""


class Chunk:
    """Readings of which a column is decoded when somebody asks for it; nothing ever changes.

    Has the attributes of `Columns`, whose arrays must not be written to. Several threads may use
    it: at worst two decode the same column. Raises Corrupt where the bytes are not what was
    written: the checksum is looked at here, a column's codec when somebody asks for the column.
    """

    __slots__ = ("_columns", "_layout", "stream")

    result_quality: None = None  # plain readings have neither
    parameters: None = None

    def __init__(self, datastream: int, data: bytes | memoryview) -> None:
        self._layout = decode(data)
        self.stream = datastream
        self._columns: dict[str, npt.NDArray[Any]] = {}

    def __len__(self) -> int:
        return self._layout.size

    @property
    def nbytes(self) -> int:
        """Bytes of the columns that were decoded so far."""
        return sum(column.nbytes for column in list(self._columns.values()))

    def block(self) -> Block:
        """All columns."""
        return Block(self.stream, *(self._column(name) for name in BLOCK_COLUMNS))

    def _column(self, name: str) -> npt.NDArray[Any]:
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = self._decoded(name)
        return found

    def packed(self, name: str) -> bytes:
        """A column's bytes."""
        return self._layout.column(name)

    def counts(self, name: str) -> bool:
        """Whether a column's bytes count from the phenomenon start."""
        return name in self._layout.relative

    def _decoded(self, name: str) -> npt.NDArray[Any]:
        dtype = _FLOAT64 if name == "result" else _INT64
        try:
            values = unpack(self._layout.column(name), self._layout.size, dtype)
        except Corrupt as error:
            raise Corrupt(f"{name}: {error}") from error
        if name in self._layout.relative:
            values = np.where(values == NONE, NONE, values + self.phenomenon_start)
        values.flags.writeable = False
        return values

    @property
    def datastream(self) -> Int64:
        return np.full(len(self), self.stream, np.int64)

    @property
    def id(self) -> Int64:
        return self._column("id")

    @property
    def phenomenon_start(self) -> Int64:
        return self._column("phenomenon_start")

    @property
    def phenomenon_end(self) -> Int64:
        return self._column("phenomenon_end")

    @property
    def result_time(self) -> Int64:
        return self._column("result_time")

    @property
    def feature(self) -> Int64:
        return self._column("feature")

    @property
    def result(self) -> npt.NDArray[np.float64]:
        return self._column("result")

    @property
    def valid_start(self) -> Int64:
        return np.full(len(self), NONE, np.int64)

    @property
    def valid_end(self) -> Int64:
        return self.valid_start
