"""Tidying up: small chunks are joined, old readings thinned or dropped, the log is cut short."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from django.db.models import Min

from stadtherz.base.time import DAY, now_us
from stadtherz.store import chunks, rows, view
from stadtherz.store.changes import delete_readings
from stadtherz.store.chunks import LONGEST, MOST, Directory, chunks_of, rollups_of
from stadtherz.store.database import moving, run, writing
from stadtherz.store.exchange import Change, Exchange
from stadtherz.store.merge import merged
from stadtherz.store.models import Cursor
from stadtherz.store.policies import Policy, policies
from stadtherz.store.rollup import rollup_always
from stadtherz.store.state import remembered
from stadtherz.store.values import Int64
from stadtherz.store.view import reading

_AT_ONCE = 64  # chunks exchanged in one transaction


def tend(until: Callable[[], bool] = lambda: False) -> None:
    """Do all that is due, in small transactions; `until` true ends it after the one at hand."""
    for step in (*_retention(), *_joining()):
        if until():
            return
        step()
    cut_log()


def cut_log() -> int:
    """Remove from the log what is sealed and every consumer has seen; how many rows that were.

    The last row stays: from it others see that the log goes on.
    """
    seen = Cursor.objects.aggregate(slowest=Min("position"))["slowest"]
    with writing():
        upto = remembered("sealed")
        if seen is not None:
            upto = min(upto, seen)
        text = "DELETE FROM store_log WHERE last <= %s AND last < (SELECT max(last) FROM store_log)"
        return run(text, (upto,))


# --- small chunks --------------------------------------------------------------------------------


def _joining() -> Iterator[Callable[[], None]]:
    with reading(sealed=True) as known:
        found = known.look_at_chunks().with_readings()
    pairs = _neighbours(found)
    for begin in range(0, len(pairs), _AT_ONCE):
        keys = found.key[
            np.r_[pairs[begin : begin + _AT_ONCE], pairs[begin : begin + _AT_ONCE] + 1]
        ]
        yield lambda keys=keys: _join(keys)  # type: ignore[misc]


def _neighbours(found: Directory) -> Int64:
    """Places of chunks that fit together with the one behind them, none in two pairs."""
    stats = found.stats
    fit = stats.datastream[1:] == stats.datastream[:-1]
    fit &= stats.n[1:] + stats.n[:-1] <= MOST
    fit &= stats.t1[1:] - stats.t0[:-1] <= LONGEST
    pairs: list[int] = []
    for place in np.flatnonzero(fit).tolist():
        if not pairs or place > pairs[-1] + 1:
            pairs.append(place)
    return np.array(pairs, np.int64)


def _join(keys: Int64) -> None:
    """Join neighbours, both of which are among these chunks, as far as they are still there."""
    with moving():
        change = Change(view.current().copy())
        found = change.now.look_at_chunks().with_readings()
        exchange = Exchange([], [])
        for place in _neighbours(found).tolist():
            if not np.isin(found.key[place : place + 2], keys).all():
                continue
            first, second = chunks_of(found.take(slice(place, place + 2)))
            block = merged(first.block(), second.block())
            exchange.removed.extend(found.key[place : place + 2].tolist())
            exchange.rows.append(chunks.row_of(block))
        if exchange.removed:
            change.exchange(exchange)
            change.settle()


# --- retention -----------------------------------------------------------------------------------


def _retention() -> Iterator[Callable[[], None]]:
    for stream, policy in sorted(policies().items()):
        yield lambda stream=stream, policy=policy: _keep(stream, policy)  # type: ignore[misc]


def _keep(stream: int, policy: Policy) -> None:
    """Carry out a datastream's policy."""
    if policy.raw_days is not None:
        cutoff = now_us() - policy.raw_days * DAY
        forgotten = policy.hourly_days == policy.raw_days
        _thin(stream, cutoff, forget=forgotten)
    if policy.hourly_days is not None:
        cutoff = now_us() - policy.hourly_days * DAY
        _thin(stream, cutoff, forget=True)


def _thin(stream: int, cutoff: int, *, forget: bool) -> None:
    with moving():
        change = Change(view.current().copy())
        found = change.now.look_at_chunks().of(np.array([stream], np.int64))
        old = found.take(found.stats.t1 < cutoff)
        if not forget:
            old = old.with_readings()
        if len(old):
            change.streams.add(stream)
            each = () if forget else (old.take(slice(i, i + 1)) for i in range(len(old)))
            change.exchange(Exchange(old.key.tolist(), [_thinned(stream, one) for one in each]))
            change.settle()
    delete_readings(rows.before(stream, cutoff))


def _thinned(stream: int, found: Directory) -> tuple[Any, ...]:
    """What is left of a chunk when its readings are thinned: the hours."""
    if found.hours[0]:
        (hours,) = rollups_of(found)
    else:
        (chunk,) = chunks_of(found)
        hours = rollup_always(chunk.phenomenon_start, chunk.result)
    return chunks.thinned_row(stream, hours)
