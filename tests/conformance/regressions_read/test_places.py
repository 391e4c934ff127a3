"""Geospatial functions (18-088 table 25) over points, lines, areas, holes, heights and collections."""

from typing import Any

import pytest

from stadtherz.sensorthings.tests.bodies import feature, location, observation, station
from stadtherz.sensorthings.tests.client import Client


def _shape(kind: str, coordinates: Any) -> dict[str, Any]:
    return {"type": kind, "coordinates": coordinates}


_OUTER = [[10, 50], [14, 50], [14, 54], [10, 54], [10, 50]]
_HOLE = [[11, 51], [13, 51], [13, 53], [11, 53], [11, 51]]
_SHAPES: dict[str, dict[str, Any]] = {
    "south": _shape("Point", [8, 51]),
    "middle": _shape("Point", [8, 52]),
    "north": _shape("Point", [8, 53]),
    "field": _shape("Polygon", [[[8, 53], [7, 52], [7, 53], [8, 53]]]),
    "short": _shape("LineString", [[5, 52], [5, 53]]),
    "long": _shape("LineString", [[4, 52], [8, 52]]),
    "high": _shape("Point", [9, 48, 120.5]),
    "ring": _shape("Polygon", [_OUTER, _HOLE]),
    "pair": _shape("MultiPoint", [[20, 50], [21, 50]]),
    "isles": _shape("MultiPolygon", [[[[30, 50], [31, 50], [31, 51], [30, 50]]], [[[32, 50], [33, 50], [33, 51], [32, 50]]]]),
    "mixed": {"type": "GeometryCollection", "geometries": [_shape("Point", [40, 50]), _shape("LineString", [[40, 50], [41, 51]])]},
    "wrapped": {"type": "Feature", "properties": {"storey": 1}, "geometry": _shape("Point", [50, 50])},
}  # fmt: skip
_ALL = " ".join(_SHAPES)
_WITHOUT_LINES = "south middle north field high ring pair isles wrapped"
_BOX = "geography'POLYGON((7.5 51.5, 7.5 53.5, 8.5 53.5, 8.5 51.5, 7.5 51.5))'"
_CUT = "geography'LINESTRING(7.5 51, 7.5 54)'"


@pytest.fixture(scope="module")
def map_(land: Client) -> Client:
    """The shapes as Locations and as FeaturesOfInterest, and a station whose readings are of three of them."""
    for name, shape in _SHAPES.items():
        assert land.post("/Locations", location(name, location=shape)).status == 201
        assert land.post("/FeaturesOfInterest", feature(name, feature=shape)).status == 201
    body = station("Boat", results=())
    body["Locations"] = [location("berth", location=_shape("Point", [1, 1]))]
    keys = {entity["name"]: entity["@iot.id"] for entity in land.get("/FeaturesOfInterest").value}
    body["Datastreams"][0]["Observations"] = [
        observation(name, f"2026-01-0{day}T00:00:00Z", FeatureOfInterest={"@iot.id": keys[name]})
        for day, name in enumerate(("south", "middle", "north"), start=1)
    ]
    assert land.post("/Things", body).status == 201
    return land


_CONDITIONS = [
    # distances and lengths, in degrees
    ("geo.distance(P, geography'POINT(8 54.1)') lt 1.5", "north field"),
    ("geo.distance(geography'POINT(8 54.1)', P) lt 1.5", "north field"),
    ("geo.distance(P, geography'POINT(8 52)') eq 0", "middle long"),
    ("geo.distance(P, geography'POINT(8 52)') le 1", "south middle north field long"),
    ("geo.length(P) eq 1", "short"),
    ("geo.length(P) gt 1", "long mixed"),
    ("geo.length(P) ge 1", "short long mixed"),
    ("geo.length(P) eq 0", _WITHOUT_LINES),
    ("geo.length(geography'LINESTRING(0 0, 3 4)') eq 5", _ALL),
    # whatever is said first
    (f"geo.intersects(P, {_CUT})", "field long"),
    (f"geo.intersects({_CUT}, P)", "field long"),
    (f"st_intersects(P, {_CUT})", "field long"),
    (f"st_within(P, {_BOX})", "middle north"),
    (f"st_contains({_BOX}, P)", "middle north"),
    ("st_within(geography'POINT(7.2 52.8)', P)", "field"),
    ("st_contains(P, geography'POINT(7.2 52.8)')", "field"),
    (f"st_disjoint(P, {_BOX})", "south short high ring pair isles mixed wrapped"),
    (f"st_overlaps({_BOX}, P)", "field"),
    (f"st_overlaps(P, {_BOX})", "field"),
    (f"st_crosses({_CUT}, P)", "field long"),
    ("st_equals(P, geography'POINT(8 53)')", "north"),
    ("st_equals(P, geography'LINESTRING(8 52, 4 52)')", "long"),
    ("st_touches(geography'POLYGON((8 53, 7.5 54.5, 8.5 54.5, 8 53))', P)", "north field"),
    (f"st_relate({_BOX}, P, 'T********')", "middle north field long"),
    ("st_relate(P, geography'POINT(8 51)', '0FFFFFFF2')", "south"),
    # as conditions
    (f"st_within(P, {_BOX}) eq true", "middle north"),
    (f"st_within(P, {_BOX}) and name ne 'north'", "middle"),
    (f"st_within(P, {_BOX}) or name eq 'high'", "middle north high"),
    ("not st_disjoint(P, geography'POLYGON((7.5 51.5, 7.5 53.5, 8.5 53.5, 8.5 51.5, 7.5 51.5))')", "middle north field long"),
    (f"st_disjoint(P, {_BOX}) eq false", "middle north field long"),
    # holes, heights, several shapes in one
    ("st_intersects(P, geography'POINT(12 52)')", ""),
    ("st_intersects(P, geography'POINT(10.5 52)')", "ring"),
    ("st_touches(P, geography'POINT(11 52)')", "ring"),
    ("st_within(P, geography'POLYGON((7 50.5,9 50.5,9 53.5,7 53.5,7 50.5),(7.5 51.5,8.5 51.5,8.5 52.5,7.5 52.5,7.5 51.5))')", "south north field"),
    ("st_equals(P, geography'POINT(9 48)')", "high"),
    ("st_equals(P, geography'POINT Z(9 48 120.5)')", "high"),
    ("geo.distance(P, geography'POINT Z(9 48 0)') eq 0", "high"),
    ("st_intersects(P, geography'POINT(20 50)')", "pair"),
    ("st_intersects(P, geography'POINT(32.9 50.1)')", "isles"),
    ("st_intersects(P, geography'POINT(40.5 50.5)')", "mixed"),
    ("st_intersects(P, geography'POINT(50 50)')", "wrapped"),
    ("st_intersects(P, geography'MULTIPOINT((8 51), (8 53))')", "south north field"),
    ("st_intersects(P, geography'MULTIPOINT(8 51, 8 53)')", "south north field"),
    ("st_within(P, geography'MULTIPOLYGON(((7.5 51.5, 7.5 53.5, 8.5 53.5, 8.5 51.5, 7.5 51.5)), ((19 49, 22 49, 22 51, 19 51, 19 49)))')",
     "middle north pair"),
    # other spellings of the same
    ("st_within(P, geometry'POLYGON((7.5 51.5, 7.5 53.5, 8.5 53.5, 8.5 51.5, 7.5 51.5))')", "middle north"),
    ("st_within(P, GEOGRAPHY'polygon ((7.5 51.5,7.5 53.5,8.5 53.5,8.5 51.5,7.5 51.5))')", "middle north"),
    ("st_within(P, geography'SRID=4326;POLYGON((7.5 51.5, 7.5 53.5, 8.5 53.5, 8.5 51.5, 7.5 51.5))')", "middle north"),
    ("st_within(P, 'POLYGON((7.5 51.5, 7.5 53.5, 8.5 53.5, 8.5 51.5, 7.5 51.5))')", "middle north"),
    ("ST_Within(P, geography'POLYGON((7.5 51.5, 8.5 51.5, 8.5 53.5, 7.5 53.5, 7.5 51.5))')", "middle north"),
    ("geo.distance(P,geography'POINT(-8 -51)') gt 200", ""),
    # parts of GeoJSON
    ("P/type eq 'LineString'", "short long"),
    ("P/coordinates[1] eq 52", "middle"),
    ("P/coordinates/0 eq 8", "south middle north"),
    ("P/coordinates[2] gt 100", "high"),
    ("P/geometry/type eq 'Point'", "wrapped"),
    ("P eq null", ""),
    ("P ne null", _ALL),
    ("st_within(P, null)", ""),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "names"), _CONDITIONS)
@pytest.mark.parametrize(
    ("kind", "prop"), [("Locations", "location"), ("FeaturesOfInterest", "feature")]
)
def test_places(map_: Client, kind: str, prop: str, condition: str, names: str) -> None:
    text = (
        condition.replace("(P,", f"({prop},")
        .replace(" P)", f" {prop})")
        .replace("(P)", f"({prop})")
    )
    text = text.replace(" P,", f" {prop},").replace("P/", f"{prop}/").replace("P ", f"{prop} ")
    reply = map_.get(f"/{kind}?$filter=({text}) and name ne 'berth'&$orderby=id")
    assert " ".join(entity["name"] for entity in reply.value) == names


@pytest.mark.parametrize(
    ("address", "found"),
    [
        (f"/Observations?$filter=st_within(FeatureOfInterest/feature, {_BOX})", ["middle", "north"]),
        (f"/Observations?$filter=st_contains({_BOX}, FeatureOfInterest/feature)", ["middle", "north"]),
        ("/Observations?$filter=geo.distance(FeatureOfInterest/feature, geography'POINT(8 51)') lt 1", ["south"]),
        ("/Observations?$filter=geo.distance(Datastream/Thing/Locations/location, geography'POINT(1 1)') eq 0",
         ["south", "middle", "north"]),
        ("/Observations?$filter=st_equals(Datastream/Thing/Locations/location, FeatureOfInterest/feature)", []),
        ("/Datastreams?$filter=geo.intersects(observedArea, geography'POINT(8 52)')", ["Boat level"]),
        ("/Datastreams?$filter=st_within(observedArea, geography'POINT(8 52)')", []),
        ("/Datastreams?$filter=st_within(Thing/Locations/location, geography'POLYGON((0 0,2 0,2 2,0 2,0 0))')", ["Boat level"]),
        ("/Things?$filter=st_within(Locations/location, geography'POLYGON((0 0,2 0,2 2,0 2,0 0))')", ["Boat"]),
        (f"/Things?$filter=st_within(Datastreams/Observations/FeatureOfInterest/feature, {_BOX})", ["Boat"]),
        (f"/FeaturesOfInterest?$filter=st_within(feature, {_BOX}) and Observations/result eq 'north'", ["north"]),
        ("/HistoricalLocations/$count?$filter=geo.distance(Locations/location, geography'POINT(1 1)') lt 1", 1),
    ],
)  # fmt: skip
def test_places_over_links(map_: Client, address: str, found: list[str] | int) -> None:
    reply = map_.get(address)
    if isinstance(found, int):
        assert int(reply.body) == found
    else:
        assert [entity.get("name", entity.get("result")) for entity in reply.value] == found


@pytest.mark.parametrize(
    ("condition", "position"),
    [
        ("st_within(location, geography'POLYGON((0 0,1 1,1 0))')", 20),  # open
        ("st_within(location, geography'POLYGON((0 0,1 1,0 1,1 0,0 0))')", 20),  # crosses itself
        ("st_within(location, geography'POLYGON((0 0,1 1))')", 20),
        ("st_within(location, geography'POINT(200 10)')", 20),
        ("st_within(location, geography'POINT(10 95)')", 20),
        ("st_within(location, geography'POINT(1)')", 20),
        ("st_within(location, geography'POINT(1,1)')", 20),
        ("st_within(location, geography'POINT(x y)')", 20),
        ("st_within(location, geography'POINT(1 1')", 20),
        ("st_within(location, geography'POINT EMPTY')", 20),
        ("st_within(location, geography'LINESTRING(1 1)')", 20),
        ("st_within(location, geography'CIRCLE(1 1 1)')", 20),
        ("st_within(location, geography'CURVEPOLYGON((0 0,1 1,1 0,0 0))')", 20),
        ("st_within(location, geography'SRID=25832;POINT(1 1)')", 20),
        ("st_within(location, geography'')", 20),
        ("st_within(location, 'nowhere')", 20),
        ("st_within(location, 5)", 20),
        ("st_within(location, name)", 20),
        ("st_within(name, geography'POINT(1 1)')", 10),
        ("st_within(location)", 0),
        ("st_within(location, location, location)", 0),
        ("st_relate(location, geography'POINT(1 1)')", 0),
        ("st_relate(location, geography'POINT(1 1)', 'T')", 43),
        ("geo.length(name) eq 1", 11),
        ("geo.distance(location, geography'POINT(1 1)')", 0),
        ("geo.nearest(location, geography'POINT(1 1)') eq 1", 0),
        ("location eq geography'POINT(8 51)'", 9),
        ("location gt 5", 9),
        ("geography'POINT(8 51)'", 0),
    ],
)
def test_geometries_that_are_none_are_refused_where_they_stand(
    map_: Client, condition: str, position: int
) -> None:
    reply = map_.get(f"/Locations?$filter={condition}")
    assert (reply.status, reply.json.get("position")) == (400, position), reply.body
