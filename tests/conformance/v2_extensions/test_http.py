"""conf/binding/http: advertisement, request_response."""

import pytest

from stadtherz.sensorthings.tests.client import Client, in_version_2

_BASE = "http://www.opengis.net/spec/sensorthings/2.0"


def test_clients_recognise_the_version_by_the_class_of_its_model(visitor: Client) -> None:
    settings = in_version_2(visitor).get("").json["serverSettings"]
    assert f"{_BASE}/req-class/datamodel/core" in settings["conformance"]
    assert f"{_BASE}/req-class/api/cud" in settings["conformance"]
    assert {"any", "all", "interval", "contains", "during"} <= set(settings["functions"])


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_head_and_options_tell_what_get_would(visitor: Client, method: str) -> None:
    """req/binding/http/request_response: also where something is wrong"""
    other = in_version_2(visitor)
    assert other.request(method, "/Things").status == 200
    assert other.request(method, "/Things(99)").status == 404
    assert other.request(method, "/Things?$filter=nmae eq 1").status == 400


def test_a_browser_may_ask_before_it_asks(visitor: Client) -> None:
    reply = in_version_2(visitor).request(
        "OPTIONS", "/Things(99)", access_control_request_method="PATCH"
    )
    assert reply.status == 204
    assert "PATCH" in reply.headers["access-control-allow-methods"]


def test_version_1_answers_options_as_ever(visitor: Client) -> None:
    assert visitor.request("OPTIONS", "/Things(99)").status == 204


@pytest.mark.parametrize(
    ("accept", "control"),
    [
        ("application/json;odata.metadata=none", set()),
        ("application/json; metadata=minimal", {"@context"}),
        ("text/html, application/json;metadata=none;q=0.5", set()),
        ("application/json;metadata=none;q=0.1, application/json", {"@context", "@id"}),
        ("application/json;metadata=none;q=0", {"@context", "@id"}),
        ("application/json;metadata=full, */*;q=0.1", {"@context", "@id"}),
        ("application/json;metadata=much", {"@context", "@id"}),
        ("application/json;metadata=none;q=x", {"@context", "@id"}),
        ("*/*", {"@context", "@id"}),
    ],
)
def test_the_header_accept_chooses_the_level_of_metadata(
    api: Client, accept: str, control: set[str]
) -> None:
    """OData 4.01 part 1 §8.2.1: as `$format` does, which wins"""
    other = in_version_2(api)
    created = other.post("/Things", {"name": "Mast"}).headers["location"]
    shown = other.get(f"{created}?$select=name", accept=accept)
    assert shown.json.keys() == {"name", *control}
    said = other.get(f"{created}?$select=name&$format=json", accept=accept)
    assert said.json.keys() == {"name", "@context", "@id"}


def test_following_pages_keep_the_level_of_metadata(api: Client) -> None:
    other = in_version_2(api)
    for name in ("One", "Two"):
        other.post("/Things", {"name": name})
    first = other.get("/Things?$top=1&$select=name", accept="application/json;metadata=none").json
    assert other.get(first["@nextLink"]).json == {"value": [{"name": "Two"}]}


def test_version_1_knows_no_levels_of_metadata(api: Client) -> None:
    created = api.post("/Things", {"name": "Mast", "description": ""}).headers["location"]
    shown = api.get(f"{created}?$select=id", accept="application/json;odata.metadata=none")
    assert shown.json.keys() == {"@iot.id"}
