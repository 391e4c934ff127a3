"""From an expression tree to a function over columns, as `sql.compile` makes SQL of it.

Types are checked while the function is made, by the same rules and with the same errors; whether
there are readings does not matter. What runs later never fails for the sake of a value.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, assert_never

import numpy as np

from stadtherz.base.errors import Invalid
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
from stadtherz.base.functions import COALESCE, FUNCTIONS
from stadtherz.base.time import EARLIEST, LATEST, now_us
from stadtherz.sql.public import (
    RANKS,
    SPECIAL,
    SQLITE,
    Leaves,
    Source,
    Sql,
    arguments_of,
    compared_kind,
    expect,
    kind_of,
    operation,
)
from stadtherz.store.conditions.array_values import Frame, Json, Vector, integers, listed, null_of
from stadtherz.store.conditions.functions import called
from stadtherz.store.values import READING_COLUMNS

Test = Callable[[Frame], Any]  # an array of bool, or one bool for all readings
Node = Callable[[Frame], Vector]

_OPERATORS = {"gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le}
_JSON_KINDS = (*RANKS, Kind.GEOMETRY)
_CONSTANTS: dict[str, Callable[[], int]] = {
    "now": now_us,
    "mindatetime": lambda: EARLIEST,
    "maxdatetime": lambda: LATEST,
}


def kind_of_column(column: Column) -> Kind:
    """Raises Invalid for a column that readings do not have."""
    if column.name not in READING_COLUMNS:
        raise Invalid("$filter", f"{column.name} is not a property of an observation")
    return READING_COLUMNS[column.name]


def _source(column: Column) -> Source:
    return Source(Sql(column.name), kind_of_column(column))


_LEAVES = Leaves(_source, SQLITE)  # knows which constants and paths are none


# --- conditions ----------------------------------------------------------------------------------


def test_of(expression: Expression) -> Test:
    """Where the condition holds; null counts as no."""
    match expression:
        case And(parts):
            return _all([test_of(part) for part in parts])
        case Or(parts):
            return _any([test_of(part) for part in parts])
        case Not(part):
            test = test_of(part)
            return lambda frame: ~test(frame)
        case Compare():
            return _compared(expression)
        case Among(column, members):
            return _among(column, members)
        case Literal(value, Kind.BOOLEAN):
            return _always(value)
        case Column() | Literal() | Call() | Lookup():
            return _is_true(node_of(expression, Kind.BOOLEAN))
        case _:
            assert_never(expression)


def _always(value: Any) -> Test:
    answer = np.bool_(bool(value))
    return lambda _: answer


def _is_true(node: Node) -> Test:
    def test(frame: Frame) -> Any:
        vector = node(frame)
        return np.asarray(vector.values, np.bool_) & ~vector.null

    return test


def _all(tests: Sequence[Test]) -> Test:
    def test(frame: Frame) -> Any:
        found: Any = np.True_
        for part in tests:
            found = found & part(frame)
            if not found.any():
                break  # the columns of the other parts need not be decoded
        return found

    return test


def _any(tests: Sequence[Test]) -> Test:
    def test(frame: Frame) -> Any:
        found: Any = np.False_
        for part in tests:
            found = found | part(frame)
            if found.all():
                break
        return found

    return test


def _among(column: Column, members: frozenset[int]) -> Test:
    if kind_of_column(column) is Kind.JSON:
        return _always(False)  # a document is no id
    array = cache(lambda: integers(members))  # a chunk has one datastream and needs none

    def test(frame: Frame) -> Any:
        vector = frame.integers(column.name)
        if np.ndim(vector.values) == 0:
            return np.bool_(int(vector.values) in members) & ~vector.null
        return np.isin(vector.values, array()) & ~vector.null

    return test


# --- comparisons ---------------------------------------------------------------------------------


def _compared(compare: Compare) -> Test:
    left, right = kind_of(compare.left), kind_of(compare.right)
    if Kind.JSON in (left, right):
        return _compared_json(compare, left, right)
    return _compared_as(compare, compared_kind(compare))


def _compared_as(compare: Compare, kind: Kind) -> Test:
    left, right = node_of(compare.left, kind), node_of(compare.right, kind)
    if compare.operator == "eq":
        return _same(left, right)
    if compare.operator == "ne":
        same = _same(left, right)
        return lambda frame: ~same(frame)
    compared = _OPERATORS[compare.operator]

    def test(frame: Frame) -> Any:
        a, b = left(frame), right(frame)
        return np.asarray(compared(a.values, b.values), np.bool_) & ~(a.null | b.null)

    return test


def _same(left: Node, right: Node) -> Test:
    """Equality that treats null as a value."""

    def test(frame: Frame) -> Any:
        a, b = left(frame), right(frame)
        equal = np.asarray(operator.eq(a.values, b.values), np.bool_)
        return (equal & ~(a.null | b.null)) | (a.null & b.null)

    return test


def _compared_json(compare: Compare, left: Kind, right: Kind) -> Test:
    if compare.operator == "ne":
        equal = test_of(Compare("eq", compare.left, compare.right))
        return lambda frame: ~equal(frame)
    if left is right:
        return _compared_two_json(compare)
    document, other, kind = compare.left, compare.right, right
    if right is Kind.JSON:
        document, other, kind = other, document, left
    return _compared_json_with(compare, _ranks(document), other, kind)


def _compared_json_with(
    compare: Compare, ranks: Callable[[Frame], Any], other: Expression, kind: Kind
) -> Test:
    """True only for readings whose document has the other's type just now."""
    if kind is Kind.NULL:
        return (lambda frame: ranks(frame) == 0) if compare.operator == "eq" else _always(False)
    if kind not in RANKS:
        return _always(False)  # JSON knows neither times nor geometries
    compared = _compared_as(compare, kind)
    if compare.operator != "eq" or (isinstance(other, Literal) and other.value is not None):
        return compared

    def test(frame: Frame) -> Any:
        found = ranks(frame)
        return ((found == 0) | (found == RANKS[kind])) & compared(frame)

    return test


def _compared_two_json(compare: Compare) -> Test:
    left, right = _ranks(compare.left), _ranks(compare.right)
    typed = {rank: _compared_as(compare, kind) for kind, rank in RANKS.items()}

    def test(frame: Frame) -> Any:
        a, b = left(frame), right(frame)
        found = (a == 0) & (b == 0) & np.bool_(compare.operator == "eq")
        for rank, compared in typed.items():
            both = (a == rank) & (b == rank)
            if both.any():
                found = found | (both & compared(frame))
        return found

    return test


# --- values --------------------------------------------------------------------------------------


def node_of(expression: Expression, wanted: Kind) -> Node:
    """The expression as a vector of the wanted kind; JSON of another type is null."""
    match expression:
        case Literal():
            return _constant(expression, wanted)
        case And() | Or() | Not() | Compare() | Among():
            expect(Kind.BOOLEAN, wanted)
            test = test_of(expression)
            return lambda frame: Vector(test(frame))
        case Column():
            return _column(expression, wanted)
        case Lookup():
            return _looked_up(expression, wanted)
        case Call():
            expect(kind_of(expression), wanted)
            return _call(expression)
        case _:
            assert_never(expression)


def _fixed(vector: Vector) -> Node:
    return lambda _: vector


def _constant(literal: Literal, wanted: Kind) -> Node:
    parameters = _LEAVES.literal(literal, wanted).parameters
    return _fixed(Vector(parameters[0]) if parameters else null_of(wanted))


def _column(column: Column, wanted: Kind) -> Node:
    kind = kind_of_column(column)
    if kind is Kind.JSON:
        return _part(documents_of(column), wanted)
    expect(kind, wanted)
    return lambda frame: frame.integers(column.name)


def _part(documents: Callable[[Frame], Json], wanted: Kind) -> Node:
    kind = Kind.GEOMETRY if wanted is Kind.JSON else wanted
    if kind not in _JSON_KINDS:
        return _fixed(null_of(wanted))
    return lambda frame: documents(frame).of(kind)


def _looked_up(lookup: Lookup, wanted: Kind) -> Node:
    kind_of_column(lookup.column)
    if lookup.kind is Kind.JSON:
        return _part(documents_of(lookup), wanted)
    expect(lookup.kind, wanted)
    documents = documents_of(lookup)
    if wanted is Kind.GEOMETRY:
        return lambda frame: documents(frame).of(wanted)
    return lambda frame: _values(frame, lookup)


def _values(frame: Frame, lookup: Lookup) -> Vector:
    found = frame.looked_up(lookup.column.name, lookup.table)
    return found.spread(listed(found.values, lookup.kind))


def documents_of(expression: Column | Lookup) -> Callable[[Frame], Json]:
    """The JSON that a column or a table holds for each reading."""
    if isinstance(expression, Column):
        name, path = expression.name, expression.path
        _LEAVES.json("json_rank", Sql(""), path)  # refuses steps that no engine can take
        return lambda frame: frame.documents(name, path)
    key, table = expression.column.name, _keyed_by_integers(expression)
    return lambda frame: frame.looked_up(key, table)


def _keyed_by_integers(lookup: Lookup) -> Mapping[int, Any]:
    return {} if kind_of_column(lookup.column) is Kind.JSON else lookup.table


def _ranks(expression: Expression) -> Callable[[Frame], Any]:
    """Which JSON type each reading's document has, as a number to sort by."""
    if not isinstance(expression, Column | Lookup):
        raise Invalid("$filter", "only a property has a type of its own")
    if isinstance(expression, Column):
        expect(kind_of_column(expression), Kind.JSON)
    documents = documents_of(expression)
    return lambda frame: documents(frame).ranks


# --- functions -----------------------------------------------------------------------------------


def _call(call: Call) -> Node:
    name, arguments = call.name, call.arguments
    if name in _CONSTANTS:
        return _fixed(Vector(_CONSTANTS[name]()))
    if name == "substringof":
        part, text = arguments_of(call, 2, 2)
        return _function("contains", (text, part), FUNCTIONS["contains"].takes, Kind.BOOLEAN)
    if name == "json_rank":
        ranks = _ranks(arguments[0])
        return lambda frame: Vector(ranks(frame))
    if name in SPECIAL:
        return node_of(arguments[0], SPECIAL[name])
    if name == COALESCE:
        return _first_of([node_of(argument, kind_of(call)) for argument in arguments])
    if name in FUNCTIONS:
        signature = FUNCTIONS[name]
        most = len(signature.takes)
        arguments = arguments_of(call, most - signature.optional, most)
        return _function(name, arguments, signature.takes, signature.gives)
    takes, gives, function = operation(name, arguments)
    return _function(function, arguments, takes, gives)


def _first_of(nodes: Sequence[Node]) -> Node:
    """The first of the values that is not null."""

    def first(frame: Frame) -> Vector:
        values, null = nodes[0](frame).over(len(frame))
        for node in nodes[1:]:
            if not null.any():
                break
            others, missing = node(frame).over(len(frame))
            values, null = np.where(null, others, values), null & missing
        return Vector(values, null)

    return first


def _function(
    name: str, arguments: Sequence[Expression], takes: Sequence[Kind], gives: Kind
) -> Node:
    nodes = [
        _as_double(node_of(argument, kind)) if kind is Kind.NUMBER else node_of(argument, kind)
        for argument, kind in zip(arguments, takes, strict=False)
    ]
    return lambda frame: called(name, [node(frame) for node in nodes], gives, len(frame))


def _as_double(node: Node) -> Node:
    """Numbers are computed as doubles, as JSON has them, whatever the column's type."""

    def doubles(frame: Frame) -> Vector:
        vector = node(frame)
        return Vector(np.asarray(vector.values, np.float64), vector.null)

    return doubles
