"""Django's backend for PostgreSQL, but what comes before a statement goes to the server with it.

Django asks `SELECT 1` to see whether a connection is still there, and the driver says BEGIN on its own before the
first statement of a transaction. Each is a way to the server and back, during which Python's interpreter goes to
another thread. Here BEGIN, the time limit and what `with_next` adds stand in front of the statement that follows,
and whether a connection is still there is seen by its socket.
"""

import itertools
import re
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg.errors import Diagnostic, Error
from psycopg.pq import TransactionStatus

if TYPE_CHECKING:
    from stadtherz.store.database import Met

ASKED_EVERY_S = 5.0
"""A connection in use is asked so often all the same: a server that lost its power says no goodbye."""

MOST_PLANS = 100
"""Statements of which a connection keeps the plan; the server holds some 50 kB for each."""

Limit = int | None
"""Milliseconds that a statement may take; None is what the server is set to."""

_UNKNOWN = -1
_IDLE, _FAILED = int(TransactionStatus.IDLE), int(TransactionStatus.INERROR)
_INT64 = range(-(2**63), 2**63)
_MARKS = re.compile("%[s%]")
_GOODBYES = ("57P", "25P03", "25P04")  # somebody ended it, or it was too long without work

_Ahead = list[tuple[str, "Met | None"]]


class _Together(CursorWrapper):
    """A cursor that sends what has to be said first together with its statement."""

    def _execute(self, sql: Any, params: Any, *ignored: Any) -> Any:
        takes_several = type(self.cursor) is base.Cursor
        if not (takes_several and isinstance(sql, str)):
            self.db.say()
            return self._noted(sql, params, *ignored)
        ahead = self.db.ahead()
        if not ahead:
            result = self._noted(sql, params, *ignored)
        else:
            before = "; ".join(text for text, _ in ahead)
            if params is not None:
                before = before.replace("%", "%%")
            result = self._noted(f"{before}; {sql}", params, *ignored)
            self.db.look_at(self.cursor, ahead)
        if sql.startswith("ROLLBACK TO"):
            self.db.part_is_lost()
        return result

    def _executemany(self, sql: Any, param_list: Any, *ignored: Any) -> Any:
        self.db.say()
        return super()._executemany(sql, param_list, *ignored)  # type: ignore[misc]

    def callproc(self, *arguments: Any, **named: Any) -> Any:
        self.db.say()
        return super().callproc(*arguments, **named)

    def copy(self, *arguments: Any, **named: Any) -> Any:
        self.db.say()
        return self.cursor.copy(*arguments, **named)

    def _noted(self, sql: Any, params: Any, *ignored: Any) -> Any:
        try:
            return super()._execute(sql, params, *ignored)  # type: ignore[misc]
        except BaseException:
            self.db.message_is_lost()
            raise


class _TogetherInDebug(_Together, base.CursorDebugWrapper):
    """The same for who counts statements."""


class DatabaseWrapper(base.DatabaseWrapper):
    """One connection; like Django's it belongs to one thread."""

    health_check_done: bool

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._limit: Limit = None
        self._required: list[tuple[str, Sequence[Any], Met]] = []
        self._within = False  # whether Django wants a transaction around what comes
        self._forget()

    def _forget(self) -> None:
        """As a connection is that nobody has used yet."""
        self._said: Limit = None  # the limit that holds outside of transactions
        self._in_force: Limit = None  # that of the transaction
        self._unsure = False  # whether a limit was said that is taken back if the statement fails
        self._begin = ""
        self._next: list[str] = []
        self._plans: OrderedDict[str, str] = OrderedDict()  # names by text
        self._planned = 0  # so many names were given
        self._planning: list[str] = []  # what has to be said before a plan is asked for
        self._outdated = False  # whether the server has plans that nobody asks for any more
        self._leaving = False
        self._asked_at = time.monotonic()

    # --- what goes with the next statement -----------------------------------------------------------

    def with_next(self, text: str, parameters: Sequence[Any] = ()) -> None:
        """A statement that goes with the next one of this transaction, or with its end.

        Nobody hears what it gives; if it fails, that next one does.
        """
        self.ensure_connection()
        self._next.append(
            self.connection.cursor().mogrify(text, parameters) if parameters else text
        )

    def require(self, text: str, parameters: Sequence[Any], met: "Met") -> None:
        """A statement that goes with the next one, before whose answer `met` looks at what it gives.

        It holds for the next connection, too, if this one is lost. `settle` ends it, or `forget_required`.
        """
        self._required.append((text, parameters, met))

    def settle(self) -> None:
        """Look at what was required and nothing was asked after."""
        if self._required:
            with self.cursor():
                self.say()
        assert not self._required, "a transaction that failed answers no question"

    def forget_required(self) -> None:
        self._required.clear()

    def begin_with_next(self, text: str) -> None:
        """A transaction of this kind begins with the next statement; who says so commits it."""
        self._begin = text

    def planned(self, text: str, parameters: Sequence[Any]) -> str:
        """The statement as a call of a plan that the server keeps: planning may take thrice what it takes to answer.

        It must be the next one of a cursor that is open. What its parameters are has to follow from the text.
        """
        if any(type(value) is int and value not in _INT64 for value in parameters):
            return text  # the server would refuse what as a number in the text fits nothing
        name = self._plans.get(text) or self._plan(text)
        self._plans.move_to_end(text)
        return (
            f"EXECUTE {name}({', '.join(['%s'] * len(parameters))})"
            if parameters
            else f"EXECUTE {name}"
        )

    def _plan(self, text: str) -> str:
        if len(self._plans) >= MOST_PLANS:
            _, oldest = self._plans.popitem(last=False)
            self._planning.append(f"DEALLOCATE {oldest}")
        if self._outdated:
            self._planning.append("DEALLOCATE ALL")
            self._outdated = False
        self._planned += 1
        name = self._plans[text] = f"stadtherz_{self._planned}"
        self._planning.append(f"PREPARE {name} AS {_numbered(text)}")
        return name

    @contextmanager
    def limited(self, milliseconds: int) -> Iterator[None]:
        """No statement in here may take longer; it is said when there is one."""
        before, self._limit = self._limit, milliseconds
        try:
            yield
        finally:
            self._limit = before

    def ahead(self) -> _Ahead:
        """What has to be said before the next statement, and who looks at what it gives; it counts as said."""
        self._unsure = False
        if self.connection is None:
            return []
        status = self.connection.pgconn.transaction_status
        if status == _FAILED:  # takes nothing but its end
            return []
        texts: list[str] = []
        if status == _IDLE and (begin := self._begin or ("BEGIN" if self._within else "")):
            texts.append(begin)
            self._in_force, self._begin = self._said, ""
        elif status == _IDLE:
            return self._in_order(self._limit_outside())
        if self._in_force != self._limit:
            texts.append(_limit("LOCAL", self._limit))
            self._in_force = self._limit
        texts += self._next
        self._next.clear()
        return self._in_order(texts)

    def _in_order(self, texts: list[str]) -> _Ahead:
        """These, then plans for what follows them, and what is required."""
        required = [(self._with_values(text, values), met) for text, values, met in self._required]
        texts += self._planning
        self._planning.clear()
        return [*((text, None) for text in texts), *required]

    def _with_values(self, text: str, parameters: Sequence[Any]) -> str:
        return self._merged(self.planned(text, parameters), parameters)

    def _merged(self, text: str, parameters: Sequence[Any]) -> str:
        if not parameters:
            return text
        if all(type(value) is int for value in parameters):
            return text % tuple(parameters)
        return str(self.connection.cursor().mogrify(text, parameters))

    def look_at(self, cursor: Any, ahead: _Ahead) -> None:
        """Have looked at what was required; leaves the cursor at what its own statement gave."""
        for _, met in ahead:
            if met is not None:
                self._required.pop(0)
                met(cursor.fetchall())
            cursor.nextset()

    def _limit_outside(self) -> list[str]:
        """It stays until another is wanted: questions that follow one another say it once."""
        if self._said == self._limit:
            return []
        self._said, self._unsure = self._limit, True
        return [_limit("SESSION", self._limit)]

    def part_is_lost(self) -> None:
        """Part of a transaction was rolled back, and with it perhaps a limit."""
        self._in_force = _UNKNOWN

    def message_is_lost(self) -> None:
        """Of a message that failed nobody knows how far it came, and a table may have another form now."""
        self._in_force = _UNKNOWN
        if self._unsure:
            self._said = _UNKNOWN
        if self._plans:
            self._plans.clear()
            self._planning.clear()
            self._outdated = True

    def say(self) -> None:
        """Send what has to be said first on its own."""
        if ahead := self.ahead():
            self._send(ahead)

    def _send(self, ahead: _Ahead, *more: str) -> None:
        try:
            with self.wrap_database_errors:
                cursor = self.connection.execute("; ".join([*(text for text, _ in ahead), *more]))
        except BaseException:
            self.message_is_lost()
            raise
        self.look_at(cursor, ahead)

    # --- Django's own doors ----------------------------------------------------------------------------

    def get_new_connection(self, conn_params: Any) -> Any:
        self._forget()
        connection = super().get_new_connection(conn_params)
        connection.add_notice_handler(self._hear)
        connection.autocommit = True  # for good: it is we who say BEGIN
        return connection

    def _set_autocommit(self, autocommit: bool) -> None:
        self._within = not autocommit
        if autocommit and self.connection.pgconn.transaction_status != _IDLE:
            super()._set_autocommit(autocommit)  # type: ignore[misc]  # which says what is wrong

    def _commit(self) -> None:
        if self._next and (ahead := self.ahead()):
            self._send(ahead, "COMMIT")
        self._begin = ""
        self._next.clear()
        super()._commit()  # type: ignore[misc]

    def _rollback(self) -> None:
        self._begin = ""
        self._next.clear()
        super()._rollback()  # type: ignore[misc]

    def make_cursor(self, cursor: Any) -> CursorWrapper:
        return _Together(cursor, self)

    def make_debug_cursor(self, cursor: Any) -> Any:
        return _TogetherInDebug(cursor, self)

    def create_cursor(self, name: str | None = None) -> Any:
        cursor = super().create_cursor(name)
        if name and self._within:  # Django goes by the driver, which knows of no transaction
            cursor._withhold = False
        return cursor

    # --- whether it is still there ---------------------------------------------------------------------

    def close_if_health_check_failed(self) -> None:
        if not (self.connection is None or self.health_check_done) and self._looks_well():
            self.health_check_done = True
            return
        super().close_if_health_check_failed()

    def _looks_well(self) -> bool:
        """Whether it was asked a moment ago, and nothing has come since that says it is at its end.

        A server that goes says so and closes the connection; both can be read here without waiting.
        """
        now = time.monotonic()
        if now - self._asked_at > ASKED_EVERY_S:
            self._asked_at = now
            return False
        try:
            self.connection.pgconn.consume_input()
            self.connection.pgconn.is_busy()  # so that what has come is understood
        except Error:
            return False
        return not self._leaving

    def _hear(self, notice: Diagnostic) -> None:
        if (notice.sqlstate or "").startswith(_GOODBYES):
            self._leaving = True


def _limit(scope: str, limit: Limit) -> str:
    value = "TO DEFAULT" if limit is None else f"= {limit}"
    return f"SET {scope} statement_timeout {value}"


def _numbered(text: str) -> str:
    """The text as the server takes it: its places for parameters have numbers."""
    number = itertools.count(1)
    return _MARKS.sub(lambda mark: "%" if mark[0] == "%%" else f"${next(number)}", text)
