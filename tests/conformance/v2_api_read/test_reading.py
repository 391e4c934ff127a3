"""conf/api/read/*: paths, and the options of queries."""

from typing import Any

import pytest

from stadtherz.sensorthings.answers.landing import CONFORMANCE
from stadtherz.sensorthings.standard.faces import V2_0
from stadtherz.sensorthings.standard.schema import MODELS
from stadtherz.sensorthings.tests.client import HOST, Client, in_version_2

ROOT = HOST + V2_0.prefix


@pytest.fixture
def city2(city: Client) -> Client:
    return in_version_2(city)


def names(client: Client, address: str) -> list[str]:
    return [entity["name"] for entity in client.get(address).value]


# --- conf/api/read/paths -------------------------------------------------------------------------


def test_the_service_document_lists_sets_functions_and_what_is_kept(visitor: Client) -> None:
    """conf/api/read/paths, conf/binding/http/advertisement"""
    document = in_version_2(visitor).get("").json
    assert document["@context"] == f"{ROOT}/$metadata"
    assert {entry["name"]: entry["url"] for entry in document["value"]} == {
        entity.plural: f"{ROOT}/{entity.plural}" for entity in MODELS["2.0"].values()
    }
    settings = document["serverSettings"]
    assert settings["conformance"] == list(CONFORMANCE["2.0"])
    assert {"contains", "geo.distance", "now"} <= set(settings["functions"])
    binding = "http://www.opengis.net/spec/sensorthings/2.0/req/binding/http"
    assert settings[binding] == {"endpoints": [ROOT]}


def test_the_metadata_describe_every_type_with_its_links(visitor: Client) -> None:
    document = in_version_2(visitor).get("/$metadata").json
    types = document["org.OGC.STA"]
    for entity in MODELS["2.0"].values():
        described = types[entity.name]
        assert described["$Key"] == ["id"]
        for link in entity.links:
            found = described[link.name]
            back = types[found["$Type"].removeprefix("org.OGC.STA.")][found["$Partner"]]
            assert back["$Partner"] == link.name
            assert found.get("$Collection", False) == link.many
    assert types["Observation"]["phenomenonTime"]["$Type"] == "org.OGC.STA.TM_Object"


def test_only_version_2_has_metadata(visitor: Client) -> None:
    assert visitor.get("/$metadata").status == 404


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/Things({thing})/name", {"@context": "#Edm.String", "value": "Lauter"}),
        ("/Things({thing})/id", {"@context": "#Edm.Int64", "value": "{thing}"}),
        ("/Things({thing})/properties/depth", {"@context": "#Edm.Untyped", "value": 1}),
    ],
)
def test_a_property_stands_in_value(city2: Client, path: str, expected: dict[str, Any]) -> None:
    """conf/api/read/paths: address to an attribute"""
    thing = city2.get("/Things?$filter=name eq 'Lauter'").value[0]["id"]
    wanted = thing if expected["value"] == "{thing}" else expected["value"]
    document = city2.get(path.format(thing=thing)).json
    assert document == {"@context": f"{ROOT}/$metadata{expected['@context']}", "value": wanted}


def _reading_with_an_interval(city2: Client) -> str:
    stream = city2.get("/Datastreams").value[0]["id"]
    times = {"start": "2026-07-01T00:00:00.000Z", "end": "2026-07-02T00:00:00.000Z"}
    body = {"result": 1, "phenomenonTime": {"start": times["start"]}, "validTime": times}
    location = city2.post(f"/Datastreams({stream})/Observations", body).headers["location"]
    return location.removeprefix(ROOT)


def test_the_members_of_a_time_have_addresses(city2: Client) -> None:
    """conf/api/read/paths: phenomenonTime and validTime are complex attributes"""
    reading = _reading_with_an_interval(city2)
    assert city2.get(f"{reading}/validTime/end").json == {
        "@context": f"{ROOT}/$metadata#Edm.DateTimeOffset",
        "value": "2026-07-02T00:00:00.000Z",
    }
    assert city2.get(f"{reading}/phenomenonTime/start/$value").body == b"2026-07-01T00:00:00.000Z"
    assert city2.get(f"{reading}/phenomenonTime/end").status == 204
    assert city2.get(f"{reading}/phenomenonTime/middle").status == 404


def test_the_members_of_a_time_can_be_selected(city2: Client) -> None:
    """conf/api/read/options/select"""
    reading = _reading_with_an_interval(city2)
    shown = city2.get(f"{reading}?$select=validTime/end,phenomenonTime/start").json
    assert shown["validTime"] == {"end": "2026-07-02T00:00:00.000Z"}
    assert shown["phenomenonTime"] == {"start": "2026-07-01T00:00:00.000Z"}
    refused = city2.get("/Observations?$select=validTime/middle")
    assert (refused.status, refused.json["error"]["target"]) == (400, "$select")


def test_a_value_alone_is_text(city2: Client) -> None:
    thing = city2.get("/Things").value[0]
    assert city2.get(f"/Things({thing['id']})/name/$value").body.decode() == thing["name"]


def test_references_are_addresses(city2: Client) -> None:
    """conf/api/read/paths: address to references"""
    stream = city2.get("/Datastreams?$expand=Thing,ObservedProperties").value[0]
    address = f"/Datastreams({stream['id']})"
    assert city2.get(f"{address}/Thing/$ref").json == {
        "@context": f"{ROOT}/$metadata#$ref",
        "@id": stream["Thing"]["@id"],
    }
    assert city2.get(f"{address}/ObservedProperties/$ref").json == {
        "@context": f"{ROOT}/$metadata#Collection($ref)",
        "value": [{"@id": stream["ObservedProperties"][0]["@id"]}],
    }


def test_an_entity_is_found_in_the_set_of_another_or_not_at_all(city2: Client) -> None:
    """conf/api/read/paths: Datastreams(1)/ObservedProperties(2)"""
    one, other = city2.get("/Datastreams?$expand=ObservedProperties&$top=2").value
    inside = f"/Datastreams({one['id']})/ObservedProperties"
    own = one["ObservedProperties"][0]["id"]
    assert city2.get(f"{inside}({own})/name").status == 200
    assert city2.get(f"{inside}({other['ObservedProperties'][0]['id']})").status == 404


def test_a_link_that_leads_nowhere_has_no_content(city2: Client) -> None:
    stream = city2.get("/Datastreams").value[0]["id"]
    created = city2.post(f"/Datastreams({stream})/Observations", {"result": 1})
    link = f"/Observations({created.key})/ProximateFeatureOfInterest"
    assert city2.get(link).status == 204
    assert city2.get("/Observations(999999)/ProximateFeatureOfInterest").status == 404


@pytest.mark.parametrize(
    "address",
    ["/FeaturesOfInterest", "/Datastreams(1)/ObservedProperty", "/things", "/Nix"],
)
def test_names_of_the_other_version_are_not_found(city2: Client, address: str) -> None:
    assert city2.get(address).status == 404


# --- conf/api/read/options -----------------------------------------------------------------------


def test_select_keeps_the_address_and_the_links_named(city2: Client) -> None:
    """conf/api/read/options/select"""
    entity = city2.get("/Things?$select=name,Locations").value[0]
    assert set(entity) == {"@id", "name", "Locations@navigationLink"}
    reading = city2.get("/Observations?$select=result,Datastream").value[0]
    assert set(reading) == {"@id", "result", "Datastream@navigationLink"}


def test_expand_nests_with_its_own_options(city2: Client) -> None:
    """conf/api/read/options/expand, count"""
    inner = "Observations($orderby=phenomenonTime/start desc;$top=1;$count=true;$select=result)"
    thing = city2.get(
        f"/Things?$filter=name eq 'Alsenz'&$expand=Datastreams($select=name;$expand={inner})"
    ).value[0]
    (stream,) = thing["Datastreams"]
    assert stream["Observations@count"] == 3
    assert [reading["result"] for reading in stream["Observations"]] == [-3]
    assert "@context" not in stream
    following = city2.get(stream["Observations@nextLink"])
    assert [reading["result"] for reading in following.value] == [20]


def test_count_and_pages(city2: Client) -> None:
    """conf/api/read/options/count, top_skip, pagination"""
    page = city2.get("/Things?$count=true&$top=2&$orderby=name").json
    assert (page["@count"], page["@context"]) == (3, f"{ROOT}/$metadata#Things")
    assert [thing["name"] for thing in page["value"]] == ["100% Glan_x", "Alsenz"]
    last = city2.get(page["@nextLink"]).json
    assert [thing["name"] for thing in last["value"]] == ["Lauter"]
    assert "@nextLink" not in last
    assert names(city2, "/Things?$orderby=name&$skip=2") == ["Lauter"]
    assert city2.get("/Things?$count=maybe").status == 400


def test_readings_have_pages_too(city2: Client) -> None:
    first = city2.get("/Observations?$top=5&$count=true").json
    assert (first["@count"], first["@context"]) == (9, f"{ROOT}/$metadata#Observations")
    assert len(city2.get(first["@nextLink"]).value) == 4


@pytest.mark.parametrize(
    ("condition", "number"),
    [
        ("phenomenonTime/start ge 2026-02-01T00:00:00Z", 3),
        ("phenomenonTime/end eq null", 9),
        ("phenomenonTime lt 2026-01-02T00:00:00Z", 6),
        ("properties/battery gt 20", 5),
        ("ProximateFeatureOfInterest/name eq 'Alsenz bridge'", 3),
        ("Datastream/ObservedProperties/name eq 'Level 2'", 3),
        ("Datastream/Thing/name eq 'Lauter' and result in (1,4)", 2),
        ("contains(Datastream/name,'Alsenz')", 3),
    ],
)
def test_filters_know_the_names_of_this_version(city2: Client, condition: str, number: int) -> None:
    assert city2.get(f"/Observations?$filter={condition}&$count=true").json["@count"] == number


def test_readings_are_found_through_features_and_sorted_by_them(city2: Client) -> None:
    found = names(city2, "/Features?$filter=Observations/result gt 9")
    assert found == ["Alsenz bridge"]
    ordered = city2.get("/Observations?$orderby=ProximateFeatureOfInterest/name,result&$top=1")
    assert ordered.status == 200


def test_nulls_come_first_or_last(city2: Client) -> None:
    """conf/api/read/options/orderby: null is less than any value"""
    city2.post("/Things", {"name": "bare"})
    assert names(city2, "/Things?$orderby=properties/depth")[0] == "bare"
    assert names(city2, "/Things?$orderby=properties/depth desc")[-1] == "bare"


@pytest.mark.parametrize(("level", "context"), [("full", True), ("minimal", True), ("none", False)])
@pytest.mark.parametrize(
    "address", ["/Things?$expand=Datastreams", "/Observations?$count=true", "/Sensors(1)?"]
)
def test_levels_of_metadata(city2: Client, address: str, level: str, context: bool) -> None:
    """conf/api/read/options/format"""
    sensor = city2.get("/Sensors").value[0]["id"]
    address = address.replace("(1)", f"({sensor})")
    whole = city2.get(address).json
    reply = city2.get(f"{address}&$format=application/json;metadata={level}")
    assert reply.json == _reduced(whole, level == "full") | (
        {"@context": whole["@context"]} if context else {}
    )
    assert city2.get(f"{address}&$format=json").json == whole


@pytest.mark.parametrize("level", ["full", "minimal", "none"])
def test_levels_of_metadata_are_known_by_their_older_name(city2: Client, level: str) -> None:
    """conf/api/read/options/format: OData 4.01 part 1 §8.2.1 leaves the prefix to the client"""
    short, long = (
        city2.get(f"/Things?$top=1&$select=name&$format=application/json;{name}={level}").json
        for name in ("metadata", "odata.metadata")
    )
    assert (short["value"], short.keys()) == (long["value"], long.keys())


def test_following_pages_are_written_alike(city2: Client) -> None:
    first = city2.get("/Observations?$top=5&$format=application/json;metadata=none").json
    following = city2.get(first["@nextLink"]).json
    assert "@context" not in following
    assert following["value"][0].keys() == first["value"][0].keys()


def _reduced(shown: Any, addresses: bool) -> Any:
    """Without context, and without addresses of entities and links."""
    if isinstance(shown, list):
        return [_reduced(item, addresses) for item in shown]
    if not isinstance(shown, dict):
        return shown
    return {
        name: value if name.endswith("nextLink") else _reduced(value, addresses)
        for name, value in shown.items()
        if name != "@context"
        and (addresses or not (name == "@id" or name.endswith("@navigationLink")))
    }


def test_version_1_has_no_levels_of_metadata(city: Client) -> None:
    assert city.get("/Things?$format=application/json;metadata=none").status == 501


# --- errors ------------------------------------------------------------------------------------------


def test_errors_are_those_of_odata(city2: Client) -> None:
    reply = city2.get("/Things?$filter=nmae eq 'x'")
    error = reply.json["error"]
    assert (reply.status, error["code"], error["target"]) == (400, "400", "$filter")
    assert error["innererror"] == {"position": 0}
    assert city2.get("/Things(999999)").json["error"]["code"] == "404"


@pytest.mark.parametrize(
    "option",
    ["$apply=concat(identity,identity)", "$format=XML", "$resultFormat=atom", "$search=x"],
)
def test_what_is_not_offered_is_refused(city2: Client, option: str) -> None:
    assert city2.get(f"/Observations?{option}").status in (400, 501)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("$FILTER=name eq 'Lauter'", ["Lauter"]),
        ("filter=name eq 'Lauter'", ["Lauter"]),
        ("OrderBy=name desc&Top=1", ["Lauter"]),
        ("$orderby=name&skip=2&$Select=name", ["Lauter"]),
        ("%24Filter=name eq 'Lauter'&Select=name&count=true", ["Lauter"]),
        ("filters=name eq 'Lauter'&id=5&resultFormat=JSON&top=1", ["Lauter"]),
    ],
)
def test_options_may_be_written_in_any_case_and_without_the_dollar_sign(
    city2: Client, query: str, found: list[str]
) -> None:
    """OData 4.01 part 2 §5.1, by which this version is to be read"""
    assert names(city2, f"/Things?{query}") == found


def test_an_option_is_the_same_however_it_is_written(city2: Client) -> None:
    assert city2.get("/Things?$top=1&Top=1").status == 400
    assert city2.get("/Things?top=-1").status == 400
    page = city2.get("/Things?Top=1&Count=true&Expand=Datastreams($select=name)").json
    assert (page["@count"], len(page["value"][0]["Datastreams"])) == (3, 2)
    assert len(city2.get(page["@nextLink"]).value) == 1
    assert city2.delete("/Things?Filter=name eq 'Lauter'").status == 204
    assert city2.get("/Things/$count").body == b"2"


def test_version_1_knows_options_as_its_text_writes_them(city: Client) -> None:
    assert city.get("/Things?$Top=1").status == 400
    assert len(city.get("/Things?top=1").value) == 3
