"""conf/api/read/options/filter: `cast` of version 2.0 (OData 4.01 part 2 §5.1.1.10.1), and `in` lists."""

from typing import Any

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, in_version_2
from stadtherz.store.public import seal

PROPERTIES: dict[str, dict[str, Any]] = {
    "one": {"level": 6, "ok": True, "day": "2026-01-02", "tags": ["wet", "old"], "codes": [1, 2]},
    "two": {"level": "6.5", "ok": "true", "day": "2026-01-03T00:30:00+01:00", "tags": "wet"},
    "three": {"level": "high", "ok": "yes", "day": "tomorrow", "tags": []},
    "four": {},
}


@pytest.fixture
def things(api: Client) -> Client:
    for name, properties in PROPERTIES.items():
        assert api.post("/Things", bodies.thing(name=name, properties=properties)).status == 201
    return api


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("cast(properties/level,Edm.Double) gt 5", ["one", "two"]),
        ("cast(properties/level,'Edm.Double') gt 6", ["two"]),
        ("cast(properties/level,Edm.Int32) eq 7", ["two"]),
        ("cast(properties/level,Edm.Byte) add 250 gt 255", ["one", "two"]),
        ("cast(properties/level,Edm.Decimal) eq null", ["four", "three"]),
        ("cast(properties/level,Edm.String) eq '6'", ["one"]),
        ("startswith(cast(properties/level,Edm.String),'6')", ["one", "two"]),
        ("cast(properties/ok,Edm.Boolean)", ["one", "two"]),
        ("cast(properties/ok,Edm.Boolean) eq false", []),
        ("cast(properties/ok,Edm.String) eq 'true'", ["one", "two"]),
        ("cast(properties/day,Edm.Date) eq 2026-01-02", ["one"]),
        ("cast(properties/day,Edm.DateTimeOffset) lt 2026-01-03T00:00:00Z", ["two"]),
        ("cast(id,Edm.String) eq '0'", []),
        ("cast(name,Edm.String) eq 'one'", ["one"]),
        ("cast('6',Edm.Int64) eq properties/level", ["one"]),
        ("cast(null,Edm.String) eq null", ["four", "one", "three", "two"]),
        ("'wet' in properties/tags", ["one"]),
        ("2 in properties/codes", ["one"]),
        ("not ('wet' in properties/tags)", ["three", "two"]),
        ("name in ('one','four')", ["four", "one"]),
    ],
)
def test_properties_are_cast_by_what_each_of_them_is(
    things: Client, condition: str, expected: list[str]
) -> None:
    for client in (things, in_version_2(things)):
        reply = client.get(f"/Things?$filter={condition}")
        assert sorted(thing["name"] for thing in reply.value) == expected


@pytest.mark.parametrize("sealed", [False, True])
def test_results_are_cast_wherever_they_are_kept(api: Client, sealed: bool) -> None:
    station = bodies.station()
    results = [5, 6.5, "7", "high", True, None]
    station["Datastreams"][0]["Observations"] = [
        bodies.observation(result, f"2026-01-01T0{hour}:00:00Z")
        for hour, result in enumerate(results)
    ]
    assert api.post("/Things", station).status == 201
    if sealed:
        seal()

    def found(condition: str) -> list[Any]:
        return [
            o["result"] for o in api.get(f"/Observations?$filter={condition}&$orderby=id").value
        ]

    assert found("cast(result,Edm.Double) gt 5") == [6.5, "7"]
    assert found("cast(result,Edm.String) in ('5','7','true')") == [5, "7", True]
    assert found("cast(result,Edm.Boolean)") == [True]
    assert found("cast(result,Edm.Int16) eq 7") == [6.5, "7"]
    assert found("cast(phenomenonTime,Edm.String) eq '2026-01-01T01:00:00.000Z'") == [6.5]
    assert found("cast(resultTime,Edm.String) eq 'x'") == []
    assert found("cast(phenomenonTime,Edm.TimeOfDay) lt 01:00:00") == [5]
    name = station["Datastreams"][0]["name"]
    assert len(found(f"cast(Datastream/name,Edm.String) eq '{name}'")) == len(results)
    ordered = api.get("/Observations?$orderby=cast(result,Edm.Double) desc,id&$top=2").value
    assert [o["result"] for o in ordered] == ["7", 6.5]


def test_the_landing_page_names_it(api: Client) -> None:
    functions = in_version_2(api).get("").json["serverSettings"]["functions"]
    assert "cast" in functions
    assert not {"coalesce", "number_text", "list_has_text"} & set(functions)


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        ("cast(name) eq 'x'", "cast takes"),
        ("cast(name,Edm.Colour) eq 'x'", "Edm.Colour"),
        ("cast(name,5) eq 'x'", "'5'"),
        ("cast(location,Edm.String) eq 'x'", "location"),
        ("cast(id,Edm.Boolean)", "Edm.Boolean"),
        ("cast(true,Edm.Int32) eq 1", "Edm.Int32"),
        ("number_text(5) eq '5'", "number_text"),
        ("'a' in name", "list"),
        ("true in properties/tags", "texts and numbers"),
        ("'a' in eq", "list in parentheses"),
    ],
)
def test_what_cannot_be_cast_is_refused_with_its_position(
    things: Client, condition: str, named: str
) -> None:
    reply = things.get(f"/Things?$filter={condition}")
    assert (reply.status, named in reply.message) == (400, True), reply.body
    assert isinstance(reply.json["position"], int)
