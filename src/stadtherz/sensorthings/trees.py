"""What can be asked of an expression or a path before anybody computes it."""

from stadtherz.base.expressions import (
    TRUE,
    And,
    Call,
    Column,
    Expression,
    Kind,
    Literal,
    Lookup,
    columns_of,
)
from stadtherz.sensorthings.schema import EntityType, Own, target


def kind_of(expression: Expression) -> Kind:
    """The type of the expression's value; conditions are booleans."""
    if isinstance(expression, Column | Literal | Call | Lookup):
        return expression.kind
    return Kind.BOOLEAN


def conjunction(*conditions: Expression) -> Expression:
    """All of the conditions as one, without And inside And and without what is always true."""
    parts: list[Expression] = []
    for condition in conditions:
        parts += condition.parts if isinstance(condition, And) else [condition]
    parts = [part for part in parts if part != TRUE]
    return parts[0] if len(parts) == 1 else And(tuple(parts)) if parts else TRUE


def walk(
    entity: EntityType, path: tuple[str, ...]
) -> tuple[EntityType, tuple[str, ...], tuple[str, ...]]:
    """Follow links from `entity` as far as `path` names any: (arrived at, links, what is left)."""
    for index, name in enumerate(path):
        link = entity.link(name)
        if link is None:
            return entity, path[:index], path[index:]
        entity = target(link)
    return entity, path, ()


def passes_many(entity: EntityType, expression: Expression) -> bool:
    """Whether any column of the expression is behind a link that may lead to several entities."""
    return any(_passes_many(entity, column.name.split("/")) for column in columns_of(expression))


def _passes_many(entity: EntityType, path: list[str]) -> bool:
    for name in path:
        link = entity.link(name)
        if link is None:
            return False
        if not isinstance(link.via, Own):
            return True
        entity = target(link)
    return False
