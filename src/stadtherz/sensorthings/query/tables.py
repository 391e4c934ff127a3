"""The tables of one statement: a root, and the joins that columns ask for.

Whatever table is joined is joined with the condition of who may see its rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from stadtherz.base.errors import TooLarge
from stadtherz.base.expressions import Column, Expression, Kind, columns_of
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.query.access import visible
from stadtherz.sensorthings.standard.schema import (
    MODELS,
    EntityType,
    Link,
    Own,
    Reverse,
    Through,
    target,
)
from stadtherz.sql.public import Dialect, Source, Sql, compose, join

ROOT = "t0"
MAX_JOINS = 40
"""Engines have limits of their own, which they reach without saying why, or after minutes."""
PLACE = Column("@place", Kind.NUMBER)
"""Where an entity stands among those that a link leads to in order; known only behind that link."""


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom and for which engine statements are written."""

    visibility: Visibility
    dialect: Dialect


@dataclass(slots=True)
class Tables:
    """A root table and the joins that columns ask for, each made once."""

    reader: Reader
    entity: EntityType
    joins: list[Sql] = field(default_factory=list)
    known: dict[tuple[str, ...], tuple[str, EntityType]] = field(default_factory=dict)

    def resolve(self, column: Column) -> Source:
        """Where a column stands; joins what its name passes."""
        if column == PLACE:
            return Source(Sql("pairs.place"), PLACE.kind, nullable=False)
        *links, name = column.name.split("/")
        alias, entity = self._reach(tuple(links))
        kind = Kind.JSON if column.path else column.kind
        text = f'{alias}."{_column(entity, name)}"'
        if kind is Kind.GEOMETRY and self.reader.dialect.name == "postgresql":
            # A place may be a GeoJSON Feature; PostGIS wants its geometry.
            text = f"coalesce({text} -> 'geometry', {text})"
        return Source(Sql(text), kind, nullable=name != "id")

    def need(self, expressions: Iterable[Expression]) -> None:
        """Join everything the expressions name."""
        for expression in expressions:
            for column in columns_of(expression):
                self.resolve(column)

    def _reach(self, links: tuple[str, ...]) -> tuple[str, EntityType]:
        if not links:
            return ROOT, self.entity
        if links not in self.known:
            if len(self.known) >= MAX_JOINS:
                raise TooLarge(f"the query follows more than {MAX_JOINS} different ways over links")
            parent, entity = self._reach(links[:-1])
            link = entity.behind(links[-1])
            assert link is not None, "the plan names links of the schema only"
            alias = f"t{len(self.known) + 1}"
            self.known[links] = alias, target(link)
            self.joins.append(_left_join(self.reader.visibility, link, parent, alias))
        return self.known[links]

    @property
    def text(self) -> Sql:
        root = Sql(f"FROM {self.entity.table} {ROOT}")
        return join(" ", [root, *self.joins])


def _column(entity: EntityType, name: str) -> str:
    """The name itself, if the schema knows it as a column: nothing else may get into the text."""
    if name != "id" and name not in _COLUMNS[entity.kind]:
        raise AssertionError(f"{entity.name} has no column {name!r}")
    return name


def _stored(entity: EntityType) -> list[str]:
    properties = [c for p in entity.properties if not p.computed for c in p.columns]
    return properties + [link.via.column for link in entity.links if isinstance(link.via, Own)]


_COLUMNS: dict[str, frozenset[str]] = {}
for _entity in (entity for model in MODELS.values() for entity in model.values()):
    _COLUMNS[_entity.kind] = _COLUMNS.get(_entity.kind, frozenset()) | set(_stored(_entity))


def _left_join(visibility: Visibility, link: Link, parent: str, alias: str) -> Sql:
    """Rows nobody but others may see are joined as if they were not there."""
    entity = target(link)
    seen = visible(entity, alias, visibility)
    match link.via:
        case Own(column):
            on = f'{alias}.id = {parent}."{column}"'
        case Reverse(column):
            on = f'{alias}."{column}" = {parent}.id'
        case Through(table, own, other):
            pairs = f"p{alias}"
            return compose(
                f"LEFT JOIN ({table} {pairs} INNER JOIN {entity.table} {alias}"
                f' ON {alias}.id = {pairs}."{other}" AND {{}}) ON {pairs}."{own}" = {parent}.id',
                seen,
            )
    return compose(f"LEFT JOIN {entity.table} {alias} ON {on} AND {{}}", seen)
