"""Geospatial functions (18-088 table 25) over points, lines and areas."""

from collections.abc import Callable

import pytest

from stadtherz.sensorthings.tests.bodies import location
from stadtherz.sensorthings.tests.client import Client

Found = Callable[[str, str], list[str]]
WEST, MIDDLE, EAST = "Lauter bridge", "Alsenz bridge", "100% Glan_x bridge"
_BOX = "geography'POLYGON((7.75 49, 7.85 49, 7.85 50, 7.75 50, 7.75 49))'"


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("geo.distance(location, geography'POINT(7.7 49.44)') lt 0.05", [WEST]),
        ("geo.distance(geography'POINT (7.7 49.44)', location) gt 0.15", [EAST]),
        (f"st_within(location, {_BOX})", [MIDDLE]),
        (f"st_contains({_BOX}, location)", [MIDDLE]),
        (f"not st_within(location, {_BOX})", [WEST, EAST]),
        (f"geo.intersects(location, {_BOX})", [MIDDLE]),
        (f"st_intersects(location, {_BOX}) eq true", [MIDDLE]),
        (f"st_disjoint(location, {_BOX})", [WEST, EAST]),
        ("st_equals(location, geography'POINT(7.7 49.44)')", [WEST]),
        ("st_touches(location, geography'LINESTRING(7.7 49.44, 7.7 50)')", [WEST]),
        ("st_crosses(location, geography'LINESTRING(7 49, 8 50)')", []),
        (f"st_overlaps(location, {_BOX})", []),
        (f"st_relate(location, {_BOX}, 'T********')", [MIDDLE]),
        ("geo.length(geography'LINESTRING(7 49, 8 49)') eq 1 and name eq 'Lauter bridge'", [WEST]),
    ],
)
def test_geospatial_functions(found: Found, condition: str, names: list[str]) -> None:
    assert found("Locations", condition) == names


def test_places_are_found_over_links(found: Found) -> None:
    assert found("Things", f"st_within(Locations/location, {_BOX})") == ["Alsenz"]
    assert found("Datastreams", f"st_within(Thing/Locations/location, {_BOX})") == ["Alsenz level"]


def test_observations_are_found_by_their_feature(city: Client) -> None:
    inside = city.get(f"/Observations?$filter=st_within(FeatureOfInterest/feature, {_BOX})").value
    assert [o["result"] for o in inside] == [10, 20, -3]


def test_a_feature_counts_with_its_geometry(api: Client) -> None:
    place = {"type": "Feature", "properties": {"storey": 1}, "geometry": location()["location"]}
    key = api.post("/Locations", location(location=place)).key
    assert api.get(f"/Locations({key})").json["location"] == place
    near = "geo.distance(location, geography'POINT(7.77 49.44)') eq 0"
    assert api.get(f"/Locations?$filter={near}").ids == [key]


@pytest.mark.parametrize(
    "wkt",
    ["POINT", "POINT(1)", "POINT(200 10)", "CIRCLE(1 2 3)", "POLYGON((0 0, 1 1, 1 0))", "POINT EMPTY",
     "POLYGON((0 0, 1 1, 0 1, 1 0, 0 0))", "CIRCULARSTRING(0 0, 1 1, 2 0)", ""],
)  # fmt: skip
def test_geometries_that_are_none_are_refused(city: Client, wkt: str) -> None:
    reply = city.get(f"/Locations?$filter=st_within(location, geography'{wkt}')")
    assert reply.status == 400, reply.body


@pytest.mark.parametrize("pattern", ["", "T", "ZZZZZZZZZ", "T*F**F****", "t*f**f***"])
def test_patterns_of_relations_that_are_none_are_refused(city: Client, pattern: str) -> None:
    text = f"st_relate(location, {_BOX}, '{pattern}')"
    reply = city.get(f"/Locations?$filter={text}")
    assert (reply.status, reply.json.get("position")) == (400, text.index(f"'{pattern}'"))


def test_a_location_that_is_a_text_is_compared_as_one(api: Client, city: Client) -> None:
    """18-088 §8.2.2: the encoding says what it is; an address is no geometry."""
    body = location("Town hall") | {"encodingType": "text/plain", "location": "Kirchgasse 1"}
    key = api.post("/Locations", body).key
    assert city.get("/Locations?$filter=location eq 'Kirchgasse 1'").ids == [key]
    assert city.get("/Locations?$filter='Kirchgasse 1' eq location").ids == [key]
    others = city.get("/Locations?$filter=location ne 'Kirchgasse 1'").ids
    assert (len(others), key in others) == (3, False)
    assert city.get("/Locations?$filter=contains(location,'Kirchgasse')").status == 400
