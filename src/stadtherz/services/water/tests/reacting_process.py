"""Runs the water service's consumer in a process of its own, which may be told when to die.

    python reacting_process.py [before|after]

"before" dies when a slice arrives and nothing is judged yet, "after" when everything is judged and
written and the transaction has not been committed.
"""

import os
import signal
import sys
import threading
from dataclasses import replace

import django

django.setup()

from stadtherz.kit.public import consumers  # noqa: E402
from stadtherz.store.public import LogSlice  # noqa: E402
from stadtherz.stream.public import register, start_dispatcher  # noqa: E402

DIES = sys.argv[1] if len(sys.argv) > 1 else ""
(water,) = (consumer for consumer in consumers() if consumer.name == "service:water")


def die(moment: str) -> None:
    if moment == DIES:
        os.kill(os.getpid(), signal.SIGKILL)


def handle(piece: LogSlice) -> None:
    die("before")
    water.handle(piece)
    die("after")


register(replace(water, handle=handle))
start_dispatcher()
print("ready", flush=True)
threading.Event().wait()
