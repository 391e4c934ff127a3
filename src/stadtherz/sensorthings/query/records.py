"""Parts of records in conditions on readings: version 2.0 names them, the store knows their places."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from stadtherz.base.errors import Invalid
from stadtherz.base.expressions import (
    Among,
    And,
    Column,
    Expression,
    Kind,
    Not,
    Or,
    columns_of,
)
from stadtherz.sensorthings.query.trees import substituted

Names = Mapping[int, list[str]]
"""Of each Datastream with records the names of their fields, in order."""

_RESULT = "result"
_STREAM = Column("datastream", Kind.NUMBER)


def named(expression: Expression) -> list[str]:
    """The fields that an expression on readings names."""
    columns = [c for c in columns_of(expression) if c.name == _RESULT and c.path]
    return list(dict.fromkeys(c.path[0] for c in columns if not c.path[0].isdigit()))


def by_place(condition: Expression, names: Names) -> Expression:
    """The condition with places in place of names, as they are in each Datastream."""
    match condition:
        case And(parts=parts):
            return And(tuple(by_place(part, names) for part in parts))
        case Or(parts=parts):
            return Or(tuple(by_place(part, names) for part in parts))
        case Not(part=part):
            return Not(by_place(part, names))
        case _:
            return _alternatives(condition, names)


def _alternatives(condition: Expression, names: Names) -> Expression:
    groups = _groups(named(condition), names)
    if not groups:
        return condition
    others = frozenset(stream for streams in groups.values() for stream in streams)
    ways: list[Expression] = [
        And((Among(_STREAM, frozenset(streams)), _placed(condition, dict(places))))
        for places, streams in groups.items()
    ]
    return Or((*ways, And((Not(Among(_STREAM, others)), condition))))


Places = tuple[tuple[str, int], ...]


def _groups(fields: Collection[str], names: Names) -> dict[Places, set[int]]:
    """Datastreams by where they have these fields; without those that have none of them."""
    groups: dict[Places, set[int]] = {}
    for stream, own in names.items():
        places = tuple((field, own.index(field)) for field in fields if field in own)
        if places:
            groups.setdefault(places, set()).add(stream)
    return groups


def _placed(expression: Expression, places: Mapping[str, int]) -> Expression:
    def change(column: Column) -> Expression:
        if column.name != _RESULT or not column.path or column.path[0] not in places:
            return column
        return replace(column, path=(str(places[column.path[0]]), *column.path[1:]))

    return substituted(expression, change)


def part_by_place(part: tuple[str, ...], names: Sequence[str]) -> tuple[str, ...]:
    """The way to a part with its place in place of its name, if it is one of the names."""
    return (str(names.index(part[0])), *part[1:]) if part[0] in names else part


def value_by_place(value: Expression, names: Names, streams: Collection[int] | None) -> Expression:
    """A value to sort readings of these Datastreams by.

    Raises:
        Invalid: if a field has different places in them.
    """
    asked = names if streams is None else {k: v for k, v in names.items() if k in streams}
    groups = _groups(named(value), asked)
    if len(groups) > 1:
        raise Invalid(
            "$orderby", "is in several places of the results; ask one Datastream for its own"
        )
    return _placed(value, dict(next(iter(groups), ())))
