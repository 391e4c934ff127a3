"""Values of entities as people read them: times on the city's clock, places, units, whole documents."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from stadtherz.base.errors import Invalid
from stadtherz.base.geometry import centre, check_geometry
from stadtherz.base.time import Micros, parse_instant
from stadtherz.ingest.public import quality_sentence
from stadtherz.kit.declaration import Text
from stadtherz.kit.public import in_words
from stadtherz.sensorthings.public import EntityType, Property, Shape
from stadtherz.web import formats
from stadtherz.web.entities import words

MOST_ROWS = 60
_LONGEST = 500  # characters of a document that is shown as it is


@dataclass(frozen=True, slots=True)
class Row:
    """One line about an entity; `url` is where the text leads if it is an address."""

    label: Text
    text: str
    url: str = ""


def rows(entity: EntityType, document: dict[str, Any]) -> list[Row]:
    """What is to be said of an entity besides its name and description."""
    told: list[Row] = []
    for prop in entity.properties:
        value = document.get(prop.name)
        if prop.column in ("name", "description") or value in (None, "", {}, []):
            continue
        told += _rows(prop, value)
    return told[:MOST_ROWS]


def _rows(prop: Property, value: Any) -> Iterator[Row]:
    label = words.label(prop)
    match prop.shape:
        case Shape.TIME | Shape.PERIOD | Shape.MOMENT | Shape.INTERVAL:
            yield Row(label, period(value))
        case Shape.GEOMETRY:
            yield Row(label, place(value))
        case Shape.RESULT_TYPE:
            yield Row(label, _result_type(value))
        case Shape.PARAMETERS:
            yield from _parameters(value)
        case _ if prop.column == "unit_of_measurement" and isinstance(value, dict):
            yield Row(label, _unit(value), _address(value.get("definition")))
        case _ if prop.column == "result_quality" and (doubt := quality_sentence(value)):
            yield Row(label, _("Doubtful: %(why)s") % {"why": doubt})
        case _ if isinstance(value, dict):
            yield from _members(value, "")
        case _:
            yield Row(label, _last_part(value), _address(value))


def _members(value: dict[str, Any], way: str) -> Iterator[Row]:
    """Members of a document by their own names, those of inner ones behind the outer name."""
    for name, held in value.items():
        label = f"{way}{words.member(name)}"
        if isinstance(held, dict) and held:
            yield from _members(held, f"{label} › ")
        else:
            yield Row(label, text_of(held), _address(held))


# --- single values -------------------------------------------------------------------------------


def text_of(value: Any) -> str:
    """Any value in a few words."""
    match value:
        case None:
            return formats.NO_VALUE
        case bool():
            return _("yes") if value else _("no")
        case int() | float():
            return formats.number(value, digits_of(value))
        case str():
            return value
        case _ if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return ", ".join(value)
        case _:
            text = orjson.dumps(value).decode()
            return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def result(value: Any, unit: str) -> str:
    """A reading's result with its unit where it is a number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return formats.measure(value, unit, digits_of(value))
    return text_of(value)


def digits_of(value: float) -> int:
    """How many decimals a number needs; three where it is small, fewer where it is large."""
    if not math.isfinite(value):
        return 0
    most = 3 if abs(value) < 10 else 2 if abs(value) < 1_000 else 1
    rounded = round(value, most)
    return next(n for n in range(most + 1) if round(rounded, n) == rounded)


def series_of(observation: dict[str, Any]) -> dict[str, Any]:
    """The series that an Observation is shown with; an empty document if with none."""
    return observation.get("Datastream") or observation.get("MultiDatastream") or {}


def unit_of(datastream: dict[str, Any]) -> str:
    """The unit's symbol, in the words of either version."""
    unit = datastream.get("unitOfMeasurement")
    if isinstance(unit, dict):
        return str(unit.get("symbol") or "")
    kind = datastream.get("resultType")
    uom = kind.get("uom") if isinstance(kind, dict) else None
    return str((uom.get("symbol") or uom.get("code") or "") if isinstance(uom, dict) else "")


def start_of(value: Any) -> Micros | None:
    """The instant at which a time begins: a text with an instant or an interval, or an object."""
    text = value.get("start") if isinstance(value, dict) else value
    if not isinstance(text, str):
        return None
    try:
        return parse_instant(text.partition("/")[0])
    except ValueError:
        return None


def end_of(value: Any) -> Micros | None:
    """The instant at which an interval ends; None for an instant."""
    text = value.get("end") if isinstance(value, dict) else str(value).partition("/")[2]
    return start_of(text or None)


def period(value: Any) -> str:
    """An instant, or from when till when."""
    start, end = start_of(value), end_of(value)
    if start is None:
        return text_of(value)
    if end is None or end == start:
        return formats.when(start)
    return _("from %(start)s to %(end)s") % {
        "start": formats.when(start),
        "end": formats.when(end),
    }


def position(value: Any) -> tuple[float, float] | None:
    """Longitude and latitude of the middle of a place, if it is one."""
    try:
        return centre(check_geometry(value))
    except Invalid:
        return None


def place(value: Any) -> str:
    """A place in words: "49,4400° Nord, 7,7700° Ost"."""
    middle = position(value)
    if middle is None:
        return text_of(value)
    longitude, latitude = middle
    where = _("%(latitude)s° %(ns)s, %(longitude)s° %(ew)s") % {
        "latitude": formats.number(abs(latitude), 4),
        "ns": pgettext("latitude", "north") if latitude >= 0 else pgettext("latitude", "south"),
        "longitude": formats.number(abs(longitude), 4),
        "ew": pgettext("longitude", "east") if longitude >= 0 else pgettext("longitude", "west"),
    }
    kind = value.get("type")
    if kind in ("Point", "Feature"):
        return where
    return _("%(kind)s around %(where)s") % {"kind": kind, "where": where}


def _unit(unit: dict[str, Any]) -> str:
    name, symbol = (str(unit.get(key) or "") for key in ("name", "symbol"))
    name = in_words(name) if name != symbol else name
    return f"{name} ({symbol})" if name and symbol and name != symbol else name or symbol


def _parameters(description: dict[str, Any]) -> Iterator[Row]:
    """What a Task must say: each parameter with its kind and what is allowed."""
    for part in description.get("field") or description.get("fields") or []:
        constraint = part.get("constraint") or {}
        ones = constraint.get("value") or constraint.get("values") or []
        spans = constraint.get("interval") or constraint.get("intervals") or []
        told = [_result_type(part), *map(text_of, ones)]
        told += [" – ".join(map(text_of, span)) for span in spans if isinstance(span, list)]
        yield Row(str(part.get("label") or part["name"]), ", ".join(told))


def _result_type(kind: Any) -> str:
    if not isinstance(kind, dict):
        return text_of(kind)
    unit = unit_of({"resultType": kind})
    return f"{kind.get('type')} ({unit})" if unit else str(kind.get("type") or "")


def _last_part(value: Any) -> str:
    """Of an address only its last part, which names the thing."""
    text = text_of(value)
    if not _address(value):
        return text
    return text.rstrip("/").rpartition("/")[2].rpartition("#")[2] or text


def _address(value: Any) -> str:
    """The value if it is an address of the web that a link may lead to."""
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        return ""
    try:
        return value if urlsplit(value).hostname else ""
    except ValueError:
        return ""
