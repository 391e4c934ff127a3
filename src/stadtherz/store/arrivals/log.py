"""The append log: readings in the order of their commits, and how far each consumer has come.

A position counts what was committed. Positions are given out under the writer's lock, so whoever
has read up to one will never miss a lower one that appears later.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import orjson
from django.db import transaction

from stadtherz.base.time import now
from stadtherz.sql.public import Sql
from stadtherz.store.database import database, on_sqlite, rows_of, run
from stadtherz.store.models import Cursor
from stadtherz.store.readings.reads import by_id
from stadtherz.store.readings.view import newest_row
from stadtherz.store.sealed.batch import decode, take
from stadtherz.store.sealed.columns import from_batch, numbers_only, taken, together
from stadtherz.store.values import Columns, LogSlice

_CHANNEL = "stadtherz_log"
_AT_ONCE = 100  # rows of the log
_POLL = 0.1  # seconds between looks at SQLite's file: another process wakes nobody
_NAP = 0.25  # seconds that a stop waits for us at most on PostgreSQL, which wakes us itself

_news = threading.Condition()
_commits = [0]  # of this process


def log_end() -> int:
    """The position behind the newest reading; 0 if there is none."""
    return newest_row()[0]


def log_after(
    position: int,
    limit: int,
    *,
    streams: frozenset[int] | None = None,
    until: int | None = None,
) -> LogSlice:
    """The next readings behind a position, of some datastreams or (None) all, at most `until` another.

    They come with the values they have now: what was corrected since is corrected, what was
    deleted is left out. The slice's position is where to go on. It lies behind readings of other
    datastreams too, so it may move although the slice is empty.
    """
    end = max(log_end() if until is None else until, position)
    parts: list[Columns] = []
    if streams is not None and not streams:  # as without rules: nothing is read for nobody
        return LogSlice(together(parts), end)
    held, reached = 0, position
    for row in _rows_behind(position):
        if until is not None and reached >= until:
            break
        part, last = _piece(row, Between(position, until), limit - held, streams)
        held += len(part)
        reached = last
        parts.append(part)
        if held >= limit:
            return LogSlice(_as_now(together(parts), position), reached)
    return LogSlice(_as_now(together(parts), position), max(reached, end))


def _rows_behind(position: int) -> Iterator[tuple[int, bytes]]:
    """Log rows of readings that end behind the position, some at a time."""
    text = "SELECT last, payload FROM store_log WHERE last > %s AND kind = 1 ORDER BY last LIMIT %s"
    while rows := rows_of(Sql(text, (position, _AT_ONCE))):
        yield from rows
        position = rows[-1][0]
        if len(rows) < _AT_ONCE:
            return


class Between(NamedTuple):
    """Positions behind the first and up to the second, if there is one."""

    after: int
    until: int | None


def _piece(
    row: tuple[int, bytes], between: Between, limit: int, streams: frozenset[int] | None
) -> tuple[Columns, int]:
    """The wanted readings of a log row, at most `limit`, and the position behind them."""
    last, payload = row
    batch = decode(bytes(payload), last)
    wanted = batch.readings["position"] > between.after
    if between.until is not None and last > between.until:
        wanted &= batch.readings["position"] <= between.until
        last = between.until
    if streams is not None:
        listed = np.fromiter(streams, np.int64, len(streams))
        wanted &= np.isin(batch.readings["datastream"], listed)
    places = np.flatnonzero(wanted)
    if len(places) > limit:
        places = places[:limit]
        last = int(batch.readings["position"][places[-1]])
    part = take(batch, places)
    return from_batch(part.readings, part.extras), last


def _as_now(columns: Columns, position: int) -> Columns:
    """The readings without those that were deleted meanwhile, and with what was corrected."""
    if not len(columns):
        return columns
    text = "SELECT payload FROM store_log WHERE kind <> 1 AND kind = 3 AND last > %s"
    events = [orjson.loads(bytes(row[0])) for row in rows_of(Sql(text, (position,)))]
    if not events:
        return columns
    gone = [stream for event in events for stream in event["gone"]]
    changed = np.array([key for event in events for key in event["ids"]], np.int64)
    touched = np.isin(columns.id, changed) | np.isin(columns.datastream, np.array(gone, np.int64))
    if not touched.any():
        return columns
    now = by_id(columns.id[touched].tolist())
    both = together([taken(columns, ~touched), now])
    arrival = {key: place for place, key in enumerate(columns.id.tolist())}
    order = np.argsort([arrival[key] for key in both.id.tolist()])
    return numbers_only(taken(both, order.astype(np.int64)))


# --- waking --------------------------------------------------------------------------------------


def notify_log() -> None:
    """Wake this process's waiting threads; called after a commit."""
    with _news:
        _commits[0] += 1
        _news.notify_all()


def announcing() -> str:
    """The end of an INSERT that lets PostgreSQL wake the waiting threads of every process."""
    return "" if on_sqlite() else f" RETURNING pg_notify('{_CHANNEL}', '')"


def wait_for_log(position: int, timeout: float) -> bool:
    """Wait until the log reaches beyond the position; False if it did not within `timeout` seconds.

    Must not be called inside a transaction.
    """
    deadline = time.monotonic() + timeout
    if not on_sqlite():
        run(f"LISTEN {_CHANNEL}")
    while True:
        seen = _signs()
        if log_end() > position:
            return True
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        _doze(left, seen)


_Signs = tuple[int, int, int]


def _signs() -> _Signs:
    """What changes when this process has committed, or, on SQLite, another one has written its file.

    Asking the database each time would keep a server that has nothing to do busy.
    """
    if not on_sqlite():
        return _commits[0], 0, 0
    try:
        written = Path(f"{database().settings_dict['NAME']}-wal").stat()
    except OSError:  # nothing was written yet
        return _commits[0], 0, 0
    return _commits[0], written.st_mtime_ns, written.st_size


def _doze(seconds: float, seen: _Signs) -> None:
    """Until there may be something new; on PostgreSQL a nap at most."""
    if on_sqlite():
        until = time.monotonic() + seconds
        with _news:
            while _signs() == seen and (left := until - time.monotonic()) > 0:
                _news.wait(min(left, _POLL))
        return
    with database().wrap_database_errors:  # so that a lost connection looks like everywhere else
        for _ in database().connection.notifies(timeout=min(seconds, _NAP), stop_after=1):
            pass


# --- cursors -------------------------------------------------------------------------------------


def cursor(consumer: str) -> int | None:
    """Where the consumer stands; None if it never moved."""
    rows = rows_of(Sql("SELECT position FROM store_cursor WHERE consumer = %s", (consumer,)))
    return rows[0][0] if rows else None


def locked_cursor(consumer: str, *, wait: bool) -> int | None:
    """As `cursor`, and no other process gets it before this transaction ends.

    A consumer without a cursor starts at 0. None means that another process has it and we were
    told not to wait.
    """
    rows = Cursor.objects.filter(consumer=consumer).values_list("position", flat=True)
    if not on_sqlite():  # there a transaction excludes every other writer
        rows = rows.select_for_update(skip_locked=not wait)
    position = rows.first()
    if position is None and not Cursor.objects.filter(consumer=consumer).exists():
        Cursor.objects.bulk_create(
            [Cursor(consumer=consumer, position=0, moved_at=now())], ignore_conflicts=True
        )
        position = rows.first()
    return position


def move_cursor(consumer: str, position: int) -> None:
    """Remember how far the consumer has come; belongs into the transaction of its effects."""
    values = {"position": position, "moved_at": now()}
    if not Cursor.objects.filter(consumer=consumer).update(**values):
        Cursor.objects.update_or_create(consumer=consumer, defaults=values)


def move_cursors_to_end(consumers: Iterable[str]) -> None:
    """Let these consumers skip everything that is in the log now."""
    with transaction.atomic():
        end = log_end()
        for consumer in consumers:
            move_cursor(consumer, end)
