"""Where new readings of a datastream go among its chunks: which are rewritten, which are new. Pure.

Chunks of a datastream follow each other without touching. A reading goes into the chunk whose time
it falls in, else into a new one behind the chunk before it: so a slow sensor leaves small chunks,
which `tend` joins when there are some, and each reading is written a few times instead of at each
sealing until its chunk is full.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stadtherz.store.conditions.sieve import Stats
from stadtherz.store.sealed.block import Block, Sheaf
from stadtherz.store.sealed.buckets import changes
from stadtherz.store.sealed.chunks import LONGEST, MOST
from stadtherz.store.values import Int64


@dataclass(frozen=True, slots=True)
class Share:
    """New readings for one chunk (its place in the statistics), or for none yet (None)."""

    chunk: int | None
    readings: slice


def shares(stream: int, starts: Int64, stats: Stats) -> list[Share]:
    """How a datastream's readings with these starts, which ascend, are shared out over its chunks.

    The statistics are those of chunks by datastream and time.
    """
    first, behind = np.searchsorted(stats.datastream, [stream, stream + 1]).tolist()
    if first == behind or starts[0] > stats.t1[behind - 1]:  # as nearly always
        return [Share(None, slice(0, len(starts)))]
    before = first - 1 + np.searchsorted(stats.t0[first:behind], starts, "right")
    cuts = changes(before)
    ends = np.r_[cuts[1:], len(starts)]
    return [
        share
        for begin, end in zip(cuts.tolist(), ends.tolist(), strict=True)
        for share in (
            _shares_of(int(before[begin]), begin, end, starts, stats)
            if before[begin] >= first
            else [Share(None, slice(begin, end))]
        )
    ]


def _shares_of(chunk: int, begin: int, end: int, starts: Int64, stats: Stats) -> list[Share]:
    inside = begin + int(np.searchsorted(starts[begin:end], stats.t1[chunk], "right"))
    parts = [Share(chunk, slice(begin, inside)), Share(None, slice(inside, end))]
    return [part for part in parts if part.readings.start < part.readings.stop]


def alone(sheaf: Sheaf, stats: Stats) -> npt.NDArray[np.bool_]:
    """Which of these blocks certainly become a new chunk each, as `shares` and `split` would say."""
    first, last = sheaf.columns["phenomenon_start"][sheaf.edges[:-1]], sheaf.edges[1:] - 1
    fit: npt.NDArray[np.bool_] = sheaf.lengths <= MOST
    fit &= sheaf.columns["phenomenon_start"][last] - first <= LONGEST
    behind = np.searchsorted(stats.datastream, sheaf.streams, "right")
    others = np.searchsorted(stats.datastream, sheaf.streams, "left") < behind
    fit[others] &= first[others] > stats.t1[behind[others] - 1]
    return fit


def merged(old: Block, new: Block) -> Block:
    """Both by (phenomenon start, id)."""
    both = Block(old.datastream, **Sheaf.bound([old, new]).columns)
    return both.take(np.lexsort((both.id, both.phenomenon_start)))


def split(block: Block) -> list[Block]:
    """Blocks of at most MOST readings and LONGEST in time; equal instants stay together."""
    starts = block.phenomenon_start
    blocks, begin = [], 0
    while begin < len(starts):
        reach = int(np.searchsorted(starts, starts[begin] + LONGEST, "right"))
        end = _between_instants(starts, begin, min(begin + MOST, reach))
        blocks.append(block.take(slice(begin, end)))
        begin = end
    return blocks


def _between_instants(starts: Int64, begin: int, end: int) -> int:
    """The cut moved so that no run of equal instants is divided."""
    if end >= len(starts) or starts[end] != starts[end - 1]:
        return end
    first = int(np.searchsorted(starts, starts[end], "left"))
    return first if first > begin else int(np.searchsorted(starts, starts[end], "right"))
