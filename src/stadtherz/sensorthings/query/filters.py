"""Filter trees resolved against the entity model: Node -> `base.expressions`.

A column's name is its way through the links: `Datastream/Thing/name` is the column `name` of what
is reached by Datastream and Thing. Types are checked here, so that a wrong query is refused with
its position and no engine ever sees it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeGuard, assert_never

from stadtherz.base.errors import Invalid, QuerySyntaxError
from stadtherz.base.expressions import (
    FALSE,
    TRUE,
    And,
    Call,
    Column,
    Compare,
    Expression,
    Kind,
    Literal,
    Not,
    Or,
    Order,
)
from stadtherz.base.time import EARLIEST, LATEST, Micros
from stadtherz.sensorthings.language import periods
from stadtherz.sensorthings.language.functions import CAST, INTERVAL, SIGNATURES, in_zone, offset_of
from stadtherz.sensorthings.language.grammar import flattened
from stadtherz.sensorthings.language.literals import (
    check_told_zone,
    geometry,
    instant,
    is_number,
    is_pattern,
    literal,
    number,
    plus,
)
from stadtherz.sensorthings.language.periods import Span
from stadtherz.sensorthings.language.syntax import (
    Constant,
    Function,
    Membership,
    Name,
    Node,
    Operation,
    OrderTerm,
    Quantified,
    Unary,
)
from stadtherz.sensorthings.query import casts, lists, quantifiers
from stadtherz.sensorthings.query.arithmetic import calculated
from stadtherz.sensorthings.query.comparisons import compare
from stadtherz.sensorthings.query.trees import (
    Apart,
    Counted,
    conjunction,
    entity_at,
    kind_of,
    passes_many,
    walk,
)
from stadtherz.sensorthings.standard.model import FIRST, marked, one
from stadtherz.sensorthings.standard.schema import (
    OBSERVATION,
    QUALITY,
    RESULT_TYPE,
    SPANS,
    EntityType,
    Property,
    Shape,
    target,
)
from stadtherz.sql.public import zone_of

IDS = ("id", "@iot.id")
COUNT = "$count"
MAX_LINKS = 8
MAX_LINKS_TO_MANY = 4
Operand = Expression | Span
Computed = Name | Constant | Operation | Unary | Function | Membership


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves the nodes of one option against `entity`; `now` is the time of the request.

    `scopes` are the variables of `any` and `all` around the node, with the ways they stand for.
    `plain` tells that nothing but these, `and` and `or` are around it. `items` are those that stand for
    items of lists.
    """

    entity: EntityType
    option: str
    now: Micros
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    plain: bool = True
    items: frozenset[str] = frozenset()

    def condition(self, node: Node) -> Expression:
        """The node as something that is true or false."""
        operand = self.operand(node)
        if isinstance(operand, Span):
            raise self.fail(node, "is a time, not a condition")
        if isinstance(operand, Column) and operand.kind is Kind.JSON:
            return Compare("eq", operand, TRUE)
        if kind_of(operand) is not Kind.BOOLEAN:
            raise self.fail(node, "is a value, not a condition; compare it with something")
        return operand

    def orders(self, term: OrderTerm) -> tuple[Order, ...]:
        """The sorting terms of one `$orderby` item; a period sorts by start, then end."""
        operand = self.operand(term.by)
        parts: list[Operand] = [operand]
        if isinstance(operand, Span):
            parts = [operand.start] if operand.end is None else [operand.start, operand.end]
        return tuple(Order(self._sortable(part, term.by), term.descending) for part in parts)

    def _sortable(self, value: Operand, node: Node) -> Expression:
        assert not isinstance(value, Span)
        if kind_of(value) in (Kind.BOOLEAN, Kind.GEOMETRY) or isinstance(value, Literal):
            raise self.fail(node, "has no order")
        if passes_many(self.entity, value):
            raise self.fail(node, "passes a link to many; order by links to one only")
        return value

    def fail(self, node: Node, reason: str) -> QuerySyntaxError:
        return QuerySyntaxError(self.option, reason, node.position)

    def operand(self, node: Node) -> Operand:
        match node:
            case Quantified():
                return self._quantified(node)
            case Operation(operator="and" | "or"):
                return self._logic(node)
            case _:
                inside = replace(self, plain=False) if self.plain and self.scopes else self
                return inside._computed(node)

    def _computed(self, node: Computed) -> Operand:
        match node:
            case Name():
                return self._name(node)
            case Constant():
                return self._constant_of(node)
            case Unary():
                return self._unary(node)
            case Operation(operator="eq" | "ne" | "gt" | "ge" | "lt" | "le"):
                return self._comparison(node)
            case Operation():
                return self._arithmetic(node)
            case Membership():
                return self._membership(node)
            case Function():
                return self._function(node)
            case _:
                assert_never(node)

    def value(self, node: Node) -> Expression:
        """The node as one value; of a period that is its start."""
        operand = self.operand(node)
        return operand.start if isinstance(operand, Span) else operand

    def _constant_of(self, node: Constant) -> Operand:
        value = literal(node, self.option)
        if node.kind in ("time", "period"):
            self._check_zone(node)
        return value

    def _check_zone(self, node: Node) -> None:
        if self.entity.zoned and isinstance(node, Constant):
            check_told_zone(node, self.option)

    def _check_quoted(self, node: Node, other: Operand) -> None:
        """What is held against a time is one, also if it is quoted."""
        if isinstance(other, Span) or kind_of(other) is Kind.TIME:
            self._check_zone(node)

    # --- names ---------------------------------------------------------------------------------

    def _name(self, node: Name) -> Operand:
        if node.path[0] in self.items:
            return lists.item(node.path[1:])
        if node.path[-1] == COUNT:
            return self._counted(node)
        entity, links, rest = walk(self.entity, self._way(node.path))
        if self.option == "$orderby":
            links = self._to_first(links)
        self._check_length(node, links)
        prefix = "".join(f"{link}/" for link in links)
        if not rest:
            raise self.fail(node, "is a link; go on to one of its properties")
        first, path = rest[0], rest[1:]
        if first in IDS and not path:
            return Column(f"{prefix}id", Kind.NUMBER)
        found = entity.property(first)
        if found is None:
            raise self.fail(node, f"{one(entity.name)} has no property {first!r}")
        return self._property(node, found, prefix, path)

    def _counted(self, node: Name) -> Expression:
        """How many there are behind a link to many (OData 4.01 part 2 §5.1.1.15)."""
        *base, name = self._way(node.path[:-1])
        entity, links, rest = walk(self.entity, tuple(base))
        link = None if rest else entity.link(name)
        if link is None or not link.many:
            raise self.fail(node, f"{COUNT} belongs behind a link to many")
        if any(self._own_links(node, links)):
            reason = f"{COUNT} counts behind one link to many; ask for it inside any()"
            raise self.fail(node, reason)
        self._check_length(node, links)
        if self.option == "$orderby":
            links = self._to_first(links)
        key = Column("".join(f"{step}/" for step in links) + "id", Kind.NUMBER)
        return Counted(key, {}, Kind.NUMBER, entity, link)

    def _check_length(self, node: Name, links: tuple[str, ...]) -> None:
        """Every link to many multiplies what has to be looked at."""
        to_many = self._own_links(node, links)
        if len(to_many) > MAX_LINKS or sum(to_many) > MAX_LINKS_TO_MANY:
            limits = f"{MAX_LINKS} links, {MAX_LINKS_TO_MANY} of them to many"
            raise self.fail(node, f"passes too many links; a path may pass {limits}")

    def _own_links(self, node: Name, links: tuple[str, ...]) -> list[bool]:
        """Of each link that the path passes behind its variable, whether it leads to many."""
        begin = len(self.scopes.get(node.path[0], ()))
        return [
            _is_to_many(entity_at(self.entity, links[:place]), links[place])
            for place in range(begin, len(links))
        ]

    def _property(self, node: Name, found: Property, prefix: str, path: tuple[str, ...]) -> Operand:
        if path and not found.holds(path):
            raise self.fail(node, f"{found.name!r} has nothing inside")
        if found.shape in SPANS:
            return self._times(found, prefix, path)
        if found.shape is Shape.RESULT_TYPE:
            return Column(prefix + RESULT_TYPE, Kind.JSON, path)
        if found.shape is Shape.NOTES and path[:1] == (QUALITY,):
            return Column(prefix + found.columns[1], Kind.JSON, path[1:])
        return Column(prefix + found.column, Kind.JSON if path else found.kind, path)

    def _times(self, found: Property, prefix: str, path: tuple[str, ...]) -> Operand:
        start, end = (Column(prefix + column, Kind.TIME) for column in found.columns)
        if path:
            return start if path == ("start",) else end
        return Span(start, end)

    def _way(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """The path from the root, also if it begins with a variable."""
        scope = self.scopes.get(path[0])
        return path if scope is None else (*scope, *path[1:])

    def _to_first(self, links: tuple[str, ...]) -> tuple[str, ...]:
        """Of several things that a Datastream observes, the first decides about an order."""
        entity, found = self.entity, []
        for name in links:
            link = entity.behind(name)
            assert link is not None, "the path has been walked"
            found.append(marked(name, FIRST) if link.follows else name)
            entity = target(link)
        return tuple(found)

    # --- any and all ---------------------------------------------------------------------------

    def _quantified(self, node: Quantified) -> Expression:
        way = self._way(node.path)
        if way in self.scopes.values():  # another one behind the same link
            way = (*way[:-1], marked(way[-1], len(self.scopes)))
        _, links, rest = walk(self.entity, way)
        last = entity_at(self.entity, way[:-1]).behind(way[-1]) if not rest else None
        if rest:
            return self._of_items(node)
        if last is None or not last.many:
            raise self.fail(node, f"{node.quantifier} belongs behind a link to many or a list")
        condition = self._condition_behind(node, links)
        some, held = node.quantifier == "any", list(self.scopes.values())
        if not some:
            condition = Not(quantifiers.by_itself(self.entity, links, condition, held))
        where = conjunction(quantifiers.there(links), condition)
        scope = self.scopes.get(node.path[0], ())
        having = quantifiers.having(self.entity, links, scope, where, held)
        if having is not None:
            return having if some else Not(having)
        if some and self.plain and scope:
            return where  # asked together with what is around it
        if self.entity.is_a(OBSERVATION) and not scope:
            apart = Apart((where,), self.entity)
            return apart if some else Not(apart)
        reason = f"{node.quantifier} holds Observations against what is too far from them"
        raise self.fail(node, reason)

    def _of_items(self, node: Quantified) -> Expression:
        held = self.operand(Name(node.path, node.position))
        if not isinstance(held, Column) or held.kind is not Kind.JSON:
            raise self.fail(node, f"{node.quantifier} belongs behind a link to many or a list")
        inside = replace(self, items=self.items | {node.variable})
        condition = TRUE if node.condition is None else inside.condition(node.condition)
        try:
            return lists.quantified(node.quantifier, held, condition)
        except Invalid as error:
            raise self.fail(node, f"{node.quantifier} {error.reason}") from None

    def _condition_behind(self, node: Quantified, way: tuple[str, ...]) -> Expression:
        if node.condition is None:
            return TRUE
        scopes = {**self.scopes, node.variable: way}
        plain = self.plain and node.quantifier == "any"
        return replace(self, scopes=scopes, plain=plain).condition(node.condition)

    # --- operators -----------------------------------------------------------------------------

    def _unary(self, node: Unary) -> Expression:
        if node.operator == "not":
            return self._negated(node.operand)
        inner = self.value(node.operand)
        if isinstance(inner, Literal) and inner.kind in (Kind.NUMBER, Kind.DURATION):
            return Literal(-inner.value, inner.kind)
        kind = kind_of(inner)
        if kind not in (Kind.NUMBER, Kind.DURATION, Kind.JSON):
            raise self.fail(node, f"'-' needs a number, not {_a(kind)}")
        return Call("neg", (inner,), Kind.NUMBER if kind is Kind.JSON else kind)

    def _negated(self, node: Node) -> Expression:
        """A function of null is null, and so is its contrary (OData 4.0 part 2 §5.1.1.1.9)."""
        if isinstance(node, Function) and node.name in periods.RELATIONS:
            there = [Not(periods.is_null(span)) for span in self._spans(node)]
            return And((Not(self._relation(node)), *there))
        operand = self.operand(node)
        if isinstance(operand, Column | Call) and operand.kind in (Kind.BOOLEAN, Kind.JSON):
            return Compare("eq", operand, FALSE)
        return Not(self.condition(node))

    def _logic(self, node: Operation) -> Expression:
        """A chain `a and b and c` becomes one And, so that its depth costs no engine anything."""
        chain = [self.condition(part) for part in flattened(node)]
        return And(tuple(chain)) if node.operator == "and" else Or(tuple(chain))

    def _comparison(self, node: Operation) -> Expression:
        if (
            _denies(node)
            and isinstance(node.left, Function)
            and node.left.name in periods.RELATIONS
        ):
            return self._negated(node.left)
        left, right = self.operand(node.left), self.operand(node.right)
        self._check_quoted(node.left, right)
        self._check_quoted(node.right, left)
        try:
            return compare(node.operator, left, right)
        except (Invalid, ValueError) as error:
            reason = error.reason if isinstance(error, Invalid) else str(error)
            raise self.fail(node, reason) from None

    def _membership(self, node: Membership) -> Expression:
        if isinstance(node.members, Name):
            return self._listed(node, node.members)
        if not node.members:
            raise self.fail(node, "the list is empty")
        value = node.value
        return Or(
            tuple(
                self._comparison(Operation("eq", value, member, node.position))
                for member in node.members
            )
        )

    def _listed(self, node: Membership, named: Name) -> Expression:
        """Whether a list that an entity holds has the value."""
        held, value = self.operand(named), self.value(node.value)
        if not isinstance(held, Column) or held.kind is not Kind.JSON:
            raise self.fail(named, "is no list; write the values in parentheses")
        name = _LISTED.get(kind_of(value))
        if name is None:
            raise self.fail(node, "lists are searched for texts and numbers")
        return Call(name, (held, value), Kind.BOOLEAN)

    def _arithmetic(self, node: Operation) -> Operand:
        left, right = self.operand(node.left), self.operand(node.right)
        if isinstance(left, Span) and _is_duration(right) and node.operator in ("add", "sub"):
            return periods.shift(node.operator, left, right)
        if isinstance(right, Span) and _is_duration(left) and node.operator == "add":
            return periods.shift("add", right, left)
        one = left.start if isinstance(left, Span) else left
        other = right.start if isinstance(right, Span) else right
        found = calculated(node.operator, one, other)
        if found is None:
            kinds = f"{kind_of(one)} and {kind_of(other)}"
            raise self.fail(node, f"{node.operator} is not defined for {kinds}")
        return found

    # --- functions -----------------------------------------------------------------------------

    def _function(self, node: Function) -> Operand:
        if node.name == INTERVAL:
            return self._interval(node)
        if node.name == CAST:
            return self._cast(node)
        if node.name in periods.RELATIONS:
            return self._relation(node)
        signature = SIGNATURES.get(node.name)
        if signature is None:
            raise self.fail(node, f"there is no function {node.name!r}")
        if not signature.accepts(len(node.arguments)):
            raise self.fail(node, f"{node.name} takes {len(signature.takes)} arguments")
        if (constant := self._constant(node)) is not None:
            return constant
        arguments = tuple(
            self._coerced(argument, kind, node.name)
            for argument, kind in zip(node.arguments, signature.takes, strict=False)
        )
        if node.name == "st_relate":
            self._check_pattern(node.arguments[2], arguments[2])
        if node.name == "substringof":
            return Call("contains", arguments[::-1], Kind.BOOLEAN)
        if signature.takes == (Kind.TIME, Kind.TEXT) and len(arguments) == 2:
            return in_zone(node.name, arguments[0], self._zone(node.arguments[1], arguments[1]))
        return Call(node.name, arguments, signature.gives)

    def _interval(self, node: Function) -> Span:
        """From two times, or a time and how long it lasts."""
        if len(node.arguments) != 2:
            raise self.fail(node, "interval takes a start and an end or a duration")
        start = self._coerced(node.arguments[0], Kind.TIME, node.name)
        end = self.value(node.arguments[1])
        if kind_of(end) is Kind.DURATION:
            return Span(start, _later(start, end))
        return Span(start, self._as_kind(end, Kind.TIME, node.arguments[1], node.name))

    def _cast(self, node: Function) -> Expression:
        if len(node.arguments) != 2:
            raise self.fail(node, "cast takes a value and a type, as in cast(result,Edm.String)")
        value, named = self.value(node.arguments[0]), node.arguments[1]
        name = "/".join(named.path) if isinstance(named, Name) else getattr(named, "text", "")
        try:
            return casts.cast(value, name)
        except Invalid as error:
            raise self.fail(named, error.reason) from None

    def _zone(self, node: Node, zone: Expression) -> Expression:
        """The zone, which must be one if it is a constant."""
        if not isinstance(zone, Literal) or zone.value is None:
            return zone
        named = plus(zone.value)
        if zone_of(named) is None:
            raise self.fail(node, "a zone has a name such as 'Europe/Berlin', or is '+02:00'")
        return replace(zone, value=named)

    def _check_pattern(self, node: Node, pattern: Expression) -> None:
        if isinstance(pattern, Literal) and not is_pattern(pattern.value):
            raise self.fail(node, "nine of T, F, 0, 1, 2 and * make a pattern, such as 'T*F**F***'")

    def _constant(self, node: Function) -> Literal | None:
        """What the call is by itself; all stored times are in UTC, but one in a query need not be."""
        moments = {"now": self.now, "mindatetime": EARLIEST, "maxdatetime": LATEST}
        if node.name in moments:
            return Literal(moments[node.name], Kind.TIME)
        match node:
            case Function("totaloffsetminutes", (Constant(kind="time", text=text),)):
                self.operand(node.arguments[0])  # which refuses what is no time
                return Literal(offset_of(plus(text)), Kind.NUMBER)
        return None

    def _relation(self, node: Function) -> Expression:
        left, right = self._spans(node)
        try:
            return periods.RELATIONS[node.name](left, right)
        except Invalid as error:
            raise self.fail(node.arguments[1], error.reason) from None

    def _spans(self, node: Function) -> tuple[Span, Span]:
        if len(node.arguments) != 2:
            raise self.fail(node, f"{node.name} takes 2 times")
        left, right = (self._span(argument, node.name) for argument in node.arguments)
        return left, right

    def _span(self, node: Node, function: str) -> Span:
        operand = self.operand(node)
        if isinstance(operand, Span):
            return operand
        if isinstance(operand, Literal) and operand.kind is Kind.TEXT and "/" in operand.value:
            period = literal(Constant("period", operand.value, node.position), self.option)
            assert isinstance(period, Span)
            self._check_zone(node)
            return period
        return Span(self._as_kind(operand, Kind.TIME, node, function))

    def _coerced(self, node: Node, kind: Kind, function: str) -> Expression:
        return self._as_kind(self.value(node), kind, node, function)

    def _as_kind(self, value: Expression, kind: Kind, node: Node, function: str) -> Expression:
        found = kind_of(value)
        if found is kind or found is Kind.NULL:
            return value
        if isinstance(value, Literal) and found is Kind.TEXT:
            try:
                if (read := _from_text(value.value, kind)) is not None:
                    self._check_quoted(node, read)
                    return read
            except ValueError as error:
                raise self.fail(node, str(error)) from None
        if found is Kind.JSON and kind in (Kind.TEXT, Kind.NUMBER):
            return value
        if found is Kind.JSON and kind is Kind.TIME:
            return casts.as_time(value)
        raise self.fail(node, f"{function} needs {_a(kind)} here, not {_a(found)}")


def _is_to_many(entity: EntityType, name: str) -> bool:
    link = entity.behind(name)
    return link is not None and link.many


_LISTED = {Kind.TEXT: "list_has_text", Kind.NUMBER: "list_has_number"}


def _later(start: Expression, by: Expression) -> Expression:
    if isinstance(start, Literal) and isinstance(by, Literal):
        return Literal(start.value + by.value, Kind.TIME)
    return Call("add", (start, by), Kind.TIME)


def _from_text(text: str, kind: Kind) -> Literal | None:
    if kind is Kind.TIME:
        return Literal(instant(text), Kind.TIME)
    if kind is Kind.GEOMETRY:
        return Literal(geometry(text), Kind.GEOMETRY)
    if kind is Kind.NUMBER and is_number(text):
        return Literal(number(text), Kind.NUMBER)
    return None


def _a(kind: Kind) -> str:
    return "null" if kind is Kind.NULL else f"a {kind}"


def _is_duration(operand: Operand) -> TypeGuard[Expression]:
    return not isinstance(operand, Span) and kind_of(operand) is Kind.DURATION


def _denies(node: Operation) -> bool:
    """Whether it says that something `eq false`."""
    right = node.right
    return node.operator == "eq" and isinstance(right, Constant) and right.text == "false"
