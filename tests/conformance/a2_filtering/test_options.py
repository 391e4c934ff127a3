"""req/request-data: $expand, $select, $orderby, $top, $skip, $count and how they work together."""

import pytest

from stadtherz.sensorthings.query.plan import DEFAULT_TOP, MAX_TOP
from stadtherz.sensorthings.standard.schema import EntityType
from stadtherz.sensorthings.tests.bodies import thing
from stadtherz.sensorthings.tests.client import ROOT, Client
from tests.conformance.sensing import SENSING, links_of

every_type = pytest.mark.parametrize("kind", SENSING.values(), ids=SENSING)


@every_type
def test_select_shows_only_what_it_names(city: Client, kind: EntityType) -> None:
    """req/request-data/select"""
    for prop in kind.properties:
        entities = city.get(f"/{kind.plural}?$select={prop.name}").value
        assert all(entity.keys() <= {prop.name} for entity in entities)
    chosen = city.get(f"/{kind.plural}?$select=id,{kind.properties[0].name},{kind.links[0].name}")
    first = {"@iot.id", kind.properties[0].name, f"{kind.links[0].name}@iot.navigationLink"}
    assert chosen.value[0].keys() == first


@every_type
def test_expand_puts_linked_entities_in_place(city: Client, kind: EntityType) -> None:
    """req/request-data/expand: each link alone, then all of them"""
    for link in links_of(kind):
        for entity in city.get(f"/{kind.plural}?$expand={link.name}").value:
            address = entity.get(f"{link.name}@iot.navigationLink")
            if address is None:
                assert (link.name, entity[link.name]) == ("MultiDatastream", None)
                continue
            linked = city.get(address)
            assert entity[link.name] == (linked.value if link.many else linked.json)
    together = city.get(f"/{kind.plural}?$expand={','.join(link.name for link in links_of(kind))}")
    assert {link.name for link in links_of(kind)} <= together.value[0].keys()


def test_expand_goes_over_several_links(city: Client) -> None:
    short = city.get("/Things?$expand=Datastreams/Observations,Datastreams/Sensor").value
    long = city.get("/Things?$expand=Datastreams($expand=Observations,Sensor)").value
    assert short == long
    assert [len(t["Datastreams"][0]["Observations"]) for t in short] == [3, 3, 3]


def test_expanded_entities_obey_their_own_options(city: Client) -> None:
    reply = city.get(
        "/Things?$select=name&$expand=Datastreams($select=name;$expand=Observations("
        "$filter=result gt 1;$orderby=result desc;$top=1;$count=true;$select=result))"
    )
    streams = [t["Datastreams"][0] for t in reply.value]
    assert [s["Observations"] for s in streams] == [[{"result": 4}], [{"result": 20}], []]
    assert [s["Observations@iot.count"] for s in streams] == [2, 2, 0]
    following = city.get(streams[0]["Observations@iot.nextLink"])
    assert (following.value, following.json["@iot.count"]) == ([{"result": 2.5}], 2)


def test_the_newest_observation_of_every_datastream(city: Client) -> None:
    """The query of every dashboard."""
    newest = city.get(
        "/Datastreams?$expand=Observations($orderby=phenomenonTime desc;$top=1;$select=result)"
    )
    assert [s["Observations"][0]["result"] for s in newest.value] == [4, -3, {"state": "ok"}]


def test_expands_are_limited_for_each_parent(city: Client) -> None:
    things = city.get("/Locations?$expand=Things($expand=Datastreams/Observations($top=2))").value
    lists = [t["Datastreams"][0]["Observations"] for place in things for t in place["Things"]]
    assert [len(readings) for readings in lists] == [2, 2, 2]


def test_orderby_sorts_by_several_terms(city: Client) -> None:
    """req/request-data/orderby"""
    names = [t["name"] for t in city.get("/Things?$orderby=name desc").value]
    assert names == ["Lauter", "Alsenz", "100% Glan_x"]
    depths = city.get("/Things?$orderby=properties/depth desc,name").value
    assert [t["properties"]["depth"] for t in depths] == [3, 2, 1]
    by_thing = city.get("/Datastreams?$orderby=Thing/name,name desc").value
    assert [s["name"] for s in by_thing] == ["100% Glan_x level", "Alsenz level", "Lauter level"]
    readings = city.get(
        "/Observations?$orderby=Datastream/Thing/name desc,result desc&$top=4"
    ).value
    assert [o["result"] for o in readings] == [4, 2.5, 1, 20]


@every_type
def test_top_and_skip_cut_pages_that_next_links_join(city: Client, kind: EntityType) -> None:
    """req/request-data/top, req/request-data/skip, req/request-data/pagination"""
    everything = city.get(f"/{kind.plural}").value
    collected, address, pages = [], f"/{kind.plural}?$top=2", 0
    while address:
        reply = city.get(address)
        assert len(reply.value) <= 2
        collected += reply.value
        address = reply.json.get("@iot.nextLink", "")
        pages += 1
    assert collected == everything
    assert pages == (len(everything) + 1) // 2
    assert city.get(f"/{kind.plural}?$skip=1").value == everything[1:]
    assert city.get(f"/{kind.plural}?$top=0").json == {"value": []}


def test_pages_have_a_usual_and_a_greatest_size(api: Client) -> None:
    for number in range(DEFAULT_TOP + 1):
        api.post("/Things", thing(str(number)))
    usual = api.get("/Things")
    assert len(usual.value) == DEFAULT_TOP
    assert usual.json["@iot.nextLink"].startswith(f"{ROOT}/Things?$skip={DEFAULT_TOP}&$skiptoken=")
    assert len(api.get(usual.json["@iot.nextLink"]).value) == 1
    assert len(api.get(f"/Things?$top={MAX_TOP * 1000}").value) == DEFAULT_TOP + 1


@every_type
def test_count_counts_all_and_not_the_page(city: Client, kind: EntityType) -> None:
    """req/request-data/count"""
    number = len(city.get(f"/{kind.plural}").value)
    counted = city.get(f"/{kind.plural}?$count=true&$top=1&$skip=1").json
    assert counted["@iot.count"] == number
    assert "@iot.count" not in city.get(f"/{kind.plural}?$count=false").json


def test_options_are_applied_in_the_order_of_the_standard(city: Client) -> None:
    """§9.3.1: filter, count, orderby, skip, top, expand, select; with a quoted number as in the ETS"""
    reply = city.get(
        "/Observations?$count=true&$top=1&$skip=1&$orderby=phenomenonTime desc"
        "&$filter=result gt '2'&$select=result&$expand=Datastream($select=name)"
    )
    assert reply.json["@iot.count"] == 5
    assert reply.value == [{"result": 20, "Datastream": {"name": "Alsenz level"}}]


def test_an_entity_takes_select_and_expand(city: Client) -> None:
    key = city.get("/Things").ids[0]
    shown = city.get(f"/Things({key})?$select=name&$expand=Datastreams($select=name)").json
    assert shown == {"name": "Lauter", "Datastreams": [{"name": "Lauter level"}]}
    assert city.get(f"/Things({key})?$filter=name eq 'x'").status == 400


@pytest.mark.parametrize("query", ["$skip=1", "$top=0", "$skip=5&$top=2&$count=true"])
def test_an_entity_has_no_pages_to_pass_over(city: Client, query: str) -> None:
    """req/request-data/skip: clients that send the same options with every address find the entity."""
    key = city.get("/Things").ids[0]
    assert city.get(f"/Things({key})?{query}").json == city.get(f"/Things({key})").json
    stream = city.get("/Datastreams").ids[0]
    assert city.get(f"/Datastreams({stream})/Thing?{query}").status == 200


@pytest.mark.parametrize(
    "query",
    ["$top=-1", "$skip=-5", "$top=x", "$count=yes", "$select=nothing", "$select=", "$expand=Nothing",
     "$expand=", "$orderby=", "$orderby=nothing", "$orderby=name sideways", "$filter=", "$nothing=1",
     "$top=1&$top=2", "$orderby=Datastreams/name", "$expand=Datastreams($top=x)",
     "$expand=Datastreams($nothing=1)", "$expand=Datastreams(", "$expand=Datastreams($filter=name)"],
)  # fmt: skip
def test_options_that_cannot_be_read_say_why(city: Client, query: str) -> None:
    """req/request-data/status-codes"""
    reply = city.get(f"/Things?{query}")
    assert (reply.status, reply.json["type"]) == (400, "error")
    assert reply.message.startswith("$")


@pytest.mark.parametrize(
    "way",
    [
        "Datastreams/Thing/" * 5,
        "Datastreams/Thing/" * 20,
        "Datastreams/Thing/" * 60,
        "Locations/Things/" * 5,
        "HistoricalLocations/Locations/Things/" * 2,
    ],
)
def test_ways_that_multiply_what_is_looked_at_are_refused(city: Client, way: str) -> None:
    """req/request-data/status-codes: a path that goes round and round would keep the database busy for ever."""
    for query in (f"$filter={way}name eq 'x'", f"$filter=length({way}name) gt 1"):
        reply = city.get(f"/Things?{query}")
        assert (reply.status, "passes too many links" in reply.message) == (400, True)
    assert (
        city.get("/Things?$filter=Datastreams/Thing/Locations/Things/Datastreams/name eq 'x'").value
        == []
    )


def test_very_many_different_ways_are_refused(city: Client) -> None:
    """req/request-data/status-codes: engines have limits of their own, which they reach without saying why."""
    ways = [
        f"ObservedProperty/Datastreams/{link}/" for link in ("Sensor", "Thing", "ObservedProperty")
    ]
    for _ in range(2):
        ways += [f"{way}{link}/" for way in ways for link in _BEHIND[way.split("/")[-2]]]
    condition = " or ".join(f"{way}name eq 'x'" for way in dict.fromkeys(ways))
    reply = city.get(f"/Datastreams?$filter={condition}")
    assert (reply.status, "different ways" in reply.message) == (400, True)


_BEHIND = {
    "Sensor": ["Datastreams", "MultiDatastreams"],
    "ObservedProperty": ["Datastreams", "MultiDatastreams"],
    "Thing": ["Datastreams", "MultiDatastreams", "Locations", "TaskingCapabilities"],
    "Datastreams": ["Sensor", "Thing", "ObservedProperty", "Campaigns", "License"],
    "MultiDatastreams": ["Sensor", "Thing", "ObservedProperties", "Campaigns", "License"],
    "Locations": ["Things"],
    "TaskingCapabilities": ["Actuator", "Thing"],
}


@pytest.mark.parametrize("query", ["$compute=x", "$search=x", "$levels=2"])
def test_options_that_are_not_offered_are_not_implemented(city: Client, query: str) -> None:
    """req/request-data/status-codes: 501"""
    assert city.get(f"/Things?{query}").status == 501


def test_errors_carry_the_position(city: Client) -> None:
    reply = city.get("/Things?$filter=name eq 'a' and nam eq 'b'")
    assert (reply.status, reply.json["position"]) == (400, 16)
    nested = city.get("/Things?$expand=Datastreams($filter=nam eq 'b')")
    assert nested.json["position"] == len("Datastreams($filter=")


def test_a_nul_in_a_text_is_refused_where_it_stands(city: Client) -> None:
    reply = city.get("/Things?$filter=name eq 'a%00b'")
    assert (reply.status, reply.json.get("position")) == (400, len("name eq "))
