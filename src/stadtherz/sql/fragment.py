"""Pieces of SQL with their parameters, and what a caller says about a column."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from stadtherz.base.expressions import Column, Kind


@dataclass(frozen=True, slots=True)
class Sql:
    """SQL text with `%s` for each of its parameters, in order.

    `tables` are those that the text names and that stand before the whole statement, each after those
    that it names itself (`named`). So a statement stays flat, however often it needs them: SQLite's
    parser gives up where conditions lie in one another too deeply.
    """

    text: str
    parameters: tuple[Any, ...] = ()
    tables: tuple[tuple[str, "Sql"], ...] = field(default=(), repr=False)

    @property
    def whole(self) -> "Sql":
        """The statement with its tables before it."""
        if not self.tables:
            return self
        before = ", ".join(f"{name} AS ({table.text})" for name, table in self.tables)
        values = tuple(value for _, table in self.tables for value in table.parameters)
        return Sql(f"WITH {before} {self.text}", values + self.parameters)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a column's value stands.

    For a JSON column `sql` is the document (text on SQLite, jsonb on PostgreSQL) without the
    column's path, which the compiler applies. `number` names a second column that holds the value
    where the document is nothing but a number; the document is null then. `nullable` False lets
    PostgreSQL use an index for sorting.
    """

    sql: Sql
    kind: Kind
    number: Sql | None = None
    nullable: bool = True


Resolve = Callable[[Column], Source]


@dataclass(frozen=True, slots=True)
class Dialect:
    """An engine; `geometry` says whether it can compute with geometries."""

    name: Literal["sqlite", "postgresql"]
    geometry: bool = True


SQLITE = Dialect("sqlite")
POSTGRESQL = Dialect("postgresql")


def compose(template: str, *parts: Sql) -> Sql:
    """`template` with its `{}` filled by the parts; a literal percent sign is written `%%`.

    >>> compose("({} > {})", Sql("level"), Sql("%s", (5,)))
    Sql(text='(level > %s)', parameters=(5,))
    """
    parameters = tuple(value for part in parts for value in part.parameters)
    tables = dict(table for part in parts for table in part.tables)
    return Sql(template.format(*(part.text for part in parts)), parameters, tuple(tables.items()))


def named(name: str, table: Sql) -> Sql:
    """All rows of a table that is put before the whole statement under this name, once.

    >>> compose("level > {}", named("dry", Sql("SELECT 5"))).whole
    Sql(text='WITH dry AS (SELECT 5) level > SELECT * FROM dry', parameters=())
    """
    own = (name, Sql(table.text, table.parameters))
    return Sql(f"SELECT * FROM {name}", (), (*table.tables, own))


def join(separator: str, parts: list[Sql]) -> Sql:
    """The parts in order with the separator between them."""
    return compose(separator.join(["{}"] * len(parts)), *parts)
