"""The append log: readings in the order of their commits, and how far each consumer has come.

A position is the id of a reading. Ids are given out under the writer's lock, so whoever has read
up to a position will never miss a lower id that appears later.
"""

import threading
import time
from collections.abc import Iterable

from django.db import transaction

from stadtherz.base.time import now
from stadtherz.sql.public import Sql, compose, join
from stadtherz.store.columns import SELECTED, columns_of
from stadtherz.store.database import database, members, on_sqlite, rows_of, run
from stadtherz.store.models import Cursor
from stadtherz.store.values import LogSlice

_CHANNEL = "stadtherz_log"
_POLL = 0.5  # seconds between looks where nothing wakes us: another process on SQLite

_news = threading.Condition()
_commits = [0]  # of this process


def log_end() -> int:
    """The position behind the newest reading; 0 if there is none."""
    return int(rows_of(Sql("SELECT coalesce(max(id), 0) FROM store_observation"))[0][0])


def log_after(position: int, limit: int, *, streams: frozenset[int] | None = None) -> LogSlice:
    """The next readings behind a position, of some datastreams or (None) all.

    The slice's position is where to go on. It lies behind readings of other datastreams too, so it
    may move although the slice is empty.
    """
    end = max(log_end(), position)
    conditions = [Sql("id > %s AND id <= %s", (position, end))]
    if streams is not None:
        conditions.append(members("datastream", streams))
    template = f"SELECT {SELECTED} FROM store_observation WHERE {{}} ORDER BY id LIMIT {int(limit)}"
    rows = rows_of(compose(template, join(" AND ", conditions)))
    return LogSlice(columns_of(rows), rows[-1][0] if len(rows) == limit else end)


# --- waking --------------------------------------------------------------------------------------


def notify_log() -> None:
    """Wake this process's waiting threads; called after a commit."""
    with _news:
        _commits[0] += 1
        _news.notify_all()


def announce() -> None:
    """Within the transaction: let PostgreSQL wake the waiting threads of every process."""
    if not on_sqlite():
        run(f"NOTIFY {_CHANNEL}")


def wait_for_log(position: int, timeout: float) -> bool:
    """Wait until the log reaches beyond the position; False if it did not within `timeout` seconds.

    Must not be called inside a transaction.
    """
    deadline = time.monotonic() + timeout
    if not on_sqlite():
        run(f"LISTEN {_CHANNEL}")
    while True:
        seen = _commits[0]
        if log_end() > position:
            return True
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        _doze(min(left, _POLL), seen)


def _doze(seconds: float, seen: int) -> None:
    if on_sqlite():
        with _news:
            _news.wait_for(lambda: _commits[0] != seen, seconds)
        return
    with database().wrap_database_errors:  # so that a lost connection looks like everywhere else
        for _ in database().connection.notifies(timeout=seconds, stop_after=1):
            pass


# --- cursors -------------------------------------------------------------------------------------


def cursor(consumer: str) -> int | None:
    """Where the consumer stands; None if it never moved."""
    return Cursor.objects.filter(consumer=consumer).values_list("position", flat=True).first()


def locked_cursor(consumer: str, *, wait: bool) -> int | None:
    """As `cursor`, and no other process gets it before this transaction ends.

    A consumer without a cursor starts at 0. None means that another process has it and we were
    told not to wait.
    """
    if not Cursor.objects.filter(consumer=consumer).exists():
        Cursor.objects.bulk_create(
            [Cursor(consumer=consumer, position=0, moved_at=now())], ignore_conflicts=True
        )
    rows = Cursor.objects.filter(consumer=consumer)
    if not on_sqlite():  # there a transaction excludes every other writer
        rows = rows.select_for_update(skip_locked=not wait)
    return rows.values_list("position", flat=True).first()


def move_cursor(consumer: str, position: int) -> None:
    """Remember how far the consumer has come; belongs into the transaction of its effects."""
    Cursor.objects.update_or_create(
        consumer=consumer, defaults={"position": position, "moved_at": now()}
    )


def move_cursors_to_end(consumers: Iterable[str]) -> None:
    """Let these consumers skip everything that is in the log now."""
    with transaction.atomic():
        end = log_end()
        for consumer in consumers:
            move_cursor(consumer, end)
