"""The one database connection of this thread, and how to write once for both engines."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, cast

from django.db import DataError, Error, OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from stadtherz.base.errors import Invalid, Unavailable
from stadtherz.sql.public import Sql

if TYPE_CHECKING:  # SQLite does without the driver of PostgreSQL
    from stadtherz.store.postgresql.base import DatabaseWrapper

# Any numbers that nothing else in the database uses.
_WRITER_LOCK = 7_834_671
_MOVER_LOCK = 7_834_672

# Those who move take the locks in this order, too, so nobody waits in a circle.
_LOCKS = (
    f"SELECT pg_advisory_xact_lock_shared({_MOVER_LOCK}), pg_advisory_xact_lock({_WRITER_LOCK})"
)

Met = Callable[[list[tuple[Any, ...]]], None]
"""Looks at the rows of a statement, and raises what is the matter with them."""

ID_RANGE = range(2**63)
"""What an id can be; the engines fail with greater numbers instead of finding nothing."""


def database() -> BaseDatabaseWrapper:
    """This thread's connection."""
    return connections["default"]


def on_sqlite() -> bool:
    return database().vendor == "sqlite"


def postgresql() -> "DatabaseWrapper":
    """This thread's connection where it is one to PostgreSQL."""
    return cast("DatabaseWrapper", database())


def rows_of(sql: Sql, *, often: bool = False) -> list[tuple[Any, ...]]:
    """All rows that the statement gives. `often`: one with this text is asked again and again."""
    sql = sql.whole
    with database().cursor() as cursor:
        try:
            cursor.execute(planned(sql) if often else sql.text, sql.parameters)
        except DataError as error:
            raise Invalid("$filter", "the numbers in it cannot be computed") from error
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def planned(sql: Sql) -> str:
    """The text of a statement that is asked often, for a cursor that is open: the engine keeps its plan.

    SQLite's driver does so by itself.
    """
    return sql.text if on_sqlite() else postgresql().planned(sql.text, sql.parameters)


def rows_of_each(statements: Sequence[Sql]) -> list[list[tuple[Any, ...]]]:
    """As `rows_of` for several statements that are asked often; PostgreSQL gets them in one message."""
    if on_sqlite() or len(statements) < 2:
        return [rows_of(statement, often=True) for statement in statements]
    wholes = [statement.whole for statement in statements]
    with database().cursor() as cursor:
        text = "; ".join(planned(whole) for whole in wholes)
        cursor.execute(text, [value for whole in wholes for value in whole.parameters])
        found = [cursor.fetchall()]
        while cursor.nextset():
            found.append(cursor.fetchall())
    return found


def run_at_last(text: str, parameters: Sequence[Any] = ()) -> None:
    """Run a statement of which nobody needs an answer; PostgreSQL gets it with what follows, or with the end.

    Within a transaction that fails if it does.
    """
    if on_sqlite():
        run(text, parameters)
    else:
        postgresql().with_next(text, parameters)


def run(text: str, parameters: Sequence[Any] = ()) -> int:
    """Run a statement and say how many rows it changed."""
    with database().cursor() as cursor:
        cursor.execute(text, parameters)
        return int(cursor.rowcount)


class _Turns:
    """Lets one thread at a time through, in the order in which they came. Whose turn it is may ask again."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._issued = 0
        self._served = 0
        self._holder: int | None = None

    @contextmanager
    def take(self) -> Iterator[None]:
        me = threading.get_ident()
        if self._holder == me:
            yield
            return
        with self._changed:
            ticket = self._issued
            self._issued += 1
            self._changed.wait_for(lambda: self._served == ticket)
            self._holder = me
        try:
            yield
        finally:
            with self._changed:
                self._served += 1
                self._holder = None
                self._changed.notify_all()


_turns = _Turns()


@contextmanager
def exclusive() -> Iterator[None]:
    """A transaction; on SQLite, those of this process get their turn in the order they ask.

    SQLite itself makes waiters look again and again, and a busy writer always comes before them.
    """
    in_turn = on_sqlite() and not database().in_atomic_block
    outermost = not database().in_atomic_block
    try:
        with _turns.take() if in_turn else nullcontext(), transaction.atomic():
            yield
    except OperationalError as error:
        if outermost and _is_full(error):
            reason = "the disk of the database is full; nothing of this was kept"
            raise Unavailable("database", reason, retry=True) from error
        raise


def commit_lazily() -> None:
    """From now on this thread's commits do not wait for the disk: for work that the log would have repeated.

    A power cut may take the last of them back. What somebody else acknowledges it cannot: the log of either
    engine is written in order, so a commit that waits makes all before it last, too.
    """
    if database().in_atomic_block:
        return
    run("PRAGMA synchronous=NORMAL" if on_sqlite() else "SET synchronous_commit TO off")


_WRITES = ("INSERT", "UPDATE", "DELETE", "BEGIN IMMEDIATE")


def queue_up(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Receiver of Django's connection_created: single statements that write take their turn, too.

    Else a thread that writes one row now and then would hardly come through between those who write all
    the time.
    """
    if connection.vendor == "sqlite" and _in_turn not in connection.execute_wrappers:
        connection.execute_wrappers.append(_in_turn)


def _in_turn(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Mapping[str, Any]
) -> Any:
    if context["connection"].in_atomic_block or not sql.startswith(_WRITES):
        return execute(sql, params, many, context)
    with _turns.take():
        return execute(sql, params, many, context)


def _is_full(error: OperationalError) -> bool:
    """SQLITE_FULL, and PostgreSQL's disk_full (class 53)."""
    return "disk is full" in str(error) or getattr(error.__cause__, "sqlstate", None) == "53100"


@contextmanager
def snapshot() -> Iterator[None]:
    """All statements of this thread see one state of the database until the end.

    Within a transaction on SQLite nobody else writes anyway. Within one on PostgreSQL each
    statement sees what is committed by then, so those who move readings from table to table are
    asked to wait for its end.
    """
    connection = database()
    if connection.in_atomic_block:
        if not on_sqlite():
            run("SELECT pg_advisory_xact_lock_shared(%s)", (_MOVER_LOCK,))
        yield
        return
    if on_sqlite():
        run("BEGIN")
    else:
        postgresql().begin_with_next("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        yield
    finally:
        with suppress(Error):  # a lost connection has ended its transaction itself
            _end(connection)


def _end(connection: Any) -> None:
    """Also when the time is over within which a statement may begin."""
    if connection.connection is not None:
        with connection.wrap_database_errors:
            connection._commit()


@contextmanager
def moving() -> Iterator[None]:
    """As `writing`, for those who move readings from one table to another."""
    with exclusive():
        if not on_sqlite():
            run("SELECT pg_advisory_xact_lock(%s)", (_MOVER_LOCK,))
        with writing():
            yield


@contextmanager
def writing(*, from_first: bool = False) -> Iterator[None]:
    """A transaction in which no other process gives out ids of readings.

    So ids are in the order of commits, and a reader of the log that has seen an id will never find
    a lower one later. SQLite has one writer anyway (IMMEDIATE). `from_first`: it is enough if that is so from
    the first statement on.
    """
    with exclusive():
        if not on_sqlite():
            (run_at_last if from_first else run)(_LOCKS)
        yield


def members(column: str, values: Iterable[int]) -> Sql:
    """The condition that an integer column is one of the values."""
    found = [value for value in values if value in ID_RANGE]
    if len(found) == 1:
        return Sql(f"{column} = %s", tuple(found))
    if on_sqlite():
        return Sql(f"{column} IN (SELECT value FROM json_each(%s))", (str(found),))
    return Sql(f"{column} = ANY(%s::bigint[])", (found,))


def listed(values: Iterable[int]) -> Sql:
    """The values as a table with one column, `value`."""
    found = [value for value in values if value in ID_RANGE]
    if on_sqlite():
        return Sql("json_each(%s)", (str(found),))
    return Sql("unnest(%s::bigint[]) AS listed (value)", (found,))
