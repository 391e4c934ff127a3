"""One thread that gives each source a round when it is due."""

import logging
import threading

from django.db import DatabaseError, close_old_connections, connections

from stadtherz.base.time import now_us
from stadtherz.ingest.pull.models import PullSource
from stadtherz.ingest.pull.run import LEASE, run_source

logger = logging.getLogger(__name__)

_PAUSE_S = 5.0
_PARTING_S = 5.0
_FIRST_S = 2.0  # a starting city has more urgent things to do


class Keeper:
    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name="pull", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=_PARTING_S)
            self._thread = None

    def _run(self) -> None:
        pause = _FIRST_S
        try:
            while not self._stopped.wait(pause):
                pause = 0.0 if self._round() else _PAUSE_S
        finally:
            connections.close_all()

    def _round(self) -> bool:
        """Whether a source was due."""
        close_old_connections()
        try:
            source = _claimed()
            if source is None:
                return False
            run_source(source, stopped=self._stopped.is_set)
        except DatabaseError as problem:  # nothing can be told anywhere but here
            logger.warning("sources cannot be looked at: %s", problem)
            return False
        return True


def _claimed() -> PullSource | None:
    """The source that has waited longest, if this process is the one that gives it a round."""
    now = now_us()
    due = PullSource.objects.filter(active=True, next_due__lte=now).order_by("next_due").first()
    if due is None:
        return None
    mine = PullSource.objects.filter(pk=due.pk, next_due=due.next_due).update(next_due=now + LEASE)
    return due if mine else None


_keeper = Keeper()
start_pulling = _keeper.start
stop_pulling = _keeper.stop
