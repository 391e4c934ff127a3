"""From rows to typed columns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from stadtherz.store.values import NONE, Columns, Int64, Values

SELECTED = (
    "id, datastream, phenomenon_start, phenomenon_end, result_time, number, result, feature, "
    "valid_start, valid_end, result_quality, parameters"
)
"""The columns that `columns_of` expects, in order."""


def columns_of(rows: Sequence[tuple[Any, ...]]) -> Columns:
    """The rows as columns, in the same order."""
    if not rows:
        rows_by_column: list[tuple[Any, ...]] = [()] * 12
    else:
        rows_by_column = list(zip(*rows, strict=True))
    (ids, streams, starts, ends, times, numbers, documents, features, *rest) = rows_by_column
    valid_starts, valid_ends, qualities, parameters = rest
    return Columns(
        id=_integers(ids),
        datastream=_integers(streams),
        phenomenon_start=_integers(starts),
        phenomenon_end=_integers(ends),
        result_time=_integers(times),
        result=_results(numbers, documents),
        feature=_integers(features),
        valid_start=_integers(valid_starts),
        valid_end=_integers(valid_ends),
        result_quality=_documents(qualities),
        parameters=_documents(parameters),
    )


def _integers(values: Sequence[int | None]) -> Int64:
    return np.array([NONE if value is None else value for value in values], dtype=np.int64)


def _results(numbers: Sequence[float | None], documents: Sequence[str | None]) -> Values:
    if None not in numbers:
        return np.array(numbers, dtype=np.float64)
    results = np.empty(len(numbers), dtype=object)
    for i, (number, document) in enumerate(zip(numbers, documents, strict=True)):
        results[i] = orjson.loads(document or "null") if number is None else number
    return results


def _documents(texts: Sequence[str | None]) -> list[Any] | None:
    if all(text is None for text in texts):
        return None
    return [None if text is None else orjson.loads(text) for text in texts]
