"""Whether the water rises or falls, and how fast. Pure: no clock, no database."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from stadtherz.base.time import HOUR, MINUTE, Micros

_FEWEST = 3
_SHORTEST = 10 * MINUTE


class Direction(StrEnum):
    RISING = "rising"
    FALLING = "falling"
    STEADY = "steady"


@dataclass(frozen=True, slots=True)
class Trend:
    """`rate` is in centimetres an hour, negative when falling."""

    direction: Direction
    rate: float


@dataclass(frozen=True, slots=True)
class Window:
    """Over which time to look back, and up to which rate (cm/h) the water counts as steady."""

    span: Micros
    steady: float


LEVEL = Window(span=2 * HOUR, steady=1.0)
GROUNDWATER = Window(span=72 * HOUR, steady=0.05)


def trend(times: Sequence[Micros], values: Sequence[float], window: Window = LEVEL) -> Trend | None:
    """The trend at the newest reading, or None if too little is known.

    `times` ascend. The rate is the median of the slopes between all pairs of readings in the window
    (Theil 1950, Sen 1968): a single wrong reading does not turn it.
    """
    if not times:
        return None
    newest = times[-1]
    pairs = [(t, v) for t, v in zip(times, values, strict=True) if 0 <= newest - t <= window.span]
    if len(pairs) < _FEWEST or newest - pairs[0][0] < _SHORTEST:
        return None
    return _judge(_rate(pairs), window.steady)


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


def _judge(rate: float, steady: float) -> Trend:
    if abs(rate) < steady:
        return Trend(Direction.STEADY, rate)
    return Trend(Direction.RISING if rate > 0 else Direction.FALLING, rate)
