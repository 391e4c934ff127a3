"""Runs the product's sending threads in a process of its own until it is killed.

With STADTHERZ_TEST_DIES="before mark_sent" it kills itself there: kill -9 between two given steps.
"""

import functools
import os
import signal
import threading
from typing import Any

import django

django.setup()

from stadtherz.alerts.outbox import deliveries, sender  # noqa: E402
from stadtherz.alerts.outbox.witness import Witness  # noqa: E402


def dies(when: str, step: str) -> None:
    """Let this process end in the hardest way right before or after a step."""
    owner: Any = Witness if step == "dot_goes_next" else deliveries
    wrapped = getattr(owner, step)

    @functools.wraps(wrapped)
    def deadly(*given: Any, **named: Any) -> Any:
        done = wrapped(*given, **named) if when == "after" else None
        if step != "claim" or done is not None:  # where nothing is due, nothing was claimed
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    setattr(owner, step, deadly)


if place := os.environ.get("STADTHERZ_TEST_DIES"):
    dies(*place.split())
sender._LONGEST_SLEEP = 0.2  # the test rings no bell in this process
sender.start_delivery()
print("ready", flush=True)
threading.Event().wait()
