"""Runs the jobs that services declare, each in its interval, one after another in one thread.

Jobs are safe to run twice, so several processes need no agreement about who runs them.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.db import close_old_connections

from stadtherz.alerts.public import forget_old_names, remind_of_drills
from stadtherz.kit.declaration import Job
from stadtherz.kit.public import services, sweep

logger = logging.getLogger(__name__)

_DAY = timedelta(days=1)


def daily_and_service_jobs() -> list[Job]:
    """Every service's jobs, the daily deletion of what has been kept long enough, and reminders."""
    jobs = [job for service in services() for job in service.jobs]
    return [
        *jobs,
        Job("retention", _DAY, sweep),
        Job("names in alerts", _DAY, forget_old_names),
        Job("sessions", _DAY, forget_ended_sessions),
        Job("test alarms", _DAY, remind_of_drills),
    ]


def forget_ended_sessions() -> None:
    """Delete the sessions that nobody can use any more."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


class Scheduler:
    """One thread that wakes for the next job that is due."""

    def __init__(
        self,
        jobs: Callable[[], Iterable[Job]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jobs = jobs
        self._clock = clock
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        due = {job: self._clock() for job in self._jobs()}
        while due and not self._stopped.is_set():
            job = min(due, key=lambda each: due[each])
            if self._stopped.wait(max(0.0, due[job] - self._clock())):
                return
            self._call(job)
            due[job] = self._clock() + job.every.total_seconds()

    @staticmethod
    def _call(job: Job) -> None:
        close_old_connections()
        try:
            job.call()
        except Exception:  # the worker loop: one broken job must not stop the others
            logger.exception("job %s failed; it runs again in %s", job.name, job.every)
        finally:
            close_old_connections()
