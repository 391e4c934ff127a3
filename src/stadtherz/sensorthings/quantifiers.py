"""`any` and `all` (OData 4.0 part 2 §5.1.1.10): conditions on what is behind a link to many.

Each of them is asked by itself, so that `any(..) and any(..)` may mean two different entities: whose
ids are among those that have one? Whose, is said by the entity where the way to the link begins. If
that one does not tell what is outside of it, it is asked for together with one before it.
"""

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
from stadtherz.sensorthings.schema import OBSERVATION, EntityType, back_link
from stadtherz.sensorthings.trees import (
    Having,
    Together,
    entity_at,
    passes_many,
    rebased,
    substituted,
)

Way = tuple[str, ...]


def there(way: Way) -> Expression:
    """There is somebody at the end of the way."""
    return Compare("ne", Column("/".join((*way, "id")), Kind.NUMBER), Literal(None, Kind.NULL))


def having(root: EntityType, way: Way, scope: Way, where: Expression) -> Expression | None:
    """Those for whom `where` holds, whose columns are named from the root, for one choice behind `way`.

    They are the entities next to the link that the way ends with, or those of the scope, from which
    the way goes on. What is outside of them is the same seen from them, where links to one lead back.
    None if the condition looks further than that.
    """
    bases = (_next_to_the_link(root, way, scope), scope)
    for base in bases:
        entity = entity_at(root, base)
        own = _seen_from(root, base, where)
        if own is None or (entity.is_a(OBSERVATION) and not _of_one_link(own)):
            continue  # the ids of all Observations are too many to be listed
        return Having(_key(base), frozenset(), entity, own)
    return next((both for base in bases if (both := _together(root, base, where))), None)


def _key(way: Way) -> Column:
    return Column("/".join((*way, "id")), Kind.NUMBER)


def _of_one_link(condition: Expression) -> bool:
    firsts = {column.name.partition("/")[:2] for column in columns_of(condition)}
    return len(firsts) == 1 and all(slash for _, slash in firsts)


def _together(root: EntityType, base: Way, where: Expression) -> Expression | None:
    """As `having`, of the entities at `base` and what they are reached from, both at once."""
    for size in reversed(range(len(base))):
        before = base[:size]
        entity = entity_at(root, before)
        if entity.is_a(OBSERVATION) or not _are_told(root, before, base, where):
            continue
        own = _seen_from(root, before, where)
        assert own is not None, "it tells them all"
        other = rebased(_key(base), "/".join(before))
        assert isinstance(other, Column)
        found = Together(_key(before), {}, Kind.JSON, entity, other, own)
        return Or((Call("list_has_number", (found, _key(base)), Kind.BOOLEAN),))
    return None


def _are_told(root: EntityType, before: Way, base: Way, where: Expression) -> bool:
    """Whether nothing but what the two entities lead to is asked for."""
    return all(
        column.name.startswith("".join(f"{link}/" for link in base))
        or _way_back(root, base, column) is not None
        or _is_told(root, before, column)
        for column in columns_of(where)
    )


def _is_told(root: EntityType, way: Way, column: Column) -> bool:
    """Whether the entity at the end of the way leads to the column over links to one."""
    prefix = "".join(f"{link}/" for link in way)
    if not column.name.startswith(prefix):
        return _way_back(root, way, column) is not None
    return not passes_many(entity_at(root, way), rebased(column, "/".join(way)))


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
    path = column.name.split("/")
    shared = 0
    while shared < len(base) and path[shared] == base[shared]:
        shared += 1
    way = list(base)
    for place in range(len(base) - 1, shared - 1, -1):
        before = entity_at(root, base[:place])
        link = before.link(base[place])
        back = None if link is None else back_link(before, link)
        if back is None or back.many:
            return None
        way.append(back.name)
    return replace(column, name="/".join((*way, *path[shared:])))


def by_itself(root: EntityType, way: Way, condition: Expression) -> Expression:
    """The condition on those behind the way such that its contrary is what nothing of theirs fulfils."""
    entity = entity_at(root, way)
    if entity.is_a(OBSERVATION):
        return condition
    own = _seen_from(root, way, condition)
    if own is None:
        return _together(root, way, condition) or condition
    return Having(_key(way), frozenset(), entity, own) if passes_many(entity, own) else condition


def _next_to_the_link(root: EntityType, way: Way, scope: Way) -> Way:
    """As far as the way leads from the scope over links to one."""
    entity, base = entity_at(root, scope), scope
    for name in way[len(scope) :]:
        link = entity.link(name)
        if link is None or link.many:
            break
        base, entity = (*base, name), entity_at(entity, (name,))
    return base
