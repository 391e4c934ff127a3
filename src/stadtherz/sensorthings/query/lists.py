"""`any` and `all` over a list that JSON holds: `properties/tags/any(t: t eq 'x')`.

The condition is about the items alone and becomes one argument of a function, since no engine can be
asked about an item by its name. What cannot be told in this way is refused.
"""

from typing import Literal as OneOf

import orjson

from stadtherz.base.errors import Invalid
from stadtherz.base.expressions import (
    And,
    Call,
    Column,
    Compare,
    Expression,
    Kind,
    Literal,
    Not,
    Or,
)
from stadtherz.sql.public import COMPARISONS, OF_TEXTS, Tree, path_of

_ITEM = "an item"  # no column is called so


def item(path: tuple[str, ...]) -> Column:
    """What stands for an item, or for what is inside it, in a condition."""
    return Column(_ITEM, Kind.JSON, path)


def quantified(quantifier: OneOf["any", "all"], held: Column, condition: Expression) -> Expression:
    """Whether the condition holds for an item of the list, or for all of them.

    Raises:
        Invalid: for a condition that looks at more than an item and constants.
    """
    if quantifier == "all":
        return Not(_some(held, Not(condition)))
    return _some(held, condition)


def _some(held: Column, condition: Expression) -> Expression:
    tree = _told(condition)
    told = (orjson.dumps(tree).decode(), path_of(tree))
    texts = (Literal(text, Kind.TEXT) for text in told)
    return Or((Call("list_some", (held, *texts), Kind.BOOLEAN),))  # a list that is missing has none


def _told(condition: Expression) -> Tree:
    match condition:
        case And(parts):
            return ["and", [_told(part) for part in parts]]
        case Or(parts):
            return ["or", [_told(part) for part in parts]]
        case Not(part):
            return ["not", _told(part)]
        case Literal(value, Kind.BOOLEAN):
            return ["and" if value else "or", []]
        case Compare("eq", Call(arguments=(inner, _)) as call, Literal(False)):
            return ["and", [["not", _told(call)], _compared("startswith", inner, "")]]
        case Compare("ne", left, Literal(value)):
            return ["not", _compared("eq", left, value)]
        case Compare(name, left, Literal(value)) if name in COMPARISONS:
            return _compared(name, left, value)
        case Call(name, (left, Literal(value))) if name in OF_TEXTS:
            return _compared(name, left, value)
    raise _too_much()


def _compared(name: str, left: Expression, value: object) -> Tree:
    if not isinstance(left, Column) or left.name != _ITEM:
        raise _too_much()
    return [name, list(left.path), value]


def _too_much() -> Invalid:
    reason = (
        "asks of the items of a list how they compare with constants, and whether they contain, "
        "start or end with a text; nothing else"
    )
    return Invalid("$filter", reason)
