"""GeoJSON geometries (RFC 7946) as plain values, checked at the door."""

import math
from typing import Any

from stadtherz.base.errors import Invalid

GeoJSON = dict[str, Any]

# How deep the coordinates of each type are nested.
_DEPTH = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
_SHORTEST = {"LineString": 2, "Polygon": 4}


def check_geometry(value: object, *, field: str = "location") -> GeoJSON:
    """The geometry itself if it is one, a Feature's geometry included; else Invalid."""
    if not isinstance(value, dict):
        raise Invalid(field, "must be a GeoJSON object with a type")
    kind = value.get("type")
    if kind == "Feature":
        return check_geometry(value.get("geometry"), field=field)
    if kind == "GeometryCollection":
        parts = value.get("geometries")
        if not isinstance(parts, list):
            raise Invalid(field, "a GeometryCollection needs a list of geometries")
        return {"type": kind, "geometries": [check_geometry(part, field=field) for part in parts]}
    if kind is None:
        raise Invalid(field, "must be a GeoJSON object with a type")
    if not isinstance(kind, str) or kind not in _DEPTH:
        raise Invalid(field, f"{kind!r} is not a GeoJSON geometry type")
    _check_coordinates(value.get("coordinates"), _DEPTH[kind], kind, field)
    return value


def _check_coordinates(value: object, depth: int, kind: str, field: str) -> None:
    if not isinstance(value, list):
        raise Invalid(field, f"the coordinates of a {kind} must be a list")
    if depth == 0:
        _check_position(value, field)
        return
    if not value and kind == "Polygon":
        raise Invalid(field, "a Polygon needs a ring")
    if depth == 1 and (shortest := _SHORTEST.get(kind.removeprefix("Multi"), 0)) > len(value):
        raise Invalid(field, f"a {kind} needs at least {shortest} positions")
    for part in value:
        _check_coordinates(part, depth - 1, kind, field)
    if depth == 1 and kind.endswith("Polygon") and value[0] != value[-1]:
        raise Invalid(field, "a polygon's ring must end where it starts")


def _check_position(value: list[object], field: str) -> None:
    numbers = [v for v in value if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) != len(value) or not 2 <= len(value) <= 4:
        raise Invalid(field, "a position is [longitude, latitude] with an optional height")
    if not all(math.isfinite(v) for v in numbers):
        raise Invalid(field, "a position must be finite")
    longitude, latitude = numbers[:2]
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise Invalid(field, "longitude comes first and must lie in -180..180, latitude in -90..90")


def centre(geometry: GeoJSON) -> tuple[float, float] | None:
    """The middle of the geometry's bounding box as (longitude, latitude), or None if empty."""
    box = bounds(geometry)
    return None if box is None else ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)


def bounds(geometry: GeoJSON) -> tuple[float, float, float, float] | None:
    """The bounding box as (west, south, east, north), or None if the geometry is empty."""
    positions = _positions(geometry)
    if not positions:
        return None
    longitudes = [position[0] for position in positions]
    latitudes = [position[1] for position in positions]
    return min(longitudes), min(latitudes), max(longitudes), max(latitudes)


def _positions(geometry: GeoJSON) -> list[list[float]]:
    if geometry.get("type") == "GeometryCollection":
        return [p for part in geometry["geometries"] for p in _positions(part)]
    found: list[list[float]] = []
    queue: list[Any] = [geometry.get("coordinates", [])]
    while queue:
        item = queue.pop()
        if item and not isinstance(item[0], list):
            found.append(item)
        else:
            queue.extend(item)
    return found
