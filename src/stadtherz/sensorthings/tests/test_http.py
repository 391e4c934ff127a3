"""The ASGI application as a server sees it: methods, headers, limits, origins."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.db import IntegrityError, OperationalError, connections

from stadtherz.base.errors import Unauthenticated, Unavailable
from stadtherz.base.visibility import ANONYMOUS, Visibility
from stadtherz.sensorthings.doors.http import MAX_BODY, Application, Scope
from stadtherz.sensorthings.public import application
from stadtherz.sensorthings.standard.faces import V1_1, V2_0, Face
from stadtherz.sensorthings.tests.bodies import station, thing
from stadtherz.sensorthings.tests.client import Client, member
from stadtherz.store.public import create_organisation

BASE = "http://city.example"


class _OneThread(Executor):
    """A thread for each request, which is gone when the request is answered."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        def work() -> Any:
            try:
                return fn(*args, **kwargs)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(work)


def _send(
    app: Application, method: str, path: str, *, face: Face = V1_1, **more: Any
) -> httpx.Response:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.request(method, face.prefix + path, **more)

    return asyncio.run(run())


@pytest.fixture
def app() -> Application:
    """An application whose requests need no database."""
    return Application(lambda scope: ANONYMOUS, _OneThread())


def test_the_root_answers_with_open_cors_and_json(app: Application) -> None:
    reply = _send(app, "GET", "")
    assert (reply.status_code, len(reply.json()["value"])) == (200, 17)
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["content-type"].startswith("application/json")
    assert "access-control-allow-credentials" not in reply.headers


def test_head_is_get_without_the_body(app: Application) -> None:
    get, head = _send(app, "GET", "/"), _send(app, "HEAD", "/")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


def test_options_of_version_2_is_get_without_content(app: Application) -> None:
    """What is announced must come, but for HEAD: servers and clients count (RFC 9110 §8.6)."""
    for path, status in (("", 200), ("/Nowhere", 404)):
        reply = _send(app, "OPTIONS", path, face=V2_0)
        assert (reply.status_code, reply.content) == (status, b"")
        assert reply.headers.get("content-length") == "0"


def test_answers_of_version_2_say_how_they_are_to_be_read(app: Application) -> None:
    """OData 4.01 part 1 §8.1.5: also where something is wrong"""
    for path in ("", "/Nowhere"):
        reply = _send(app, "GET", path, face=V2_0)
        assert reply.headers["odata-version"] == "4.01"
        assert "odata-version" in reply.headers["access-control-expose-headers"]
    assert "odata-version" not in _send(app, "GET", "").headers


def test_a_preflight_names_methods_and_headers(app: Application) -> None:
    reply = _send(app, "OPTIONS", "/Things", headers={"Origin": "https://elsewhere.example"})
    assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (204, "*")
    assert {"POST", "PATCH", "DELETE"} <= set(
        reply.headers["access-control-allow-methods"].split(", ")
    )
    allowed = set(reply.headers["access-control-allow-headers"].split(", "))
    assert {"authorization", "content-type", "if-match", "prefer"} <= allowed
    assert {"odata-version", "odata-maxversion", "x-requested-with"} <= allowed  # of libraries


def test_options_tell_what_may_be_done(app: Application) -> None:
    assert "POST" in _send(app, "OPTIONS", "/Things").headers["allow"]
    for face in (V1_1, V2_0):
        assert _send(app, "OPTIONS", "/", face=face).headers["allow"] == "GET, HEAD, OPTIONS"
        assert _send(app, "OPTIONS", "/$batch", face=face).headers["allow"] == "POST, OPTIONS"


def test_changes_by_nobody_ask_for_credentials(app: Application) -> None:
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        reply = _send(app, method, "/Things", json={})
        assert (reply.status_code, reply.json()["code"]) == (401, 401)
        assert reply.headers["www-authenticate"].startswith("Bearer")


def test_a_bad_token_is_refused_even_for_reading() -> None:
    def refuse(_: Scope) -> Visibility:
        raise Unauthenticated("this token is unknown")

    reply = _send(Application(refuse, _OneThread()), "GET", "/Things")
    assert (reply.status_code, "unknown" in reply.json()["message"]) == (401, True)


def test_a_token_that_may_only_read_is_forbidden_to_write() -> None:
    reader = Visibility(actor="token")
    reply = _send(Application(lambda _: reader, _OneThread()), "POST", "/Things", json={})
    assert reply.status_code == 403


def test_a_body_that_is_too_long_is_given_up_while_it_is_read(app: Application) -> None:
    reply = _send(app, "POST", "/Things", content=b"x" * (MAX_BODY + 1))
    assert (reply.status_code, reply.json()["code"]) == (413, 413)


def test_a_client_that_goes_away_leaves_no_error(app: Application) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": V1_1.prefix, "headers": []}
    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 400


def test_our_own_mistakes_are_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Scope) -> Visibility:
        raise RuntimeError("secret detail")

    reply = _send(Application(broken, _OneThread()), "GET", "/Things")
    assert (reply.status_code, "secret" in reply.text) == (500, False)
    assert "secret detail" in caplog.text


def test_a_partner_that_is_away_is_worth_another_try() -> None:
    def away(_: Scope) -> Visibility:
        raise Unavailable("database", "restarts", retry=True)

    reply = _send(Application(away, _OneThread()), "GET", "/Things")
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize(
    ("error", "status"), [(IntegrityError("x"), 409), (OperationalError("x"), 503)]
)
def test_what_the_database_refuses_is_no_failure_of_ours(error: Exception, status: int) -> None:
    def refuse(_: Scope) -> Visibility:
        raise error

    reply = _send(Application(refuse, _OneThread()), "GET", "/Things")
    assert (reply.status_code, reply.json()["code"]) == (status, status)


def test_the_door_makes_an_application_with_threads_of_its_own() -> None:
    app = application(lambda _: ANONYMOUS)
    assert _send(app, "GET", "/").status_code == 200
    app.executor.shutdown()


@pytest.mark.django_db(transaction=True)
def test_what_one_thread_commits_the_next_one_reads() -> None:
    visibility = member(create_organisation("town", "Town"))
    app = Application(lambda _: visibility, _OneThread())
    created = _send(app, "POST", "/Things", json=thing("Gauge"))
    assert created.status_code == 201
    assert httpx.URL(created.headers["location"]).host == "city.example"
    assert _send(app, "GET", "/Things?$select=name").json() == {"value": [{"name": "Gauge"}]}


def test_addresses_follow_the_proxy_that_was_asked(visitor: Client) -> None:
    behind = {"x_forwarded_proto": "https", "x_forwarded_host": "daten.stadt.example"}
    (first, *_) = visitor.get("/", **behind).json["value"]
    assert first["url"].startswith(f"https://daten.stadt.example{V1_1.prefix}/")
    forged = visitor.get("/", host='x"><script>').json["value"][0]["url"]
    assert "<" not in forged


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"cookie": "sessionid=x", "origin": "https://evil.example"}, 403),
        ({"cookie": "sessionid=x"}, 403),
        ({"cookie": "sessionid=x", "origin": "null"}, 403),
        ({"cookie": "sessionid=x", "origin": BASE}, 201),
        (
            {"authorization": "Bearer t", "cookie": "sessionid=x", "origin": "https://app.example"},
            201,
        ),
        ({}, 201),
    ],
)
def test_a_foreign_page_cannot_write_with_a_session(
    town: int, headers: dict[str, str], status: int
) -> None:
    assert Client(member(town), headers).post("/Things", thing()).status == status


def test_only_json_is_read(api: Client) -> None:
    assert api.request("POST", "/Things", b"a=b", content_type="text/plain").status == 415
    good = api.request("POST", "/Things", b"{}", content_type="application/json; charset=utf-8")
    assert good.status == 400


def test_what_lies_outside_is_not_found(visitor: Client) -> None:
    for path in ("0", "/../../x", "/%2e%2e"):
        assert visitor.get(path).status == 404


def test_an_expand_that_would_answer_too_much_says_so(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stadtherz.sensorthings.answers.fetch.MAX_ENTITIES", 5)
    api.post("/Things", station())
    reply = api.get("/Things?$expand=Datastreams/Observations,Locations")
    assert (reply.status, "$top" in reply.message) == (400, True)
