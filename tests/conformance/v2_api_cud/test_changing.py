"""conf/api/cud/*: creating, updating, deleting, and changing links."""

from typing import Any

import orjson
import pytest

from stadtherz.sensorthings.standard.faces import V2_0
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import HOST, Client, Reply, in_version_2

ROOT = HOST + V2_0.prefix
FEATURE = {
    "name": "Sample 17",
    "encodingType": "application/geo+json",
    "feature": {"type": "Point", "coordinates": [10.49, 48.03]},
}
SHOW = {"prefer": "return=representation"}


def result_type(observed: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "Quantity",
        "label": "Water level",
        "definition": f"ObservedProperties({observed})",
        "uom": {"code": "cm", "label": "centimetre", "symbol": "cm"},
        **more,
    }


@pytest.fixture
def api2(api: Client) -> Client:
    return in_version_2(api)


@pytest.fixture
def observed(api2: Client) -> int:
    body = {"name": "Water level", "definition": "https://example.org/level"}
    return api2.post("/ObservedProperties", body).key


@pytest.fixture
def stream(api2: Client, observed: int) -> int:
    """A Datastream of a Thing that has no place."""
    thing = api2.post("/Things", {"name": "Mast"}).key
    body = {"name": "Level", "resultType": result_type(observed), "Sensor": {"name": "Radar"}}
    return api2.post(f"/Things({thing})/Datastreams", body).key


def shown(client: Client, reply: Reply) -> dict[str, Any]:
    document: dict[str, Any] = client.get(reply.headers["location"]).json
    return document


# --- conf/api/cud/create, return_value -----------------------------------------------------------


def test_a_create_tells_the_address_and_no_more(api2: Client) -> None:
    """conf/api/cud/create, return_value"""
    reply = api2.post("/Things", {"name": "Mast"})
    assert (reply.status, reply.body) == (201, b"")
    assert reply.headers["location"] == f"{ROOT}/Things({reply.key})"
    assert "preference-applied" not in reply.headers
    assert shown(api2, reply)["name"] == "Mast"


def test_who_asks_for_it_gets_the_entity(api2: Client, stream: int) -> None:
    """conf/api/cud/return_value: with the options of the request"""
    reply = api2.post(
        f"/Datastreams({stream})/Observations?$select=result&$expand=Datastream($select=name)",
        {"result": 86},
        **SHOW,
    )
    assert (reply.status, reply.headers["preference-applied"]) == (201, SHOW["prefer"])
    assert reply.json["result"] == 86
    assert reply.json["Datastream"]["name"] == "Level"
    assert "phenomenonTime" not in reply.json
    changed = api2.patch(f"/Datastreams({stream})", {"name": "Depth"}, **SHOW)
    assert (changed.status, changed.json["name"]) == (200, "Depth")


@pytest.mark.parametrize("name", ["id", "@id", "@iot.id"])
def test_entities_that_exist_are_referred_to(api2: Client, observed: int, name: str) -> None:
    """conf/api/cud/create: {"@id": "Sensors(2)"}"""
    sensor = api2.post("/Sensors", {"name": "Radar"}).key
    thing = api2.post("/Things", {"name": "Mast"}).key
    reference = {name: f"{ROOT}/Sensors({sensor})" if name == "@id" else sensor}
    body = {
        "name": "Level",
        "resultType": result_type(observed),
        "Thing": {"@id": f"Things({thing})"},
        "Sensor": reference,
    }
    created = api2.post("/Datastreams", body)
    assert api2.get(f"/Datastreams({created.key})/Sensor").json["id"] == sensor


@pytest.mark.parametrize("address", ["Things(1)", "Sensors(x)", "http://elsewhere/Sensors(1)", ""])
def test_a_reference_to_something_else_is_refused(
    api2: Client, observed: int, address: str
) -> None:
    thing = api2.post("/Things", {"name": "Mast"}).key
    body = {
        "name": "Level",
        "resultType": result_type(observed),
        "Thing": {"@id": f"Things({thing})"},
        "Sensor": {"@id": address},
    }
    reply = api2.post("/Datastreams", body)
    assert (reply.status, reply.json["error"]["target"]) == (400, "Sensor")


def test_a_deep_insert_makes_all_of_it_or_nothing(api2: Client, observed: int) -> None:
    """conf/api/cud/deep_insert"""
    place = {**FEATURE, "location": FEATURE["feature"]}
    del place["feature"]
    stream: dict[str, Any] = {
        "name": "Level",
        "resultType": result_type(observed),
        "Sensor": {"name": "Radar"},
        "Observations": [
            {"phenomenonTime": {"start": "2026-05-04T06:00:00Z"}, "result": 86},
            {"result": 87, "ProximateFeatureOfInterest": FEATURE},
        ],
    }
    body = {"name": "Mast", "Locations": [place], "Datastreams": [stream]}
    key = api2.post("/Things", body).key
    inner = "Datastreams($expand=Observations($orderby=result;$expand=ProximateFeatureOfInterest))"
    thing = api2.get(f"/Things({key})?$expand=HistoricalLocations,{inner}").json
    first, second = thing["Datastreams"][0]["Observations"]
    assert first["phenomenonTime"] == {"start": "2026-05-04T06:00:00.000Z"}
    assert first["ProximateFeatureOfInterest"] is None  # nothing is made from the Thing's place
    assert second["ProximateFeatureOfInterest"]["name"] == "Sample 17"
    assert len(thing["HistoricalLocations"]) == 1
    stream["Observations"].append({"phenomenonTime": {"start": "yesterday"}, "result": 1})
    assert api2.post("/Things", body).status == 400
    assert len(api2.get("/Things").value) == 1


@pytest.mark.parametrize(
    ("entity_set", "body", "target"),
    [
        ("Things", {"name": "Mast", "definition": {"href": "x"}}, "definition"),
        ("Features", {**FEATURE, "FeatureTypes": [{"@id": "FeatureTypes(1)"}]}, "FeatureTypes"),
        ("Features", {**FEATURE, "FeatureTypes": {"name": "River"}}, "FeatureTypes"),
        ("Sensors", {"name": "Radar", "definition": "x" * 501}, "definition"),
        ("Things", {"name": "Mast", "nmae": "Mast"}, "nmae"),
        ("Things", {}, "name"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    api2: Client, entity_set: str, body: dict[str, Any], target: str
) -> None:
    reply = api2.post(f"/{entity_set}", body)
    assert (reply.status, reply.json["error"]["target"]) == (400, target)
    assert api2.get(f"/{entity_set}").value == []


# --- conf/datamodel/core/datastream: resultType --------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"constraint": {"intervals": [[0, 600]]}, "nilValues": [{"reason": "x", "value": -9}]},
        {"uom": {"href": "https://example.org/cm"}},
    ],
)
def test_a_result_type_reads_back_as_it_was_written(
    api2: Client, observed: int, stream: int, more: dict[str, Any]
) -> None:
    wanted = result_type(observed, **more)
    assert api2.patch(f"/Datastreams({stream})", {"resultType": wanted}).status == 204
    assert api2.get(f"/Datastreams({stream})").json["resultType"] == wanted


def test_a_record_of_one_property_is_kept(api2: Client, observed: int, stream: int) -> None:
    low = result_type(observed, name="low")
    high = result_type(observed, name="high", optional=True)
    record = {"type": "DataRecord", "fields": [low, high]}
    assert api2.patch(f"/Datastreams({stream})", {"resultType": record}).status == 204
    assert api2.get(f"/Datastreams({stream})").json["resultType"] == record
    send = f"/Datastreams({stream})/Observations"
    assert api2.post(send, {"result": {"low": 1}}).status == 201
    assert api2.post(send, {"result": {"high": 1}}).status == 400
    assert api2.post(send, {"result": {"low": 1, "nix": 1}}).status == 400


def test_version_1_sees_type_and_unit_and_nothing_else(
    api: Client, api2: Client, stream: int
) -> None:
    seen = api.get(f"/Datastreams({stream})").json
    assert seen["observationType"] == bodies.MEASUREMENT
    assert seen["unitOfMeasurement"] == bodies.UNIT
    metre = {"name": "metre", "symbol": "m", "definition": "ucum:m"}
    assert api.patch(f"/Datastreams({stream})", {"unitOfMeasurement": metre}).status == 200
    made = api2.get(f"/Datastreams({stream})").json["resultType"]
    assert made["uom"] == {"label": "metre", "symbol": "m", "code": "m"}


@pytest.mark.parametrize(
    "broken",
    [
        5,
        {"type": "Nix"},
        {"type": "Quantity", "label": "x", "definition": "{}"},
        {"type": "Quantity", "label": "x", "definition": "{}", "uom": {"symbol": "cm"}},
        {"type": "Quantity", "label": "x", "definition": "{}", "uom": {"code": "1", "x": "y"}},
        {"type": "Quantity", "definition": "{}", "uom": {"code": "1"}},
        {"type": "Count", "label": "x", "definition": "https://example.org/level"},
        {"type": "Count", "label": "x", "definition": "ObservedProperties(999999)"},
        {"type": "DataRecord", "fields": []},
        {"type": "DataRecord", "fields": [{"type": "Count", "label": "x", "definition": "{}"}]},
        {"type": "DataArray"},
    ],
)  # fmt: skip
def test_a_broken_result_type_is_refused(
    api2: Client, observed: int, stream: int, broken: Any
) -> None:
    text = orjson.dumps({"resultType": broken}).replace(
        b'"{}"', f'"ObservedProperties({observed})"'.encode()
    )
    assert api2.request("PATCH", f"/Datastreams({stream})", text).status == 400


def test_several_properties_in_one_datastream(
    api: Client, api2: Client, observed: int, stream: int
) -> None:
    """A record of single values, which version 1.1 sees as a MultiDatastream with arrays."""
    other = api2.post("/ObservedProperties", {"name": "Rain", "definition": "x"}).key
    fields = [result_type(observed, name="a"), result_type(other, name="b", optional=True)]
    body = {"resultType": {"type": "DataRecord", "fields": fields}}
    address = f"/Datastreams({stream})"
    assert api2.patch(address, body).status == 204
    assert api2.get(address).json["resultType"] == body["resultType"]
    assert api2.get(f"{address}/ObservedProperties?$orderby=id").value[1]["id"] == other
    assert api.get(address).status == 404
    multi = f"/MultiDatastreams({stream})"
    assert api.get(f"{multi}/ObservedProperties").ids == [observed, other]
    assert api2.post(f"{address}/Observations", {"result": {"a": 1}}).status == 201
    assert api2.post(f"{address}/Observations", {"result": {"b": 1}}).status == 400
    assert api.get(f"{multi}/Observations").value[0]["result"] == [1, None]
    reading = bodies.observation([2, 3], FeatureOfInterest=bodies.feature())
    assert api.post(f"{multi}/Observations", reading).status == 201
    results = [o["result"] for o in api2.get(f"{address}/Observations?$orderby=id").value]
    assert results == [{"a": 1}, {"a": 2, "b": 3}]
    arrays = {"resultEncoding": {"type": "JSONEncoding", "recordsAsArrays": True}}
    assert api2.patch(address, arrays).status == 204
    assert api2.get(f"{address}/Observations?$orderby=id").value[1]["result"] == [2, 3]
    assert api2.post(f"{address}/Observations", {"result": [4, 5]}).status == 201
    assert api2.post(f"{address}/Observations", {"result": [4]}).status == 400
    assert api2.patch(address, {"resultEncoding": {"type": "TextEncoding"}}).status == 400


def test_the_observed_property_follows_the_result_type(
    api2: Client, observed: int, stream: int
) -> None:
    other = api2.post("/ObservedProperties", {"name": "Depth", "definition": "x"}).key
    address = f"/Datastreams({stream})"
    assert api2.patch(address, {"resultType": result_type(other)}).status == 204
    assert api2.get(f"{address}/ObservedProperties").value[0]["id"] == other
    reference = {"@id": f"ObservedProperties({observed})"}
    assert api2.post(f"{address}/ObservedProperties/$ref", reference).status == 400
    contradicting = {"resultType": result_type(other), "ObservedProperties": [reference]}
    assert api2.patch(address, contradicting).status == 400
    assert api2.patch(address, {"ObservedProperties": [reference]}).status == 400
    body = {"name": "Depth", "definition": "x"}
    assert api2.post(f"{address}/ObservedProperties", body).status == 400
    turned = {"@id": f"Datastreams({stream})"}
    assert api2.post(f"/ObservedProperties({observed})/Datastreams/$ref", turned).status == 400
    assert api2.get(f"{address}/ObservedProperties").value[0]["id"] == other


def test_a_datastream_below_a_property_must_lead_to_it(
    api2: Client, observed: int, stream: int
) -> None:
    other = api2.post("/ObservedProperties", {"name": "Depth", "definition": "x"}).key
    thing = api2.get("/Things").value[0]["@id"]
    body = {
        "name": "Level",
        "resultType": result_type(observed),
        "Sensor": {"name": "Radar"},
        "Thing": {"@id": thing},
    }
    assert api2.post(f"/ObservedProperties({observed})/Datastreams", body).status == 201
    assert api2.post(f"/ObservedProperties({other})/Datastreams", body).status == 400


def test_the_structure_is_frozen_once_there_are_results(
    api2: Client, observed: int, stream: int
) -> None:
    address = f"/Datastreams({stream})"
    api2.post(f"{address}/Observations", {"result": 1})
    count = {k: v for k, v in result_type(observed, type="Count").items() if k != "uom"}
    assert api2.patch(address, {"resultType": count}).status == 400
    assert api2.patch(address, {"resultType": result_type(observed, label="New")}).status == 204


@pytest.mark.parametrize("wrong", ["86", True, None, [1], {"x": 1}])
def test_a_result_of_another_kind_is_refused(api2: Client, stream: int, wrong: Any) -> None:
    send = f"/Datastreams({stream})/Observations"
    assert api2.post(send, {"result": wrong}).status == 400
    key = api2.post(send, {"result": 1}).key
    assert api2.patch(f"/Observations({key})", {"result": wrong}).status == 400


# --- conf/api/cud/update, replace, json_patch ----------------------------------------------------


def test_members_of_objects_that_are_not_named_stay(api2: Client, stream: int) -> None:
    """conf/api/cud/update"""
    thing = api2.post("/Things", {"name": "Mast", "properties": {"a": 1, "b": {"c": 2}}}).key
    change: dict[str, Any] = {"properties": {"a": None, "b": {"d": 3}}}
    assert api2.patch(f"/Things({thing})", change).status == 204
    assert api2.get(f"/Things({thing})").json["properties"] == {"b": {"c": 2, "d": 3}}
    start, end = "2026-05-04T06:00:00.000Z", "2026-05-04T07:00:00.000Z"
    body = {"result": 1, "phenomenonTime": {"start": start}, "properties": {"resultQuality": 1}}
    key = api2.post(f"/Datastreams({stream})/Observations", body).key
    change = {"phenomenonTime": {"end": end}, "properties": {"battery": 3}}
    assert api2.patch(f"/Observations({key})", change).status == 204
    reading = api2.get(f"/Observations({key})").json
    assert reading["phenomenonTime"] == {"start": start, "end": end}
    assert reading["properties"] == {"battery": 3, "resultQuality": 1}


def test_a_replaced_entity_has_only_what_was_sent(api2: Client) -> None:
    """conf/api/cud/replace"""
    body = {"name": "Mast", "description": "tall", "properties": {"a": 1}}
    thing = api2.post("/Things", body).key
    assert api2.put(f"/Things({thing})", {"name": "Pole"}).status == 204
    replaced = api2.get(f"/Things({thing})").json
    assert (replaced["name"], replaced.keys() & {"description", "properties"}) == ("Pole", set())
    assert api2.put(f"/Things({thing})", {"description": "no name"}).status == 400


def test_a_json_patch_that_finds_something_else_is_a_conflict(api2: Client, stream: int) -> None:
    """conf/api/cud/json_patch"""
    media = {"content_type": "application/json-patch+json"}
    address = f"/Datastreams({stream})"
    operations = [
        {"op": "test", "path": "/resultType/uom/code", "value": "cm"},
        {"op": "replace", "path": "/resultType/uom/code", "value": "mm"},
    ]
    assert api2.patch(address, operations, **media).status == 204
    assert api2.get(f"{address}/resultType/uom/code").json["value"] == "mm"
    assert api2.patch(address, operations, **media).status == 409


# --- conf/api/cud/update_relations ---------------------------------------------------------------


def test_the_feature_of_a_reading_is_set_and_cleared(api2: Client, stream: int) -> None:
    """conf/api/cud/update_relations"""
    feature = api2.post("/Features", FEATURE).key
    key = api2.post(f"/Datastreams({stream})/Observations", {"result": 1}).key
    link = f"/Observations({key})/ProximateFeatureOfInterest"
    assert api2.put(f"{link}/$ref", {"@id": f"Features({feature})"}).status == 204
    assert api2.get(link).json["name"] == "Sample 17"
    assert api2.delete(f"{link}/$ref").status == 204
    assert api2.get(link).status == 204
    assert api2.delete(f"/Observations({key})/Datastream/$ref").status == 400


def test_locations_are_added_set_and_removed(api2: Client) -> None:
    """conf/api/cud/update_relations"""
    thing = api2.post("/Things", {"name": "Mast"}).key
    place = {"name": "x", "encodingType": "application/geo+json", "location": FEATURE["feature"]}
    one, two = (api2.post("/Locations", place).key for _ in range(2))
    link = f"/Things({thing})/Locations"
    assert api2.post(f"{link}/$ref", {"@id": f"Locations({one})"}).status == 204
    assert api2.put(f"{link}/$ref", {"value": [{"@id": f"Locations({two})"}]}).status == 204
    assert [entity["id"] for entity in api2.get(link).value] == [two]
    assert api2.delete(f"{link}/$ref?$id=../../Locations({two})").status == 204
    assert api2.get(link).value == []
    assert len(api2.get(f"/Things({thing})/HistoricalLocations").value) == 2


# --- conf/api/cud/delete, filtered_delete --------------------------------------------------------


def test_deleting_has_no_content_and_takes_dependants(
    api2: Client, observed: int, stream: int
) -> None:
    """conf/api/cud/delete"""
    api2.post(f"/Datastreams({stream})/Observations", {"result": 1})
    assert api2.delete(f"/ObservedProperties({observed})").status == 204
    assert api2.get("/Datastreams").value == api2.get("/Observations").value == []


def test_a_deleted_feature_leaves_its_readings(api: Client, api2: Client, stream: int) -> None:
    """conf/api/cud/delete: a Feature takes only links with it; in version 1.1 it takes readings"""
    body = {"result": 1, "ProximateFeatureOfInterest": FEATURE}
    key = api2.post(f"/Datastreams({stream})/Observations", body).key
    (feature,) = api2.get("/Features").value
    assert api2.delete(f"/Features({feature['id']})").status == 204
    assert api2.get(f"/Observations({key})").json["result"] == 1
    assert api2.get(f"/Observations({key})/ProximateFeatureOfInterest").status == 204


def test_a_filter_deletes_what_it_finds(api2: Client) -> None:
    """conf/api/cud/filtered_delete"""
    for name in ("a", "b"):
        api2.post("/Things", {"name": name})
    assert api2.delete("/Things?$filter=name eq 'a'").status == 204
    assert [thing["name"] for thing in api2.get("/Things").value] == ["b"]
    assert api2.delete("/Things").status == 400


def test_a_batch_speaks_this_version_too(api2: Client, observed: int) -> None:
    requests = [
        {"id": "mast", "method": "post", "url": "Things", "body": {"name": "Mast"}},
        {"id": "level", "method": "post", "url": "$mast/Datastreams", "body": {
            "name": "Level", "resultType": result_type(observed), "Sensor": {"name": "Radar"}}},
        {"id": "value", "method": "post", "url": "Observations", "body": {
            "result": 1, "Datastream": {"@id": "$level"}}},
        {"id": "seen", "method": "get", "url": "$value/Datastream/Thing/name"},
    ]  # fmt: skip
    answers = api2.post("/$batch", {"requests": requests}).json["responses"]
    assert [answer["status"] for answer in answers] == [201, 201, 201, 200]
    assert answers[-1]["body"]["value"] == "Mast"


def test_readers_may_not_write(visitor: Client) -> None:
    reply = in_version_2(visitor).post("/Things", {"name": "Mast"})
    assert (reply.status, reply.json["error"]["code"]) == (401, "401")


def test_a_property_and_what_observes_it_come_in_one_batch(api2: Client) -> None:
    """A result type refers to an ObservedProperty that does not exist before the batch"""
    thing = api2.post("/Things", {"name": "Mast"}).key
    record = {"type": "DataRecord", "label": "Weather", "fields": [
        {"name": name, "type": "Quantity", "label": name, "definition": f"${name}", "uom": {"code": "1"}}
        for name in ("rain", "wind")]}  # fmt: skip
    requests = [
        *({"id": name, "method": "post", "url": "ObservedProperties", "body": {
            "name": name, "definition": f"https://example.org/{name}"}} for name in ("rain", "wind")),
        {"id": "stream", "method": "post", "url": f"Things({thing})/Datastreams", "body": {
            "name": "Weather", "resultType": record, "Sensor": {"name": "Station"}}},
        {"id": "seen", "method": "get", "url": "$stream/ObservedProperties?$orderby=id"},
        {"id": "wrong", "method": "patch", "url": "$stream", "body": {
            "resultType": {**record, "fields": [{**record["fields"][0], "definition": "$snow"}]}}},
    ]  # fmt: skip
    answers = api2.post("/$batch", {"requests": requests}).json["responses"]
    assert [answer["status"] for answer in answers] == [201, 201, 201, 200, 400]
    assert [each["name"] for each in answers[3]["body"]["value"]] == ["rain", "wind"]
    assert answers[-1]["body"]["error"]["target"] == "$snow"


@pytest.mark.parametrize("query", ["$select=nope", "$expand=Nope", "$select=name,", "$nope=1"])
@pytest.mark.parametrize("name", ["Things", "Observations"])
def test_what_cannot_be_shown_as_asked_is_not_created(
    api2: Client, stream: int, name: str, query: str
) -> None:
    """conf/api/cud/return_value: a refusal leaves nothing behind"""
    body = {"Things": {"name": "x"}, "Observations": {"result": 1}}[name]
    path = {"Things": "/Things", "Observations": f"/Datastreams({stream})/Observations"}[name]
    before = api2.get(f"/{name}?$count=true").json["@count"]
    assert api2.post(f"{path}?{query}", body, **SHOW).status == 400
    assert api2.get(f"/{name}?$count=true").json["@count"] == before


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_a_condition_that_would_not_be_looked_at_is_refused(
    api: Client, api2: Client, method: str
) -> None:
    """A filter is for sets; who changes one entity under a condition sends If-Match"""
    thing = api.post("/Things", bodies.thing()).key
    body = orjson.dumps(bodies.thing("Other"))
    for client in (api, api2):
        reply = client.request(method, f"/Things({thing})?$filter=name eq 'Mast'", body)
        assert (reply.status, b"$filter" in reply.body) == (400, True)
        assert client.get(f"/Things({thing})").json["name"] == "Gauge"
