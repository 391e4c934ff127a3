"""Next links that go on behind an entity instead of counting how many came before it.

What is added or deleted between two pages moves nothing: the link holds the sorting values of the
last entity shown, and the next page is what sorts behind them.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from stadtherz.base.errors import Invalid
from stadtherz.base.expressions import TRUE, Column, Expression, Kind, Lookup, Order
from stadtherz.sensorthings.query.trees import kind_of, within
from stadtherz.sql.public import beyond

Place = tuple[Any, ...]
"""The values that an entity is sorted by, its id last."""

OPTION = "$skiptoken"
MAX_LENGTH = 1_000
_INT64 = 2**63


def token(place: Place) -> str | None:
    """The place as text without a meaning to clients; None if it is too long for an address."""
    text = base64.urlsafe_b64encode(orjson.dumps(place, default=float)).rstrip(b"=").decode()
    return text if len(text) <= MAX_LENGTH else None


def place(text: str) -> Place:
    """What `token` made the text from.

    Raises:
        ValueError: if it did not.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        values = orjson.loads(raw)
    except (binascii.Error, ValueError):
        values = None
    if not isinstance(values, list) or not values:
        raise ValueError("is not from a next link of this service")
    return tuple(values)


def behind(order: Sequence[Order], after: Place | None) -> Expression:
    """The condition on what sorts behind the place.

    Raises:
        Invalid: if the place belongs to another order.
    """
    if after is None:
        return TRUE
    fitting = len(order) == len(after) and all(
        _fits(term.by, value) for term, value in zip(order, after, strict=True)
    )
    if not fitting or type(after[-1]) is not int:
        raise Invalid(OPTION, "is from a next link of another query")
    return beyond(order, after)


def _fits(by: Expression, value: Any) -> bool:
    most = 2 * _INT64 if kind_of(by) is Kind.JSON else _INT64
    if isinstance(value, int | float) and not -_INT64 <= value < most:
        return isinstance(value, float)
    match kind_of(by):
        case Kind.JSON:
            return not isinstance(value, str) or "\0" not in value
        case Kind.TEXT:
            return value is None or (isinstance(value, str) and "\0" not in value)
        case Kind.NUMBER:
            return value is None or type(value) in (int, float)
        case _:
            return value is None or type(value) is int


def places_of_readings(
    order: Sequence[Order], column: Callable[[str], list[Any]]
) -> list[Place] | None:
    """Where readings stand, of which `column` gives the values of a column by its name.

    None if they are sorted by something computed.
    """
    terms = [term.by for term in order]
    if not all(isinstance(by, Lookup | Column) for by in terms):
        return None
    return list(zip(*(_sorting_values(by, column) for by in terms), strict=True))


def _sorting_values(by: Expression, column: Callable[[str], list[Any]]) -> list[Any]:
    if isinstance(by, Lookup):
        return [by.table.get(key) for key in column(by.column.name)]
    assert isinstance(by, Column)
    return [within(value, by.path) for value in column(by.name)] if by.path else column(by.name)


def place_of_row(order: Sequence[Order], row: Sequence[Any]) -> Place:
    """Where the entity of a row stands, whose sorting values the row holds."""
    return tuple(_loaded(term.by, value) for term, value in zip(order, row, strict=True))


def _loaded(by: Expression, value: Any) -> Any:
    return orjson.loads(value) if kind_of(by) is Kind.JSON and isinstance(value, str) else value
