"""From an expression tree to SQL text and parameters.

Three ways to look at an expression: as a *condition* (null counts as false, for WHERE), as a
*strict* condition (never null, below Not and as a value), and as a *value* of a wanted kind. No
part of the tree is ever written twice, so the text grows no faster than the tree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import orjson

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
from stadtherz.base.time import EARLIEST, LATEST, now_us
from stadtherz.sql.fragment import Dialect, Resolve, Source, Sql, compose, join
from stadtherz.sql.functions import LONGEST, engine_name
from stadtherz.sql.keyset import typed
from stadtherz.sql.signatures import FUNCTIONS, arithmetic

_OPERATORS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_TYPES = {
    Kind.NUMBER: "double precision",
    Kind.TEXT: "text",
    Kind.BOOLEAN: "boolean",
    Kind.TIME: "bigint",
    Kind.DURATION: "bigint",
    Kind.GEOMETRY: "jsonb",
    Kind.JSON: "jsonb",
}
_ACCESSORS = {
    Kind.NUMBER: "json_number",
    Kind.TEXT: "json_text",
    Kind.BOOLEAN: "json_boolean",
    Kind.GEOMETRY: "json_document",
}
_RANKS = {Kind.BOOLEAN: 1, Kind.NUMBER: 2, Kind.TEXT: 3}
_NATIVE = {"add": "({} + {})", "sub": "({} - {})", "mul": "({} * {})", "neg": "(-{})"}
_INT64 = range(-(2**63), 2**63)
_TRUE, _FALSE = Sql("(1 = 1)"), Sql("(1 = 0)")


def compile_condition(expression: Expression, resolve: Resolve, dialect: Dialect) -> Sql:
    """What stands behind WHERE; a row for which it is null is not wanted."""
    return _Compiler(resolve, dialect).condition(expression)


def compile_value(expression: Expression, resolve: Resolve, dialect: Dialect) -> Sql:
    """The expression as one SQL value; JSON comes out as a document."""
    compiler = _Compiler(resolve, dialect)
    kind = compiler.kind(expression)
    return compiler.value(expression, Kind.GEOMETRY if kind is Kind.JSON else kind)


def compile_order(order: Sequence[Order], resolve: Resolve, dialect: Dialect) -> Sql:
    """What stands behind ORDER BY; null comes first when ascending, last when descending."""
    compiler = _Compiler(resolve, dialect)
    return join(", ", [compiler.order(term) for term in typed(order)])


@dataclass(frozen=True, slots=True)
class _Compiler:
    resolve: Resolve
    dialect: Dialect

    @property
    def _sqlite(self) -> bool:
        return self.dialect.name == "sqlite"

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
            "coalesce({}, 0)" if self._sqlite else "coalesce({}, false)", self.condition(expression)
        )

    def _logic(self, separator: str, parts: Sequence[Expression], empty: Sql) -> Sql:
        if not parts:
            return empty
        return compose("({})", join(separator, [self.condition(part) for part in parts]))

    def _among(self, column: Column, members: frozenset[int]) -> Sql:
        listed = sorted(member for member in members if member in _INT64)
        if not listed:
            return _FALSE
        source = self.resolve(column).sql
        if self._sqlite:
            values = Sql("%s", (_text(listed),))
            return compose("({} IN (SELECT value FROM json_each({})))", source, values)
        return compose("({} = ANY({}::bigint[]))", source, Sql("%s", (listed,)))

    # --- comparisons -----------------------------------------------------------------------------

    def _compare(self, compare: Compare) -> Sql:
        left, right = self.kind(compare.left), self.kind(compare.right)
        if Kind.JSON in (left, right):
            return self._compare_json(compare, left, right)
        kind = right if left is Kind.NULL else left
        if kind is Kind.NULL:
            kind = Kind.TEXT
        if Kind.NULL not in (left, right) and left is not right:
            raise Invalid("$filter", f"cannot compare {left} with {right}")
        if kind is Kind.GEOMETRY and Kind.NULL not in (left, right):
            raise Invalid("$filter", "geometries are compared with st_equals")
        return self._compare_typed(
            compare, self.value(compare.left, kind), self.value(compare.right, kind), kind
        )

    def _compare_typed(self, compare: Compare, left: Sql, right: Sql, kind: Kind) -> Sql:
        operator = compare.operator
        if operator == "eq" and (_constant(compare.left) or _constant(compare.right)):
            return compose("({} = {})", left, right)
        if operator in ("eq", "ne"):
            return compose(self._same(different=operator == "ne"), left, right)
        return compose(f"({{}} {_OPERATORS[operator]} {{}}{self._collation(kind)})", left, right)

    def _same(self, *, different: bool = False) -> str:
        """Comparison of two values that treats null as a value."""
        if self._sqlite:
            return "({} IS NOT {})" if different else "({} IS {})"
        return "({} IS DISTINCT FROM {})" if different else "({} IS NOT DISTINCT FROM {})"

    def _collation(self, kind: Kind) -> str:
        """Text is sorted by code point on every engine, whatever the database's language."""
        return ' COLLATE "C"' if kind is Kind.TEXT and not self._sqlite else ""

    def _compare_json(self, compare: Compare, left: Kind, right: Kind) -> Sql:
        if compare.operator == "ne":
            equal = Compare("eq", compare.left, compare.right)
            return compose("(NOT {})", self.strict(equal))
        if left is right:
            return self._compare_two_json(compare)
        document, other = compare.left, compare.right
        if right is Kind.JSON:
            document, other = other, document
        return self._compare_json_with(compare, document, other, self.kind(other))

    def _compare_json_with(
        self, compare: Compare, document: Expression, other: Expression, kind: Kind
    ) -> Sql:
        """True only for rows whose document has the other's type just now."""
        rank = self._rank(document)
        if kind is Kind.NULL:
            return compose("({} = 0)", rank) if compare.operator == "eq" else _FALSE
        if kind not in _RANKS:
            return _FALSE  # JSON knows neither times nor geometries
        if compare.operator != "eq" or _constant(other):
            left, right = self.value(compare.left, kind), self.value(compare.right, kind)
            return self._compare_typed(compare, left, right, kind)
        same = compose(self._same(), self.value(document, kind), self.value(other, kind))
        return compose(f"({{}} IN (0, {_RANKS[kind]}) AND {{}})", rank, same)

    def _compare_two_json(self, compare: Compare) -> Sql:
        same_type = compose("({} = {})", self._rank(compare.left), self._rank(compare.right))
        pairs = [
            (self.value(compare.left, kind), self.value(compare.right, kind), kind)
            for kind in _RANKS
        ]
        if compare.operator == "eq":
            template = self._same()
            simple = compose("({} < 4)", self._rank(compare.left))
            equal = [compose(template, left, right) for left, right, _ in pairs]
            return compose("({})", join(" AND ", [same_type, simple, *equal]))
        either = [self._compare_typed(compare, left, right, kind) for left, right, kind in pairs]
        return compose("({} AND ({}))", same_type, join(" OR ", either))

    # --- values ----------------------------------------------------------------------------------

    def kind(self, expression: Expression) -> Kind:
        match expression:
            case Column(_, kind, _):
                return kind
            case Literal(_, kind) | Lookup(_, _, kind):
                return kind
            case Call(name, arguments):
                return self._call_kind(name, arguments)
            case And() | Or() | Not() | Compare() | Among():
                return Kind.BOOLEAN
            case _:
                assert_never(expression)

    def value(self, expression: Expression, wanted: Kind) -> Sql:
        """The expression as a value of the wanted kind; JSON of another type is null."""
        match expression:
            case Literal():
                return self._literal(expression, wanted)
            case And() | Or() | Not() | Compare() | Among():
                _expect(Kind.BOOLEAN, wanted)
                return self.strict(expression)
            case Column():
                return self._from_source(self.resolve(expression), expression.path, wanted)
            case Lookup():
                return self._from_source(self._lookup(expression), (), wanted)
            case Call():
                _expect(self.kind(expression), wanted)
                return self._call(expression)
            case _:
                assert_never(expression)

    def _literal(self, literal: Literal, wanted: Kind) -> Sql:
        if literal.value is None:
            return Sql("NULL" if self._sqlite else f"NULL::{_TYPES[wanted]}")
        _expect(literal.kind, wanted)
        value = literal.value
        match literal.kind:
            case Kind.TIME:
                _limit(value, EARLIEST, LATEST, "a time must lie in the years 1 to 9999")
            case Kind.DURATION:
                _limit(value, -LONGEST, LONGEST, "a duration must be shorter than 12,000 years")
            case Kind.GEOMETRY:
                value = orjson.dumps(value).decode()
            case Kind.NUMBER:
                return self._number(value)
        return self._parameter(value, _TYPES[literal.kind])

    def _number(self, value: float) -> Sql:
        """Whole numbers stay whole, so that an index over an id can be used."""
        if isinstance(value, int) and value in _INT64:
            return self._parameter(value, "bigint")
        try:
            return self._parameter(float(value), _TYPES[Kind.NUMBER])
        except OverflowError:
            raise Invalid("$filter", "the number is too large") from None

    def _parameter(self, value: Any, type_name: str) -> Sql:
        return Sql("%s" if self._sqlite else f"%s::{type_name}", (value,))

    def _from_source(self, source: Source, path: tuple[str, ...], wanted: Kind) -> Sql:
        if source.kind is not Kind.JSON:
            _expect(source.kind, wanted)
            return source.sql
        if wanted is Kind.NUMBER and source.number is not None and not path:
            return source.number
        if wanted is Kind.JSON:
            wanted = Kind.GEOMETRY
        if wanted not in _ACCESSORS:
            return Sql("NULL" if self._sqlite else f"NULL::{_TYPES[wanted]}")
        return self._json(_ACCESSORS[wanted], source.sql, path)

    def _json(self, accessor: str, document: Sql, path: tuple[str, ...]) -> Sql:
        way = (
            Sql("%s", (orjson.dumps(path).decode() if path else None,))
            if self._sqlite
            else Sql("%s::text[]", (list(path),))
        )
        return compose(f"{engine_name(accessor)}({{}}, {{}})", document, way)

    def _rank(self, expression: Expression) -> Sql:
        """Which JSON type a row's document has, as a number to sort by."""
        if isinstance(expression, Column):
            source, path = self.resolve(expression), expression.path
        elif isinstance(expression, Lookup):
            source, path = self._lookup(expression), ()
        else:
            raise Invalid("$filter", "only a property has a type of its own")
        ranked = self._json("json_rank", source.sql, path)
        if source.number is None or path:
            return ranked
        return compose("(CASE WHEN {} IS NOT NULL THEN 2 ELSE {} END)", source.number, ranked)

    def _lookup(self, lookup: Lookup) -> Source:
        column = self.resolve(lookup.column).sql
        if self._sqlite:
            documents = lookup.kind in (Kind.JSON, Kind.GEOMETRY)
            table = {str(k): _text(v) if documents else v for k, v in lookup.table.items()}
            found = compose("sh_lookup({}, {})", Sql("%s", (_text(table),)), column)
            return Source(found, lookup.kind)
        table = {str(k): v for k, v in lookup.table.items()}
        held = compose("({}::jsonb -> ({})::text)", Sql("%s", (_text(table),)), column)
        if lookup.kind not in (Kind.JSON, Kind.GEOMETRY):
            held = compose(f"(({{}}) #>> '{{{{}}}}')::{_TYPES[lookup.kind]}", held)
        return Source(held, lookup.kind)

    # --- functions -------------------------------------------------------------------------------

    def _call_kind(self, name: str, arguments: Sequence[Expression]) -> Kind:
        if name in FUNCTIONS:
            return FUNCTIONS[name].gives
        if name in _SPECIAL:
            return _SPECIAL[name]
        operation = arithmetic(name, tuple(self.kind(argument) for argument in arguments))
        if operation is None:
            raise Invalid("$filter", f"{name} cannot be applied to these values")
        return operation[1]

    def _call(self, call: Call) -> Sql:
        match call.name:
            case "now":
                return self._parameter(now_us(), "bigint")
            case "mindatetime":
                return self._parameter(EARLIEST, "bigint")
            case "maxdatetime":
                return self._parameter(LATEST, "bigint")
            case "substringof":
                part, text = _arguments(call, 2, 2)
                return self._function("contains", (text, part), (Kind.TEXT, Kind.TEXT))
            case "json_rank":
                return self._rank(call.arguments[0])
            case "json_number" | "json_text" | "json_boolean":
                return self.value(call.arguments[0], _SPECIAL[call.name])
        if call.name in FUNCTIONS:
            return self._named(call)
        return self._arithmetic(call)

    def _named(self, call: Call) -> Sql:
        signature = FUNCTIONS[call.name]
        most = len(signature.takes)
        arguments = _arguments(call, most - signature.optional, most)
        if Kind.GEOMETRY in signature.takes and not self.dialect.geometry:
            raise Unavailable("PostGIS", f"{call.name} needs this extension", retry=False)
        return self._function(call.name, arguments, signature.takes)

    def _arithmetic(self, call: Call) -> Sql:
        operation = arithmetic(call.name, tuple(self.kind(a) for a in call.arguments))
        if operation is None:
            raise Invalid("$filter", f"{call.name} cannot be applied to these values")
        takes, _, name = operation
        if name not in _NATIVE:
            return self._function(name, call.arguments, takes)
        operands = [self.value(a, kind) for a, kind in zip(call.arguments, takes, strict=True)]
        return compose(
            _NATIVE[name], *(self._operand(o, k) for o, k in zip(operands, takes, strict=True))
        )

    def _function(self, name: str, arguments: Sequence[Expression], takes: Sequence[Kind]) -> Sql:
        values = [
            self._operand(self.value(argument, kind), kind)
            for argument, kind in zip(arguments, takes, strict=False)
        ]
        return compose(f"{engine_name(name)}({{}})", join(", ", values))

    def _operand(self, value: Sql, kind: Kind) -> Sql:
        """Numbers are computed as doubles, as JSON has them, whatever the column's type."""
        if kind is not Kind.NUMBER:
            return value
        if self._sqlite:
            return compose("CAST({} AS REAL)", value)
        return compose("({})::double precision", value)

    def order(self, term: Order) -> Sql:
        kind = self.kind(term.by)
        value = self.value(term.by, Kind.TEXT if kind is Kind.NULL else kind)
        nullable = not isinstance(term.by, Column) or self.resolve(term.by).nullable
        nulls = ""
        if nullable and not self._sqlite:
            nulls = " NULLS LAST" if term.descending else " NULLS FIRST"
        direction = "DESC" if term.descending else "ASC"
        return compose(f"{{}}{self._collation(kind)} {direction}{nulls}", value)


_SPECIAL = {
    "now": Kind.TIME,
    "mindatetime": Kind.TIME,
    "maxdatetime": Kind.TIME,
    "substringof": Kind.BOOLEAN,
    "json_rank": Kind.NUMBER,
    "json_number": Kind.NUMBER,
    "json_text": Kind.TEXT,
    "json_boolean": Kind.BOOLEAN,
}


def _constant(expression: Expression) -> bool:
    return isinstance(expression, Literal) and expression.value is not None


def _expect(kind: Kind, wanted: Kind) -> None:
    if kind is not wanted:
        raise Invalid("$filter", f"expected a {wanted}, but this is a {kind}")


def _limit(value: int, low: int, high: int, reason: str) -> None:
    if not low <= value <= high:
        raise Invalid("$filter", reason)


def _arguments(call: Call, least: int, most: int) -> tuple[Expression, ...]:
    if not least <= len(call.arguments) <= most:
        raise Invalid("$filter", f"{call.name} takes {least} to {most} arguments")
    return call.arguments


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
