"""Plans as SQL: one statement for a page, one for a count, one for each expanded link.

Whatever table a statement touches, in a join, a filter, an order or an expand, is joined with the
condition of who may see its rows. Values stand in parameters only.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from stadtherz.base.expressions import Column, Expression, Kind, Order
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.access import EVERYTHING, visible
from stadtherz.sensorthings.plan import SetPlan
from stadtherz.sensorthings.schema import (
    ENTITY_TYPES,
    EntityType,
    Link,
    Own,
    Reverse,
    Through,
    target,
)
from stadtherz.sensorthings.trees import columns_of, passes_many
from stadtherz.sql.public import (
    Dialect,
    Source,
    Sql,
    compile_condition,
    compile_order,
    compile_value,
    compose,
    join,
)

_ROOT = "t0"


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom and for which engine statements are written."""

    visibility: Visibility
    dialect: Dialect


@dataclass(slots=True)
class _Tables:
    """A root table and the joins that columns ask for, each made once."""

    reader: Reader
    entity: EntityType
    joins: list[Sql] = field(default_factory=list)
    known: dict[tuple[str, ...], tuple[str, EntityType]] = field(default_factory=dict)

    def resolve(self, column: Column) -> Source:
        """Where a column stands; joins what its name passes."""
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
            return _ROOT, self.entity
        if links not in self.known:
            parent, entity = self._reach(links[:-1])
            link = entity.link(links[-1])
            assert link is not None, "the plan names links of the schema only"
            alias = f"t{len(self.known) + 1}"
            self.known[links] = alias, target(link)
            self.joins.append(_left_join(self.reader.visibility, link, parent, alias))
        return self.known[links]

    @property
    def text(self) -> Sql:
        root = Sql(f"FROM {self.entity.table} {_ROOT}")
        return join(" ", [root, *self.joins])


def _column(entity: EntityType, name: str) -> str:
    """The name itself, if the schema knows it as a column: nothing else may get into the text."""
    if name != "id" and name not in _COLUMNS[entity.name]:
        raise AssertionError(f"{entity.name} has no column {name!r}")
    return name


def _stored(entity: EntityType) -> list[str]:
    properties = [c for p in entity.properties if not p.derived for c in p.columns]
    return properties + [link.via.column for link in entity.links if isinstance(link.via, Own)]


_COLUMNS = {e.name: frozenset(_stored(e)) for e in ENTITY_TYPES.values()}


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


# --- statements ----------------------------------------------------------------------------------


def fetched(plan: SetPlan) -> list[str]:
    """The columns a statement for this plan gives, in order, the id first."""
    shown = [
        c for p in plan.entity.properties if not p.derived and plan.shows(p.name) for c in p.columns
    ]
    links = [link.via.column for link in plan.entity.links if isinstance(link.via, Own)]
    return ["id", *shown, *links]


def _selected(plan: SetPlan) -> str:
    return ", ".join(f'{_ROOT}."{column}"' for column in fetched(plan))


def _condition(tables: _Tables, where: Expression) -> Sql:
    """The filter. Where it passes links to many, one matching combination of rows is enough."""
    if passes_many(tables.entity, where):
        inner = _Tables(tables.reader, tables.entity)
        inner.need([where])
        matching = compile_condition(where, inner.resolve, tables.reader.dialect)
        return compose(f"{_ROOT}.id IN (SELECT {_ROOT}.id {{}} WHERE {{}})", inner.text, matching)
    tables.need([where])
    return compile_condition(where, tables.resolve, tables.reader.dialect)


def _conditions(tables: _Tables, where: Expression, restriction: Sql, *more: Expression) -> Sql:
    seen = visible(tables.entity, _ROOT, tables.reader.visibility)
    conditions = [_condition(tables, condition) for condition in (where, *more)]
    return join(" AND ", [seen, restriction, *conditions])


def _ordered(tables: _Tables, order: tuple[Order, ...]) -> Sql:
    tables.need(term.by for term in order)
    return compile_order(order, tables.resolve, tables.reader.dialect)


def _sorting_values(tables: _Tables, order: tuple[Order, ...]) -> list[Sql]:
    """What the rows are sorted by, as columns."""
    return [compile_value(term.by, tables.resolve, tables.reader.dialect) for term in order]


def page(plan: SetPlan, reader: Reader, restriction: Sql = EVERYTHING) -> Sql:
    """One page and one row more, which tells whether there is a next page.

    Rows of (*fetched, *sorting values).
    """
    tables = _Tables(reader, plan.entity)
    where = _conditions(tables, plan.where, restriction, plan.behind)
    order = _ordered(tables, plan.order)
    return compose(
        f"SELECT {_selected(plan)}, {{}} {{}} WHERE {{}} ORDER BY {{}} {{}}",
        join(", ", _sorting_values(tables, plan.order)),
        tables.text,
        where,
        order,
        Sql("LIMIT %s OFFSET %s", (plan.top + 1, plan.skip)),
    )


def count(plan: SetPlan, reader: Reader, restriction: Sql = EVERYTHING) -> Sql:
    tables = _Tables(reader, plan.entity)
    where = _conditions(tables, plan.where, restriction)
    return compose("SELECT COUNT(*) {} WHERE {}", tables.text, where)


def children(link: Link, plan: SetPlan, parents: list[int], reader: Reader) -> Sql:
    """What is behind `link` for each of `parents`, limited for each of them.

    Rows of (parent, *fetched, *sorting values).

    For a link to one, `parents` are the keys that the parents' own column holds.
    """
    tables = _Tables(reader, plan.entity)
    key, where = _family(tables, link, plan, parents, plan.behind)
    order = _ordered(tables, plan.order)
    values = _sorting_values(tables, plan.order)
    numbered = compose(
        f"SELECT {key} AS parent, {_selected(plan)}, {{}},"
        f" ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY {{}}) AS place {{}} WHERE {{}}",
        join(", ", [compose(f"{{}} AS by{i}", value) for i, value in enumerate(values)]),
        order,
        _with_pairs(tables, link),
        where,
    )
    names = [*fetched(plan), *(f"by{i}" for i in range(len(values)))]
    columns = ", ".join(f'q."{name}"' for name in names)
    limits = Sql("q.place > %s AND q.place <= %s", (plan.skip, plan.skip + plan.top + 1))
    return compose(
        f"SELECT q.parent, {columns} FROM ({{}}) q WHERE {{}} ORDER BY q.parent, q.place",
        numbered,
        limits,
    )


def count_children(link: Link, plan: SetPlan, parents: list[int], reader: Reader) -> Sql:
    """Rows of (parent, how many)."""
    tables = _Tables(reader, plan.entity)
    key, where = _family(tables, link, plan, parents)
    return compose(
        f"SELECT {key}, COUNT(*) {{}} WHERE {{}} GROUP BY {key}", _with_pairs(tables, link), where
    )


def _family(
    tables: _Tables, link: Link, plan: SetPlan, parents: list[int], *more: Expression
) -> tuple[str, Sql]:
    key = _parent_key(link)
    among = Sql(f"{key} IN ({', '.join(['%s'] * len(parents))})", tuple(parents))
    return key, _conditions(tables, plan.where, among, *more)


def _parent_key(link: Link) -> str:
    match link.via:
        case Own():
            return f"{_ROOT}.id"
        case Reverse(column):
            return f'{_ROOT}."{column}"'
        case Through(own=own):
            return f'pairs."{own}"'


def _with_pairs(tables: _Tables, link: Link) -> Sql:
    if not isinstance(link.via, Through):
        return tables.text
    pairs = Sql(f'INNER JOIN {link.via.table} pairs ON pairs."{link.via.target}" = {_ROOT}.id')
    return join(" ", [tables.text, pairs])


# --- on the way to a set ---------------------------------------------------------------------------


def behind(parent: EntityType, link: Link, key: int) -> Sql:
    """The condition on the target's rows to be linked from the parent with this id."""
    match link.via:
        case Own(column):
            return Sql(
                f'{_ROOT}.id = (SELECT "{column}" FROM {parent.table} WHERE id = %s)', (key,)
            )
        case Reverse(column):
            return Sql(f'{_ROOT}."{column}" = %s', (key,))
        case Through(table, own, other):
            return Sql(f'{_ROOT}.id IN (SELECT "{other}" FROM {table} WHERE "{own}" = %s)', (key,))


def with_id(key: int) -> Sql:
    return Sql(f"{_ROOT}.id = %s", (key,))


def identify(entity: EntityType, reader: Reader, restriction: Sql) -> Sql:
    """The id of the one entity that fits, if the reader may see it."""
    seen = visible(entity, _ROOT, reader.visibility)
    return compose(
        f"SELECT {_ROOT}.id FROM {entity.table} {_ROOT} WHERE {{}} AND {{}} LIMIT 2",
        seen,
        restriction,
    )


# --- parts of conditions on readings -----------------------------------------------------------------


def ids_where(entity: EntityType, where: Expression, reader: Reader) -> Sql:
    """The ids of all visible entities that fulfil `where`."""
    tables = _Tables(reader, entity)
    conditions = _conditions(tables, where, EVERYTHING)
    return compose(f"SELECT {_ROOT}.id {{}} WHERE {{}}", tables.text, conditions)


def values_of(entity: EntityType, value: Expression, reader: Reader) -> Sql:
    """Rows of (id, value) for all visible entities."""
    tables = _Tables(reader, entity)
    tables.need([value])
    compiled = compile_value(value, tables.resolve, reader.dialect)
    seen = visible(entity, _ROOT, reader.visibility)
    return compose(f"SELECT {_ROOT}.id, {{}} {{}} WHERE {{}}", compiled, tables.text, seen)


def of_nothing(entity: EntityType, where: Expression, reader: Reader) -> Sql:
    """One row if `where` holds for an entity that is not there, all of its values null."""
    tables = _Tables(reader, entity)
    tables.need([where])
    compiled = compile_condition(where, tables.resolve, reader.dialect)
    root = Sql(f"FROM (SELECT 1 AS one) one LEFT JOIN {entity.table} {_ROOT} ON 1 = 0")
    return compose("SELECT 1 {} WHERE {}", join(" ", [root, *tables.joins]), compiled)
