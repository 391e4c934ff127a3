"""Conditions that span the two halves of the store, made answerable by either half alone.

Entities live in tables, readings in the store. A condition on readings that depends on their
datastream or feature becomes `Among` (which ones fulfil it) or `Lookup` (the value each has). A
condition on entities that depends on their readings becomes `Among` (which ones have such a
reading). What remains goes to one side whole.
"""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from stadtherz.base.errors import Invalid, TooLarge
from stadtherz.base.expressions import (
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
    Order,
)
from stadtherz.base.functions import COALESCE
from stadtherz.sensorthings.answers import derived, several
from stadtherz.sensorthings.query import choices, readings, records, sql
from stadtherz.sensorthings.query.choices import Atom
from stadtherz.sensorthings.query.execute import loaded, rows
from stadtherz.sensorthings.query.tables import Reader
from stadtherz.sensorthings.query.trees import (
    Apart,
    Counted,
    Having,
    Together,
    conjunction,
    entity_at,
    kind_of,
    rebased,
    substituted,
    with_operands,
    within,
)
from stadtherz.sensorthings.query.ways import (
    OWN,
    about,
    entangled,
    is_nothing,
    key_before,
    link_at,
    needs_turns,
    seen_from,
    side_of,
    sides_of,
    to_readings,
    ways_to_readings,
)
from stadtherz.sensorthings.standard.schema import (
    DATASTREAM,
    FEATURE_OF_INTEREST,
    MULTI_DATASTREAM,
    OBSERVATION,
    EntityType,
    Link,
    Own,
    Reverse,
    Through,
    target,
)
from stadtherz.store import public as store
from stadtherz.store.public import Columns, Selection

_ID = Column("id", Kind.NUMBER)
_T = TypeVar("_T", bound=Hashable)
_SEARCH_STEP = 5_000
_MAX_SEARCH_STEPS = 200
_MOST_NAMED = 1_000_000
_OF_TWO_SETS = "Observations of two sets cannot be held against each other; compare with a value"


@dataclass(frozen=True, slots=True)
class Resolution:
    """Resolves for one reader; every look-up asks only for what the reader may see."""

    reader: Reader

    # --- conditions on readings ------------------------------------------------------------------

    def for_readings(self, kind: EntityType, expression: Expression) -> Expression:
        """The condition on Observations of a model, naming nothing but columns of readings."""
        expression = self._looked_up(expression)
        if self._names_fields(kind, expression):
            expression = records.by_place(expression, several.names_of_parts(self.reader))
        return self._on_sides(kind, expression)

    def _on_sides(self, kind: EntityType, expression: Expression) -> Expression:
        sides = sides_of(expression)
        if sides <= {OWN}:
            return expression
        if len(sides) == 1 and _is_condition(expression):
            return self._membership(kind, sides.pop(), expression)
        if isinstance(expression, Or):
            return Or(tuple(self._on_sides(kind, part) for part in expression.parts))
        if held := entangled(kind, expression):
            return self._in_turns(kind, expression, held)
        match expression:
            case And(parts=parts):
                grouped = _grouped(parts, sides_of)
                return And(tuple(self._on_sides(kind, part) for part in grouped))
            case Not(part=part):
                return Not(self._on_sides(kind, part))
            case _:
                return with_operands(expression, lambda part: self._operand(kind, part))

    def _in_turns(self, kind: EntityType, expression: Expression, held: set[str]) -> Expression:
        """A condition that holds for one choice of what is behind the sides with links to many."""
        parts = expression.parts if isinstance(expression, And) else (expression,)
        apart = [part for part in parts if not sides_of(part) & held]
        found = [conjunction(*(part for part in parts if sides_of(part) & held))]
        for name in sorted(held):
            found = [each for one in found for each in self._each_turn(kind, name, one)]
            choices.check_turns(len(found))
        some = Or(tuple(self._on_sides(kind, one) for one in found))
        return conjunction(
            some, *(self._on_sides(kind, part) for part in _grouped(apart, sides_of))
        )

    def _each_turn(self, kind: EntityType, name: str, condition: Expression) -> list[Expression]:
        """The condition for each of what is behind a side; what is not there has no values."""
        link = link_at(kind, name)
        entity = target(link)
        own = [a for a in choices.atoms_of(condition) if side_of(choices.column_of(a)) == name]
        atoms = [self._told(entity, rebased(atom, name)) for atom in own]
        columns = [choices.column_of(atom) for atom in atoms]
        held = rows(sql.choices(entity, columns, TRUE, self.reader, choices.MOST_ROWS))
        choices.check_rows(held)
        values = [(key, choices.values_of(atoms, each)) for key, *each in held]
        by = _ID
        if isinstance(link.via, Own):
            by = Column(link.via.column, Kind.NUMBER)
        else:
            leading = self._leading_to(link)
            values = [(one, each) for key, each in values for one in leading.get(key, ())]
        places = {id(atom): (place, atoms[place]) for place, atom in enumerate(own)}
        return [
            conjunction(
                Among(by, frozenset(turn)) if number else TRUE,
                choices.with_values(condition, places, by, turn),
            )
            for number, turn in enumerate(choices.turns(values) or [{}])
        ]

    def _leading_to(self, link: Link) -> dict[int, list[int]]:
        """The Observations from which a link to many leads to each entity."""
        if isinstance(link.via, Through):
            found = [(key, own) for own, key in rows(sql.pairs(link.via))]
        else:
            assert isinstance(link.via, Reverse)
            found = rows(sql.own_keys(target(link), link.via.column))
        leading: dict[int, list[int]] = {}
        for key, own in found:
            leading.setdefault(key, []).append(own)
        return leading

    def _told(self, entity: EntityType, atom: Expression) -> Atom:
        """The atom as tables tell it."""
        if not ways_to_readings(entity, atom) <= {None}:
            raise Invalid("$filter", _OF_TWO_SETS)
        found = derived.looked_up(entity, atom, self.reader)
        assert isinstance(found, Column | Among | Lookup), "an atom is exchanged for one"
        return found

    def order_of_readings(
        self, kind: EntityType, order: tuple[Order, ...], streams: Collection[int] | None = None
    ) -> tuple[Order, ...]:
        """`streams` are the Datastreams whose readings there are, if that is known."""
        values = [self._looked_up(term.by) for term in order]
        if any(self._names_fields(kind, value) for value in values):
            names = several.names_of_parts(self.reader)
            values = [records.value_by_place(value, names, streams) for value in values]
        return tuple(
            replace(term, by=self._operand(kind, value))
            for term, value in zip(order, values, strict=True)
        )

    @staticmethod
    def _names_fields(kind: EntityType, expression: Expression) -> bool:
        return kind.version != MULTI_DATASTREAM.version and bool(records.named(expression))

    def _operand(self, kind: EntityType, expression: Expression) -> Expression:
        """A value computed from readings and what they belong to."""
        sides = sides_of(expression)
        if sides <= {OWN}:
            return expression
        if _is_condition(expression):
            return self._on_sides(kind, expression)
        if len(sides) == 1:
            return self._values(kind, sides.pop(), expression)
        return with_operands(expression, lambda part: self._operand(kind, part))

    def _membership(self, kind: EntityType, side: str, condition: Expression) -> Expression:
        """Which datastreams or features fulfil the condition.

        A reading without a feature, or with one this reader may not see, counts as one whose
        feature has no values, and so does one of a MultiDatastream whose Datastream is asked for; so if
        nothing fulfils the condition, the others are excluded instead.
        """
        link = link_at(kind, side)
        entity = target(link)
        own = self.for_entities(entity, rebased(condition, side))
        if not isinstance(link.via, Own):
            return self._leading(link, own)
        column = Column(link.via.column, Kind.NUMBER)
        optional = entity.is_a(FEATURE_OF_INTEREST) or entity.only is not None
        if optional and rows(sql.of_nothing(entity, own, self.reader)):
            return Not(Among(column, self._ids(entity, Not(own))))
        return Among(column, self._ids(entity, own))

    def _leading(self, link: Link, condition: Expression) -> Expression:
        """Which Observations have something behind a link to many that fulfils the condition.

        One that has nothing there counts as one with something that has no values.
        """
        entity = target(link)
        some = Among(_ID, self._led_to(link, self._ids(entity, condition)))
        if not rows(sql.of_nothing(entity, condition, self.reader)):
            return some
        return Or((some, Not(Among(_ID, self._led_to(link, self._ids(entity, TRUE))))))

    def _led_to(self, link: Link, keys: frozenset[int]) -> frozenset[int]:
        """The Observations from which a link to many leads to one of the entities."""
        if isinstance(link.via, Through):
            return frozenset(own for own, _ in rows(sql.pairs(link.via, keys)))
        assert isinstance(link.via, Reverse)
        return frozenset(own for _, own in rows(sql.own_keys(target(link), link.via.column, keys)))

    def _ids(self, entity: EntityType, condition: Expression) -> frozenset[int]:
        return frozenset(row[0] for row in rows(sql.ids_where(entity, condition, self.reader)))

    def _values(self, kind: EntityType, side: str, expression: Expression) -> Expression:
        link = link_at(kind, side)
        entity, own = target(link), rebased(expression, side)
        assert isinstance(link.via, Own), "what is behind a link to many has its turns"
        if own == _ID and entity.is_a(DATASTREAM) and self._have_all_readings(entity):
            return Column(link.via.column, Kind.NUMBER)
        resolved = self.for_entities(entity, own)
        found = rows(sql.values_of(entity, resolved, self.reader))
        if kind_of(own) in (Kind.JSON, Kind.GEOMETRY):
            found = [(row_id, loaded(value)) for row_id, value in found]
        return Lookup(Column(link.via.column, Kind.NUMBER), dict(found), kind_of(own))

    def _have_all_readings(self, entity: EntityType) -> bool:
        """Whether no reading belongs to a Datastream that is of another of the two types of 1.1."""
        return entity.only is None or (
            entity.name == DATASTREAM.name and not self._ids(MULTI_DATASTREAM, TRUE)
        )

    # --- conditions on entities ------------------------------------------------------------------

    def for_entities(self, entity: EntityType, expression: Expression) -> Expression:
        """The expression, naming nothing but columns of tables."""
        expression = self._looked_up(expression)
        ways = ways_to_readings(entity, expression)
        if ways <= {None}:
            return derived.looked_up(entity, expression, self.reader)
        asks = _is_condition(expression)
        if len(ways) == 1 and asks:
            return self._having(entity, str(ways.pop()), expression)
        match expression:
            case And(parts=parts):
                grouped = _grouped(parts, lambda part: about(entity, part))
                return And(tuple(self._of_one(entity, part) for part in grouped))
            case Or(parts=parts):
                return Or(tuple(self.for_entities(entity, part) for part in parts))
            case Not() if len(held := about(entity, expression)) == 1:
                return self._having(entity, str(held.pop()), expression)
            case Not(part=part):
                return Not(self.for_entities(entity, part))
            case Compare() | Call() if asks and len(ways - {None}) == 1:
                return self._of_one(entity, expression)
            case _:
                by_value = substituted(expression, lambda column: self._of_reading(entity, column))
                return derived.looked_up(entity, by_value, self.reader)

    def _of_one(self, entity: EntityType, expression: Expression) -> Expression:
        """As `for_entities` of what must hold for one and the same reading, if it is about readings."""
        ways = ways_to_readings(entity, expression)
        if not isinstance(expression, And | Compare | Call) or None not in ways or len(ways) != 2:
            return self.for_entities(entity, expression)
        (way,) = ways - {None}
        parts = expression.parts if isinstance(expression, And) else (expression,)
        own = [part for part in parts if ways_to_readings(entity, part) <= {None}]
        about = And(tuple(part for part in parts if part not in own))
        found = self._having(entity, str(way), about)
        if all(isinstance(part, Or) for part in about.parts):  # others are false without a reading
            found = Or((found, self._of_nothing(entity, str(way), about)))
        return And((*(self.for_entities(entity, part) for part in own), found))

    def _looked_up(self, expression: Expression) -> Expression:
        """The expression with the members of those that have something."""
        match expression:
            case Having(column, _, entity, where):
                return Among(column, self._members(entity, where))
            case Call(arguments=(Together() as both, *keys)):
                return self._together(both, keys)
            case Counted(column, _, _, entity, link):
                return self._counted(column, entity, link)
            case Apart(parts=parts, kind=kind):
                return self.for_readings(kind, Or(parts))
            case And(parts=parts):
                return And(tuple(self._looked_up(part) for part in parts))
            case Or(parts=parts):
                return Or(tuple(self._looked_up(part) for part in parts))
            case Not(part=part):
                return Not(self._looked_up(part))
            case _:
                return with_operands(expression, self._looked_up)

    def _members(self, entity: EntityType, where: Expression) -> frozenset[int]:
        """Those that fulfil it; an Observation does by what is behind one of its links to many."""
        if not entity.is_a(OBSERVATION):
            return self._ids(entity, self._of_one(entity, where))
        (side,) = sides_of(where)
        link = link_at(entity, side)
        behind = self.for_entities(target(link), rebased(where, side))
        return self._led_to(link, self._ids(target(link), behind))

    def _together(self, both: Together, keys: Sequence[Expression]) -> Expression:
        resolved = self._of_one(both.entity, both.where)
        found = rows(
            sql.choices(both.entity, both.others, resolved, self.reader, choices.MOST_TOGETHER)
        )
        choices.check_rows(found, choices.MOST_TOGETHER)
        named = [key for key in keys if isinstance(key, Column)]
        return choices.one_of(both.column, named, found)

    def _counted(self, column: Column, entity: EntityType, link: Link) -> Expression:
        """How many the reader sees behind the link."""
        counts = self._counts(entity, link)
        if not entity.is_a(OBSERVATION):
            return Lookup(column, dict.fromkeys(self._ids(entity, TRUE), 0) | counts, Kind.NUMBER)
        # All Observations are too many to be listed. Where there is none, there is no number, either.
        none = Call("mul", (column, Literal(0, Kind.NUMBER)), Kind.NUMBER)
        return Call(COALESCE, (Lookup(column, counts, Kind.NUMBER), none), Kind.NUMBER)

    def _counts(self, entity: EntityType, link: Link) -> dict[int, int]:
        """How many the reader sees behind the link from each that has any."""
        if not target(link).is_a(OBSERVATION):
            return dict(rows(sql.counts(link, self.reader)))
        if isinstance(link.via, Through):
            held = rows(sql.pairs(link.via))
            seen = self._fulfilling({key for _, key in held}, TRUE)
            return Counter(own for own, key in set(held) if key in seen)
        if entity.is_a(DATASTREAM):
            return readings.counts(list(self._ids(entity, TRUE)))
        return readings.counts_at_features(self.reader.visibility)

    def order_of_entities(self, entity: EntityType, order: tuple[Order, ...]) -> tuple[Order, ...]:
        return tuple(replace(term, by=self.for_entities(entity, term.by)) for term in order)

    def _having(self, entity: EntityType, way: str, condition: Expression) -> Expression:
        """Which of the entities before the link to readings have one that fulfils the condition.

        One that a link to one leads to, and that is not there, counts as a reading without values.
        """
        found = self._with_readings(entity, way, condition)
        if not isinstance(link_at(entity, way).via, Own):
            return Or((found, self._without(entity, way))) if is_nothing(condition) else found
        alone = None not in ways_to_readings(entity, condition)
        nothing = _without_readings(way, condition)
        if alone and not rows(sql.of_nothing(entity, nothing, self.reader)):
            return found
        return Or((found, self._of_nothing(entity, way, condition)))

    def _of_nothing(self, entity: EntityType, way: str, condition: Expression) -> Expression:
        """Those that have no readings and fulfil the condition all the same, by what else they have."""
        other = self.for_entities(entity, _without_readings(way, condition))
        return And((self._without(entity, way), other))

    def _without(self, entity: EntityType, way: str) -> Expression:
        """Those that have no readings at all."""
        key = key_before(entity, way)
        some = Among(key, self._holders(entity, way, TRUE))
        if not isinstance(link_at(entity, way).via, Own):
            return Not(some)
        return Or((Compare("eq", key, Literal(None, Kind.NULL)), Not(some)))

    def _with_readings(self, entity: EntityType, way: str, condition: Expression) -> Expression:
        if needs_turns(entity, way, condition):
            return self._of_turns(entity, way, condition)
        seen = substituted(condition, lambda column: _named_back(entity, way, column))
        return Among(key_before(entity, way), self._holders(entity, way, seen))

    def _of_turns(self, entity: EntityType, way: str, condition: Expression) -> Expression:
        """Which entities have, with what else they are held against, readings that fulfil it."""
        inside = f"{way}/"
        outside = [
            a
            for a in choices.atoms_of(condition)
            if not choices.column_of(a).name.startswith(inside)
        ]
        atoms = [self._told(entity, atom) for atom in outside]
        columns = [choices.column_of(atom) for atom in atoms]
        key = key_before(entity, way)
        ways = choices.ends(entity, [key, *columns])
        keys = [Column(f"{end}/id", Kind.NUMBER) for end in sorted(ways)]
        there = Compare("ne", key, Literal(None, Kind.NULL))
        held = rows(
            sql.choices(entity, [key, *keys, *columns], there, self.reader, choices.MOST_ROWS)
        )
        choices.check_rows(held)
        link = link_at(entity, way)
        read = self._read_by(link)
        chosen = [
            ((root, *row[: len(keys)]), read(holder), choices.values_of(atoms, row[len(keys) :]))
            for root, holder, *row in held
        ]
        by = Column(link.via.column, Kind.NUMBER) if isinstance(link.via, Reverse) else _ID
        places = {id(atom): (place, atoms[place]) for place, atom in enumerate(outside)}
        fulfilled: set[tuple[int, str]] = set()
        for turn in choices.turns((one, values) for _, ones, values in chosen for one in ones):
            where = rebased(choices.with_values(condition, places, by, turn), way)
            own = conjunction(Among(by, frozenset(turn)), self.for_readings(target(link), where))
            fulfilled |= {(one, repr(turn[one])) for one in self._of_those(link, turn, own)}
        found = [
            whole
            for whole, ones, values in chosen
            if any((one, repr(values)) in fulfilled for one in ones)
        ]
        return choices.one_of(_ID, keys, found)

    def _read_by(self, link: Link) -> Callable[[int], Collection[int]]:
        """Of what holds readings by the link, the keys by which these are told apart."""
        if not isinstance(link.via, Through):
            return lambda holder: (holder,)
        held: dict[int, list[int]] = {}
        for own, key in rows(sql.pairs(link.via)):
            held.setdefault(own, []).append(key)
        return lambda holder: held.get(holder, ())

    def _of_those(self, link: Link, keys: Collection[int], condition: Expression) -> frozenset[int]:
        """Of these Datastreams or features, or else Observations, those with a reading that fulfils it."""
        if isinstance(link.via, Reverse):
            return self._keys(link, condition)
        return self._fulfilling(set(keys), condition)

    def _holders(self, entity: EntityType, way: str, condition: Expression) -> frozenset[int]:
        """Those before the link to readings that have one which fulfils the condition."""
        link = link_at(entity, way)
        inner = self.for_readings(target(link), condition)
        if isinstance(link.via, Reverse):
            return self._keys(link, inner)
        return self._keys_of_named(entity_at(entity, way.split("/")[:-1]), link, inner)

    def _keys(self, link: Link, condition: Expression) -> frozenset[int]:
        """The datastreams or features that have a reading which fulfils the condition.

        Searches in steps: what is already found is left out of the next step.
        """
        assert isinstance(link.via, Reverse)
        key = Column(link.via.column, Kind.NUMBER)
        found: frozenset[int] = frozenset()
        for _ in range(_MAX_SEARCH_STEPS):
            there = Compare("ne", key, Literal(None, Kind.NULL))
            where = conjunction(condition, there, Not(Among(key, found)))
            keys = readings.keys_of(link.via.column, where, self.reader.visibility, _SEARCH_STEP)
            found |= keys.distinct
            if keys.complete:
                return found
        raise TooLarge("the filter on readings matches too many of them; narrow it, e.g. by time")

    def _keys_of_named(
        self, source: EntityType, link: Link, condition: Expression
    ) -> frozenset[int]:
        """Of the Observations whose ids entities hold, those that fulfil the condition; of those in
        pairs the entities that hold them.
        """
        if isinstance(link.via, Own):
            held = rows(sql.own_keys(source, link.via.column))
            return self._fulfilling({key for _, key in held}, condition)
        assert isinstance(link.via, Through)
        held = rows(sql.pairs(link.via))
        found = self._fulfilling({key for _, key in held}, condition)
        return frozenset(own for own, key in held if key in found)

    def _fulfilling(self, ids: set[int], condition: Expression) -> frozenset[int]:
        return frozenset(self._named(ids, condition).id.tolist())

    def _named(self, ids: set[int], condition: Expression) -> Columns:
        """Those of the readings that the reader sees and that fulfil the condition."""
        if len(ids) > _MOST_NAMED:
            raise TooLarge("the filter would look at too many Observations; name what holds them")
        streams = store.streams_of(ids) & store.streams_visible_to(self.reader.visibility)
        where = And((condition, Among(_ID, frozenset(ids))))
        return store.select(Selection(streams=streams, where=where))

    def _of_reading(self, entity: EntityType, column: Column) -> Expression:
        """The column; one of a reading that a link to one leads to, as what is looked up by its id."""
        way = to_readings(entity, column)
        if way is None:
            return column
        link, source = link_at(entity, way), entity_at(entity, way.split("/")[:-1])
        if not isinstance(link.via, Own):
            raise Invalid("$filter", _OF_TWO_SETS)
        own = self._operand(target(link), rebased(column, way))
        named = {key for _, key in rows(sql.own_keys(source, link.via.column))}
        found = readings.readings_of(self._named(named, TRUE))
        table = {each["id"]: value for each in found if (value := _held(each, own)) is not None}
        before, slash, _ = way.rpartition("/")
        return Lookup(Column(f"{before}{slash}{link.via.column}", Kind.NUMBER), table, kind_of(own))


def _held(reading: readings.Reading, own: Expression) -> Any:
    """The value of a column, or of what is looked up by one."""
    if isinstance(own, Lookup):
        return own.table.get(reading[own.column.name])
    assert isinstance(own, Column), "nothing else is made of a column"
    return within(reading[own.name], own.path)


def _gone(column: Column) -> Expression:
    """What a column holds of what is not there."""
    return Lookup(_ID, {}, column.kind)


def _without_readings(way: str, condition: Expression) -> Expression:
    """The condition where there is no reading behind the way."""
    return substituted(condition, lambda c: _gone(c) if c.name.startswith(f"{way}/") else c)


def _named_back(entity: EntityType, way: str, column: Column) -> Column:
    found = seen_from(entity, way, column)
    assert found is not None, "what several entities are on the way back to has its turns"
    return found


def _is_condition(expression: Expression) -> bool:
    return kind_of(expression) is Kind.BOOLEAN


def _grouped(
    parts: Sequence[Expression], sides_of: Callable[[Expression], set[_T]]
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
