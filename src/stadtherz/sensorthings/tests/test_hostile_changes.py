"""No patch, batch, condition or header, however odd, is answered with a failure of ours."""

from typing import Any

import orjson
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stadtherz.sensorthings.standard.schema import ENTITY_SETS
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, Reply

quick = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "$1", "$g", "name", "\0", "x" * 300, "2026-01-01T00:00:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["name", "description", "properties", "@iot.id", "result", "Thing", "a"]),
        inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_POINTERS = st.lists(
    st.sampled_from(["", "name", "properties", "a", "0", "-", "-1", "~0", "~1", "~", "result",
                     "Thing", "@iot.id", "taskingParameters", "field", "status",
                     "creationTime", "role", "Subject", "Observations", "9" * 30, "\0"]),
    max_size=4,
).map(lambda tokens: "".join(f"/{token}" for token in tokens)) | st.text(max_size=5)  # fmt: skip


def _one_of(*odd: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(odd)


_OPERATION = _JSON | st.fixed_dictionaries(
    {},
    optional={
        "op": _one_of("add", "remove", "replace", "move", "copy", "test", "jump", 5, None),
        "path": _POINTERS | _JSON,
        "from": _POINTERS | _JSON,
        "value": _JSON,
    },
)
_HEADERS = st.dictionaries(
    _one_of("if_match", "if_none_match", "prefer", "content_type"),
    st.text(st.characters(max_codepoint=255), max_size=12)
    | _one_of("*", '"a"', 'W/"a"', "application/json-patch+json", "application/merge-patch+json",
              "multipart/mixed; boundary=b", "continue-on-error"),
    max_size=3,
)  # fmt: skip
_METHOD = _one_of("GET", "POST", "PATCH", "PUT", "DELETE", "get", "HEAD", "")
_URL = _one_of(
    "Things", "Things(1)", "$1", "$1/Datastreams", "Things($1)", "Datastreams($1)/Observations",
    "Observations", "$g", "$batch", "", "/", "?", "//", "http://", "http://city.example/sta/v1.1",
    "Things?$filter=id add 9223372036854775807 gt 1", "Things(1)/$ref", "Things/$count", "\0", "ä",
    "Things?$filter=name eq '\0'", "Sensors(1)/$value", "Things(1)/Locations/$ref", "$1/$ref",
)  # fmt: skip
_REQUEST = _JSON | st.fixed_dictionaries(
    {"id": _one_of("1", "2", "g", 3, "", None, []), "method": _METHOD, "url": _URL},
    optional={
        "body": _one_of(bodies.thing(), bodies.station(), bodies.observation(Datastream={"@iot.id": "$1"}))
        | _JSON,
        "headers": _JSON
        | st.dictionaries(_one_of("If-Match", "content-type", "a"), st.text(max_size=5), max_size=2),
        "atomicityGroup": _one_of("g", "h", "1", None, 5),
        "dependsOn": st.lists(_one_of("1", "2", "g", 5), max_size=2),
    },
)  # fmt: skip


def _check(reply: Reply) -> None:
    """No failure of ours, also not within a batch."""
    assert reply.status < 500 or reply.status == 501, reply.body
    if reply.content_type.startswith("application/json") and reply.body:
        document = reply.json
        for inner in document.get("responses", ()) if isinstance(document, dict) else ():
            assert inner["status"] < 500 or inner["status"] == 501, inner
    assert b"broken on our side" not in reply.body


@pytest.fixture
def targets(api: Client) -> list[str]:
    api.post(
        "/Things",
        bodies.station(
            MultiDatastreams=[bodies.multi_datastream()],
            TaskingCapabilities=[bodies.capability(Tasks=[bodies.task()])],
        ),
    )
    first, last = api.get("/Observations?$orderby=id").ids[::2]
    group = bodies.observation_group(
        Party=bodies.party(), License=bodies.license_of(), Observations=[{"@iot.id": first}],
        Campaigns=[bodies.campaign()],
        Relations=[bodies.relation(Subject={"@iot.id": first}, Object={"@iot.id": last})],
    )  # fmt: skip
    assert api.post("/ObservationGroups", group).status == 201
    return [f"/{name}({api.get(f'/{name}').ids[0]})" for name in ENTITY_SETS]


@given(data=st.data(), operations=st.lists(_OPERATION, max_size=4) | _JSON)
@quick
def test_patches(api: Client, targets: list[str], data: Any, operations: Any) -> None:
    with transaction.atomic():
        for media in ("application/json-patch+json", "application/merge-patch+json"):
            address = data.draw(st.sampled_from(targets))
            body = orjson.dumps(operations)
            _check(api.request("PATCH", address, body, content_type=media))
        transaction.set_rollback(True)


@given(data=st.data(), headers=_HEADERS, method=_one_of("GET", "PATCH", "PUT", "DELETE", "POST"))
@quick
def test_conditions(
    api: Client, targets: list[str], data: Any, headers: dict[str, str], method: str
) -> None:
    with transaction.atomic():
        address = data.draw(st.sampled_from([*targets, "/Things", "/$batch", "/"]))
        _check(api.request(method, address, b"{}", **headers))
        transaction.set_rollback(True)


@given(requests=st.lists(_REQUEST, max_size=5), prefer=_one_of("", "continue-on-error"))
@settings(quick, max_examples=150)
def test_batches(api: Client, targets: list[str], requests: Any, prefer: str) -> None:
    with transaction.atomic():
        _check(api.post("/$batch", {"requests": requests}, prefer=prefer))
        transaction.set_rollback(True)


_SEGMENTS = st.lists(
    _one_of("Things", "Things(1)", "Datastreams(1)", "Observations", "Observations(4294967296)", "Thing",
            "Locations", "Locations(1)", "Sensor", "ObservationGroups(1)", "Relations(1)", "Subject",
            "Objects", "Campaigns(1)", "Party", "HistoricalLocations(1)", "$ref", "$count", "$value",
            "$batch", "CreateObservations", "name", "properties", "FeatureOfInterest", "..", "%00", "("),
    max_size=5,
).map(lambda parts: "".join(f"/{part}" for part in parts))  # fmt: skip
_REFERENCE = _JSON | st.fixed_dictionaries(
    {},
    optional={
        "@iot.id": _JSON,
        "@id": _one_of(
            "Things(1)", "Locations(1)", "../../Sensors(1)", "", "//", "Things", "$batch", 5
        ),
        "value": st.lists(st.fixed_dictionaries({"@iot.id": _JSON}), max_size=2),
    },
)


@given(
    path=_SEGMENTS,
    query=_one_of("", "?$id=Locations(1)", "?$id=", "?$filter=id gt 0", "?$filter=\0", "?$top=x"),
    method=_one_of("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"),
    body=_REFERENCE,
)
@settings(quick, max_examples=200)
def test_addresses(
    api: Client, targets: list[str], path: str, query: str, method: str, body: Any
) -> None:
    with transaction.atomic():
        _check(api.request(method, path + query, orjson.dumps(body)))
        transaction.set_rollback(True)


_PIECES = st.lists(
    _one_of("--b", "--b--", "--c", "--c--", "\r\n", "\n", "\r", "\r\n\r\n", " ", ":", "\0", "\xff",
            "Content-Type: application/http", "Content-Type: multipart/mixed; boundary=c",
            "Content-Type: multipart/mixed; boundary=b", "Content-ID: 1", "GET Things HTTP/1.1",
            "POST Things HTTP/1.1", "PATCH $1", '{"name": "a", "description": "b"}', "GET", "\x85",
            "Content-Type: application/json", "Content-Type: ", "Content-Type: multipart/mixed"),
    max_size=16,
).map("".join)  # fmt: skip


@given(text=_PIECES, boundary=_one_of("b", '"b"', "", '"', "b; boundary=c", "b;boundary*=x'y'%ff"))
@settings(quick, max_examples=200)
def test_multipart_batches(api: Client, text: str, boundary: str) -> None:
    with transaction.atomic():
        media = f"multipart/mixed; boundary={boundary}"
        raw = text.encode("latin-1")
        _check(api.request("POST", "/$batch", raw, content_type=media))
        whole = b"--b\r\n" + raw + b"\r\n--b--\r\n"
        _check(api.request("POST", "/$batch", whole, content_type="multipart/mixed; boundary=b"))
        transaction.set_rollback(True)


@pytest.mark.parametrize("depth", [200, 300, 900])
def test_what_is_nested_deeply(api: Client, targets: list[str], depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    objects = b'{"a":' * depth + b"1" + b"}" * depth
    requests: list[tuple[str, str, bytes, str]] = [
        ("PATCH", targets[0], b'[{"op":"add","path":"/properties","value":{"a":%b}}]' % deep,
         "application/json-patch+json"),
        ("PATCH", targets[0], b'{"properties":{"a":%b}}' % deep, "application/json"),
        ("PATCH", targets[0], b'{"properties":%b}' % objects, "application/merge-patch+json"),
        ("POST", "/$batch", b'{"requests":[{"id":"1","method":"POST","url":"Things","body":%b}]}'
         % objects, "application/json"),
        ("POST", "/$batch", b'{"requests":[{"id":"1","method":"POST","url":"Things","body":'
         b'{"@iot.id":"$1","a":%b}}]}' % objects, "application/json"),
    ]  # fmt: skip
    for method, address, body, media in requests:
        with transaction.atomic():
            _check(api.request(method, address, body, content_type=media))
            transaction.set_rollback(True)


def test_the_checks_would_notice() -> None:
    """A failure inside a batch is one, too."""
    inner = orjson.dumps({"responses": [{"id": "1", "status": 500}]})
    with pytest.raises(AssertionError):
        _check(Reply(200, inner, "application/json", {}))
