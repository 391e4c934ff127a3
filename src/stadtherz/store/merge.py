"""Where new readings of a datastream go among its chunks: which are rewritten, which are new. Pure.

Chunks of a datastream follow each other without touching. A reading goes into the chunk whose time
it falls in, else behind the chunk before it as long as that has room, else into a new one.
"""

from dataclasses import dataclass

import numpy as np

from stadtherz.store.chunk import BLOCK_COLUMNS, Block
from stadtherz.store.chunks import LONGEST, MOST, Directory
from stadtherz.store.values import Int64


@dataclass(frozen=True, slots=True)
class Share:
    """New readings for one chunk (its place in the directory), or for none yet (None)."""

    chunk: int | None
    readings: slice


def shares(starts: Int64, found: Directory) -> list[Share]:
    """How readings with these starts, which ascend, are shared out over a datastream's chunks."""
    before = np.searchsorted(found.stats.t0, starts, "right") - 1
    cuts = np.flatnonzero(np.r_[True, before[1:] != before[:-1]])
    ends = np.r_[cuts[1:], len(starts)]
    return [
        share
        for begin, end in zip(cuts.tolist(), ends.tolist(), strict=True)
        for share in _shares_of(int(before[begin]), begin, end, starts, found)
    ]


def _shares_of(chunk: int, begin: int, end: int, starts: Int64, found: Directory) -> list[Share]:
    if chunk < 0:
        return [Share(None, slice(begin, end))]
    last, number = int(found.stats.t1[chunk]), int(found.stats.n[chunk])
    inside = begin + int(np.searchsorted(starts[begin:end], last, "right"))
    near = int(np.searchsorted(starts[begin:end], found.stats.t0[chunk] + LONGEST, "right"))
    has_room = number < MOST and (begin + near > inside)
    if has_room:
        rest = begin + near
    elif inside > begin:
        rest = inside
    else:
        return [Share(None, slice(begin, end))]
    first = [Share(chunk, slice(begin, rest))]
    return first if rest == end else [*first, Share(None, slice(rest, end))]


def merged(old: Block, new: Block) -> Block:
    """Both by (phenomenon start, id)."""
    both = {
        name: np.concatenate([getattr(old, name), getattr(new, name)]) for name in BLOCK_COLUMNS
    }
    order = np.lexsort((both["id"], both["phenomenon_start"]))
    return Block(old.datastream, **{name: column[order] for name, column in both.items()})


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
