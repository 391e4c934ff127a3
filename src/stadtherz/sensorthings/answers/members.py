"""Properties as columns of JSON texts (`texts`), whatever the entities are that have them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson

from stadtherz.sensorthings.answers import several, texts
from stadtherz.sensorthings.answers.found import Page, Values
from stadtherz.sensorthings.answers.texts import NULL, Column, Int64, Texts
from stadtherz.sensorthings.standard.model import QUALITY
from stadtherz.sensorthings.standard.schema import OBSERVATION, Property, Shape, target
from stadtherz.store.public import NONE


def texts_of(prop: Property, found: Page) -> Column:
    """A property's texts, one for each of at least one entity; `NULL` alone where none has a value."""
    if prop.shape in _TIMES:
        starts, *ends = (moments(found.values.get(name), len(found)) for name in prop.columns)
        return _TIMES[prop.shape](starts, *ends)
    if prop.shape is Shape.RESULT_TYPE:
        return _result_types(prop, found)
    if found.plan.entity.is_a(OBSERVATION):
        return _of_reading(prop, found.values)
    values = found.values.get(prop.column)
    if values is None:
        return NULL
    return _plain(prop, values) if prop.shape is Shape.TEXT else _documents(prop, values)


# --- times ---------------------------------------------------------------------------------------


def moments(values: Any, size: int) -> Int64:
    """A column of times as an array with NONE where there is none."""
    if values is None:
        return np.full(size, NONE, np.int64)
    if isinstance(values, np.ndarray):
        return values
    return np.array([NONE if value is None else value for value in values], np.int64)


_TIMES: dict[Shape, Callable[..., Column]] = {
    Shape.TIME: texts.instants,
    Shape.PERIOD: texts.periods,
    Shape.MOMENT: texts.moments,
    Shape.INTERVAL: texts.intervals,
}


# --- of what is in tables ------------------------------------------------------------------------


def _plain(prop: Property, values: Sequence[Any]) -> Texts:
    nothing = (None, prop.nothing) if prop.silent else (None,)
    return [NULL if value in nothing else orjson.dumps(value) for value in values]


def _documents(prop: Property, values: Sequence[str | None]) -> Texts:
    """Documents from tables are JSON text already and go out as they are."""
    nothing = (None, "null", orjson.dumps(prop.nothing).decode())
    found = [NULL if value in nothing else str(value).encode() for value in values]
    if not prop.hides:
        return found
    hidden = orjson.dumps(prop.hides)
    return [_without(prop.hides, text) if hidden in text else text for text in found]


def _without(name: str, text: bytes) -> bytes:
    document = orjson.loads(text)
    return orjson.dumps({k: v for k, v in document.items() if k != name})


def _result_types(prop: Property, found: Page) -> Texts:
    link = next(link for link in found.plan.entity.links if link.follows)
    columns = (found.values[name] for name in prop.columns)
    observed = found.values.get("observed") or [()] * len(found)
    return [
        orjson.dumps(several.result_type(row, target(link).plural, each))
        for row, each in zip(zip(*columns, strict=True), observed, strict=True)
    ]


# --- of readings ---------------------------------------------------------------------------------


def _of_reading(prop: Property, values: Values) -> Column:
    found: Any
    if prop.shape is Shape.NOTES:
        found = notes(*(values.get(name) for name in prop.columns))
    else:
        found = values.get(prop.column)
    if isinstance(found, np.ndarray):
        return texts.results(found)
    return NULL if found is None else texts.documents(found)


def notes(
    parameters: Sequence[Any] | None, qualities: Sequence[Any] | None
) -> Sequence[Any] | None:
    """What there is to say about each reading, as one document."""
    if qualities is None:
        return parameters
    if parameters is None:
        parameters = [None] * len(qualities)
    return [
        own if quality is None else {**(own or {}), QUALITY: quality}
        for own, quality in zip(parameters, qualities, strict=True)
    ]
