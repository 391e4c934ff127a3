"""Questions that come at the same time are answered one after the other, unless one takes long.

Python runs one thread at a time. Several that compute pass the interpreter back and forth some hundred times a
page, which costs more than it gains; waiting outside costs nothing.
"""

import asyncio
from types import TracebackType

LASTS_S = 0.02
"""After so long the next one begins beside it: a question that keeps the database busy holds up nobody."""


class Turns:
    """Who may compute; within one event loop."""

    def __init__(self, *, at_once: int = 1, lasts_s: float = LASTS_S) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._lasts_s = lasts_s

    def take(self) -> "Turn":
        """For the length of an `async with`, or until it has lasted its time."""
        return Turn(self._free, self._lasts_s)


class Turn:
    """One of them."""

    __slots__ = ("_ends", "_free", "_lasts_s")

    def __init__(self, free: asyncio.Semaphore, lasts_s: float) -> None:
        self._free = free
        self._lasts_s = lasts_s
        self._ends: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        await self._free.acquire()
        self._ends = asyncio.get_running_loop().call_later(self._lasts_s, self._end)

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        """Once, whichever comes first."""
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None
            self._free.release()
