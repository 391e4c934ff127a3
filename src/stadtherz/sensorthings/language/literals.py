"""Constants of a query as typed values: numbers, times, durations, geometries."""

import json
import math
import re

import shapely

from stadtherz.base.errors import Invalid, QuerySyntaxError
from stadtherz.base.expressions import Expression, Kind, Literal
from stadtherz.base.geometry import check_geometry
from stadtherz.base.time import (
    HOUR,
    MINUTE,
    SECOND,
    Micros,
    check_zone,
    parse_duration,
    parse_instant,
    parse_period,
)
from stadtherz.sensorthings.language.periods import Span
from stadtherz.sensorthings.language.syntax import Constant

_TIME_OF_DAY = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?", re.ASCII)
_MAX_WKT = 4_000
_INT64 = 2**63


def literal(constant: Constant, option: str) -> Expression | Span:
    """The typed value of a constant.

    Raises:
        QuerySyntaxError: if the text is no such value.
    """
    try:
        return _literal(constant)
    except Invalid as error:
        raise QuerySyntaxError(option, error.reason, constant.position) from None
    except ValueError as error:
        raise QuerySyntaxError(option, str(error), constant.position) from None


def _literal(constant: Constant) -> Expression | Span:
    text = constant.text
    match constant.kind:
        case "number":
            return Literal(number(text), Kind.NUMBER)
        case "text":
            return Literal(_storable(text), Kind.TEXT)
        case "boolean":
            return Literal(text == "true", Kind.BOOLEAN)
        case "null":
            return Literal(None, Kind.NULL)
        case "time" | "date":
            return Literal(instant(text), Kind.TIME)
        case "period":
            period = parse_period(plus(text))
            assert period.end is not None
            return Span(Literal(period.start, Kind.TIME), Literal(period.end, Kind.TIME))
        case "duration":
            return Literal(parse_duration(text), Kind.DURATION)
        case "geometry":
            return Literal(geometry(text), Kind.GEOMETRY)


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("a text must not contain the NUL character")
    return text


def number(text: str) -> int | float:
    """A finite number; a whole one stays whole if 64 bits hold it, with a sign or without."""
    try:
        whole = int(text) if len(text) <= 20 else 2 * _INT64
        if -_INT64 <= whole < 2 * _INT64:
            return whole
    except ValueError:
        pass
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is too large or no number")
    return value


def is_number(text: str) -> bool:
    """Whether the text reads as a plain decimal number, as in `result eq '6'`."""
    return (
        re.fullmatch(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?", text, re.ASCII) is not None
    )


def is_pattern(text: object) -> bool:
    """Whether this is a pattern of `st_relate` (the matrix of OGC 06-103r4 §6.1.15.2 in a row)."""
    return isinstance(text, str) and re.fullmatch(r"[TF012*]{9}", text) is not None


def check_told_zone(constant: Constant, option: str) -> None:
    """Raise QuerySyntaxError for a time of day, quoted or not, without a zone."""
    if "T" not in constant.text.upper():
        return
    try:
        check_zone(plus(constant.text))
    except ValueError as error:
        raise QuerySyntaxError(option, str(error), constant.position) from None


def instant(text: str) -> Micros:
    return parse_instant(plus(text))


def plus(text: str) -> str:
    """Undo the blank that an unencoded `+01:00` becomes in a query string."""
    return re.sub(r" (?=\d\d:?\d\d(?:$|/))", "+", text)


def time_of_day(text: str) -> Micros:
    """`12:30:00` as the time since midnight."""
    match = _TIME_OF_DAY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a time of day such as 12:30:00")
    hours, minutes, seconds, fraction = match.groups()
    return (
        int(hours) * HOUR
        + int(minutes) * MINUTE
        + int(seconds or 0) * SECOND
        + int((fraction or "0").ljust(6, "0"))
    )


def geometry(text: str) -> dict[str, object]:
    """Well-known text (OGC 06-103r4 §7) as GeoJSON, checked."""
    if len(text) > _MAX_WKT:
        raise ValueError(f"the geometry is longer than {_MAX_WKT} characters")
    wkt = re.sub(r"^SRID=4326;", "", text.strip(), flags=re.IGNORECASE)
    try:
        shape = shapely.from_wkt(wkt)
    except (shapely.errors.GEOSException, NotImplementedError):  # the latter for curves
        raise ValueError("is no well-known text such as POINT (7.77 49.44)") from None
    if shape is None or shape.is_empty:
        raise ValueError("an empty geometry is nowhere")
    document = json.loads(shapely.to_geojson(shape))
    checked = check_geometry(document, field="geometry")
    if not shape.is_valid:
        raise ValueError(f"the geometry is not valid: {shapely.is_valid_reason(shape)}")
    return checked
