"""A table with a column of each kind, the same on both engines."""

import json
from typing import Any

from django.db import connections

from stadtherz.base.expressions import Column, Kind
from stadtherz.sql.public import Source, Sql, dialect_of, install_functions
from stadtherz.sql.tests.trees import ROWS

_KINDS = {
    "id": Kind.NUMBER,
    "number": Kind.NUMBER,
    "whole": Kind.NUMBER,
    "text": Kind.TEXT,
    "flag": Kind.BOOLEAN,
    "moment": Kind.TIME,
    "document": Kind.JSON,
    "result": Kind.JSON,
    "shape": Kind.GEOMETRY,
}


connection = connections["default"]
_BY_ID = Sql("id")


def create_table() -> None:
    install_functions(connection)
    document = "text" if connection.vendor == "sqlite" else "jsonb"
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE sample (id bigint, number double precision, whole bigint, "
            f"text text, flag boolean, moment bigint, document {document}, plain double precision, "
            f"result {document}, shape {document})"
        )
        cursor.executemany(
            f"INSERT INTO sample VALUES ({', '.join(['%s'] * 10)})", map(_stored, ROWS)
        )


def _stored(row: dict[str, Any]) -> tuple[Any, ...]:
    result, plain = row["result"], None
    if isinstance(result, int | float) and not isinstance(result, bool):
        result, plain = None, float(result)
    else:
        result = json.dumps(result)
    shape, document = (
        None if row[n] is None else json.dumps(row[n]) for n in ("shape", "document")
    )
    simple = (row[n] for n in ("id", "number", "whole", "text", "flag", "moment"))
    return (*simple, document, plain, result, shape)


def resolve(column: Column) -> Source:
    number = Sql("plain") if column.name == "result" else None
    return Source(Sql(column.name), _KINDS[column.name], number)


def ids(condition: Sql, order: Sql = _BY_ID) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM sample WHERE {condition.text} ORDER BY {order.text}",
            (*condition.parameters, *order.parameters),
        )
        return [row[0] for row in cursor.fetchall()]


def dialect() -> Any:
    return dialect_of(connection)
