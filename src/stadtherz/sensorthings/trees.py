"""What can be asked of an expression or a path before anybody computes it."""

from functools import reduce

from stadtherz.base.expressions import (
    TRUE,
    And,
    Call,
    Column,
    Compare,
    Expression,
    Kind,
    Literal,
    Lookup,
    Not,
    Or,
)
from stadtherz.sensorthings.schema import EntityType, target


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


def columns_of(expression: Expression) -> list[Column]:
    """Every column an expression names."""
    match expression:
        case Column():
            return [expression]
        case Compare(left=left, right=right):
            return columns_of(left) + columns_of(right)
        case And(parts=parts) | Or(parts=parts) | Call(arguments=parts):
            return reduce(lambda found, part: found + columns_of(part), parts, [])
        case Not(part=part):
            return columns_of(part)
        case Literal():
            return []
        case _:
            return [expression.column]


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
    """Whether any column of the expression is behind a link to many."""
    return any(_passes_many(entity, column.name.split("/")) for column in columns_of(expression))


def _passes_many(entity: EntityType, path: list[str]) -> bool:
    for name in path:
        link = entity.link(name)
        if link is None:
            return False
        if link.many:
            return True
        entity = target(link)
    return False
