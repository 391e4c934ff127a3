"""Somebody of another organisation, and nobody at all, on every path."""

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
