"""Runs the product's clock of alerts until it is killed, or dies by kill -9 in the middle of a tick.

With an argument n it dies at the n-th message list that a tick writes: after the event, before the commit.
"""

import itertools
import os
import signal
import sys
import threading

import django

django.setup()

from stadtherz.alerts import clock  # noqa: E402
from stadtherz.alerts.people import chases  # noqa: E402

fatal = int(sys.argv[1]) if len(sys.argv) > 1 else 0
calls = itertools.count(1)
really_owe = chases.owe


def owe_and_die(*args: object, **kwargs: object) -> None:
    really_owe(*args, **kwargs)  # type: ignore[arg-type]
    if next(calls) == fatal:
        os.kill(os.getpid(), signal.SIGKILL)


if fatal:
    chases.owe = owe_and_die  # type: ignore[assignment]
print("ready", flush=True)
clock.start_clock()
threading.Event().wait()
