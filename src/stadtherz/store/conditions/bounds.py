"""What statistics say of a value computed from the readings of a chunk: from where to where.

Interval arithmetic over all chunks at once. Plain readings only, so a result is a finite number
and what a plain reading never has (parameters, quality, valid time) is null for certain.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stadtherz.base.expressions import Call, Column, Expression, Kind, Literal, Lookup
from stadtherz.base.time import DAY, EARLIEST, LATEST
from stadtherz.sql.public import kind_of, rank
from stadtherz.store.conditions.arrays import needed, values_of
from stadtherz.store.values import NONE, Int64


@dataclass(frozen=True, slots=True)
class Stats:
    """Statistics of chunks, an entry for each; NONE where no reading has the value."""

    datastream: Int64
    t0: Int64  # first phenomenon start
    t1: Int64  # last phenomenon start
    last: Int64  # greatest end, or start where there is no end
    n: Int64
    id_min: Int64
    id_max: Int64
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    result_first: Int64
    result_last: Int64
    result_nulls: Int64  # readings without result time
    feature_min: Int64
    feature_max: Int64

    def __len__(self) -> int:
        return len(self.datastream)


_ORDERED = (Kind.NUMBER, Kind.TIME, Kind.DURATION, Kind.BOOLEAN)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Values lie between `low` and `high`, both included; arrays, or one value for all chunks.

    `some`: a reading may have a value. `null`: a reading may have none.
    """

    low: Any
    high: Any
    some: Any = np.True_
    null: Any = np.False_


UNKNOWN = Bounds(-np.inf, np.inf, null=np.True_)
NULL = Bounds(0, 0, some=np.False_, null=np.True_)


@dataclass(frozen=True, slots=True)
class Streams:
    """The chunks' datastreams as if each were a reading, for what depends on nothing else."""

    datastream: Any

    def __len__(self) -> int:
        return len(self.datastream)


_ONE = np.zeros(1, np.int64)


def is_of_stream(expression: Expression) -> bool:
    """Whether all readings of a datastream have the same value."""
    return needed(expression) <= {"datastream"}


def bounds_of(expression: Expression, stats: Stats) -> Bounds:
    """The bounds of a number, time, duration or truth; JSON as the numbers in it."""
    match expression:
        case Literal(None, _):
            return NULL
        case Column():
            return _of_column(expression, stats)
        case Call() | Literal() | Lookup() if is_of_stream(expression):
            return _of_stream(expression, stats)
        case Call():
            return _of_call(expression, stats)
        case _:
            return UNKNOWN


def _of_column(column: Column, stats: Stats) -> Bounds:
    match column.name:
        case "datastream":
            return Bounds(stats.datastream, stats.datastream)
        case "id":
            return Bounds(stats.id_min, stats.id_max)
        case "phenomenon_start":
            return Bounds(stats.t0, stats.t1)
        case "phenomenon_end":  # never before the start
            return Bounds(stats.t0, stats.last, null=np.True_)
        case "result_time":
            there, lacking = stats.result_first != NONE, stats.result_nulls > 0
            return Bounds(stats.result_first, stats.result_last, there, lacking)
        case "feature":
            there = stats.feature_min != NONE
            return Bounds(stats.feature_min, stats.feature_max, there, np.True_)
        case "result" if not column.path:
            return Bounds(stats.low, stats.high)
        case _:
            return NULL


def _of_stream(expression: Expression, stats: Stats) -> Bounds:
    kind = kind_of(expression)
    if kind is Kind.JSON:
        expression, kind = Call("json_number", (expression,), Kind.NUMBER), Kind.NUMBER
    if kind not in _ORDERED:
        return UNKNOWN
    if not needed(expression):  # a constant: one value does for all chunks
        one, none = values_of(expression, Streams(_ONE))
        return Bounds(one[0], one[0], ~none[0], none[0])
    values, null = values_of(expression, Streams(stats.datastream))
    return Bounds(values, values, ~null, null)


def ranks_of(document: Expression, stats: Stats) -> Any:
    """The JSON type of all readings' documents, as a number; -1 where it is not known."""
    if isinstance(document, Column):
        return np.int64(2 if document.name == "result" and not document.path else 0)
    if isinstance(document, Lookup) and is_of_stream(document):
        values, null = values_of(document, Streams(stats.datastream))
        pairs = zip(values.tolist(), null.tolist(), strict=True)
        return np.array([0 if n else rank(v) for v, n in pairs], np.int64)
    return np.int64(-1)


# --- functions -----------------------------------------------------------------------------------


def _of_call(call: Call, stats: Stats) -> Bounds:
    match call.name:
        case "json_rank":
            ranks = ranks_of(call.arguments[0], stats)
            return Bounds(np.where(ranks < 0, 0, ranks), np.where(ranks < 0, 4, ranks))
        case "json_number":
            return bounds_of(call.arguments[0], stats)
        case "json_text" | "json_boolean" if isinstance(call.arguments[0], Column):
            return NULL  # a plain result is a number, and there are no other documents
        case _ if call.name in _CORNERS:
            return _computed(call, [bounds_of(argument, stats) for argument in call.arguments])
        case _:
            return UNKNOWN


Corners = Callable[..., list[Any]]


def _rising(function: Callable[[Any], Any]) -> Corners:
    return lambda a: [function(a.low), function(a.high)]


def _year(us: Any) -> Any:
    return np.asarray(us).astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970


_CORNERS: dict[str, Corners] = {
    "add": lambda a, b: [a.low + b.low, a.high + b.high],
    "sub": lambda a, b: [a.low - b.high, a.high - b.low],
    "mul": lambda a, b: [x * y for x in (a.low, a.high) for y in (b.low, b.high)],
    "neg": lambda a: [-a.low, -a.high],
    "floor": _rising(np.floor),
    "ceiling": _rising(np.ceil),
    "round": _rising(lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x)),
    "date": _rising(lambda us: us - us % DAY),
    "year": _rising(_year),
}
_OF_TIMES = ("date", "year")


def _computed(call: Call, arguments: Sequence[Bounds]) -> Bounds:
    """From the corners of the arguments' bounds to those of the result."""
    kinds = {kind_of(argument) for argument in call.arguments}
    timely = bool(kinds & {Kind.TIME, Kind.DURATION})
    if call.name in _OF_TIMES and not all(_whole(bounds) for bounds in arguments):
        return UNKNOWN
    if not timely:
        arguments = [_as_doubles(bounds) for bounds in arguments]
    corners = _CORNERS[call.name](*arguments)
    low, high = np.minimum.reduce(corners), np.maximum.reduce(corners)
    some, null = np.True_, np.False_
    for bounds in arguments:
        some, null = some & bounds.some, null | bounds.null
    if timely:  # a time beyond the calendar, a duration beyond measure
        null = null | (low < EARLIEST) | (high > LATEST)
        return Bounds(low, high, some, null)
    known = np.isfinite(low) & np.isfinite(high)
    return Bounds(np.where(known, low, -np.inf), np.where(known, high, np.inf), some, null | ~known)


def _whole(bounds: Bounds) -> bool:
    return all(np.asarray(bound).dtype.kind == "i" for bound in (bounds.low, bounds.high))


def _as_doubles(bounds: Bounds) -> Bounds:
    low, high = (np.asarray(bound, np.float64) for bound in (bounds.low, bounds.high))
    return Bounds(low, high, bounds.some, bounds.null)
