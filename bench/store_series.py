"""A made-up town's readings as columns, in the order in which they arrive.

A few streams speak every minute, many about every 43 minutes. A reading is a daily curve and noise,
with two decimals; its time is off its grid by some milliseconds (wired) up to 4 seconds (radio).
Pure numpy, 2 million readings a second on one core; the same readings in every run.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stadtherz.base.time import DAY, HOUR, MINUTE, SECOND, Micros

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

START: Micros = 1_735_689_600 * SECOND  # 2025-01-01T00:00Z
YEAR: Micros = 365 * DAY
_BLOCK = 6 * HOUR
_MILLISECOND = 1_000
_SHORTEST, _LONGEST = np.log(4.0), np.log(4_000.0)  # jitter in milliseconds


@dataclass(frozen=True, slots=True)
class Part:
    """Readings as columns of equal length; times in microseconds, numbers with two decimals."""

    stream: Int64
    time: Int64
    number: Float64

    def __len__(self) -> int:
        return len(self.stream)

    def take(self, places: Any) -> "Part":
        return Part(self.stream[places], self.time[places], self.number[places])


@dataclass(frozen=True, slots=True)
class Fleet:
    """How each of the streams behaves; all arrays have their length."""

    stream: Int64
    period: Int64
    phase: Int64
    jitter: Float64  # the longest, in milliseconds; 0 if times are regular
    base: Float64
    swing: Float64

    def take(self, places: slice) -> "Fleet":
        return Fleet(
            self.stream[places],
            self.period[places],
            self.phase[places],
            self.jitter[places],
            self.base[places],
            self.swing[places],
        )


def fleet(stream: Int64, every_minute: int, *, regular: bool) -> Fleet:
    """The first `every_minute` of the streams speak each minute, the others seldom."""
    random = np.random.default_rng(7)
    number = len(stream)
    period = random.integers(42 * 60, 44 * 60, number) * SECOND
    period[:every_minute] = MINUTE
    phase = (random.random(number) * period).astype(np.int64) // SECOND * SECOND
    jitter = np.exp(random.uniform(_SHORTEST, _LONGEST, number))
    if regular:
        jitter[:] = 0
    base, swing = random.uniform(5, 20, number), random.uniform(2, 8, number)
    return Fleet(stream, period, phase, jitter, base, swing)


def readings(fleet: Fleet, begin: Micros, end: Micros, block: Micros = _BLOCK) -> Iterator[Part]:
    """What the streams say from `begin` to `end`, in parts of a time each."""
    for start in range(begin, end, block):
        yield _block(fleet, start, min(start + block, end))


def _block(fleet: Fleet, begin: Micros, end: Micros) -> Part:
    first = -((fleet.phase - begin) // fleet.period)  # of each stream: the first step not before
    behind = -((fleet.phase - end) // fleet.period)
    counts = behind - first
    who = np.repeat(np.arange(len(counts)), counts)
    step = np.arange(len(who)) - np.repeat(np.cumsum(counts) - counts - first, counts)
    random = np.random.default_rng(begin // SECOND)
    late = (random.random(len(who)) * fleet.jitter[who]).astype(np.int64) * _MILLISECOND
    time = fleet.phase[who] + step * fleet.period[who] + late
    order = np.argsort(time, kind="stable")
    return _spoken(fleet, who[order], time[order], random)


def _spoken(fleet: Fleet, who: Int64, time: Int64, random: np.random.Generator) -> Part:
    angle = (time % DAY) * (2 * np.pi / DAY) + who
    number = fleet.base[who] + fleet.swing[who] * np.sin(angle) + random.normal(0, 0.3, len(who))
    return Part(fleet.stream[who], time, np.round(number, 2))


def at_once(fleet: Fleet, time: Micros, places: slice) -> Part:
    """One reading of each of these streams at about the same time: the worst case for a store."""
    who = np.arange(len(fleet.stream))[places]
    random = np.random.default_rng(time // SECOND)
    late = (random.random(len(who)) * fleet.jitter[who]).astype(np.int64) * _MILLISECOND
    return _spoken(fleet, who, time + late, random)


def batches(parts: Iterable[Part], size: int) -> Iterator[Part]:
    """The same readings, so many at a time."""
    held: list[Part] = []
    number = 0
    for part in parts:
        held.append(part)
        number += len(part)
        if number >= size:
            whole = _joined(held)
            full = number - number % size
            yield from (whole.take(slice(at, at + size)) for at in range(0, full, size))
            held = [whole.take(slice(full, None))]
            number -= full
    if number:
        yield _joined(held)


def _joined(parts: list[Part]) -> Part:
    return Part(
        np.concatenate([part.stream for part in parts]),
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.number for part in parts]),
    )
