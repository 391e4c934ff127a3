"""A slow, obvious evaluator of SensorThings queries over a World: the oracle of the engine.

It works on the syntax tree, knows neither plans nor SQL, and asks `World.sees` before it touches
any row. Filters are true if they are true for some choice of one linked entity for each link.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from stadtherz.base.time import DAY, HOUR, iso, parse_instant
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.language.syntax import (
    Constant,
    Function,
    Membership,
    Name,
    Node,
    Operation,
    Quantified,
    Query,
    Unary,
)
from stadtherz.sensorthings.standard.schema import ENTITY_TYPES, EntityType, target
from stadtherz.sensorthings.tests.world import Row, World

Choice = dict[tuple[str, ...], Row | None]


@dataclass(frozen=True)
class Time:
    us: int


@dataclass(frozen=True)
class Span:
    start: int
    end: int | None

    @property
    def last(self) -> int:
        return self.start if self.end is None else self.end


@dataclass
class Reference:
    """`whole`: readings are chosen as everything else is, one for each link, and must be there."""

    world: World
    caller: Visibility
    whole: bool = False

    # --- sets ------------------------------------------------------------------------------------

    def all(self, kind: EntityType) -> list[Row]:
        rows = self.world.rows.get(kind.name, {}).values()
        return [row for row in rows if self.world.sees(self.caller, row)]

    def behind(self, row: Row, name: str) -> list[Row]:
        """The visible entities that a link of the row leads to."""
        link = ENTITY_TYPES[row.type].link(name)
        assert link is not None
        others = self.all(target(link))
        if name in row.links:
            held = row.links[name]
            return [o for o in others if o.id == held or (isinstance(held, list) and o.id in held)]
        return [o for o in others if self._leads_back(o, row)]

    def _leads_back(self, other: Row, row: Row) -> bool:
        for name, held in other.links.items():
            link = ENTITY_TYPES[other.type].link(name)
            assert link is not None
            if link.target == row.type and (
                held == row.id or (isinstance(held, list) and row.id in held)
            ):
                return True
        return False

    def page(self, kind: EntityType, rows: list[Row], query: Query) -> dict[str, Any]:
        """What the engine should answer: entities, `more` and `count`."""
        if query.filter is not None:
            rows = [row for row in rows if self.holds(row, query.filter)]
        rows = self.ordered(rows, query)
        top = 100 if query.top is None else query.top
        shown = rows[query.skip : query.skip + top]
        return {
            "entities": [self.entity(kind, row, query) for row in shown],
            "more": top > 0 and len(rows) > query.skip + top,
            "count": len(rows) if query.count else None,
        }

    def entity(self, kind: EntityType, row: Row, query: Query) -> dict[str, Any]:
        shown: dict[str, Any] = {"id": row.id, "values": row.values}
        for expand in query.expand:
            link = kind.link(expand.link)
            assert link is not None
            inner = expand.query if link.many else replace(expand.query, top=1, skip=0)
            page = self.page(target(link), self.behind(row, link.name), inner)
            one = page["entities"][0] if page["entities"] else None
            shown[link.name] = page if link.many else one
        return shown

    def ordered(self, rows: list[Row], query: Query) -> list[Row]:
        last_descending = query.orderby[-1].descending if query.orderby else False
        rows = sorted(rows, key=lambda row: row.id, reverse=last_descending)
        for term in reversed(query.orderby):
            rows.sort(key=lambda row: self.rank(row, term.by), reverse=term.descending)
        return rows

    def rank(self, row: Row, node: Node) -> tuple[Any, ...]:
        (choice, *_) = self.choices(row, [node])
        value = self.value(node, choice)
        if isinstance(value, Span):
            return (1, value.start, value.end is not None, value.end or 0)
        if isinstance(value, Time):
            return (1, value.us)
        return _json_rank(value)

    # --- filters -----------------------------------------------------------------------------------

    def holds(self, row: Row, node: Node) -> bool:
        return any(self.true(node, choice) for choice in self.choices(row, [node]))

    def choices(self, row: Row, nodes: list[Node]) -> Iterator[Choice]:
        """Every way to choose one entity, or None where there is none, for every link passed."""
        kind = ENTITY_TYPES[row.type]
        ways = {way for node in nodes for name in _names(node) for way in self._ways(kind, name)}
        for choice in self._choose({(): row}, sorted(ways)):
            if all(way[-1:] != ("Observations",) or chosen for way, chosen in choice.items()):
                yield choice

    def _ways(self, kind: EntityType, name: tuple[str, ...]) -> list[tuple[str, ...]]:
        return _ways(kind, name, readings=self.whole)

    def _choose(self, made: Choice, ways: list[tuple[str, ...]]) -> Iterator[Choice]:
        if not ways:
            yield made
            return
        way, *rest = ways
        parent = made[way[:-1]]
        found: list[Row | None] = list(self.behind(parent, way[-1])) if parent else []
        for row in found or [None]:
            yield from self._choose({**made, way: row}, rest)

    def true(self, node: Node, choice: Choice) -> bool:
        kind = self.kind(choice)
        ways = _ways_to_readings(kind, node)
        if len(ways) == 1 and not self.whole and (way := next(iter(ways))):
            parent = choice[way[:-1]]
            readings = self.behind(parent, way[-1]) if parent else []
            if not readings and _is_nothing(node):
                return True
            return any(self.holds(reading, _below(node, way)) for reading in readings)
        match node:
            case Quantified(path=path):
                return self.quantified(node, choice[path[:-1]])
            case Operation(operator="and"):
                return all(self.true(part, choice) for part in _grouped(kind, node))
            case Operation(operator="or", left=left, right=right):
                return self.true(left, choice) or self.true(right, choice)
            case Unary(operator="not", operand=Function() | Name() as operand):
                return self.value(operand, choice) is False  # null stays null
            case Unary(operator="not", operand=operand):
                return not self.true(operand, choice)
            case Operation(operator=operator, left=left, right=right):
                return self.compared(operator, left, right, choice)
            case Membership(value=value, members=members):
                return any(self.compared("eq", value, member, choice) for member in members)
        return self.value(node, choice) is True

    def quantified(self, node: Quantified, row: Row | None) -> bool:
        others = self.behind(row, node.path[-1]) if row else []
        if node.condition is None:
            return bool(others)
        inner = _below(node.condition, (node.variable,))
        held = (self.holds(other, inner) for other in others)
        return any(held) if node.quantifier == "any" else all(held)

    def kind(self, choice: Choice) -> EntityType:
        root = choice[()]
        assert root is not None
        return ENTITY_TYPES[root.type]

    def compared(self, operator: str, left: Node, right: Node, choice: Choice) -> bool:
        a, b = self.value(left, choice), self.value(right, choice)
        tolerant = isinstance(right, Constant) and right.kind == "text" and _is_number(right.text)
        if tolerant and isinstance(a, int | float):
            b = float(b)
        return _compare(operator, a, b)

    def value(self, node: Node, choice: Choice) -> Any:
        match node:
            case Name(path=path):
                return self.named(path, choice)
            case Constant():
                return _constant(node)
            case Function(name=name, arguments=arguments):
                return _call(name, [self.value(argument, choice) for argument in arguments])
            case Unary(operand=operand):
                inner = _number(self.value(operand, choice))
                return None if inner is None else -inner
            case Operation(operator="eq" | "ne" | "gt" | "ge" | "lt" | "le" | "and" | "or"):
                return self.true(node, choice)
            case Operation(operator=operator, left=left, right=right):
                one, other = _number(self.value(left, choice)), _number(self.value(right, choice))
                return None if one is None or other is None else _calculated(operator, one, other)
        raise AssertionError(node)

    def named(self, path: tuple[str, ...], choice: Choice) -> Any:
        if path[-1] == "$count":
            parent = choice[path[:-2]]
            return len(list(self.behind(parent, path[-2]))) if parent else None
        root = choice[()]
        assert root is not None
        (*_, way) = [(), *self._ways(ENTITY_TYPES[root.type], path)]
        row, rest = choice[way], path[len(way) :]
        if row is None:
            return None
        if rest[0] == "id":
            return row.id
        value = row.values.get(rest[0])
        prop = ENTITY_TYPES[row.type].property(rest[0])
        if prop is not None and prop.shape in ("time", "period") and value is not None:
            start, _, end = value.partition("/")
            if prop.shape == "time":
                return Time(parse_instant(start))
            return Span(parse_instant(start), parse_instant(end) if end else None)
        for name in rest[1:]:
            value = value.get(name) if isinstance(value, dict) else None
        return value


def _names(node: Node) -> list[tuple[str, ...]]:
    match node:
        case Name(path=(*base, _, "$count")):
            return [(*base, "id")]
        case Name(path=path):
            return [path]
        case Quantified(path=path):
            return [(*path[:-1], "id")]
        case Unary(operand=operand):
            return _names(operand)
        case Operation(left=left, right=right):
            return _names(left) + _names(right)
        case Function(arguments=arguments):
            return [name for argument in arguments for name in _names(argument)]
        case Membership(value=value, members=members):
            return [name for part in (value, *members) for name in _names(part)]
    return []


def _ways(
    kind: EntityType, path: tuple[str, ...], *, readings: bool = False
) -> list[tuple[str, ...]]:
    """The links at the beginning of a path, as growing paths; `readings` of entities may be left out."""
    ways: list[tuple[str, ...]] = []
    for index, name in enumerate(path):
        link = kind.link(name)
        if link is None or (link.many and link.target == "Observation" and not readings):
            break
        ways.append(path[: index + 1])
        kind = target(link)
    return ways


def _ways_to_readings(kind: EntityType, node: Node) -> set[tuple[str, ...] | None]:
    """The ways over which a condition looks at readings; None stands for names that do not."""
    found: set[tuple[str, ...] | None] = set()
    for path in _names(node):
        ways = _ways(kind, path)
        way = ways[-1] if ways else ()
        to_readings = path[len(way) : len(way) + 1] == ("Observations",)
        found.add((*way, "Observations") if to_readings else None)
    return found


def _grouped(kind: EntityType, node: Operation) -> list[Node]:
    """The parts of `a and b and c`; those on the same readings stay together: one must fit all."""
    groups: dict[Any, Node] = {}
    for number, part in enumerate(_parts(node)):
        ways = _ways_to_readings(kind, part)
        key = next(iter(ways)) if len(ways) == 1 and None not in ways else number
        held = groups.get(key)
        groups[key] = part if held is None else Operation("and", held, part, 0)
    return list(groups.values())


def _parts(node: Node) -> list[Node]:
    if isinstance(node, Operation) and node.operator == "and":
        return _parts(node.left) + _parts(node.right)
    return [node]


def _is_nothing(node: Node) -> bool:
    match node:
        case Operation("eq", Name(), Constant(kind="null")):
            return True
        case Operation("or", left, right):
            return _is_nothing(left) or _is_nothing(right)
        case Operation("and", left, right):
            return _is_nothing(left) and _is_nothing(right)
    return False


def _below(node: Node, way: tuple[str, ...]) -> Node:
    match node:
        case Name(path=path, position=position):
            return Name(path[len(way) :], position) if path[: len(way)] == way else node
        case Operation(operator, left, right, position):
            return Operation(operator, _below(left, way), _below(right, way), position)
        case Function(name, arguments, position):
            return Function(name, tuple(_below(a, way) for a in arguments), position)
        case Membership(value, members, position):
            return Membership(_below(value, way), tuple(_below(m, way) for m in members), position)
        case Unary(operator, operand, position):
            return Unary(operator, _below(operand, way), position)
    return node


# --- values ----------------------------------------------------------------------------------------


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()


def _constant(node: Constant) -> Any:
    match node.kind:
        case "number":
            return float(node.text)
        case "boolean":
            return node.text == "true"
        case "null":
            return None
        case "time":
            return Time(parse_instant(node.text))
    return node.text


def _rank(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, bool):
        return 1
    if isinstance(value, int | float):
        return 2
    return 3 if isinstance(value, str) else 4


def _json_rank(value: Any) -> tuple[Any, ...]:
    rank = _rank(value)
    return (rank, value) if rank in (1, 2, 3) else (rank,)


def _compare(operator: str, a: Any, b: Any) -> bool:
    if isinstance(a, Span | Time) or isinstance(b, Span | Time):
        return _compare_times(operator, a, b)
    if operator == "ne":
        return not _compare("eq", a, b)
    if a is None or b is None:
        return operator == "eq" and a is b
    if _rank(a) != _rank(b) or _rank(a) == 4:
        return False
    return {"eq": a == b, "gt": a > b, "ge": a >= b, "lt": a < b, "le": a <= b}[operator]


def _compare_times(operator: str, a: Any, b: Any) -> bool:
    if a is None or b is None:
        return operator == "ne" if (a is None) != (b is None) else operator == "eq"
    one, other = (Span(t.us, None) if isinstance(t, Time) else t for t in (a, b))
    return {
        "eq": (one.start, one.last) == (other.start, other.last),
        "ne": (one.start, one.last) != (other.start, other.last),
        "gt": one.start > other.start and one.start >= other.last,
        "lt": one.start < other.start and one.last <= other.start,
        "ge": one.start >= other.start and one.last >= other.last,
        "le": one.start <= other.start and one.last <= other.last,
    }[operator]


def _number(value: Any) -> float | None:
    return value if _rank(value) == 2 else None


def _calculated(operator: str, a: float, b: float) -> float | None:
    if operator in ("div", "mod") and b == 0:
        return None
    return {
        "add": lambda: a + b,
        "sub": lambda: a - b,
        "mul": lambda: a * b,
        "div": lambda: a / b,
        "mod": lambda: math.fmod(a, b),
    }[operator]()


_TEXT_FUNCTIONS: dict[str, Any] = {
    "length": len,
    "tolower": str.lower,
    "toupper": str.upper,
    "trim": lambda text: text.strip(" "),
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": lambda text, part: part in text,
    "substringof": lambda part, text: part in text,
    "indexof": str.find,
    "concat": lambda a, b: a + b,
}
_NUMBER_FUNCTIONS: dict[str, Any] = {
    "floor": math.floor,
    "ceiling": math.ceil,
    "round": lambda x: math.copysign(math.floor(abs(x) + 0.5), x),
}
_TIME_FUNCTIONS: dict[str, Any] = {
    "year": lambda us: int(iso(us)[:4]),
    "day": lambda us: int(iso(us)[8:10]),
    "hour": lambda us: us % DAY // HOUR,
}


def _call(name: str, arguments: list[Any]) -> Any:
    if name in _TEXT_FUNCTIONS:
        if not all(isinstance(argument, str) for argument in arguments):
            return None
        return _TEXT_FUNCTIONS[name](*arguments)
    if name in _NUMBER_FUNCTIONS:
        number = _number(arguments[0])
        return None if number is None else _NUMBER_FUNCTIONS[name](number)
    time = arguments[0]
    if time is None:
        return None
    return _TIME_FUNCTIONS[name](time.start if isinstance(time, Span) else time.us)
