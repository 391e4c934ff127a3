"""Sets as CSV (RFC 4180) with one header line, in UTF-8.

Times are ISO 8601 in UTC, periods `start/end`. What is no text, number or time is JSON. So is a result
that is no number, so that the text "1" and the number 1 stay apart. What is not there is empty.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from stadtherz.sensorthings.answers import texts
from stadtherz.sensorthings.answers.found import Page
from stadtherz.sensorthings.answers.members import moments, notes, texts_of
from stadtherz.sensorthings.answers.texts import NULL, Column, layout, listed
from stadtherz.sensorthings.query.filters import IDS
from stadtherz.sensorthings.query.plan import ID, SetPlan
from stadtherz.sensorthings.standard.faces import Face
from stadtherz.sensorthings.standard.schema import SPANS, Property
from stadtherz.store.public import Columns

_LINE = b"\r\n"
_READINGS = ("Datastream", "phenomenonTime", "resultTime", "result")
_HEADERS = {
    "1.1": (*_READINGS, "FeatureOfInterest", "validTime", "resultQuality", "parameters"),
    "2.0": (*_READINGS, "ProximateFeatureOfInterest", "validTime", "properties"),
}
"""What stands behind the id."""


def of_observations(
    parts: Iterable[Columns], selected: Sequence[str] | None, face: Face
) -> Iterator[bytes]:
    """`selected` chooses the columns and their order."""
    known = (face.id, *_HEADERS[face.version])
    names = known if selected is None else _chosen(selected, known)
    yield ",".join(names).encode() + _LINE
    for part in parts:
        row: list[Column] = []
        for name in names:
            row += [b",", _cells(name, part)] if row else [_cells(name, part)]
        if pieces := layout(row, len(part), between=_LINE):
            yield b"".join([*pieces, _LINE])


def _chosen(selected: Sequence[str], known: tuple[str, ...]) -> tuple[str, ...]:
    names = dict.fromkeys(known[0] if name in IDS else name for name in selected)
    return tuple(name for name in names if name in known)


def _cells(name: str, part: Columns) -> Column:
    match name:
        case "@iot.id" | "id":
            return texts.integers(part.id)
        case "Datastream":
            return texts.integers(part.datastream)
        case "FeatureOfInterest" | "ProximateFeatureOfInterest":
            return _without_null(texts.integers(part.feature))
        case "phenomenonTime":
            return _unquoted(texts.periods(part.phenomenon_start, part.phenomenon_end))
        case "resultTime":
            return _unquoted(texts.instants(part.result_time))
        case "validTime":
            return _unquoted(texts.periods(part.valid_start, part.valid_end))
        case "result":
            numbers = part.result.dtype != object
            return texts.results(part.result) if numbers else _documents(part.result.tolist())
        case _:
            return _documents(_told_besides(name, part))


def _told_besides(name: str, part: Columns) -> Sequence[Any] | None:
    """Version 2.0 has quality and parameters in one document."""
    if name == "resultQuality":
        return part.result_quality
    if name == "parameters":
        return part.parameters
    return notes(part.parameters, part.result_quality)


def _without_null(column: Column) -> Column:
    if isinstance(column, list):
        return [b"" if text == NULL else text for text in column]
    return column


def _unquoted(column: Column) -> Column:
    """Times without the quotation marks of JSON."""
    if isinstance(column, bytes):
        return b""
    if isinstance(column, list):
        return [b"" if text == NULL else text[1:-1] for text in column]
    return column[:, 1:-1]


def _documents(values: Sequence[Any] | None) -> Column:
    if values is None:
        return b""
    found = texts.documents(values)
    return [b"" if text == NULL else _escaped(text) for text in found]


def _escaped(text: bytes) -> bytes:
    if b'"' in text or b"," in text:  # JSON has no bare line breaks
        return b'"' + text.replace(b'"', b'""') + b'"'
    return text


def of_entities(parts: Iterable[Page], plan: SetPlan, face: Face) -> Iterator[bytes]:
    """The id and the properties, as far as they are selected."""
    properties = [prop for prop in plan.entity.properties if plan.shows(prop.name)]
    keys = [face.id] if plan.shows(ID) else []
    yield _written([[*keys, *(prop.name for prop in properties)]])
    for part in parts:
        if len(part):
            columns: list[Sequence[Any]] = [part.ids for _ in keys]
            columns += [_texts(_column(prop, part), len(part)) for prop in properties]
            yield _written(zip(*columns, strict=True))


def _column(prop: Property, part: Page) -> Column:
    """Periods are one text in every version."""
    if prop.shape not in SPANS:
        return texts_of(prop, part)
    starts, ends = (moments(part.values.get(name), len(part)) for name in prop.columns)
    return texts.periods(starts, ends)


def _written(rows: Iterable[Sequence[Any]]) -> bytes:
    sheet = io.StringIO()
    csv.writer(sheet).writerows(rows)
    return sheet.getvalue().encode()


def _texts(column: Column, size: int) -> list[str]:
    """What is told by JSON: texts without quotation marks, nothing for null."""
    return ["" if text == NULL else _told(text) for text in listed(column, size)]


def _told(text: bytes) -> str:
    return str(orjson.loads(text)) if text.startswith(b'"') else text.decode()
