"""From the log to chunks: the readings of some datastreams at a time.

What is expensive, decoding and encoding, is done before the writer's lock is taken; within it only
rows are exchanged. If something else was sealed or changed in between, it is done again.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from stadtherz.store import chunks, keys, summaries, view
from stadtherz.store.batch import Readings
from stadtherz.store.chunk import BLOCK_COLUMNS, Block
from stadtherz.store.chunks import Directory, readable
from stadtherz.store.database import moving
from stadtherz.store.exchange import Exchange
from stadtherz.store.insert import append_event
from stadtherz.store.merge import merged, shares, split
from stadtherz.store.state import remember
from stadtherz.store.values import Int64
from stadtherz.store.view import SEALED, View, reading

_AT_ONCE = 64  # datastreams in one transaction
_READINGS = 16_384  # of all of them


def seal(until: Callable[[], bool] = lambda: False) -> int:
    """Seal everything that is in the log now and say how many readings there were.

    Other writers get their turn after each few datastreams; `until` true ends it there.
    """
    with reading(sealed=True) as known:
        upto, pending = known.end, known.tail.of(None)
    if not len(pending):
        return 0
    for streams in _slices(pending):
        if until():
            return 0
        known = _seal_some(streams, known, pending)
    _finish(upto)
    return len(pending)


def _slices(pending: Readings) -> list[Int64]:
    """Groups of datastreams that are sealed together."""
    streams, counts = np.unique(pending["datastream"], return_counts=True)
    groups: list[Int64] = []
    begin = size = 0
    for place, number in enumerate(counts.tolist()):
        if place > begin and (place - begin >= _AT_ONCE or size + number > _READINGS):
            groups.append(streams[begin:place])
            begin, size = place, 0
        size += number
    return [*groups, streams[begin:]]


def _seal_some(streams: Int64, known: View, pending: Readings) -> View:
    """Seal what these datastreams (ascending) have pending as of the view, and give a view to go on.

    As long as nobody else seals or changes anything, what is known of the other chunks stays true.
    """
    with reading() as fresh:
        if fresh.event != known.event:
            known, pending = fresh, fresh.tail.of(streams)
        prepared = _prepare(streams, known, pending)
    view.current()
    with moving():
        now = view.current().copy()
        if now.event != known.event:
            known, pending = now.copy(), now.tail.of(streams)
            prepared = _prepare(streams, known, pending)
        _write(streams, prepared, known, pending, now)
    known.event = now.event
    return known


def seal_within(streams: Int64, now: View) -> None:
    """Seal these datastreams in a transaction of `moving` whose view is `now`."""
    pending = now.tail.of(streams)
    some = np.unique(pending["datastream"])
    if len(some):
        _write(some, _prepare(some, now, pending), now, pending, now)


def _of(streams: Int64, readings: Readings) -> Readings:
    """From the first of these datastreams to the last."""
    held = readings["datastream"]
    return readings[slice(*np.searchsorted(held, [streams[0], streams[-1] + 1]))]


def _prepare(streams: Int64, known: View, pending: Readings) -> Exchange:
    plain = _of(streams, pending)
    plain = plain[plain["plain"]]
    edges = np.searchsorted(plain["datastream"], np.append(streams, streams[-1] + 1)).tolist()
    parts = zip(streams.tolist(), pairwise(edges), strict=True)
    blocks = [block_of(stream, plain[a:b]) for stream, (a, b) in parts if a < b]
    return exchange_for(blocks, known.look_at_chunks().of(streams))


def block_of(stream: int, readings: Readings) -> Block:
    return Block(stream, *(np.ascontiguousarray(readings[name]) for name in BLOCK_COLUMNS))


def exchange_for(blocks: Sequence[Block], found: Directory) -> Exchange:
    """Where the readings of these blocks go among their datastreams' chunks.

    Those for a chunk that is damaged come beside it, so that the others are sealed all the same.
    """
    found = found.with_readings()
    plan = [
        (block.take(share.readings), share.chunk)
        for block in blocks
        for share in shares(block.datastream, block.phenomenon_start, found.stats)
    ]
    touched = [chunk for _, chunk in plan if chunk is not None]
    old = dict(zip(touched, readable(found.take(touched)), strict=True))
    parts = [_with(None if chunk is None else old[chunk], part) for part, chunk in plan]
    rows = [chunks.row_of(piece) for part in parts for piece in split(part)]
    return Exchange([int(found.key[chunk]) for chunk, block in old.items() if block], rows)


def _with(old: Block | None, part: Block) -> Block:
    return part if old is None else merged(old, part)


def _write(streams: Int64, exchange: Exchange, known: View, pending: Readings, now: View) -> None:
    """Carry out what was prepared as of `known`; summaries, and through the log everybody, learn of it."""
    held = known.summarised(streams, _of(streams, pending))
    exchange.carry_out()
    held["sealed"] = known.end
    summaries.write(held)
    event = {"streams": streams.tolist(), "upto": known.end, "removed": exchange.removed}
    append_event(SEALED, now, event)


def _finish(upto: int) -> None:
    """Everything up to this position is sealed: seal the keys, too, and note it."""
    with moving():
        now = view.current().copy()
        left = now.tail.of(None)
        if len(left) and int(left["position"].min()) <= upto:
            return  # somebody's datastream came back after a rollback; the next round takes it
        pending = now.keys.unsealed
        still = set(left["key"].tolist())
        sealed = {key: held for key, held in pending.items() if key not in still}
        keys.seal(np.array(list(sealed), np.uint64), np.array(list(sealed.values()), np.int64))
        remember("sealed", upto)
        append_event(SEALED, now, {"streams": [], "upto": upto, "removed": [], "whole": True})
