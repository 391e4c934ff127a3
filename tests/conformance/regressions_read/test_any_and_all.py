"""`any` and `all` behind links to many (OData 4.0 part 2 §5.1.1.10)."""

from typing import Any

import pytest

from stadtherz.base.visibility import ANONYMOUS
from stadtherz.sensorthings.tests.bodies import location, station, thing
from stadtherz.sensorthings.tests.client import Client
from stadtherz.store.public import update
from tests.conformance.regressions_read.atlas import BANK, BARE, BRIDGE, SOUTH, WEIR, shown

_NORTH = "geography'POLYGON((7 50.5, 9 50.5, 9 52, 7 52, 7 50.5))'"


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("Datastreams/any(d:d/name eq 'Weir level')", [WEIR]),
        ("Datastreams/any(d: d/name eq 'Weir level')", [WEIR]),
        ("Datastreams/any(d : d/name eq 'Weir level')", [WEIR]),
        ("Datastreams/any(stream:stream/name eq 'Weir level')", [WEIR]),
        ("Datastreams/any(d:(d/name eq 'Weir level'))", [WEIR]),
        ("Datastreams/any(d:'Weir level' eq d/name)", [WEIR]),
        ("Datastreams/any(d:not (d/name eq 'Weir level'))", [WEIR, SOUTH, BRIDGE]),
        ("Datastreams/any(d:d/id gt 0)", [WEIR, SOUTH, BRIDGE]),
        ("Datastreams/any(d:d/@iot.id gt 0)", [WEIR, SOUTH, BRIDGE]),
        ("Datastreams/any(d:d/name eq null)", []),
        ("Datastreams/any(d:d/properties/limit eq 2)", [WEIR]),
        ("Datastreams/any(d:d/name in ('Süd level', 'Bridge level'))", [SOUTH, BRIDGE]),
        ("Datastreams/any(d:endswith(d/name, 'heat') or d/name eq 'Süd level')", [WEIR, SOUTH]),
        # one entity must fit a condition, two conditions may be met by two
        ("Datastreams/any(d:d/name eq 'Weir level' and d/properties/limit eq 15)", []),
        ("Datastreams/any(d:d/name eq 'Weir level') and Datastreams/any(d:d/properties/limit eq 15)",
         [WEIR]),
        ("Datastreams/any(d:d/name eq 'Weir level') or name eq 'Bare'", [WEIR, BARE]),
        ("not Datastreams/any(d:d/name eq 'Weir level')", [SOUTH, BRIDGE, BANK, BARE]),
        ("Datastreams/any(d:d/name eq 'Weir level') eq true", [WEIR]),
        ("Datastreams/any(d:d/name eq 'Weir level') eq false", [SOUTH, BRIDGE, BANK, BARE]),
        # without a condition
        ("Datastreams/any()", [WEIR, SOUTH, BRIDGE]),
        ("not Datastreams/any()", [BANK, BARE]),
        ("MultiDatastreams/any()", []),
        ("Locations/any() and not Datastreams/any(d:d/Observations/any())", [BRIDGE]),
        # all is true where there is none
        ("Datastreams/all(d:startswith(d/name, 'Weir'))", [WEIR, BANK, BARE]),
        ("Datastreams/all(d:d/properties/limit gt 10)", [BANK, BARE]),
        ("Datastreams/any() and Datastreams/all(d:startswith(d/name, 'Weir'))", [WEIR]),
        ("not Datastreams/all(d:startswith(d/name, 'Weir'))", [SOUTH, BRIDGE]),
        ("Datastreams/all(d:d/Observations/any())", [WEIR, SOUTH, BANK, BARE]),
        # further links, to one and to many
        ("Datastreams/any(d:d/ObservedProperty/name eq 'Gauge height')", [SOUTH]),
        ("Datastreams/any(d:d/ObservedProperty/name eq 'Water level' and d/Sensor/name eq 'Float')", []),
        ("Datastreams/any(d:d/Sensor/metadata/maker eq 'Acme')", [SOUTH]),
        ("HistoricalLocations/any(h:h/Locations/any(l:l/name eq 'Here'))", [WEIR]),
        ("HistoricalLocations/any(h : h/Locations/any(l : startswith(l/name, 'T')))", [SOUTH]),
        ("HistoricalLocations/any(h:h/Locations/name eq 'Here')", [WEIR]),
        (f"Locations/any(l:st_within(l/location, {_NORTH}))", [SOUTH]),
        # two behind the same link
        ("Datastreams/any(d:Datastreams/any(e:d/name lt e/name))", [WEIR]),
        ("Datastreams/any(d:Datastreams/all(e:d/name ge e/name))", [WEIR, SOUTH, BRIDGE]),
        ("Datastreams/any(d:Datastreams/all(e:d/name ne e/name))", []),
        ("Datastreams/any(d:d/name eq 'Weir heat' and Datastreams/any(e:d/name lt e/name))", [WEIR]),
        ("Datastreams/any(d:d/name eq 'Weir level' and Datastreams/any(e:d/name lt e/name))", []),
        ("Datastreams/any(d:d/properties/limit eq 2 and Locations/any(l:d/name eq 'Weir heat'))", []),
        ("Datastreams/any(d:d/properties/limit eq 15 and Locations/any(l:d/name eq 'Weir heat'))", [WEIR]),
        # readings
        ("Datastreams/any(d:d/Observations/any(o:o/result gt 15))", [WEIR]),
        ("Datastreams/any(d:d/Observations/all(o:o/result gt 0) and d/Observations/any())", [WEIR]),
        ("Datastreams/any(d:not d/Observations/any())", [BRIDGE]),
        ("Datastreams/any(d:d/Observations/result eq 'high')", [SOUTH]),
        ("Datastreams/any(d:d/Observations/any(o:o/FeatureOfInterest/name eq 'There'))", [SOUTH]),
        ("Datastreams/any(d:d/phenomenonTime lt 2026-03-07T12:00:00Z)", [WEIR, SOUTH]),
        # names without a variable are of the outer entity
        ("Datastreams/any(d:d/name eq concat(name, ' level'))", [WEIR]),
        ("Datastreams/any(d:d/properties/limit gt properties/level)", [WEIR]),
        ("HistoricalLocations/any(h:h/Locations/any(l:l/name ne name))", [WEIR, SOUTH, BRIDGE]),
        ("Datastreams/any(d:d/Observations/any(o:o/result eq properties/level))", [WEIR]),
        ("Datastreams/any(d:d/name eq 'Weir heat' and d/Observations/any(o:o/result eq properties/level))",
         []),
    ],
)  # fmt: skip
def test_things_by_what_belongs_to_them(atlas: Client, condition: str, names: list[str]) -> None:
    assert shown(atlas, f"/Things?$filter={condition}&$orderby=id") == names
    assert atlas.get(f"/Things/$count?$filter={condition}").body == str(len(names)).encode()


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("/Datastreams?$filter=Observations/any(o:o/result eq 10)", ["Süd level"]),
        ("/Datastreams?$filter=Observations/any(o:o/result eq 1 and o/parameters/by eq 'Ann')", ["Weir level"]),
        ("/Datastreams?$filter=Observations/any(o:o/result eq 4 and o/parameters/by eq 'Ann')", []),
        ("/Datastreams?$filter=Observations/all(o:o/result gt 0)", ["Weir level", "Bridge level"]),
        ("/Datastreams?$filter=Observations/all(o:not (o/result gt 0))", ["Bridge level"]),
        ("/Datastreams?$filter=Observations/any(o:o/result gt properties/limit)", ["Weir level", "Weir heat"]),
        ("/Datastreams?$filter=Observations/any(o:o/result gt properties/limit and o/result lt 3)", ["Weir level"]),
        ("/Datastreams?$filter=Observations/all(o:o/result gt properties/limit)", ["Bridge level"]),
        ("/Datastreams?$filter=Observations/any(o:o/result gt 3) and Observations/any(o:o/result lt 0)", ["Weir heat"]),
        ("/Datastreams?$filter=Thing/Locations/any(l:l/name eq 'Here')", ["Weir level", "Weir heat"]),
        ("/Datastreams?$filter=Thing/Datastreams/any(d:d/name eq 'Weir heat')", ["Weir level", "Weir heat"]),
        ("/Observations?$filter=Datastream/Thing/Locations/any(l:l/name eq 'Here')&$orderby=result&$top=2", [-3, 1]),
        ("/Observations?$filter=Datastream/Thing/Datastreams/any(d:d/name eq 'Weir heat') and result gt 3",
         [4, 20, 20]),
        ("/Observations?$filter=not Datastream/Thing/Datastreams/any(d:d/name eq 'Weir heat') and result gt 3", [10]),
        ("/Locations?$filter=Things/any(t:t/Datastreams/any(d:d/name eq 'Süd level'))", ["There"]),
        ("/Locations?$filter=Things/all(t:t/Datastreams/Observations/result gt 3)", ["Here", "There"]),
        ("/FeaturesOfInterest?$filter=Observations/any(o:o/Datastream/Thing/name eq 'Weir')", ["Here"]),
        ("/FeaturesOfInterest?$filter=Observations/any(o:o/Datastream/Thing/Locations/any(l:l/name eq 'There'))",
         ["There"]),
        ("/Sensors?$filter=Datastreams/any(d:d/Thing/name eq 'Pegel Süd')", ["Float"]),
        ("/ObservedProperties?$filter=Datastreams/any(d:d/Thing/name eq 'Pegel Süd')", ["Gauge height"]),
        ("/Things?$expand=Datastreams($filter=Observations/any(o:o/result gt 15);$select=name)&$top=1", [WEIR]),
    ],
)  # fmt: skip
def test_every_set_by_what_belongs_to_it(atlas: Client, address: str, found: list[Any]) -> None:
    assert shown(atlas, address) == found


def test_expanded_entities_are_chosen_by_what_belongs_to_them(atlas: Client) -> None:
    inner = "$filter=Observations/any(o:o/result gt 15);$select=name"
    things = atlas.get(f"/Things?$expand=Datastreams({inner})&$select=name&$top=2").value
    assert [thing["Datastreams"] for thing in things] == [[{"name": "Weir heat"}], []]


@pytest.mark.parametrize(
    ("condition", "position"),
    [
        ("Datastreams/any(d:d eq 1)", 18),
        ("Datastreams/any(d:d/name)", 18),
        ("Datastreams/any(d:d/nothing eq 1)", 18),
        ("Datastreams/any(d:x/name eq 'a')", 18),
        ("Datastreams/any(d/name eq 'a')", 16),
        ("Datastreams/any(d)", 17),
        ("Datastreams/any(d:)", 18),
        ("Datastreams/any(:d/name eq 'a')", 16),
        ("Datastreams/any(1:d/name eq 'a')", 16),
        ("Datastreams/all()", 16),
        ("Datastreams/any(d:d/name eq 'a'", 31),
        ("Datastreams/some(d:d/name eq 'a')", 0),
        ("Things/any(d:d/name eq 'a')", 0),
        ("name/any(d:d/name eq 'a')", 0),
        ("any(d:d/name eq 'a')", 0),
        ("Datastreams/any(d:d/name eq 'a') gt 1", 33),
    ],
)
def test_what_cannot_be_read_is_refused_where_it_stands(
    atlas: Client, condition: str, position: int
) -> None:
    reply = atlas.get(f"/Things?$filter={condition}")
    assert (reply.status, reply.json.get("position")) == (400, position), reply.body


def test_a_link_to_one_has_no_any(atlas: Client) -> None:
    assert atlas.get("/Datastreams?$filter=Thing/any(t:t/name eq 'Weir')").status == 400


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("HistoricalLocations/any(h:not h/Locations/any(l:l/name eq name))", [WEIR, SOUTH, BRIDGE]),
        ("HistoricalLocations/any(h:h/Locations/all(l:l/name ne name))", [WEIR, SOUTH, BRIDGE]),
        ("HistoricalLocations/any(h:h/Locations/all(l:l/name eq name))", []),
        ("Datastreams/any(d:not d/Observations/any(o:o/result eq 4 and name eq 'Weir'))",
         [WEIR, SOUTH, BRIDGE]),
        ("Datastreams/all(d:d/Observations/any(o:o/result eq 20 or name eq 'Pegel Süd'))",
         [SOUTH, BANK, BARE]),
        ("Datastreams/all(d:not d/Observations/any(o:o/result eq properties/level))",
         [SOUTH, BRIDGE, BANK, BARE]),
    ],
)  # fmt: skip
def test_the_contrary_of_any_looks_back_over_links_to_one(
    atlas: Client, condition: str, names: list[str]
) -> None:
    assert shown(atlas, f"/Things?$filter={condition}") == names


@pytest.fixture
def shared(land: Client) -> Client:
    """Ann and Bob stand at a place named Ann, Cid alone at one named Cid."""
    place = land.post("/Locations", location("Ann")).key
    for name in ("Ann", "Bob"):
        land.post("/Things", thing(name, Locations=[{"@iot.id": place}]))
    land.post("/Things", thing("Cid", Locations=[location("Cid", 8.0)]))
    return land


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("Locations/any(l:l/Things/any(t:t/name ne name))", ["Ann", "Bob"]),
        ("Locations/any(l:l/Things/all(t:t/name eq name))", ["Cid"]),
        ("Locations/any(l:not l/Things/any(t:t/name ne name))", ["Cid"]),
        ("Locations/all(l:l/Things/any(t:t/name gt name))", ["Ann"]),
        ("not Locations/any(l:l/Things/any(t:t/name gt name and l/name eq 'Ann'))", ["Bob", "Cid"]),
        ("Locations/any(l:not l/HistoricalLocations/any(h:l/name eq name))", ["Bob"]),
        ("Locations/any(l:l/HistoricalLocations/all(h:h/Thing/name ne name))", []),
        ("Locations/any(l:l/HistoricalLocations/all(h:h/Thing/name le name))", ["Bob", "Cid"]),
        ("Locations/any(l:l/Things/all(t:t/HistoricalLocations/any(h:h/Locations/any(m:m/name eq name))))",
         ["Ann", "Cid"]),
        ("Locations/any(l:l/Things/all(t:t/HistoricalLocations/all(h:h/Locations/all(m:m/name ne name))))",
         ["Bob"]),
        ("Locations/any(l:l/Things/all(t:t/Datastreams/any() or t/name lt name))", []),
    ],
)  # fmt: skip
def test_what_is_inside_is_held_against_what_is_outside_over_links_to_many(
    shared: Client, condition: str, names: list[str]
) -> None:
    address = f"/Things?$orderby=id&$filter=name in ('Ann','Bob','Cid') and {condition}"
    assert shown(shared, address) == names


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("Locations/any(l:l/Things/any(t:t/HistoricalLocations/any(h:t/name ne name and l/name eq name)))",
         ["Ann"]),
        ("Locations/any(l:l/Things/any(t:t/HistoricalLocations/any(h:t/name ne name and l/name ne name)))",
         ["Bob"]),
        ("Locations/any(l:l/Things/all(t:t/HistoricalLocations/all(h:l/name eq name and t/name ne name)))",
         []),
        ("Locations/any(l:l/Things/all(t:t/HistoricalLocations/all(h:l/name eq t/name or t/name ne name)))",
         ["Ann", "Cid"]),
        ("not Locations/any(l:l/Things/any(t:t/HistoricalLocations/any(h:t/name ne name and l/name eq name)))",
         ["Bob", "Cid"]),
    ],
)  # fmt: skip
def test_three_entities_are_held_against_each_other(
    shared: Client, condition: str, names: list[str]
) -> None:
    address = f"/Things?$orderby=id&$filter=name in ('Ann','Bob','Cid') and {condition}"
    assert shown(shared, address) == names


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("/Things?$filter=Locations/any(l:l/Things/all(t:t/Datastreams/Observations/result gt properties/level))",
         [WEIR, SOUTH]),
        ("/Things?$filter=Locations/any(l:l/Things/any(t:t/Datastreams/any(d:d/Observations/any("
         "o:o/result eq properties/level and l/name eq 'Here'))))", [WEIR]),
        ("/Things?$filter=Locations/any(l:Datastreams/any(d:d/Observations/any(o:o/parameters/by lt l/name)))",
         [WEIR]),
        ("/Things?$filter=Locations/any(l:not Datastreams/any(d:d/Observations/any(o:o/parameters/by lt l/name)))",
         [SOUTH, BRIDGE]),
        ("/Things?$filter=Datastreams/Observations/parameters/by lt Locations/name and Locations/name ne 'There'",
         [WEIR]),
        ("/Observations?$filter=Datastream/Thing/Datastreams/any(d:d/properties/limit gt 0 and d/properties/limit eq result add 12.5)", [2.5]),
        ("/Observations?$filter=Datastream/Thing/Datastreams/all(d:d/properties/limit gt result)&$orderby=result",
         [-3, 1]),
        ("/Observations?$filter=Datastream/Thing/Locations/any(l:l/name gt parameters/by)", [1]),
    ],
)  # fmt: skip
def test_readings_are_held_against_what_is_elsewhere(
    atlas: Client, address: str, found: list[Any]
) -> None:
    assert shown(atlas, address) == found


@pytest.mark.parametrize(
    "condition",
    [
        "Datastreams/any(d:Datastreams/any(e:d/Observations/result gt e/Observations/result))",
        "Datastreams/Observations/result gt MultiDatastreams/Observations/result",
    ],
)
def test_readings_of_two_sets_are_not_held_against_each_other(
    atlas: Client, condition: str
) -> None:
    reply = atlas.get(f"/Things?$filter={condition}")
    assert (reply.status, "Observations" in reply.message) == (400, True)


def test_a_reading_of_too_many_is_refused(land: Client) -> None:
    """Each of those that a reading belongs to costs a look at readings."""
    body = station("Crowd", results=(1,))
    body["Locations"] = [location(f"Place {number}") for number in range(60)]
    assert land.post("/Things", body).status == 201
    reply = land.get("/Observations?$filter=Datastream/Thing/Locations/name eq result")
    assert (reply.status, "more than 50" in reply.message) == (400, True)


def test_nobody_learns_of_entities_that_they_may_not_see(land: Client) -> None:
    key = land.post("/Things", station("Secret", results=(7,))).key
    stream = land.get(f"/Things({key})/Datastreams").ids[0]
    update("Datastream", stream, {"access": "organisation"}, land.visibility)
    visitor = Client(ANONYMOUS)
    for condition in (
        "Datastreams/any()",
        "Datastreams/any(d:d/name eq 'Secret level')",
        "Datastreams/any(d:d/Observations/any(o:o/result eq 7))",
        "not Datastreams/all(d:d/name ne 'Secret level')",
    ):
        address = f"/Things?$filter=name eq 'Secret' and {condition}"
        assert (len(land.get(address).value), visitor.get(address).value) == (1, []), condition
