"""conf/datamodel/core, conf/api/cud: what is wrong is refused with its name, and changes nothing."""

from typing import Any

import pytest

from stadtherz.sensorthings.standard.faces import V2_0
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import HOST, Client, in_version_2

ROOT = HOST + V2_0.prefix
START, END = "2026-05-04T06:00:00Z", "2026-05-04T07:00:00Z"


@pytest.fixture
def api2(api: Client) -> Client:
    return in_version_2(api)


@pytest.fixture
def observed(api2: Client) -> int:
    return api2.post("/ObservedProperties", {"name": "Level", "definition": "x:level"}).key


def kind(observed: int, **more: Any) -> dict[str, Any]:
    made = {"type": "Quantity", "label": "Level", "uom": {"code": "cm"}}
    return {**made, "definition": f"ObservedProperties({observed})", **more}


@pytest.fixture
def stream(api2: Client, observed: int) -> int:
    thing = api2.post("/Things", {"name": "Mast"}).key
    body = {"name": "Level", "resultType": kind(observed), "Sensor": {"name": "Radar"}}
    return api2.post(f"/Things({thing})/Datastreams", body).key


def refused(client: Client, address: str, body: Any) -> str:
    """What a POST is refused for."""
    reply = client.post(address, body)
    assert reply.status == 400, reply.body
    target: str = reply.json["error"]["target"]
    return target


# --- times ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "target"),
    [
        ("phenomenonTime", {}, "phenomenonTime"),
        ("phenomenonTime", [START, END], "phenomenonTime"),
        ("phenomenonTime", 5, "phenomenonTime"),
        ("phenomenonTime", {"end": END}, "phenomenonTime"),
        ("phenomenonTime", {"start": END, "end": START}, "phenomenonTime"),
        ("phenomenonTime", {"start": "yesterday"}, "phenomenonTime"),
        ("phenomenonTime", {"start": 5}, "phenomenonTime/start"),
        ("phenomenonTime", {"start": None}, "phenomenonTime/start"),
        ("phenomenonTime", {"start": START, "end": 5}, "phenomenonTime/end"),
        ("phenomenonTime", {"start": START, "duration": "PT1H"}, "phenomenonTime"),
        ("validTime", {"start": START}, "validTime"),
        ("validTime", {"start": START, "end": None}, "validTime"),
        ("validTime", {"start": END, "end": START}, "validTime"),
        ("validTime", START, "validTime"),
        ("resultTime", {"start": START}, "resultTime"),
        ("resultTime", f"{START}/{END}", "resultTime"),
        ("properties", [1], "properties"),
        ("properties", "text", "properties"),
        ("result", "high", "result"),
        ("result", {"value": 5}, "result"),
        ("result", None, "result"),
        ("parameters", {"a": 1}, "parameters"),
        ("FeatureOfInterest", {"@iot.id": 1}, "FeatureOfInterest"),
        ("Datastream", [{"@id": "Datastreams(1)"}], "Datastream"),
        ("ProximateFeatureOfInterest", {"@id": "Features(99)"}, "ProximateFeatureOfInterest"),
        ("ProximateFeatureOfInterest", {"@id": "Things(1)"}, "ProximateFeatureOfInterest"),
        ("ProximateFeatureOfInterest", [], "ProximateFeatureOfInterest"),
    ],
)
def test_a_broken_reading_is_refused(
    api2: Client, stream: int, name: str, value: Any, target: str
) -> None:
    """conf/datamodel/core/observation"""
    body = {"phenomenonTime": {"start": START}, "result": 5, name: value}
    assert refused(api2, f"/Datastreams({stream})/Observations", body).startswith(target)
    assert api2.get("/Observations").value == []


@pytest.mark.parametrize(
    "time",
    [
        {"start": START},
        {"start": START, "end": END},
        {"start": "2026-05-04T08:00:00+02:00", "end": "2026-05-04T07:00:00.000Z"},
        f"{START}/{END}",
        START,
    ],
)
def test_times_are_read_in_both_forms_and_shown_as_objects(
    api2: Client, stream: int, time: Any
) -> None:
    """conf/datamodel/core/observation: TM_Object"""
    body = {"phenomenonTime": time, "validTime": {"start": START, "end": END}, "result": 5}
    key = api2.post(f"/Datastreams({stream})/Observations", body).key
    shown = api2.get(f"/Observations({key})").json
    assert shown["phenomenonTime"]["start"] == "2026-05-04T06:00:00.000Z"
    assert shown["phenomenonTime"].keys() <= {"start", "end"}
    assert shown["validTime"]["end"] == "2026-05-04T07:00:00.000Z"


@pytest.mark.parametrize(
    ("name", "value", "target"),
    [
        ("phenomenonTime", {"start": "2026-05-04T06:00:00"}, "phenomenonTime/start"),
        ("phenomenonTime", {"start": "2026-05-04"}, "phenomenonTime/start"),
        ("phenomenonTime", "2026-05-04T06:00:00", "phenomenonTime"),
        ("phenomenonTime", f"2026-05-04T06:00:00/{END}", "phenomenonTime"),
        ("validTime", {"start": START, "end": "2026-05-04T07:00:00"}, "validTime/end"),
        ("resultTime", "2026-05-04T06:00:00", "resultTime"),
    ],
)
def test_a_time_that_keeps_its_zone_to_itself_is_refused(
    api2: Client, stream: int, name: str, value: Any, target: str
) -> None:
    """conf/datamodel/core: TM_Instant is an Edm.DateTimeOffset"""
    body = {"phenomenonTime": {"start": START}, "result": 5, name: value}
    reply = api2.post(f"/Datastreams({stream})/Observations", body)
    assert (reply.status, reply.json["error"]["target"]) == (400, target)
    assert "zone" in reply.json["error"]["message"]
    columns = {"components": [name, "result"], "dataArray": [[value, 1]]}
    array = [{"Datastream": {"@id": f"Datastreams({stream})"}, **columns}]
    assert api2.post("/CreateObservations", array).json == ["error"]
    assert api2.get("/Observations").value == []


def test_members_of_a_time_are_changed_one_by_one(api2: Client, stream: int) -> None:
    """conf/api/cud/update: members of a complex attribute that are not sent stay"""
    body = {"phenomenonTime": {"start": START, "end": END}, "result": 5}
    address = f"/Observations({api2.post(f'/Datastreams({stream})/Observations', body).key})"
    later = {"phenomenonTime": {"end": "2026-05-04T09:00:00Z"}}
    assert api2.patch(address, later).status == 204
    shown = api2.get(f"{address}/phenomenonTime").json["value"]
    assert shown == {"start": "2026-05-04T06:00:00.000Z", "end": "2026-05-04T09:00:00.000Z"}
    assert api2.patch(address, {"phenomenonTime": {"end": None}}).status == 204
    assert api2.get(f"{address}/phenomenonTime").json["value"].keys() == {"start"}
    wrong = {"phenomenonTime": {"start": None}}
    assert api2.patch(address, wrong).status == 400


# --- result types --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "target"),
    [
        ({"type": "Magnitude"}, "resultType/type"),
        ({"type": None}, "resultType/type"),
        ({"label": None}, "resultType/label"),
        ({"definition": None}, "resultType/definition"),
        ({"definition": {"@id": "ObservedProperties(1)"}}, "resultType/definition"),
        ({"definition": "ObservedProperties(99)"}, "resultType/definition"),
        ({"definition": "Things(1)"}, "resultType/definition"),
        ({"definition": "http://elsewhere.example/ObservedProperties(1)"}, "resultType/definition"),
        ({"uom": None}, "resultType/uom"),
        ({"uom": "cm"}, "resultType/uom"),
        ({"uom": {"label": "centimetre"}}, "resultType/uom"),
        ({"uom": {"code": "cm", "factor": 100}}, "resultType/uom"),
        ({"uom": {"code": 5}}, "resultType/uom"),
        ({"type": "DataRecord"}, "resultType/fields"),
        ({"type": "DataRecord", "fields": []}, "resultType/fields"),
        ({"type": "DataRecord", "fields": [{"type": "Count"}]}, "resultType/fields/0"),
        (
            {
                "type": "DataRecord",
                "definition": None,
                "fields": [{"type": "Count", "label": "x", "name": "x", "definition": "Things(1)"}],
            },
            "resultType/fields/0/definition",
        ),
        ({"type": "Vector", "coordinates": {}}, "resultType/coordinates"),
        ({"type": "DataArray"}, "resultType/elementType"),
        ({"type": "DataChoice", "items": [5]}, "resultType/items/0"),
    ],
)
def test_a_broken_result_type_is_refused_with_its_place(
    api2: Client, observed: int, more: dict[str, Any], target: str
) -> None:
    """conf/datamodel/core/datastream: resultType"""
    thing = api2.post("/Things", {"name": "Mast"}).key
    described = {k: v for k, v in kind(observed, **more).items() if v is not None}
    body = {"name": "Level", "resultType": described, "Sensor": {"name": "Radar"}}
    assert refused(api2, f"/Things({thing})/Datastreams", body).startswith(target)
    assert api2.get("/Datastreams").value == []


@pytest.mark.parametrize("described", [None, 5, "Quantity", [], {}])
def test_a_result_type_is_an_object(api2: Client, described: Any) -> None:
    thing = api2.post("/Things", {"name": "Mast"}).key
    body = {"name": "Level", "resultType": described, "Sensor": {"name": "Radar"}}
    assert refused(api2, f"/Things({thing})/Datastreams", body).startswith("resultType")


@pytest.mark.parametrize(
    "encoding",
    [
        {"type": "TextEncoding", "tokenSeparator": ","},
        {"type": "JSONEncoding", "recordsAsArrays": "yes"},
        {"type": "JSONEncoding", "indent": True},
        {"recordsAsArrays": True},
        "JSONEncoding",
    ],
)
def test_other_encodings_are_refused(api2: Client, observed: int, encoding: Any) -> None:
    thing = api2.post("/Things", {"name": "Mast"}).key
    body = {
        "name": "Level",
        "resultType": kind(observed),
        "resultEncoding": encoding,
        "Sensor": {"name": "Radar"},
    }
    assert refused(api2, f"/Things({thing})/Datastreams", body) == "resultEncoding"


_FORMS: list[tuple[dict[str, Any], list[Any], list[Any]]] = [
    ({"type": "Quantity"}, [5, -1.5, "NaN", "-Infinity"], [True, "5", [5], {"a": 5}]),
    ({"type": "Count", "uom": None}, [5, 0, 2.0], [1.5, True, "5"]),
    ({"type": "Boolean", "uom": None}, [True, False], [1, 0, "true"]),
    ({"type": "Category", "uom": None}, ["red"], [5, True, ["red"]]),
    ({"type": "Text", "uom": None}, ["", "text"], [5, {"a": 1}]),
    ({"type": "Time"}, [START, 5], [True, {"start": START}]),
    ({"type": "QuantityRange"}, [[1, 2.5]], [[1], 5, [1, 2, 3], ["1", "2"]]),
    ({"type": "Quantity", "nilValues": [{"reason": "x", "value": "gone"}]}, ["gone", 1], ["went"]),
]


@pytest.mark.parametrize(("more", "right", "wrong"), _FORMS, ids=[f[0]["type"] for f in _FORMS])
def test_results_are_what_the_result_type_says(
    api2: Client, observed: int, more: dict[str, Any], right: list[Any], wrong: list[Any]
) -> None:
    """conf/datamodel/core/observation: result"""
    thing = api2.post("/Things", {"name": "Mast"}).key
    described = {k: v for k, v in kind(observed, **more).items() if v is not None}
    body = {"name": "Any", "resultType": described, "Sensor": {"name": "Radar"}}
    address = f"/Datastreams({api2.post(f'/Things({thing})/Datastreams', body).key})/Observations"
    for result in right:
        reply = api2.post(address, {"result": result}, prefer="return=representation")
        assert (reply.status, reply.json["result"]) == (201, result)
    for result in wrong:
        assert refused(api2, address, {"result": result}) == "result"


# --- bodies --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"5", b'"Mast"', b"[]", b"{", b'[{"name":"Mast"}]', b"\xff"]
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_what_is_no_object_is_refused(api2: Client, raw: bytes, method: str) -> None:
    """conf/api/cud/create, update, replace"""
    key = api2.post("/Things", {"name": "Mast"}).key
    address = "/Things" if method == "POST" else f"/Things({key})"
    reply = api2.request(method, address, raw)
    assert (reply.status, reply.json["error"]["code"]) == (400, "400")
    assert [thing["name"] for thing in api2.get("/Things").value] == ["Mast"]


def test_what_a_server_writes_may_be_sent_back(api2: Client, stream: int) -> None:
    """@context, @id, navigation links and counts are no attributes"""
    for way in ("", "/Thing", "/Sensor"):
        address = api2.get(f"/Datastreams({stream}){way}").json["@id"]
        shown = api2.get(address).json
        assert "@context" in shown
        assert api2.put(address, shown).status == 204
        assert api2.get(address).json == shown
        assert api2.patch(address, shown).status == 204
        assert api2.get(address).json == shown


@pytest.mark.parametrize(
    "reference",
    [
        {"@id": "Sensors({0})"},
        {"@id": "/Sensors({0})"},
        {"@id": f"{ROOT}/Sensors({{0}})"},
        {"@id": "/sta/v2.0/Sensors({0})"},
        {"@id": "../../Sensors({0})"},
    ],
    ids=["relative", "root", "absolute", "path", "upwards"],
)
def test_addresses_are_read_in_every_form(
    api2: Client, stream: int, reference: dict[str, str]
) -> None:
    """conf/api/cud/create: links to entities that exist"""
    key = api2.post("/Sensors", {"name": "Float"}).key
    named = {"@id": reference["@id"].format(key)}
    assert api2.patch(f"/Datastreams({stream})", {"Sensor": named}).status == 204
    assert api2.get(f"/Datastreams({stream})/Sensor").json["id"] == key
    other = api2.post("/Sensors", {"name": "Gauge"}).key
    named = {"@id": reference["@id"].format(other)}
    assert api2.put(f"/Datastreams({stream})/Sensor/$ref", named).status == 204
    assert api2.get(f"/Datastreams({stream})/Sensor").json["id"] == other


@pytest.mark.parametrize(
    "reference",
    [{}, {"@id": 5}, {"@id": None}, {"@id": "Sensors"}, {"@id": "Sensors(1)/name"}, {"@id": "Sensors('1')"},
     {"id": "x"}, {"@id": "Sensors(-1)"}, {"@id": "Sensors(99999999999999999999)"}],
)  # fmt: skip
@pytest.mark.parametrize("way", ["PATCH", "$ref"])
def test_what_is_no_reference_is_refused(
    api2: Client, stream: int, reference: dict[str, Any], way: str
) -> None:
    before = api2.get(f"/Datastreams({stream})/Sensor").json["id"]
    if way == "$ref":
        reply = api2.put(f"/Datastreams({stream})/Sensor/$ref", reference)
    else:
        reply = api2.patch(f"/Datastreams({stream})", {"Sensor": reference})
    assert (reply.status, bool(reply.json["error"]["target"])) == (400, True)
    assert api2.get(f"/Datastreams({stream})/Sensor").json["id"] == before


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/Things(99)", 404),
        ("PATCH", "/Things(99)", 404),
        ("DELETE", "/Things(99)", 404),
        ("DELETE", "/Things", 400),
        ("PATCH", "/Things", 405),
        ("PUT", "/Things", 405),
        ("POST", "/Things(1)", 405),
        ("POST", "/Things(1)/name", 405),
        ("PATCH", "/", 405),
        ("POST", "/Nothing", 404),
        ("GET", "/things", 404),
        ("GET", "/Things(x)", 404),
        ("DELETE", "/Things?$filter=nmae eq 1", 400),
    ],
)
def test_statuses(api2: Client, method: str, address: str, status: int) -> None:
    """conf/binding/http/request_response"""
    api2.post("/Things", {"name": "Mast"})
    reply = api2.request(method, address, b'{"name": "Tower"}' if method != "GET" else b"")
    assert (reply.status, reply.json["error"]["code"]) == (status, str(status))
    assert ("allow" in reply.headers) == (status == 405)


def test_other_media_are_refused(api2: Client) -> None:
    for media in ("text/plain", "application/xml", "multipart/form-data"):
        assert api2.request("POST", "/Things", b"{}", content_type=media).status == 415


@pytest.mark.parametrize(
    "headers",
    [
        {"odata_version": "4.01", "odata_maxversion": "4.01"},
        {"odata_version": "4.0", "accept": "application/json;odata.metadata=minimal"},
        {"prefer": "odata.maxpagesize=2, return=representation"},
        {"accept": "application/json;IEEE754Compatible=true"},
    ],
)
def test_headers_of_odata_do_no_harm(api2: Client, headers: dict[str, str]) -> None:
    assert api2.get("/Things", **headers).status == 200
    reply = api2.post(
        "/Things", {"name": "Mast"}, content_type="application/json;odata.metadata=full", **headers
    )
    assert reply.status == 201


def test_an_id_that_is_chosen_is_kept_once(api2: Client) -> None:
    """Ours: keys that clients choose; PUT creates where nothing is"""
    assert api2.put("/FeatureTypes(77)", {"name": "River"}).status == 201
    assert api2.put("/FeatureTypes(77)", {"name": "Lake"}).status == 204
    assert api2.get("/FeatureTypes(77)/name").json["value"] == "Lake"
    assert api2.post("/FeatureTypes", {"id": 77, "name": "Sea"}).status == 409
    assert api2.post("/FeatureTypes", {"id": "x", "name": "Sea"}).status == 400


def test_a_thing_is_recognised_by_what_its_sender_calls_it(api2: Client) -> None:
    """Ours: $upsert"""
    body = {"name": "Mast", "definition": "x:mast", "properties": {"externalId": "a1"}}
    first = api2.post("/Things?$upsert=properties/externalId", body)
    assert first.status == 201
    again = api2.post("/Things?$upsert=properties/externalId", {**body, "name": "Tower"})
    assert again.status == 204
    (thing,) = api2.get("/Things").value
    assert (thing["name"], thing["definition"]) == ("Tower", "x:mast")


def test_a_place_in_the_past_enters_the_history_only(api2: Client) -> None:
    """conf/datamodel/core/historical-location"""
    thing = api2.post("/Things", {"name": "Mast", "Locations": [bodies.location("Now")]}).key
    old = api2.post("/Locations", bodies.location("Old")).key
    about = {"Thing": {"@id": f"Things({thing})"}, "Locations": [{"@id": f"Locations({old})"}]}
    assert (
        api2.post("/HistoricalLocations", {"time": "2001-01-01T00:00:00Z", **about}).status == 201
    )
    assert [e["name"] for e in api2.get(f"/Things({thing})/Locations").value] == ["Now"]
    assert (
        api2.post("/HistoricalLocations", {"time": "2901-01-01T00:00:00Z", **about}).status == 201
    )
    assert [e["name"] for e in api2.get(f"/Things({thing})/Locations").value] == ["Old"]
    for broken in ({"Locations": []}, {"time": None}, {"time": {"start": START}}, {"Thing": None}):
        body = {"time": START, **about, **broken}
        assert refused(api2, "/HistoricalLocations", body) == next(iter(broken))
