"""`any` and `all` (OData 4.0 part 2 §5.1.1.10): conditions on what is behind a link to many.

Each of them is asked by itself, so that `any(..) and any(..)` may mean two different entities: whose
ids are among those that have one? Whose, is said by the entity where the way to the link begins.
"""

from stadtherz.base.expressions import Column, Compare, Expression, Kind, Literal, columns_of
from stadtherz.sensorthings.schema import OBSERVATION, EntityType
from stadtherz.sensorthings.trees import Having, entity_at, passes_many, rebased

Way = tuple[str, ...]


def there(way: Way) -> Expression:
    """There is somebody at the end of the way."""
    return Compare("ne", Column("/".join((*way, "id")), Kind.NUMBER), Literal(None, Kind.NULL))


def having(root: EntityType, way: Way, scope: Way, where: Expression) -> Having | None:
    """Those for whom `where` holds, whose columns are named from the root, for one choice behind `way`.

    They are the entities next to the link that the way ends with, or those of the scope, from which
    the way goes on. None if the condition looks further than that.
    """
    for base in (_next_to_the_link(root, way, scope), scope):
        prefix = "".join(f"{link}/" for link in base)
        entity = entity_at(root, base)
        if entity.is_a(OBSERVATION):
            continue  # their ids are too many to be listed
        if all(column.name.startswith(prefix) for column in columns_of(where)):
            key = Column(f"{prefix}id", Kind.NUMBER)
            return Having(key, frozenset(), entity, rebased(where, "/".join(base)))
    return None


def by_itself(root: EntityType, way: Way, condition: Expression) -> Expression:
    """The condition on those behind the way such that its contrary is what nothing of theirs fulfils."""
    entity, prefix = entity_at(root, way), "".join(f"{link}/" for link in way)
    own = rebased(condition, "/".join(way))
    if entity.is_a(OBSERVATION) or not passes_many(entity, own):
        return condition
    if not all(column.name.startswith(prefix) for column in columns_of(condition)):
        return condition
    return Having(Column(f"{prefix}id", Kind.NUMBER), frozenset(), entity, own)


def _next_to_the_link(root: EntityType, way: Way, scope: Way) -> Way:
    """As far as the way leads from the scope over links to one."""
    entity, base = entity_at(root, scope), scope
    for name in way[len(scope) :]:
        link = entity.link(name)
        if link is None or link.many:
            break
        base, entity = (*base, name), entity_at(entity, (name,))
    return base
