"""What has come from a broker and is not stored yet; whoever puts waits while there is too much."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from stadtherz.base.time import Micros

_MOST = 5_000
_MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """`acknowledge` tells the broker that it is on disk; once the link is gone it does nothing."""

    topic: str
    payload: bytes
    received: Micros
    acknowledge: Callable[[], object]


class Inbox:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._rung = False

    def put(self, message: Message, *, may_wait: Callable[[], bool]) -> None:
        """Waits for room as long as `may_wait`: so the broker is told, by TCP, to send no more."""
        with self._changed:
            while self._full and may_wait():
                self._changed.wait(0.2)
            self._messages.append(message)
            self._bytes += len(message.payload)
            self._changed.notify_all()

    @property
    def _full(self) -> bool:
        return len(self._messages) >= _MOST or self._bytes >= _MOST_BYTES

    def take(self, most: int, seconds: float) -> list[Message]:
        """The next ones; none if nothing came in that time or somebody rang."""
        with self._changed:
            self._changed.wait_for(lambda: self._messages or self._rung, seconds)
            self._rung = False
            taken = [self._messages.popleft() for _ in range(min(most, len(self._messages)))]
            self._bytes -= sum(len(message.payload) for message in taken)
            self._changed.notify_all()
        return taken

    def ring(self) -> None:
        """Let whoever takes look around."""
        with self._changed:
            self._rung = True
            self._changed.notify_all()
