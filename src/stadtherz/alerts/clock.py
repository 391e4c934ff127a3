"""What happens because time passes: a thread calls each function again and again.

Every function takes the present moment, works under row locks and does each thing once, whichever
process calls it and however often. So several processes may each have a clock, and one that was
stopped goes on where it was.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import close_old_connections, connections

from stadtherz.alerts import heartbeat, shown, signs
from stadtherz.alerts.citizens.letters import write_letters
from stadtherz.alerts.citizens.subscribing import forget_unconfirmed
from stadtherz.alerts.outbox import by_task, watching
from stadtherz.alerts.people import chases, drills, duty, resuming
from stadtherz.alerts.rules import engine as rules
from stadtherz.base.time import Micros, now_us

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ticking:
    """A function and how many seconds lie between two of its calls."""

    name: str
    seconds: float
    call: Callable[[Micros], None]


TICKING: list[Ticking] = [
    Ticking("rules", 1, rules.tick),
    Ticking("pauses", 1, resuming.tick),
    Ticking("chases", 1, chases.tick),
    Ticking("duty", 5, duty.tick),
    Ticking("drills", 60, drills.tick),
    Ticking("gateways", 15, watching.look),
    Ticking("tasks", 5, by_task.look),
    Ticking("shown", 15, shown.tick),
]
# What may have to wait for somebody else's server has a thread of its own.
SLOWLY: list[Ticking] = [
    Ticking("letters", 2, write_letters),
    Ticking("lines", 60, watching.check),
    Ticking("heartbeat", 60, heartbeat.beat),
    Ticking("unconfirmed", 600, forget_unconfirmed),
]


def tick() -> None:
    """Call everything once, in this thread; for tests and commands."""
    for each in (*TICKING, *SLOWLY):
        each.call(now_us())


class _Clock:
    """A thread of this process with what it calls."""

    def __init__(self, name: str, calls: list[Ticking]) -> None:
        self._name, self._calls = name, calls
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is not None:
            return
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is None:
            return
        self._stop.set()
        self._thread.join(timeout=10)
        self._thread = None

    def _run(self) -> None:
        due = {each: time.monotonic() for each in self._calls}
        signs.alive(self._name)
        while not self._stop.is_set():
            close_old_connections()
            for each in self._calls:
                if due[each] <= time.monotonic() and not self._stop.is_set():
                    _call(each)
                    due[each] = time.monotonic() + each.seconds
            signs.alive(self._name)
            self._stop.wait(max(min(due.values()) - time.monotonic(), 0.05))
        signs.ended(self._name)
        connections.close_all()


def _call(each: Ticking) -> None:
    try:
        each.call(now_us())
    except Exception:  # the worker loop: nothing may stop the clock
        logger.exception("%s failed; it is tried again in %s s", each.name, each.seconds)


_clocks = [_Clock("alert clock", TICKING), _Clock("alert letters", SLOWLY)]


def start_clock() -> None:
    for clock in _clocks:
        clock.start()


def stop_clock() -> None:
    for clock in _clocks:
        clock.stop()
