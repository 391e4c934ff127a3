"""Columns of readings: out of rows, chunks and the tail, put together and taken apart."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from stadtherz.store.sealed.batch import Extra, Readings
from stadtherz.store.sealed.chunk import Chunk
from stadtherz.store.values import NONE, Columns, Int64, Values

SELECTED = (
    "id, datastream, phenomenon_start, phenomenon_end, result_time, number, result, feature, "
    "valid_start, valid_end, result_quality, parameters"
)
"""The columns that `columns_of` expects, in order."""

_DOCUMENTS = ("result_quality", "parameters")
_INTEGERS = ("id", "datastream", "phenomenon_start", "phenomenon_end", "result_time", "feature")
_ARRAYS = tuple(f.name for f in fields(Columns) if f.name not in _DOCUMENTS)


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


# --- from the tail, the log and chunks -------------------------------------------------------------


def from_readings(readings: Readings) -> Columns:
    """Plain readings of the tail."""
    none = np.full(len(readings), NONE, np.int64)
    names = (*_INTEGERS, "result")
    arrays: dict[str, Any] = {name: np.ascontiguousarray(readings[name]) for name in names}
    return Columns(
        **arrays,
        valid_start=none,
        valid_end=none,
    )


def from_batch(readings: Readings, extras: dict[int, Extra]) -> Columns:
    """Readings of the log, those included that are not plain."""
    columns = from_readings(readings)
    if not extras:
        return columns
    size = len(readings)
    whole: list[Extra | None] = [extras.get(i) for i in range(size)]
    results = np.empty(size, object)
    for i, extra in enumerate(whole):
        if extra is None or extra.number is not None:
            results[i] = float(readings["result"][i])
        else:
            results[i] = orjson.loads(extra.result or "null")
    mixed = replace(
        columns,
        result=results,
        valid_start=_integers([e and e.valid_start for e in whole]),
        valid_end=_integers([e and e.valid_end for e in whole]),
        result_quality=_documents([e and e.result_quality for e in whole]),
        parameters=_documents([e and e.parameters for e in whole]),
    )
    return numbers_only(mixed)


def from_chunk(chunk: Chunk, places: npt.NDArray[Any] | slice) -> Columns:
    """Some readings of a chunk."""
    return Columns(**{name: getattr(chunk, name)[places] for name in _ARRAYS})


# --- together --------------------------------------------------------------------------------------


def taken(columns: Columns, places: Any) -> Columns:
    """The readings at these places (indices, a mask or a slice), in that order."""
    arrays: dict[str, Any] = {name: getattr(columns, name)[places] for name in _ARRAYS}
    if columns.result_quality is None and columns.parameters is None:
        return Columns(**arrays)
    numbers = np.arange(len(columns))[places].tolist()
    return Columns(
        **arrays,
        result_quality=_chosen(columns.result_quality, numbers),
        parameters=_chosen(columns.parameters, numbers),
    )


def _chosen(values: Sequence[Any] | None, places: list[int]) -> list[Any] | None:
    if values is None:
        return None
    found = [values[place] for place in places]
    return None if all(value is None for value in found) else found


def numbers_only(columns: Columns) -> Columns:
    """The same columns; results that are all numbers become an array of float64."""
    if columns.result.dtype != object or not all(type(v) is float for v in columns.result):
        return columns
    return replace(columns, result=columns.result.astype(np.float64))


def together(parts: Sequence[Columns]) -> Columns:
    """All readings of the parts, in their order."""
    parts = [part for part in parts if len(part)]
    if len(parts) < 2:
        return parts[0] if parts else EMPTY
    whole: dict[str, Any] = {
        name: np.concatenate([getattr(p, name) for p in parts]) for name in _ARRAYS
    }
    whole |= {name: _listed(parts, name) for name in _DOCUMENTS}
    return Columns(**whole)


def _listed(parts: Sequence[Columns], name: str) -> list[Any] | None:
    columns = [getattr(part, name) for part in parts]
    if all(column is None for column in columns):
        return None
    return [
        value
        for part, column in zip(parts, columns, strict=True)
        for value in (column if column is not None else [None] * len(part))
    ]


EMPTY = columns_of(())
