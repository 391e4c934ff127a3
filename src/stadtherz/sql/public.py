"""The door of `sql`: expression trees to SQL.

`resolve` says where a column stands (`Source`); the caller owns tables and joins. No value of a
user ever stands in the text. The caller turns `django.db.DataError` (a number beyond what the
engine can express) into `Invalid`.
"""

from typing import TYPE_CHECKING, Any

from stadtherz.sql.compile import compile_condition, compile_order, compile_value
from stadtherz.sql.fragment import (
    POSTGRESQL,
    SQLITE,
    Dialect,
    Resolve,
    Source,
    Sql,
    compose,
    join,
    named,
)
from stadtherz.sql.functions import IMPLEMENTATIONS, LONGEST, install_on_sqlite, rank, walk, zone_of
from stadtherz.sql.items import COMPARISONS, OF_TEXTS, Tree, path_of
from stadtherz.sql.keyset import beyond, typed
from stadtherz.sql.kinds import RANKS, SPECIAL, arguments_of, compared_kind, kind_of, operation
from stadtherz.sql.leaves import INT64, Leaves, expect
from stadtherz.sql.postgresql import install_on_postgresql

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

__all__ = [
    "COMPARISONS",
    "IMPLEMENTATIONS",
    "INT64",
    "LONGEST",
    "OF_TEXTS",
    "POSTGRESQL",
    "RANKS",
    "SPECIAL",
    "SQLITE",
    "Dialect",
    "Leaves",
    "Resolve",
    "Source",
    "Sql",
    "Tree",
    "arguments_of",
    "beyond",
    "compared_kind",
    "compile_condition",
    "compile_order",
    "compile_value",
    "compose",
    "dialect_of",
    "expect",
    "install_functions",
    "install_on_connect",
    "install_on_sqlite",
    "join",
    "kind_of",
    "named",
    "operation",
    "path_of",
    "rank",
    "typed",
    "walk",
    "zone_of",
]

_with_geometry: dict[str, bool] = {}


def dialect_of(connection: "BaseDatabaseWrapper") -> Dialect:
    """The engine behind a Django connection, and whether it has our geometry functions."""
    if connection.vendor == "sqlite":
        return SQLITE
    name = str(connection.settings_dict["NAME"])
    if not _with_geometry.get(name):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_proc WHERE proname = 'sh_st_relate'")
            _with_geometry[name] = cursor.fetchone()[0] > 0
    return Dialect("postgresql", geometry=_with_geometry[name])


def install_functions(connection: "BaseDatabaseWrapper") -> None:
    """Make the functions known: to this connection on SQLite, to the database on PostgreSQL."""
    if connection.vendor == "sqlite":
        install_on_sqlite(connection.connection)
        return
    with connection.cursor() as cursor:
        install_on_postgresql(cursor)


def install_on_connect(connection: "BaseDatabaseWrapper", **_: Any) -> None:
    """Receiver of Django's connection_created: SQLite forgets functions with its connection."""
    if connection.vendor == "sqlite":
        install_on_sqlite(connection.connection)
