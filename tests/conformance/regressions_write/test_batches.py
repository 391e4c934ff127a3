"""Batches as cases: references in every place, groups, order, conditions, formats (18-088 §11)."""

from typing import Any

import orjson
import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import ROOT, Client, Reply
from tests.conformance.regressions_write.forms import WHOLE

_GO_ON = {"prefer": "continue-on-error"}


def _ask(name: str, method: str, url: str, body: Any = None, **more: Any) -> dict[str, Any]:
    asked = {"id": name, "method": method, "url": url, **more}
    return asked if body is None else asked | {"body": body}


def _send(client: Client, *requests: dict[str, Any], **headers: str) -> dict[str, dict[str, Any]]:
    reply = client.post("/$batch", {"requests": requests}, **headers)
    assert reply.status == 200, reply.body
    return {response["id"]: response for response in reply.json["responses"]}


def _statuses(responses: dict[str, dict[str, Any]]) -> list[int]:
    return [each["status"] for each in responses.values()]


_STATION = bodies.thing(Locations=[bodies.location()])
_REFERENCES: dict[str, list[dict[str, Any]]] = {
    "address": [
        _ask("t", "POST", "Things", _STATION),
        _ask("x", "PATCH", "$t", {"name": "x"}),
    ],
    "below an address": [
        _ask("t", "POST", "Things", _STATION),
        _ask("x", "POST", "$t/Datastreams", bodies.datastream()),
    ],
    "address with a slash": [
        _ask("t", "POST", "Things", _STATION),
        _ask("x", "GET", "/$t/Locations"),
    ],
    "key of an address": [
        _ask("t", "POST", "Things", _STATION),
        _ask("x", "POST", "Things($t)/Datastreams", bodies.datastream()),
    ],
    "whole address with a key": [
        _ask("t", "POST", "Things", _STATION),
        _ask("x", "GET", f"{ROOT}/Things($t)/Locations"),
    ],
    "with a query": [
        _ask("t", "POST", "Things", _STATION),
        _ask("x", "GET", "$t?$expand=Locations&$select=name"),
    ],
    "body": [
        _ask("t", "POST", "Things", _STATION),
        _ask("x", "POST", "Datastreams", bodies.datastream(Thing={"@iot.id": "$t"})),
    ],
    "list in a body": [
        _ask("l", "POST", "Locations", bodies.location()),
        _ask("m", "POST", "Locations", bodies.location()),
        _ask("x", "POST", "Things", bodies.thing(Locations=[{"@iot.id": "$l"}, {"@iot.id": "$m"}])),
    ],
    "deep in a body": [
        _ask("s", "POST", "Sensors", bodies.sensor()),
        _ask("x", "POST", "Things", bodies.thing(Datastreams=[bodies.datastream(Sensor={"@iot.id": "$s"})])),
    ],
    "names in German": [
        _ask("Gerät 1", "POST", "Things", _STATION),
        _ask("x", "PATCH", "$Gerät 1", {"name": "x"}),
    ],
    "numbers as names": [
        _ask("1", "POST", "Things", _STATION),
        _ask("x", "PATCH", "$1", {"name": "x"}),
    ],
    "names that begin alike": [
        _ask("t", "POST", "Sensors", bodies.sensor()),
        _ask("t1", "POST", "Things", _STATION),
        _ask("x", "POST", "$t1/Datastreams", bodies.datastream()),
    ],
    "link": [
        _ask("t", "POST", "Things", _STATION),
        _ask("l", "POST", "Locations", bodies.location("new")),
        _ask("x", "POST", "$t/Locations/$ref", {"@iot.id": "$l"}),
    ],
    "data array": [
        _ask("d", "POST", "Datastreams", bodies.datastream(Thing=_STATION)),
        _ask("x", "POST", "CreateObservations", [
            {"Datastream": {"@iot.id": "$d"}, "components": ["result"], "dataArray": [[1], [2]]}
        ]),
    ],
    "of a PATCH": [
        _ask("t", "POST", "Things", _STATION),
        _ask("p", "PATCH", "$t", {"name": "x"}),
        _ask("x", "GET", "$p/Locations"),
    ],
    "of a GET": [
        _ask("t", "POST", "Things", _STATION),
        _ask("g", "GET", "$t"),
        _ask("x", "DELETE", "$g"),
    ],
    "after a minimal answer": [
        _ask("t", "POST", "Things", _STATION, headers={"Prefer": "return=minimal"}),
        _ask("x", "PATCH", "$t", {"name": "x"}),
    ],
}  # fmt: skip


@pytest.mark.parametrize("together", [False, True], ids=["apart", "as a group"])
@pytest.mark.parametrize("requests", _REFERENCES.values(), ids=_REFERENCES)
def test_references_stand_for_what_was_made(
    api: Client, requests: list[dict[str, Any]], together: bool
) -> None:
    """FROST-Server 2.4 answers references by URL with 404"""
    more = {"atomicityGroup": "all"} if together else {}
    got = _send(api, *({**each, **more} for each in requests))
    assert [status for status in _statuses(got) if status >= 300] == [], got
    assert len(got) == len(requests)


@pytest.mark.parametrize("name", WHOLE)
def test_every_type_is_made_shown_changed_and_deleted(api: Client, name: str) -> None:
    got = _send(
        api,
        _ask("p", "POST", name, WHOLE[name]),
        _ask("g", "GET", "$p"),
        _ask("c", "PATCH", "$p", {}),
        _ask("d", "DELETE", "$p"),
        _ask("n", "GET", "$p"),
        **_GO_ON,
    )
    assert _statuses(got) == [201, 200, 200, 200, 404]
    made = got["p"]
    assert made["location"] == made["headers"]["location"] == made["body"]["@iot.selfLink"]
    assert got["g"]["body"] == made["body"]


_WRONG: dict[str, tuple[dict[str, Any], int]] = {
    "not JSON inside": (_ask("x", "POST", "Things", "text"), 400),
    "a missing body": (_ask("x", "POST", "Things"), 400),
    "null as a body": ({**_ask("x", "POST", "Things"), "body": None}, 400),
    "a missing property": (_ask("x", "POST", "Things", {"name": "a"}), 400),
    "a wrong set": (_ask("x", "POST", "Nothing", {}), 404),
    "what is not there": (_ask("x", "PATCH", "Things(999999)", {}), 404),
    "a wrong filter": (_ask("x", "GET", "Things?$filter=colour eq 1"), 400),
    "another method": (_ask("x", "POST", "Things(1)", {}), 405),
    "another media type": (
        _ask("x", "POST", "Things", {}, headers={"Content-Type": "text/plain"}), 415),
    "a condition": (
        _ask("x", "POST", "Things", bodies.thing(), headers={"If-Match": '"a"'}), 412),
    "a JSON Patch": (
        _ask("x", "PATCH", "$0", [{"op": "test", "path": "/name", "value": "?"}],
             headers={"Content-Type": "application/json-patch+json"}), 409),
    "an unknown reference": (_ask("x", "GET", "$nobody"), 400),
    "NUL": (_ask("x", "POST", "Things", bodies.thing("a\0")), 400),
}  # fmt: skip


@pytest.mark.parametrize("go_on", [False, True], ids=["stops", "goes on"])
@pytest.mark.parametrize(("wrong", "status"), _WRONG.values(), ids=_WRONG)
def test_a_batch_stops_only_as_asked(
    api: Client, wrong: dict[str, Any], status: int, go_on: bool
) -> None:
    """18-088 §11: FROST-Server stops at the first error although asked not to"""
    got = _send(
        api,
        _ask("0", "POST", "Things", bodies.thing("before")),
        wrong,
        _ask("2", "POST", "Things", bodies.thing("behind")),
        **(_GO_ON if go_on else {}),
    )
    assert _statuses(got) == ([201, status, 201] if go_on else [201, status])
    assert len(api.get("/Things").value) == (2 if go_on else 1)


@pytest.mark.parametrize(("wrong", "status"), _WRONG.values(), ids=_WRONG)
def test_a_group_with_a_wrong_request_leaves_nothing(
    api: Client, wrong: dict[str, Any], status: int
) -> None:
    got = _send(
        api,
        _ask("0", "POST", "Things", bodies.station(), atomicityGroup="g"),
        {**wrong, "atomicityGroup": "g"},
        _ask("2", "POST", "Things", bodies.thing(), atomicityGroup="g"),
        _ask("3", "GET", "Things"),
        **_GO_ON,
    )
    assert (got["x"]["status"], got["0"]["status"], got["3"]["status"]) == (status, 424, 200)
    assert got["3"]["body"]["value"] == []
    assert api.get("/Observations").value == []


_MALFORMED: dict[str, Any] = {
    "a list": [],
    "no requests": {},
    "requests as an object": {"requests": {}},
    "requests as null": {"requests": None},
    "a text in it": {"requests": ["GET Things"]},
    "a null in it": {"requests": [None]},
    "no id": {"requests": [{"method": "GET", "url": "Things"}]},
    "an empty id": {"requests": [_ask("", "GET", "Things")]},
    "a list as id": {"requests": [{"id": [], "method": "GET", "url": "Things"}]},
    "no method": {"requests": [{"id": "1", "url": "Things"}]},
    "an unknown method": {"requests": [_ask("1", "BREW", "Things")]},
    "a method that is no text": {"requests": [{"id": "1", "method": 5, "url": "Things"}]},
    "no url": {"requests": [{"id": "1", "method": "GET"}]},
    "null as url": {"requests": [{"id": "1", "method": "GET", "url": None}]},
    "an id twice": {"requests": [_ask("1", "GET", "Things"), _ask("1", "GET", "Sensors")]},
    "an id that is a group": {
        "requests": [_ask("g", "GET", "Things", atomicityGroup="g")],
    },
    "headers as a list": {"requests": [_ask("1", "GET", "Things", headers=["a"])]},
    "headers as texts": {"requests": [_ask("1", "GET", "Things", headers="a: b")]},
    "a header that is a number": {"requests": [_ask("1", "GET", "Things", headers={"a": 1})]},
    "depends on what comes later": {
        "requests": [_ask("1", "GET", "Things", dependsOn=["2"]), _ask("2", "GET", "Things")]
    },
    "depends on itself": {"requests": [_ask("1", "GET", "Things", dependsOn=["1"])]},
    "depends on a text": {"requests": [_ask("1", "GET", "Things", dependsOn="0")]},
    "a group that is a list": {"requests": [_ask("1", "GET", "Things", atomicityGroup=[])]},
    "a group torn apart": {
        "requests": [
            _ask("1", "GET", "Things", atomicityGroup="g"),
            _ask("2", "GET", "Things"),
            _ask("3", "GET", "Things", atomicityGroup="g"),
        ]
    },
}


@pytest.mark.parametrize("document", _MALFORMED.values(), ids=_MALFORMED)
def test_a_malformed_batch_does_nothing(api: Client, document: Any) -> None:
    """FROST-Server answers with 500"""
    if isinstance(document, dict) and isinstance(document.get("requests"), list):
        first = _ask("first", "POST", "Things", bodies.thing())
        document = {"requests": [first, *document["requests"]]}
    reply = api.post("/$batch", document)
    assert (reply.status, bool(reply.message)) == (400, True), reply.body
    assert api.get("/Things").value == []


def test_reads_see_what_was_written_before_them(api: Client) -> None:
    got = _send(
        api,
        _ask("a", "GET", "Things/$count"),
        _ask("t", "POST", "Things", bodies.station(results=(1, 2))),
        _ask("b", "GET", "Things/$count"),
        _ask("o", "GET", "Observations?$filter=result gt 1&$count=true&$top=0"),
        _ask("c", "GET", "$t/Datastreams?$expand=Observations($select=result)&$select=name"),
        _ask("d", "DELETE", "Observations?$filter=result eq 1"),
        _ask("e", "GET", "Observations?$select=result"),
    )
    assert (got["a"]["body"], got["b"]["body"]) == ("0", "1")
    assert got["o"]["body"]["@iot.count"] == 1
    assert len(got["c"]["body"]["value"][0]["Observations"]) == 2
    assert got["e"]["body"]["value"] == [{"result": 2}]


def test_answers_are_in_the_order_of_the_requests(api: Client) -> None:
    names = [str(n) for n in range(100, 50, -1)]
    reply = api.post(
        "/$batch", {"requests": [_ask(n, "POST", "Things", bodies.thing(n)) for n in names]}
    )
    assert [each["id"] for each in reply.json["responses"]] == names
    assert [each["body"]["name"] for each in reply.json["responses"]] == names


def test_a_dependency_orders_nothing_by_itself(api: Client) -> None:
    got = _send(
        api,
        _ask("a", "POST", "Things", bodies.thing(), atomicityGroup="g"),
        _ask("b", "POST", "Things", {}, dependsOn=["g"]),
        _ask("c", "POST", "Things", bodies.thing(), dependsOn=["a"]),
        _ask("d", "POST", "Things", bodies.thing(), dependsOn=["b"]),
        **_GO_ON,
    )
    assert _statuses(got) == [201, 400, 201, 424]


@pytest.mark.parametrize("preference", ["return=minimal", "return=representation"])
def test_preferences_are_those_of_each_request(api: Client, preference: str) -> None:
    got = _send(
        api,
        _ask("a", "POST", "Things", bodies.thing(), headers={"Prefer": preference}),
        _ask("b", "POST", "Things", bodies.thing()),
    )
    assert ("body" in got["a"]) == (preference == "return=representation")
    assert "body" in got["b"]


@pytest.mark.parametrize(
    "url", ["Things", "/Things", "/sta/v1.1/Things", "/v1.1/Things", f"{ROOT}/Things"]
)
def test_addresses_below_the_root(api: Client, url: str) -> None:
    got = _send(api, _ask("p", "POST", url, bodies.thing()), _ask("g", "GET", f"{url}?$top=1"))
    assert _statuses(got) == [201, 200]


# --- multipart -----------------------------------------------------------------------------------------


def _mixed(*requests: tuple[str, Any], boundary: str = "b", head: str = "") -> str:
    parts = []
    for number, (line, body) in enumerate(requests, start=1):
        content = (
            ""
            if body is None
            else f"Content-Type: application/json\r\n\r\n{orjson.dumps(body).decode()}"
        )
        parts.append(
            f"--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
            f"Content-ID: {number}\r\n\r\n{line}\r\n{content}\r\n"
        )
    return head + "".join(parts) + f"--{boundary}--\r\n"


def _post(api: Client, text: str, boundary: str = "b", **headers: str) -> Reply:
    media = f"multipart/mixed;boundary={boundary}"
    return api.request("POST", "/$batch", text.encode(), content_type=media, **headers)


_LINES = {
    "relative": "POST Things HTTP/1.1",
    "from the host": "POST /sta/v1.1/Things HTTP/1.1",
    "whole": f"POST {ROOT}/Things HTTP/1.1",
    "without a version": "POST Things",
    "lower case": "post Things HTTP/1.1",
    "HTTP/2": "POST Things HTTP/2",
    "with a slash": "POST /Things HTTP/1.1",
    "as in the examples of the standard": "POST /v1.1/Things HTTP/1.1",
}


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a change set"])
@pytest.mark.parametrize("line", _LINES.values(), ids=_LINES)
def test_multipart_requests_by_all_their_names(api: Client, line: str, inside: bool) -> None:
    text = _mixed((line, bodies.thing("Füße")))
    if inside:
        inner = _mixed((line, bodies.thing("Füße")), boundary="c")
        text = f"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{inner}\r\n--b--\r\n"
    reply = _post(api, text)
    assert (reply.status, b"201 Created" in reply.body) == (200, True), reply.body
    assert api.get("/Things").value[0]["name"] == "Füße"


def test_a_preamble_and_an_epilogue_are_no_parts(api: Client) -> None:
    text = (
        _mixed(("GET Things HTTP/1.1", None), head="This is a batch.\r\n\r\n") + "That was it.\r\n"
    )
    reply = _post(api, text)
    assert (reply.status, reply.body.count(b"200 OK")) == (200, 1)


@pytest.mark.parametrize(
    "boundary", ["batch_36522ad7-fc75-4b56-8c71-56071383e77b", "a'b", "x+y", "=_1"]
)
def test_boundaries_with_odd_characters(api: Client, boundary: str) -> None:
    text = _mixed(("GET Things HTTP/1.1", None), boundary=boundary)
    reply = api.request(
        "POST", "/$batch", text.encode(), content_type=f'multipart/mixed; boundary="{boundary}"'
    )
    assert (reply.status, reply.body.count(b"200 OK")) == (200, 1), reply.body


@pytest.mark.parametrize("go_on", [False, True], ids=["stops", "goes on"])
def test_a_multipart_batch_stops_only_as_asked(api: Client, go_on: bool) -> None:
    text = _mixed(
        ("POST Things HTTP/1.1", bodies.thing("before")),
        ("POST Things HTTP/1.1", {}),
        ("POST Things HTTP/1.1", bodies.thing("behind")),
    )
    reply = _post(api, text, **(_GO_ON if go_on else {}))
    assert reply.body.count(b"201 Created") == (2 if go_on else 1)
    assert reply.body.count(b"400 Bad Request") == 1
