"""req/batch-request/batch-request in the JSON format of OData 4.01 §19."""

import base64
from typing import Any

import orjson
import pytest

from stadtherz.base.visibility import ANONYMOUS, AccessLevel
from stadtherz.sensorthings.doors import batch
from stadtherz.sensorthings.doors.parts import MAX_PARTS
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import ROOT, Client, member, operator
from stadtherz.store.public import create_organisation, update
from tests.conformance.sensing import SENSING

GO_ON = {"prefer": "continue-on-error"}
Responses = dict[str, dict[str, Any]]


def ask(number: Any, method: str, url: str, body: Any = None, **more: Any) -> dict[str, Any]:
    """One request of a batch."""
    filled = {} if body is None else {"body": body}
    return {"id": str(number), "method": method, "url": url, **filled, **more}


def send(client: Client, *requests: Any, **headers: str) -> Responses:
    """The answers by id."""
    reply = client.post("/$batch", {"requests": requests}, **headers)
    assert reply.status == 200, reply.body
    assert reply.content_type.startswith("application/json")
    return {response["id"]: response for response in reply.json["responses"]}


def statuses(responses: Responses) -> dict[str, int]:
    return {key: response["status"] for key, response in responses.items()}


def test_each_request_is_answered_as_if_it_came_alone(city: Client) -> None:
    key, other, _ = city.get("/Things").ids
    got = send(
        city,
        ask(0, "get", "Things?$select=name&$orderby=name&$top=1"),
        ask(1, "POST", "Things", bodies.thing("New")),
        ask(2, "patch", f"Things({key})", {"name": "Renamed"}),
        ask(3, "PUT", f"Things({other})", bodies.thing("Replaced")),
        ask(4, "GET", f"Things({key})/name"),
        ask(5, "DELETE", f"Things({key})"),
        ask(6, "GET", f"Things({key})"),
    )
    assert statuses(got) == {"0": 200, "1": 201, "2": 200, "3": 200, "4": 200, "5": 200, "6": 404}
    first = city.get("/Things?$select=name&$orderby=name&$top=1").json
    assert got["0"]["body"]["value"] == first["value"]
    new = got["1"]["body"]["@iot.selfLink"]
    assert new == got["1"]["headers"]["location"] == got["1"]["location"]
    assert got["1"]["headers"]["etag"] == city.get(new).headers["etag"]
    assert got["4"]["body"] == {"name": "Renamed"}
    assert "body" not in got["5"]
    assert got["6"]["body"] == city.get(f"/Things({key})").json


@pytest.mark.parametrize(
    "url", ["Things", "/Things", "/sta/v1.1/Things", f"{ROOT}/Things", "Things/", "./Things"]
)
def test_addresses_are_below_the_root_or_whole(city: Client, url: str) -> None:
    expected = 404 if url.startswith(".") else 200
    assert statuses(send(city, ask(1, "GET", url))) == {"1": expected}


def test_what_is_not_encoded_is_understood(city: Client) -> None:
    url = "Things?$filter=name eq 'Lauter' or name eq 'Größe'&$select=name"
    assert send(city, ask(1, "GET", url))["1"]["body"]["value"] == [{"name": "Lauter"}]


def test_texts_and_headers_of_an_answer(city: Client) -> None:
    key = city.get("/Things").ids[0]
    tag = city.get(f"/Things({key})").headers["etag"]
    known = ask(2, "GET", f"Things({key})", headers={"If-None-Match": tag})
    got = send(city, ask(1, "GET", f"Things({key})/name/$value"), known)
    assert (got["1"]["body"], got["2"]["status"]) == ("Lauter", 304)
    assert got["1"]["headers"]["content-type"].startswith("text/plain")


def test_other_formats_are_embedded_as_json_has_room_for_them(city: Client) -> None:
    pytest.importorskip("pyarrow")
    got = send(
        city,
        ask(1, "GET", "Things?$resultFormat=GeoJSON"),
        ask(2, "GET", "Things?$resultFormat=CSV"),
        ask(3, "GET", "Observations?$filter=result gt 0&$resultFormat=parquet"),
    )
    assert statuses(got) == {"1": 200, "2": 200, "3": 200}
    assert got["1"]["body"]["type"] == "FeatureCollection"
    assert "Lauter" in got["2"]["body"]
    assert base64.urlsafe_b64decode(got["3"]["body"] + "==").startswith(b"PAR1")


def test_later_requests_refer_to_what_earlier_ones_made(api: Client) -> None:
    """`$id` as an address, as a key in an address, and as an id in a body"""
    got = send(
        api,
        ask("mast", "POST", "Things", bodies.thing(Locations=[bodies.location()])),
        ask("radar", "POST", "Sensors", bodies.sensor()),
        ask("level", "POST", "ObservedProperties", bodies.observed_property()),
        ask("flow", "POST", "$mast/Datastreams", bodies.datastream(
            Sensor={"@iot.id": "$radar"}, ObservedProperty={"@iot.id": "$level"})),
        ask("value", "POST", "Datastreams($flow)/Observations", bodies.observation(7)),
        ask("change", "PATCH", "$mast", {"name": "Changed"}),
        ask("again", "GET", "$value/Datastream/Thing/name"),
    )  # fmt: skip
    assert set(statuses(got).values()) == {200, 201}
    assert got["again"]["body"] == {"name": "Changed"}
    stream = got["flow"]["body"]["@iot.id"]
    assert api.get(f"/Datastreams({stream})/Sensor").json == api.get("/Sensors").value[0]
    assert api.get(f"/Datastreams({stream})/Observations").value[0]["result"] == 7


def test_an_entity_that_was_shown_can_be_referred_to(city: Client) -> None:
    (key, *_) = city.get("/Datastreams").ids
    got = send(city, ask("s", "GET", f"Datastreams({key})"), ask("t", "GET", "$s/Thing/name"))
    assert got["t"]["body"] == {"name": "Lauter"}


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("$nobody", {}),
        ("Things($nobody)", {}),
        ("$later", {}),
        ("$self", {}),
        ("$set/name", {}),
        ("Things", bodies.thing(Locations=[{"@iot.id": "$nobody"}])),
        ("Things", bodies.thing(Locations=[{"@iot.id": "$set"}])),
    ],
)
def test_a_reference_to_nothing_is_refused(city: Client, url: str, body: Any) -> None:
    got = send(
        city,
        ask("set", "GET", "Things"),
        ask("self", "POST" if url == "Things" else "PATCH", url, body),
        ask("later", "POST", "Things", bodies.thing()),
    )
    assert statuses(got) == {"set": 200, "self": 400}


# --- errors ------------------------------------------------------------------------------------------


def test_a_failure_ends_the_batch_unless_the_client_goes_on(api: Client) -> None:
    requests = [
        ask(1, "POST", "Things", bodies.thing("first")),
        ask(2, "POST", "Things", {"name": "half"}),
        ask(3, "POST", "Things", bodies.thing("last")),
    ]
    assert statuses(send(api, *requests)) == {"1": 201, "2": 400}
    assert [thing["name"] for thing in api.get("/Things").value] == ["first"]
    for preference in ("continue-on-error", "odata.continue-on-error=true", "x, Continue-On-Error"):
        got = send(api, *requests, prefer=preference)
        assert statuses(got) == {"1": 201, "2": 400, "3": 201}
        assert "description" in got["2"]["body"]["message"]
    assert statuses(send(api, *requests, prefer="continue-on-error=false")).keys() == {"1", "2"}


def test_what_depends_on_a_failure_is_not_tried(api: Client) -> None:
    got = send(
        api,
        ask("bad", "POST", "Things", {}),
        ask("named", "POST", "Things", bodies.thing("no"), dependsOn=["bad"]),
        ask("used", "PATCH", "$bad", {"name": "no"}),
        ask("chained", "GET", "Things", dependsOn=["named"]),
        ask("free", "POST", "Things", bodies.thing("yes")),
        prefer="continue-on-error",
    )
    assert statuses(got) == {"bad": 400, "named": 424, "used": 424, "chained": 424, "free": 201}
    assert [thing["name"] for thing in api.get("/Things").value] == ["yes"]


@pytest.mark.parametrize(
    ("requests", "named"),
    [
        (None, "requests"),
        ({}, "requests"),
        ([5], "requests/0"),
        ([{}], "requests/0/method"),
        ([{"method": "GET", "url": "Things"}], "requests/0/id"),
        ([{"id": "1", "method": "GET"}], "requests/0/url"),
        ([ask(1, "GET", "Things"), ask(2, "TRACE", "Things")], "requests/1/method"),
        ([ask(1, "GET", "Things"), ask(1, "GET", "Things")], "id"),
        ([ask(1, "GET", "Things", dependsOn=["2"]), ask(2, "GET", "Things")], "dependsOn"),
        ([ask(1, "GET", "Things", dependsOn="1")], "requests/0/dependsOn"),
        ([ask(1, "GET", "Things", headers=[])], "requests/0/headers"),
        ([ask(1, "GET", "Things", headers={"a": 1})], "requests/0/headers"),
        ([ask(1, "GET", "Things", **{"if": "$x"})], "requests/0/if"),
        ([ask(1, "GET", "Things", atomicityGroup={})], "requests/0/atomicityGroup"),
        ([ask(i, "GET", "Things", atomicityGroup=g) for i, g in enumerate("aba")],
         "atomicityGroup"),
    ],
)  # fmt: skip
def test_a_batch_that_makes_no_sense_does_nothing(api: Client, requests: Any, named: str) -> None:
    reply = api.post("/$batch", {"requests": requests})
    assert (reply.status, reply.message.split(":")[0]) == (400, named), reply.body


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b"\xff", b'{"responses": []}'])
def test_a_body_that_is_no_batch_is_refused(api: Client, body: bytes) -> None:
    assert api.request("POST", "/$batch", body).status == 400


def test_a_batch_is_posted_as_json_or_multipart(api: Client) -> None:
    assert api.request("POST", "/$batch", b"{}", content_type="text/plain").status == 415
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        reply = api.request(method, "/$batch", b"{}")
        assert (reply.status, "POST" in reply.headers["allow"]) == (405, True)


def test_a_batch_has_its_limits(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [ask(i, "GET", "Things") for i in range(MAX_PARTS + 1)]
    assert api.post("/$batch", {"requests": many}).status == 413
    monkeypatch.setattr(batch, "MAX_ANSWER", 1_000)
    api.post("/Things", bodies.thing(description="x" * 1_000))
    got = send(api, ask(1, "GET", "Things"), ask(2, "POST", "Things", bodies.thing()))
    assert statuses(got) == {"1": 200, "2": 413}
    assert len(api.get("/Things").value) == 1


@pytest.mark.parametrize("url", ["$batch", "/$batch", "$batch?x", f"{ROOT}/$batch", "$batch/"])
def test_a_batch_holds_no_other_batch(api: Client, url: str) -> None:
    assert statuses(send(api, ask(1, "POST", url, {"requests": []}))) == {"1": 400}


def test_other_servers_are_not_asked(api: Client) -> None:
    got = send(api, ask(1, "GET", "https://elsewhere.example/sta/v1.1/Things"))
    assert statuses(got) == {"1": 400}


# --- groups ------------------------------------------------------------------------------------------


def _all(client: Client) -> list[Any]:
    return [client.get(f"/{name}").value for name in SENSING]


def test_a_group_is_done_as_a_whole(api: Client) -> None:
    got = send(
        api,
        ask("t", "POST", "Things", bodies.thing(Locations=[bodies.location()]), atomicityGroup="g"),
        ask("d", "POST", "$t/Datastreams", bodies.datastream(), atomicityGroup="g"),
        ask("o", "POST", "$d/Observations", bodies.observation(1), atomicityGroup="g"),
        ask("o2", "PATCH", "$o", {"result": 2}, atomicityGroup="g"),
        ask("r", "GET", "$o/result", dependsOn=["g"]),
    )
    assert set(statuses(got).values()) == {200, 201}
    assert (got["o2"]["atomicityGroup"], got["r"]["body"]) == ("g", {"result": 2})
    assert api.get("/Observations").value[0]["result"] == 2


_BREAKS: dict[str, dict[str, Any]] = {
    "a bad body": ask("x", "POST", "Things", {"name": "half"}),
    "what is not there": ask("x", "DELETE", "Things(999999)"),
    "a bad reference": ask("x", "PATCH", "$nobody", {}),
    "a condition": ask("x", "PATCH", "$t", {"name": "x"}, headers={"if-match": '"a"'}),
}


@pytest.mark.parametrize("why", _BREAKS)
def test_a_group_that_fails_leaves_nothing(city: Client, why: str) -> None:
    before = _all(city)
    first, second, _ = city.get("/Observations").ids[:3]
    stream = city.get("/Datastreams").ids[0]
    got = send(
        city,
        ask("t", "POST", "Things", bodies.station(), atomicityGroup="g"),
        ask("o", "POST", f"Datastreams({stream})/Observations", bodies.observation(5),
            atomicityGroup="g"),
        ask("p", "PATCH", f"Observations({first})", {"result": -1}, atomicityGroup="g"),
        ask("d", "DELETE", f"Observations({second})", atomicityGroup="g"),
        {**_BREAKS[why], "atomicityGroup": "g"},
        ask("z", "POST", "Things", bodies.thing(), atomicityGroup="g"),
        ask("on", "GET", "Things", dependsOn=["g"]),
        ask("free", "GET", "Things"),
        **GO_ON,
    )  # fmt: skip
    found = statuses(got)
    broken = found.pop("x")
    assert (400 <= broken < 500, broken != 424) == (True, True), got["x"]
    assert found == {"t": 424, "o": 424, "p": 424, "d": 424, "z": 424, "on": 424, "free": 200}
    assert _all(city) == before
    assert city.post(f"/Datastreams({stream})/Observations", bodies.observation(6)).status == 201


def test_what_the_engine_cannot_compute_ends_a_group_in_good_order(city: Client) -> None:
    """PostgreSQL refuses the number and the transaction with it; SQLite goes on with a fraction."""
    before = _all(city)
    got = send(
        city,
        ask("t", "POST", "Things", bodies.station(), atomicityGroup="g"),
        ask("x", "GET", "Things?$filter=id add 9223372036854775807 gt 1", atomicityGroup="g"),
        ask("free", "POST", "Sensors", bodies.sensor("last")),
        **GO_ON,
    )
    assert statuses(got) in (
        {"t": 201, "x": 200, "free": 201},
        {"t": 424, "x": 400, "free": 201},
    )
    assert (_all(city)[0] == before[0]) == (got["t"]["status"] == 424)


# --- the same door -----------------------------------------------------------------------------------


@pytest.fixture
def hidden(api: Client, town: int) -> int:
    key = api.post("/Things", bodies.station("Secret")).key
    update("Thing", key, {"access": AccessLevel.ORGANISATION.value}, operator(town))
    return key


def test_nobody_sees_or_changes_more_than_alone(api: Client, hidden: int) -> None:
    stranger = Client(member(create_organisation("elsewhere", "Elsewhere")))
    stream = api.get(f"/Things({hidden})/Datastreams").ids[0]
    attempts = [
        ("GET", f"Things({hidden})", None),
        ("GET", "Things?$count=true", None),
        ("PATCH", f"Things({hidden})", {"name": "mine"}),
        ("DELETE", f"Things({hidden})", None),
        ("POST", f"Datastreams({stream})/Observations", bodies.observation(1)),
        ("POST", "Observations", bodies.observation(1, Datastream={"@iot.id": stream})),
    ]
    before = _all(api)
    for client in (stranger, Client(ANONYMOUS)):
        requests = [ask(i, *attempt) for i, attempt in enumerate(attempts)]
        got = send(client, *requests, **GO_ON)
        for number, (method, url, body) in enumerate(attempts):
            raw = b"" if body is None else orjson.dumps(body)
            alone = client.request(method, f"/{url}", raw)
            assert got[str(number)]["status"] == alone.status
            assert got[str(number)]["body"] == alone.json
    assert _all(api) == before


def test_whoever_may_only_read_reads_in_batches(city: Client, visitor: Client) -> None:
    got = send(visitor, ask(1, "GET", "Things"), ask(2, "POST", "Things", bodies.thing()))
    assert statuses(got) == {"1": 200, "2": 401}


def test_a_foreign_page_cannot_write_by_a_batch(town: int) -> None:
    page = Client(member(town), {"cookie": "sessionid=x", "origin": "https://evil.example"})
    got = send(page, ask(1, "GET", "Things"), ask(2, "POST", "Things", bodies.thing()))
    assert statuses(got) == {"1": 200, "2": 403}
    forged = ask(1, "POST", "Things", bodies.thing(), headers={"origin": "http://city.example"})
    assert statuses(send(page, forged)) == {"1": 403}
