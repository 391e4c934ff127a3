"""Readings as plain numbers over time, for those who judge or draw them."""

import math
from collections.abc import Iterable, Iterator

from stadtherz.base.expressions import And, Column, Compare, Expression, Kind, Literal, Order
from stadtherz.base.time import Micros
from stadtherz.store.public import Columns, Selection, select

Pair = tuple[Micros, float]

_TIME = Column("phenomenon_start", Kind.TIME)


def numbers(columns: Columns) -> Iterator[tuple[int, Micros, int, float]]:
    """(datastream, time, id, value) of every reading that is a finite number."""
    for stream, at, key, value in zip(
        columns.datastream.tolist(),
        columns.phenomenon_start.tolist(),
        columns.id.tolist(),
        columns.result.tolist(),
        strict=True,
    ):
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield stream, at, key, float(value)


def since(
    streams: Iterable[int], start: Micros, end: Micros | None = None
) -> dict[int, list[Pair]]:
    """The readings of each datastream from `start` to `end` (included), in order of time."""
    wanted = frozenset(streams)
    if not wanted:
        return {}
    found: dict[int, list[Pair]] = {}
    chosen = Selection(streams=wanted, where=_between(start, end), order=(Order(_TIME),))
    for stream, at, _key, value in numbers(select(chosen)):
        found.setdefault(stream, []).append((at, value))
    return found


def doubts(stream: int, start: Micros, end: Micros) -> dict[Micros, object]:
    """The `resultQuality` of the readings that have one, by their time."""
    columns = select(Selection(streams=frozenset({stream}), where=_between(start, end)))
    if columns.result_quality is None:
        return {}
    found = zip(columns.phenomenon_start.tolist(), columns.result_quality, strict=True)
    return {at: quality for at, quality in found if quality is not None}


def _between(start: Micros, end: Micros | None) -> Expression:
    first = Compare("ge", _TIME, Literal(start, Kind.TIME))
    if end is None:
        return first
    return And((first, Compare("le", _TIME, Literal(end, Kind.TIME))))
