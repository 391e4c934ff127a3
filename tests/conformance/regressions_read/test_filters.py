"""$filter: operators, kinds of values, JSON, texts, numbers and their edges (18-088 tables 24 and 25)."""

from typing import Any

import pytest

from stadtherz.sensorthings.tests.client import Client
from tests.conformance.regressions_read.atlas import BANK, BARE, BRIDGE, EVERY, SOUTH, WEIR, shown


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        # comparison and its neighbours
        ("name eq 'Weir'", [WEIR]),
        ("'Weir' eq name", [WEIR]),
        ("name ne 'Weir'", [SOUTH, BRIDGE, BANK, BARE]),
        ("name gt 'P'", [WEIR, SOUTH]),
        ("name ge 'Pegel Süd'", [WEIR, SOUTH]),
        ("name lt 'Bare'", [BANK]),
        ("name le 'Bare'", [BANK, BARE]),
        ("name in ('Weir', 'Bare', 'nobody')", [WEIR, BARE]),
        ("not (name in ('Weir', 'Bare'))", [SOUTH, BRIDGE, BANK]),
        ("name eq null", []),
        ("name ne null", EVERY),
        ("name gt null", []),
        ("null eq null", EVERY),
        ("null ne null", []),
        ("1 eq 1", EVERY),
        ("'a' eq 'a' and 1 lt 2 and true ne false", EVERY),
        ("true", EVERY),
        ("false", []),
        # precedence: not, comparisons, and, or; mul before add; from the left
        ("name eq 'Weir' or name eq 'Bare' and name eq 'x'", [WEIR]),
        ("(name eq 'Weir' or name eq 'Bare') and name eq 'x'", []),
        ("not name eq 'Weir' and name ne 'Bare'", [SOUTH, BRIDGE, BANK]),
        ("not (name eq 'Weir' and name ne 'Bare')", [SOUTH, BRIDGE, BANK, BARE]),
        ("not not (name eq 'Weir')", [WEIR]),
        ("true or false and false", EVERY),
        ("2 add 3 mul 4 eq 14", EVERY),
        ("(2 add 3) mul 4 eq 20", EVERY),
        ("10 sub 4 sub 3 eq 3", EVERY),
        ("2 mul 3 mod 4 eq 2", EVERY),
        ("1 add 1 eq 2 and 1 add 1 lt 3", EVERY),
        ("((((name eq 'Weir'))))", [WEIR]),
        # numbers
        ("properties/level eq 2", [SOUTH]),
        ("properties/level eq 2.0", [SOUTH]),
        ("properties/level eq 2e0", [SOUTH]),
        ("properties/level eq '2'", [SOUTH, BANK]),
        ("2 eq properties/level", [SOUTH]),
        ("properties/level gt 1", [SOUTH, BRIDGE]),
        ("properties/level ge 1 and properties/level lt 10", [WEIR, SOUTH]),
        ("properties/level in (1, 10)", [WEIR, BRIDGE]),
        ("properties/level ne 2", [WEIR, BRIDGE, BANK, BARE]),
        ("not (properties/level gt 1)", [WEIR, BANK, BARE]),
        ("properties/ratio lt 0", [BRIDGE]),
        ("properties/ratio eq -2.5", [BRIDGE]),
        ("-properties/ratio eq 2.5", [BRIDGE]),
        ("properties/ratio mul -1 gt 2", [BRIDGE]),
        ("properties/level add properties/ratio eq 1.5", [WEIR]),
        ("properties/level sub -1 eq 3", [SOUTH]),
        ("properties/level div 4 eq 2.5", [BRIDGE]),
        ("properties/level mod 3 eq 1", [WEIR, BRIDGE]),
        ("-properties/level mod 3 eq -1", [WEIR, BRIDGE]),
        ("7.5 mod 2 eq 1.5", EVERY),
        ("7 div 2 eq 3", EVERY),
        ("-7 div 2 eq -3", EVERY),
        ("7.0 div 2 eq 3.5", EVERY),
        ("properties/level div 0 eq null", EVERY),
        ("properties/level mod 0 eq 1", []),
        ("1 div 0 gt 1", []),
        ("properties/level add 1 eq null", [BANK, BARE]),
        ("round(properties/ratio) eq 1", [WEIR]),
        ("round(properties/ratio) eq 2", [SOUTH]),
        ("round(properties/ratio) eq -3", [BRIDGE]),
        ("floor(properties/ratio) eq -3", [BRIDGE]),
        ("floor(properties/ratio) eq 0", [WEIR]),
        ("ceiling(properties/ratio) eq -2", [BRIDGE]),
        ("ceiling(properties/ratio) eq 1", [WEIR]),
        ("round(2.5) eq 3 and round(-2.5) eq -3 and round(2.4) eq 2", EVERY),
        ("floor(-0.5) eq -1 and ceiling(-0.5) eq 0", EVERY),
        ("round(properties/missing) eq null", EVERY),
        # truth
        ("properties/active", [WEIR, BRIDGE]),
        ("properties/active eq true", [WEIR, BRIDGE]),
        ("properties/active eq false", [SOUTH]),
        ("properties/active ne true", [SOUTH, BANK, BARE]),
        ("not properties/active", [SOUTH]),
        ("not (properties/active eq true)", [SOUTH, BANK, BARE]),
        ("properties/active eq 'true'", [BANK]),
        ("true eq properties/active", [WEIR, BRIDGE]),
        # nothing
        ("properties eq null", [BARE]),
        ("properties ne null", [WEIR, SOUTH, BRIDGE, BANK]),
        ("properties/owner eq null", [BRIDGE, BANK, BARE]),
        ("properties/owner/phone eq null", EVERY),
        ("properties/missing eq null", EVERY),
        ("properties/missing ne null", []),
        ("properties/missing eq 1", []),
        ("properties/missing/deeper/still eq null", EVERY),
        # ways into JSON
        ("properties/owner/name eq 'Land'", [SOUTH]),
        ("properties/tags[0] eq 'wet'", [WEIR]),
        ("properties/tags/1 eq 'north'", [WEIR]),
        ("properties/tags[7] eq null", EVERY),
        ("properties/grid[1][0] eq 3", [WEIR]),
        ("properties/parts[1]/n eq 2", [WEIR]),
        ("properties/parts/0/id eq 'p1'", [WEIR]),
        ("properties/my-key eq 'dash'", [WEIR]),
        ("properties/under_score eq 'line'", [WEIR]),
        ("properties/Straße eq 'Mühlgasse'", [WEIR]),
        ("properties/a.b eq 'dot'", [WEIR]),
        ("properties/level eq properties/ratio mul 2", [WEIR, BARE]),
        # texts
        ("contains(name, 'eir')", [WEIR]),
        ("substringof('eir', name)", [WEIR]),
        ("substringof('%25', name)", [BANK]),
        ("substringof('_', name)", [BANK]),
        ("contains(properties/code, '%25')", [BRIDGE]),
        ("contains(name, '')", EVERY),
        ("startswith(name, 'B')", [BARE]),
        ("startswith(name, '%25')", []),
        ("endswith(name, '_bank')", [BANK]),
        ("endswith(name, 'xbank')", []),
        ("contains(name, 'EIR')", []),
        ("contains(name, 'eir') eq true", [WEIR]),
        ("contains(name, 'eir') eq false", [SOUTH, BRIDGE, BANK, BARE]),
        ("contains(name, 'eir') ne true", [SOUTH, BRIDGE, BANK, BARE]),
        ("true eq contains(name, 'eir')", [WEIR]),
        ("not contains(name, 'eir')", [SOUTH, BRIDGE, BANK, BARE]),
        ("startswith(properties/code, 'A')", [WEIR]),
        ("not startswith(properties/code, 'A')", [SOUTH, BRIDGE, BANK]),
        ("startswith(properties/code, 'A') eq false", [SOUTH, BRIDGE, BANK]),
        ("startswith(properties/code, 'A') ne true", [SOUTH, BRIDGE, BANK, BARE]),
        ("startswith(properties/code, 'A') eq null", [BARE]),
        ("startswith(name, null)", []),
        ("length(name) eq 9", [SOUTH, BANK]),
        ("length(properties/code) eq null", [BARE]),
        ("length(properties/level) eq 1", [BANK]),
        ("length('') eq 0", EVERY),
        ("indexof(name, 'W') eq 0", [WEIR]),
        ("indexof(name, 'e') eq 1", [WEIR, SOUTH]),
        ("indexof(name, 'nowhere') eq -1", EVERY),
        ("substring(name, 1) eq 'eir'", [WEIR]),
        ("substring(name, 1, 2) eq 'ei'", [WEIR]),
        ("substring(name, 6) eq 'Süd'", [SOUTH]),
        ("substring(name, 100) eq ''", EVERY),
        ("substring(name, 0, 0) eq ''", EVERY),
        ("tolower(name) eq 'pegel süd'", [SOUTH]),
        ("toupper(name) eq 'PEGEL SÜD'", [SOUTH]),
        ("toupper(substring(name, 0, 1)) eq 'W'", [WEIR]),
        ("trim('  Weir ') eq name", [WEIR]),
        ("concat(name, '!') eq description", EVERY),
        ("concat(concat(name, ': '), properties/code) eq 'Weir: A-1'", [WEIR]),
        ("concat(name, properties/missing) eq null", EVERY),
        # how a text or a blank is written in an address
        ("name eq 'O''Neill''s bridge'", [BRIDGE]),
        ("name%20eq%20%27O%27%27Neill%27%27s%20bridge%27", [BRIDGE]),
        ("name%09eq%0A'Weir'", [WEIR]),
        ("  name   eq   'Weir'  ", [WEIR]),
        ("name eq 'Pegel S%C3%BCd'", [SOUTH]),
        ("name eq 'Pegel Su%CC%88d'", []),
        ("name eq '\U0001f30a'", []),
        ("name eq '100%25_bank'", [BANK]),
        ("name eq 'Weir%26x=1'", []),
        ("contains(name,'Weir')and(true)", [WEIR]),
        # ids, with and without quotes
        ("id eq id and name eq 'Weir'", [WEIR]),
        ("@iot.id eq id", EVERY),
        ("id gt '0'", EVERY),
        ("id lt 0", []),
        ("id eq 9223372036854775807", []),
        ("id eq 123456789012345678901234567890", []),
        # links
        ("Datastreams/name eq 'Weir level'", [WEIR]),
        ("Datastreams/id eq null", [BANK, BARE]),
        ("Datastreams/id ne null", [WEIR, SOUTH, BRIDGE]),
        ("Locations/name eq 'There'", [SOUTH]),
        ("Datastreams/ObservedProperty/name eq 'Gauge height'", [SOUTH]),
        ("Datastreams/unitOfMeasurement/symbol eq '°C'", [WEIR]),
        ("Datastreams/properties/limit gt properties/level", [WEIR]),
        ("Datastreams/Observations/result eq 'high'", [SOUTH]),
        ("Datastreams/Observations/result eq properties/level", [WEIR]),
        ("Datastreams/Observations/FeatureOfInterest/name eq 'There'", [SOUTH]),
        ("HistoricalLocations/Locations/name eq 'Here'", [WEIR]),
        ("Datastreams/Sensor/metadata/maker eq 'Acme'", [SOUTH]),
        ("Datastreams/name eq 'Weir level' and Datastreams/properties/limit eq 15", []),
    ],
)  # fmt: skip
def test_things(atlas: Client, condition: str, names: list[str]) -> None:
    assert shown(atlas, f"/Things?$filter={condition}&$orderby=id") == names


_OBJECT = {"a": {"b": 1}, "c": [1, 2]}


@pytest.mark.parametrize(
    ("condition", "results"),
    [
        ("result eq 20", [20, 20]),
        ("result eq 20.0", [20, 20]),
        ("result eq '20'", [20, 20]),
        ("result gt 3", [4, 20, 20, 10]),
        ("result lt 0", [-3]),
        ("result eq 2.5", [2.5]),
        ("result in (1, 'high', true)", [1, "high", True]),
        ("result eq 'high'", ["high"]),
        ("result gt 'a'", ["high"]),
        ("result eq true", [True]),
        ("result eq false", [False]),
        ("result", [True]),
        ("not result", [False]),
        ("result eq null", [None]),
        ("result ne null", [1, 2.5, 4, -3, 20, 20, 10, "high", True, _OBJECT, [1, 2, 3], False]),
        ("result/a/b eq 1", [_OBJECT]),
        ("result/c[1] eq 2", [_OBJECT]),
        ("result[0] eq 1", [[1, 2, 3]]),
        ("result/0 eq 1", [[1, 2, 3]]),
        ("result add 1 eq 21", [20, 20]),
        ("result mul result eq 16", [4]),
        ("-result eq 3", [-3]),
        ("result div 2 eq 1.25", [2.5]),
        ("round(result) eq 3", [2.5]),
        ("length(result) eq 4", ["high"]),
        ("startswith(result, 'h')", ["high"]),
        ("resultQuality eq 'good'", [1]),
        ("resultQuality eq 2", [2.5]),
        ("resultQuality/DQ/code eq 2", [4]),
        ("resultQuality[0]/code eq 7", [-3]),
        ("parameters/depth eq 1", [1]),
        ("parameters/by eq 'Ann'", [1]),
        ("parameters ne null", [1]),
        ("resultTime eq null and result eq 20", [20, 20]),
        ("fractionalseconds(resultTime) eq 0.25", [2.5]),
        ("second(resultTime) eq 1", [2.5]),
        ("validTime ne null", [4]),
        ("Datastream/name eq 'Weir heat'", [-3, 20, 20]),
        ("Datastream/Thing/name eq 'Weir' and result lt 2", [1, -3]),
        ("Datastream/Thing/properties/level eq 2 and result eq true", [True]),
        ("Datastream/Thing/Locations/name eq 'There' and result gt 5", [10]),
        ("Datastream/Sensor/metadata/year eq 2020 and result eq 'high'", ["high"]),
        ("Datastream/ObservedProperty/name eq 'Gauge height' and result eq false", [False]),
        ("Datastream/unitOfMeasurement/symbol eq '°C' and result gt 0", [20, 20]),
        ("FeatureOfInterest/name eq 'Here' and result gt 3", [4, 20, 20]),
        ("result gt Datastream/properties/limit", [2.5, 4, 20, 20]),
        ("result gt Datastream/properties/limit add 2", [20, 20]),
        ("result eq Datastream/Thing/properties/level", [1]),
        ("Datastream/id eq null", []),
        ("MultiDatastream/id ne null", []),
    ],
)  # fmt: skip
def test_observations(atlas: Client, condition: str, results: list[Any]) -> None:
    """1, 2.5, 4 and -3, 20, 20 of the weir; a number and all that is none of the south."""
    found = shown(atlas, f"/Observations?$filter={condition}&$orderby=id")
    assert [(type(value), value) for value in found] == [(type(value), value) for value in results]


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("/Datastreams?$filter=Thing/name eq 'Weir'", ["Weir level", "Weir heat"]),
        ("/Datastreams?$filter=unitOfMeasurement/name eq 'degree'", ["Weir heat"]),
        ("/Datastreams?$filter=phenomenonTime eq null", ["Bridge level"]),
        ("/Datastreams?$filter=resultTime ne null", ["Weir level"]),
        ("/Datastreams?$filter=observedArea eq null", ["Bridge level"]),
        ("/Datastreams?$filter=observedArea/coordinates[1] eq 51", ["Süd level"]),
        ("/Datastreams?$filter=Observations/result gt properties/limit and Observations/result lt 3", ["Weir level"]),
        ("/Datastreams?$filter=Observations/result eq null", ["Süd level", "Bridge level"]),
        # who has none at all fulfils it beside other conditions, too
        ("/Datastreams?$filter=Observations/result gt 3 or Observations/result eq null",
         ["Weir level", "Weir heat", "Süd level", "Bridge level"]),
        ("/Datastreams?$filter=(Observations/result gt 4 or Observations/result eq null) or name eq 'x'",
         ["Weir heat", "Süd level", "Bridge level"]),
        ("/Datastreams?$filter=Observations/result eq null and Observations/validTime eq null",
         ["Süd level", "Bridge level"]),
        ("/Datastreams?$filter=Observations/result eq null and Observations/result gt 3", []),
        ("/Sensors?$filter=metadata/maker eq 'Acme'", ["Float"]),
        ("/Sensors?$filter=metadata/year gt 2019", ["Float"]),
        ("/Sensors?$filter=startswith(metadata, 'https:') and Datastreams/Thing/name eq 'Weir'", ["Radar", "Radar"]),
        ("/ObservedProperties?$filter=definition eq 'https://example.org/gauge-height'", ["Gauge height"]),
        ("/Locations?$filter=Things/Datastreams/name eq 'Süd level'", ["There"]),
        ("/Locations?$filter=encodingType eq 'application/geo%2Bjson' and name ne 'Here'", ["There", "South"]),
        ("/FeaturesOfInterest?$filter=Observations/result eq 'high'", ["There"]),
        ("/HistoricalLocations?$filter=Thing/name eq 'Nobody'", []),
        ("/Things(1)/Datastreams?$filter=name eq 'x'", []),
    ],
)  # fmt: skip
def test_other_sets(atlas: Client, address: str, names: list[str]) -> None:
    thing = atlas.get("/Things?$filter=name eq 'Weir'").ids[0]
    assert shown(atlas, address.replace("Things(1)", f"Things({thing})")) == names


@pytest.mark.parametrize(
    ("condition", "position"),
    [
        # not a condition
        ("", 0), ("name", 0), ("5", 0), ("'text'", 0), ("null", 0), ("name add 1", 5), ("length(name)", 0),
        ("not 5", 4), ("not name", 4), ("id", 0), ("Datastreams", 0),
        # half of one
        ("name eq", 7), ("eq 'x'", 0), ("name eq 'x' and", 15), ("name eq 'x' or or true", 15),
        ("(name eq 'x'", 12), ("name eq 'x')", 11), ("name eq 'x", 8), ("name eq ''x'", 11),
        ("name eq 'x' name eq 'y'", 12), ("name eq eq 'x'", 8), ("name 'x'", 5), ("()", 1),
        # kinds that cannot be compared, whatever is stored
        ("name eq 5", 5), ("name lt 5", 5), ("name eq true", 5), ("5 eq name", 2), ("id eq 'x'", 3), ("id eq true", 3),
        ("name add 1 eq 2", 5), ("-name eq 1", 0), ("length(5) eq 1", 7), ("year(name) eq 1", 5),
        ("round(name) eq 1", 6), ("substring(name, 'x') eq ''", 16), ("contains(name, 5)", 15),
        ("true gt false", 5), ("name in (1, 2)", 5), ("name in 'x'", 8), ("name in ()", 5),
        # names that are none, and names of another case
        ("Name eq 'x'", 0), ("NAME eq 'x'", 0), ("nothing eq 1", 0), ("name/deeper eq 1", 0), ("datastreams/name eq 'x'", 0),
        ("Datastreams/Name eq 'x'", 0), ("result eq 1", 0), ("name EQ 'x'", 5), ("name eq 'x' AND true", 12),
        ("nothing(name) eq 1", 0), ("length() eq 1", 0), ("length(name, name) eq 1", 0), ("concat('a') eq 'a'", 0),
        # characters and values that are none
        ("name eq \"x\"", 8), ("name = 'x'", 5), ("name == 'x'", 5), ("name eq 'x' && true", 12), ("name eq #1", 8), ("name eq {}", 8),
        ("id eq 1.2.3", 6), ("id eq 1e999", 6), ("id eq 0x10", 6), ("id eq 1 2", 8), ("name eq '%00'", 8),
    ],
)  # fmt: skip
def test_mistakes_are_refused_where_they_stand(
    atlas: Client, condition: str, position: int
) -> None:
    reply = atlas.get(f"/Things?$filter={condition.replace('&', '%26').replace('#', '%23')}")
    assert (reply.status, reply.json.get("position")) == (400, position), reply.body


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("(" * 200 + "true" + ")" * 200, "levels deep"),
        (" or ".join(["id eq 1"] * 200), "more than 200 terms"),
        ("name eq '" + "x" * 9_000 + "'", "longer than"),
        ("1" + " div 1" * 30 + " eq 1", "inside one another"),
    ],
    ids=["deep", "many", "long", "tall"],
)
def test_limits_explain_themselves(atlas: Client, condition: str, why: str) -> None:
    reply = atlas.get(f"/Things?$filter={condition}")
    assert (reply.status, why in reply.message) == (400, True), reply.body
