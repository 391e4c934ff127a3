"""Rows of the test database, kept aside and put back in a moment instead of being made again.

They are the database's own bytes, past Django: on SQLite the stored values, on PostgreSQL the lines of
COPY. Rows keep their ids; sequences have moved beyond them when they were made.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

from django.db import connection, transaction

T = TypeVar("T")
# For each table with rows: its columns, and each row as the database gives it.
Rows = Mapping[str, tuple[tuple[str, ...], tuple[Any, ...]]]


def kept(tables: Iterable[str] | None = None) -> Rows:
    """The rows that this connection sees, of these tables or of all."""
    read = _stored if connection.vendor == "sqlite" else _copied
    with connection.cursor() as cursor:
        if tables is None:
            found = connection.introspection.get_table_list(cursor)
            tables = [table.name for table in found if table.type == "t"]
        read_tables = ((table, read(cursor, table)) for table in tables)
        return {table: (columns, rows) for table, (columns, rows) in read_tables if rows}


def emptied_by_a_flush() -> Iterable[str]:
    """The tables of all models; that of the migrations, for example, keeps its rows."""
    return connection.introspection.django_table_names(only_existing=True, include_views=False)


def added(before: Rows, after: Rows) -> Rows:
    """What is there after and was not before; nothing may have been changed or deleted."""
    news = {}
    for table, (columns, rows) in after.items():
        known = set(before[table][1]) if table in before else set()
        assert known <= set(rows), f"{table} lost rows"
        if new := tuple(row for row in rows if row not in known):
            news[table] = (columns, new)
    assert set(before) <= set(after), "a table lost all its rows"
    return news


def put_back(rows: Rows) -> None:
    """Write the rows again; none of them may be there."""
    write = _store if connection.vendor == "sqlite" else _copy
    with transaction.atomic(), connection.cursor() as cursor:
        for table, (columns, lines) in rows.items():
            write(cursor, table, columns, lines)


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _stored(cursor: Any, table: str) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    cursor.execute(f'SELECT * FROM "{table}" LIMIT 0')
    columns = tuple(column[0] for column in cursor.description)
    # A plus keeps Python from converting what the column's type names.
    values = ", ".join(f'+"{column}"' for column in columns)
    cursor.execute(f'SELECT {values} FROM "{table}"')
    return columns, tuple(cursor.fetchall())


def _store(cursor: Any, table: str, columns: tuple[str, ...], rows: tuple[Any, ...]) -> None:
    marks = ", ".join(["%s"] * len(columns))
    cursor.executemany(f'INSERT INTO "{table}" ({_names(columns)}) VALUES ({marks})', rows)


def _copied(cursor: Any, table: str) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    cursor.execute(f'SELECT * FROM "{table}" LIMIT 0')
    columns = tuple(column[0] for column in cursor.description)
    with cursor.copy(f'COPY "{table}" ({_names(columns)}) TO STDOUT') as copy:
        text = b"".join(bytes(block) for block in copy)
    return columns, tuple(text.splitlines(keepends=True))


def _copy(cursor: Any, table: str, columns: tuple[str, ...], lines: tuple[Any, ...]) -> None:
    with cursor.copy(f'COPY "{table}" ({_names(columns)}) FROM STDIN') as copy:
        copy.write(b"".join(lines))


class Shelf:
    """Set-ups that were made once, each with the rows it consists of."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[Any, Rows]] = {}

    def fetch(self, name: str, make: Callable[[], T]) -> T:
        """What `make` gives: made the first time, later its rows are put back; ids stay the same."""
        if name in self._made:
            made, rows = self._made[name]
            put_back(rows)
        else:
            before = kept()
            made = make()
            self._made[name] = (made, added(before, kept()))
        return cast(T, made)
