"""Readings out: one question put to the sealed chunks, the tail and the row table together.

The statistics say which chunks can hold an answer and which hold nothing else; only those in
between are decoded. Where the order's first term has bounds in the statistics, chunks are read
from the best one on until no other can hold anything better.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import numpy as np

from stadtherz.base.expressions import TRUE, And, Column, Kind, Order
from stadtherz.base.time import Period
from stadtherz.sql.public import beyond
from stadtherz.store.conditions.array_values import Mask
from stadtherz.store.conditions.arrays import Condition, condition, ordering
from stadtherz.store.conditions.sieve import members_of, sieve
from stadtherz.store.database import ID_RANGE
from stadtherz.store.readings import rows
from stadtherz.store.readings.view import View, ascending, reading, streams_with_readings
from stadtherz.store.sealed.batch import Readings, stream_of
from stadtherz.store.sealed.chunk import Chunk
from stadtherz.store.sealed.chunks import Directory, Group, chunks_of, groups_of
from stadtherz.store.sealed.columns import (
    EMPTY,
    from_chunk,
    from_readings,
    numbers_only,
    taken,
    together,
)
from stadtherz.store.values import NONE, Columns, Extent, Int64, Selection, Spans

_ID = Column("id", Kind.NUMBER)
_TIME = Column("phenomenon_start", Kind.TIME)
_STEP = 4_096  # readings of chunks looked at before asking whether that was enough, at first
_LARGEST_STEP = 131_072
_SLACK = 4  # times the readings wanted, before the rest is thrown away

# The statistics' lower and upper bounds of what an order may begin with.
_BOUNDS = {
    "id": ("id_min", "id_max"),
    "datastream": ("datastream", "datastream"),
    "phenomenon_start": ("t0", "t1"),
    "result": ("low", "high"),
}


def total_order(order: Sequence[Order]) -> tuple[Order, ...]:
    """The order made total by the id, which follows the direction of the term before it."""
    descending = order[-1].descending if order else False
    return (*order, Order(_ID, descending))


# --- selections ----------------------------------------------------------------------------------


def select(selection: Selection) -> Columns:
    """The readings that the selection describes, in its order.

    Raises Invalid where the condition names a column that is none or compares what cannot be.
    """
    order = total_order(selection.order)
    skip, limit = _within(selection.skip), selection.limit
    most = None if limit is None else min(skip + _within(limit), ID_RANGE.stop - 1)
    selection = narrowed(selection)
    with reading(sealed=True) as known:
        best = _Best(order, most)
        if known.has_rows(selection.streams):
            best.add(rows.select(selection, order, most))
        fulfils = condition(selection.where)
        for part in _unsealed(known, selection):
            best.add(_fulfilling(part, selection, fulfils, best))
        _read_chunks(known, selection, fulfils, best)
    return numbers_only(taken(best.sorted(), slice(skip, most)))


def _within(number: int) -> int:
    """The number, or the nearest one the engines can count to."""
    return max(0, min(int(number), ID_RANGE.stop - 1))


def narrowed(selection: Selection) -> Selection:
    """The selection with the datastreams that its condition leaves."""
    named = members_of(selection.where, "datastream")
    if named is None:
        return selection
    streams = named if selection.streams is None else selection.streams & named
    return replace(selection, streams=streams)


def _candidates(known: View, selection: Selection) -> tuple[Directory, Any]:
    """Chunks in which a reading may fulfil the condition, and whether all of theirs do."""
    streams = None if selection.streams is None else ascending(selection.streams)
    found = known.look_at_chunks().of(streams).with_readings()
    if selection.where == TRUE:
        return found, np.ones(len(found), bool)
    possible, certain = sieve(selection.where, found.stats)
    return found.take(possible), certain[possible]


def _unsealed(known: View, selection: Selection) -> Iterator[Readings]:
    """Plain readings of the tail in parts, each by (datastream, phenomenon start, id)."""
    streams = None if selection.streams is None else ascending(selection.streams)
    for segment in known.tail.settle():
        found = segment.plain(streams)
        if len(found):
            yield found


def _fulfilling(
    readings: Readings, selection: Selection, fulfils: Condition, best: "_Best"
) -> Columns:
    """Those of the tail's readings that may be wanted, as columns."""
    if selection.where == TRUE:
        one = selection.streams is not None and len(selection.streams) == 1
        found = best.in_time(readings["phenomenon_start"]) if one else slice(None)
        return from_readings(readings[found])
    columns = from_readings(readings)
    return taken(columns, fulfils(columns)) if len(columns) else columns


def _read_chunks(known: View, selection: Selection, fulfils: Condition, best: "_Best") -> None:
    found, certain = _candidates(known, selection)
    ranks = best.rank(found)
    order = np.argsort(ranks, kind="stable")
    sizes = np.cumsum(found.stats.n[order])
    done, step = 0, _STEP
    while done < len(found) and not best.beats(ranks[order[done]]):
        wanted = max(1 if certain[order[done]] else step, best.missing())
        before = int(sizes[done - 1]) if done else 0
        reach = int(np.searchsorted(sizes, before + wanted)) + 1
        part = order[done:reach]
        answers = _answers(found.take(part), certain[part], fulfils)
        for place, (chunk, which) in zip(part.tolist(), answers, strict=True):
            if best.beats(ranks[place]):
                return
            best.add(chunk if which is None else from_chunk(chunk, which))
        done, step = reach, min(2 * step, _LARGEST_STEP)


def _answers(
    found: Directory, certain: Mask, fulfils: Condition
) -> Iterator[tuple[Chunk, Mask | None]]:
    """Each chunk and which of its readings fulfil the condition, None where all do."""
    begin = 0
    for group in groups_of(found):
        whole = certain[begin : begin + len(group.chunks)]
        begin += len(group.chunks)
        open_ones = Group([c for c, all_do in zip(group.chunks, whole, strict=True) if not all_do])
        mask = fulfils(open_ones) if len(open_ones) else np.empty(0, bool)
        edges = pairwise(open_ones.edges)
        for chunk, all_do in zip(group.chunks, whole.tolist(), strict=True):
            yield chunk, None if all_do else mask[slice(*next(edges))]


class _Best:
    """The first so many readings in an order, out of parts that come in any."""

    def __init__(self, order: Sequence[Order], most: int | None) -> None:
        self._places = ordering(order)
        self._most = most
        self._parts: list[Columns] = []  # each in the order, unless all readings are wanted
        self._held = 0
        self._in_order = True  # all of them, one part after the other
        by = order[0].by
        self._name = by.name if isinstance(by, Column) and not by.path else ""
        self._bounds = _BOUNDS.get(self._name)
        self._descending = order[0].descending
        self._time_first = by == _TIME
        self._by_time = tuple(order) == total_order([Order(_TIME, self._descending)])

    def add(self, readings: Columns | Chunk) -> None:
        """Take the best of these readings."""
        if not len(readings):
            return
        part = self._of_chunk(readings) if isinstance(readings, Chunk) else self._best_of(readings)
        self._in_order = not self._parts or (self._in_order and self._follows(part))
        self._parts.append(part)
        self._held += len(part)
        if self._most is not None and self._held > max(_SLACK * self._most, _STEP):
            self._cut()

    def _best_of(self, part: Columns) -> Columns:
        return taken(part, self._places(part)[: self._most])

    def _of_chunk(self, chunk: Chunk) -> Columns:
        if self._most is None:
            return from_chunk(chunk, slice(None))
        if not self._time_first:
            return from_chunk(chunk, self._places(chunk)[: self._most])
        found = self.in_time(chunk.phenomenon_start)
        if not self._by_time:
            return self._best_of(from_chunk(chunk, found))
        return from_chunk(chunk, _backwards(found) if self._descending else found)

    def in_time(self, starts: Int64) -> slice:
        """Where the best readings of a datastream lie, which come by time; all where that is unknown.

        However the order goes on behind the time, they are among these.
        """
        size = len(starts)
        if self._most is None or not self._time_first or self._most >= size:
            return slice(0, size)
        if self._descending:
            begin = size - self._most
            tied = 0 < begin < size and starts[begin - 1] == starts[begin]
            return slice(int(np.searchsorted(starts, starts[begin])) if tied else begin, size)
        end = self._most
        tied = end > 0 and starts[end] == starts[end - 1]
        return slice(0, int(np.searchsorted(starts, starts[end], "right")) if tied else end)

    def _follows(self, part: Columns) -> bool:
        """Whether the part begins beyond the end of the last one, as chunks of a datastream do."""
        if self._bounds is None or self._most is None:
            return False
        before, after = (getattr(each, self._name) for each in (self._parts[-1], part))
        if object in (before.dtype, after.dtype):
            return False
        return bool(after[0] < before[-1] if self._descending else after[0] > before[-1])

    def _cut(self) -> None:
        if len(self._parts) > 1:
            self._parts = [taken(self.sorted(), slice(0, self._most))]
            self._held, self._in_order = len(self._parts[0]), True

    def sorted(self) -> Columns:
        columns = self._parts[0] if len(self._parts) == 1 else together(self._parts)
        if not len(columns) or (self._in_order and self._most is not None):
            return columns
        return taken(columns, self._places(columns))

    def rank(self, found: Directory) -> Any:
        """For each chunk the best its readings can be; the less, the better."""
        if self._bounds is None:
            return np.zeros(len(found))
        low, high = self._bounds
        return -getattr(found.stats, high) if self._descending else getattr(found.stats, low)

    def missing(self) -> int:
        """How many more readings are wanted at least."""
        return ID_RANGE.stop if self._most is None else max(self._most - self._held, 0)

    def beats(self, rank: float) -> bool:
        """Whether enough is held that is better than anything of this rank."""
        if self._most is None or self._bounds is None or self._held < self._most:
            return False
        if self._most == 0:
            return True
        self._cut()
        worst = self._rank_of(self._parts[0])
        return worst is not None and bool(worst < rank)

    def _rank_of(self, held: Columns) -> float | None:
        """The rank of the last reading, or None if it has none of the chunks' kind."""
        value = getattr(held, self._name)[-1]
        if isinstance(value, bool | str | dict | list) or value is None:
            return None
        return float(-value if self._descending else value)


def _backwards(found: slice) -> slice:
    """From the last to the first of these places."""
    return slice(found.stop - 1, found.start - 1 if found.start else None, -1)


def count(selection: Selection) -> int:
    """How many readings fulfil the selection's condition, whatever its limit and skip."""
    selection = narrowed(selection)
    with reading(sealed=True) as known:
        fulfils = condition(selection.where)
        number = sum(_number(part, selection, fulfils) for part in _unsealed(known, selection))
        number += rows.count(selection) if known.has_rows(selection.streams) else 0
        found, certain = _candidates(known, selection)
        number += int(found.stats.n[certain].sum())
        for group in groups_of(found.take(~certain)):
            number += int(np.count_nonzero(fulfils(group)))
    return number


def _number(readings: Readings, selection: Selection, fulfils: Condition) -> int:
    if selection.where == TRUE or not len(readings):
        return len(readings)
    return int(np.count_nonzero(fulfils(from_readings(readings))))


def counts_by_feature(streams: frozenset[int] | None) -> dict[int, int]:
    """How many readings of these datastreams, None for all, each feature of interest has."""
    found: Counter[int] = Counter()
    selection = Selection(streams)
    with reading(sealed=True) as known:
        for part in _unsealed(known, selection):
            found.update(_numbers_of(part["feature"]))
        if known.has_rows(streams):
            found.update(rows.counts_by_feature(streams))
        chunks, _ = _candidates(known, selection)
        stats = chunks.stats
        single = stats.feature_min == stats.feature_max
        for feature, number in zip(
            stats.feature_min[single].tolist(), stats.n[single].tolist(), strict=True
        ):
            found[feature] += number
        for chunk in chunks_of(chunks.take(~single)):
            found.update(_numbers_of(chunk.feature))
    return {feature: number for feature, number in found.items() if feature != NONE}


def _numbers_of(values: Int64) -> dict[int, int]:
    different, numbers = np.unique(values, return_counts=True)
    return dict(zip(different.tolist(), numbers.tolist(), strict=True))


def scan(selection: Selection, *, size: int = 50_000) -> Iterator[Columns]:
    """All readings of the selection by (datastream, phenomenon start, id), in parts.

    Memory is that of one datastream's month, however long the answer. Order, limit and skip of
    the selection do not count. Each part is read on its own: what is stored meanwhile may appear.
    """
    selection = narrowed(selection)
    streams = selection.streams
    for stream in sorted(streams_with_readings() if streams is None else streams):
        yield from _scan_stream(replace(selection, streams=frozenset({stream})), size)


def _scan_stream(selection: Selection, size: int) -> Iterator[Columns]:
    order = total_order((Order(_TIME),))
    where = selection.where
    while True:
        part = select(replace(selection, where=where, order=order[:1], limit=size, skip=0))
        if len(part):
            yield part
        if len(part) < size:
            return
        values = (int(part.phenomenon_start[-1]), int(part.id[-1]))
        where = And((selection.where, beyond(order, values)))


# --- by id, newest, extents ----------------------------------------------------------------------


def by_id(ids: Iterable[int]) -> Columns:
    """The readings with these ids, ordered by id; those that do not exist are left out."""
    wanted = np.unique(np.array([key for key in ids if key in ID_RANGE], np.int64))
    if not len(wanted):
        return EMPTY
    with reading(sealed=True) as known:
        parts = [rows.with_ids(wanted.tolist())]  # also those moved into another datastream
        readings = known.unsealed(np.unique(stream_of(wanted)).tolist())
        parts.append(from_readings(readings[np.isin(readings["id"], wanted)]))
        parts += [
            from_chunk(c, places) for _, c, places in sealed_with(known.look_at_chunks(), wanted)
        ]
    found = together(parts)
    return numbers_only(taken(found, np.argsort(found.id)))


def sealed_with(chunks: Directory, ids: Int64) -> list[tuple[int, Chunk, Int64]]:
    """The chunks (key and readings) that hold these ids (ascending), and their places in them."""
    found = chunks.of(np.unique(stream_of(ids))).with_readings()
    next_id = np.searchsorted(ids, found.stats.id_min)
    inside = (next_id < len(ids)) & (ids[np.minimum(next_id, len(ids) - 1)] <= found.stats.id_max)
    found = found.take(inside)
    hits = []
    for key, chunk in zip(found.key.tolist(), chunks_of(found), strict=True):
        places = np.flatnonzero(np.isin(chunk.id, ids))
        if len(places):
            hits.append((key, chunk, places))
    return hits


def sealed_at(known: View, stream: int, start: int) -> Columns:
    """Sealed plain readings of a datastream for one instant."""
    found = known.look_at_chunks().of(np.array([stream], np.int64)).with_readings()
    inside = (found.stats.t0 <= start) & (start <= found.stats.t1)
    parts = [from_chunk(c, c.phenomenon_start == start) for c in chunks_of(found.take(inside))]
    return together(parts)


def latest(streams: Iterable[int]) -> Columns:
    """The newest reading, by phenomenon time, of each datastream that has any."""
    wanted = _valid(streams)
    with reading() as known:
        found = known.summaries(wanted)
        found = found[found["newest"] != NONE]
        plain = ~np.isnan(found["newest_number"])
        others = found["newest"][~plain]
        rest = rows.with_ids(others.tolist()) if len(others) else EMPTY
    columns = _newest(found[plain])
    if not len(rest):
        return columns
    both = together([columns, rest])
    return numbers_only(taken(both, np.argsort(both.datastream)))


def _newest(found: Any) -> Columns:
    none = np.full(len(found), NONE, np.int64)
    return Columns(
        id=found["newest"].copy(),
        datastream=found["datastream"].copy(),
        phenomenon_start=found["newest_start"].copy(),
        phenomenon_end=found["newest_end"].copy(),
        result_time=found["newest_result_time"].copy(),
        result=found["newest_number"].copy(),
        feature=found["newest_feature"].copy(),
        valid_start=none,
        valid_end=none,
    )


def spans(streams: Iterable[int]) -> Spans:
    """First and last instants and the count of each of these datastreams."""
    with reading() as known:
        found = known.summaries(_valid(streams))
    return Spans(**{f.name: np.ascontiguousarray(found[f.name]) for f in fields(Spans)})


def extents(streams: Iterable[int]) -> dict[int, Extent]:
    """First and last instants and the count of each datastream that has readings."""
    found = spans(streams)
    columns = (getattr(found, f.name)[found.count > 0].tolist() for f in fields(Spans))
    return {row[0]: _extent(*row[1:]) for row in zip(*columns, strict=True)}


def _extent(number: int, first: int, last: int, result_first: int, result_last: int) -> Extent:
    times = None if result_first == NONE else Period(result_first, result_last)
    return Extent(number, Period(first, last), times)


def _valid(streams: Iterable[int]) -> Int64:
    return ascending(stream for stream in streams if stream in ID_RANGE)
