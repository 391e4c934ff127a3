"""req/create-update-delete/update-entity, update-entity-put and delete-entity."""

from typing import Any

import pytest

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, member
from stadtherz.store.public import create_organisation
from tests.conformance.sensing import SENSING, links_of

_PATCHES: dict[str, dict[str, Any]] = {
    "Things": {"name": "Other", "properties": {"new": 1}},
    "Locations": {"location": {"type": "Point", "coordinates": [1.5, 2.5]}},
    "HistoricalLocations": {"time": "2019-01-01T00:00:00.000Z"},
    "Datastreams": {
        "description": "slower",
        "unitOfMeasurement": {"name": "m", "symbol": "m", "definition": "ucum:m"},
    },
    "Sensors": {"metadata": "other"},
    "ObservedProperties": {"definition": "https://example.org/other"},
    "MultiDatastreams": {"properties": {"c": 3}},
    "Observations": {
        "result": 99.5,
        "resultTime": "2026-05-01T00:00:00.000Z",
        "parameters": {"x": 1},
    },
    "FeaturesOfInterest": {"feature": {"type": "Point", "coordinates": [3, 4]}},
}


@pytest.mark.parametrize("name", SENSING)
def test_patch_changes_what_it_names_and_nothing_else(city: Client, name: str) -> None:
    """update-entity"""
    before, *others = city.get(f"/{name}").value
    reply = city.patch(f"/{name}({before['@iot.id']})", _PATCHES[name])
    assert reply.status == 200, reply.body
    after, *untouched = city.get(f"/{name}").value
    assert after == {**before, **_PATCHES[name]}
    assert untouched == others


@pytest.mark.parametrize("name", SENSING)
def test_patch_refuses_new_entities_inside(city: Client, name: str) -> None:
    """update-entity: inline related entities are refused"""
    key = city.get(f"/{name}").ids[0]
    for link in links_of(SENSING[name]):
        inner: Any = {"name": "inline", "description": "x"}
        reply = city.patch(f"/{name}({key})", {link.name: [inner] if link.many else inner})
        assert (reply.status, link.name in reply.message) == (400, True), reply.body


def test_patch_links_to_other_entities(city: Client) -> None:
    first, second, _ = city.get("/Things").ids
    (stream,) = city.get(f"/Things({first})/Datastreams").ids
    assert city.patch(f"/Datastreams({stream})", {"Thing": {"@iot.id": second}}).status == 200
    assert city.get(f"/Datastreams({stream})/Thing").json["@iot.id"] == second
    (place,) = city.get(f"/Things({second})/Locations").ids
    assert city.patch(f"/Things({first})", {"Locations": [{"@iot.id": place}]}).status == 200
    assert city.get(f"/Things({first})/Locations").ids == [place]
    assert len(city.get(f"/Things({first})/HistoricalLocations").value) == 2


def test_an_observation_moves_to_another_datastream(city: Client) -> None:
    first, second, _ = city.get("/Datastreams").ids
    (reading, *_) = city.get(f"/Datastreams({first})/Observations").ids
    city.patch(f"/Observations({reading})", {"Datastream": {"@iot.id": second}})
    assert reading in city.get(f"/Datastreams({second})/Observations").ids


def test_put_replaces_everything(city: Client) -> None:
    """update-entity-put"""
    key = city.get("/Things").ids[0]
    assert city.put(f"/Things({key})", bodies.thing("New")).status == 200
    shown = city.get(f"/Things({key})").json
    assert (shown["name"], "properties" in shown) == ("New", False)
    incomplete = city.put(f"/Things({key})", {"name": "Half"})
    assert (incomplete.status, "description" in incomplete.message) == (400, True)


def test_put_of_an_observation_forgets_what_it_does_not_name(city: Client) -> None:
    reading = city.get("/Observations").value[0]
    address = reading["@iot.selfLink"]
    assert city.put(address, {"result": 5, "phenomenonTime": "2026-01-01T00:00:00Z"}).status == 200
    shown = city.get(address).json
    assert (shown["result"], shown["resultTime"], "parameters" in shown) == (5, None, False)


@pytest.mark.parametrize("name", SENSING)
def test_delete_removes_the_entity(city: Client, name: str) -> None:
    """delete-entity"""
    key, *others = city.get(f"/{name}").ids
    assert city.delete(f"/{name}({key})").status == 200
    assert city.get(f"/{name}({key})").status == 404
    assert city.get(f"/{name}").ids == others
    assert city.delete(f"/{name}({key})").status == 404


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("Things", {"HistoricalLocations", "Datastreams", "MultiDatastreams", "Observations"}),
        ("Locations", {"HistoricalLocations"}),
        ("Datastreams", {"Observations"}),
        ("MultiDatastreams", set()),
        ("Sensors", {"Datastreams", "MultiDatastreams", "Observations"}),
        ("ObservedProperties", {"Datastreams", "MultiDatastreams", "Observations"}),
        ("FeaturesOfInterest", {"Observations"}),
        ("Observations", set()),
        ("HistoricalLocations", set()),
    ],
)
def test_delete_takes_with_it_what_cannot_exist_alone(
    city: Client, name: str, gone: set[str]
) -> None:
    """delete-entity, table 26: integrity constraints"""
    for key in city.get(f"/{name}").ids:
        city.delete(f"/{name}({key})")
    empty = {other for other in SENSING if not city.get(f"/{other}").value}
    assert empty == gone | {name}


def test_what_others_still_use_is_not_deleted(city: Client) -> None:
    """A conflict is 409 and takes nothing with it."""
    others = Client(member(create_organisation("others", "Others")))
    place = city.get("/Locations").ids[0]
    guest = others.post("/Things", bodies.thing("Guest", Locations=[{"@iot.id": place}])).key
    assert city.delete(f"/Locations({place})").status == 409
    assert others.get(f"/Things({guest})/Locations").ids == [place]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/Things", "POST"),
        ("PUT", "/Things", "POST"),
        ("POST", "/Things(1)", "PATCH"),
        ("POST", "/", "GET"),
        ("DELETE", "/Things(1)/name", "GET"),
        ("PATCH", "/Things(1)/name", "GET"),
        ("TRACE", "/Things", "GET"),
    ],
)
def test_methods_that_do_not_fit_name_those_that_do(
    city: Client, method: str, path: str, allowed: str
) -> None:
    reply = city.request(method, path, b"{}")
    assert (reply.status, allowed in reply.headers["allow"]) == (405, True)


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_what_is_not_there_cannot_be_changed(city: Client, method: str) -> None:
    for name in SENSING:
        assert city.request(method, f"/{name}(999999)", b"{}").status == 404
