"""When a battery will be empty: a robust line through its daily values. Pure.

Theil-Sen: the median of the slopes between all pairs of days (H. Theil 1950, P. K. Sen 1968); up to
29 % of the days may be wrong without moving it. It says nothing rather than something that is not known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

Daily = Sequence[tuple[int, float]]
"""Day (a number that grows by one a day) and value, in order of days."""

FEWEST_DAYS = 14
LONGEST_LOOK = 180  # days back; what was before tells of another season
FARTHEST = 5 * 365.0  # days ahead; no line reaches further
_FALLING = 2 / 3  # of all pairs of days must fall


@dataclass(frozen=True, slots=True)
class Scale:
    """What counts: a fall of `least` over all days, a rise of `new` from one day to the next."""

    least: float
    new: float


PERCENT = Scale(least=2.0, new=15.0)
VOLTS = Scale(least=0.02, new=0.2)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Days from the last value until `empty`, at most FARTHEST, and the fall in thirty days."""

    days: float
    monthly_fall: float


def forecast(daily: Daily, scale: Scale, *, empty: float = 0.0) -> Forecast | None:
    """None where the values are too few, do not fall clearly, or hardly at all (mains, a fresh battery)."""
    used = [each for each in _since_change(daily, scale) if each[0] > daily[-1][0] - LONGEST_LOOK]
    if len(used) < FEWEST_DAYS:
        return None
    days = np.array([day for day, _ in used], dtype=np.float64)
    values = np.array([value for _, value in used], dtype=np.float64)
    first, second = np.triu_indices(len(used), 1)
    slopes = (values[second] - values[first]) / (days[second] - days[first])
    slope = float(np.median(slopes))
    fallen = -slope * float(days[-1] - days[0])
    if fallen < scale.least or float(np.mean(slopes < 0)) < _FALLING:
        return None
    now = float(np.median(values - slope * (days - days[-1])))
    return Forecast(min(max((now - empty) / -slope, 0.0), FARTHEST), -slope * 30)


def _since_change(daily: Daily, scale: Scale) -> Daily:
    """The values since the battery was last changed, which a jump upwards shows."""
    begin = 0
    for place, (before, after) in enumerate(pairwise(daily), start=1):
        if after[1] - before[1] > scale.new:
            begin = place
    return daily[begin:]
