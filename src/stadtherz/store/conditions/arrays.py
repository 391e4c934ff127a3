"""What conditions and orders say of readings that are columns in memory.

The meaning is that of `stadtherz.sql` on both engines, errors for ill-typed comparisons included.
Whatever has the attributes of `Columns` will do, and only the columns that the expression names are
asked for, so that a chunk decodes no others.

To ask the same of many chunks, make the condition ready once:

    fulfils = condition(selection.where)
    masks = [fulfils(chunk) for chunk in chunks]
"""

from collections.abc import Callable, Sequence

import numpy as np

from stadtherz.base.expressions import Column, Expression, Kind, Lookup, Order, columns_of
from stadtherz.sql.public import kind_of
from stadtherz.store.conditions.array_values import Frame, Mask, Table
from stadtherz.store.conditions.order import Keys, permutation, sort_keys
from stadtherz.store.conditions.trees import documents_of, kind_of_column, node_of, test_of
from stadtherz.store.values import Int64, Values

Condition = Callable[[Table], Mask]
"""Says for each reading whether it fulfils something."""

Ordering = Callable[[Table], Int64]
"""Says in which order readings come, as their places."""


def condition(expression: Expression) -> Condition:
    """The condition as a function that says for each reading whether it is fulfilled.

    Null counts as no. `now()` is the present instant of this call. Raises Invalid for a column
    that is none, a comparison of what cannot be compared, or a constant that is too large.
    """
    test = test_of(expression)

    def fulfils(columns: Table) -> Mask:
        with np.errstate(all="ignore"):
            found = test(Frame(columns))
        return found if np.ndim(found) else np.full(len(columns), found)

    return fulfils


def holds(expression: Expression, columns: Table) -> Mask:
    """For each reading whether it fulfils the condition; see `condition`."""
    return condition(expression)(columns)


def values_of(expression: Expression, columns: Table) -> tuple[Values, Mask]:
    """The expression's value for each reading, and where it is null (beside it stands anything).

    Numbers are float64 or int64, times and durations int64 microseconds, conditions bool, texts
    Python values; JSON is float64 where every result is a number, else Python values; geometries
    are GeoJSON texts. Raises Invalid as `condition`.
    """
    kind = kind_of(expression)
    frame = Frame(columns)
    if isinstance(expression, Column | Lookup) and kind is Kind.JSON:
        return _documents(expression, frame)
    node = node_of(expression, Kind.TEXT if kind is Kind.NULL else kind)
    with np.errstate(all="ignore"):
        return node(frame).over(len(columns))


def _documents(expression: Column | Lookup, frame: Frame) -> tuple[Values, Mask]:
    kind_of_column(expression if isinstance(expression, Column) else expression.column)
    return documents_of(expression)(frame).whole().over(len(frame))


def ordering(order: Sequence[Order]) -> Ordering:
    """The order as a function that gives the places of readings in it, for `taken(columns, places)`.

    Null comes first when ascending, last when descending; types of JSON come one after the other
    (`sql.keyset`); texts are sorted by code point. Readings that are equal keep their order.
    Raises Invalid as `condition`.
    """
    makers = [sort_keys(term) for term in order]

    def places(columns: Table) -> Int64:
        with np.errstate(all="ignore"):
            frame = Frame(columns)
            keys: Keys = [key for maker in makers for key in maker(frame)]
        return permutation(keys, len(columns))

    return places


def needed(asked: Expression | Sequence[Order]) -> frozenset[str]:
    """The names of the columns that a condition or an order asks for."""
    if isinstance(asked, Sequence):
        return frozenset().union(*(needed(term.by) for term in asked))
    return frozenset(column.name for column in columns_of(asked))
