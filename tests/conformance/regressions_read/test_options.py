"""$select, $expand, $orderby, $top, $skip and $count on every set and at every depth (18-088 §9.3)."""

from typing import Any

import orjson
import pytest

from stadtherz.sensorthings.query.plan import MAX_TOP
from stadtherz.sensorthings.tests.bodies import observation, thing
from stadtherz.sensorthings.tests.client import ROOT, Client
from tests.conformance.regressions_read.atlas import BANK, BARE, BRIDGE, EVERY, SOUTH, WEIR, shown


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("$select=name", {"name": WEIR}),
        ("$select=name,description", {"name": WEIR, "description": "Weir!"}),
        ("$select= name , description ", {"name": WEIR, "description": "Weir!"}),
        ("$select=name,name", {"name": WEIR}),
        ("$select=id", {"@iot.id": 1}),
        ("$select=@iot.id", {"@iot.id": 1}),
        ("$select=id,name", {"@iot.id": 1, "name": WEIR}),
        ("$select=@iot.selfLink", {"@iot.selfLink": f"{ROOT}/Things(1)"}),
        ("$select=Datastreams", {"Datastreams@iot.navigationLink": f"{ROOT}/Things(1)/Datastreams"}),
        ("$select=name,Locations", {"name": WEIR, "Locations@iot.navigationLink": f"{ROOT}/Things(1)/Locations"}),
        ("$select=properties/level", {"properties": {"level": 1}}),
        ("$select=properties/owner/name,name", {"name": WEIR, "properties": {"owner": {"name": "Stadt"}}}),
        ("$select=properties/owner/phone,properties/owner/name,properties/ratio",
         {"properties": {"owner": {"phone": None, "name": "Stadt"}, "ratio": 0.5}}),
        ("$select=properties/nothing", {"properties": {}}),
        ("$select=name&$expand=Locations($select=name)", {"name": WEIR, "Locations": [{"name": "Here"}]}),
        ("$select=name,Locations&$expand=Locations($select=name)", {"name": WEIR, "Locations": [{"name": "Here"}]}),
        ("$select=name&$expand=Datastreams($select=properties/limit)",
         {"name": WEIR, "Datastreams": [{"properties": {"limit": 2}}, {"properties": {"limit": 15}}]}),
    ],
)  # fmt: skip
def test_select(atlas: Client, query: str, first: dict[str, Any]) -> None:
    key = atlas.get("/Things").ids[0]
    expected = orjson.loads(orjson.dumps(first).replace(b"Things(1)", b"Things(%d)" % key))
    if "@iot.id" in expected:
        expected["@iot.id"] = key
    assert atlas.get(f"/Things?{query}&$top=1").value == [expected]
    assert atlas.get(f"/Things({key})?{query}").json == expected


def test_a_star_selects_every_property_and_no_link(atlas: Client) -> None:
    whole, chosen = (atlas.get(f"/Things?$top=1{more}").value[0] for more in ("", "&$select=*"))
    assert chosen == {name: value for name, value in whole.items() if "navigationLink" not in name}


@pytest.mark.parametrize(
    "names",
    ["Name", "nothing", "name/deeper", "properties/", "Datastreams/name", "name,", ",name", "name;description", "datastreams",
     "Datastreams@iot.navigationLink", "name description", "'name'"],
)  # fmt: skip
def test_what_cannot_be_selected_is_refused(atlas: Client, names: str) -> None:
    reply = atlas.get(f"/Things?$select={names}")
    assert (reply.status, reply.message.startswith("$select")) == (400, True), reply.body


def _expanded(atlas: Client, query: str) -> Any:
    return atlas.get(f"/Things?{query}&$filter=name eq 'Weir'&$select=name").value[0]


@pytest.mark.parametrize(
    ("expand", "expected"),
    [
        ("Datastreams($select=name)", {"Datastreams": [{"name": "Weir level"}, {"name": "Weir heat"}]}),
        ("Datastreams($select=name;$orderby=name)", {"Datastreams": [{"name": "Weir heat"}, {"name": "Weir level"}]}),
        ("Datastreams($orderby=name desc;$select=name;$skip=1)", {"Datastreams": [{"name": "Weir heat"}]}),
        ("Datastreams($select=name;$filter=name eq 'Weir heat')", {"Datastreams": [{"name": "Weir heat"}]}),
        ("Datastreams($select=name;$filter=contains(name, ';') or name eq ')')", {"Datastreams": []}),
        ("Datastreams($select=name;$filter=(properties/limit gt 3))", {"Datastreams": [{"name": "Weir heat"}]}),
        ("Datastreams($top=0;$count=true)", {"Datastreams": [], "Datastreams@iot.count": 2}),
        ("Datastreams($filter=name eq 'x';$count=true)", {"Datastreams": [], "Datastreams@iot.count": 0}),
        ("Datastreams($select=name;$count=false;$filter=false)", {"Datastreams": []}),
        ("Datastreams($select=name;),Locations($select=name;;)",
         {"Datastreams": [{"name": "Weir level"}, {"name": "Weir heat"}], "Locations": [{"name": "Here"}]}),
        ("Datastreams($expand=Sensor($select=name),ObservedProperty($select=name);$select=name;$filter=properties/limit eq 2)",
         {"Datastreams": [{"name": "Weir level", "Sensor": {"name": "Radar"}, "ObservedProperty": {"name": "Water level"}}]}),
        ("Datastreams($select=name;$expand=Observations($select=result;$filter=result gt 2;$orderby=result desc))",
         {"Datastreams": [{"name": "Weir level", "Observations": [{"result": 4}, {"result": 2.5}]},
                          {"name": "Weir heat", "Observations": [{"result": 20}, {"result": 20}]}]}),
        ("Datastreams($select=name;$filter=properties/limit eq 2;$expand=Thing($select=name;$expand=Locations($select=name)))",
         {"Datastreams": [{"name": "Weir level", "Thing": {"name": WEIR, "Locations": [{"name": "Here"}]}}]}),
        ("MultiDatastreams", {"MultiDatastreams": []}),
    ],
)  # fmt: skip
def test_expand(atlas: Client, expand: str, expected: dict[str, Any]) -> None:
    assert _expanded(atlas, f"$expand={expand}") == {"name": WEIR, **expected}


def test_a_path_in_expand_is_a_nested_expand(atlas: Client) -> None:
    short = atlas.get(
        "/Things?$expand=Datastreams/Observations/FeatureOfInterest,Datastreams/Sensor"
    )
    inner = "Observations($expand=FeatureOfInterest),Sensor"
    assert short.json == atlas.get(f"/Things?$expand=Datastreams($expand={inner})").json


@pytest.mark.parametrize(
    ("expand", "status"),
    [
        ("Datastreams", 200), ("Datastreams,Datastreams", 200), ("Datastreams, Locations", 200), ("Datastreams()", 200),
        ("datastreams", 400), ("Nothing", 400), ("name", 400), ("*", 400), ("Datastreams(", 400), ("Datastreams)", 400),
        ("Datastreams;Locations", 400), ("Datastreams/", 400), ("/Datastreams", 400), ("Datastreams/Nothing", 400),
        ("Datastreams/$ref", 400), ("Datastreams/$count", 400), ("Datastreams($levels=2)", 501), ("Datastreams($search=x)", 501),
        ("Datastreams($select=name),Datastreams($top=1)", 400), ("Datastreams($top=1;$top=2)", 400), ("Datastreams($top=-1)", 400),
        ("Datastreams($skip=-5)", 400), ("Datastreams($count=x)", 400), ("Datastreams($foo=1)", 400), ("Datastreams(name)", 400),
        ("Datastreams($filter=nothing eq 1)", 400), ("Datastreams($orderby=nothing)", 400), ("Datastreams($select=nothing)", 400),
        ("Datastreams($filter=name eq 'x)", 400), ("Datastreams($resultFormat=CSV)", 400), ("Datastreams($top=1)x", 400),
        ("Datastreams/Thing/Datastreams/Thing/Datastreams/Thing", 400),
        ("Datastreams($expand=Thing($expand=Datastreams($expand=Thing($expand=Datastreams))))", 200),
    ],
)  # fmt: skip
def test_what_can_be_expanded(atlas: Client, expand: str, status: int) -> None:
    reply = atlas.get(f"/Things?$expand={expand}")
    assert reply.status == status, reply.body


def test_a_mistake_deep_inside_is_told_with_its_place(atlas: Client) -> None:
    text = "Datastreams($expand=Observations($filter=result eq 1 and nothing eq 2))"
    reply = atlas.get(f"/Things?$expand={text}")
    assert (reply.status, reply.json["position"]) == (400, text.index("nothing"))


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("name", [BANK, BARE, BRIDGE, SOUTH, WEIR]),
        ("name asc", [BANK, BARE, BRIDGE, SOUTH, WEIR]),
        ("name desc", [WEIR, SOUTH, BRIDGE, BARE, BANK]),
        ("name DESC", [WEIR, SOUTH, BRIDGE, BARE, BANK]),
        ("  name   desc  ", [WEIR, SOUTH, BRIDGE, BARE, BANK]),
        ("id", EVERY),
        ("@iot.id desc", EVERY[::-1]),
        ("length(name),name desc", [WEIR, BARE, SOUTH, BANK, BRIDGE]),
        ("length(name) desc, name", [BRIDGE, BANK, SOUTH, BARE, WEIR]),
        ("tolower(name)", [BANK, BARE, BRIDGE, SOUTH, WEIR]),
        # null comes first, then truth, numbers and texts
        ("properties/level", [BARE, WEIR, SOUTH, BRIDGE, BANK]),
        ("properties/level desc", [BANK, BRIDGE, SOUTH, WEIR, BARE]),
        ("properties/active", [BARE, SOUTH, WEIR, BRIDGE, BANK]),
        ("properties/ratio,name", [BANK, BARE, BRIDGE, WEIR, SOUTH]),
        ("properties/owner/name desc,id", [WEIR, SOUTH, BRIDGE, BANK, BARE]),
        ("properties/missing,name desc", [WEIR, SOUTH, BRIDGE, BARE, BANK]),
    ],
)  # fmt: skip
def test_orderby(atlas: Client, order: str, names: list[str]) -> None:
    assert shown(atlas, f"/Things?$orderby={order}") == names
    assert shown(atlas, f"/Things?$orderby={order}&$top=2&$skip=1") == names[1:3]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("/Datastreams?$orderby=Thing/name,name desc", ["Bridge level", "Süd level", "Weir level", "Weir heat"]),
        ("/Datastreams?$orderby=unitOfMeasurement/symbol desc,name&$top=1", ["Weir heat"]),
        ("/Datastreams?$orderby=ObservedProperty/name,Thing/name desc,name", ["Süd level", "Weir heat", "Weir level", "Bridge level"]),
        ("/Datastreams?$orderby=phenomenonTime desc,name&$top=2", ["Süd level", "Weir heat"]),
        ("/Observations?$orderby=Datastream/name desc,result desc&$top=4", [4, 2.5, 1, 20]),
        ("/Observations?$orderby=Datastream/Thing/name,phenomenonTime desc&$top=2", [False, None]),
        ("/Observations?$orderby=phenomenonTime desc,result&$top=3", [False, None, [1, 2, 3]]),
        ("/Observations?$orderby=FeatureOfInterest/name desc,id&$top=2", [10, "high"]),
        ("/Locations?$orderby=geo.distance(location, geography'POINT(8 49)')", ["South", "Here", "There"]),
        ("/Locations?$orderby=geo.distance(location, geography'POINT(8 49)') desc&$top=1", ["There"]),
        ("/Locations?$orderby=location/coordinates[1]", ["South", "Here", "There"]),
        ("/Sensors?$orderby=name&$top=1", ["Float"]),
        ("/FeaturesOfInterest?$orderby=name desc", ["There", "Here"]),
    ],
)  # fmt: skip
def test_orderby_over_links_and_functions(atlas: Client, address: str, found: list[Any]) -> None:
    assert shown(atlas, address) == found


def test_results_of_all_kinds_have_an_order(atlas: Client) -> None:
    order = [None, False, True, -3, 1, 2.5, 4, 10, 20, 20, "high"]
    assert shown(atlas, "/Observations?$orderby=result&$top=11") == order
    assert shown(atlas, "/Observations?$orderby=result desc&$skip=2") == order[::-1]


@pytest.mark.parametrize(
    "order",
    ["nothing", "Name", "name,", ",name", "name sideways", "name desc desc", "name eq 'x'", "Datastreams/name",
     "Datastreams", "5", "'name'", "location", "name;id", "(name", ",".join(["name"] * 11)],
)  # fmt: skip
def test_what_has_no_order_is_refused(atlas: Client, order: str) -> None:
    reply = atlas.get(f"/Things?$orderby={order}")
    assert (reply.status, reply.message.startswith("$orderby")) == (400, True), reply.body


def test_all_options_work_in_the_order_of_the_standard(atlas: Client) -> None:
    """§9.3.1: first the filter, then the count, the order, what is skipped, and how many are shown."""
    query = "$top=1&$skip=1&$count=true&$select=result&$orderby=result desc&$filter=result gt '2'&$expand=Datastream($select=name)"
    reply = atlas.get(f"/Observations?{query}")
    assert reply.json["@iot.count"] == 6  # with the text, which is behind "2"
    assert reply.value == [{"result": 20, "Datastream": {"name": "Weir heat"}}]
    backwards = "&".join(query.split("&")[::-1])
    assert atlas.get(f"/Observations?{backwards}").value == reply.value


def _chain(client: Client, address: str) -> list[list[Any]]:
    pages = []
    while address:
        reply = client.get(address)
        pages.append([entity["@iot.id"] for entity in reply.value])
        address = reply.json.get("@iot.nextLink", "")
    return pages


@pytest.mark.parametrize(
    ("query", "sizes"),
    [
        ("$top=2", [2, 2, 1]),
        ("$top=5", [5]),
        ("$top=4", [4, 1]),
        ("$top=0", [0]),
        ("$skip=5", [0]),
        ("$skip=4&$top=3", [1]),
        ("$top=2&$skip=1", [2, 2]),
        ("$top=2&$filter=name ne 'Bare'", [2, 2]),
        ("$top=3&$orderby=properties/level desc&$count=true", [3, 2]),
        (f"$top={MAX_TOP + 1}", [5]),
    ],
)
def test_next_links_lead_through_everything_once(
    atlas: Client, query: str, sizes: list[int]
) -> None:
    pages = _chain(atlas, f"/Things?{query}")
    assert [len(page) for page in pages] == sizes
    found = [key for page in pages for key in page]
    assert len(set(found)) == len(found)


def test_the_count_stays_right_behind_a_next_link(atlas: Client) -> None:
    first = atlas.get("/Things?$top=2&$count=true&$filter=name ne 'Bare'").json
    second = atlas.get(first["@iot.nextLink"]).json
    assert (first["@iot.count"], second["@iot.count"], len(second["value"])) == (4, 4, 2)


def test_a_next_link_says_how_many_came_before_and_does_not_count_them(atlas: Client) -> None:
    """What is added between two pages is neither shown twice nor pushes anything out."""
    first = atlas.get("/Things?$orderby=name&$top=2").json
    link = first["@iot.nextLink"]
    assert "&$skip=2&$skiptoken=" in link
    assert atlas.post("/Things", thing("0 before all others")).status == 201
    assert shown(atlas, link) == [BRIDGE, SOUTH]
    assert shown(atlas, atlas.get(link).json["@iot.nextLink"]) == [WEIR]
    assert "&$skip=4&$skiptoken=" in atlas.get(link).json["@iot.nextLink"]


def test_nested_next_links_lead_on_and_keep_the_options(atlas: Client) -> None:
    inner = "$filter=result ne 1;$orderby=result desc;$top=1;$select=result;$count=true"
    weir = atlas.get(f"/Things?$expand=Datastreams($expand=Observations({inner}))&$top=1").value[0]
    level = weir["Datastreams"][0]
    assert (level["Observations"], level["Observations@iot.count"]) == ([{"result": 4}], 2)
    following = atlas.get(level["Observations@iot.nextLink"]).json
    assert (following["value"], following["@iot.count"]) == ([{"result": 2.5}], 2)
    assert "@iot.nextLink" not in following


def test_data_arrays_have_next_links_and_counts(atlas: Client) -> None:
    address = "/Observations?$resultFormat=dataArray&$top=5&$count=true&$select=result&$orderby=Datastream/name,id"
    rows, counts = [], []
    while address:
        page = atlas.get(address).json
        rows += [row for group in page["value"] for row in group["dataArray"]]
        counts.append(page["@iot.count"])
        address = page.get("@iot.nextLink", "")
    assert (len(rows), counts) == (13, [13, 13, 13])


def test_pages_of_readings_go_on_while_others_arrive(atlas: Client) -> None:
    stream = atlas.get("/Datastreams?$filter=name eq 'Süd level'").ids[0]
    path = f"/Datastreams({stream})/Observations"
    first = atlas.get(f"{path}?$orderby=phenomenonTime desc&$top=3").json
    atlas.post(path, observation(99, "2026-03-09T00:00:00Z"))
    assert shown(atlas, first["@iot.nextLink"]) == [{"a": {"b": 1}, "c": [1, 2]}, True, "high"]
