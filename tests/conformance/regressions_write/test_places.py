"""GeoJSON (RFC 7946) that is kept, and what is none: in Locations, features and observed areas."""

from typing import Any

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client

_RING = [[7.0, 49.0], [8.0, 49.0], [8.0, 50.0], [7.0, 49.0]]
_HOLE = [[7.6, 49.2], [7.7, 49.2], [7.7, 49.3], [7.6, 49.2]]
_PLACES: dict[str, Any] = {
    "point": {"type": "Point", "coordinates": [7.77, 49.44]},
    "point with height": {"type": "Point", "coordinates": [7.77, 49.44, 210.5]},
    "whole numbers": {"type": "Point", "coordinates": [8, 49]},
    "corner": {"type": "Point", "coordinates": [180, 90]},
    "other corner": {"type": "Point", "coordinates": [-180, -90]},
    "zero": {"type": "Point", "coordinates": [0, 0]},
    "many digits": {"type": "Point", "coordinates": [7.123456789012345, 49.987654321098765]},
    "line": {"type": "LineString", "coordinates": [[7, 49], [8, 50]]},
    "line with heights": {"type": "LineString", "coordinates": [[7, 49, 1], [8, 50, 2]]},
    "polygon": {"type": "Polygon", "coordinates": [_RING]},
    "polygon with a hole": {"type": "Polygon", "coordinates": [_RING, _HOLE]},
    "points": {"type": "MultiPoint", "coordinates": [[7, 49], [8, 50]]},
    "lines": {"type": "MultiLineString", "coordinates": [[[7, 49], [8, 50]], [[1, 2], [3, 4]]]},
    "polygons": {"type": "MultiPolygon", "coordinates": [[_RING], [_RING, _HOLE]]},
    "collection": {
        "type": "GeometryCollection",
        "geometries": [
            {"type": "Point", "coordinates": [7, 49]},
            {"type": "LineString", "coordinates": [[7, 49], [8, 50]]},
        ],
    },
    "feature": {
        "type": "Feature",
        "properties": {"a": None},
        "geometry": {"type": "Point", "coordinates": [7, 49]},
    },
    "with a box": {"type": "Point", "bbox": [7, 49, 7, 49], "coordinates": [7, 49]},
    "with a reference system": {
        "type": "Point",
        "coordinates": [7, 49],
        "crs": {"type": "name", "properties": {"name": "EPSG:4326"}},
    },
}
_NO_PLACES: dict[str, Any] = {
    "text": "POINT(7 49)",
    "list": [7, 49],
    "nothing in it": {},
    "no type": {"coordinates": [7, 49]},
    "other type": {"type": "Circle", "coordinates": [7, 49]},
    "type in lower case": {"type": "point", "coordinates": [7, 49]},
    "type is no text": {"type": ["Point"], "coordinates": [7, 49]},
    "no coordinates": {"type": "Point"},
    "null as coordinates": {"type": "Point", "coordinates": None},
    "empty": {"type": "Point", "coordinates": []},
    "one number": {"type": "Point", "coordinates": [7]},
    "five numbers": {"type": "Point", "coordinates": [7, 49, 1, 2, 3]},
    "texts": {"type": "Point", "coordinates": ["7", "49"]},
    "null inside": {"type": "Point", "coordinates": [7, None]},
    "truth": {"type": "Point", "coordinates": [True, False]},
    "nested too deep": {"type": "Point", "coordinates": [[7, 49]]},
    "too far north": {"type": "Point", "coordinates": [7, 91]},
    "too far south": {"type": "Point", "coordinates": [7, -90.1]},
    "too far east": {"type": "Point", "coordinates": [181, 49]},
    "swapped beyond the pole": {"type": "Point", "coordinates": [49, 107]},
    "metres": {"type": "Point", "coordinates": [412000, 5475000]},
    "line of one": {"type": "LineString", "coordinates": [[7, 49]]},
    "line of numbers": {"type": "LineString", "coordinates": [7, 49]},
    "polygon not closed": {"type": "Polygon", "coordinates": [[*_RING[:3], [7.5, 49.5]]]},
    "ring of three": {"type": "Polygon", "coordinates": [[*_RING[:2], _RING[0]]]},
    "hole not closed": {"type": "Polygon", "coordinates": [_RING, [*_HOLE[:3], [7.5, 49.5]]]},
    "polygon without rings": {"type": "Polygon", "coordinates": _RING},
    "polygon of nothing": {"type": "Polygon", "coordinates": [[]]},
    "polygon without any ring": {"type": "Polygon", "coordinates": []},
    "one of the polygons not closed": {
        "type": "MultiPolygon",
        "coordinates": [[_RING], [[*_RING[:3], [7.5, 49.5]]]],
    },
    "collection without list": {"type": "GeometryCollection", "geometries": {}},
    "collection with none": {"type": "GeometryCollection", "geometries": [{"type": "Circle"}]},
    "feature without geometry": {"type": "Feature", "properties": {}},
    "feature in a feature": {
        "type": "Feature",
        "geometry": {"type": "Feature", "geometry": {"type": "Circle"}},
    },
}
_SETS = {
    "Locations": (bodies.location, "location"),
    "FeaturesOfInterest": (bodies.feature, "feature"),
}


@pytest.mark.parametrize("name", _SETS)
@pytest.mark.parametrize("place", _PLACES.values(), ids=_PLACES)
def test_places_are_kept(api: Client, name: str, place: Any) -> None:
    """istSOS4 refuses heights"""
    body, prop = _SETS[name]
    made = api.post(f"/{name}", {**body(), prop: place})
    assert made.status == 201, made.body
    assert api.get(made.headers["location"]).json[prop] == place
    other = api.post(f"/{name}", body())
    assert api.patch(other.headers["location"], {prop: place}).status == 200
    assert api.get(other.headers["location"]).json[prop] == place


@pytest.mark.parametrize("name", _SETS)
@pytest.mark.parametrize("place", _NO_PLACES.values(), ids=_NO_PLACES)
def test_what_is_no_place_is_refused(api: Client, name: str, place: Any) -> None:
    """istSOS4 accepts polygons that are not closed"""
    body, prop = _SETS[name]
    refused = api.post(f"/{name}", {**body(), prop: place})
    assert (refused.status, prop in refused.message) == (400, True), refused.body
    made = api.post(f"/{name}", body())
    assert api.patch(made.headers["location"], {prop: place}).status == 400
    assert api.get(made.headers["location"]).json == made.json


@pytest.mark.parametrize("place", _NO_PLACES.values(), ids=_NO_PLACES)
def test_a_place_within_a_deep_insert_is_looked_at(api: Client, place: Any) -> None:
    refused = api.post("/Things", bodies.thing(Locations=[bodies.location(location=place)]))
    assert (refused.status, "Locations/location" in refused.message) == (400, True)
    assert api.get("/Things").value == api.get("/Locations").value == []


@pytest.mark.parametrize("place", _PLACES.values(), ids=_PLACES)
def test_a_feature_is_made_of_any_place(api: Client, place: Any) -> None:
    """create-entity: an Observation of a Thing at this place needs no FeatureOfInterest"""
    at = bodies.thing(Locations=[bodies.location(location=place)])
    stream = api.post("/Datastreams", bodies.datastream(Thing=at)).key
    made = api.post(f"/Datastreams({stream})/Observations", bodies.observation())
    assert made.status == 201, made.body
    assert api.get(f"{made.headers['location']}/FeatureOfInterest").json["feature"] == place
    assert api.get(f"/Datastreams({stream})").json["observedArea"]["type"]


@pytest.mark.parametrize("encoding", ["application/geo+json", "application/vnd.geo+json"])
def test_both_names_of_geojson_are_known(api: Client, encoding: str) -> None:
    """18-088 tables 5 and 14; the second is that of version 1.0"""
    made = api.post("/Locations", bodies.location(encodingType=encoding))
    assert (made.status, made.json["encodingType"]) == (201, encoding)
    wrong = bodies.location(encodingType=encoding, location={"type": "Circle"})
    assert api.post("/Locations", wrong).status == 400


@pytest.mark.parametrize("place", ["Rathausplatz 1", {"street": "Rathausplatz"}, [1, 2]], ids=repr)
def test_other_encodings_are_not_looked_into(api: Client, place: Any) -> None:
    body = bodies.location(encodingType="text/plain", location=place)
    made = api.post("/Locations", body)
    assert made.status == 201, made.body
    assert api.get(made.headers["location"]).json["location"] == place


@pytest.mark.parametrize(
    ("name", "place"), [("Locations", "location"), ("FeaturesOfInterest", "feature")]
)
def test_a_place_in_another_encoding_is_changed_by_itself(
    api: Client, name: str, place: str
) -> None:
    """req/create-update-delete/update-entity: a place is held against the encoding it is kept in"""
    body = {"name": "R", "description": "", "encodingType": "text/plain", place: "Room 5"}
    key = api.post(f"/{name}", body).key
    changed = api.patch(f"/{name}({key})", {place: "Room 6"})
    assert (changed.status, changed.json[place]) == (200, "Room 6")
    named = api.patch(f"/{name}({key})", {"encodingType": "application/geo+json"})
    assert (named.status, named.message.partition(":")[0]) == (400, place)
    assert api.get(f"/{name}({key})/encodingType").json == {"encodingType": "text/plain"}
    point = {"type": "Point", "coordinates": [7.5, 49.5]}
    both = {"encodingType": "application/geo+json", place: point}
    assert api.patch(f"/{name}({key})", both).status == 200
    assert api.patch(f"/{name}({key})", {place: "Room 7"}).status == 400


@pytest.mark.parametrize("area", _PLACES.values(), ids=_PLACES)
def test_an_observed_area_may_be_said(api: Client, area: Any) -> None:
    made = api.post("/Datastreams", bodies.datastream(Thing=bodies.thing(), observedArea=area))
    assert made.status == 201, made.body
