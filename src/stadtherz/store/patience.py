"""How long the database may take over what somebody asks: an expensive question must not hold up everybody."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from django.db import Error, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from stadtherz.base.errors import TooLarge
from stadtherz.store.database import database

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
        if time.monotonic() > ends:
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


@contextmanager
def _postgresql(connection: BaseDatabaseWrapper, _ends: float, seconds: float) -> Iterator[None]:
    # Within a transaction it would come back if that is rolled back, so it is said for that one alone.
    scope = "LOCAL" if connection.in_atomic_block else "SESSION"
    with connection.cursor() as cursor:
        cursor.execute(f"SET {scope} statement_timeout = {max(1, round(seconds * 1000))}")
    try:
        yield
    finally:
        with suppress(Error), connection.cursor() as cursor:  # an aborted one takes it back itself
            cursor.execute(f"SET {scope} statement_timeout TO DEFAULT")


def _was_stopped(error: OperationalError) -> bool:
    cause = error.__cause__
    return str(error) == "interrupted" or getattr(cause, "sqlstate", None) == _QUERY_CANCELED
