"""From the log to chunks: the readings of some datastreams at a time.

What is expensive, decoding and encoding, is done before the writer's lock is taken; within it only
rows are exchanged. If something else was sealed or changed in between, it is done again.
"""

from collections.abc import Callable

import numpy as np

from stadtherz.store import chunks, keys, summaries, view
from stadtherz.store.batch import Readings
from stadtherz.store.chunk import BLOCK_COLUMNS, Block
from stadtherz.store.chunks import Directory, chunks_of
from stadtherz.store.database import moving
from stadtherz.store.exchange import Exchange
from stadtherz.store.insert import append_event
from stadtherz.store.merge import merged, shares, split
from stadtherz.store.state import remember
from stadtherz.store.values import Int64
from stadtherz.store.view import SEALED, View, reading

_AT_ONCE = 32  # datastreams in one transaction
_READINGS = 16_384  # of all of them


def seal(until: Callable[[], bool] = lambda: False) -> int:
    """Seal everything that is in the log now and say how many readings there were.

    Other writers get their turn after each few datastreams; `until` true ends it there.
    """
    with reading() as known:
        upto, pending = known.end, known.tail.of(None)
    if not len(pending):
        return 0
    for streams in _slices(pending):
        if until():
            return 0
        seal_streams(streams)
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


def seal_streams(streams: Int64) -> None:
    """Seal what these datastreams (ascending) have in the log."""
    with reading(sealed=True) as known:
        prepared = _prepare(streams, known)
    view.current()
    with moving():
        now = view.current().copy()
        if now.event != known.event:
            prepared = _prepare(streams, now)
        elif now.end != known.end:
            now_streams = now.tail.of(streams)
            prepared = prepared if _same(now_streams, known) else _prepare(streams, now)
        write(streams, prepared, now)


def _same(readings: Readings, known: View) -> bool:
    """Whether none of the readings came after the view."""
    return not len(readings) or int(readings["position"].max()) <= known.end


def seal_within(streams: Int64, now: View) -> None:
    """As `seal_streams`, in a transaction of `moving` whose view is `now`."""
    pending = np.unique(now.tail.of(streams)["datastream"])
    if len(pending):
        write(pending, _prepare(pending, now), now)


def _prepare(streams: Int64, known: View) -> Exchange:
    directory = known.look_at_chunks().with_readings()
    exchange = Exchange([], [])
    plain = known.unsealed(streams.tolist())
    edges = np.searchsorted(plain["datastream"], np.append(streams, streams[-1] + 1)).tolist()
    for place, stream in enumerate(streams.tolist()):
        part = plain[edges[place] : edges[place + 1]]
        if len(part):
            add_block(block_of(stream, part), directory.of(streams[place : place + 1]), exchange)
    return exchange


def block_of(stream: int, readings: Readings) -> Block:
    return Block(stream, *(np.ascontiguousarray(readings[name]) for name in BLOCK_COLUMNS))


def add_block(block: Block, found: Directory, exchange: Exchange) -> None:
    """Plan where the readings of a block go among the datastream's chunks."""
    for share in shares(block.phenomenon_start, found):
        part = block.take(share.readings)
        if share.chunk is not None:
            (old,) = chunks_of(found.take(slice(share.chunk, share.chunk + 1)))
            exchange.removed.append(int(found.key[share.chunk]))
            part = merged(old.block(), part)
        exchange.rows.extend(chunks.row_of(piece) for piece in split(part))


def write(streams: Int64, exchange: Exchange, now: View) -> None:
    """Carry the exchange out; the summaries and the log learn of it."""
    held = now.summaries(streams)
    exchange.carry_out()
    held["sealed"] = now.end
    summaries.write(held)
    event = {"streams": streams.tolist(), "upto": now.end, "removed": exchange.removed}
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
