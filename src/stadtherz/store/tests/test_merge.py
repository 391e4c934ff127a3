"""Where new readings go among a datastream's chunks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.time import DAY
from stadtherz.store.conditions.sieve import Stats
from stadtherz.store.sealed.block import BLOCK_COLUMNS, Block, ChunkStats, Sheaf, stats
from stadtherz.store.sealed.chunks import LONGEST, MOST
from stadtherz.store.sealed.merge import Share, alone, shares, split
from stadtherz.store.values import NONE

STREAMS = (3, 5, 8)
_NAMES = [name for name in Stats.__dataclass_fields__ if name != "datastream"]


def block(stream: int, days: list[int]) -> Block:
    starts = np.array(sorted(days), np.int64) * DAY
    none = np.full(len(starts), NONE)
    ids = (stream << 32) + 1 + np.arange(len(starts))
    return Block(stream, ids, starts, none, none, none, np.zeros(len(starts)))


def directory(held: list[Block]) -> Stats:
    told = [stats(one) for one in held]
    columns = {name: np.array([_told(one, name) for one in told]) for name in _NAMES}
    return Stats(datastream=np.array([one.datastream for one in held], np.int64), **columns)


def _told(found: ChunkStats, name: str) -> float:
    value: float | None = getattr(found, name)
    return NONE if value is None else value


days = st.lists(st.integers(0, 200), min_size=1, max_size=6)
towns = st.dictionaries(st.sampled_from(STREAMS), days)


@given(towns, towns.filter(bool))
def test_what_comes_last_is_alone_as_shares_and_split_would_say(
    held: dict[int, list[int]], new: dict[int, list[int]]
) -> None:
    known = directory([p for stream in sorted(held) for p in split(block(stream, held[stream]))])
    blocks = [block(stream, new[stream]) for stream in sorted(new)]
    for one, found in zip(blocks, alone(Sheaf.bound(blocks), known).tolist(), strict=True):
        whole = Share(None, slice(0, len(one)))
        as_said = shares(one.datastream, one.phenomenon_start, known) == [whole]
        last = max(held.get(one.datastream, [-1])) * DAY
        assert found == (as_said and len(split(one)) == 1 and one.phenomenon_start[0] > last)


def test_a_chunk_is_neither_too_long_nor_too_full_to_be_alone() -> None:
    starts = [
        np.arange(MOST),
        np.arange(MOST + 1),
        np.array([0, LONGEST]),
        np.array([0, LONGEST + 1]),
    ]
    blocks = [_with_starts(stream, times) for stream, times in enumerate(starts)]
    assert alone(Sheaf.bound(blocks), directory([])).tolist() == [True, False, True, False]


def _with_starts(stream: int, starts: np.typing.NDArray[np.int64]) -> Block:
    columns = {name: np.zeros(len(starts), np.int64) for name in BLOCK_COLUMNS}
    return Block(
        stream, **(columns | {"phenomenon_start": starts, "result": np.zeros(len(starts))})
    )
