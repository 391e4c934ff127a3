"""Requests through the ASGI application, as a server gets them: what is special about the way of a post.

A single Observation takes a way of its own there; whatever it cannot do goes the way of all, and no
client notices which it was.
"""

import asyncio
from typing import Any

import httpx
import pytest

from stadtherz.sensorthings.doors.http import Application
from stadtherz.sensorthings.standard.faces import V1_1
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import ROOT, Client, member
from stadtherz.sensorthings.tests.test_http import _OneThread as OneThread
from stadtherz.store.public import create_organisation

pytestmark = pytest.mark.django_db(transaction=True)
_TIME = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def api() -> Client:
    return Client(member(create_organisation("town", "Town")))


@pytest.fixture
def stream(api: Client) -> int:
    place = bodies.thing(Locations=[bodies.location()])
    return api.post("/Datastreams", bodies.datastream(Thing=place)).key


def _send(api: Client, method: str, path: str, **more: Any) -> httpx.Response:
    who = api.visibility
    app = Application(lambda _: who, OneThread(), lambda _: who)
    headers = {"authorization": "Bearer x", **more.pop("headers", {})}

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://city.example") as client:
            return await client.request(method, V1_1.prefix + path, headers=headers, **more)

    return asyncio.run(run())


_RESULTS = [
    0,
    -0.0,
    1.5,
    2**53 - 1,
    1e300,
    "a",
    "",
    True,
    False,
    None,
    [],
    [1, "a"],
    {},
    {"a": [None]},
]


def test_results_and_times_of_all_kinds(api: Client, stream: int) -> None:
    """201, a Location, the entity as a GET shows it, with its tag"""
    for path, link in ((f"/Datastreams({stream})/Observations", {}),
                       ("/Observations", {"Datastream": {"@iot.id": stream}})):  # fmt: skip
        for result in _RESULTS:
            body = bodies.observation(result, "2026-01-01T01:00:00.123456+01:00", **link)
            made = _send(api, "POST", path, json=body)
            assert made.status_code == 201, made.text
            shown = api.get(made.headers["location"])
            assert made.json() == shown.json
            assert made.headers["etag"] == shown.headers["etag"]
            assert made.headers["location"] == made.json()["@iot.selfLink"]
            assert (shown.json["result"], type(shown.json["result"])) == (
                result, int if result == 0 and result is not False else type(result),
            )  # fmt: skip
            assert shown.json["phenomenonTime"] == "2026-01-01T00:00:00.123456Z"


_REFUSED: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 400),
    "no JSON": (b"{", 400),
    "a list": (b"[]", 400),
    "no result": (b'{"phenomenonTime":"2026-01-01T00:00:00Z"}', 400),
    "NaN": (b'{"result":NaN}', 400),
    "1e400": (b'{"result":1e400}', 400),
    "NUL": (b'{"result":"\\u0000"}', 400),
    "half a pair": (b'{"result":"\\ud800"}', 400),
    "latin-1": (b'{"result":"\xe4"}', 400),
    "no time": (b'{"result":1,"phenomenonTime":"now"}', 400),
    "reversed": (b'{"result":1,"phenomenonTime":"2026-01-02T00:00:00Z/2026-01-01T00:00:00Z"}', 400),
    "out of the calendar": (b'{"result":1,"phenomenonTime":"0001-01-01T00:00:00+01:00"}', 400),
    "unknown property": (b'{"result":1,"colour":1}', 400),
    "missing feature": (b'{"result":1,"FeatureOfInterest":{"@iot.id":999999}}', 400),
    "missing datastream": (b'{"result":1,"Datastream":{"@iot.id":999999}}', 400),
    "parameters as a list": (b'{"result":1,"parameters":[]}', 400),
    "deep": (b'{"result":' + b"[" * 5000 + b"]" * 5000 + b"}", 400),
}


@pytest.mark.parametrize(("body", "status"), _REFUSED.values(), ids=_REFUSED)
def test_what_is_wrong_is_refused_with_its_reason(
    api: Client, stream: int, body: bytes, status: int
) -> None:
    path = "/Observations" if b"999999" in body else f"/Datastreams({stream})/Observations"
    refused = _send(api, "POST", path, content=body)
    assert refused.status_code in (status, 413), refused.text
    assert refused.json()["message"]
    assert api.get("/Observations").value == []


def test_a_byte_order_mark_and_odd_media_types(api: Client, stream: int) -> None:
    path = f"/Datastreams({stream})/Observations"
    assert _send(api, "POST", path, content=b'\xef\xbb\xbf{"result":1}').status_code == 201
    for media, status in (("application/json;charset=UTF-8", 201), ("text/plain", 415), ("", 201)):
        reply = _send(api, "POST", path, content=b'{"result":1}', headers={"content-type": media})
        assert reply.status_code == status


def test_preferences_and_conditions(api: Client, stream: int) -> None:
    path = f"/Datastreams({stream})/Observations"
    minimal = _send(api, "POST", path, json={"result": 1}, headers={"prefer": "return=minimal"})
    assert (minimal.status_code, minimal.content) == (201, b"")
    assert minimal.headers["preference-applied"] == "return=minimal"
    assert (
        _send(api, "POST", path, json={"result": 1}, headers={"if-match": '"x"'}).status_code == 412
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/Datastreams(999999)/Observations", 404),
        ("/Datastreams('a')/Observations", 404),
        ("/Datastreams(x)/Observations", 404),
        ("/Nothing/Observations", 404),
        ("/Things/Observations", 404),
        ("/Observations(1)/Observations", 404),
        ("//Observations", 400),
    ],
)
def test_paths_that_only_look_like_it(api: Client, stream: int, path: str, status: int) -> None:
    assert _send(api, "POST", path, json={"result": 1}).status_code == status


def test_an_entity_goes_its_way_through_all_verbs(api: Client) -> None:
    made = _send(api, "POST", "/Things", json=bodies.thing())
    address = made.headers["location"].removeprefix(ROOT)
    assert _send(api, "GET", address).json() == made.json()
    assert _send(api, "HEAD", address).headers["etag"] == made.headers["etag"]
    changed = _send(api, "PATCH", address, json={"name": "x"})
    assert (changed.status_code, changed.json()["name"]) == (200, "x")
    operations = [{"op": "replace", "path": "/name", "value": "y"}]
    media = {"content-type": "application/json-patch+json"}
    patched = _send(api, "PATCH", address, json=operations, headers=media)
    assert patched.json()["name"] == "y"
    assert _send(api, "PUT", address, json=bodies.thing("z")).json()["name"] == "z"
    gone = _send(api, "DELETE", address)
    assert (gone.status_code, gone.content) == (200, b"")
    assert _send(api, "DELETE", address).status_code == 404
