"""The functions of `base.functions` in Python; SQLite calls them as `sh_<name>`.

Null in gives null out, and so does what has no answer (a division by zero, a time beyond the year
9999, a geometry that is none), because a filter must never fail for the sake of one row.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache, wraps
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
import shapely
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from stadtherz.base.time import DAY, EARLIEST, HOUR, LATEST, MINUTE, SECOND, from_us
from stadtherz.sql.casts import CASTS
from stadtherz.sql.items import has_some

LONGEST = 400_000_000_000 * SECOND
"""The longest duration either way, about 12,700 years; two of them still fit an integer column."""

_OFFSET = re.compile(r"([+-])([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
ZONE = "^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)+$"
_SHORT = (
    "CST6CDT Cuba EST EST5EDT Egypt Eire GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong Iceland "
    "Iran Israel Jamaica Japan Kwajalein Libya MST MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland Portugal "
    "ROC ROK Singapore Turkey UCT UTC Universal W-SU Zulu"
)
SHORT_ZONES = tuple(_SHORT.split())
"""Zones without a continent. CET, EET, MET and WET are missing: whether they have a summer is disputed."""

_MICROSECOND = timedelta(microseconds=1)

Implementation = Callable[..., Any]


class RawConnection(Protocol):
    """What we need of a sqlite3 connection."""

    def create_function(
        self, name: str, narg: int, func: Implementation, /, *, deterministic: bool
    ) -> None: ...


def _within(value: int, low: int, high: int) -> int | None:
    return value if low <= value <= high else None


def _mod(dividend: float, divisor: float) -> float | None:
    return None if divisor == 0 else dividend - divisor * math.trunc(dividend / divisor)


def _substring(text: str, start: float, count: float | None = None) -> str:
    first = max(0, int(min(start, len(text))))
    if count is None:
        return text[first:]
    return text[first : first + max(0, int(min(count, len(text))))]


def _round(value: float) -> float:
    """Half away from zero (OData 4.0 part 2 §5.1.1.9.1), unlike Python and PostgreSQL."""
    return math.copysign(math.floor(abs(value) + 0.5), value)


def _lasting(us: float) -> int | None:
    """A duration of whole microseconds, cut."""
    return int(us) if abs(us) <= LONGEST else None


@lru_cache(maxsize=128)
def zone_of(name: str) -> tzinfo | None:
    """A zone by its IANA name or as an offset such as +02:00; None if there is none."""
    if found := _OFFSET.fullmatch(name):
        sign, hours, minutes = found.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-offset if sign == "-" else offset)
    if name == "Z":
        return UTC
    if name not in SHORT_ZONES and not re.search(ZONE, name, re.ASCII):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _shift(us: int, name: str) -> int | None:
    """Microseconds by which the zone's clocks are ahead of UTC at that time."""
    zone = zone_of(name)
    try:
        offset = None if zone is None else from_us(us).astimezone(zone).utcoffset()
    except OverflowError:
        return None
    return None if offset is None else offset // _MICROSECOND


def _local(us: int, name: str) -> int | None:
    shift = _shift(us, name)
    return None if shift is None else _within(us + shift, EARLIEST, LATEST)


def _zone_offset(us: int, name: str) -> float | None:
    shift = _shift(us, name)
    return None if shift is None else shift / MINUTE


_PLAIN: dict[str, Implementation] = {
    **CASTS,
    "list_some": lambda document, told, _path: has_some(document, told),
    "div": lambda a, b: None if b == 0 else a / b,
    "mod": _mod,
    "whole_div": lambda a, b: None if b == 0 else float(math.trunc(a / b)),
    "time_add": lambda a, b: _within(a + b, EARLIEST, LATEST),
    "time_sub": lambda a, b: _within(a - b, EARLIEST, LATEST),
    "duration_add": lambda a, b: _within(a + b, -LONGEST, LONGEST),
    "duration_sub": lambda a, b: _within(a - b, -LONGEST, LONGEST),
    "duration_mul": lambda a, b: _lasting(a * b),
    "duration_div": lambda a, b: None if b == 0 else _lasting(a / b),
    "contains": lambda text, part: part in text,
    "startswith": lambda text, part: text.startswith(part),
    "endswith": lambda text, part: text.endswith(part),
    "length": len,
    "indexof": lambda text, part: text.find(part),
    "substring": _substring,
    "tolower": str.lower,
    "toupper": str.upper,
    "trim": lambda text: text.strip(" "),
    "concat": lambda a, b: a + b,
    "year": lambda us: from_us(us).year,
    "month": lambda us: from_us(us).month,
    "day": lambda us: from_us(us).day,
    "hour": lambda us: us // HOUR % 24,
    "minute": lambda us: us // MINUTE % 60,
    "second": lambda us: us // SECOND % 60,
    "fractionalseconds": lambda us: us % SECOND / SECOND,
    "date": lambda us: us - us % DAY,
    "time": lambda us: us % DAY,
    "totaloffsetminutes": lambda us: 0,
    "totalseconds": lambda us: us / SECOND,
    "local": _local,
    "offset": _zone_offset,
    "round": _round,
    "floor": lambda value: float(math.floor(value)),
    "ceiling": lambda value: float(math.ceil(value)),
}


@lru_cache(maxsize=512)
def _geometry(text: str) -> BaseGeometry | None:
    try:
        return shapely.from_geojson(text)
    except ShapelyError:
        return None


def _length(shape: BaseGeometry) -> float:
    """Of lines only: a polygon has an area, its border is not its length (as in PostGIS)."""
    if shape.geom_type == "GeometryCollection":
        return sum(_length(part) for part in shapely.get_parts(shape))
    return shape.length if shape.geom_type in ("LineString", "MultiLineString") else 0.0


_GEOMETRIC: dict[str, Implementation] = {
    "geo.distance": shapely.distance,
    "geo.length": _length,
    "geo.intersects": shapely.intersects,
    "st_equals": shapely.equals,
    "st_disjoint": shapely.disjoint,
    "st_touches": shapely.touches,
    "st_within": shapely.within,
    "st_overlaps": shapely.overlaps,
    "st_crosses": shapely.crosses,
    "st_intersects": shapely.intersects,
    "st_contains": shapely.contains,
    "st_relate": shapely.relate_pattern,
}


def _geometric(name: str, function: Implementation) -> Implementation:
    """The function over GeoJSON texts instead of shapes."""
    shapes = 1 if name == "geo.length" else 2

    def call(*arguments: str) -> Any:
        found = [_geometry(text) for text in arguments[:shapes]]
        if None in found:
            return None
        try:
            answer = function(*found, *arguments[shapes:])
        except (ShapelyError, ValueError):
            return None
        return float(answer) if name in ("geo.distance", "geo.length") else int(answer)

    return call


def _null_safe(function: Implementation) -> Implementation:
    @wraps(function)
    def call(*arguments: Any) -> Any:
        if None in arguments:
            return None
        try:
            return function(*arguments)
        except (OverflowError, ValueError, TypeError):
            return None  # beyond what the engine or the calendar can express

    return call


# --- JSON whose types are known only at run time -------------------------------------------------

NULL_RANK, BOOLEAN_RANK, NUMBER_RANK, TEXT_RANK, COMPOSITE_RANK = range(5)


def walk(document: Any, path: list[str]) -> Any:
    """What the path leads to, or None; a whole number leads into a list as well."""
    for step in path:
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and step.lstrip("-").isdecimal():
            index = int(step)
            document = document[index] if -len(document) <= index < len(document) else None
        else:
            return None
    return document


def rank(value: Any) -> int:
    """Where values of this one's type stand when types are mixed: null, then boolean, ..."""
    if value is None:
        return NULL_RANK
    if isinstance(value, bool):
        return BOOLEAN_RANK
    if isinstance(value, int | float):
        return NUMBER_RANK
    return TEXT_RANK if isinstance(value, str) else COMPOSITE_RANK


def _pick(document: str | None, path: str | None) -> Any:
    if document is None:
        return None
    value = orjson.loads(document)
    return walk(value, orjson.loads(path)) if path else value


def _json_number(document: str | None, path: str | None) -> float | None:
    """Whole numbers stay whole, because a double has neighbours for some of them."""
    value = _pick(document, path)
    if rank(value) != NUMBER_RANK:
        return None
    return value if isinstance(value, int) and -(2**63) <= value < 2**63 else float(value)


def _json_text(document: str | None, path: str | None) -> str | None:
    value = _pick(document, path)
    return value if isinstance(value, str) else None


def _json_boolean(document: str | None, path: str | None) -> bool | None:
    value = _pick(document, path)
    return value if isinstance(value, bool) else None


def _json_document(document: str | None, path: str | None) -> str | None:
    value = _pick(document, path)
    return None if value is None else orjson.dumps(value).decode()


_JSON: dict[str, Implementation] = {
    "json_number": _json_number,
    "json_text": _json_text,
    "json_boolean": _json_boolean,
    "json_document": _json_document,
    "json_rank": lambda document, path: rank(_pick(document, path)),
}


@lru_cache(maxsize=8)
def _table(text: str) -> dict[str, Any]:
    table: dict[str, Any] = orjson.loads(text)
    return table


def _lookup(table: str, key: int | None) -> Any:
    return None if key is None else _table(table).get(str(key))


IMPLEMENTATIONS: dict[str, Implementation] = {
    **{name: _null_safe(function) for name, function in _PLAIN.items()},
    **{name: _null_safe(_geometric(name, f)) for name, f in _GEOMETRIC.items()},
    **_JSON,
    "lookup": _lookup,
}
"""Every function under the name of `base.functions`."""


def engine_name(name: str) -> str:
    """The function's name inside the engine."""
    return "sh_" + name.replace(".", "_")


def install_on_sqlite(connection: RawConnection) -> None:
    """Make the functions known to one raw sqlite3 connection."""
    for name, function in IMPLEMENTATIONS.items():
        connection.create_function(engine_name(name), -1, function, deterministic=True)
