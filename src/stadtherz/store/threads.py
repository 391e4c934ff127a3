"""Threads for what asks the database, each with a connection that it keeps and gives back at the end."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connections

P = ParamSpec("P")
R = TypeVar("R")


class Threads:
    """Jobs in the order in which they come, as many at once as there are threads."""

    def __init__(self, name: str, number: int = 1) -> None:
        self._number = number
        self._pool = ThreadPoolExecutor(number, thread_name_prefix=name)

    def submit(self, job: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Raises RuntimeError once they have been stopped."""

        def run() -> R:
            close_old_connections()
            return job(*args, **kwargs)

        return self._pool.submit(run)

    def stop(self) -> None:
        """Finish what was submitted and give every connection back."""
        everybody = threading.Barrier(self._number)
        for _ in range(self._number):
            self._pool.submit(_close, everybody)
        self._pool.shutdown(wait=True)


def _close(everybody: threading.Barrier) -> None:
    connections.close_all()
    everybody.wait()  # so that no thread takes two of these jobs and another none
