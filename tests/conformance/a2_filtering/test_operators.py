"""req/request-data/filter and built-in-filter-operations (18-088 table 24)."""

from collections.abc import Callable

import pytest

from stadtherz.sensorthings.tests.bodies import station
from stadtherz.sensorthings.tests.client import Client

Found = Callable[[str, str], list[str]]
LAUTER, ALSENZ, GLAN = "Lauter", "Alsenz", "100% Glan_x"


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("name eq 'Lauter'", [LAUTER]),
        ("name ne 'Lauter'", [ALSENZ, GLAN]),
        ("name gt 'B'", [LAUTER]),
        ("name ge 'Alsenz'", [LAUTER, ALSENZ]),
        ("name lt 'Alsenz'", [GLAN]),
        ("name le 'Alsenz'", [ALSENZ, GLAN]),
        ("'Lauter' eq name", [LAUTER]),
        ("name eq 'Lauter' or name eq 'Alsenz'", [LAUTER, ALSENZ]),
        ("name ne 'Lauter' and name ne 'Alsenz'", [GLAN]),
        ("not name eq 'Lauter'", [ALSENZ, GLAN]),
        ("not (name eq 'Lauter' or name eq 'Alsenz')", [GLAN]),
        ("name eq 'Lauter' or name eq 'Alsenz' and name eq 'x'", [LAUTER]),
        ("(name eq 'Lauter' or name eq 'Alsenz') and name eq 'x'", []),
        ("name in ('Lauter', 'Alsenz')", [LAUTER, ALSENZ]),
        ("not name in ('Lauter')", [ALSENZ, GLAN]),
        ("properties/depth in (1, 3)", [LAUTER, GLAN]),
        ("properties/depth gt 1", [ALSENZ, GLAN]),
        ("properties/depth eq 1.0", [LAUTER]),
        ("properties/depth eq '2'", [ALSENZ]),
        ("properties/river/name eq 'Lauter river'", [LAUTER]),
        ("properties/tags/1 eq 'Alsenz'", [ALSENZ]),
        ("properties/depth eq +2", [ALSENZ]),
        ("properties/depth gt +1.5e0", [ALSENZ, GLAN]),
        ("properties/missing eq null", [LAUTER, ALSENZ, GLAN]),
        ("properties/missing ne null", []),
        ("properties/missing ne 5", [LAUTER, ALSENZ, GLAN]),
        ("properties/missing gt 5", []),
        ("not (properties/missing gt 5)", [LAUTER, ALSENZ, GLAN]),
        ("properties/depth add 1 eq 3", [ALSENZ]),
        ("properties/depth sub 1 eq 0", [LAUTER]),
        ("properties/depth mul 2 gt 4", [GLAN]),
        ("properties/depth div 2 eq 1.5", [GLAN]),
        ("properties/depth mod 2 eq 0", [ALSENZ]),
        ("properties/depth div 0 eq 1", []),
        ("-properties/depth lt -2", [GLAN]),
        ("1 add 2 mul 3 eq 7 and properties/depth eq 1", [LAUTER]),
        ("(1 add 2) mul 3 eq 9 and 10 sub 4 sub 3 eq 3", [LAUTER, ALSENZ, GLAN]),
        ("true", [LAUTER, ALSENZ, GLAN]),
        ("false or name eq 'Lauter'", [LAUTER]),
        ("@iot.id eq id and Datastreams/@iot.id gt '0' and name eq 'Alsenz'", [ALSENZ]),
    ],
)
def test_operators_and_their_precedence(found: Found, condition: str, names: list[str]) -> None:
    assert found("Things", condition) == names


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("Datastreams/name eq 'Lauter level'", [LAUTER]),
        ("Datastreams/ObservedProperty/name eq 'Level 2'", [ALSENZ]),
        ("Datastreams/unitOfMeasurement/symbol eq 'cm'", [LAUTER, ALSENZ, GLAN]),
        ("Locations/name eq '100% Glan_x bridge'", [GLAN]),
        ("Datastreams/Observations/result gt 15", [ALSENZ]),
        ("Datastreams/Observations/result eq 'high'", [GLAN]),
        ("Datastreams/Observations/FeatureOfInterest/name eq 'Lauter bridge'", [LAUTER]),
        ("Datastreams/name eq 'Lauter level' and Datastreams/Sensor/name eq 'x'", []),
        ("Datastreams/phenomenonTime gt 2026-03-01T00:00:00Z", []),
        ("Datastreams/phenomenonTime lt 2026-03-01T00:00:00Z", [LAUTER, ALSENZ, GLAN]),
        ("Datastreams/id eq Datastreams/id and name eq 'Alsenz'", [ALSENZ]),
    ],
)
def test_filters_look_through_links(found: Found, condition: str, names: list[str]) -> None:
    """§9.3.3.5.1: properties of linked entities; of many, one that fits is enough"""
    assert found("Things", condition) == names


@pytest.mark.parametrize(
    ("condition", "results"),
    [
        ("result gt 3", [4, 10, 20]),
        ("result eq '4'", [4]),
        ("result ne '4' and result ne 1", [2.5, 10, 20, -3, "high", True, {"state": "ok"}]),
        ("result eq 'high'", ["high"]),
        ("result eq true", [True]),
        ("result/state eq 'ok'", [{"state": "ok"}]),
        ("Datastream/name eq 'Lauter level'", [1, 2.5, 4]),
        ("Datastream/Thing/name eq 'Alsenz' and result lt 15", [10, -3]),
        ("Datastream/Thing/Locations/name eq 'Alsenz bridge'", [10, 20, -3]),
        ("FeatureOfInterest/name eq 'Lauter bridge' or result eq 20", [1, 2.5, 4, 20]),
        ("result gt Datastream/properties/limit", [4, 10, 20]),
        ("result gt Datastream/properties/limit mul 4", [20]),
        ("parameters/battery eq 21", [20]),
        ("not (Datastream/Thing/properties/depth lt 3)", ["high", True, {"state": "ok"}]),
        ("Datastream/Thing/properties/depth eq 1 or Datastream/Thing/properties/depth eq 2 and result eq 10",
         [1, 2.5, 4, 10]),
        ("FeatureOfInterest/id eq null", []),
    ],
)  # fmt: skip
def test_filters_on_observations(city: Client, condition: str, results: list[object]) -> None:
    readings = city.get(f"/Observations?$filter={condition}").value
    assert [o["result"] for o in readings] == results


def test_conditions_on_the_same_linked_entity_are_met_by_one(api: Client) -> None:
    """Two datastreams that fit one half each do not make their Thing fit."""
    body = station("Two")
    body["Datastreams"].append({**body["Datastreams"][0], "name": "other", "description": "odd"})
    api.post("/Things", body)
    both = "Datastreams/name eq 'other' and Datastreams/description eq "
    assert api.get(f"/Things?$filter={both} 'odd'&$count=true").json["@iot.count"] == 1
    assert api.get(f"/Things?$filter={both} 'every ten minutes'").value == []


@pytest.mark.parametrize(
    "condition",
    ["name", "name eq", "eq 5", "name eq 'x", "(name eq 'x'", "name eq 'x')", "name eq 5",
     "nothing eq 5", "Datastreams eq 5", "name/deep eq 5", "name eq 'x' andd name eq 'y'", "5",
     "name add 5 eq 3", "nothing(name) eq 5", "length(name, name) eq 1", "length() eq 1",
     "length(properties) gt true", "name in ()", "name in 5", "not 5", "-name eq 1", "null",
     "id eq 1e999", "name eq 'a' 'b'", "🙂 eq 1", "name gt true", "properties/depth eq duration'X'",
     "phenomenonTime gt 5", "result eq 5", "year(name) eq 1", "a/b/c eq 1"],
)  # fmt: skip
def test_filters_that_cannot_be_read_are_refused_with_their_position(
    city: Client, condition: str
) -> None:
    reply = city.get(f"/Things?$filter={condition}")
    assert (reply.status, "position" in reply.json) == (400, True), reply.body
