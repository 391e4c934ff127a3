"""From the log to chunks: the readings of some datastreams at a time.

What is expensive, decoding and encoding, is done before the writer's lock is taken; within it only
rows are exchanged. If something else was sealed or changed in between, it is done again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from stadtherz.store.database import moving
from stadtherz.store.readings import keys, summaries, view
from stadtherz.store.readings.summaries import Summaries
from stadtherz.store.readings.view import SEALED, View, reading
from stadtherz.store.sealed import chunks
from stadtherz.store.sealed.batch import Readings
from stadtherz.store.sealed.block import Block, Sheaf
from stadtherz.store.sealed.chunks import Directory, readable
from stadtherz.store.sealed.merge import alone, merged, shares, split
from stadtherz.store.state import remember
from stadtherz.store.values import Int64
from stadtherz.store.writing.exchange import Exchange
from stadtherz.store.writing.insert import append_event

_AT_ONCE = 256  # datastreams in one transaction
_READINGS = 16_384  # of all of them
_LASTING = 256  # readings from which a chunk is not joined soon and should be small


def seal(until: Callable[[], bool] = lambda: False) -> int:
    """Seal everything that is in the log now and say how many readings there were.

    Other writers get their turn after each few datastreams; `until` true ends it there.
    """
    with reading(sealed=True) as known:
        round_ = _Round(known, known.tail.of(None))
    upto, number = known.end, len(round_.pending)
    if not number:
        return 0
    for streams in _slices(round_.pending):
        if until():
            return 0
        _seal_some(streams, round_)
    _finish(upto)
    return number


@dataclass(slots=True)
class _Round:
    """What is known, and pending as of it. True as long as nobody else seals or changes anything."""

    known: View
    pending: Readings  # of all datastreams

    def of(self, streams: Int64) -> Readings:
        """What is pending of these datastreams, which ascend."""
        held = self.pending["datastream"]
        part = self.pending[slice(*np.searchsorted(held, [streams[0], streams[-1] + 1]))]
        return part[np.isin(part["datastream"], streams)]


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


def _seal_some(streams: Int64, round_: _Round) -> None:
    """Seal what these datastreams (ascending) have pending."""
    with reading() as fresh:
        if fresh.event != round_.known.event:
            round_.known, round_.pending = fresh, fresh.tail.of(None)
        prepared = _prepare(round_.of(streams), round_.known)
    view.current()
    with moving():
        now = view.current().copy()
        if now.event != round_.known.event:
            round_.known, round_.pending = now.copy(), now.tail.of(None)
            prepared = _prepare(round_.of(streams), round_.known)
        held = _write(prepared, round_.of(streams), round_.known, now)
    view.sealed(now.event, held)
    round_.known.event = now.event


def seal_within(streams: Int64, now: View) -> None:
    """Seal these datastreams in a transaction of `moving` whose view is `now`."""
    pending = now.tail.of(streams)
    _write(_prepare(pending, now), pending, now, now)


def _prepare(pending: Readings, known: View) -> Exchange:
    plain = Sheaf.of(pending[pending["plain"]])
    return exchange_for(plain, known.look_at_chunks().of(plain.streams))


def exchange_for(sheaf: Sheaf, found: Directory) -> Exchange:
    """Where the readings of these blocks go among their datastreams' chunks."""
    found = found.with_readings()
    passing = (sheaf.lengths < _LASTING) & alone(sheaf, found.stats)
    rows = chunks.passing_rows(sheaf.take(passing))
    others = _exchange_one_by_one(sheaf.take(~passing), found)
    return Exchange(others.removed, rows + others.rows)


def _exchange_one_by_one(blocks: Iterable[Block], found: Directory) -> Exchange:
    """As `exchange_for`.

    Readings for a chunk that is damaged come beside it, so that the others are sealed all the same.
    """
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


def _write(exchange: Exchange, pending: Readings, known: View, now: View) -> Summaries:
    """Carry out what was prepared as of `known`, and tell the log, and thereby everybody, of it.

    Returns the summaries that are now those of the datastreams.
    """
    streams = np.unique(pending["datastream"])
    held = known.summarised(streams, pending)
    if not len(streams):
        return held
    exchange.carry_out()
    held["sealed"] = known.end
    summaries.write(held)
    event = {"streams": streams.tolist(), "upto": known.end, "removed": exchange.removed}
    append_event(SEALED, now, event)
    return held


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
