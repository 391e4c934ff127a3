import threading
from datetime import timedelta

import pytest

from stadtherz.kit.declaration import Job
from stadtherz.project.scheduler import Scheduler


def test_jobs_run_again_and_again_until_it_stops() -> None:
    thrice = threading.Semaphore(0)
    scheduler = Scheduler(lambda: [Job("tick", timedelta(milliseconds=5), thrice.release)])
    scheduler.start()
    assert all(thrice.acquire(timeout=30) for _ in range(3))
    scheduler.stop()
    while thrice.acquire(blocking=False):
        pass
    assert not thrice.acquire(timeout=0.05)


def test_a_broken_job_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    ran = threading.Semaphore(0)

    def broken() -> None:
        raise ZeroDivisionError

    scheduler = Scheduler(
        lambda: [
            Job("broken", timedelta(milliseconds=5), broken),
            Job("fine", timedelta(milliseconds=5), ran.release),
        ]
    )
    scheduler.start()
    assert all(ran.acquire(timeout=30) for _ in range(3))
    scheduler.stop()
    assert "job broken failed" in caplog.text
