"""Who has to warn people goes first: other work of this process gives way, for a moment.

The threads of a process share one interpreter in turns, so under load each of them takes many times as long as
alone. All of them get done either way; this decides only in which order.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 0.25
"""Seconds that others wait at most at a time. Then, and after many short waits, they have as much for themselves."""


class RightOfWay:
    """How many go first now, since when, and which event loops have somebody waiting for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free = threading.Event()
        self._free.set()
        self._ahead = 0
        self._since = 0.0
        self._owed_until = 0.0
        self._loops: dict[asyncio.AbstractEventLoop, asyncio.Event] = {}

    def take(self) -> None:
        """Go first from now on, unless the others have waited so long that it is their turn."""
        with self._lock:
            self._ahead += 1
            now = time.monotonic()
            if self._ahead == 1 and self._owed_until - now < LONGEST:
                self._since = now
                self._free.clear()

    def give_back(self) -> None:
        with self._lock:
            self._ahead -= 1
            if self._ahead or self._free.is_set():
                return
            now = time.monotonic()
            used = min(now - self._since, LONGEST)
            # While they waited nothing of what they are owed was given back.
            self._owed_until = max(self._owed_until + used, now) + used
            self._free.set()
            loops, self._loops = self._loops, {}
        for loop, free in loops.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(free.set)

    def rest(self) -> float:
        """Seconds that who gives way has to wait from now on, at most."""
        if self._free.is_set():
            return 0.0
        return max(self._since + LONGEST - time.monotonic(), 0.0)

    def wait(self) -> None:
        if rest := self.rest():
            self._free.wait(rest)

    async def wait_in_loop(self) -> None:
        rest = self.rest()
        if not rest:
            return
        with self._lock:
            if self._free.is_set():
                return
            free = self._loops.setdefault(asyncio.get_running_loop(), asyncio.Event())
        try:
            async with asyncio.timeout(rest):
                await free.wait()
        except TimeoutError:
            return


_way = RightOfWay()
_mine = threading.local()


@contextmanager
def hurry() -> Iterator[None]:
    """While it lasts, or until `calm_down`, this thread goes first. Within another one it changes nothing."""
    if getattr(_mine, "hurries", False):
        yield
        return
    _way.take()
    _mine.hurries = True
    try:
        yield
    finally:
        calm_down()


def calm_down() -> None:
    """What this thread does next is waiting for an answer from outside: nobody need give way to that."""
    if getattr(_mine, "hurries", False):
        _mine.hurries = False
        _way.give_back()


def give_way() -> None:
    """Wait until nobody is in a hurry, for a moment at most; not for who holds what they need."""
    _way.wait()


async def give_way_in_loop() -> None:
    """As `give_way`, while the event loop goes on."""
    await _way.wait_in_loop()
