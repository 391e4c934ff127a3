"""req/create-update-delete/update-entity-jsonpatch; RFC 6902, and RFC 7396 beside it."""

from typing import Any

import orjson
import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, Reply
from tests.conformance.sensing import SENSING

_OPERATIONS: dict[str, dict[str, Any]] = {
    "HistoricalLocations": {"path": "/time", "value": "2019-01-01T00:00:00.000Z"},
    "Observations": {"path": "/result", "value": {"any": ["json", None]}},
}


def patch(client: Client, address: str, operations: Any, **headers: str) -> Reply:
    body = operations if isinstance(operations, bytes) else orjson.dumps(operations)
    media = "application/json-patch+json"
    return client.request("PATCH", address, body, content_type=media, **headers)


@pytest.fixture
def thing(api: Client) -> str:
    properties = {"state": "planned", "tags": ["a", "c"], "a/b": {"~": 1}, "n": 1}
    return str(api.post("/Things", bodies.thing(properties=properties)).headers["location"])


@pytest.mark.parametrize("name", SENSING)
def test_a_replaced_property_is_all_that_changes(city: Client, name: str) -> None:
    """update-entity-jsonpatch"""
    before, *others = city.get(f"/{name}").value
    default = {"path": "/description", "value": "changed"}
    operation = {"op": "replace", **_OPERATIONS.get(name, default)}
    reply = patch(city, before["@iot.selfLink"], [operation])
    assert reply.status == 200, reply.body
    after, *untouched = city.get(f"/{name}").value
    assert after == {**before, operation["path"][1:]: operation["value"]} == reply.json
    assert untouched == others


@pytest.mark.parametrize(
    ("operations", "left"),
    [
        ([{"op": "add", "path": "/properties/new", "value": None}], {"new": None}),
        ([{"op": "add", "path": "/properties/tags/1", "value": "b"}], {"tags": ["a", "b", "c"]}),
        ([{"op": "add", "path": "/properties/tags/-", "value": "d"}], {"tags": ["a", "c", "d"]}),
        ([{"op": "remove", "path": "/properties/tags/0"}], {"tags": ["c"]}),
        ([{"op": "replace", "path": "/properties/a~1b/~0", "value": 2}], {"a/b": {"~": 2}}),
        ([{"op": "replace", "path": "/properties/n", "value": True}], {"n": True}),
        ([{"op": "replace", "path": "/properties/n", "value": 1.5}], {"n": 1.5}),
        ([{"op": "copy", "from": "/properties/tags", "path": "/properties/n"}],
         {"n": ["a", "c"]}),
        ([{"op": "test", "path": "/properties/state", "value": "planned"},
          {"op": "replace", "path": "/properties/state", "value": "built"}], {"state": "built"}),
    ],
)  # fmt: skip
def test_every_operation_does_what_it_says(
    api: Client, thing: str, operations: Any, left: dict[str, Any]
) -> None:
    before = api.get(thing).json
    assert patch(api, thing, operations).status == 200
    after = api.get(thing).json
    assert after == {**before, "properties": {**before["properties"], **left}}
    assert orjson.dumps(after["properties"]).count(b"true") == str(left).count("True")


def test_values_move_and_vanish(api: Client, thing: str) -> None:
    operations = [{"op": "move", "from": "/properties/state", "path": "/name"},
                  {"op": "remove", "path": "/properties"}]  # fmt: skip
    shown = patch(api, thing, operations).json
    assert (shown["name"], "properties" in shown) == ("planned", False)


@pytest.mark.parametrize(
    ("operation", "status", "said"),
    [
        ({"op": "test", "path": "/name", "value": "x"}, 409, "test /name"),
        ({"op": "test", "path": "/properties/n", "value": True}, 409, "test /properties/n"),
        ({"op": "remove", "path": "/properties/none"}, 400, "remove /properties/none"),
        ({"op": "replace", "path": "/properties/tags/9", "value": 1}, 400, "tags/9"),
        ({"op": "add", "path": "/none/deeper", "value": 1}, 400, "add /none/deeper"),
        ({"op": "add", "path": "name", "value": 1}, 400, "add name"),
        ({"op": "add", "path": "/name"}, 400, "add /name"),
        ({"op": "jump", "path": "/name"}, 400, "jump /name"),
        ({"op": "move", "path": "/name"}, 400, "move /name"),
        ({"op": "move", "from": "/properties", "path": "/properties/n"}, 400, "move"),
        ({"path": "/name", "value": 1}, 400, "operation 2"),
        ({"op": ["add"], "path": {}, "value": 1}, 400, "operation 2"),
        ("remove /name", 400, "operation 2"),
        (None, 400, "operation 2"),
    ],
)
def test_an_operation_that_fails_is_named_and_nothing_is_changed(
    api: Client, thing: str, operation: Any, status: int, said: str
) -> None:
    before = api.get(thing).json
    reply = patch(api, thing, [{"op": "replace", "path": "/name", "value": "no"}, operation])
    assert (reply.status, "operation 2" in reply.message, said in reply.message) == (
        status, True, True), reply.body  # fmt: skip
    assert api.get(thing).json == before


@pytest.mark.parametrize(
    ("operation", "named"),
    [
        ({"op": "remove", "path": "/description"}, "description"),
        ({"op": "replace", "path": "/name", "value": 5}, "name"),
        ({"op": "replace", "path": "/properties", "value": []}, "properties"),
        ({"op": "add", "path": "/color", "value": "red"}, "color"),
        ({"op": "replace", "path": "", "value": [1]}, "body"),
    ],
)
def test_an_entity_that_would_not_be_one_is_refused(
    api: Client, thing: str, operation: Any, named: str
) -> None:
    before = api.get(thing).json
    reply = patch(api, thing, [operation])
    assert (reply.status, named in reply.message) == (400, True), reply.body
    assert api.get(thing).json == before


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"5", b"null", b'"add"', b"\xff"])
def test_what_is_no_list_of_operations_is_refused(api: Client, thing: str, body: bytes) -> None:
    assert patch(api, thing, body).status == 400


def test_copies_cannot_make_an_entity_grow_without_end(api: Client, thing: str) -> None:
    doubling = [{"op": "copy", "from": "/properties", "path": f"/properties/{i}"}
                for i in range(40)]  # fmt: skip
    assert patch(api, thing, doubling).status == 413
    nop = {"op": "test", "path": "/name", "value": "Gauge"}
    assert patch(api, thing, [nop] * 1000).status == 413


def test_nothing_to_do_changes_nothing(api: Client, thing: str) -> None:
    before = api.get(thing)
    assert patch(api, thing, []).json == before.json
    assert api.get(thing).headers["etag"] == before.headers["etag"]


def test_conditions_hold_for_patches_too(api: Client, thing: str) -> None:
    operation = [{"op": "replace", "path": "/name", "value": "New"}]
    assert patch(api, thing, operation, if_match='"other"').status == 412
    assert patch(api, thing, operation, if_match=api.get(thing).headers["etag"]).status == 200


def test_a_merge_patch_reaches_into_properties(api: Client, thing: str) -> None:
    """RFC 7396: members are merged, null takes away; plain JSON replaces properties as a whole"""
    body = orjson.dumps({"name": "New", "properties": {"state": None, "n": {"m": 2}}})
    media = "application/merge-patch+json"
    shown = api.request("PATCH", thing, body, content_type=media).json
    kept = {"tags": ["a", "c"], "a/b": {"~": 1}}
    assert (shown["name"], shown["properties"]) == ("New", {**kept, "n": {"m": 2}})
    assert api.patch(thing, {"properties": {"x": 1}}).json["properties"] == {"x": 1}
    for refused in (b"[]", b'{"name": null}', b'{"properties": 5}'):
        assert api.request("PATCH", thing, refused, content_type=media).status == 400


def test_only_a_patch_is_written_as_a_patch(api: Client, thing: str) -> None:
    for method, address in (("PUT", thing), ("POST", "/Things")):
        for media in ("application/json-patch+json", "application/merge-patch+json"):
            assert api.request(method, address, b"{}", content_type=media).status == 415
    refused = api.request("PATCH", thing, b"{}", content_type="application/xml")
    assert (refused.status, "json-patch" in refused.headers["accept-patch"]) == (415, True)


def test_who_may_not_change_it_may_not_patch_it(api: Client, visitor: Client, thing: str) -> None:
    assert patch(visitor, thing, []).status == 401


def test_a_place_that_is_not_there_is_named_without_the_whole_entity(api: Client) -> None:
    key = api.post("/Things", bodies.thing("Secret name")).key
    operation = {"op": "replace", "path": "/properties/deep/er", "value": 1}
    reply = patch(api, f"/Things({key})", [operation])
    assert (reply.status, "Secret name" in reply.message) == (400, False)
    assert reply.message.startswith("operation 1 (replace /properties/deep/er): member ")
