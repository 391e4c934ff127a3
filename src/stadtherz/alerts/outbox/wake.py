"""The bells between those who owe messages and the threads that send them, within one process.

They only save waiting: what is owed stands in the database, and the threads also look by themselves.
"""

import threading

_bells: dict[str, threading.Event] = {}


def wake(*lanes: str) -> None:
    """Ring for these lanes, or for all: which of them has something to do it sees by itself."""
    for bell in [_bell(lane) for lane in lanes] or list(_bells.values()):
        bell.set()


def wait(seconds: float, lane: str = "email") -> None:
    """Return when somebody rang or the time is over."""
    bell = _bell(lane)
    bell.wait(seconds)
    bell.clear()


def _bell(lane: str) -> threading.Event:
    """The same for all threads, whoever asks first."""
    return _bells.setdefault(lane, threading.Event())
