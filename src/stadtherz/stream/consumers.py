"""Who reacts to the log, and one step of reacting: read, act and move the cursor together."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stadtherz.base.errors import Conflict
from stadtherz.store.public import (
    LogSlice,
    cursor,
    exclusive,
    locked_cursor,
    log_after,
    log_end,
    move_cursor,
    move_cursors_to_end,
)

log = logging.getLogger(__name__)

LARGEST_SLICE = 500  # readings handed over at once
_SMALLEST_SLICE = 20
_LONG, _SHORT = 0.15, 0.05  # seconds that a step may hold up all who write on SQLite, roughly


@dataclass(frozen=True, slots=True)
class Consumer:
    """Something that reacts to new readings.

    `handle` gets each reading at least once, in the order of the log, inside the transaction that
    moves the cursor: what it writes to the database happens exactly once, readings it appends
    included. What goes outside the database belongs into an outbox table. On SQLite nobody else
    writes meanwhile, so it must be quick. `streams` limits the datastreams (None: all); it is asked
    before each slice. `name` is the key of the durable cursor. A handler to whom the slice is too much
    says how many of its readings, from the first on, it has dealt with; the others come again. `urgent`
    for what people wait for: it does not wait for those that are not.
    """

    name: str
    handle: Callable[[LogSlice], int | None]
    streams: Callable[[], frozenset[int]] | None = None
    urgent: bool = False


@dataclass(slots=True)
class Pace:
    """How many readings a step takes, so that it is neither long nor wasteful."""

    most: int = LARGEST_SLICE
    held: float = 0.0  # seconds of the last step in which nobody else wrote on SQLite
    behind: bool = False  # the last slice was as large as it may be: there is more

    def adapt(self, took: float) -> None:
        """Choose the next slice by the seconds the last one took."""
        self.held = took
        if took > _LONG:
            self.most = max(self.most // 2, _SMALLEST_SLICE)
        elif took < _SHORT:
            self.most = min(self.most * 2, LARGEST_SLICE)


_consumers: dict[str, Consumer] = {}


def register(consumer: Consumer) -> None:
    """Make the consumer known to this process; the same one may be registered again."""
    known = _consumers.setdefault(consumer.name, consumer)
    if known != consumer:
        raise Conflict(f"there is another consumer named {consumer.name}")


def unregister(name: str) -> None:
    """Forget a consumer; its cursor stays. For tests."""
    _consumers.pop(name, None)


def registered() -> list[Consumer]:
    return list(_consumers.values())


def consumers_at_end(names: Iterable[str]) -> None:
    """Let these consumers skip what is in the log now, such as an imported history."""
    move_cursors_to_end(names)


def drain() -> None:
    """Run every registered consumer to the end of the log; a handler's error comes out here."""
    for consumer in registered():
        while step(consumer, wait=True):
            pass


def glance(consumer: Consumer, position: int, *, until: int | None = None) -> LogSlice:
    """The next reading for the consumer behind the position; takes no lock and moves nothing.

    Who knows where the log ends says `until` there.
    """
    return log_after(position, 1, streams=_streams(consumer), until=until)


def unread() -> dict[str, int]:
    """Where each consumer of this process has a reading before it that it has not seen; the others are left out."""
    found: dict[str, int] = {}
    for consumer in registered():
        piece = glance(consumer, cursor(consumer.name) or 0)
        if len(piece.columns):
            found[consumer.name] = piece.position
    return found


def _streams(consumer: Consumer) -> frozenset[int] | None:
    return None if consumer.streams is None else consumer.streams()


def step(consumer: Consumer, *, wait: bool, pace: Pace | None = None) -> bool:
    """Hand over the next slice. False if there is nothing (left) to do.

    With `wait` False a consumer that another process is running counts as nothing to do.
    """
    pace = pace or Pace()
    if log_end() <= (cursor(consumer.name) or 0):
        return False
    with exclusive():
        began = time.monotonic()  # waiting for one's turn does not count
        position = locked_cursor(consumer.name, wait=wait)
        if position is None:
            return False
        streams = _streams(consumer)
        piece = log_after(position, pace.most, streams=streams)
        pace.behind = len(piece.columns) >= pace.most
        done = consumer.handle(piece) if len(piece.columns) else None
        if done is not None and done < len(piece.columns):
            pace.behind = True
            piece = log_after(position, done, streams=streams)
        if piece.position != position:
            move_cursor(consumer.name, piece.position)
    pace.adapt(time.monotonic() - began)
    return True
