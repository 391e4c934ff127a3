"""Order over values of mixed JSON types, and the condition that continues behind a row.

Null comes first, then booleans, numbers, texts, and objects and lists together.
"""

from collections.abc import Sequence
from typing import Any

from stadtherz.base.expressions import (
    And,
    Call,
    Column,
    Compare,
    Expression,
    Kind,
    Literal,
    Lookup,
    Or,
    Order,
)
from stadtherz.sql.functions import rank

_PARTS = (
    ("json_rank", Kind.NUMBER),
    ("json_boolean", Kind.BOOLEAN),
    ("json_number", Kind.NUMBER),
    ("json_text", Kind.TEXT),
)


def typed(order: Sequence[Order]) -> tuple[Order, ...]:
    """The same order with each JSON term split into terms of one type each."""
    terms: list[Order] = []
    for term in order:
        if isinstance(term.by, Column | Lookup) and term.by.kind is Kind.JSON:
            terms += [Order(Call(n, (term.by,), k), term.descending) for n, k in _PARTS]
        else:
            terms.append(term)
    return tuple(terms)


def beyond(order: Sequence[Order], values: Sequence[Any]) -> Expression:
    """True for rows that come behind the row whose sorting values are `values`.

    `order` must be total, so its last term is the id.
    """
    terms = [
        part for term, value in zip(order, values, strict=True) for part in _split(term, value)
    ]
    ways: list[Expression] = []
    same: tuple[Expression, ...] = ()
    for term, value in terms:
        ways.append(And((*same, _past(term, value))))
        same = (*same, Compare("eq", term.by, value))
    return Or(tuple(ways))


def _split(term: Order, value: Any) -> list[tuple[Order, Literal]]:
    parts = typed((term,))
    if len(parts) == 1:
        by = term.by
        kind = by.kind if isinstance(by, Column | Literal | Call | Lookup) else Kind.BOOLEAN
        return [(term, Literal(value, kind))]
    number = value if rank(value) == 2 else None
    text = value if isinstance(value, str) else None
    boolean = value if isinstance(value, bool) else None
    split = (rank(value), boolean, number, text)
    return [(p, Literal(v, k)) for p, v, (_, k) in zip(parts, split, _PARTS, strict=True)]


def _past(term: Order, value: Literal) -> Expression:
    null = Literal(None, value.kind)
    if value.value is None:
        return Or(()) if term.descending else Compare("ne", term.by, null)
    if not term.descending:
        return Compare("gt", term.by, value)
    return Or((Compare("lt", term.by, value), Compare("eq", term.by, null)))
