"""Conditions on several entities at once: each choice of them is looked at by itself.

What a condition names of entities outside of readings is known before the readings are looked at. Where a
reading belongs to several of them, its turns come one after the other, each with the values of one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from stadtherz.base.errors import TooLarge
from stadtherz.base.expressions import (
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
)
from stadtherz.base.functions import COALESCE
from stadtherz.sensorthings.query.execute import loaded
from stadtherz.sensorthings.query.trees import with_operands
from stadtherz.sensorthings.standard.schema import EntityType, target

Atom = Column | Among | Lookup
Values = tuple[Any, ...]
Turn = dict[int, Values]
"""For each key the values that hold this time."""

MOST_ROWS = 100_000
MOST_TOGETHER = 1_000_000
MOST_TURNS = 50


def column_of(atom: Atom) -> Column:
    """The column that an atom is computed from, which may be itself."""
    return atom if isinstance(atom, Column) else atom.column


def atoms_of(expression: Expression) -> list[Atom]:
    """What the expression knows of entities and readings: columns, and what is looked up by one."""
    match expression:
        case Column() | Among() | Lookup():
            return [expression]
        case And(parts=parts) | Or(parts=parts) | Call(arguments=parts):
            return [atom for part in parts for atom in atoms_of(part)]
        case Not(part=part):
            return atoms_of(part)
        case Compare(left=left, right=right):
            return atoms_of(left) + atoms_of(right)
        case Literal():
            return []


def exchanged(expression: Expression, change: Callable[[Atom], Expression]) -> Expression:
    """The expression with each atom exchanged."""
    match expression:
        case Column() | Among() | Lookup():
            return change(expression)
        case And(parts=parts):
            return And(tuple(exchanged(part, change) for part in parts))
        case Or(parts=parts):
            return Or(tuple(exchanged(part, change) for part in parts))
        case Not(part=part):
            return Not(exchanged(part, change))
        case _:
            return with_operands(expression, lambda operand: exchanged(operand, change))


def told(atom: Atom, held: Any) -> Any:
    """What an atom is where its column holds this."""
    match atom:
        case Among(members=members):
            return int(held in members)
        case Lookup(table=table):
            return table.get(held)
        case Column(kind=Kind.JSON | Kind.GEOMETRY):
            return loaded(held)
        case Column():
            return held


def by_key(atom: Atom, key: Column, table: dict[int, Any]) -> Expression:
    """The atom as something that is looked up by another column."""
    if isinstance(atom, Among):
        return Compare("eq", Lookup(key, table, Kind.NUMBER), Literal(1, Kind.NUMBER))
    return Lookup(key, table, atom.kind)


def values_of(atoms: Sequence[Atom], held: Sequence[Any]) -> Values:
    return tuple(told(atom, value) for atom, value in zip(atoms, held, strict=True))


def with_values(
    expression: Expression, atoms: Mapping[int, tuple[int, Atom]], key: Column, turn: Turn
) -> Expression:
    """The expression with atoms (by what `id` says of them) as what they are in a turn.

    Each has its place among the values, and is known as an atom of tables.
    """
    known: dict[int, Expression] = {}
    for name, (place, atom) in atoms.items():
        table = {held: values[place] for held, values in turn.items()}
        known[name] = by_key(atom, key, table)
    return exchanged(expression, lambda atom: known.get(id(atom), atom))


def turns(found: Iterable[tuple[int, Values]]) -> list[Turn]:
    """Different values of the same key one after the other; each key has its first in the first turn.

    Raises:
        TooLarge: if a key has too many of them.
    """
    held: dict[int, dict[str, Values]] = {}
    for key, values in found:
        held.setdefault(key, {}).setdefault(repr(values), values)
    made: list[Turn] = []
    for key, different in held.items():
        for place, values in enumerate(different.values()):
            if place == len(made):
                made.append({})
            made[place][key] = values
    check_turns(len(made))
    return made


def check_turns(number: int) -> None:
    if number > MOST_TURNS:
        raise TooLarge(
            f"the filter holds an Observation against more than {MOST_TURNS} others; name them by id"
        )


def check_rows(found: Sequence[Any], most: int = MOST_ROWS) -> None:
    if len(found) > most:
        raise TooLarge(f"the filter would compare more than {most} combinations; narrow it")


def ends(entity: EntityType, columns: Iterable[Column]) -> set[str]:
    """The ways that end with the last link to many of each column's way, if it has any."""
    found = set()
    for column in columns:
        links = column.name.split("/")[:-1]
        begin, last = entity, 0
        for place, name in enumerate(links, 1):
            link = begin.behind(name)
            assert link is not None, "the plan names links of the schema only"
            last = place if link.many else last
            begin = target(link)
        found.add("/".join(links[:last]))
    return found - {""}


def one_of(
    root: Column, keys: Sequence[Column], found: Iterable[Sequence[int | None]]
) -> Expression:
    """Whether root and keys together are one of the rows that were found, of (root, *keys)."""
    listed = list(found)
    if not keys:
        return Among(root, frozenset(row[0] for row in listed if row[0] is not None))
    tables, step = [], 1
    for place in range(1, len(keys) + 1):
        known = dict.fromkeys(row[place] for row in listed if row[place] is not None)
        tables.append(
            {key: number * step for number, key in enumerate(known, 1) if key is not None}
        )
        step *= len(known) + 1
    sums: dict[int, list[int]] = {}
    for root_key, *others in listed:
        if root_key is not None:
            number = sum(t[o] for t, o in zip(tables, others, strict=True) if o is not None)
            sums.setdefault(root_key, []).append(number)
    nothing = Literal(0, Kind.NUMBER)
    numbers: list[Expression] = [
        Call(COALESCE, (Lookup(key, table, Kind.NUMBER), nothing), Kind.NUMBER)
        for key, table in zip(keys, tables, strict=True)
    ]
    total = numbers[0]
    for number_of in numbers[1:]:
        total = Call("add", (total, number_of), Kind.NUMBER)
    held = Lookup(root, sums, Kind.JSON)
    return Or((Call("list_has_number", (held, total), Kind.BOOLEAN),))
