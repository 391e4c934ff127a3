"""The only module of the engine with a connection: statements in, rows out."""

from typing import Any

import orjson
from django.db import DataError, connection  # noqa: TID251 - this is the place for it

from stadtherz.base.errors import Invalid
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.query.tables import Reader
from stadtherz.sql.public import Sql, dialect_of
from stadtherz.store import public as store

Row = tuple[Any, ...]


def reader_for(visibility: Visibility) -> Reader:
    connection.ensure_connection()
    return Reader(visibility, dialect_of(connection))


def rows(statement: Sql, *, often: bool = False) -> list[Row]:
    """All rows of the statement. `often`: one with this text is asked again and again.

    Raises:
        Invalid: if a value of the query is beyond what the engine can express.
    """
    statement = statement.whole
    with connection.cursor() as cursor:
        try:
            text = store.planned(statement) if often else statement.text
            cursor.execute(text, statement.parameters)
            return list(cursor.fetchall())
        except (DataError, OverflowError):
            raise Invalid("query", "a value is too large to compute with") from None


def loaded(document: Any) -> Any:
    """JSON out of a row, which the engines give as text or not."""
    return orjson.loads(document) if isinstance(document, str) else document


def scalar(statement: Sql) -> int:
    return int(rows(statement)[0][0])
