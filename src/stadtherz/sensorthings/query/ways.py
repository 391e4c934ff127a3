"""The ways by which conditions lead from one kind of entity to another, and to readings."""

from dataclasses import replace

from stadtherz.base.expressions import (
    And,
    Column,
    Compare,
    Expression,
    Kind,
    Literal,
    Or,
    columns_of,
)
from stadtherz.sensorthings.query.trees import entity_at, leaves, passes_many
from stadtherz.sensorthings.standard.schema import (
    OBSERVATION,
    EntityType,
    Link,
    Own,
    back_link,
    target,
)

OWN = ""
"""The side of what a reading holds itself."""


def sides_of(expression: Expression) -> set[str]:
    return {side_of(column) for column in columns_of(expression)}


def ways_to_readings(entity: EntityType, expression: Expression) -> set[str | None]:
    return {to_readings(entity, column) for column in columns_of(expression)}


def side_of(column: Column) -> str:
    first, slash, _ = column.name.partition("/")
    return first if slash else OWN


def to_readings(entity: EntityType, column: Column) -> str | None:
    """The way to the first link that leads to readings, or None."""
    *links, _ = column.name.split("/")
    for index, name in enumerate(links):
        link = entity.behind(name)
        assert link is not None, "the plan names links of the schema only"
        entity = target(link)
        if entity.is_a(OBSERVATION):
            return "/".join(links[: index + 1])
    return None


def seen_from(entity: EntityType, way: str, column: Column) -> Column | None:
    """The column as it is named from what the way leads to, back over links to one.

    None if several entities are on the way back.
    """
    links, path = way.split("/"), column.name.split("/")
    shared = next(
        (i for i, (a, b) in enumerate(zip(links, path, strict=False)) if a != b), len(links)
    )
    back: list[str] = []
    for index in range(len(links) - 1, shared - 1, -1):
        before = entity_at(entity, links[:index])
        link = back_link(before, link_at(before, links[index]))
        if link.many:
            return None
        back.append(link.name)
    return replace(column, name="/".join([*back, *path[shared:]]))


def key_before(entity: EntityType, way: str) -> Column:
    """By which column those before the link to readings, with which the way ends, are told apart."""
    link = link_at(entity, way)
    before, slash, _ = way.rpartition("/")
    name = link.via.column if isinstance(link.via, Own) else "id"
    return Column(f"{before}{slash}{name}", Kind.NUMBER)


def needs_turns(entity: EntityType, way: str, condition: Expression) -> bool:
    """Whether a reading behind the way is held against one of several entities that it belongs to."""
    kind = target(link_at(entity, way))
    for leaf in leaves(condition):
        columns = columns_of(leaf)
        outside = [column for column in columns if not column.name.startswith(f"{way}/")]
        back = [seen_from(entity, way, column) for column in outside]
        mixed = len(outside) < len(columns)
        if any(b is None or (mixed and passes_many(kind, b)) for b in back):
            return True
    return False


def entangled(kind: EntityType, condition: Expression) -> set[str]:
    """The sides of readings with several entities of which one is held against something else."""
    found = set()
    for leaf in leaves(condition):
        if len(sides_of(leaf)) > 1:
            found |= {side_of(column) for column in columns_of(leaf) if passes_many(kind, column)}
    return found


def link_at(entity: EntityType, way: str) -> Link:
    *before, last = way.split("/")
    link = entity_at(entity, before).behind(last)
    assert link is not None, "the plan names links of the schema only"
    return link


def is_nothing(condition: Expression) -> bool:
    """Whether it says that something is null, as it is of a reading that is not there."""
    match condition:
        case Or(parts=parts):
            return any(is_nothing(part) for part in parts)
        case And(parts=parts):
            return all(is_nothing(part) for part in parts)
        case Compare(operator="eq", left=Column(), right=Literal(value=None)):
            return True
    return False


def about(entity: EntityType, part: Expression) -> set[str | None]:
    """The ways to readings; what holds readings against something else is about them alone.

    So is each part of a comparison of times: start and end are those of one and the same reading.
    """
    ways = ways_to_readings(entity, part)
    some = ways - {None}
    mixed = any(len(ways_to_readings(entity, leaf)) > 1 for leaf in leaves(part))
    return some if len(some) == 1 and mixed else ways
