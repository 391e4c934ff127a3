"""The observed area of a datastream: the box around the features of its readings (18-088 §8.2.4).

It grows in the commit that brings the first reading of a feature, and only then costs anything: which
datastreams have had which features is remembered. It shrinks where readings are corrected or deleted.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from stadtherz.base.errors import Invalid
from stadtherz.base.geometry import GeoJSON, bounds, check_geometry
from stadtherz.sql.public import Sql
from stadtherz.store.database import ID_RANGE, rows_of
from stadtherz.store.models import Datastream, FeatureOfInterest
from stadtherz.store.readings import sightings
from stadtherz.store.sealed.batch import Readings
from stadtherz.store.sealed.chunks import Directory, chunks_of
from stadtherz.store.values import NONE

Box = tuple[float, float, float, float]
Pairs = set[tuple[int, int]]
"""Datastreams and features that they have readings of."""

_FEW = 64  # readings, or chunks: more are gone through together, or not at all
_MOST_ROWS = 20_000
_REMEMBERED = 200_000  # pairs


def pairs_of(readings: Readings) -> Pairs:
    """Which datastreams have readings of which features here."""
    streams, features = readings["datastream"], readings["feature"]
    if len(readings) > _FEW:
        first = np.r_[True, (np.diff(streams) != 0) | (np.diff(features) != 0)]
        streams, features = streams[first], features[first]
    found = zip(streams.tolist(), features.tolist(), strict=True)
    return {pair for pair in found if pair[1] != NONE}


def widen(readings: Readings, known: Pairs) -> None:
    """Readings come: the areas of their datastreams take in their features, but for those known."""
    if not (new := pairs_of(readings) - known):
        return
    sightings.note(new)
    boxes = _boxes({feature for _, feature in new})
    wanted: dict[int, set[int]] = {}
    for stream, feature in new:
        if feature in boxes:
            wanted.setdefault(stream, set()).add(feature)
    held = Datastream.objects.filter(pk__in=wanted).values_list("pk", "observed_area")
    for stream, area in held:
        box = _box(area)
        wider = _around([*([box] if box else []), *(boxes[f] for f in wanted[stream])])
        if wider != box:
            _write(stream, wider)


def remember(readings: Readings, known: Pairs) -> None:
    """These readings were committed, and whoever did it has widened the areas."""
    if len(known) > _REMEMBERED:
        known.clear()
    known |= pairs_of(readings)


def renew(
    streams: Iterable[int], chunks: Directory, unsealed: Readings, *, wider: bool = False
) -> dict[int, set[int] | None]:
    """Readings went, or a feature is elsewhere: the areas are those of the features that are left.

    `wider`: and of what they are already. Where it would take to look at very many readings, an area
    stays as it is. Gives the features of each datastream, None for those that would be too many.
    """
    asked = Datastream.objects.filter(pk__in=set(streams))
    areas = dict(asked.values_list("pk", "observed_area"))
    left = {stream: features_of(stream, chunks, unsealed) for stream in areas}
    boxes = _boxes({feature for features in left.values() for feature in features or ()})
    for stream, features in left.items():
        if features is None:
            continue
        held = _box(areas[stream])
        found = _around(
            [*([held] if held and wider else []), *(boxes[f] for f in features if f in boxes)]
        )
        if found != held:
            _write(stream, found)
    return left


def features_of(
    stream: int, chunks: Directory, unsealed: Readings, *, whatever: bool = False
) -> set[int] | None:
    """The features of a datastream's readings; None if there are too many readings to look at.

    `whatever`: however many there are.
    """
    found = chunks.of(np.array([stream], np.int64)).with_readings()
    single = found.stats.feature_min == found.stats.feature_max
    most = ID_RANGE.stop - 1 if whatever else _MOST_ROWS + 1
    text = "SELECT {} feature FROM store_row WHERE datastream = %s LIMIT %s"
    rows = rows_of(Sql(text.format("DISTINCT" if whatever else ""), (stream, most)))
    if not whatever and (np.count_nonzero(~single) > _FEW or len(rows) > _MOST_ROWS):
        return None
    features: set[int | None] = {row[0] for row in rows}
    features.update(found.stats.feature_min[single].tolist())
    features.update(unsealed["feature"][unsealed["datastream"] == stream].tolist())
    for chunk in chunks_of(found.take(~single)):
        features.update(np.unique(chunk.feature).tolist())
    return {feature for feature in features if feature is not None and feature != NONE}


def _write(stream: int, box: Box | None) -> None:
    area = None if box is None else _polygon(box)
    Datastream.objects.filter(pk=stream).update(observed_area=area)


# --- boxes -----------------------------------------------------------------------------------------


def _boxes(features: Iterable[int]) -> Mapping[int, Box]:
    """Of those features whose place is known as GeoJSON."""
    held = FeatureOfInterest.objects.filter(pk__in=set(features)).values_list("pk", "feature")
    return {key: box for key, place in held if (box := _box(place)) is not None}


def _box(place: Any) -> Box | None:
    try:
        return bounds(check_geometry(place))
    except Invalid:
        return None


def _around(boxes: Sequence[Box]) -> Box | None:
    west, south, east, north = zip(*boxes, strict=True) if boxes else ((), (), (), ())
    return (min(west), min(south), max(east), max(north)) if west else None


def _polygon(box: Box) -> GeoJSON:
    """The box, or what is left of one without width or height."""
    west, south, east, north = box
    if (west, south) == (east, north):
        return {"type": "Point", "coordinates": [west, south]}
    if west == east or south == north:
        return {"type": "LineString", "coordinates": [[west, south], [east, north]]}
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}
