"""Limits that a year of hourly figures proposes: pure, from numbers to numbers a clerk can choose from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
import numpy.typing as npt

from stadtherz.base.time import HOUR, MINUTE, Micros

Floats = npt.NDArray[np.float64]

_FEWEST = 48  # hours; from fewer nothing can be said about how often
_OFTEN = (12, 4, 1)  # how many times a year a clerk may want to be told
_GRID = 60  # limits that are looked at
_SMALLEST = 1e-6
_ROUND_MINUTES = (5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A round limit, and how often the year's figures came to it."""

    limit: float
    times: int


def proposals(figures: Floats, *, below: bool = False) -> list[Proposal]:
    """At most three, that which rings most often first; none where too little is known.

    >>> proposals(np.tile([10.0] * 11 + [24.0], 8))
    [Proposal(limit=17.5, times=8)]
    """
    sign = -1.0 if below else 1.0
    known = sign * figures[~np.isnan(figures)]
    if len(known) < _FEWEST:
        return []
    back = buffer(known)
    counted = ((limit, reached(known, limit, back)) for limit in _limits(known, back))
    levels = [(times, list(same)) for times, same in groupby(counted, lambda each: each[1])]
    found: list[Proposal] = []
    for often in _OFTEN:
        for times, same in levels:
            if 0 < times <= often:
                # Of all limits that ring as often, one that the smallest change does not upset.
                found.append(Proposal(same[len(same) // 2][0], times))
                break
    found = list(dict.fromkeys(found))
    return [Proposal(sign * each.limit, each.times) for each in found]


def reached(figures: Floats, limit: float, back: float) -> int:
    """How often they came up to the limit, each time after they had gone below it by more than `back`.

    >>> reached(np.array([1.0, 5.0, 4.9, 5.0, 1.0, 5.0]), 5.0, 1.0)
    2
    """
    above, over = figures >= limit, figures < limit - back
    decided = np.flatnonzero(above | over)
    state = above[decided]
    return int(np.count_nonzero(state[1:] & ~state[:-1])) + int(state[:1].sum())


def buffer(figures: Floats) -> float:
    """A round distance well beyond what the figures waver by from one hour to the next; 0 if unknown.

    >>> buffer(np.array([10.0, 10.4, 10.0, 10.3, 10.1]))
    2.0
    """
    moves = np.abs(np.diff(figures[~np.isnan(figures)]))
    return _rounded_up(3 * float(np.median(moves))) if len(moves) else 0.0


def silence(hours: Sequence[Micros], counts: Sequence[int]) -> int | None:
    """Minutes without a reading that are worth a message: three times the usual, as a round number.

    `hours` are the first instants of hours that hold readings, `counts` how many.

    >>> silence([0, HOUR, 2 * HOUR], [4, 4, 4])
    60
    """
    if len(hours) < 2:
        return None
    apart = float(np.median([later - earlier for earlier, later in pairwise(hours)]))
    usual = apart / float(np.median(counts)) if apart <= HOUR else apart
    wanted = 3 * usual / MINUTE
    return next((each for each in _ROUND_MINUTES if each >= wanted), math.ceil(wanted))


def _limits(figures: Floats, back: float) -> list[float]:
    """Round numbers up to the top, ascending, each of which is over for at least half of the time."""
    over, top = float(np.median(figures)) + back, float(figures.max())
    if top <= over:
        return []
    step = _rounded_up((top - over) / _GRID)
    if step < _SMALLEST:
        return []
    first = math.floor(over / step) + 1
    return [round(place * step, 6) for place in range(first, math.floor(top / step) + 1)]


def _rounded_up(number: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    if number <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(number))
    return round(next(each * power for each in (1, 2, 5, 10) if each * power >= number - 1e-12), 9)
