"""Buckets of one or many datastreams, from roll-ups wherever these say enough.

Hours in UTC serve every bucket of whole hours. A chunk without a roll-up, or into whose time an
unsealed reading falls, is read; what is not sealed at all is added in its place.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from stadtherz.base.time import HOUR, Micros
from stadtherz.store.readings import rows
from stadtherz.store.readings.view import View, ascending, reading
from stadtherz.store.sealed.batch import Readings
from stadtherz.store.sealed.buckets import bucket_each, changes, zone_of
from stadtherz.store.sealed.chunks import Directory, groups_of, rollups_of
from stadtherz.store.sealed.rollup import (
    Hours,
    from_hours,
    from_hours_each,
    hours_at,
    hours_of,
    joined,
    servable,
    unroll_each,
)
from stadtherz.store.values import NONE, Bucketing, Buckets, Int64

Mask = npt.NDArray[np.bool_]
_FAR: int = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class _Question:
    streams: Int64  # ascending
    width: Bucketing
    zone: ZoneInfo
    start: int
    end: int  # the first instant that no longer counts
    quantiles: Sequence[float]

    def hours_serve(self, first: int, last: int) -> bool:
        """Whether hours are enough for readings from `first` to `last`."""
        bounds = [b for b in (self.start, self.end) if NONE < b < _FAR]
        if self.quantiles or any(bound % HOUR for bound in bounds):
            return False
        return servable(self.width, self.zone, first, last)


@dataclass(frozen=True, slots=True)
class _Raw:
    """Numbers by (datastream, phenomenon start)."""

    stream: Int64
    start: Int64
    result: npt.NDArray[np.float64]
    id: Int64  # empty where no ties have to be decided

    @classmethod
    def of(cls, tail: Readings) -> "_Raw":
        """Readings as the tail sorts them."""
        columns = (tail[name] for name in ("datastream", "phenomenon_start", "result", "id"))
        return cls(*map(np.ascontiguousarray, columns))

    def within(self, question: _Question) -> "_Raw":
        return self.take((self.start >= question.start) & (self.start < question.end))

    def take(self, places: npt.NDArray[Any]) -> "_Raw":
        key = self.id[places] if len(self.id) else self.id
        return _Raw(self.stream[places], self.start[places], self.result[places], key)


def buckets(
    stream: int,
    width: Bucketing,
    zone: str,
    *,
    start: Micros | None = None,
    end: Micros | None = None,
    quantiles: Sequence[float] = (),
) -> Buckets:
    """Aggregates of a datastream's numbers from `start` to before `end`, by phenomenon start.

    Results that are no numbers are left out. Where only hours are left of old readings, they are
    counted with the bucket that the hour starts in. Raises Invalid for an unknown zone.
    """
    found = buckets_of([stream], width, zone, start=start, end=end, quantiles=quantiles)
    if stream in found:
        return found[stream]
    return from_hours(hours_of(np.empty(0, np.int64), np.empty(0)), width, zone_of(zone))


def buckets_of(
    streams: Iterable[int],
    width: Bucketing,
    zone: str,
    *,
    start: Micros | None = None,
    end: Micros | None = None,
    quantiles: Sequence[float] = (),
) -> dict[int, Buckets]:
    """As `buckets` for many datastreams at once; those without a number are left out."""
    first = NONE if start is None else start
    behind = _FAR if end is None else end
    question = _Question(ascending(streams), width, zone_of(zone), first, behind, quantiles)
    with reading(sealed=True) as known:
        found = _chunks_within(question, known)
        loose = _loose(question, known)
        rolled = _rolled(question, found, loose)
        hours, counts = unroll_each(rollups_of(found.take(rolled)))
        raw = _raw(question, found.take(~rolled & (found.stats.n > 0)), loose)
    return _answer(question, found.take(rolled), hours, counts, raw)


def _chunks_within(question: _Question, known: View) -> Directory:
    found = known.look_at_chunks().of(question.streams)
    return found.take((found.stats.t1 >= question.start) & (found.stats.t0 < question.end))


def _loose(question: _Question, known: View) -> _Raw:
    """What is not in chunks: the tail, and numbers among the rows."""
    tail = known.unsealed(question.streams.tolist())
    if not known.has_rows(question.streams.tolist()):
        return _Raw.of(tail).within(question)
    start, end = (b if NONE < b < _FAR else None for b in (question.start, question.end))
    others = rows.starting_between(question.streams, start, end)
    stream = np.r_[tail["datastream"], others.datastream]
    begins = np.r_[tail["phenomenon_start"], others.phenomenon_start]
    result = np.r_[tail["result"], others.result]
    ids = np.r_[tail["id"], others.id]
    order = np.lexsort((ids, begins, stream))
    return _Raw(stream[order], begins[order], result[order], ids[order]).within(question)


def _rolled(question: _Question, found: Directory, loose: _Raw) -> Mask:
    """Which chunks are served by their roll-up."""
    if not len(found):
        return np.zeros(0, bool)
    stats = found.stats
    if not question.hours_serve(int(stats.t0.min()), int(stats.t1.max())):
        only: Mask = (stats.n == 0) & (found.hours == 1) & _coarse(question.width)
        return only
    rolled: Mask = found.hours == 1
    for stream in np.unique(loose.stream).tolist():
        mine = slice(*np.searchsorted(stats.datastream, [stream, stream + 1]))
        starts = loose.start[loose.stream == stream]
        after = np.searchsorted(starts, stats.t0[mine])
        inside = starts[np.minimum(after, len(starts) - 1)]
        hit = (after < len(starts)) & (inside <= stats.t1[mine]) & (stats.n[mine] > 0)
        rolled[mine] &= ~hit
    return rolled


def _coarse(width: Bucketing) -> bool:
    return width not in (Bucketing.MINUTE, Bucketing.QUARTER)


def _raw(question: _Question, found: Directory, loose: _Raw) -> _Raw:
    """What is loose and what these chunks hold, within the question's bounds."""
    if not len(found):
        return loose
    names = ["datastream", "phenomenon_start", "result"]
    names += ["id"] if len(loose.start) else []  # only then ties have to be decided
    parts: list[list[Any]] = [[loose.stream], [loose.start], [loose.result], [loose.id]]
    for group in groups_of(found):
        start = group.phenomenon_start
        inside = (start >= question.start) & (start < question.end)
        for part, name in zip(parts, names, strict=False):
            part.append(getattr(group, name)[inside])
    whole = _Raw(*(np.concatenate(part) for part in parts))
    if not len(loose.start):  # chunks come in order already
        return whole
    return whole.take(np.lexsort((whole.id, whole.start, whole.stream)))


def _answer(
    question: _Question, found: Directory, hours: Hours, counts: Int64, raw: _Raw
) -> dict[int, Buckets]:
    """Buckets from hours where a datastream has any, else from its readings."""
    width, zone = question.width, question.zone
    rolled = found.stats.datastream
    if not len(rolled):
        return bucket_each(raw.stream, raw.start, raw.result, width, zone, question.quantiles)
    mixed = np.isin(raw.stream, rolled)
    alone, beside = raw.take(~mixed), _hours_beside(raw.take(mixed), found)
    answer = bucket_each(alone.stream, alone.start, alone.result, width, zone, question.quantiles)
    stream = np.r_[np.repeat(rolled, counts), beside.stream]
    turn = np.r_[np.repeat(np.arange(1, 2 * len(found), 2), counts), beside.turn]
    whole = joined([hours, beside.hours])
    inside = np.flatnonzero((whole.start >= question.start) & (whole.start < question.end))
    order = inside[np.lexsort((turn[inside], whole.start[inside], stream[inside]))]
    answer |= from_hours_each(stream[order], whole[order], width, zone)
    return dict(sorted(answer.items()))


@dataclass(frozen=True, slots=True)
class _Beside:
    """Readings that lie before, between or after chunks of which there are hours, by hour, too."""

    stream: Int64
    turn: Int64  # twice the number of chunks (of all datastreams) before them
    hours: Hours


def _hours_beside(raw: _Raw, found: Directory) -> _Beside:
    """Readings by hour, apart where a chunk lies between them, so that first and last come right.

    Where all chunks of a datastream were thinned, hours need not be enough, so its readings keep
    their own times.
    """
    turn, hour = np.empty_like(raw.start), raw.start // HOUR * HOUR
    for begin, end in pairwise([*changes(raw.stream).tolist(), len(raw.stream)]):
        mine = slice(
            *np.searchsorted(found.stats.datastream, [raw.stream[begin], raw.stream[begin] + 1])
        )
        after = np.searchsorted(found.stats.t0[mine], raw.start[begin:end], "right")
        turn[begin:end] = 2 * (mine.start + after)
        if not found.stats.n[mine].any():
            hour[begin:end] = raw.start[begin:end]
    edges = changes(raw.stream, turn, hour)
    return _Beside(raw.stream[edges], turn[edges], hours_at(edges, hour, raw.result))
