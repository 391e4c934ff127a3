"""Threads for what asks the database, each with a connection that it gives back at the end."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connections

P = ParamSpec("P")
R = TypeVar("R")


class Lane:
    """Jobs in the order in which they come, as many at once as there are threads."""

    def __init__(self, name: str, threads: int = 1) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"mqtt-{name}")

    def submit(self, job: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Raises RuntimeError once the lane has been stopped."""

        def run() -> R:
            close_old_connections()
            return job(*args, **kwargs)

        return self._pool.submit(run)

    def stop(self) -> None:
        """Finish what was submitted and give every connection back."""
        everybody = threading.Barrier(self._threads)
        for _ in range(self._threads):
            self._pool.submit(_close, everybody)
        self._pool.shutdown(wait=True)


def _close(everybody: threading.Barrier) -> None:
    connections.close_all()
    everybody.wait()  # so that no thread takes two of these jobs and another none
