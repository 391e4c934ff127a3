"""What is wrong with the chunks of a datastream, if anything. Reads only; `care` decides what to do.

The data of a chunk carry their own checksum, so what can be decoded is believed, and whatever else
the row says is compared with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from enum import Enum, auto

import numpy as np

from stadtherz.base.time import HOUR, iso
from stadtherz.sql.public import Sql, compose
from stadtherz.store.database import members, rows_of
from stadtherz.store.sealed.batch import stream_of
from stadtherz.store.sealed.block import Block, ChunkStats, stats
from stadtherz.store.sealed.chunk import Chunk, Corrupt
from stadtherz.store.sealed.chunks import LONGEST, MOST, checksum_of, stats_of_hours
from stadtherz.store.sealed.rollup import Hours, hours_of, unroll
from stadtherz.store.values import Int64

_STATS = tuple(field.name for field in fields(ChunkStats))
_SELECTED = ", ".join(("id", "datastream", "checksum", "rollup", "data", *_STATS))
_AT_ONCE = 50  # chunks in memory
_ROUNDING = 1e-9  # by how much of its size a total may differ


class State(Enum):
    """How much of a chunk can be believed."""

    SOUND = auto()
    WRONG = auto()  # the readings are there, something about them is not as it should be
    LOST = auto()  # the readings cannot be read any more
    DOUBTFUL = auto()  # only hours are left, and nothing to compare them with


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A row of `store_chunk` as it stands there."""

    key: int
    datastream: int
    checksum: int
    rollup: bytes | None
    data: bytes | None
    stats: ChunkStats

    @property
    def thinned(self) -> bool:
        return self.data is None and self.stats.n == 0

    @property
    def period(self) -> str:
        return f"{_day(self.stats.t0)} to {_day(self.stats.t1)}"


def _day(time: int) -> str:
    try:
        return iso(time)
    except (ValueError, OverflowError):  # the damage is in the time itself
        return f"{time} µs"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at a chunk gave; `t0` and `t1` are those of its readings, where there are any."""

    key: int
    state: State
    faults: tuple[str, ...]
    period: str
    t0: int
    t1: int
    thinned: bool = False
    owners: frozenset[int] = frozenset()  # datastreams that the ids name


def chunk_rows(keys: Sequence[int]) -> Iterator[ChunkRow]:
    """The rows with these ids, as far as they are still there, some at a time."""
    for begin in range(0, len(keys), _AT_ONCE):
        listed = members("id", keys[begin : begin + _AT_ONCE])
        for row in rows_of(compose(f"SELECT {_SELECTED} FROM store_chunk WHERE {{}}", listed)):
            key, datastream, checksum, rollup, data, *told = row
            yield ChunkRow(
                key, datastream, checksum, _bytes(rollup), _bytes(data), ChunkStats(*told)
            )


def _bytes(value: bytes | memoryview | None) -> bytes | None:
    return None if value is None else bytes(value)


def keys_of(stream: int) -> list[int]:
    """The ids of a datastream's chunks."""
    text = "SELECT id FROM store_chunk WHERE datastream = %s ORDER BY id"
    return [row[0] for row in rows_of(Sql(text, (stream,)))]


def inspect(row: ChunkRow) -> tuple[Finding, Block | None]:
    """What is wrong with a chunk, and its readings if they can be read."""
    if row.thinned:
        return _inspect_hours(row), None
    try:
        block = readings_of(row)
    except Corrupt as problem:
        return _finding(row, State.LOST, [f"its readings cannot be read ({problem})"]), None
    faults = [*_of_row(row, block), *_of_readings(row, block)]
    bounds = {"t0": int(block.phenomenon_start.min()), "t1": int(block.phenomenon_start.max())}
    owners = frozenset(np.unique(stream_of(block.id)).tolist())
    state = State.WRONG if faults else State.SOUND
    return _finding(row, state, faults, owners=owners, **bounds), block


def readings_of(row: ChunkRow) -> Block:
    """The readings of a chunk, every column decoded. Raises Corrupt."""
    if row.data is None:
        raise Corrupt("there are none, although the row says how many there are")
    chunk = Chunk(row.datastream, row.data)
    if not len(chunk):
        raise Corrupt("there are none")
    return chunk.block()


def _finding(row: ChunkRow, state: State, faults: Sequence[str], **more: object) -> Finding:
    values = {"t0": row.stats.t0, "t1": row.stats.t1, "thinned": row.thinned} | more
    return Finding(row.key, state, tuple(faults), row.period, **values)  # type: ignore[arg-type]


# --- a chunk with readings -----------------------------------------------------------------------


def _of_row(row: ChunkRow, block: Block) -> Iterator[str]:
    """Where the row does not tell what its readings are."""
    if checksum_of(row.rollup, row.data) != row.checksum:
        yield "the row's checksum is wrong"
    told = ordered(block)
    true = stats(told)
    wrong = [name for name in _STATS if getattr(true, name) != getattr(row.stats, name)]
    if wrong:
        yield f"its statistics are wrong: {', '.join(wrong)}"
    if row.rollup is not None and not _is_rollup_of(row.rollup, told):
        yield "its roll-up is not that of its readings"


def _is_rollup_of(data: bytes, block: Block) -> bool:
    try:
        return same_hours(unroll(data), hours_of(block.phenomenon_start, block.result))
    except Corrupt:
        return False


def same_hours(a: Hours, b: Hours) -> bool:
    """Whether two roll-ups say the same; totals may differ by rounding."""
    exact = ("start", "count", "minimum", "maximum", "first", "last")
    if any(not np.array_equal(a[name], b[name]) for name in exact):
        return False
    size = np.maximum(np.abs(a.minimum), np.abs(a.maximum)) * a.count
    return bool((np.abs(a.total - b.total) <= _ROUNDING * size).all())


def ordered(block: Block) -> Block:
    """The readings by (phenomenon start, id)."""
    return block.take(np.lexsort((block.id, block.phenomenon_start)))


def _of_readings(row: ChunkRow, block: Block) -> Iterator[str]:
    """What is wrong with the readings themselves."""
    starts = block.phenomenon_start
    later, same = np.diff(starts) > 0, np.diff(starts) == 0
    if not (later | (same & (np.diff(block.id) > 0))).all():
        yield "its readings are not in order"
    span = int(starts.max()) - int(starts.min())
    if len(block) > MOST and span:
        yield f"it has {len(block)} readings, more than {MOST}"
    if span > LONGEST:
        yield f"it is longer than {LONGEST // (24 * HOUR)} days"
    owners = np.unique(stream_of(block.id)).tolist()
    if owners != [row.datastream]:
        yield f"its readings belong to datastream {', '.join(map(str, owners))}"


# --- a chunk of which only hours are left --------------------------------------------------------


def _inspect_hours(row: ChunkRow) -> Finding:
    try:
        hours = unroll(row.rollup or b"")
    except Corrupt as problem:
        return _finding(row, State.LOST, [f"its hours cannot be read ({problem})"])
    if checksum_of(row.rollup, None) != row.checksum:
        return _finding(row, State.DOUBTFUL, ["the checksum of its hours is wrong"])
    if not len(hours):
        return _finding(row, State.LOST, ["it holds no hours"])
    if stats_of_hours(hours) != row.stats:
        return _finding(row, State.WRONG, ["its statistics are not those of its hours"])
    return _finding(row, State.SOUND, [])


def hours_left(row: ChunkRow) -> bytes | None:
    """The roll-up of a chunk whose readings are lost, if it agrees with the rest of the row."""
    if row.rollup is None or row.thinned:
        return None
    try:
        hours = unroll(row.rollup)
    except Corrupt:
        return None
    told = row.stats
    agrees = (
        len(hours) > 0
        and int(hours.count.sum()) == told.n
        and (hours.minimum.min(), hours.maximum.max()) == (told.low, told.high)
        and _hour_of(hours.start[0], told.t0)
        and _hour_of(hours.start[-1], told.t1)
    )
    return row.rollup if agrees else None


def _hour_of(hour: int, time: int) -> bool:
    return time // HOUR * HOUR == hour


# --- the chunks of a datastream together ---------------------------------------------------------


def heaps(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Chunks with readings in groups that share some time; most are alone in theirs."""
    groups: list[list[Finding]] = []
    reach = 0
    for finding in sorted(findings, key=lambda f: (f.t0, f.t1)):
        if groups and finding.t0 <= reach:
            groups[-1].append(finding)
            reach = max(reach, finding.t1)
        else:
            groups.append([finding])
            reach = finding.t1
    return groups


class Sequences:
    """Which numbers within a datastream were met, to find those that come twice."""

    _MOST = 1 << 28  # beyond, a damaged id would take all the memory

    def __init__(self, stream: int) -> None:
        self._stream = stream
        self._seen = np.zeros(1 << 12, bool)
        self.highest = 0

    def meet(self, ids: Int64) -> Int64:
        """Note ids of this datastream; those that were met before."""
        own: Int64 = ids[stream_of(ids) == self._stream]
        numbers = own & 0xFFFF_FFFF
        if not len(numbers):
            return own
        self.highest = max(self.highest, int(numbers.max()))
        small = numbers < self._MOST
        own, numbers = own[small], numbers[small]
        self._reach(int(numbers.max(initial=0)))
        again: Int64 = own[self._seen[numbers]]
        self._seen[numbers] = True
        return again

    def _reach(self, number: int) -> None:
        if number >= len(self._seen):
            grown = np.zeros(2 * number + 1, bool)
            grown[: len(self._seen)] = self._seen
            self._seen = grown
