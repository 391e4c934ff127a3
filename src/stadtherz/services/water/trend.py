"""Whether the water rises or falls, and how fast. Pure: no clock, no database."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from stadtherz.base.time import DAY, HOUR, MINUTE, Micros

_FEWEST = 3


class Direction(StrEnum):
    RISING = "rising"
    FALLING = "falling"
    STEADY = "steady"


@dataclass(frozen=True, slots=True)
class Trend:
    """`rate` is in centimetres an hour, negative when falling.

    `change` is what was really measured over the last hour (groundwater: the last day), as people
    retell it; None where there is no reading from then.
    """

    direction: Direction
    rate: float
    change: float | None = None
    fast: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """Over which time to look back, up to which rate (cm/h) the water counts as steady, from which
    as fast, and over which time the change is told.

    Readings of the last `short` time are enough if there are `wanted` of them, so that a flash flood
    shows at once; a gauge that reports more rarely is given up to `span`.
    """

    short: Micros
    span: Micros
    steady: float
    fast: float
    told: Micros
    wanted: int = 4


LEVEL = Window(short=30 * MINUTE, span=3 * HOUR, steady=2.0, fast=20.0, told=HOUR)
GROUNDWATER = Window(
    short=24 * HOUR, span=72 * HOUR, steady=0.05, fast=math.inf, told=DAY
)  # it never is fast


def trend(times: Sequence[Micros], values: Sequence[float], window: Window = LEVEL) -> Trend | None:
    """The trend at the newest reading, or None if too little is known.

    `times` ascend. The rate is the median of the slopes between all pairs of readings in the window
    (Theil 1950, Sen 1968): a single wrong reading does not turn it.
    """
    if not times:
        return None
    known = list(zip(times, values, strict=True))
    pairs = _recent(known, window)
    if len(pairs) < _FEWEST or times[-1] - pairs[0][0] < window.short // 3:
        return None
    return _judge(_rate(pairs), _change(known, window.told), window)


def _recent(
    pairs: Sequence[tuple[Micros, float]], window: Window
) -> Sequence[tuple[Micros, float]]:
    """The readings of the short time, or of as much of the long one as gives the wanted number."""
    newest = pairs[-1][0]
    within = [pair for pair in pairs if newest - pair[0] <= window.span]
    short = sum(newest - at <= window.short for at, _value in within)
    return within[-max(short, window.wanted) :]


def _rate(pairs: Sequence[tuple[Micros, float]]) -> float:
    """Theil and Sen's slope, in centimetres an hour."""
    pairs = _thinned(pairs)
    slopes = [
        (v2 - v1) * HOUR / (t2 - t1)
        for i, (t1, v1) in enumerate(pairs)
        for t2, v2 in pairs[i + 1 :]
        if t2 > t1
    ]
    return median(slopes) if slopes else 0.0


def _thinned(
    pairs: Sequence[tuple[Micros, float]], most: int = 60
) -> Sequence[tuple[Micros, float]]:
    """At most about `most` readings, always with the newest; a fast gauge must not cost seconds."""
    stride = -(-len(pairs) // most)
    return pairs[::-1][::stride][::-1]


def _change(pairs: Sequence[tuple[Micros, float]], told: Micros) -> float | None:
    """The newest reading less the one of `told` ago, or of about then."""
    newest, value = pairs[-1]
    at, then = min(pairs, key=lambda pair: abs(newest - told - pair[0]))
    return value - then if abs(newest - told - at) <= told // 4 else None


def _judge(rate: float, change: float | None, window: Window) -> Trend:
    if abs(rate) < window.steady:
        return Trend(Direction.STEADY, rate, change)
    direction = Direction.RISING if rate > 0 else Direction.FALLING
    return Trend(direction, rate, change, fast=abs(rate) >= window.fast)
