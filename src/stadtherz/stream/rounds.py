"""A thread that does one round of its work after the other, and outlives whatever goes wrong in one."""

import threading
from collections.abc import Callable
from logging import Logger

from django.db import Error, close_old_connections, connections

from stadtherz.store.public import notify_log

LOOK = 0.5
"""Seconds that who has nothing to do waits at most, and everybody after a fault."""


class Rounds:
    """`one` is a round; it may wait for the log, or with `pause`. What it raises goes to `log`."""

    def __init__(
        self, name: str, one: Callable[[], object], log: Logger, *, away: str, broken: str
    ) -> None:
        self._one = one
        self._log, self._away, self._broken = log, away, broken
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def ending(self) -> bool:
        return self._stopping.is_set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the step at hand."""
        self._stopping.set()
        notify_log()
        self._thread.join()

    def pause(self, seconds: float) -> None:
        self._stopping.wait(seconds)

    def _run(self) -> None:
        try:
            while not self.ending:
                self._round()
        finally:
            connections.close_all()

    def _round(self) -> None:
        close_old_connections()
        try:
            self._one()
        except Error as error:  # the database is away: the next round sees whether it is back
            self._log.warning("%s: %s", self._away, error)
            self.pause(LOOK)
        except Exception:  # noqa: BLE001 - the worker loop: without it nobody would hear anything again
            self._log.exception(self._broken)
            self.pause(LOOK)
