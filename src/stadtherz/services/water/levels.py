"""When a warning step is reached and when it is over. Pure rules: no clock, no database.

Steps are ranked by their level: rank 0 is normal, rank 1 the lowest step. A step is reached when the
water stands at its level or above, and it holds until the water stands below its level minus its
hysteresis, so that waves around the mark call nobody twice. Reaching a step needs no confirmation by
a second reading: small streams rise 50 cm in 15 minutes, and waiting would eat the whole lead time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol


class Step(Protocol):
    """What the rules need to know of a warning step."""

    @property
    def level(self) -> float: ...

    @property
    def hysteresis(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Decision:
    """From which rank to which; `index` is the reading that decided, counted from 0."""

    before: int
    after: int
    index: int = 0

    @property
    def changed(self) -> bool:
        return self.before != self.after


def decide(steps: Sequence[Step], value: float, current: int) -> Decision:
    """The rank that holds at `value`, coming from rank `current`; `steps` ascend by level.

    >>> from collections import namedtuple
    >>> S = namedtuple("S", "level hysteresis")
    >>> decide([S(90, 5), S(120, 5)], 121.0, 0).after
    2
    >>> decide([S(90, 5), S(120, 5)], 116.0, 2).after
    2
    """
    holding = (
        rank
        for rank, step in enumerate(steps, start=1)
        if value >= step.level or (rank <= current and value >= release(step))
    )
    return Decision(current, max(holding, default=0))


def release(step: Step) -> float:
    """The level below which the step is over."""
    return step.level - step.hysteresis


def turns(steps: Sequence[Step], values: Iterable[float], current: int) -> list[Decision]:
    """The changes of rank over several readings that arrived together.

    A rise over several steps is one change to the highest, a fall one change to the lowest; a peak
    that came and went is both, since whoever was endangered wants to know either way.

    >>> from collections import namedtuple
    >>> S = namedtuple("S", "level hysteresis")
    >>> [(d.before, d.after) for d in turns([S(90, 5), S(120, 5)], [95.0, 130.0, 80.0], 0)]
    [(0, 2), (2, 0)]
    """
    found: list[Decision] = []
    for index, value in enumerate(values):
        decision = decide(steps, value, current)
        if not decision.changed:
            continue
        current = decision.after
        if found and _same_way(found[-1], decision):
            found[-1] = Decision(found[-1].before, decision.after, index)
        else:
            found.append(Decision(decision.before, decision.after, index))
    return found


def _same_way(one: Decision, other: Decision) -> bool:
    return (one.after > one.before) == (other.after > other.before)


def mistakes(steps: Sequence[Step]) -> list[tuple[Step, str]]:
    """What makes a set of steps unusable: "equal" levels, a "hysteresis" not above zero, or an
    "overlap": a step that would still hold when the one below it is already over.
    """
    found: list[tuple[Step, str]] = [(step, "hysteresis") for step in steps if step.hysteresis <= 0]
    ordered = sorted(steps, key=lambda step: step.level)
    for lower, upper in pairwise(ordered):
        if upper.level == lower.level:
            found.append((upper, "equal"))
        elif release(upper) <= release(lower):
            found.append((upper, "overlap"))
    return found
