"""Columns of readings as what conditions are computed from: values and where they are null."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import orjson

from stadtherz.base.expressions import Kind
from stadtherz.sql.public import INT64, rank, walk
from stadtherz.store.values import NONE, Int64, Values

Mask = npt.NDArray[np.bool_]
_BOOLEAN, _NUMBER, _TEXT, _COMPOSITE = 1, 2, 3, 4  # ranks, as in sql.functions


class Table(Protocol):
    """`Columns`, or a chunk that decodes each of them when it is first asked for."""

    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Vector:
    """A value for each reading, or a single one for all of them.

    `values` is an array or one Python or numpy value, `null` an array of bool or one numpy bool.
    Beside a null stands any value of the same type.
    """

    values: Any
    null: Any = np.False_

    def at(self, places: Any) -> "Vector":
        return Vector(self.values[places], self.null[places])

    def over(self, size: int) -> tuple[Values, Mask]:
        """Values and nulls as arrays, which must not be written to."""
        values = self.values
        if values is None or isinstance(values, str | list | dict):
            values = np.empty((), object)  # numpy's own texts end at a NUL, its lists are arrays
            values[()] = self.values
        return np.broadcast_to(values, size), np.broadcast_to(self.null, size)


_TYPES: dict[Kind, tuple[type[Any], Any]] = {
    Kind.NUMBER: (np.float64, 0.0),
    Kind.BOOLEAN: (np.bool_, False),
    Kind.TIME: (np.int64, 0),
    Kind.DURATION: (np.int64, 0),
}


def null_of(kind: Kind) -> Vector:
    """Null for all readings."""
    return Vector(_TYPES.get(kind, (object, ""))[1], np.True_)


def listed(values: Sequence[Any], kind: Kind) -> Vector:
    """Python values as a vector; None is null."""
    dtype, filling = _TYPES.get(kind, (object, ""))
    null = np.fromiter((value is None for value in values), np.bool_, len(values))
    if kind is Kind.NUMBER and all(value is None or _is_whole(value) for value in values):
        dtype = np.int64  # ids stay whole
    filled = [filling if value is None else value for value in values]
    if dtype is object:
        return Vector(_objects(filled), null)
    return Vector(np.array(filled, dtype), null)


def integers(members: frozenset[int]) -> Int64:
    """Those that an integer column can hold, in any order."""
    try:
        return np.fromiter(members, np.int64, len(members))
    except OverflowError:
        return np.array([member for member in members if member in INT64], np.int64)


def _is_whole(value: Any) -> bool:
    return type(value) is int and value in INT64


def _objects(values: Sequence[Any]) -> Values:
    array = np.empty(len(values), object)
    array[:] = values
    return array


# --- documents -----------------------------------------------------------------------------------


class Json(Protocol):
    """Values whose types are known only now."""

    @property
    def ranks(self) -> Any:
        """The type of each, as a number to sort by; a single one if all have the same."""

    def of(self, kind: Kind) -> Vector:
        """Those of a kind, the others null; GEOMETRY gives documents as texts."""

    def whole(self) -> Vector:
        """The documents themselves, as Python values unless all are numbers."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """The results of plain readings."""

    values: npt.NDArray[np.float64]

    @property
    def ranks(self) -> Any:
        return np.int8(_NUMBER)

    def of(self, kind: Kind) -> Vector:
        return Vector(self.values) if kind is Kind.NUMBER else null_of(kind)

    def whole(self) -> Vector:
        return Vector(self.values)


class Documents:
    """Any JSON. `places` says which of the values each reading has, if not one after the other."""

    def __init__(self, values: Sequence[Any], places: Any = None) -> None:
        self.values = values
        self._places = places

    def spread(self, vector: Vector) -> Vector:
        """What was worked out for each value, for each reading."""
        return vector if self._places is None else vector.at(self._places)

    @cached_property
    def _ranks(self) -> npt.NDArray[np.int8]:
        return np.fromiter(map(rank, self.values), np.int8, len(self.values))

    @property
    def ranks(self) -> Any:
        return self._ranks if self._places is None else self._ranks[self._places]

    def whole(self) -> Vector:
        return self.spread(Vector(_objects(self.values), self._ranks == 0))

    def of(self, kind: Kind) -> Vector:
        return self.spread(listed(self._chosen(kind), kind))

    def _chosen(self, kind: Kind) -> list[Any]:
        ranks = zip(self.values, self._ranks.tolist(), strict=True)
        match kind:
            case Kind.NUMBER:
                return [float(value) if r == _NUMBER else None for value, r in ranks]
            case Kind.TEXT:
                return [value if r == _TEXT else None for value, r in ranks]
            case Kind.BOOLEAN:
                return [value if r == _BOOLEAN else None for value, r in ranks]
            case _:
                return [orjson.dumps(v).decode() if r == _COMPOSITE else None for v, r in ranks]


ABSENT = Documents((None,), 0)


# --- the readings at hand --------------------------------------------------------------------------


class Frame:
    """Readings while a condition is computed; asks only for the columns that it names."""

    def __init__(self, columns: Table) -> None:
        self._columns = columns
        self._documents: dict[tuple[str, tuple[str, ...]], Json] = {}

    def __len__(self) -> int:
        return len(self._columns)

    def integers(self, name: str) -> Vector:
        """An id or a time. A datastream that is the same everywhere is a single value."""
        values: Int64 = getattr(self._columns, name)
        if name == "datastream" and len(values) and (values == values[0]).all():
            values = values[0]
        return Vector(values, values == NONE)

    def documents(self, name: str, path: tuple[str, ...]) -> Json:
        found = self._documents.get((name, path))
        if found is None:
            found = self._documents[name, path] = self._read(name, path)
        return found

    def _read(self, name: str, path: tuple[str, ...]) -> Json:
        values: Any = getattr(self._columns, name)
        if values is None:
            return ABSENT
        if isinstance(values, np.ndarray) and values.dtype != object:
            return ABSENT if path else Numbers(values)
        if path:
            steps = list(path)
            return Documents([walk(value, steps) for value in values])
        return Documents(values)

    def looked_up(self, name: str, table: Mapping[int, Any]) -> Documents:
        """What the table holds for an integer column."""
        keys = self.integers(name)
        distinct, places = np.unique(keys.values, return_inverse=True)
        return Documents([table.get(key) for key in distinct.tolist()], places)
