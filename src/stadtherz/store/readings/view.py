"""What this process knows of the store: the tail and the summaries, as of a row of the log.

The log tells everything: readings, which of them were sealed, what was changed. A process follows
it and thereby sees what any process does. Everything here can be built anew from the database at
any moment; when the log does not continue what is known (another file, a restored backup), it is.

Inside a transaction of the caller the log may hold rows that will never be committed, so what is
learnt there is kept in a view of its own and thrown away.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import orjson

from stadtherz.base.errors import Unavailable
from stadtherz.sql.public import Sql
from stadtherz.store.database import database, rows_of, snapshot
from stadtherz.store.readings import areas, rows, summaries
from stadtherz.store.readings.areas import Pairs
from stadtherz.store.readings.keys import Keys
from stadtherz.store.readings.summaries import Summaries
from stadtherz.store.readings.tail import Tail
from stadtherz.store.sealed import chunks
from stadtherz.store.sealed.batch import SEQUENCES, Batch, Readings, decode
from stadtherz.store.sealed.chunks import Directory
from stadtherz.store.sealed.codec import Corrupt
from stadtherz.store.state import remembered
from stadtherz.store.values import Int64

READINGS, SEALED, CHANGED = 1, 2, 3
"""Kinds of log rows."""

ALL = -1  # among `with_rows`: any datastream at all

NEWEST_ROW = Sql("SELECT last, stamp FROM store_log ORDER BY last DESC LIMIT 1")
_lock = threading.RLock()


@dataclass(slots=True)
class View:
    """As of the log row that ends at position `end` and carries `stamp`."""

    end: int = 0
    stamp: int = 0
    tail: Tail = field(default_factory=Tail)
    rows: int = 0  # of the log, since it was sealed
    event: int = 0  # position of the last one
    keys: Keys = field(default_factory=Keys)
    next_sequence: dict[int, int] = field(default_factory=dict)  # of some datastreams
    streams: set[int] = field(default_factory=set)  # some that certainly exist
    features: set[int] = field(default_factory=set)
    areas: Pairs = field(default_factory=set)  # some that hold these features of their readings
    known: Summaries = field(default_factory=lambda: summaries.empty(np.empty(0, np.int64)))
    chunks: Directory | None = None  # loaded when first asked for
    removed: tuple[int, ...] | None = None  # chunks that vanished since; None: nothing happened
    with_rows: Mapping[int, bool] = field(
        default_factory=dict
    )  # of some datastreams; never changed in place

    def copy(self) -> "View":
        """A view that stays as it is when this one goes on."""
        return replace(
            self,
            tail=self.tail.copy(),
            keys=Keys(dict(self.keys.unsealed)),
            next_sequence=dict(self.next_sequence),
            streams=set(self.streams),
            features=set(self.features),
            areas=set(self.areas),
        )

    def frozen(self) -> "View":
        """For reading only: as `copy`, without what writers need."""
        nothing: set[int] = set()
        return replace(
            self,
            tail=self.tail.copy(),
            keys=Keys(),
            next_sequence={},
            streams=nothing,
            features=nothing,
            areas=set(),
        )

    # --- following the log -----------------------------------------------------------------------

    def add(self, batches: Sequence[Batch], last: int, stamp: int) -> None:
        """Follow commits of readings, the last of which ends there."""
        self.end, self.stamp = last, stamp
        self.rows += len(batches)
        readings = np.concatenate([batch.readings for batch in batches])
        self.tail.add(readings)
        self.keys.add(readings["key"], readings["id"])
        areas.remember(readings, self.areas)
        following = (readings["id"] & SEQUENCES) + 1
        self.next_sequence.update(
            zip(readings["datastream"].tolist(), following.tolist(), strict=True)
        )
        odd = readings["datastream"][~readings["plain"]].tolist()
        fresh = [s for s in (*odd, ALL) if not self.with_rows.get(s)] if odd else []
        if fresh:
            self.with_rows = {**self.with_rows, **dict.fromkeys(fresh, True)}

    def note(self, kind: int, event: dict[str, Any], last: int, stamp: int) -> None:
        """Follow an event: readings of some datastreams were sealed or changed."""
        self.end, self.stamp, self.event = last, stamp, last
        streams = np.array(event["streams"], np.int64)
        if kind == SEALED:
            self.tail.drop(streams, event["upto"])
        else:
            self.tail.drop(np.array(event["gone"], np.int64), last)
            self.streams.clear()
            self.features.clear()
            self.areas.clear()
            self.with_rows = {}
        if event.get("whole"):  # the end of a sealing: what is left came later
            self.rows = 0
            left = self.tail.of(None)
            self.keys = Keys()
            self.keys.add(left["key"], left["id"])
        self.removed = (*(self.removed or ()), *event["removed"])
        self.known = self.known[~np.isin(self.known["datastream"], streams)]

    def learn(self, sealed: Summaries) -> None:
        """Remember summaries as of the last sealing of datastreams of which none are remembered."""
        both = np.concatenate([self.known, sealed])
        self.known = both[np.argsort(both["datastream"])]

    def follow(self, rows: Iterable[tuple[int, int, int, bytes]]) -> None:
        """Follow rows of the log (last, stamp, kind, payload), commits in a row all at once."""
        for kind, some in groupby(rows, key=itemgetter(2)):
            if kind == READINGS:
                commits = list(some)
                batches = [_decoded(payload, last) for last, _, _, payload in commits]
                self.add(batches, *commits[-1][:2])
                continue
            for last, stamp, _, payload in some:
                self.note(kind, orjson.loads(bytes(payload)), last, stamp)

    def look_at_chunks(self) -> Directory:
        """The directory of sealed chunks, brought up to date."""
        if self.chunks is None:
            self.chunks = chunks.directory()
        elif self.removed is not None:
            self.chunks = chunks.renewed(self.chunks, np.array(self.removed, np.int64))
        self.removed = None
        return self.chunks

    # --- answers ---------------------------------------------------------------------------------

    def has_rows(self, streams: Iterable[int] | None) -> bool:
        """Whether any of these datastreams, or of all, has readings in the row table."""
        asked = [ALL] if streams is None else list(streams)
        unknown = [stream for stream in asked if stream not in self.with_rows]
        if unknown:
            found = (
                rows.any_of(unknown)
                if streams is not None
                else ({ALL} if rows.any_at_all() else set())
            )
            self.with_rows = {**self.with_rows, **{stream: stream in found for stream in unknown}}
        return any(self.with_rows[stream] for stream in asked)

    def unsealed(self, streams: Iterable[int] | None) -> Readings:
        """Plain readings of the tail by (datastream, phenomenon start, id)."""
        found = self.tail.of(None if streams is None else ascending(streams))
        return found if found["plain"].all() else found[found["plain"]]

    def summaries(self, streams: Int64) -> Summaries:
        """Summaries of these datastreams (ascending), the tail included."""
        found = self.sealed(streams)
        for segment in self.tail.settle():
            more, oldest = segment.summaries()
            wanted = np.isin(more["datastream"], streams, assume_unique=True)
            more, oldest = more[wanted], oldest[wanted]
            if (oldest <= found["sealed"][np.searchsorted(streams, more["datastream"])]).any():
                return self.summarised(streams, self.tail.of(streams))
            summaries.add(found, more)
        return found

    def summarised(self, streams: Int64, readings: Readings) -> Summaries:
        """Summaries of these datastreams (ascending), these unsealed readings of theirs included."""
        found = self.sealed(streams)
        later = found["sealed"][np.searchsorted(streams, readings["datastream"])]
        summaries.add(found, summaries.of_readings(readings[readings["position"] > later]))
        return found

    def sealed(self, streams: Int64) -> Summaries:
        """A copy of the summaries as of the last sealing of each."""
        missing = np.setdiff1d(streams, self.known["datastream"], assume_unique=True)
        if len(missing):
            self.learn(summaries.read(missing))
        return self.known[np.searchsorted(self.known["datastream"], streams)]


def _decoded(payload: bytes, last: int) -> Batch:
    try:
        return decode(bytes(payload), last)
    except Corrupt as error:
        way = "`stadtherz store check` says what can be done"
        raise Unavailable("store", f"{error}; {way}", retry=False) from error


_views = [View()]  # of this process, as of what is committed


@contextmanager
def reading(*, sealed: bool = False) -> Iterator[View]:
    """What is stored, held still until the end: log, chunks and rows of one moment.

    `sealed`: the directory of chunks is wanted, too.
    """
    with ExitStack() as stack:
        # Within a transaction it may wait for those who move readings, and they may wait for the lock below.
        inside = database().in_atomic_block
        if inside:
            stack.enter_context(snapshot())
        with _lock:
            if not inside:  # so that no other thread's view is ahead of this snapshot
                stack.enter_context(snapshot())
            view = current()
            if sealed:
                view.look_at_chunks()
            view.tail.settle()  # once for all who read
            frozen = view.frozen()
        yield frozen
        _share(view, frozen)


def _share(view: View, frozen: View) -> None:
    """Keep summaries that were loaded meanwhile, if nothing was sealed since."""
    with _lock:
        if view.end == frozen.end:
            view.known, view.with_rows = frozen.known, frozen.with_rows


def newest_row(found: Sequence[tuple[Any, ...]] | None = None) -> tuple[int, int]:
    """The end of the log, and the stamp of the row there; 0 if it is empty. `found`: what is there."""
    if found is None:
        found = rows_of(NEWEST_ROW, often=True)
    return (found[0][0], found[0][1]) if found else (remembered("sealed"), 0)


def current(found: Sequence[tuple[Any, ...]] | None = None) -> View:
    """The view as of now. `found`: what NEWEST_ROW gave to a caller who holds the writer's lock."""
    with _lock:
        end, stamp = newest_row(found)
        view = _views[0]
        if (view.end, view.stamp) == (end, stamp):
            return view
        private = database().in_atomic_block
        view = _continued(view.copy() if private else view) or _built(end, stamp)
        if not private:
            _views[0] = view
        return view


def _continued(view: View) -> View | None:
    """The view after what came since, or None if the log does not continue it."""
    text = "SELECT last, stamp, kind, payload FROM store_log WHERE last >= %s ORDER BY last"
    rows = rows_of(Sql(text, (view.end,)))
    if not rows or not view.stamp or tuple(rows[0][:2]) != (view.end, view.stamp):
        return None
    view.follow(rows[1:])
    return view


def _built(end: int, stamp: int) -> View:
    view = View(end, stamp)
    rows = rows_of(
        Sql(
            "SELECT last, stamp, kind, payload FROM store_log WHERE last > %s ORDER BY last",
            (remembered("sealed"),),
        )
    )
    view.follow(rows)
    return view


def committed(before: tuple[int, int], batch: Batch, last: int, stamp: int) -> bool:
    """Take a commit of this process into account without reading it back.

    False if another process had committed something before it that is still to be read.
    """
    with _lock:
        view = _views[0]
        known = (view.end, view.stamp) == before
        if known:
            view.add([batch], last, stamp)
        return known


def sealed(event: int, held: Summaries) -> None:
    """Take over summaries that this process wrote with the event, unless more has happened since."""
    with _lock:
        view = current()
        if view.event == event:
            view.known = view.known[~np.isin(view.known["datastream"], held["datastream"])]
            view.learn(held)


def forget() -> None:
    """Know nothing, as after a start; for tests and after the database was exchanged."""
    with _lock:
        _views[0] = View()


def streams_with_readings() -> set[int]:
    """All datastreams that have any."""
    with reading() as view:
        rows = rows_of(Sql("SELECT datastream FROM store_stream WHERE count > 0"))
        return {row[0] for row in rows} | set(view.tail.streams().tolist())


def ascending(streams: Iterable[int]) -> Int64:
    """Distinct datastreams in ascending order."""
    return np.unique(np.fromiter(streams, np.int64))
