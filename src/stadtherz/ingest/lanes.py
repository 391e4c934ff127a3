"""Threads for the database work of the ingest door, so that its event loop never waits for a disk."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connections

P = ParamSpec("P")
R = TypeVar("R")


class Lane:
    """A few threads that keep their database connections; they start with the first job."""

    def __init__(self, name: str, threads: int) -> None:
        self._name = name
        self._threads = threads
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def submit(self, job: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        def run() -> R:
            close_old_connections()
            try:
                return job(*args, **kwargs)
            finally:
                close_old_connections()

        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix=self._name)
            return self._pool.submit(run)

    def stop(self) -> None:
        """Finish what was submitted and give every connection back."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is None:
            return
        everybody = threading.Barrier(self._threads)
        for _ in range(self._threads):
            pool.submit(_close, everybody)
        pool.shutdown(wait=True)


def _close(everybody: threading.Barrier) -> None:
    connections.close_all()
    everybody.wait()  # so that no thread takes two of these jobs and another none


work = Lane("ingest", 4)
# What must not hold up measurements: device states, and whatever strangers send.
quiet = Lane("ingest-quiet", 1)


def stop() -> None:
    """Finish all work; the lanes start again with the next job."""
    work.stop()
    quiet.stop()
