"""Figures about alarms: pure, from what happened to numbers of each month and each rule."""

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from stadtherz.base.time import Micros

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Happened:
    """One alarm: what it counts to, when, whether it was false (None: not judged), when taken on."""

    name: str
    opened: Micros
    false: bool | None
    taken: Micros | None


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What a group of alarms comes to. Times are None where nobody has taken one on."""

    number: int
    judged: int
    false: int
    taken: int
    median: Micros | None
    ninety: Micros | None


def reckon(alarms: Iterable[Happened]) -> Reckoned:
    listed = list(alarms)
    times = sorted(max(0, each.taken - each.opened) for each in listed if each.taken is not None)
    return Reckoned(
        number=len(listed),
        judged=sum(each.false is not None for each in listed),
        false=sum(each.false is True for each in listed),
        taken=len(times),
        median=share(times, 0.5),
        ninety=share(times, 0.9),
    )


def share(times: Sequence[Micros], part: float) -> Micros | None:
    """The least of the sorted times that this part of them does not exceed.

    >>> share([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9)
    9
    """
    if not times:
        return None
    return times[max(0, math.ceil(part * len(times)) - 1)]


def grouped(alarms: Iterable[Happened], key: Callable[[Happened], Key]) -> dict[Key, Reckoned]:
    """Each group's figures, in the order of its first alarm."""
    groups: dict[Key, list[Happened]] = defaultdict(list)
    for alarm in alarms:
        groups[key(alarm)].append(alarm)
    return {name: reckon(members) for name, members in groups.items()}
