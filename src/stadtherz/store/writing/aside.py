"""Many rows of a table at once, for what other packages keep aside of the measurements.

Django's objects cost a hundred times what the database takes for such a row.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Model

from stadtherz.store.database import database


def put_rows(
    model: type[Model],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    key: Sequence[str] = (),
) -> None:
    """Write rows whose values stand in the order of `columns`, in the caller's transaction.

    With a `key`, columns that are unique together, a row of the same key gets the new values; its other
    columns stay. Values are what the database's driver takes: numbers, text, bytes, None.
    """
    quoted = database().ops.quote_name
    names = ", ".join(map(quoted, columns))
    places = ", ".join(["%s"] * len(columns))
    statement = f"INSERT INTO {quoted(model._meta.db_table)} ({names}) VALUES ({places})"
    if key:
        news = ", ".join(f"{quoted(c)} = excluded.{quoted(c)}" for c in columns if c not in key)
        statement += f" ON CONFLICT ({', '.join(map(quoted, key))}) DO UPDATE SET {news}"
    with database().cursor() as cursor:
        cursor.executemany(statement, [tuple(row) for row in rows])


def renew_rows(
    model: type[Model],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    since: str,
) -> None:
    """Give rows that are there new values, in the caller's transaction.

    Of each the key comes first, then the new value of the column `since`, then those of `columns`, where
    None leaves what is there. A row whose `since` is greater already stays as it is.
    """
    quoted = database().ops.quote_name
    assert model._meta.pk is not None
    assert model._meta.pk.column is not None
    key, newest = quoted(model._meta.pk.column), quoted(since)
    news = "".join(f", {quoted(c)} = coalesce(%s, {quoted(c)})" for c in columns)
    statement = (
        f"UPDATE {quoted(model._meta.db_table)} SET {newest} = %s{news}"
        f" WHERE {key} = %s AND ({newest} IS NULL OR {newest} <= %s)"
    )
    with database().cursor() as cursor:
        cursor.executemany(statement, [(at, *told, pk, at) for pk, at, *told in rows])
