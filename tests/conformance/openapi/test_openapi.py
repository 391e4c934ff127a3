"""The description says what the interface does: random requests made from it are answered as it says.

Each operation of both versions gets the same few requests on every run. Many of them are nonsense
for the service (a filter is any text), which it must say with a status that the description lists;
never with 500.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi import checks

from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.answers.openapi import NAME, document
from stadtherz.sensorthings.standard.faces import FACES, Face, face_at
from stadtherz.sensorthings.tests.bodies import station
from stadtherz.sensorthings.tests.client import HOST, Client, Reply

EXAMPLES, BEHIND_A_LINK = 6, 2  # there the same comes in by another way
_ALWAYS = [checks.status_code_conformance, checks.response_headers_conformance]
_OF_A_BODY = [checks.content_type_conformance, checks.response_schema_conformance]
_OPERATIONS = [
    result.ok()
    for face in FACES
    for result in schemathesis.openapi.from_dict(
        orjson.loads(document(Urls(HOST + face.prefix, face)))
    ).get_all_operations()
]


def _named(operation: Any) -> str:
    return f"{operation.base_url.rpartition('/')[2]} {operation.label}"


@pytest.fixture
def town_with_station(api: Client) -> Client:
    assert api.post("/Things", station()).status == 201
    return api


@pytest.mark.parametrize("operation", _OPERATIONS, ids=_named)
def test_what_is_described_is_what_happens(town_with_station: Client, operation: Any) -> None:
    face = face_at(operation.base_url.removeprefix(HOST))
    assert face is not None
    api = Client(town_with_station.visibility, face=face)

    @settings(
        max_examples=BEHIND_A_LINK if operation.path.count("/") > 1 else EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def asked(case: Any) -> None:
        _pick(case, api)
        reply = _answer(case, api)
        assert reply.status != 500, reply.body
        held = [*_ALWAYS, *(_OF_A_BODY if reply.body else ())]
        case.validate_response(_as_seen_by_a_client(case, reply), checks=held)

    asked()


def _pick(case: Any, api: Client) -> None:
    """An id that is there, most of the time."""
    key = case.path_parameters.get("id") if case.path_parameters else None
    if key is None or key % 4 == 0:
        return
    entity_set = case.path.strip("/").partition("(")[0]
    there = [entity[api.face.id] for entity in api.get(f"/{entity_set}").value]
    if there:
        case.path_parameters["id"] = there[key % len(there)]


def _answer(case: Any, api: Client) -> Reply:
    request = httpx.Request(**_request(case))
    headers = {
        name.replace("-", "_"): value
        for name, value in request.headers.items()
        if name not in ("host", "content-length", "accept")
    }
    address = str(request.url).removeprefix(HOST + api.face.prefix)
    return api.request(request.method, address, request.content, **headers)


def _request(case: Any) -> dict[str, Any]:
    made = case.as_transport_kwargs()
    request = {name: made[name] for name in ("method", "params", "headers")}
    request["url"] = HOST + made["url"]
    if made.get("json") is not None:
        request["json"] = made["json"]
    if made.get("data") is not None:
        request["content"] = made["data"]
    return request


def _as_seen_by_a_client(case: Any, reply: Reply) -> httpx.Response:
    headers = dict(reply.headers)
    if reply.body:
        headers["content-type"] = reply.content_type
    request = httpx.Request(case.method, HOST)
    response = httpx.Response(reply.status, headers=headers, content=reply.body, request=request)
    response.elapsed = timedelta()
    return response


# --- what the description holds ------------------------------------------------------------------


@pytest.fixture(params=FACES, ids=lambda face: face.version)
def face(request: pytest.FixtureRequest) -> Face:
    found: Face = request.param
    return found


@pytest.fixture
def described(visitor: Client, face: Face) -> dict[str, Any]:
    reply = Client(visitor.visibility, face=face).get(f"/{NAME}")
    assert (reply.status, reply.content_type.partition(";")[0]) == (
        200,
        "application/vnd.oai.openapi+json",
    )
    found: dict[str, Any] = reply.json
    return found


def test_every_set_property_and_link_is_described(described: dict[str, Any], face: Face) -> None:
    paths = described["paths"]
    for entity in face.types.values():
        assert {"get", "post", "delete"} <= set(paths[f"/{entity.plural}"])
        assert {"get", "patch", "put", "delete"} <= set(paths[f"/{entity.plural}({{id}})"])
        for name in (*(p.name for p in entity.properties), *(x.name for x in entity.links)):
            assert "get" in paths[f"/{entity.plural}({{id}})/{name}"]


def test_whatever_is_referred_to_is_there(described: dict[str, Any]) -> None:
    for reference in _references(described):
        found: Any = described
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def _references(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        if isinstance(document.get("$ref"), str):
            yield document["$ref"]
        for value in document.values():
            yield from _references(value)
    elif isinstance(document, list):
        for value in document:
            yield from _references(value)


def test_the_root_leads_to_the_description(visitor: Client, face: Face) -> None:
    root = Client(visitor.visibility, face=face).get("/")
    assert f'<{HOST}{face.prefix}/{NAME}>; rel="service-desc"' in root.headers["link"]


def test_operations_have_names_of_their_own(described: dict[str, Any]) -> None:
    names = [
        operation["operationId"]
        for operations in described["paths"].values()
        for operation in operations.values()
        if "operationId" in operation
    ]
    assert len(names) == len(set(names)) > 40
