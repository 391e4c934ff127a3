"""Threads for the database work of the ingest door, so that its event loop never waits for a disk."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

from stadtherz.codecs.public import stop as stop_codecs
from stadtherz.store.public import Threads

P = ParamSpec("P")
R = TypeVar("R")


class Lane:
    """A few threads that keep their database connections; they start with the first job."""

    def __init__(self, name: str, threads: int) -> None:
        self._name = name
        self._threads = threads
        self._lock = threading.Lock()
        self._pool: Threads | None = None
        self._open = 0

    @property
    def waiting(self) -> int:
        """Jobs that have not ended."""
        return self._open

    def submit(self, job: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        with self._lock:
            if self._pool is None:
                self._pool = Threads(self._name, self._threads)
            self._open += 1
            future = self._pool.submit(job, *args, **kwargs)
        future.add_done_callback(self._ended)
        return future

    def _ended(self, _future: Future[R]) -> None:
        with self._lock:
            self._open -= 1

    def stop(self) -> None:
        """Finish what was submitted and give every connection back."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()


work = Lane("ingest", 4)
# What must not hold up measurements: whatever strangers send, and notes of devices, which also wait.
quiet = Lane("ingest-quiet", 1)
health = Lane("ingest-health", 1)
# What could not be stored, because the database is slow or away.
rescue = Lane("ingest-rescue", 1)
_ending = threading.Event()


def pause(seconds: float) -> None:
    """Let a job wait for more of its kind; ends at once when the lanes are stopped."""
    _ending.wait(seconds)


def stop() -> None:
    """Finish all work; the lanes start again with the next job."""
    _ending.set()
    for lane in (work, quiet, health, rescue):
        lane.stop()
    stop_codecs()
    _ending.clear()
