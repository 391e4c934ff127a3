"""The bell between those who owe messages and the thread that sends them, within one process.

It only saves waiting: what is owed stands in the database, and the thread also looks by itself.
"""

import threading

_bell = threading.Event()


def wake() -> None:
    _bell.set()


def wait(seconds: float) -> None:
    """Return when somebody rang or the time is over."""
    _bell.wait(seconds)
    _bell.clear()
