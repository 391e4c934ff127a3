"""Somebody of another organisation, and nobody at all, on every path."""

import socket
from contextlib import ExitStack

import httpx
import pytest

from tests.product import Product

pytestmark = pytest.mark.process

SECRET = "Otterbach"


@pytest.fixture(scope="module")
def hidden(city: Product) -> int:
    """The neighbour's internal datastream, as the neighbour sees it."""
    neighbour = city.client("neighbour")
    streams = neighbour.get(
        "/sta/v1.1/Datastreams", params={"$filter": f"substringof('{SECRET}',name)"}
    ).json()["value"]
    assert len(streams) == 1
    return int(streams[0]["@iot.id"])


@pytest.mark.parametrize("account", [None, "editor", "viewer"])
@pytest.mark.parametrize(
    "path",
    [
        "Datastreams({id})",
        "Datastreams({id})/Observations",
        "Datastreams({id})/Thing",
        "Datastreams({id})/name/$value",
    ],
)
def test_what_is_internal_does_not_exist_for_others(
    city: Product, hidden: int, account: str | None, path: str
) -> None:
    client = city.client(account)
    answer = client.get("/sta/v1.1/" + path.format(id=hidden))
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "Things?$expand=Datastreams($expand=Observations($top=1)),Locations",
        "Datastreams?$expand=Thing&$count=true",
        "Locations?$expand=Things",
        "Sensors?$expand=Datastreams",
        "ObservedProperties?$expand=Datastreams($expand=Thing)",
        "FeaturesOfInterest",
        "HistoricalLocations?$expand=Thing",
        "Observations?$top=1000&$expand=Datastream/Thing&$orderby=id desc",
    ],
)
def test_no_set_link_or_expand_shows_it(city: Product, hidden: int, query: str) -> None:
    api = city.api()
    answer = api.get(query)
    assert answer.status_code == 200
    assert SECRET not in answer.text
    assert f"Datastreams({hidden})" not in answer.text


def test_filters_and_counts_tell_nothing_about_it(city: Product, hidden: int) -> None:
    api = city.api()
    for query in (
        f"Observations?$count=true&$top=1&$filter=Datastream/id eq {hidden}",
        f"Things?$count=true&$filter=Datastreams/id eq {hidden}",
        f"ObservedProperties?$count=true&$filter=substringof('{SECRET}',Datastreams/name)",
    ):
        assert api.get(query).json()["@iot.count"] == 0, query


def test_pages_map_and_live_stream_leave_it_out(city: Product, hidden: int) -> None:
    client = city.client()
    for path in ("/", "/en/", "/pegel/"):
        assert SECRET not in client.get(path).text, path
    assert client.get("/pegel/otterbach-intern/").status_code == 404
    assert client.get("/pegel/otterbach-intern/daten.csv").status_code == 404
    assert client.get(f"/live?streams={hidden}").status_code == 404


@pytest.mark.parametrize("account", [None, "editor", "viewer"])
def test_nobody_else_changes_it(city: Product, hidden: int, account: str | None) -> None:
    client = city.client(account)
    headers = {"X-CSRFToken": client.cookies.get("csrftoken", ""), "Origin": city.url}
    patched = client.patch(
        f"/sta/v1.1/Datastreams({hidden})", json={"name": "mine"}, headers=headers
    )
    deleted = client.delete(f"/sta/v1.1/Datastreams({hidden})", headers=headers)
    assert patched.status_code in (401, 403, 404)
    assert deleted.status_code in (401, 403, 404)


def test_an_anonymous_write_is_refused_with_the_way_out(city: Product) -> None:
    api = city.api()
    answer = api.post("Things", json={"name": "x", "description": "y"})
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers


def test_an_ingest_token_reads_and_writes_nothing_else(city: Product, hidden: int) -> None:
    token = city.facts["ingest"]["tts"]["token"]
    api = city.api(token)
    assert api.get(f"Datastreams({hidden})").status_code == 404
    assert api.post("Things", json={"name": "x", "description": "y"}).status_code in (401, 403)


def test_the_citys_token_cannot_feed_the_neighbours_device(city: Product) -> None:
    from tests.product import NEIGHBOUR, tts

    answer = city.uplink(tts(NEIGHBOUR, 999_999, "2026-01-01T00:00:00Z", level_cm=1.0))
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/verwaltung/", "/verwaltung/refused/", "/verwaltung/gauge/"])
def test_the_back_office_asks_who_is_there(city: Product, path: str) -> None:
    client = city.client()
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/konto/login/")


def test_a_cookie_from_another_site_cannot_write(city: Product) -> None:
    client = city.client("editor")
    answer: httpx.Response = client.post(
        "/sta/v1.1/Things",
        json={"name": "x", "description": "y"},
        headers={"Origin": "https://elsewhere.example"},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/", "/sta/v1.1", "/live?streams=1", "/konto/login/"])
def test_a_strangers_name_for_us_reaches_no_answer(city: Product, path: str) -> None:
    client = city.client()
    assert client.get(path, headers={"Host": "evil.example"}).status_code == 400


def test_nobody_says_for_us_how_we_are_called(city: Product) -> None:
    told = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher"}
    answer = city.api().get("Things", headers=told)
    assert answer.status_code == 200
    assert "evil.example" not in answer.text


@pytest.mark.parametrize("path", ["/", "/pegel/lauterstrasse/daten.csv", "/verwaltung/"])
def test_what_staff_see_is_kept_by_no_cache(city: Product, path: str) -> None:
    answer = city.client("viewer").get(path)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Cookie" in answer.headers["Vary"]
    api = city.api(city.facts["admin_token"])
    assert api.get("Things").headers["Cache-Control"] == "private, no-store"


def test_clients_that_stall_do_not_stop_the_pages(city: Product) -> None:
    """More of them than there are threads: half a form each, and answers that nobody reads."""
    visitor = city.client()
    visitor.get("/konto/login/")
    head = (
        f"Host: {httpx.URL(city.url).netloc.decode()}\r\nOrigin: {city.url}\r\n"
        f"Cookie: csrftoken={visitor.cookies['csrftoken']}\r\n"
    )
    form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\ncsrf"
    unread = f"GET /pegel/lauterstrasse/ HTTP/1.1\r\n{head}\r\n" * 8
    with ExitStack() as connections:
        for text in [f"POST /konto/login/ HTTP/1.1\r\n{head}{form}", unread] * 12:
            connections.enter_context(stalled(city, text))
        assert visitor.get("/healthz").text == "ok\n"


def stalled(city: Product, text: str) -> socket.socket:
    url = httpx.URL(city.url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    connection.connect((url.host, url.port))
    connection.sendall(text.encode())
    return connection


def test_the_back_office_has_no_doors_that_nobody_watches(city: Product) -> None:
    client = city.client("admin")
    for path in ("collections", "documents", "images", "pages", "reports", "users", "workflows"):
        assert client.get(f"/verwaltung/{path}/").status_code == 404, path
