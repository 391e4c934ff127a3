"""Readings by way of the store's door, limited to what the caller may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from stadtherz.base.expressions import Among, And, Expression
from stadtherz.base.time import Period
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.query import sql
from stadtherz.sensorthings.query.execute import rows
from stadtherz.sensorthings.query.tables import Reader
from stadtherz.sensorthings.standard.schema import STREAM
from stadtherz.store import public as store
from stadtherz.store.public import NONE, Columns, Selection

Reading = dict[str, Any]
Places = np.ndarray[Any, np.dtype[np.int64]]
_TIMES = ("phenomenon_start", "phenomenon_end", "result_time", "valid_start", "valid_end")
_INTEGERS = ("id", "datastream", "feature", *_TIMES)
_WHOLE = 2.0**53


@dataclass(frozen=True, slots=True)
class Keys:
    """Distinct keys among the first readings found; `complete` if there were no more readings."""

    distinct: frozenset[int]
    complete: bool


def select(selection: Selection, visibility: Visibility) -> Columns:
    """The readings of the selection that the caller may see."""
    return store.select(_seen(selection, visibility))


def some(found: Columns, places: slice | Places) -> Columns:
    """The readings at these places, in that order."""
    parts: dict[str, Any] = {f.name: getattr(found, f.name) for f in fields(Columns)}
    return Columns(**{name: _at(places, values) for name, values in parts.items()})


def _at(places: slice | Places, values: Any) -> Any:
    if isinstance(places, slice) or not isinstance(values, list):
        return None if values is None else values[places]
    return [values[place] for place in places.tolist()]


def count(selection: Selection, visibility: Visibility) -> int:
    return store.count(_seen(selection, visibility))


def keys_of(column: str, where: Expression, visibility: Visibility, limit: int) -> Keys:
    """The values of an id column among the first `limit` readings that fulfil `where`."""
    found = store.select(_seen(Selection(where=where, limit=limit), visibility))
    values: frozenset[int] = frozenset(getattr(found, column).tolist()) - {NONE}
    return Keys(values, len(found) < limit)


def by_id(key: int, reader: Reader) -> Reading | None:
    """The reading, or None if there is none that the caller may see."""
    found = readings_of(store.by_id([key]))
    if not found:
        return None
    stream = sql.with_id(found[0]["datastream"])
    return found[0] if rows(sql.identify(STREAM, reader, stream), often=True) else None


def extents(streams: list[int]) -> dict[int, dict[str, Period | None]]:
    """Period of the readings' phenomenon and result times of each datastream that has any."""
    return {
        stream: {"phenomenon": extent.phenomenon, "result": extent.result_time}
        for stream, extent in store.extents(streams).items()
    }


def counts(streams: list[int]) -> dict[int, int]:
    """How many readings each datastream has; those without any are left out."""
    return {stream: extent.count for stream, extent in store.extents(streams).items()}


def counts_at_features(visibility: Visibility) -> dict[int, int]:
    """How many readings that the caller may see each feature of interest has, where there are any."""
    everything = visibility.unbounded
    return store.counts_by_feature(None if everything else store.streams_visible_to(visibility))


def extent_tables(visibility: Visibility) -> dict[str, dict[int, int]]:
    """The extents of all visible datastreams as one table for each column of the schema."""
    tables: dict[str, dict[int, int]] = {}
    found = extents(sorted(store.streams_visible_to(visibility)))
    for name in ("phenomenon", "result"):
        periods = {stream: p for stream, kinds in found.items() if (p := kinds[name]) is not None}
        tables[f"{name}_start"] = {stream: p.start for stream, p in periods.items()}
        tables[f"{name}_end"] = {stream: p.last for stream, p in periods.items()}
    return tables


def _seen(selection: Selection, visibility: Visibility) -> Selection:
    """The selection without other people's datastreams.

    Datastreams that the selection or its filter names already have been found among the visible
    ones; they become `streams`, so that the store looks nowhere else.
    """
    streams = selection.streams
    parts = selection.where.parts if isinstance(selection.where, And) else (selection.where,)
    for part in parts:
        if isinstance(part, Among) and part.column.name == "datastream":
            streams = part.members if streams is None else streams & part.members
    if streams is None and not visibility.unbounded:
        streams = store.streams_visible_to(visibility)
    return replace(selection, streams=streams)


def readings_of(columns: Columns) -> list[Reading]:
    """Columns as dictionaries; None stands where there is no value."""
    size = len(columns)
    lists: dict[str, list[Any]] = {name: _optional(getattr(columns, name)) for name in _INTEGERS}
    lists["result"] = [shown_result(value) for value in columns.result.tolist()]
    lists["result_quality"] = list(columns.result_quality or [None] * size)
    lists["parameters"] = list(columns.parameters or [None] * size)
    names = list(lists)
    return [dict(zip(names, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def shown(values: Mapping[str, Any], name: str, places: Sequence[int]) -> list[Any]:
    """What a column holds at these places, as `readings_of` would say it."""
    column = values[name]
    if column is None:
        return [None] * len(places)
    if not isinstance(column, np.ndarray):
        found = [column[place] for place in places]
    elif column.dtype == np.int64:
        return _optional(column[list(places)])
    else:
        found = column[list(places)].tolist()
    return [shown_result(value) for value in found] if name == "result" else found


def _optional(values: np.ndarray[Any, np.dtype[np.int64]]) -> list[int | None]:
    found: list[int | None] = values.tolist()
    return [None if value == NONE else value for value in found] if NONE in values else found


def shown_result(value: Any) -> Any:
    """A whole number is shown without a fraction: `6`, as it was sent."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE:
        return int(value)
    return value
