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
