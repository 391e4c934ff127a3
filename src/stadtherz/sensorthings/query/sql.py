"""Plans as SQL: one statement for a page, one for a count, one for each expanded link.

Whatever table a statement touches, in a join, a filter, an order or an expand, is joined with the
condition of who may see its rows. Values stand in parameters only.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from stadtherz.base.expressions import Column, Expression, Order
from stadtherz.sensorthings.query.access import EVERYTHING, visible
from stadtherz.sensorthings.query.plan import SetPlan
from stadtherz.sensorthings.query.tables import PLACE, ROOT, Reader, Tables
from stadtherz.sensorthings.query.trees import passes_many
from stadtherz.sensorthings.standard.schema import (
    MODELS,
    OBSERVED,
    OBSERVED_PROPERTY,
    RELATION,
    TASK,
    TASKING_CAPABILITY,
    EntityType,
    Link,
    Own,
    Reverse,
    Shape,
    Through,
    target,
)
from stadtherz.sql.public import (
    Sql,
    compile_condition,
    compile_order,
    compile_value,
    compose,
    join,
)
from stadtherz.store import public as store


def fetched(plan: SetPlan) -> list[str]:
    """The columns a statement for this plan gives, in order, the id first."""
    shown = [
        c
        for p in plan.entity.properties
        if not p.computed and plan.shows(p.name)
        for c in p.columns
    ]
    links = [link.via.column for link in plan.entity.links if isinstance(link.via, Own)]
    return list(dict.fromkeys(["id", *shown, *links]))


def _selected(plan: SetPlan) -> str:
    return ", ".join(f'{ROOT}."{column}"' for column in fetched(plan))


def _condition(tables: Tables, where: Expression) -> Sql:
    """The filter. Where it passes links to many, one matching combination of rows is enough."""
    if passes_many(tables.entity, where):
        inner = Tables(tables.reader, tables.entity)
        inner.need([where])
        matching = compile_condition(where, inner.resolve, tables.reader.dialect)
        return compose(f"{ROOT}.id IN (SELECT {ROOT}.id {{}} WHERE {{}})", inner.text, matching)
    tables.need([where])
    return compile_condition(where, tables.resolve, tables.reader.dialect)


def _conditions(tables: Tables, where: Expression, restriction: Sql, *more: Expression) -> Sql:
    seen = visible(tables.entity, ROOT, tables.reader.visibility)
    conditions = [_condition(tables, condition) for condition in (where, *more)]
    return join(" AND ", [seen, restriction, *conditions])


def _ordered(tables: Tables, order: tuple[Order, ...]) -> Sql:
    tables.need(term.by for term in order)
    return compile_order(order, tables.resolve, tables.reader.dialect)


def _sorting_values(tables: Tables, order: tuple[Order, ...]) -> list[Sql]:
    """What the rows are sorted by, as columns."""
    return [compile_value(term.by, tables.resolve, tables.reader.dialect) for term in order]


def page(plan: SetPlan, reader: Reader, restriction: Sql = EVERYTHING) -> Sql:
    """One page and one row more, which tells whether there is a next page.

    Rows of (*fetched, *sorting values).
    """
    return _page(plan, reader, restriction, Sql("LIMIT %s OFFSET %s", (plan.top + 1, plan.skip)))


def first(plan: SetPlan, reader: Reader, restriction: Sql) -> Sql:
    """The first row of a page. The limit stands in the text, since PostgreSQL plans for it."""
    return _page(plan, reader, restriction, Sql("LIMIT 1"))


def _page(plan: SetPlan, reader: Reader, restriction: Sql, limits: Sql) -> Sql:
    tables = Tables(reader, plan.entity)
    where = _conditions(tables, plan.where, restriction, plan.behind)
    order = _ordered(tables, plan.order)
    return compose(
        f"SELECT {_selected(plan)}, {{}} {{}} WHERE {{}} ORDER BY {{}} {{}}",
        join(", ", _sorting_values(tables, plan.order)),
        tables.text,
        where,
        order,
        limits,
    )


def count(plan: SetPlan, reader: Reader, restriction: Sql = EVERYTHING) -> Sql:
    tables = Tables(reader, plan.entity)
    where = _conditions(tables, plan.where, restriction)
    return compose("SELECT COUNT(*) {} WHERE {}", tables.text, where)


def children(link: Link, plan: SetPlan, parents: list[int], reader: Reader) -> Sql:
    """What is behind `link` for each of `parents`, limited for each of them.

    Rows of (parent, *fetched, *sorting values).

    For a link to one, `parents` are the keys that the parents' own column holds.
    """
    tables = Tables(reader, plan.entity)
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


def in_order(link: Link, plan: SetPlan) -> SetPlan:
    """The plan of what is behind a link that has an order, unless it is to be in another."""
    if not isinstance(link.via, Through) or not link.via.place or len(plan.order) > 1:
        return plan
    return replace(plan, order=(Order(PLACE), *plan.order))


def count_children(link: Link, plan: SetPlan, parents: list[int], reader: Reader) -> Sql:
    """Rows of (parent, how many)."""
    tables = Tables(reader, plan.entity)
    key, where = _family(tables, link, plan, parents)
    return compose(
        f"SELECT {key}, COUNT(*) {{}} WHERE {{}} GROUP BY {key}", _with_pairs(tables, link), where
    )


def counts(link: Link, reader: Reader) -> Sql:
    """Rows of (parent, how many of those behind the link the reader sees), where there are any."""
    tables = Tables(reader, target(link))
    key = _parent_key(link)
    seen = visible(tables.entity, ROOT, reader.visibility)
    text = f"SELECT {key}, COUNT(*) {{}} WHERE {key} IS NOT NULL AND {{}} GROUP BY {key}"
    return compose(text, _with_pairs(tables, link), seen)


def _family(
    tables: Tables, link: Link, plan: SetPlan, parents: list[int], *more: Expression
) -> tuple[str, Sql]:
    key = _parent_key(link)
    among = Sql(f"{key} IN ({', '.join(['%s'] * len(parents))})", tuple(parents))
    return key, _conditions(tables, plan.where, among, *more)


def _parent_key(link: Link) -> str:
    match link.via:
        case Own():
            return f"{ROOT}.id"
        case Reverse(column):
            return f'{ROOT}."{column}"'
        case Through(own=own):
            return f'pairs."{own}"'


def _with_pairs(tables: Tables, link: Link) -> Sql:
    if not isinstance(link.via, Through):
        return tables.text
    table = link.via.table
    if link.via.repeats:
        table = f'(SELECT DISTINCT "{link.via.own}", "{link.via.target}" FROM {table})'
    pairs = Sql(f'INNER JOIN {table} pairs ON pairs."{link.via.target}" = {ROOT}.id')
    return join(" ", [tables.text, pairs])


# --- on the way to a set ---------------------------------------------------------------------------


def behind(parent: EntityType, link: Link, key: int) -> Sql:
    """The condition on the target's rows to be linked from the parent with this id."""
    match link.via:
        case Own(column):
            return Sql(f'{ROOT}.id = (SELECT "{column}" FROM {parent.table} WHERE id = %s)', (key,))
        case Reverse(column):
            return Sql(f'{ROOT}."{column}" = %s', (key,))
        case Through(table, own, other):
            return Sql(f'{ROOT}.id IN (SELECT "{other}" FROM {table} WHERE "{own}" = %s)', (key,))


def members(via: Through, key: int) -> Sql:
    """The ids of all that an entity is linked with, whoever may see it."""
    return Sql(f'SELECT DISTINCT "{via.target}" FROM {via.table} WHERE "{via.own}" = %s', (key,))


def with_id(key: int) -> Sql:
    return Sql(f"{ROOT}.id = %s", (key,))


def with_ids(keys: Collection[int]) -> Sql:
    return Sql(f"{ROOT}.id IN ({_marks(keys)})", tuple(keys))


def pairs(via: Through, targets: Collection[int] | None = None) -> Sql:
    """Rows of (from, to) of a table of pairs; all of them, or those that lead to one of the targets."""
    text = f'SELECT "{via.own}", "{via.target}" FROM {via.table}'
    if targets is None:
        return Sql(text)
    return Sql(f'{text} WHERE "{via.target}" IN ({_marks(targets)})', tuple(targets))


def own_keys(entity: EntityType, column: str, among: Collection[int] | None = None) -> Sql:
    """Rows of (id, key in a column of its own) of entities, where there is one."""
    text = f'SELECT id, "{column}" FROM {entity.table} WHERE "{column}" IS NOT NULL'
    if among is None:
        return Sql(text)
    return Sql(f"{text} AND id IN ({_marks(among)})", tuple(among))


def ends_of_relation(key: int) -> Sql:
    """What the Relation leads to: an Observation, or something outside."""
    return Sql(f"SELECT object, external_resource FROM {RELATION.table} WHERE id = %s", (key,))


def generated_features(streams: Sequence[int]) -> Sql:
    """Rows of (Datastream, feature made from the place of its Thing), where it has been made already."""
    place = store.standpoint("d.thing_id")
    made = (
        "SELECT d.id, f.id FROM store_datastream d"
        f" JOIN store_featureofinterest f ON f.generated_from_id = {place}"
        f" WHERE d.id IN ({_marks(streams)})"
    )
    return Sql(made, tuple(streams))


def kinds_of_results(streams: Collection[int]) -> Sql:
    """Rows of (Datastream, observation type, unit, types of its parts, encoding)."""
    text = (
        "SELECT id, observation_type, unit_of_measurement, data_types, result_encoding"
        f" FROM store_datastream WHERE id IN ({_marks(streams)})"
    )
    return Sql(text, tuple(streams))


def told_of_results(reader: Reader, *, several: bool) -> Sql:
    """Rows of (Datastream, *the columns of its result type), of those that the reader may see.

    `several`: only of those whose results have several parts.
    """
    stream = MODELS["2.0"]["Datastream"]
    prop = next(p for p in stream.properties if p.shape is Shape.RESULT_TYPE)
    names = ", ".join(f'{ROOT}."{column}"' for column in ("id", *prop.columns))
    seen = visible(stream, ROOT, reader.visibility)
    which = Sql(f"{ROOT}.data_types IS NOT NULL") if several else EVERYTHING
    return compose(f"SELECT {names} FROM {stream.table} {ROOT} WHERE {{}} AND {{}}", seen, which)


def parts_of_results(stream: int) -> Sql:
    """Types and units of the parts of a Datastream's results."""
    return Sql("SELECT data_types, units FROM store_datastream WHERE id = %s", (stream,))


def of_several_parts(streams: Collection[int]) -> Sql:
    """Those of the Datastreams whose results have several parts."""
    text = f"SELECT id FROM store_datastream WHERE data_types IS NOT NULL AND id IN ({_marks(streams)})"
    return Sql(text, tuple(streams))


def observed(streams: Collection[int]) -> Sql:
    """Rows of (Datastream, ObservedProperty), those of each in order."""
    text = (
        "SELECT datastream_id, observed_property_id FROM store_observed"
        f" WHERE datastream_id IN ({_marks(streams)}) ORDER BY datastream_id, place"
    )
    return Sql(text, tuple(streams))


def observed_with_names(streams: Collection[int], reader: Reader) -> Sql:
    """As `observed`, with the names of the ObservedProperties that the reader may see."""
    seen = visible(OBSERVED_PROPERTY, ROOT, reader.visibility)
    text = (
        f"SELECT o.datastream_id, o.observed_property_id, {ROOT}.name FROM {OBSERVED} o"
        f" LEFT JOIN {OBSERVED_PROPERTY.table} {ROOT} ON {ROOT}.id = o.observed_property_id AND {{}}"
        f" WHERE o.datastream_id IN ({_marks(streams)}) ORDER BY o.datastream_id, o.place"
    )
    return compose(text.replace("%s", "{}"), seen, *(Sql("%s", (key,)) for key in streams))


def described_parameters(capability: int, reader: Reader) -> Sql:
    """What Tasks of a TaskingCapability must say, if the reader may see it."""
    seen = visible(TASKING_CAPABILITY, ROOT, reader.visibility)
    text = f"SELECT {ROOT}.tasking_parameters FROM {TASKING_CAPABILITY.table} {ROOT} WHERE {{}} AND {{}}"
    return compose(text, with_id(capability), seen)


def told_parameters(task: int) -> Sql:
    """The TaskingCapability of a Task, and what this says."""
    text = f"SELECT tasking_capability_id, tasking_parameters FROM {TASK.table} WHERE id = %s"
    return Sql(text, (task,))


def _marks(values: Collection[int]) -> str:
    return ", ".join(["%s"] * len(values)) or "NULL"


def lock(entity: EntityType, key: int) -> Sql:
    """Makes others who want to change the entity wait for the end of the transaction."""
    return Sql(f"SELECT 1 FROM {entity.table} WHERE id = %s FOR NO KEY UPDATE", (key,))


def identify(entity: EntityType, reader: Reader, restriction: Sql) -> Sql:
    """The id of the one entity that fits, if the reader may see it."""
    return compose("{} LIMIT 2", keys(entity, reader, restriction))


def keys(entity: EntityType, reader: Reader, restriction: Sql) -> Sql:
    """The ids of all entities that fit and the reader may see."""
    seen = visible(entity, ROOT, reader.visibility)
    text = f"SELECT {ROOT}.id FROM {entity.table} {ROOT} WHERE {{}} AND {{}}"
    return compose(text, seen, restriction)


# --- parts of conditions on readings -----------------------------------------------------------------


def ids_where(entity: EntityType, where: Expression, reader: Reader) -> Sql:
    """The ids of all visible entities that fulfil `where`."""
    tables = Tables(reader, entity)
    conditions = _conditions(tables, where, EVERYTHING)
    return compose(f"SELECT {ROOT}.id {{}} WHERE {{}}", tables.text, conditions)


def choices(
    entity: EntityType, columns: Sequence[Column], where: Expression, reader: Reader, most: int
) -> Sql:
    """Rows of (id, *columns) of all visible entities, and of what they lead to, that fulfil `where`.

    One row for each choice behind links to many; one more than `most`, which tells about others.
    """
    tables = Tables(reader, entity)
    tables.need([where, *columns])
    values = [compile_value(column, tables.resolve, reader.dialect) for column in columns]
    matching = compile_condition(where, tables.resolve, reader.dialect)
    seen = visible(entity, ROOT, reader.visibility)
    shown = join(", ", [Sql(f"{ROOT}.id"), *values])
    limit = Sql("LIMIT %s", (most + 1,))
    distinct = "DISTINCT " if all(column.name.endswith("id") for column in columns) else ""
    text = f"SELECT {distinct}{{}} {{}} WHERE {{}} AND {{}} {{}}"
    return compose(text, shown, tables.text, seen, matching, limit)


def values_of(entity: EntityType, value: Expression, reader: Reader) -> Sql:
    """Rows of (id, value) for all visible entities."""
    tables = Tables(reader, entity)
    tables.need([value])
    compiled = compile_value(value, tables.resolve, reader.dialect)
    seen = visible(entity, ROOT, reader.visibility)
    return compose(f"SELECT {ROOT}.id, {{}} {{}} WHERE {{}}", compiled, tables.text, seen)


def of_nothing(entity: EntityType, where: Expression, reader: Reader) -> Sql:
    """One row if `where` holds for an entity that is not there, all of its values null."""
    tables = Tables(reader, entity)
    tables.need([where])
    compiled = compile_condition(where, tables.resolve, reader.dialect)
    root = Sql(f"FROM (SELECT 1 AS one) one LEFT JOIN {entity.table} {ROOT} ON 1 = 0")
    return compose("SELECT 1 {} WHERE {}", join(" ", [root, *tables.joins]), compiled)
