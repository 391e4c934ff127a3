"""Tidying up: small chunks are joined, old readings thinned or dropped, the log is cut short."""

import logging
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Min

from stadtherz.base.errors import Unavailable
from stadtherz.base.time import DAY, now_us
from stadtherz.store.conditions.sieve import Stats
from stadtherz.store.database import moving, run, writing
from stadtherz.store.models import Cursor
from stadtherz.store.readings import rows, view
from stadtherz.store.readings.view import reading
from stadtherz.store.sealed import chunks
from stadtherz.store.sealed.block import Sheaf
from stadtherz.store.sealed.buckets import changes, places_of
from stadtherz.store.sealed.chunk import Corrupt, bound
from stadtherz.store.sealed.chunks import (
    LONGEST,
    MOST,
    Directory,
    chunks_of,
    passing_rows,
    readable,
    rollups_of,
    row_of,
)
from stadtherz.store.sealed.rollup import rollup_always
from stadtherz.store.state import remembered
from stadtherz.store.values import Int64
from stadtherz.store.writing import renewal
from stadtherz.store.writing.changes import delete_readings
from stadtherz.store.writing.exchange import Change, Exchange, exchange, together
from stadtherz.store.writing.policies import Policy, policies

log = logging.getLogger(__name__)

_AT_ONCE = 256  # datastreams in one transaction: their small chunks lie on the same pages
_SOME = 8  # neighbours that are joined although more of them may come


def tend(until: Callable[[], bool] = lambda: False) -> None:
    """Do all that is due, in small transactions; `until` true ends it after the one at hand.

    What stumbles over damaged readings is left for `stadtherz store check`.
    """
    for step in chain(_retention(), _joining(), renewal.steps(), [cut_log]):
        if until():
            return
        try:
            step()
        except Unavailable as error:
            if error.retry:
                raise
            log.warning("%s", error)


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


def _joining() -> Iterator[Callable[[], object]]:
    with reading(sealed=True) as known:
        found = known.look_at_chunks().with_readings()
    streams = np.unique(found.stats.datastream[[run.start for run in _runs(found)]])
    for begin in range(0, len(streams), _AT_ONCE):
        yield partial(exchange, partial(_joined, streams[begin : begin + _AT_ONCE]))


def _runs(found: Directory) -> list[slice]:
    """Neighbours that together make one chunk and are worth it: there are some, or no more will fit."""
    stats = found.stats
    fit = stats.datastream[1:] == stats.datastream[:-1]
    fit &= stats.n[1:] + stats.n[:-1] <= MOST
    fit &= stats.t1[1:] - stats.t0[:-1] <= LONGEST
    runs: list[slice] = []
    behind = 0
    for place in _promising(fit, stats).tolist():
        if place >= behind:
            behind = _reach(stats, place)
            run = slice(place, behind)
            if behind - place >= _SOME or _is_ended(run, stats):
                runs.append(run)
    return runs


def _promising(fit: npt.NDArray[np.bool_], stats: Stats) -> Int64:
    """The places that fit, without those of datastreams that have only a few new chunks to wait for more."""
    places = np.flatnonzero(fit)
    if not len(places):
        return places
    first = changes(places - np.arange(len(places)))  # where they do not follow each other
    begin = places[first]
    end = places[np.r_[first[1:], len(places)] - 1] + 2
    newest = (end == len(stats.n)) | (np.r_[stats.datastream, -1][end] != stats.datastream[begin])
    summed = np.r_[0, np.cumsum(stats.n)]
    whole = (summed[end] - summed[begin] <= MOST) & (stats.t1[end - 1] - stats.t0[begin] <= LONGEST)
    waiting = newest & whole & (end - begin < _SOME)
    found: Int64 = places[~np.repeat(waiting, np.diff(np.r_[first, len(places)]))]
    return found


def _is_ended(run: slice, stats: Stats) -> bool:
    """Whether the datastream has a chunk behind them, which did not fit any more."""
    more: bool = (
        run.stop < len(stats.n) and stats.datastream[run.stop] == stats.datastream[run.start]
    )
    return more


def _reach(stats: Stats, first: int) -> int:
    """The place behind the last chunk that still fits into one with the first."""
    most = slice(first, first + MOST)
    fit = stats.datastream[most] == stats.datastream[first]
    fit &= np.cumsum(stats.n[most]) <= MOST
    fit &= stats.t1[most] - stats.t0[first] <= LONGEST
    return first + (int(np.argmin(fit)) if not fit.all() else len(fit))


def _joined(streams: Int64, found: Directory) -> Exchange:
    """Of these datastreams' chunks, those that are worth it."""
    found = found.of(streams).with_readings()
    runs = _runs(found)
    try:
        return _all_joined(runs, found)
    except (Unavailable, Corrupt):  # something is damaged: all the others, then
        return together(
            [_all_joined([run], found) for run in runs if all(readable(found.take(run)))]
        )


def _all_joined(runs: list[slice], found: Directory) -> Exchange:
    if not runs:
        return Exchange([], [])
    begins, lengths = np.array([(run.start, run.stop - run.start) for run in runs]).T
    chosen = found.take(places_of(begins, lengths))
    before = np.r_[0, np.cumsum(lengths)]
    pieces = bound(list(chunks_of(chosen, keep=False)))
    whole = Sheaf(pieces.streams[before[:-1]], pieces.edges[before], pieces.columns)
    ended = np.array([_is_ended(run, found.stats) for run in runs])
    rows = [*passing_rows(whole.take(~ended)), *map(row_of, whole.take(ended))]
    return Exchange(chosen.key.tolist(), rows)


# --- retention -----------------------------------------------------------------------------------


def _retention() -> Iterator[Callable[[], object]]:
    for stream, policy in sorted(policies().items()):
        yield partial(_keep, stream, policy)


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
