"""The thread that hands messages over by HTTP as a process of its own, for tests that kill it.

Prints a line when it runs. With `after begin`, `before record` or `after record` it kills itself there, at
the first message.
"""

import os
import signal
import sys
import threading
from typing import Any

import django


def main(*dies: str) -> None:
    django.setup()
    from stadtherz.ingest.downlinks import handing
    from stadtherz.ingest.public import start_servers

    if dies:
        _die(handing, *dies)
    start_servers()
    print("runs", flush=True)
    threading.Event().wait()


def _die(module: Any, when: str, step: str) -> None:
    """Die before or after a step that has something to do."""
    whole = getattr(module, step)

    def dying(*args: Any) -> Any:
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = whole(*args)
        if done:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    setattr(module, step, dying)


if __name__ == "__main__":
    main(*sys.argv[1:])
