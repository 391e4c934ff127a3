"""The course of a datastream's values: whether a new one jumps, or the sensor is stuck.

What is needed of the past, the last value and since when it holds, is kept in memory for each field
that has a rule, and read from the store after a start. A reading that comes late is not judged: its
neighbours in time would have to be looked up for each.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from stadtherz.base.expressions import Column, Kind, Order
from stadtherz.base.time import HOUR, MINUTE, Micros, now_us
from stadtherz.ingest.documents.uplink import AHEAD
from stadtherz.ingest.quality.flags import Flag
from stadtherz.store.public import Selection, select

_LOOK_BACK = 500  # readings, for since when a value holds


@dataclass(frozen=True, slots=True)
class Watch:
    """`jump` is the largest change that can be true in `within`; `frozen` how long a value may hold."""

    jump: float | None = None
    within: Micros = 10 * MINUTE
    frozen: Micros | None = None


Verdict = tuple[Flag, dict[str, float]] | None


class Course:
    """What is known of one datastream; `sound` is the last value that did not jump."""

    __slots__ = ("at", "since", "sound", "sound_at", "value", "verdict")

    def __init__(self, at: Micros, value: float, since: Micros) -> None:
        self.at, self.value, self.since = at, value, since
        self.sound_at, self.sound = at, value
        self.verdict: Verdict = None

    def judge(self, at: Micros, value: float, watch: Watch) -> Verdict:
        """What is doubtful about the next reading, which becomes the last one."""
        if at <= self.at:
            # A repetition is told what the first one was; what comes late is not judged.
            return self.verdict if at == self.at and value == self.value else None
        if value == self.value:
            verdict = self._stuck(at, watch)
        else:
            verdict = self._jumped(at, value, watch)
            self.since = at
        if verdict is None or verdict[0] is not Flag.JUMP:
            self.sound_at, self.sound = at, value
        self.at, self.value, self.verdict = at, value, verdict
        return verdict

    def _stuck(self, at: Micros, watch: Watch) -> Verdict:
        held = at - self.since
        if watch.frozen is None or held <= watch.frozen:
            return None
        return Flag.FROZEN, {"hours": round(held / HOUR, 1)}

    def _jumped(self, at: Micros, value: float, watch: Watch) -> Verdict:
        """A jump lies far from the last value and also from the last sound one: what returns after
        an outlier is none, and a second reading at the new height confirms that it is true."""
        if watch.jump is None:
            return None
        if _near(self.at, self.value, at, value, watch) or _near(
            self.sound_at, self.sound, at, value, watch
        ):
            return None
        change = float(f"{value - self.value:.6g}")
        return Flag.JUMP, {"change": change, "minutes": round((at - self.at) / MINUTE, 1)}


def _near(before: Micros, known: float, at: Micros, value: float, watch: Watch) -> bool:
    assert watch.jump is not None
    return abs(value - known) <= watch.jump * max(1.0, (at - before) / watch.within)


class Courses:
    """The courses of all fields that have a rule, by datastream."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[int, Course | None] = {}

    def recall(self, streams: Iterable[int]) -> None:
        """Learn what the store knows of them, once. Asks the database."""
        for stream in streams:
            if stream not in self._known:
                course = _remembered(stream)
                with self._lock:
                    self._known.setdefault(stream, course)

    def judge(self, stream: int, at: Micros, value: float, watch: Watch) -> Verdict:
        """What is doubtful about this reading."""
        with self._lock:
            course = self._known.get(stream)
            if course is not None:
                return course.judge(at, value, watch)
            self._known[stream] = Course(at, value, at)
            return None

    def forget(self) -> None:
        with self._lock:
            self._known.clear()


courses = Courses()


def _remembered(stream: int) -> Course | None:
    """The newest reading that our clock has reached, and since when its value holds."""
    newest_first = Order(Column("phenomenon_start", Kind.TIME), descending=True)
    found = select(Selection(streams=frozenset({stream}), order=(newest_first,), limit=_LOOK_BACK))
    if found.result.dtype != np.float64:
        return None
    reached = found.phenomenon_start <= now_us() + AHEAD
    times, values = found.phenomenon_start[reached], found.result[reached]
    if not len(times):
        return None
    other = np.flatnonzero(values != values[0])
    held = int(other[0]) if len(other) else len(values)
    return Course(int(times[0]), float(values[0]), int(times[held - 1]))
