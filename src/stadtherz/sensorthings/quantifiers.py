"""`any` and `all` (OData 4.0 part 2 §5.1.1.10): conditions on what is behind a link to many.

Each of them is asked by itself, so that `any(..) and any(..)` may mean two different entities: whose
ids are among those that have one? Whose, is said by the entity where the way to the link begins.
"""

from dataclasses import replace

from stadtherz.base.expressions import Column, Compare, Expression, Kind, Literal, columns_of
from stadtherz.sensorthings.schema import OBSERVATION, EntityType, back_link
from stadtherz.sensorthings.trees import Having, entity_at, passes_many, rebased, substituted

Way = tuple[str, ...]


def there(way: Way) -> Expression:
    """There is somebody at the end of the way."""
    return Compare("ne", Column("/".join((*way, "id")), Kind.NUMBER), Literal(None, Kind.NULL))


def having(root: EntityType, way: Way, scope: Way, where: Expression) -> Having | None:
    """Those for whom `where` holds, whose columns are named from the root, for one choice behind `way`.

    They are the entities next to the link that the way ends with, or those of the scope, from which
    the way goes on. What is outside of them is the same seen from them, where links to one lead back.
    None if the condition looks further than that.
    """
    for base in (_next_to_the_link(root, way, scope), scope):
        entity = entity_at(root, base)
        if entity.is_a(OBSERVATION):
            continue  # their ids are too many to be listed
        if (own := _seen_from(root, base, where)) is not None:
            key = Column("/".join((*base, "id")), Kind.NUMBER)
            return Having(key, frozenset(), entity, own)
    return None


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
    own = None if entity.is_a(OBSERVATION) else _seen_from(root, way, condition)
    if own is None or not passes_many(entity, own):
        return condition
    return Having(Column("/".join((*way, "id")), Kind.NUMBER), frozenset(), entity, own)


def _next_to_the_link(root: EntityType, way: Way, scope: Way) -> Way:
    """As far as the way leads from the scope over links to one."""
    entity, base = entity_at(root, scope), scope
    for name in way[len(scope) :]:
        link = entity.link(name)
        if link is None or link.many:
            break
        base, entity = (*base, name), entity_at(entity, (name,))
    return base
