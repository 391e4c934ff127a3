"""Conditions that span the two halves of the store, made answerable by either half alone.

Entities live in tables, readings in the store. A condition on readings that depends on their
datastream or feature becomes `Among` (which ones fulfil it) or `Lookup` (the value each has). A
condition on entities that depends on their readings becomes `Among` (which ones have such a
reading). What remains goes to one side whole.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import TypeVar

import orjson

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
    Order,
    columns_of,
)
from stadtherz.sensorthings import readings, sql
from stadtherz.sensorthings.execute import rows
from stadtherz.sensorthings.formats import Unsupported
from stadtherz.sensorthings.schema import (
    DATASTREAM,
    FEATURE_OF_INTEREST,
    OBSERVATION,
    EntityType,
    Link,
    Own,
    Reverse,
    target,
)
from stadtherz.sensorthings.tables import Reader
from stadtherz.sensorthings.trees import kind_of, passes_many

_OWN = ""
_EXTENTS = frozenset(c for p in DATASTREAM.properties if p.derived for c in p.columns)
_T = TypeVar("_T", bound=Hashable)
_SEARCH_STEP = 5_000
_MAX_SEARCH_STEPS = 200


@dataclass(frozen=True, slots=True)
class Resolution:
    """Resolves for one reader; every look-up asks only for what the reader may see."""

    reader: Reader

    # --- conditions on readings ------------------------------------------------------------------

    def for_readings(self, kind: EntityType, expression: Expression) -> Expression:
        """The condition on Observations of a model, naming nothing but columns of readings."""
        sides = _sides(expression)
        if sides <= {_OWN}:
            return expression
        if len(sides) == 1 and _is_condition(expression):
            return self._membership(kind, sides.pop(), expression)
        match expression:
            case And(parts=parts):
                grouped = _grouped(parts, _sides)
                return And(tuple(self.for_readings(kind, part) for part in grouped))
            case Or(parts=parts):
                return Or(tuple(self.for_readings(kind, part) for part in parts))
            case Not(part=part):
                return Not(self.for_readings(kind, part))
            case _:
                return _with_operands(expression, lambda part: self._operand(kind, part))

    def order_of_readings(self, kind: EntityType, order: tuple[Order, ...]) -> tuple[Order, ...]:
        return tuple(replace(term, by=self._operand(kind, term.by)) for term in order)

    def _operand(self, kind: EntityType, expression: Expression) -> Expression:
        """A value computed from readings and what they belong to."""
        sides = _sides(expression)
        if sides <= {_OWN}:
            return expression
        if _is_condition(expression):
            return self.for_readings(kind, expression)
        if len(sides) == 1:
            return self._values(kind, sides.pop(), expression)
        return _with_operands(expression, lambda part: self._operand(kind, part))

    def _membership(self, kind: EntityType, side: str, condition: Expression) -> Expression:
        """Which datastreams or features fulfil the condition.

        A reading without a feature, or with one this reader may not see, counts as one whose
        feature has no values, and so does one of a MultiDatastream whose Datastream is asked for; so if
        nothing fulfils the condition, the others are excluded instead.
        """
        entity, key = _beside(kind, side)
        own = self.for_entities(entity, rebased(condition, side))
        column = Column(key, Kind.NUMBER)
        optional = entity.is_a(FEATURE_OF_INTEREST) or entity.only is not None
        if optional and rows(sql.of_nothing(entity, own, self.reader)):
            return Not(Among(column, self._ids(entity, Not(own))))
        return Among(column, self._ids(entity, own))

    def _ids(self, entity: EntityType, condition: Expression) -> frozenset[int]:
        return frozenset(row[0] for row in rows(sql.ids_where(entity, condition, self.reader)))

    def _values(self, kind: EntityType, side: str, expression: Expression) -> Expression:
        entity, key = _beside(kind, side)
        own = rebased(expression, side)
        if passes_many(entity, own):
            raise Unsupported("values behind a link to many cannot be compared with readings")
        if isinstance(own, Column) and own.name == "id" and entity.is_a(DATASTREAM):
            return Column(key, Kind.NUMBER)
        resolved = self.for_entities(entity, own)
        found = rows(sql.values_of(entity, resolved, self.reader))
        if kind_of(own) in (Kind.JSON, Kind.GEOMETRY):
            found = [(row_id, _loaded(value)) for row_id, value in found]
        return Lookup(Column(key, Kind.NUMBER), dict(found), kind_of(own))

    # --- conditions on entities ------------------------------------------------------------------

    def for_entities(self, entity: EntityType, expression: Expression) -> Expression:
        """The expression, naming nothing but columns of tables."""
        ways = _ways_to_readings(entity, expression)
        if ways <= {None}:
            return self._with_extents(entity, expression)
        if len(ways) == 1 and _is_condition(expression):
            return self._having(entity, str(ways.pop()), expression)
        match expression:
            case And(parts=parts):
                grouped = _grouped(parts, lambda part: _ways_to_readings(entity, part))
                return And(tuple(self.for_entities(entity, part) for part in grouped))
            case Or(parts=parts):
                return Or(tuple(self.for_entities(entity, part) for part in parts))
            case Not(part=part):
                return Not(self.for_entities(entity, part))
            case _:
                raise Unsupported(
                    "readings can only be compared with constants and with each other here"
                )

    def order_of_entities(self, entity: EntityType, order: tuple[Order, ...]) -> tuple[Order, ...]:
        return tuple(replace(term, by=self.for_entities(entity, term.by)) for term in order)

    def _having(self, entity: EntityType, way: str, condition: Expression) -> Expression:
        """Which of the entities before the link to readings have one that fulfils the condition."""
        link = _link_at(entity, way)
        inner = self.for_readings(target(link), rebased(condition, way))
        before, slash, _ = way.rpartition("/")
        key = Column(f"{before}{slash}id", Kind.NUMBER)
        return Among(key, self._keys(link, inner))

    def _keys(self, link: Link, condition: Expression) -> frozenset[int]:
        """The datastreams or features that have a reading which fulfils the condition.

        Searches in steps: what is already found is left out of the next step.
        """
        assert isinstance(link.via, Reverse)
        key = Column(link.via.column, Kind.NUMBER)
        found: frozenset[int] = frozenset()
        for _ in range(_MAX_SEARCH_STEPS):
            where = And(
                (condition, Compare("ne", key, Literal(None, Kind.NULL)), Not(Among(key, found)))
            )
            keys = readings.keys_of(link.via.column, where, self.reader.visibility, _SEARCH_STEP)
            found |= keys.distinct
            if keys.complete:
                return found
        raise TooLarge("the filter on readings matches too many of them; narrow it, e.g. by time")

    def _with_extents(self, entity: EntityType, expression: Expression) -> Expression:
        """Times of a Datastream, which are those of its readings."""
        needed = {c for c in columns_of(expression) if _is_extent(entity, c)}
        if not needed:
            return expression
        tables = readings.extent_tables(self.reader.visibility)
        return substituted(
            expression, lambda column: _extent(column, tables) if column in needed else column
        )


def _extent(column: Column, tables: dict[str, dict[int, int]]) -> Expression:
    before, slash, name = column.name.rpartition("/")
    return Lookup(Column(f"{before}{slash}id", Kind.NUMBER), tables[name], Kind.TIME)


def _is_extent(entity: EntityType, column: Column) -> bool:
    *links, name = column.name.split("/")
    return name in _EXTENTS and _entity_at(entity, links).is_a(DATASTREAM)


def _entity_at(entity: EntityType, links: list[str]) -> EntityType:
    for name in links:
        link = entity.link(name)
        assert link is not None, "the plan names links of the schema only"
        entity = target(link)
    return entity


def _beside(kind: EntityType, side: str) -> tuple[EntityType, str]:
    """What an Observation's link of that name leads to, and the column with its key."""
    link = kind.link(side)
    assert link is not None, "the plan names links of the schema only"
    assert isinstance(link.via, Own), "an Observation has links to one only"
    return target(link), link.via.column


def _sides(expression: Expression) -> set[str]:
    return {_side(column) for column in columns_of(expression)}


def _ways_to_readings(entity: EntityType, expression: Expression) -> set[str | None]:
    return {_to_readings(entity, column) for column in columns_of(expression)}


def _side(column: Column) -> str:
    first, slash, _ = column.name.partition("/")
    return first if slash else _OWN


def _to_readings(entity: EntityType, column: Column) -> str | None:
    """The way to the first link that leads to readings, or None."""
    *links, _ = column.name.split("/")
    for index, name in enumerate(links):
        link = entity.link(name)
        assert link is not None, "the plan names links of the schema only"
        entity = target(link)
        if entity.is_a(OBSERVATION):
            return "/".join(links[: index + 1])
    return None


def _link_at(entity: EntityType, way: str) -> Link:
    *before, last = way.split("/")
    link = _entity_at(entity, before).link(last)
    assert link is not None, "the plan names links of the schema only"
    return link


def _is_condition(expression: Expression) -> bool:
    return kind_of(expression) is Kind.BOOLEAN


def _grouped(
    parts: tuple[Expression, ...], sides_of: Callable[[Expression], set[_T]]
) -> list[Expression]:
    """Parts that concern one side only are put together, so that the same entity must fit them."""
    alone: dict[_T, list[Expression]] = {}
    mixed: list[Expression] = []
    for part in parts:
        sides = sides_of(part)
        if len(sides) == 1:
            alone.setdefault(sides.pop(), []).append(part)
        else:
            mixed.append(part)
    return [*(p[0] if len(p) == 1 else And(tuple(p)) for p in alone.values()), *mixed]


def _with_operands(
    expression: Expression, change: Callable[[Expression], Expression]
) -> Expression:
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
        case _:
            return _with_operands(expression, lambda operand: substituted(operand, change))


def rebased(expression: Expression, way: str) -> Expression:
    """The same expression seen from the entity at the end of `way`."""
    prefix = f"{way}/"
    return substituted(expression, lambda c: replace(c, name=c.name.removeprefix(prefix)))


def _loaded(value: object) -> object:
    return orjson.loads(value) if isinstance(value, str) else value
