"""conf/api/read/options/select_distinct: each combination of what is selected once."""

from typing import Any

import pytest

from stadtherz.base.visibility import ANONYMOUS
from stadtherz.sensorthings.tests.bodies import datastream, observation, thing
from stadtherz.sensorthings.tests.client import HOST, Client, in_version_2

_RESULTS = (3, 1, 3, 1, 2, "high", None, None)
_KINDS: tuple[dict[str, Any] | None, ...] = (
    {"kind": "gauge", "level": 1, "maker": {"name": "Acme"}},
    {"kind": "tree", "level": 2},
    {"kind": "gauge", "level": 1, "maker": {"name": "Brix"}},
    {"kind": None},
    {},
    None,
)


@pytest.fixture
def park(db: None, api: Client) -> Client:
    """Six Things, two of which are gauges; the first has readings, some of them equal."""
    readings = [
        observation(result, f"2026-03-0{day}T00:00:00Z", parameters={"odd": day % 2 == 1})
        for day, result in enumerate(_RESULTS, start=1)
    ]
    for number, properties in enumerate(_KINDS):
        body = thing(f"P{number}", description="gauge" if number in (0, 2) else "other")
        if properties is not None:
            body["properties"] = properties
        if number == 0:
            body["Datastreams"] = [datastream("Level", Observations=readings)]
            body["Locations"] = [_PLACE]
        assert api.post("/Things", body).status == 201
    return in_version_2(api)


_PLACE = {
    "name": "Here",
    "description": "here",
    "encodingType": "application/geo+json",
    "location": {"type": "Point", "coordinates": [8, 50]},
}


def _kinds(*names: str) -> list[dict[str, Any]]:
    return [{"properties": {"kind": name}} for name in names]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("$select=distinct:properties/kind&$orderby=properties/kind",
         [{"properties": {}}, *_kinds("gauge", "tree")]),
        ("$select=distinct:properties/kind&$orderby=properties/kind desc",
         [*_kinds("tree", "gauge"), {"properties": {}}]),
        ("$select=distinct: properties/kind , properties/level&$filter=properties/level ge 1"
         "&$orderby=properties/level desc",
         [{"properties": {"kind": "tree", "level": 2}}, {"properties": {"kind": "gauge", "level": 1}}]),
        ("$select=distinct:properties/maker/name&$filter=properties/maker/name ne null"
         "&$orderby=properties/maker/name desc",
         [{"properties": {"maker": {"name": "Brix"}}}, {"properties": {"maker": {"name": "Acme"}}}]),
        ("$select=distinct:description&$orderby=tolower(description)",
         [{"description": "gauge"}, {"description": "other"}]),
        ("$select=distinct:description,properties/kind&$filter=properties/kind eq 'gauge'",
         [{"description": "gauge", "properties": {"kind": "gauge"}}]),
        ("$select=distinct:description&$top=0", []),
        ("$select=distinct:description&$orderby=description&$skip=1", [{"description": "other"}]),
        ("$select=distinct:description&$skip=9", []),
        ("$select=distinct:description&$filter=name eq 'nobody'", []),
    ],
)  # fmt: skip
def test_each_combination_stands_once(park: Client, query: str, found: list[Any]) -> None:
    assert park.get(f"/Things?{query}").value == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("$select=distinct:result&$filter=result lt 5&$orderby=result",
         [{"result": 1}, {"result": 2}, {"result": 3}]),
        ("$select=distinct:result&$filter=result eq null", [{"result": None}]),
        ("$select=distinct:properties/odd&$orderby=properties/odd desc",
         [{"properties": {"odd": True}}, {"properties": {"odd": False}}]),
        ("$select=distinct:result,properties/odd&$filter=result eq 3",
         [{"result": 3, "properties": {"odd": True}}]),
    ],
)  # fmt: skip
def test_each_combination_of_readings_stands_once(
    park: Client, query: str, found: list[Any]
) -> None:
    assert park.get(f"/Observations?{query}").value == found


def test_result_types_of_datastreams(park: Client) -> None:
    found = park.get("/Datastreams?$select=distinct:resultType/type,resultType/uom/code").value
    assert found == [{"resultType": {"type": "Quantity", "uom": {"code": "cm"}}}]


def test_combinations_are_counted_and_paged(park: Client) -> None:
    """@count is the number of combinations, and next links lead through all of them."""
    address = "/Things?$select=distinct:properties/kind&$orderby=properties/kind&$top=1&$count=true"
    found, pages = [], 0
    while address:
        reply = park.get(address).json
        assert reply["@count"] == 3
        found += reply["value"]
        address = reply.get("@nextLink", "").removeprefix(HOST + park.prefix)
        pages += 1
    assert (pages, found) == (3, [{"properties": {}}, *_kinds("gauge", "tree")])


def test_combinations_within_an_expand(park: Client) -> None:
    inner = "$select=distinct:properties/odd;$orderby=properties/odd;$top=1;$count=true"
    query = f"$filter=name eq 'P0'&$expand=Datastreams($expand=Observations({inner}))"
    (stream,) = park.get(f"/Things?{query}").value[0]["Datastreams"]
    assert (stream["Observations"], stream["Observations@count"]) == (
        [{"properties": {"odd": False}}],
        2,
    )
    following = stream["Observations@nextLink"].removeprefix(HOST + park.prefix)
    assert park.get(following).value == [{"properties": {"odd": True}}]


def test_of_each_parent_by_itself(park: Client) -> None:
    query = "$expand=Datastreams($select=distinct:resultType/type)&$select=name&$orderby=name"
    held = [found["Datastreams"] for found in park.get(f"/Things?{query}").value]
    assert held == [[{"resultType": {"type": "Quantity"}}], [], [], [], [], []]


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("$select=distinct:", "$select"),
        ("$select=distinct:nothing", "$select"),
        ("$select=distinct:name,", "$select"),
        ("$select=distinct:Datastreams", "$select"),
        ("$select=distinct:@id", "$select"),
        ("$select=name,distinct:description", "$select"),
        ("$select=unique:name", "$select"),
        ("$select=distinct:properties/kind&$orderby=name", "$orderby"),
        ("$select=distinct:properties/kind&$orderby=properties", "$orderby"),
        ("$select=distinct:properties/kind&$orderby=concat(properties/kind,name)", "$orderby"),
        ("$select=distinct:name&$expand=Datastreams", "$expand"),
        ("$select=distinct:name&$format=CSV", "$select"),
    ],
)
def test_what_has_no_sense_is_refused(park: Client, query: str, target: str) -> None:
    reply = park.get(f"/Things?{query}")
    assert (reply.status, reply.json["error"]["target"]) == (400, target), reply.body


@pytest.mark.parametrize("path", ["/Things/$count", "/Things/$ref"])
def test_only_whole_sets_have_combinations(park: Client, path: str) -> None:
    assert park.get(f"{path}?$select=distinct:name").status == 400
    first = park.get("/Things?$top=1").value[0]["id"]
    assert park.get(f"/Things({first})?$select=distinct:name").status == 400


def test_too_many_to_tell_apart_are_refused(park: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stadtherz.sensorthings.language.distinct.MOST", 3)
    reply = park.get("/Things?$select=distinct:name,definition")
    assert (reply.status, "use $filter" in reply.json["error"]["message"]) == (400, True)


def test_nobody_learns_values_of_what_they_may_not_see(park: Client) -> None:
    from stadtherz.store.models import Thing

    Thing.objects.filter(name="P1").update(access="organisation")
    visitor = in_version_2(Client(ANONYMOUS))
    query = "/Things?$select=distinct:properties/kind&$filter=properties/kind ne null"
    assert len(park.get(query).value) == 2
    assert visitor.get(query).value == _kinds("gauge")


def test_version_1_1_has_them_too(park: Client, api: Client) -> None:
    """As its most used server does; without @iot.selfLink, which would tell them apart."""
    found = api.get("/Things?$select=distinct:description&$orderby=description&$count=true")
    assert (found.value, found.json["@iot.count"]) == (
        [{"description": "gauge"}, {"description": "other"}],
        2,
    )
