"""From an expression tree to SQL text and parameters.

Three ways to look at an expression: as a *condition* (null counts as false, for WHERE), as a
*strict* condition (never null, below Not and as a value), and as a *value* of a wanted kind. No
part of the tree is ever written twice, so the text grows no faster than the tree.
"""

from collections.abc import Sequence
from typing import assert_never

from stadtherz.base import functions
from stadtherz.base.errors import Invalid, Unavailable
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
)
from stadtherz.base.functions import FUNCTIONS, GEOMETRIC
from stadtherz.base.time import EARLIEST, LATEST, now_us
from stadtherz.sql.fragment import Dialect, Resolve, Sql, compose, join
from stadtherz.sql.functions import engine_name
from stadtherz.sql.keyset import typed
from stadtherz.sql.kinds import RANKS, SPECIAL, arguments_of, compared_kind, kind_of, operation
from stadtherz.sql.leaves import INT64, Leaves, as_text, expect

_OPERATORS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_NATIVE = {"add": "({} + {})", "sub": "({} - {})", "mul": "({} * {})", "neg": "(-{})"}
_TRUE, _FALSE = Sql("(1 = 1)"), Sql("(1 = 0)")


def compile_condition(expression: Expression, resolve: Resolve, dialect: Dialect) -> Sql:
    """What stands behind WHERE; a row for which it is null is not wanted."""
    return _Compiler(resolve, dialect).condition(expression)


def compile_value(expression: Expression, resolve: Resolve, dialect: Dialect) -> Sql:
    """The expression as one SQL value; JSON comes out as a document."""
    compiler = _Compiler(resolve, dialect)
    kind = kind_of(expression)
    return compiler.value(expression, Kind.GEOMETRY if kind is Kind.JSON else kind)


def compile_order(order: Sequence[Order], resolve: Resolve, dialect: Dialect) -> Sql:
    """What stands behind ORDER BY; null comes first when ascending, last when descending."""
    compiler = _Compiler(resolve, dialect)
    return join(", ", [compiler.order(term) for term in typed(order)])


class _Compiler(Leaves):
    """What lies above the leaves: conditions, comparisons, functions and order."""

    # --- conditions ------------------------------------------------------------------------------

    def condition(self, expression: Expression) -> Sql:
        match expression:
            case And(parts):
                return self._logic(" AND ", parts, _TRUE)
            case Or(parts):
                return self._logic(" OR ", parts, _FALSE)
            case Not(part):
                return compose("(NOT {})", self.strict(part))
            case Compare():
                return self._compare(expression)
            case Among(column, members):
                return self._among(column, members)
            case Literal(value, Kind.BOOLEAN):
                return _TRUE if value else _FALSE
            case Column() | Literal() | Call() | Lookup():
                return self.value(expression, Kind.BOOLEAN)
            case _:
                assert_never(expression)

    def strict(self, expression: Expression) -> Sql:
        """The condition with null as false."""
        if isinstance(expression, Not):
            return self.condition(expression)
        return compose(
            "coalesce({}, 0)" if self.on_sqlite else "coalesce({}, false)",
            self.condition(expression),
        )

    def _logic(self, separator: str, parts: Sequence[Expression], empty: Sql) -> Sql:
        if not parts:
            return empty
        return compose("({})", join(separator, [self.condition(part) for part in parts]))

    def _among(self, column: Column, members: frozenset[int]) -> Sql:
        listed = sorted(member for member in members if member in INT64)
        if not listed:
            return _FALSE
        source = self.resolve(column).sql
        if self.on_sqlite:
            values = Sql("%s", (as_text(listed),))
            return compose("({} IN (SELECT value FROM json_each({})))", source, values)
        return compose("({} = ANY({}::bigint[]))", source, Sql("%s", (listed,)))

    # --- comparisons -----------------------------------------------------------------------------

    def _compare(self, compare: Compare) -> Sql:
        left, right = kind_of(compare.left), kind_of(compare.right)
        if Kind.JSON in (left, right):
            return self._compare_json(compare, left, right)
        kind = compared_kind(compare)
        return self._compare_typed(
            compare, self.value(compare.left, kind), self.value(compare.right, kind), kind
        )

    def _compare_typed(self, compare: Compare, left: Sql, right: Sql, kind: Kind) -> Sql:
        operator = compare.operator
        if operator == "eq" and (_constant(compare.left) or _constant(compare.right)):
            return compose("({} = {})", left, right)
        if operator in ("eq", "ne"):
            return compose(self.same(different=operator == "ne"), left, right)
        return compose(f"({{}} {_OPERATORS[operator]} {{}}{self.collation(kind)})", left, right)

    def _compare_json(self, compare: Compare, left: Kind, right: Kind) -> Sql:
        if compare.operator == "ne":
            equal = Compare("eq", compare.left, compare.right)
            return compose("(NOT {})", self.strict(equal))
        if left is right:
            return self._compare_two_json(compare)
        document, other = compare.left, compare.right
        if right is Kind.JSON:
            document, other = other, document
        return self._compare_json_with(compare, document, other, kind_of(other))

    def _compare_json_with(
        self, compare: Compare, document: Expression, other: Expression, kind: Kind
    ) -> Sql:
        """True only for rows whose document has the other's type just now."""
        rank = self._rank(document)
        if kind is Kind.NULL:
            return compose("({} = 0)", rank) if compare.operator == "eq" else _FALSE
        if kind not in RANKS:
            return _FALSE  # JSON knows neither times nor geometries
        if compare.operator != "eq" or _constant(other):
            left, right = self.value(compare.left, kind), self.value(compare.right, kind)
            return self._compare_typed(compare, left, right, kind)
        same = compose(self.same(), self.value(document, kind), self.value(other, kind))
        return compose(f"({{}} IN (0, {RANKS[kind]}) AND {{}})", rank, same)

    def _compare_two_json(self, compare: Compare) -> Sql:
        same_type = compose("({} = {})", self._rank(compare.left), self._rank(compare.right))
        pairs = [
            (self.value(compare.left, kind), self.value(compare.right, kind), kind)
            for kind in RANKS
        ]
        if compare.operator == "eq":
            template = self.same()
            simple = compose("({} < 4)", self._rank(compare.left))
            equal = [compose(template, left, right) for left, right, _ in pairs]
            return compose("({})", join(" AND ", [same_type, simple, *equal]))
        either = [self._compare_typed(compare, left, right, kind) for left, right, kind in pairs]
        return compose("({} AND ({}))", same_type, join(" OR ", either))

    # --- values ----------------------------------------------------------------------------------

    def value(self, expression: Expression, wanted: Kind) -> Sql:
        """The expression as a value of the wanted kind; JSON of another type is null."""
        match expression:
            case Literal():
                return self.literal(expression, wanted)
            case And() | Or() | Not() | Compare() | Among():
                expect(Kind.BOOLEAN, wanted)
                return self.strict(expression)
            case Column():
                return self.from_source(self.resolve(expression), expression.path, wanted)
            case Lookup():
                return self.from_source(self.lookup(expression), (), wanted)
            case Call():
                expect(kind_of(expression), wanted)
                return self._call(expression)
            case _:
                assert_never(expression)

    def _rank(self, expression: Expression) -> Sql:
        """Which JSON type a row's document has, as a number to sort by."""
        if isinstance(expression, Column):
            source, path = self.resolve(expression), expression.path
        elif isinstance(expression, Lookup):
            source, path = self.lookup(expression), ()
        else:
            raise Invalid("$filter", "only a property has a type of its own")
        ranked = self.json("json_rank", source.sql, path)
        if source.number is None or path:
            return ranked
        return compose("(CASE WHEN {} IS NOT NULL THEN 2 ELSE {} END)", source.number, ranked)

    # --- functions -------------------------------------------------------------------------------

    def _call(self, call: Call) -> Sql:
        match call.name:
            case "now":
                return self.parameter(now_us(), "bigint")
            case "mindatetime":
                return self.parameter(EARLIEST, "bigint")
            case "maxdatetime":
                return self.parameter(LATEST, "bigint")
            case "substringof":
                part, text = arguments_of(call, 2, 2)
                return self._function("contains", (text, part), (Kind.TEXT, Kind.TEXT))
            case "json_rank":
                return self._rank(call.arguments[0])
            case "json_number" | "json_text" | "json_boolean":
                return self.value(call.arguments[0], SPECIAL[call.name])
            case functions.COALESCE:
                kind = kind_of(call)
                values = [self.value(argument, kind) for argument in call.arguments]
                return compose("coalesce({})", join(", ", values))
        if call.name in FUNCTIONS:
            return self._named(call)
        return self._arithmetic(call)

    def _named(self, call: Call) -> Sql:
        signature = FUNCTIONS[call.name]
        most = len(signature.takes)
        arguments = arguments_of(call, most - signature.optional, most)
        if call.name.startswith(GEOMETRIC) and not self.dialect.geometry:
            raise Unavailable("PostGIS", f"{call.name} needs this extension", retry=False)
        return self._function(call.name, arguments, signature.takes)

    def _arithmetic(self, call: Call) -> Sql:
        takes, _, name = operation(call.name, call.arguments)
        if name not in _NATIVE:
            return self._function(name, call.arguments, takes)
        operands = [self.value(a, kind) for a, kind in zip(call.arguments, takes, strict=True)]
        return compose(
            _NATIVE[name], *(self.operand(o, k) for o, k in zip(operands, takes, strict=True))
        )

    def _function(self, name: str, arguments: Sequence[Expression], takes: Sequence[Kind]) -> Sql:
        values = [
            self.operand(self.value(argument, kind), kind)
            for argument, kind in zip(arguments, takes, strict=False)
        ]
        return compose(f"{engine_name(name)}({{}})", join(", ", values))

    def order(self, term: Order) -> Sql:
        kind = kind_of(term.by)
        value = self.value(term.by, Kind.TEXT if kind is Kind.NULL else kind)
        nullable = not isinstance(term.by, Column) or self.resolve(term.by).nullable
        nulls = ""
        if nullable and not self.on_sqlite:
            nulls = " NULLS LAST" if term.descending else " NULLS FIRST"
        direction = "DESC" if term.descending else "ASC"
        return compose(f"{{}}{self.collation(kind)} {direction}{nulls}", value)


def _constant(expression: Expression) -> bool:
    return isinstance(expression, Literal) and expression.value is not None
