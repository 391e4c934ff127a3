"""PATCH, JSON Patch, JSON Merge Patch and PUT of every type, and what each leaves (18-088 §10.3)."""

from typing import Any

import orjson
import pytest

from stadtherz.sensorthings.standard.schema import ENTITY_SETS, MODELS
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, Reply
from tests.conformance.regressions_write.forms import WHOLE, create, given

_OPERATIONS = "application/json-patch+json"
_MERGE = "application/merge-patch+json"
_OTHER: dict[str, Any] = {
    "name": "Other",
    "description": "",
    "properties": {"z": [None]},
    "encodingType": "application/vnd.geo+json",
    "location": {"type": "Point", "coordinates": [1.5, 2.5, 3.5]},
    "feature": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]},
    "observedArea": {"type": "Point", "coordinates": [0, 0]},
    "metadata": {"a": [1]},
    "definition": "urn:other",
    "time": "2020-02-02T02:02:02.002Z",
    "observationType": bodies.TRUTH,
    "unitOfMeasurement": bodies.DEGREE,
    "unitOfMeasurements": [bodies.UNIT, bodies.UNIT],
    "multiObservationDataTypes": [bodies.TRUTH, bodies.TRUTH],
    "phenomenonTime": "2020-01-01T00:00:00.000Z/2020-01-02T00:00:00.000Z",
    "resultTime": "2020-01-01T00:00:00.000Z",
    "validTime": "2020-01-01T00:00:00.000Z/2020-01-02T00:00:00.000Z",
    "result": {"a": [1, None]},
    "resultQuality": {"q": 1},
    "parameters": {"p": None},
}


def _value(name: str, prop: str) -> Any:
    if name == "MultiDatastreams" and prop == "observationType":
        return bodies.COMPLEX
    if prop == "taskingParameters":
        return {"status": "off"} if name == "Tasks" else {**bodies.DIMMER, "label": "other"}
    return _OTHER[prop]


_EACH = [(name, prop.name) for name in WHOLE for prop in given(name)]


def _send(api: Client, way: str, address: str, prop: str, value: Any) -> Reply:
    if way == "operations":
        operation = {"op": "add", "path": f"/{prop}", "value": value}
        return api.patch(address, [operation], content_type=_OPERATIONS)
    media = {"patch": "application/json", "merge": _MERGE}[way]
    return api.patch(address, {prop: value}, content_type=media)


@pytest.mark.parametrize(("name", "prop"), _EACH, ids=str)
def test_each_property_changes_alone(api: Client, name: str, prop: str) -> None:
    """patchEntities: all others stay as they are; the answer shows the new state"""
    wanted = _value(name, prop)
    for way in ("patch", "operations"):
        address = create(api, name)
        before = api.get(address).json
        changed = _send(api, way, address, prop, wanted)
        assert changed.status == 200, changed.body
        assert changed.json == api.get(address).json == {**before, prop: wanted}


@pytest.mark.parametrize("name", WHOLE)
def test_all_properties_change_at_once(api: Client, name: str) -> None:
    for method in ("PATCH", "PUT"):
        address = create(api, name)
        wanted = {prop.name: _value(name, prop.name) for prop in given(name)}
        changed = api.request(method, address, orjson.dumps(wanted))
        assert changed.status == 200, changed.body
        shown = api.get(address).json
        assert {k: shown[k] for k in wanted} == wanted


@pytest.mark.parametrize("name", WHOLE)
def test_an_empty_patch_changes_nothing(api: Client, name: str) -> None:
    address = create(api, name)
    before = api.get(address)
    for body, media in ((b"{}", "application/json"), (b"{}", _MERGE), (b"[]", _OPERATIONS)):
        assert api.request("PATCH", address, body, content_type=media).status == 200
    after = api.get(address)
    assert (after.json, after.headers["etag"]) == (before.json, before.headers["etag"])


@pytest.mark.parametrize(
    ("name", "prop"), [e for e in _EACH if e[1] in ("properties", "parameters")]
)
def test_a_patch_replaces_a_document_as_a_whole(api: Client, name: str, prop: str) -> None:
    """In version 1.1 members are not merged, as in FROST-Server; a merge patch does it (RFC 7396)"""
    address = create(api, name, **{prop: {"a": 1, "b": {"c": 2, "d": 3}}})
    assert api.patch(address, {prop: {"b": {"c": 4}}}).json[prop] == {"b": {"c": 4}}
    merged = api.patch(address, {prop: {"b": {"d": 5}, "e": None}}, content_type=_MERGE)
    assert merged.json[prop] == {"b": {"c": 4, "d": 5}}
    removed = api.patch(address, {prop: {"b": None}}, content_type=_MERGE)
    assert removed.json.get(prop, {}) == {}


_OPTIONAL = [(name, p.name) for name in WHOLE for p in given(name) if not p.required]


@pytest.mark.parametrize(
    ("name", "prop"),
    [e for e in _OPTIONAL if e[1] not in ("phenomenonTime", "observedArea", "observationType")],
)
def test_what_is_not_needed_can_be_taken_away(api: Client, name: str, prop: str) -> None:
    for body, media in (
        ({prop: None}, "application/json"),
        ({prop: None}, _MERGE),
        ([{"op": "remove", "path": f"/{prop}"}], _OPERATIONS),
    ):
        address = create(api, name)
        assert api.get(address).json[prop] is not None
        changed = api.patch(address, body, content_type=media)
        assert changed.status == 200, changed.body
        assert changed.json.get(prop) is None


_APPLIED: dict[str, tuple[list[dict[str, Any]], Any]] = {
    "add a member": ([{"op": "add", "path": "/properties/n", "value": 1}], {"a": {"b": [1, 2]}, "n": 1}),
    "add over a member": ([{"op": "add", "path": "/properties/a", "value": 1}], {"a": 1}),
    "add deep": ([{"op": "add", "path": "/properties/a/c", "value": None}], {"a": {"b": [1, 2], "c": None}}),
    "add to a list": ([{"op": "add", "path": "/properties/a/b/-", "value": 3}], {"a": {"b": [1, 2, 3]}}),
    "add into a list": ([{"op": "add", "path": "/properties/a/b/1", "value": 9}], {"a": {"b": [1, 9, 2]}}),
    "remove": ([{"op": "remove", "path": "/properties/a/b"}], {"a": {}}),
    "remove from a list": ([{"op": "remove", "path": "/properties/a/b/0"}], {"a": {"b": [2]}}),
    "replace": ([{"op": "replace", "path": "/properties/a/b/1", "value": {}}], {"a": {"b": [1, {}]}}),
    "replace all": ([{"op": "replace", "path": "/properties", "value": {"z": 1}}], {"z": 1}),
    "move": ([{"op": "move", "from": "/properties/a/b", "path": "/properties/c"}], {"a": {}, "c": [1, 2]}),
    "copy": (
        [{"op": "copy", "from": "/properties/a/b/0", "path": "/properties/c"}],
        {"a": {"b": [1, 2]}, "c": 1},
    ),
    "test": ([{"op": "test", "path": "/properties/a/b", "value": [1, 2]}], {"a": {"b": [1, 2]}}),
    "several": (
        [
            {"op": "test", "path": "/name", "value": "Gauge"},
            {"op": "add", "path": "/properties/n", "value": []},
            {"op": "add", "path": "/properties/n/-", "value": 5},
            {"op": "remove", "path": "/properties/a"},
        ],
        {"n": [5]},
    ),
    "escaped names": ([{"op": "add", "path": "/properties/x~1y~0z", "value": 1}], {"a": {"b": [1, 2]}, "x/y~z": 1}),
    "an empty name": ([{"op": "add", "path": "/properties/", "value": 1}], {"a": {"b": [1, 2]}, "": 1}),
    "more than is said": (
        [{"op": "add", "path": "/properties/n", "value": 1, "comment": "why"}],
        {"a": {"b": [1, 2]}, "n": 1},
    ),
}  # fmt: skip


@pytest.fixture
def thing(api: Client) -> str:
    return create(api, "Things", properties={"a": {"b": [1, 2]}})


@pytest.mark.parametrize(("operations", "expected"), _APPLIED.values(), ids=_APPLIED)
def test_json_patch_applies(
    api: Client, thing: str, operations: list[dict[str, Any]], expected: Any
) -> None:
    changed = api.patch(thing, operations, content_type=_OPERATIONS)
    assert changed.status == 200, changed.body
    assert changed.json["properties"] == api.get(thing).json["properties"] == expected


_REFUSED: dict[str, tuple[Any, int]] = {
    "no list": ({"op": "add", "path": "/name", "value": "x"}, 400),
    "a text": ("add", 400),
    "a list of texts": (["add"], 400),
    "a list of nulls": ([None], 400),
    "unknown operation": ([{"op": "jump", "path": "/name"}], 400),
    "no operation": ([{"path": "/name", "value": "x"}], 400),
    "no path": ([{"op": "add", "value": "x"}], 400),
    "no value": ([{"op": "add", "path": "/name"}], 400),
    "no from": ([{"op": "move", "path": "/name"}], 400),
    "path without slash": ([{"op": "add", "path": "name", "value": "x"}], 400),
    "path is no text": ([{"op": "add", "path": 5, "value": "x"}], 400),
    "removes nothing": ([{"op": "remove", "path": "/properties/z"}], 400),
    "replaces nothing": ([{"op": "replace", "path": "/properties/z", "value": 1}], 400),
    "moves nothing": ([{"op": "move", "from": "/properties/z", "path": "/properties/y"}], 400),
    "into itself": ([{"op": "move", "from": "/properties/a", "path": "/properties/a/b"}], 400),
    "no such place": ([{"op": "add", "path": "/properties/z/y", "value": 1}], 400),
    "no such index": ([{"op": "add", "path": "/properties/a/b/9", "value": 1}], 400),
    "negative index": ([{"op": "replace", "path": "/properties/a/b/-1", "value": 1}], 400),
    "no index": ([{"op": "add", "path": "/properties/a/b/x", "value": 1}], 400),
    "bad escape": ([{"op": "add", "path": "/properties/~2", "value": 1}], 400),
    "test fails": ([{"op": "test", "path": "/name", "value": "x"}], 409),
    "later test fails": (
        [{"op": "add", "path": "/name", "value": "x"}, {"op": "test", "path": "/name", "value": "y"}],
        409,
    ),
    "unknown property": ([{"op": "add", "path": "/colour", "value": "red"}], 400),
    "wrong type": ([{"op": "add", "path": "/name", "value": 5}], 400),
    "what is needed": ([{"op": "remove", "path": "/name"}], 400),
    "null where needed": ([{"op": "replace", "path": "/description", "value": None}], 400),
    "properties become a list": ([{"op": "replace", "path": "/properties", "value": []}], 400),
    "the whole": ([{"op": "replace", "path": "", "value": 5}], 400),
    "NUL": ([{"op": "add", "path": "/name", "value": "\0"}], 400),
}  # fmt: skip


@pytest.mark.parametrize(("operations", "status"), _REFUSED.values(), ids=_REFUSED)
def test_json_patch_refuses(api: Client, thing: str, operations: Any, status: int) -> None:
    """FROST-Server answers bad ones with 500; nothing of a patch is applied then"""
    before = api.get(thing)
    refused = api.patch(thing, operations, content_type=_OPERATIONS)
    assert refused.status == status, refused.body
    assert refused.message
    assert api.get(thing).headers["etag"] == before.headers["etag"]


@pytest.mark.parametrize("name", WHOLE)
def test_the_path_may_lead_over_other_entities(api: Client, name: str) -> None:
    """An entity can be changed at any of its addresses"""
    address = create(api, name)
    link = next(each for each in ENTITY_SETS[name].links if each.required or each.many)
    behind = api.get(f"{address}/{link.name}")
    if link.many or behind.status != 200:
        return
    changed = api.patch(f"{address}/{link.name}", {"description": "by another way"})
    assert changed.status == 200, changed.body
    assert api.get(behind.json["@iot.selfLink"]).json["description"] == "by another way"


@pytest.mark.parametrize("name", ["Datastreams", "Observations", "MultiDatastreams"])
def test_json_patch_can_lead_a_link_elsewhere(api: Client, name: str) -> None:
    address = create(api, name)
    link = next(each for each in ENTITY_SETS[name].links if each.required and not each.many)
    other = create(api, MODELS["1.1"][link.target].plural)
    reference = {"@iot.id": int(other.rpartition("(")[2].rstrip(")"))}
    operation = {"op": "add", "path": f"/{link.name}", "value": reference}
    changed = api.patch(address, [operation], content_type=_OPERATIONS)
    assert changed.status == 200, changed.body
    assert api.get(f"{address}/{link.name}").json["@iot.selfLink"] == other


def test_ids_cannot_be_changed(api: Client, thing: str) -> None:
    key = api.get(thing).json["@iot.id"]
    for body in ({"@iot.id": key + 1, "name": "x"}, {"id": key + 1, "name": "y"}):
        assert api.patch(thing, body).status == 200
        assert api.get(thing).json["@iot.id"] == key
    assert len(api.get("/Things").value) == 1


@pytest.mark.parametrize("name", WHOLE)
def test_put_leaves_nothing_that_it_does_not_name(api: Client, name: str) -> None:
    """update-entity-put; links stay where they lead"""
    address = create(api, name)
    needed = {p.name: WHOLE[name][p.name] for p in given(name) if p.required}
    assert api.put(address, needed).status == 200
    shown = api.get(address).json
    optional = [p.name for p in given(name) if not p.required]
    kept = ("phenomenonTime", "observationType")  # never nothing
    assert all(shown.get(prop) is None for prop in optional if prop not in kept)
