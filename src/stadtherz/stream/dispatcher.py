"""The thread that runs the consumers of this process as soon as the log grows.

A consumer whose handler fails is tried again after 0.2 s, then twice as long, up to 30 s; the
others go on. Several processes may dispatch: a lock on its cursor keeps each consumer to one of
them at a time.
"""

import logging
import threading
import time
from dataclasses import dataclass

from django.db import Error, close_old_connections, connections

from stadtherz.store.public import log_end, notify_log, wait_for_log
from stadtherz.stream.consumers import Consumer, registered, step

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 30.0  # seconds
_LOOK = 0.5  # seconds between looks at consumers that wait


@dataclass(slots=True)
class _Pause:
    """When a failed consumer is tried again."""

    until: float = 0.0
    length: float = 0.0

    def prolong(self) -> None:
        self.length = min(max(self.length * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
        self.until = time.monotonic() + self.length


class Dispatcher:
    """Runs consumers in a thread of its own until told to stop."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._pauses: dict[str, _Pause] = {}
        self._thread = threading.Thread(target=self._run, name="stream-dispatcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the step at hand."""
        self._stopping.set()
        notify_log()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._round()
        finally:
            connections.close_all()

    def _round(self) -> None:
        close_old_connections()
        try:
            end = log_end()
            if not self._run_all():
                wait_for_log(end, _LOOK)
        except Error as error:  # the database is away: the next round sees whether it is back
            log.warning("The log cannot be read: %s", error)
            self._stopping.wait(_LOOK)

    def _run_all(self) -> bool:
        """One step of each consumer; whether any of them had something to do."""
        worked = [self._try(consumer) for consumer in registered()]
        return any(worked)

    def _try(self, consumer: Consumer) -> bool:
        pause = self._pauses.setdefault(consumer.name, _Pause())
        if self._stopping.is_set() or time.monotonic() < pause.until:
            return False
        try:
            worked = step(consumer, wait=False)
        except Exception:
            pause.prolong()
            log.exception("%s failed, next try in %.1f s", consumer.name, pause.length)
            return False
        pause.length = 0.0
        return worked


_running: list[Dispatcher] = []


def start_dispatcher() -> None:
    """Start the thread, if it does not run yet."""
    if not _running:
        _running.append(Dispatcher())
        _running[0].start()


def stop_dispatcher() -> None:
    """Let the thread finish its step, and end it."""
    while _running:
        _running.pop().stop()
