import threading
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from stadtherz.kit.declaration import Job
from stadtherz.project.scheduler import Scheduler, daily_and_service_jobs


def test_jobs_run_again_and_again_until_it_stops() -> None:
    thrice = threading.Semaphore(0)
    scheduler = Scheduler(lambda: [Job("tick", timedelta(milliseconds=5), thrice.release)])
    scheduler.start()
    assert all(thrice.acquire(timeout=30) for _ in range(3))
    scheduler.stop()
    while thrice.acquire(blocking=False):
        pass
    assert not thrice.acquire(timeout=0.05)


@pytest.mark.django_db
def test_once_a_day_ended_sessions_are_deleted_and_others_stay() -> None:
    for key, hours in (("ended", -1), ("open", 1)):
        until = timezone.now() + timedelta(hours=hours)
        Session.objects.create(session_key=key, session_data="", expire_date=until)
    (job,) = (job for job in daily_and_service_jobs() if job.name == "sessions")
    job.call()
    assert [session.session_key for session in Session.objects.all()] == ["open"]


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
