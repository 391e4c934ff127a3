"""Orders over columns: keys that numpy can sort by, and the permutation they make."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from stadtherz.base.expressions import Column, Kind, Lookup, Order
from stadtherz.sql.public import kind_of
from stadtherz.store.conditions.array_values import Frame, Json, Numbers, Vector
from stadtherz.store.conditions.trees import documents_of, kind_of_column, node_of
from stadtherz.store.values import Int64, Values

Keys = list[Values]  # arrays of numbers or bool, the most important first, all ascending


def sort_keys(term: Order) -> Callable[[Frame], Keys]:
    """What makes the keys of a term. Raises Invalid for a term that makes no sense."""
    keys = _maker(term)
    if term.descending:
        return lambda frame: [_reversed(key) for key in keys(frame)]
    return keys


def _maker(term: Order) -> Callable[[Frame], Keys]:
    by, kind = term.by, kind_of(term.by)
    if isinstance(by, Column | Lookup) and kind is Kind.JSON:
        kind_of_column(by if isinstance(by, Column) else by.column)
        documents = documents_of(by)
        return lambda frame: _keys_of_json(documents(frame))
    node = node_of(by, Kind.TEXT if kind is Kind.NULL else kind)
    return lambda frame: _keys_of(node(frame))


def _keys_of(vector: Vector) -> Keys:
    """Null before everything, then the values; what is the same for all readings sorts nothing."""
    values, null = vector.values, vector.null
    if np.ndim(values) == 0:
        return [~null] if np.ndim(null) else []
    if values.dtype == object:
        values = _places_of_texts(values)
    if not null.any():
        return [values]
    return [~null, np.where(null, np.zeros((), values.dtype), values)] if np.ndim(null) else []


def _places_of_texts(texts: Values) -> Int64:
    listed = texts.tolist()
    places = {text: place for place, text in enumerate(sorted(set(listed)))}
    return np.fromiter(map(places.__getitem__, listed), np.int64, len(listed))


def _keys_of_json(documents: Json) -> Keys:
    """The type, then the value; only values of one type ever meet, so they share a key."""
    if isinstance(documents, Numbers):
        return [documents.values]
    ranks = documents.ranks
    if np.ndim(ranks) == 0:
        return []
    values = np.zeros(len(ranks))
    for rank, kind in ((1, Kind.BOOLEAN), (2, Kind.NUMBER), (3, Kind.TEXT)):
        chosen = ranks == rank
        if chosen.any():
            found = documents.of(kind).values[chosen]
            values[chosen] = _places_of_texts(found) if kind is Kind.TEXT else found
    return [ranks, values]


def _reversed(key: Values) -> Values:
    return -key if key.dtype.kind == "f" else ~key


# --- the permutation -----------------------------------------------------------------------------


def permutation(keys: Keys, size: int) -> Int64:
    """The places in order; those with equal keys stay as they are."""
    if _ascends(keys):
        return np.arange(size, dtype=np.int64)
    if _ascends([key[::-1] for key in keys], strictly=True):
        return np.arange(size - 1, -1, -1, dtype=np.int64)
    first = np.argsort(keys[0], kind="stable")
    if len(keys) == 1 or _distinct(keys[0][first]):
        return first.astype(np.int64, copy=False)
    return np.lexsort(keys[::-1]).astype(np.int64, copy=False)


def _distinct(ordered: Values) -> bool:
    return bool((ordered[1:] != ordered[:-1]).all())


def _ascends(keys: Sequence[Values], *, strictly: bool = False) -> bool:
    """Whether the rows of keys are in order as they stand; looks no further than it must."""
    tied: Any = np.True_
    for key in keys:
        before, after = key[:-1], key[1:]
        if (tied & (after < before)).any():
            return False
        tied = tied & (after == before)
        if not tied.any():
            return True
    return not strictly
