"""ETag, If-Match and If-None-Match with every verb that changes (RFC 9110 §13)."""

from typing import Any

import orjson
import pytest

from stadtherz.sensorthings.tests.client import Client, Reply
from tests.conformance.regressions_write.forms import WHOLE, create, given


def _body(name: str, method: str) -> bytes:
    if method == "DELETE":
        return b""
    own = {p.name: WHOLE[name][p.name] for p in given(name) if p.name in WHOLE[name]}
    return orjson.dumps(own if method == "PUT" else {})


def _send(api: Client, method: str, name: str, address: str, **headers: str) -> Reply:
    return api.request(method, address, _body(name, method), **headers)


def _held(tag: str) -> dict[str, tuple[dict[str, str], bool]]:
    """Headers, and whether they let a change through."""
    return {
        "the tag": ({"if_match": tag}, True),
        "one of several": ({"if_match": f'"x", {tag}'}, True),
        "anything": ({"if_match": "*"}, True),
        "another": ({"if_match": '"x"'}, False),
        "weak": ({"if_match": f"W/{tag}"}, False),
        "not the tag": ({"if_none_match": tag}, False),
        "not the weak tag": ({"if_none_match": f"W/{tag}"}, False),
        "not another": ({"if_none_match": '"x"'}, True),
        "nothing": ({"if_none_match": "*"}, False),
        "both": ({"if_match": tag, "if_none_match": '"x"'}, True),
        "both against each other": ({"if_match": tag, "if_none_match": tag}, False),
    }


@pytest.mark.parametrize("case", _held(""))
@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("name", ["Things", "Datastreams", "Observations", "Locations"])
def test_conditions_let_through_or_stop(api: Client, name: str, method: str, case: str) -> None:
    address = create(api, name)
    before = api.get(address)
    headers, passes = _held(before.headers["etag"])[case]
    reply = _send(api, method, name, address, **headers)
    assert reply.status == (200 if passes else 412), reply.body
    if not passes:
        assert api.get(address).headers["etag"] == before.headers["etag"]


@pytest.mark.parametrize("name", WHOLE)
def test_the_tag_of_an_answer_is_that_of_the_next_get(api: Client, name: str) -> None:
    made = api.post(f"/{name}", WHOLE[name])
    address = made.headers["location"]
    assert api.get(address).headers["etag"] == made.headers["etag"]
    for method in ("PATCH", "PUT"):
        changed = _send(api, method, name, address, if_match=api.get(address).headers["etag"])
        assert changed.status == 200, changed.body
        assert changed.headers["etag"] == api.get(address).headers["etag"]


@pytest.mark.parametrize("header", ["if_match", "if_none_match"])
@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE", "POST", "GET"])
def test_what_is_no_tag_is_refused(api: Client, method: str, header: str) -> None:
    address = create(api, "Things")
    target = "/Things" if method == "POST" else address
    body = orjson.dumps(WHOLE["Things"])
    for value in ("abc", '"a', "W/", '"a" "b"', "**", '"ä\n"'):
        given: dict[str, Any] = {header: value}
        assert api.request(method, target, body, **given).status == 400, value
    assert len(api.get("/Things").value) == 1


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_nothing_matches_what_is_not_there(api: Client, method: str) -> None:
    missing = "/Things(999999)"
    assert api.request(method, missing, b"{}", if_match='"x"').status in (404, 412)


def test_a_lost_update_is_noticed(api: Client) -> None:
    address = create(api, "Things")
    seen = api.get(address).headers["etag"]
    assert api.patch(address, {"name": "first"}, if_match=seen).status == 200
    assert api.patch(address, {"name": "second"}, if_match=seen).status == 412
    assert api.get(address).json["name"] == "first"


def test_sets_take_no_wrong_conditions(api: Client) -> None:
    """A set has no tag: with If-Match nothing is added; with If-None-Match nothing is in the way"""
    assert api.post("/Things", WHOLE["Things"], if_match='"x"').status == 412
    assert api.post("/Things", WHOLE["Things"], if_none_match='"x"').status == 201
