"""What crosses the store's door: readings in, typed columns out. No SQL, no models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from stadtherz.base.expressions import TRUE, Expression, Kind, Order
from stadtherz.base.geometry import GeoJSON
from stadtherz.base.time import Micros, Period
from stadtherz.base.vocabulary import Observable

Result = float | int | str | bool | dict[str, Any] | list[Any] | None

# The columns of a reading that a condition or an order may name (`base.expressions.Column`).
READING_COLUMNS: dict[str, Kind] = {
    "id": Kind.NUMBER,
    "datastream": Kind.NUMBER,
    "feature": Kind.NUMBER,
    "phenomenon_start": Kind.TIME,
    "phenomenon_end": Kind.TIME,  # null for an instant
    "result_time": Kind.TIME,
    "result": Kind.JSON,
    "result_quality": Kind.JSON,
    "valid_start": Kind.TIME,
    "valid_end": Kind.TIME,
    "parameters": Kind.JSON,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One observation on its way in.

    `key` recognises repetitions: within a datastream, a second reading with the same key changes
    nothing. Without a key every reading is new.
    """

    datastream: int
    phenomenon_time: Period
    result: Result
    result_time: Micros | None = None
    feature: int | None = None
    result_quality: Any = None
    valid_time: Period | None = None
    parameters: dict[str, Any] | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one reading of a batch, given out after it is on disk."""

    id: int
    duplicate: bool = False


Int64 = npt.NDArray[np.int64]
Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class NewColumns:
    """Many plain readings on their way in, as columns of equal length, in the order of arrival.

    Times in microseconds, `NONE` where there is none; `result` as float64. `keys` as in Reading.
    """

    datastream: Int64
    phenomenon_start: Int64
    result: npt.NDArray[np.float64]
    phenomenon_end: Int64 | None = None
    result_time: Int64 | None = None
    feature: Int64 | None = None
    keys: Sequence[str | None] | None = None

    def __len__(self) -> int:
        return len(self.datastream)


@dataclass(frozen=True, slots=True)
class Receipts:
    """What became of the readings of a batch of columns, given out after they are on disk."""

    ids: Int64
    duplicates: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Columns:
    """Readings as columns of equal length; times in microseconds, `NONE` where there is none.

    `result` is a float64 array if every result is a number, else an object array of Python values.
    `result_quality` and `parameters` are None when no reading of the answer has any.
    """

    id: Int64
    datastream: Int64
    phenomenon_start: Int64
    phenomenon_end: Int64
    result_time: Int64
    result: Values
    feature: Int64
    valid_start: Int64
    valid_end: Int64
    result_quality: Sequence[Any] | None = None
    parameters: Sequence[Any] | None = None

    def __len__(self) -> int:
        return len(self.id)


NONE: int = np.iinfo(np.int64).min
"""Stands for "no value" in the integer columns."""


def or_none(value: int | None) -> int:
    """The value, NONE where there is none."""
    return NONE if value is None else value


@dataclass(frozen=True, slots=True)
class Selection:
    """Which readings, in which order.

    `streams` None means all. `where` and `order` name READING_COLUMNS only; what depends on a
    datastream's Thing or a feature has been resolved to `Among` and `Lookup` before. Order is made
    total by the id, in the direction of the last term. To go on behind a row (keyset paging), add
    `sql.public.beyond(...)` of its sorting values to `where`.
    """

    streams: frozenset[int] | None = None
    where: Expression = TRUE
    order: tuple[Order, ...] = ()
    limit: int | None = None
    skip: int = 0


class Bucketing(StrEnum):
    """Calendar widths; they follow the named time zone and its daylight saving."""

    MINUTE = "minute"
    QUARTER = "quarter"  # of an hour
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"  # from Monday
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Buckets:
    """Aggregates of one datastream's numbers, one row for each bucket that holds any.

    `start` is the bucket's first instant in microseconds; the others have the same length.
    `quantiles` holds those that were asked for (0.5 is the median).
    """

    start: Int64
    count: Int64
    mean: npt.NDArray[np.float64]
    minimum: npt.NDArray[np.float64]
    maximum: npt.NDArray[np.float64]
    total: npt.NDArray[np.float64]
    first: npt.NDArray[np.float64]
    last: npt.NDArray[np.float64]
    quantiles: Mapping[float, npt.NDArray[np.float64]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True, slots=True)
class Extent:
    """The first and last instants of a datastream's readings and how many there are."""

    count: int
    phenomenon: Period
    result_time: Period | None


@dataclass(frozen=True, slots=True)
class Spans:
    """As Extent for many datastreams, as columns; times are `NONE` where there are no readings."""

    datastream: Int64  # ascending
    count: Int64
    phenomenon_first: Int64
    phenomenon_last: Int64
    result_first: Int64
    result_last: Int64


@dataclass(frozen=True, slots=True)
class LogSlice:
    """A piece of the append log: readings in the order of their commits.

    `position` is where to go on. It lies behind readings that were not asked for, so it may be
    beyond the position asked for although there are no readings.
    """

    columns: Columns
    position: int


Entity = Literal[
    "Thing",
    "Location",
    "HistoricalLocation",
    "Sensor",
    "ObservedProperty",
    "Datastream",
    "FeatureOfInterest",
    "Actuator",
    "TaskingCapability",
    "Task",
    "FeatureType",
    "Party",
    "License",
    "Campaign",
    "ObservationGroup",
    "Relation",
]


@dataclass(frozen=True, slots=True)
class Members:
    """What is to be put behind a link to many of an entity, or no longer to be there; ids."""

    added: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A datastream as other packages need it, with what lies around it."""

    id: int
    name: str
    description: str
    unit_symbol: str
    observed_property: str  # its definition URI
    thing: int
    thing_name: str
    position: tuple[float, float] | None  # longitude, latitude
    owner: int
    owner_name: str
    access: str
    group: int | None
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewStream:
    """What it takes to start measuring somewhere: Thing, Location, Sensor, property, Datastream.

    An existing Thing, Sensor or ObservedProperty of the same owner (and name or definition) is used
    again.
    """

    owner: int
    thing_name: str
    thing_description: str
    location: GeoJSON | None
    sensor_name: str
    sensor_description: str
    observed: Observable
    name: str
    description: str
    access: str = "public"
    group: int | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    thing_properties: dict[str, Any] = field(default_factory=dict)
