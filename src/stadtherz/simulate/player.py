"""Sends a schedule when it is due, on a clock that may go faster than ours."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from stadtherz.base.time import SECOND, Micros, now_us
from stadtherz.simulate.doors import Door
from stadtherz.simulate.schedule import Schedule


@dataclass(frozen=True, slots=True)
class CityClock:
    """The city's time began at `begin` when ours was `since`, and goes `speed` times as fast.

    It never overtakes ours: once it has caught up, it goes on with it.
    """

    begin: Micros
    since: Micros
    speed: float = 1.0

    def due(self, at: Micros) -> Micros:
        """When it is `at` in the city, in our time."""
        return max(at, self.since + int((at - self.begin) / self.speed))


class Player:
    """Plays until the schedule ends or `stop` is called; `behind` is how late the last message was, in seconds."""

    def __init__(self, schedule: Schedule, clock: CityClock, door: Door) -> None:
        self._schedule, self._clock, self._door = schedule, clock, door
        self._stopped = threading.Event()
        self._told = time.monotonic()
        self.behind = 0.0

    def stop(self) -> None:
        self._stopped.set()

    def play(self, tell: Callable[[], None], *, every_s: float = 1.0) -> None:
        """Send everything, and wait for the last answers; `tell` is called about every so many seconds."""
        try:
            for sending in self._schedule:
                self._wait(self._due(sending.at), tell, every_s)
                if self._stopped.is_set():
                    break
                self._door.send(sending)
        finally:
            self._door.close()

    def _due(self, at: Micros) -> Micros:
        """What is late beyond the end comes at the end."""
        end = self._schedule.end
        return self._clock.due(at if end is None else min(at, end))

    def _wait(self, due: Micros, tell: Callable[[], None], every_s: float) -> None:
        left = (due - now_us()) / SECOND
        self.behind = max(0.0, -left)
        while not self._stopped.is_set():
            if time.monotonic() - self._told >= every_s:
                self._told = time.monotonic()
                tell()
            if left <= 0:
                return
            self._stopped.wait(min(left, every_s))
            left = (due - now_us()) / SECOND
