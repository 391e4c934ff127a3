"""What kind of value an expression has, and what may be compared with what.

The same rules, with the same refusals, for SQL and for columns in memory.
"""

from collections.abc import Sequence
from typing import assert_never

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
from stadtherz.sql.signatures import arithmetic

RANKS = {Kind.BOOLEAN: 1, Kind.NUMBER: 2, Kind.TEXT: 3}
"""Where values of a kind stand among JSON of mixed types."""

SPECIAL = {
    "now": Kind.TIME,
    "mindatetime": Kind.TIME,
    "maxdatetime": Kind.TIME,
    "substringof": Kind.BOOLEAN,
    "json_rank": Kind.NUMBER,
    "json_number": Kind.NUMBER,
    "json_text": Kind.TEXT,
    "json_boolean": Kind.BOOLEAN,
}
"""What calls give that are no functions of `base.functions`."""


def kind_of(expression: Expression) -> Kind:
    """The kind of value. Raises Invalid for arithmetic that cannot be."""
    match expression:
        case Column(_, kind, _) | Literal(_, kind) | Lookup(_, _, kind):
            return kind
        case Call(name, arguments):
            return _kind_of_call(name, arguments)
        case And() | Or() | Not() | Compare() | Among():
            return Kind.BOOLEAN
        case _:
            assert_never(expression)


def _kind_of_call(name: str, arguments: Sequence[Expression]) -> Kind:
    if name in FUNCTIONS:
        return FUNCTIONS[name].gives
    if name == COALESCE:
        return kind_of(arguments[0])
    return SPECIAL[name] if name in SPECIAL else operation(name, arguments)[1]


def operation(name: str, arguments: Sequence[Expression]) -> tuple[tuple[Kind, ...], Kind, str]:
    """As `arithmetic` for these operands. Raises Invalid where there is none."""
    found = arithmetic(name, tuple(kind_of(argument) for argument in arguments))
    if found is None:
        raise Invalid("$filter", f"{name} cannot be applied to these values")
    return found


def compared_kind(compare: Compare) -> Kind:
    """As what both sides are compared, where neither is JSON. Raises Invalid if they cannot be."""
    left, right = kind_of(compare.left), kind_of(compare.right)
    kind = right if left is Kind.NULL else left
    if kind is Kind.NULL:
        kind = Kind.TEXT
    if Kind.NULL not in (left, right) and left is not right:
        raise Invalid("$filter", f"cannot compare {left} with {right}")
    if kind is Kind.GEOMETRY and Kind.NULL not in (left, right):
        raise Invalid("$filter", "geometries are compared with st_equals")
    return kind


def arguments_of(call: Call, least: int, most: int) -> tuple[Expression, ...]:
    """The arguments. Raises Invalid unless there are that many."""
    if not least <= len(call.arguments) <= most:
        raise Invalid("$filter", f"{call.name} takes {least} to {most} arguments")
    return call.arguments
