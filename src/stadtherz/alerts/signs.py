"""Signs of life of this process's threads: who has not given one for too long is stuck.

Monotonic, so that a clock that is set does not kill or revive anybody.
"""

import time
from collections.abc import Iterator

_seen: dict[str, float] = {}


def alive(name: str) -> None:
    """This thread has come round once more."""
    _seen[name] = time.monotonic()


def ended(name: str) -> None:
    """It ends in good order, and nobody waits for it."""
    _seen.pop(name, None)


def missing(seconds: float) -> Iterator[str]:
    """Whoever has given no sign for so long."""
    moment = time.monotonic()
    for name, seen in list(_seen.items()):
        if moment - seen > seconds:
            yield name
