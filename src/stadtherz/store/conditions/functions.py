"""The functions of filters over whole columns.

Those of numbers and times are numpy's work; all others call the very functions that SQLite calls,
once for each different combination of arguments. What has no answer is null, as there.
"""

import operator
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from stadtherz.base.expressions import Kind
from stadtherz.base.time import DAY, EARLIEST, HOUR, LATEST, MINUTE, SECOND
from stadtherz.sql.public import IMPLEMENTATIONS, LONGEST
from stadtherz.store.conditions.array_values import Vector, listed, null_of

Answer = tuple[Any, Any]  # values, and where there are none


def called(name: str, arguments: Sequence[Vector], gives: Kind, size: int) -> Vector:
    """The function's values for `size` readings; null where an argument is."""
    null = np.logical_or.reduce(
        np.broadcast_arrays(np.False_, *(argument.null for argument in arguments))
    )
    if null.all():
        return null_of(gives)
    values = [argument.values for argument in arguments]
    if name in _FAST:
        answer, none = _FAST[name](*values)
        return Vector(answer, null | none)
    if not any(np.ndim(value) for value in (*values, null)):
        return listed([IMPLEMENTATIONS[name](*_python(values))], gives).at(0)
    return _each(name, arguments, null, gives, size)


def _python(values: Sequence[Any]) -> list[Any]:
    return [value.item() if isinstance(value, np.generic) else value for value in values]


def _each(name: str, vectors: Sequence[Vector], null: Any, gives: Kind, size: int) -> Vector:
    """One call after the other; readings repeat themselves, so most calls were made before."""
    function = lru_cache(None)(IMPLEMENTATIONS[name])
    there = np.flatnonzero(~np.broadcast_to(null, size))
    spread = [vector.over(size)[0][there].tolist() for vector in vectors]
    answers: list[Any] = [None] * size
    for place, arguments in zip(there.tolist(), zip(*spread, strict=True), strict=True):
        answers[place] = function(*arguments)
    return listed(answers, gives)


# --- numbers -------------------------------------------------------------------------------------


def _number(values: Any) -> Answer:
    return values, np.isnan(values)


def _finite(values: Any) -> Answer:
    return values, ~np.isfinite(values)


def _mod(dividend: Any, divisor: Any) -> Answer:
    quotient = np.divide(dividend, divisor)
    values = dividend - divisor * np.trunc(quotient)
    return values, ~np.isfinite(quotient) | np.isnan(values)


def _divided(dividend: Any, divisor: Any) -> Answer:
    values = np.divide(dividend, divisor)
    return values, np.equal(divisor, 0) | np.isnan(values)


def _rounded(values: Any) -> Answer:
    """Half away from zero (OData 4.0 part 2 §5.1.1.9.1), unlike numpy."""
    return _finite(np.copysign(np.floor(np.abs(values) + 0.5), values))


# --- times ---------------------------------------------------------------------------------------


def _within(low: int, high: int, function: Callable[..., Any]) -> Callable[..., Answer]:
    def bounded(*arguments: Any) -> Answer:
        values = function(*map(np.asarray, arguments))
        return values, (values < low) | (values > high)

    return bounded


def _clock(function: Callable[[Any], Any]) -> Callable[[Any], Answer]:
    return lambda us: (function(np.asarray(us)), np.False_)


def _calendar(unit: str, within: str | None, first: int) -> Callable[[Any], Answer]:
    """Which year, month of the year or day of the month (UTC); datetime knows 9999 years."""

    def part(us: Any) -> Answer:
        moments = np.asarray(us).astype("datetime64[us]")
        units = moments.astype(f"datetime64[{unit}]")
        values = units.astype(np.int64)
        if within is not None:
            values = values - units.astype(f"datetime64[{within}]").astype(units.dtype).astype(
                np.int64
            )
        return values + first, np.less(us, EARLIEST) | np.greater(us, LATEST)

    return part


_FAST: dict[str, Callable[..., Answer]] = {
    "add": lambda a, b: _number(np.add(a, b)),
    "sub": lambda a, b: _number(np.subtract(a, b)),
    "mul": lambda a, b: _number(np.multiply(a, b)),
    "neg": lambda a: _number(np.negative(a)),
    "div": _divided,
    "mod": _mod,
    "round": _rounded,
    "floor": lambda a: _finite(np.floor(a)),
    "ceiling": lambda a: _finite(np.ceil(a)),
    "time_add": _within(EARLIEST, LATEST, operator.add),
    "time_sub": _within(EARLIEST, LATEST, operator.sub),
    "duration_add": _within(-LONGEST, LONGEST, operator.add),
    "duration_sub": _within(-LONGEST, LONGEST, operator.sub),
    "year": _calendar("Y", None, 1970),
    "month": _calendar("M", "Y", 1),
    "day": _calendar("D", "M", 1),
    "hour": _clock(lambda us: us // HOUR % 24),
    "minute": _clock(lambda us: us // MINUTE % 60),
    "second": _clock(lambda us: us // SECOND % 60),
    "fractionalseconds": _clock(lambda us: us % SECOND / SECOND),
    "date": _clock(lambda us: us - us % DAY),
    "time": _clock(lambda us: us % DAY),
    "totaloffsetminutes": lambda us: (0, np.False_),
}
