"""Pieces of SQL with their parameters, and what a caller says about a column."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from stadtherz.base.expressions import Column, Kind


@dataclass(frozen=True, slots=True)
class Sql:
    """SQL text with `%s` for each of its parameters, in order."""

    text: str
    parameters: tuple[Any, ...] = ()


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
    return Sql(template.format(*(part.text for part in parts)), parameters)


def join(separator: str, parts: list[Sql]) -> Sql:
    """The parts in order with the separator between them."""
    return compose(separator.join(["{}"] * len(parts)), *parts)
