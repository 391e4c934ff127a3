"""Readings as plain numbers over time, for those who judge or draw them."""

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat

from stadtherz.base.expressions import And, Column, Compare, Expression, Kind, Literal, Order
from stadtherz.base.time import Micros
from stadtherz.store.public import Columns, Selection, select

Pair = tuple[Micros, float]

_TIME = Column("phenomenon_start", Kind.TIME)


def numbers(columns: Columns, *, doubtful: bool = True) -> Iterator[tuple[int, Micros, int, float]]:
    """(datastream, time, id, value) of every reading that is a finite number; `doubtful` ones only if wanted."""
    for stream, at, key, value, quality in zip(
        columns.datastream.tolist(),
        columns.phenomenon_start.tolist(),
        columns.id.tolist(),
        columns.result.tolist(),
        columns.result_quality or repeat(None, len(columns)),
        strict=True,
    ):
        if not doubtful and is_doubtful(quality):
            continue
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield stream, at, key, float(value)


def is_doubtful(told: object) -> bool:
    """Whether a `resultQuality` says that the value itself failed a check.

    A device whose clock is wrong may measure well: the network's time counts instead of its own.
    """
    if not isinstance(told, Mapping) or told.get("pass") is not False:
        return False
    flags = told.get("flags")
    return not (isinstance(flags, list) and flags and set(map(str, flags)) == {"clock"})


def since(
    streams: Iterable[int], start: Micros, end: Micros | None = None, *, doubtful: bool = True
) -> dict[int, list[Pair]]:
    """The readings of each datastream from `start` to `end` (included), in order of time."""
    wanted = frozenset(streams)
    if not wanted:
        return {}
    found: dict[int, list[Pair]] = {}
    chosen = Selection(streams=wanted, where=_between(start, end), order=(Order(_TIME),))
    for stream, at, _key, value in numbers(select(chosen), doubtful=doubtful):
        found.setdefault(stream, []).append((at, value))
    return found


def with_doubts(stream: int, start: Micros, end: Micros) -> tuple[list[Pair], dict[Micros, object]]:
    """As `since` of one datastream, and the `resultQuality` of the readings that have one, by their time."""
    chosen = Selection(
        streams=frozenset({stream}), where=_between(start, end), order=(Order(_TIME),)
    )
    columns = select(chosen)
    pairs = [(at, value) for _stream, at, _key, value in numbers(columns)]
    told = zip(columns.phenomenon_start.tolist(), columns.result_quality or (), strict=False)
    return pairs, {at: quality for at, quality in told if quality is not None}


def _between(start: Micros, end: Micros | None) -> Expression:
    first = Compare("ge", _TIME, Literal(start, Kind.TIME))
    if end is None:
        return first
    return And((first, Compare("le", _TIME, Literal(end, Kind.TIME))))
