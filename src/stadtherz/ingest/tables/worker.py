"""The thread that does what waits: files that people started, files of folders, files to be deleted."""

import logging
import threading

from django.db import close_old_connections, connections

from stadtherz.base.time import HOUR, now_us
from stadtherz.ingest.tables import keeping, watching, work

logger = logging.getLogger(__name__)

_POLL_S = 3.0  # another process may have started something


class _Worker:
    """The one of this process. Several processes share the work by leases (`work.claim`)."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._swept = 0

    def start(self) -> None:
        if self._thread is not None:
            return
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="tables", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the portion at hand; the next start goes on there."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None

    def wake(self) -> None:
        self._wake.set()

    def _run(self) -> None:
        holder = work.name_of_holder()
        while not self._stop.is_set():
            busy = False
            try:
                close_old_connections()
                busy = self._round(holder)
            except Exception:  # the worker loop: nothing may end it
                logger.exception("looking for tables failed; trying again")
            if not busy:
                self._wake.wait(_POLL_S)
                self._wake.clear()
        connections.close_all()

    def _round(self, holder: str) -> bool:
        """Whether something was done."""
        watching.look_at_all()
        if now_us() - self._swept > HOUR:
            self._swept = now_us()
            keeping.sweep()
        row = work.claim(holder)
        if row is None:
            return False
        work.run(row, until=self._stop.is_set)
        return not row.is_working  # one that was interrupted waits a moment


_worker = _Worker()
start_tables = _worker.start
stop_tables = _worker.stop
wake_tables = _worker.wake
