"""How long the database may take over what somebody asks: an expensive question must not hold up everybody."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, cast

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from stadtherz.base.errors import TooLarge
from stadtherz.store.database import database

if TYPE_CHECKING:  # SQLite does without the driver of PostgreSQL
    from stadtherz.store.postgresql.base import DatabaseWrapper

# Instructions of SQLite's machine, some 50 ms: a short question never looks at the clock.
_LOOK_EVERY = 2_000_000
_QUERY_CANCELED = "57014"  # PostgreSQL's code for what overran statement_timeout


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """This thread's statements in here end by then: no new one begins, and one that runs is stopped.

    Raises `TooLarge`. PostgreSQL gives the whole time to each statement, so the last of several may end
    later than that.
    """
    connection = database()
    connection.ensure_connection()
    ends = time.monotonic() + seconds
    too_long = TooLarge(f"this takes longer than {seconds:g} s; ask for less at once")

    def in_time(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Mapping[str, Any]
    ) -> Any:
        if time.monotonic() > ends and not sql.startswith("ROLLBACK TO"):
            raise too_long
        return execute(sql, params, many, context)

    hurried = _sqlite if connection.vendor == "sqlite" else _postgresql
    try:
        with hurried(connection, ends, seconds), connection.execute_wrapper(in_time):
            yield
    except OperationalError as error:
        if _was_stopped(error):
            raise too_long from error
        raise


@contextmanager
def _sqlite(connection: BaseDatabaseWrapper, ends: float, _seconds: float) -> Iterator[None]:
    connection.connection.set_progress_handler(lambda: time.monotonic() > ends, _LOOK_EVERY)
    try:
        yield
    finally:
        if connection.connection is not None:
            connection.connection.set_progress_handler(None, 0)


def _postgresql(
    connection: BaseDatabaseWrapper, _ends: float, seconds: float
) -> AbstractContextManager[None]:
    return cast("DatabaseWrapper", connection).limited(max(1, round(seconds * 1000)))


def _was_stopped(error: OperationalError) -> bool:
    cause = error.__cause__
    return str(error) == "interrupted" or getattr(cause, "sqlstate", None) == _QUERY_CANCELED
