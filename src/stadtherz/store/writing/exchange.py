"""Chunks that take the place of others, and how everybody learns of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db import transaction

from stadtherz.store.arrivals.log import notify_log
from stadtherz.store.database import moving, run
from stadtherz.store.readings import rows, summaries
from stadtherz.store.readings.view import CHANGED, View, ascending, current, reading
from stadtherz.store.sealed import chunks
from stadtherz.store.sealed.chunks import Directory
from stadtherz.store.writing.insert import append_event
from stadtherz.store.writing.repair import summarise


@dataclass(frozen=True, slots=True)
class Exchange:
    """Chunks to be removed and the rows that take their place."""

    removed: list[int]
    rows: list[tuple[Any, ...]]

    def carry_out(self) -> None:
        chunks.remove(self.removed)
        chunks.insert_rows(self.rows)


def together(exchanges: Sequence[Exchange]) -> Exchange:
    """All of them as one."""
    removed = [key for exchange in exchanges for key in exchange.removed]
    return Exchange(removed, [row for exchange in exchanges for row in exchange.rows])


@dataclass(slots=True)
class Change:
    """A change under way, in a transaction of `moving` whose view is `now`."""

    now: View
    streams: set[int] = field(default_factory=set)  # whose summaries are to be made anew
    ids: list[int] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)

    def exchange(self, exchange: Exchange) -> None:
        exchange.carry_out()
        self.removed += exchange.removed
        self.now.removed = (*(self.now.removed or ()), *exchange.removed)

    def remove_stream(self, stream: int) -> None:
        """Take away all that there is of a datastream but what is in the tail."""
        gone = self.now.look_at_chunks().of(np.array([stream], np.int64))
        self.exchange(Exchange(gone.key.tolist(), []))
        rows.remove_streams([stream])
        summaries.forget([stream])
        run("DELETE FROM store_policy WHERE datastream = %s", (stream,))

    def settle(self, gone: Iterable[int] = ()) -> None:
        """Summaries, and the event from which everybody learns of the change."""
        touched = ascending(self.streams)
        summaries.write(summarise(touched, self.now))
        event = {
            "streams": [*touched.tolist(), *gone],
            "ids": self.ids,
            "removed": self.removed,
            "gone": list(gone),
        }
        append_event(CHANGED, self.now, event)
        transaction.on_commit(notify_log)


def exchange(prepare: Callable[[Directory], Exchange]) -> None:
    """Carry out what is prepared of the chunks; that comes before the writer's lock is taken.

    If something else was sealed or changed in between, it is prepared again.
    """
    with reading(sealed=True) as known:
        prepared = prepare(known.look_at_chunks())
    with moving():
        change = Change(current().copy())
        if change.now.event != known.event:
            prepared = prepare(change.now.look_at_chunks())
        if prepared.removed:
            change.exchange(prepared)
            change.settle()
