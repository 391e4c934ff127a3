"""Ids of entities: counted by the server, or chosen by who creates them.

Both live in one table. The server goes on counting where it was and leaves out what is taken, so that
one wish for a large number does not make all later ids large.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from stadtherz.base.errors import Conflict, Invalid
from stadtherz.sql.public import Sql
from stadtherz.store.database import on_sqlite, rows_of, run

LARGEST = 2**53 - 1
"""JavaScript counts no further."""

LARGEST_STREAM = 2**31 - 1
"""Of a datastream: the ids of its readings begin with it."""

_NEXT = """
WITH RECURSIVE free (id) AS (
    SELECT {first} UNION ALL
    SELECT {other} FROM free WHERE EXISTS (SELECT 1 FROM {table} taken WHERE taken.id = free.id)
)
SELECT max(id) FROM free
"""
_COUNTED = "(SELECT seq FROM sqlite_sequence WHERE name = '{table}')"
_SEQUENCE = "nextval(pg_get_serial_sequence('{table}', 'id'))"


def next_id(table: str) -> int:
    """The next id that the server gives in this table."""
    first, other = _SEQUENCE, _SEQUENCE
    if on_sqlite():
        first, other = f"coalesce({_COUNTED}, 0) + 1", "id + 1"
    text = _NEXT.replace("{first}", first).replace("{other}", other).replace("{table}", table)
    return int(rows_of(Sql(text))[0][0])


@contextmanager
def chosen(table: str, key: int, most: int = LARGEST) -> Iterator[None]:
    """An entity gets this id within.

    Raises:
        Invalid: for what can be no id.
        Conflict: if there is an entity with this id already.
    """
    if not 1 <= key <= most:
        raise Invalid("id", f"must be a whole number from 1 to {most}")
    if rows_of(Sql(f"SELECT 1 FROM {table} WHERE id = %s", (key,))):
        raise Conflict(f"the id {key} is taken; leave it out, and the server gives one")
    counted = rows_of(Sql(f"SELECT {_COUNTED}".format(table=table))) if on_sqlite() else []
    yield
    if counted:  # SQLite goes on behind the largest id that it has ever seen
        run(
            "UPDATE sqlite_sequence SET seq = %s WHERE name = %s",
            (counted[0][0] or 0, table),
        )
