"""Which fields of a payload are a position, and what is one on earth."""

import re
from collections.abc import Iterable
from typing import Any

Place = tuple[float, float]
"""Longitude and latitude in degrees (WGS 84)."""

NAMES = (
    ("longitude", "latitude"),
    ("longitudedeg", "latitudedeg"),
    ("lon", "lat"),
    ("lng", "lat"),
    ("long", "lat"),
    ("längengrad", "breitengrad"),
    ("laengengrad", "breitengrad"),
    ("länge", "breite"),
    ("laenge", "breite"),
)
"""What longitude and latitude are called beside each other, as `plain` writes them."""


def plain(name: str) -> str:
    """The name in lower case without what stands between its words."""
    return re.sub(r"[\W_]", "", name).lower()


def paths_of_position(paths: Iterable[str]) -> tuple[str, str] | None:
    """The paths of longitude and latitude, the first two that belong together; None if there are none.

    They stand in one object and differ in nothing else: `gps.lon` and `gps.lat`, `gps_longitude` and
    `gps_latitude`.
    """
    known = {(_holder(path), plain(path.rpartition(".")[2])): path for path in paths}
    for (holder, name), path in known.items():
        for east, north in NAMES:
            if not name.endswith(east):
                continue
            other = known.get((holder, name.removesuffix(east) + north))
            if other is not None:
                return path, other
    return None


def _holder(path: str) -> str:
    return path.rpartition(".")[0]


def checked_place(longitude: Any, latitude: Any) -> Place | None:
    """The place, if it is one on earth; (0, 0) is what devices send that know none."""
    numbers = (longitude, latitude)
    if not all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers):
        return None
    if (longitude, latitude) == (0, 0) or not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        return None
    return float(longitude), float(latitude)
