"""RFC 9110 §8.8.3 and §13: entity tags, If-Match and If-None-Match."""

from typing import Any

import orjson
import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client
from tests.conformance.sensing import SENSING

_CHANGES: dict[str, dict[str, Any]] = {
    "HistoricalLocations": {"time": "2019-01-01T00:00:00Z"},
    "Observations": {"result": 99.5},
}
every_set = pytest.mark.parametrize("name", SENSING)


def _first(city: Client, name: str) -> str:
    return f"/{name}({city.get(f'/{name}').ids[0]})"


def _change(name: str) -> dict[str, Any]:
    return _CHANGES.get(name, {"description": "changed"})


@every_set
def test_a_tag_stays_while_the_entity_does_and_changes_with_it(city: Client, name: str) -> None:
    """strong: in quotes, without W/"""
    address = _first(city, name)
    before = city.get(address).headers["etag"]
    assert before == city.get(address).headers["etag"]
    assert (before[0], before[-1], len(before) > 10) == ('"', '"', True)
    changed = city.patch(address, _change(name))
    assert changed.headers["etag"] == city.get(address).headers["etag"] != before


@every_set
def test_a_reader_who_knows_the_state_gets_no_body(city: Client, name: str) -> None:
    """If-None-Match: 304"""
    address = _first(city, name)
    tag = city.get(address).headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        for method in ("GET", "HEAD"):
            reply = city.request(method, address, if_none_match=known)
            assert (reply.status, reply.body, reply.headers["etag"]) == (304, b"", tag)
    assert city.get(address, if_none_match='"other"').status == 200
    city.patch(address, _change(name))
    assert city.get(address, if_none_match=tag).status == 200


@every_set
@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_what_others_have_changed_is_not_overwritten(city: Client, name: str, method: str) -> None:
    """If-Match: 412, and nothing is changed"""
    address = _first(city, name)
    old = city.get(address).headers["etag"]
    city.patch(address, _change(name))
    now = city.get(address)
    body = _sent_back(now.json)
    for demand in (old, '"other"', f"W/{now.headers['etag']}"):
        assert city.request(method, address, body, if_match=demand).status == 412
    assert city.request(method, address, body, if_none_match="*").status == 412
    assert city.get(address).json == now.json
    assert city.request(method, address, body, if_match=now.headers["etag"]).status == 200


def _sent_back(shown: dict[str, Any]) -> bytes:
    """What was shown, to be sent back."""
    return orjson.dumps({k: v for k, v in shown.items() if v is not None})


@pytest.mark.parametrize("demand", ['"a", {}', "{}", "*"])
def test_one_of_several_tags_is_enough(city: Client, demand: str) -> None:
    address = _first(city, "Things")
    tag = city.get(address).headers["etag"]
    assert city.get(address, if_match=demand.format(tag)).status == 200
    changed = city.patch(address, {"name": "New"}, if_match=demand.format(tag))
    assert (changed.status, changed.json["name"]) == (200, "New")
    assert city.get(address, if_match='"other"').status == 412


def test_answers_to_changes_carry_the_tag_of_what_they_show(api: Client) -> None:
    created = api.post("/Things", bodies.thing())
    address = created.headers["location"]
    assert created.headers["etag"] == api.get(address).headers["etag"]
    replaced = api.put(address, bodies.thing("New"), if_match=created.headers["etag"])
    assert replaced.headers["etag"] == api.get(address).headers["etag"]
    assert api.patch(address, {"name": "Newer"}, if_match=replaced.headers["etag"]).status == 200


def test_the_tag_of_a_way_to_an_entity_is_that_of_the_entity(city: Client) -> None:
    stream = city.get("/Datastreams").value[0]
    thing = city.get(f"{stream['@iot.selfLink']}/Thing")
    tag = city.get(thing.json["@iot.selfLink"]).headers["etag"]
    assert thing.headers["etag"] == tag
    moved = city.patch(f"{stream['@iot.selfLink']}/Thing", {"name": "By link"}, if_match=tag)
    assert moved.status == 200


def test_an_entity_that_points_elsewhere_has_another_tag(city: Client) -> None:
    """Nothing of it is shown, and yet to change it back would undo what others did."""
    address = _first(city, "Datastreams")
    before = city.get(address)
    other = city.get("/Things").ids[1]
    after = city.patch(address, {"Thing": {"@iot.id": other}})
    assert after.json == before.json
    assert after.headers["etag"] != before.headers["etag"]


def test_a_new_reading_changes_the_tag_of_its_datastream(city: Client) -> None:
    """Its phenomenonTime is shown; who cares for one property only tests it with JSON Patch."""
    address = _first(city, "Datastreams")
    before = city.get(address).headers["etag"]
    city.post(f"{address}/Observations", bodies.observation(5, "2030-01-01T00:00:00Z"))
    assert city.get(address).headers["etag"] != before


def test_other_selections_of_an_entity_have_their_own_tags(city: Client) -> None:
    address = _first(city, "Things")
    whole = city.get(address).headers["etag"]
    chosen = city.get(f"{address}?$select=name").headers["etag"]
    assert whole != chosen
    assert city.get(f"{address}?$select=name", if_none_match=chosen).status == 304
    opened = city.get(f"{address}?$expand=Datastreams").headers["etag"]
    city.patch(_first(city, "Datastreams"), {"name": "renamed"})
    assert city.get(f"{address}?$expand=Datastreams", if_none_match=opened).status == 200


def test_a_set_has_no_tag_to_be_matched(city: Client) -> None:
    assert "etag" not in city.get("/Things").headers
    refused = city.post("/Things", bodies.thing(), if_match='"a"')
    assert (refused.status, len(city.get("/Things").value)) == (412, 3)
    assert city.post("/Things", bodies.thing(), if_match="*").status == 201


def test_what_is_not_there_is_not_found_whatever_is_demanded(city: Client) -> None:
    for headers in ({"if_match": '"a"'}, {"if_match": "*"}, {"if_none_match": "*"}):
        assert city.get("/Things(999999)", **headers).status == 404
        assert city.patch("/Things(999999)", {}, **headers).status == 404


@pytest.mark.parametrize("text", ["abc", '"a', '"a" "b"', 'w/"a"', "*, *", '"a",,"b"', "\xff"])
def test_a_header_that_is_no_list_of_tags_is_refused(city: Client, text: str) -> None:
    address = _first(city, "Things")
    for name in ("if_match", "if_none_match"):
        for reply in (city.get(address, **{name: text}), city.patch(address, {}, **{name: text})):
            assert (reply.status, "-Match" in reply.message) == (400, True)
