"""What can be asked of an expression or a path before anybody computes it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stadtherz.base.expressions import (
    FALSE,
    TRUE,
    Among,
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
    columns_of,
)
from stadtherz.sensorthings.standard.schema import EntityType, Link, Own, target


@dataclass(frozen=True, slots=True)
class Having(Among):
    """Among the entities of a type that fulfil a condition of their own, as `any` and `all` ask.

    The members are looked up when the condition is resolved (`resolve`); until then there are none.
    """

    entity: EntityType
    where: Expression


@dataclass(frozen=True, slots=True)
class Together(Lookup):
    """For each entity of a type the ids in `others` with which it fulfils a condition, as `Having`.

    It is the first argument of a function; the keys behind it are those of the others where it is asked.
    """

    entity: EntityType
    others: tuple[Column, ...]
    where: Expression


@dataclass(frozen=True, slots=True)
class Apart(Or):
    """A condition on Observations that is asked by itself, whatever is chosen around it."""

    kind: EntityType


@dataclass(frozen=True, slots=True)
class Counted(Lookup):
    """For each entity of a type how many a link to many leads to (`Link/$count`), as `Having`."""

    entity: EntityType
    link: Link


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
        link = entity.behind(name)
        if link is None:
            return entity, path[:index], path[index:]
        entity = target(link)
    return entity, path, ()


def passes_many(entity: EntityType, expression: Expression) -> bool:
    """Whether any column of the expression is behind a link that may lead to several entities."""
    return any(_passes_many(entity, column.name.split("/")) for column in columns_of(expression))


def _passes_many(entity: EntityType, path: list[str]) -> bool:
    for name in path:
        link = entity.behind(name)
        if link is None:
            return False
        if not isinstance(link.via, Own):
            return True
        entity = target(link)
    return False


def leaves(expression: Expression) -> list[Expression]:
    """The comparisons and functions that a condition is made of."""
    match expression:
        case And(parts=parts) | Or(parts=parts):
            return [leaf for part in parts for leaf in leaves(part)]
        case Not(part=part):
            return leaves(part)
        case _:
            return [expression] if columns_of(expression) else []


def entity_at(entity: EntityType, links: Sequence[str]) -> EntityType:
    """What is reached from the entity over these links."""
    for name in links:
        link = entity.behind(name)
        assert link is not None, "the plan names links of the schema only"
        entity = target(link)
    return entity


def with_operands(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The expression with what it compares or computes with exchanged."""
    match expression:
        case Compare(operator=operator, left=left, right=right):
            return Compare(operator, change(left), change(right))
        case Call(arguments=arguments):
            return replace(expression, arguments=tuple(change(a) for a in arguments))
        case _:
            return expression


def substituted(expression: Expression, change: Callable[[Column], Expression]) -> Expression:
    """The expression with each column exchanged."""
    match expression:
        case Column():
            return change(expression)
        case And(parts=parts):
            return And(tuple(substituted(part, change) for part in parts))
        case Or(parts=parts):
            return Or(tuple(substituted(part, change) for part in parts))
        case Not(part=part):
            return Not(substituted(part, change))
        case Among():
            column = change(expression.column)
            # Nothing, which is what a key may be exchanged for, is among nobody.
            return replace(expression, column=column) if isinstance(column, Column) else FALSE
        case Lookup():
            column = change(expression.column)
            return replace(expression, column=column) if isinstance(column, Column) else column
        case _:
            return with_operands(expression, lambda operand: substituted(operand, change))


def rebased(expression: Expression, way: str) -> Expression:
    """The same expression seen from the entity at the end of `way`."""
    prefix = f"{way}/" if way else ""
    return substituted(expression, lambda c: replace(c, name=c.name.removeprefix(prefix)))


def within(value: Any, path: Iterable[str]) -> Any:
    """What a path leads to in a document; None if there is nothing."""
    for name in path:
        value = _within(value, name)
    return value


def _within(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, list) and name.isascii() and name.isdigit():
        index = int(name[:9])
        return value[index] if index < len(value) else None
    return None
