"""`any` and `all` (OData 4.0 part 2 §5.1.1.10): conditions on what is behind a link to many.

Each of them is asked by itself, so that `any(..) and any(..)` may mean two different entities: whose
ids are among those that have one? Whose, is said by the entity where the way to the link begins. If
that one does not tell what is outside of it, it is asked for together with one before it.
"""

from collections.abc import Collection
from dataclasses import replace

from stadtherz.base.expressions import (
    Call,
    Column,
    Compare,
    Expression,
    Kind,
    Literal,
    Or,
    columns_of,
)
from stadtherz.sensorthings.query.choices import ends
from stadtherz.sensorthings.query.trees import (
    Having,
    Together,
    entity_at,
    passes_many,
    rebased,
    substituted,
)
from stadtherz.sensorthings.query.ways import seen_from
from stadtherz.sensorthings.standard.schema import OBSERVATION, EntityType

Way = tuple[str, ...]


def there(way: Way) -> Expression:
    """There is somebody at the end of the way."""
    return Compare("ne", Column("/".join((*way, "id")), Kind.NUMBER), Literal(None, Kind.NULL))


def having(
    root: EntityType, way: Way, scope: Way, where: Expression, held: Collection[Way]
) -> Expression | None:
    """Those for whom `where` holds, whose columns are named from the root, for one choice behind `way`.

    They are the entities next to the link that the way ends with, or those of the scope, from which
    the way goes on. What is outside of them is the same seen from them, where links to one lead back.
    `held` are the ways of all variables around it, which each stand for one entity. None if the condition
    looks further than that.
    """
    bases = (_next_to_the_link(root, way, scope), scope)
    for base in bases:
        entity = entity_at(root, base)
        own = _told_by(root, base, where, held)
        if own is None or (entity.is_a(OBSERVATION) and not _of_one_link(own)):
            continue  # the ids of all Observations are too many to be listed
        return Having(_key(base), frozenset(), entity, own)
    return next((both for base in bases if (both := _together(root, base, where, held))), None)


def _key(way: Way) -> Column:
    return Column("/".join((*way, "id")), Kind.NUMBER)


def _of_one_link(condition: Expression) -> bool:
    firsts = {column.name.partition("/")[:2] for column in columns_of(condition)}
    return len(firsts) == 1 and all(slash for _, slash in firsts)


def _together(
    root: EntityType, base: Way, where: Expression, held: Collection[Way]
) -> Expression | None:
    """As `having`, of the entities at `base` and what they are reached from, both at once."""
    for size in reversed(range(len(base))):
        before = base[:size]
        entity = entity_at(root, before)
        if entity.is_a(OBSERVATION) or not _are_told(root, before, base, where, held):
            continue
        own = _seen_from(root, before, where)
        assert own is not None, "it tells them all"
        other = rebased(_key(base), "/".join(before))
        assert isinstance(other, Column)
        return _asked_together(_key(before), (_key(base),), entity, (other,), own)
    return _several_together(root, base, where, held)


def _several_together(
    root: EntityType, base: Way, where: Expression, held: Collection[Way]
) -> Expression | None:
    """As `_together`, also of what is chosen elsewhere, as soon as one entity leads to all of them."""
    for size in reversed(range(len(base) + 1)):
        before = base[:size]
        entity = entity_at(root, before)
        behind = [way for way in held if way[:size] == before and _names(where, way)]
        others_held = [way for way in held if way not in behind]
        own = _told_by(root, before, where, others_held)
        if own is None or entity.is_a(OBSERVATION):
            continue
        variables = [_key(way) for way in behind]
        chosen = [rebased(key, "/".join(before)) for key in variables]
        inside = "".join(f"{link}/" for link in base[size:])
        named = columns_of(own) if inside else []
        outside = [column for column in named if not column.name.startswith(inside)]
        known = [column for column in chosen if isinstance(column, Column)]
        ways = {"/".join(base[size:]), *ends(entity, [*outside, *known])} - {""}
        others = tuple(Column(f"{way}/id", Kind.NUMBER) for way in sorted(ways))
        if any(entity_at(entity, other.name.split("/")[:-1]).is_a(OBSERVATION) for other in others):
            return None  # the ids of all Observations are too many to be listed
        prefix = "".join(f"{link}/" for link in before)
        keys = tuple(replace(other, name=prefix + other.name) for other in others)
        return _asked_together(_key(before), keys, entity, others, own)
    return None


def _names(condition: Expression, way: Way) -> bool:
    """Whether the condition names something of what is behind the way."""
    begin = "".join(f"{link}/" for link in way)
    return any(column.name.startswith(begin) for column in columns_of(condition))


def _asked_together(
    key: Column,
    keys: tuple[Column, ...],
    entity: EntityType,
    others: tuple[Column, ...],
    where: Expression,
) -> Expression:
    found = Together(key, {}, Kind.JSON, entity, others, where)
    return Or((Call("list_has_number", (found, *keys), Kind.BOOLEAN),))


def _are_told(
    root: EntityType, before: Way, base: Way, where: Expression, held: Collection[Way]
) -> bool:
    """Whether nothing but what the two entities lead to is asked for."""
    return all(
        column.name.startswith("".join(f"{link}/" for link in base))
        or (_way_back(root, base, column) is not None and _is_one(root, base, column, held))
        or _is_told(root, before, column)
        for column in columns_of(where)
    )


def _is_told(root: EntityType, way: Way, column: Column) -> bool:
    """Whether the entity at the end of the way leads to the column over links to one."""
    prefix = "".join(f"{link}/" for link in way)
    back = column if column.name.startswith(prefix) else _way_back(root, way, column)
    return back is not None and not passes_many(entity_at(root, way), rebased(back, "/".join(way)))


def _told_by(
    root: EntityType, base: Way, where: Expression, held: Collection[Way]
) -> Expression | None:
    """As `_seen_from`, if every variable stands for the same entity there."""
    if not all(_is_one(root, base, column, held) for column in columns_of(where)):
        return None
    return _seen_from(root, base, where)


def _is_one(root: EntityType, base: Way, column: Column, held: Collection[Way]) -> bool:
    """Whether the entities at `base` tell for which one a variable stands that the column begins with."""
    path = tuple(column.name.split("/"))
    return all(
        base[: len(way)] == way or path[: len(way)] != way or _is_told(root, base, _key(way))
        for way in held
    )


def _seen_from(root: EntityType, base: Way, condition: Expression) -> Expression | None:
    """The condition with its columns named from the entities at `base`; None if they do not tell them."""
    prefix = "".join(f"{link}/" for link in base)
    outside = {
        column: _way_back(root, base, column)
        for column in columns_of(condition)
        if not column.name.startswith(prefix)
    }
    if None in outside.values():
        return None
    there = substituted(condition, lambda column: outside.get(column) or column)
    return rebased(there, "/".join(base))


def _way_back(root: EntityType, base: Way, column: Column) -> Column | None:
    """The same column by way of `base` and back over links to one; None if others are back there, too."""
    if not base:
        return column
    back = seen_from(root, "/".join(base), column)
    return None if back is None else replace(back, name="/".join((*base, back.name)))


def by_itself(
    root: EntityType, way: Way, condition: Expression, held: Collection[Way]
) -> Expression:
    """The condition on those behind the way such that its contrary is what nothing of theirs fulfils."""
    entity = entity_at(root, way)
    if entity.is_a(OBSERVATION):
        return condition
    own = _told_by(root, way, condition, held)
    if own is None:
        return _together(root, way, condition, held) or condition
    return Having(_key(way), frozenset(), entity, own) if passes_many(entity, own) else condition


def _next_to_the_link(root: EntityType, way: Way, scope: Way) -> Way:
    """As far as the way leads from the scope over links to one."""
    entity, base = entity_at(root, scope), scope
    for name in way[len(scope) :]:
        link = entity.behind(name)
        if link is None or link.many:
            break
        base, entity = (*base, name), entity_at(entity, (name,))
    return base
