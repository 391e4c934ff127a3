"""`$upsert`: what is sent again is recognised by an identifier of the sender's own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client, Reply, in_version_2
from tests.conformance.sensing import SENSING

BY = "?$upsert=properties/externalId"


def _named(body: dict[str, Any], name: Any, **more: Any) -> dict[str, Any]:
    return {**body, "properties": {"externalId": name, **more}}


_BODIES: dict[str, Callable[[], dict[str, Any]]] = {
    "Things": bodies.thing,
    "Locations": bodies.location,
    "Sensors": bodies.sensor,
    "ObservedProperties": bodies.observed_property,
    "FeaturesOfInterest": bodies.feature,
}


def _id(reply: Reply) -> int:
    """Of what was created or changed."""
    key: int = reply.json["@iot.id"]
    return key


def _counts(api: Client) -> dict[str, int]:
    return {name: api.get(f"/{name}?$count=true").json["@iot.count"] for name in SENSING}


@pytest.mark.parametrize("name", _BODIES)
def test_the_first_time_creates_and_the_next_one_changes(api: Client, name: str) -> None:
    first = api.post(f"/{name}{BY}", _named(_BODIES[name](), "DE-1", a=1))
    assert first.status == 201, first.body
    again = api.post(f"/{name}{BY}", {**_named(_BODIES[name](), "DE-1", b=2), "name": "New"})
    assert (again.status, _id(again)) == (200, first.key)
    assert again.headers["location"] == first.headers["location"]
    assert (again.json["name"], again.json["properties"]) == ("New", {"externalId": "DE-1", "b": 2})
    other = api.post(f"/{name}{BY}", _named(_BODIES[name](), "DE-2"))
    assert (other.status, other.key == first.key) == (201, False)


def _tree(result_name: str = "Gauge") -> dict[str, Any]:
    stream = bodies.datastream(
        Sensor=_named(bodies.sensor(), "S"),
        ObservedProperty=bodies.observed_property(),
        Observations=[bodies.observation(5), bodies.observation(6, "2026-01-01T01:00:00Z")],
    )
    return _named(
        bodies.thing(
            result_name,
            Locations=[_named(bodies.location(), "L")],
            Datastreams=[_named(stream, "D")],
        ),
        "T",
    )


BY_ALL = "?$upsert=properties/externalId,definition,phenomenonTime"


def test_a_whole_tree_is_sent_again_without_a_second_of_anything(api: Client) -> None:
    first = api.post(f"/Things{BY_ALL}", _tree())
    assert first.status == 201, first.body
    before = _counts(api)
    assert before == {
        "Things": 1, "Locations": 1, "HistoricalLocations": 1, "Datastreams": 1, "Sensors": 1,
        "MultiDatastreams": 0, "ObservedProperties": 1, "Observations": 2, "FeaturesOfInterest": 1,
    }  # fmt: skip
    again = api.post(f"/Things{BY_ALL}", _tree("Renamed"))
    assert (again.status, again.json["name"]) == (200, "Renamed")
    assert _counts(api) == before
    assert api.get("/Observations?$orderby=phenomenonTime&$select=result").value == [
        {"result": 5},
        {"result": 6},
    ]


def test_what_is_so_already_is_not_changed(api: Client) -> None:
    from stadtherz.store.public import entity_changed

    heard: list[str] = []

    def listen(sender: Any, action: str, **_: Any) -> None:
        heard.append(f"{action} {sender}")

    entity_changed.connect(listen)
    try:
        api.post(f"/Things{BY}", _named(bodies.thing(), 17))
        api.post(f"/Things{BY}", _named(bodies.thing(), 17))
        api.post(f"/Things{BY}", _named(bodies.thing("Other"), 17.0))
    finally:
        entity_changed.disconnect(listen)
    assert heard == ["create Thing", "update Thing"]


def test_entities_that_were_there_before_are_recognised(api: Client) -> None:
    old = api.post("/Things", _named(bodies.thing(), "DE-1")).key
    for _ in range(2):
        assert _id(api.post(f"/Things{BY}", _named(bodies.thing(), "DE-1"))) == old


def test_who_has_another_identifier_since_is_recognised_by_that(api: Client) -> None:
    key = api.post(f"/Things{BY}", _named(bodies.thing(), "old")).key
    api.patch(f"/Things({key})", {"properties": {"externalId": "new"}})
    assert _id(api.post(f"/Things{BY}", _named(bodies.thing(), "new"))) == key
    other = api.post(f"/Things{BY}", _named(bodies.thing(), "old"))
    assert (other.status, other.key == key) == (201, False)


def test_texts_and_numbers_are_different_identifiers(api: Client) -> None:
    keys = [
        api.post(f"/Things{BY}", _named(bodies.thing(), name)).key for name in ("5", 5, "a%", "a_")
    ]
    assert len(set(keys)) == 4


def test_several_with_the_same_identifier_are_a_conflict(api: Client) -> None:
    for _ in range(2):
        api.post("/Things", _named(bodies.thing(), "DE-1"))
    reply = api.post(f"/Things{BY}", _named(bodies.thing(), "DE-1"))
    assert (reply.status, "properties/externalId" in reply.message) == (409, True)
    assert len(api.get("/Things").value) == 2


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (bodies.thing(), "properties/externalId"),
        (_named(bodies.thing(), ""), "properties/externalId"),
        (_named(bodies.thing(), True), "properties/externalId"),
        (_named(bodies.thing(), {"a": 1}), "properties/externalId"),
        (_named(bodies.thing(), "x" * 500), "properties/externalId"),
        (_named(bodies.thing(Locations=[bodies.location()]), "T"), "properties/externalId"),
        (_named(bodies.thing(Datastreams=[bodies.datastream()]), "T"), "properties/externalId"),
    ],
)
def test_what_cannot_be_recognised_is_named_and_nothing_is_left(
    api: Client, body: dict[str, Any], named: str
) -> None:
    reply = api.post(f"/Things{BY}", body)
    assert (reply.status, named in reply.message) == (400, True), reply.body
    assert sum(_counts(api).values()) == 0


@pytest.mark.parametrize("option", ["", "a//b", ",", "a,b,c,d,e,f", "name&$upsert=name"])
def test_an_option_that_names_nothing_is_refused(api: Client, option: str) -> None:
    assert api.post(f"/Things?$upsert={option}", bodies.thing()).status == 400


def test_any_property_can_be_the_identifier(api: Client) -> None:
    prop = api.post("/ObservedProperties?$upsert=definition", bodies.observed_property()).key
    again = {**bodies.observed_property(), "name": "Stage"}
    assert _id(api.post("/ObservedProperties?$upsert=definition", again)) == prop
    deep = bodies.thing(properties={"ids": {"city": 4}})
    keys = {_id(api.post("/Things?$upsert=properties/ids/city", deep)) for _ in range(2)}
    assert len(keys) == 1


def test_a_datastream_is_recognised_within_its_thing(api: Client) -> None:
    one, two = (api.post("/Things", bodies.thing(name)).key for name in "ab")
    path = "Datastreams?$upsert=name,definition"
    inner = {"Sensor": {"@iot.id": api.post("/Sensors", bodies.sensor()).key}}
    first = api.post(f"/Things({one})/{path}", bodies.datastream(**inner))
    assert first.status == 201, first.body
    assert _id(api.post(f"/Things({one})/{path}", bodies.datastream(**inner))) == first.key
    other = api.post(f"/Things({two})/{path}", bodies.datastream(**inner))
    assert (other.status, other.key == first.key) == (201, False)


def test_organisations_do_not_touch_each_others_entities(api: Client, other: Client) -> None:
    theirs = other.post(f"/Things{BY}", _named(bodies.thing("theirs"), "DE-1"))
    ours = api.post(f"/Things{BY}", _named(bodies.thing("ours"), "DE-1"))
    assert (theirs.status, ours.status) == (201, 201)
    assert api.get(f"/Things({theirs.key})").json["name"] == "theirs"
    assert _id(other.post(f"/Things{BY}", _named(bodies.thing(), "DE-1"))) == theirs.key


def test_who_may_only_read_creates_nothing(visitor: Client) -> None:
    assert visitor.post(f"/Things{BY}", _named(bodies.thing(), "DE-1")).status == 401


def test_an_answer_may_be_minimal(api: Client) -> None:
    body = _named(bodies.thing(), "DE-1")
    replies = [api.post(f"/Things{BY}", body, prefer="return=minimal") for _ in range(2)]
    assert [(r.status, r.body) for r in replies] == [(201, b""), (204, b"")]


def test_version_2_recognises_what_version_1_created(api: Client) -> None:
    key = api.post(f"/Things{BY}", _named(bodies.thing(), "DE-1")).key
    new = in_version_2(api)
    reply = new.post(f"/Things{BY}", {"name": "Mast", "properties": {"externalId": "DE-1"}})
    assert (reply.status, reply.headers["location"]) == (
        204,
        f"http://city.example/sta/v2.0/Things({key})",
    )
    assert api.get(f"/Things({key})").json["description"] == "at the bridge", "unsaid, so it stays"


def test_a_new_place_is_remembered_and_the_same_one_is_not(api: Client) -> None:
    def send(place: str) -> Reply:
        return api.post(
            f"/Things{BY}",
            _named(bodies.thing(Locations=[_named(bodies.location(place), place)]), "T"),
        )

    key = send("here").key
    for place, history in (("here", 1), ("there", 2), ("there", 2), ("here", 3)):
        send(place)
        assert len(api.get(f"/Things({key})/HistoricalLocations").value) == history
        assert [each["name"] for each in api.get(f"/Things({key})/Locations").value] == [place]


# --- Observations -------------------------------------------------------------------------------------

BY_TIME = "?$upsert=phenomenonTime"


def _stream(api: Client) -> str:
    body = bodies.datastream(Thing=bodies.thing(Locations=[bodies.location()]))
    return f"/Datastreams({api.post('/Datastreams', body).key})/Observations"


def test_an_observation_is_recognised_by_its_time(api: Client) -> None:
    path = _stream(api)
    first = api.post(path + BY_TIME, bodies.observation(1))
    same = api.post(path + BY_TIME, bodies.observation(1))
    better = api.post(path + BY_TIME, bodies.observation(2, resultQuality="checked"))
    assert [r.status for r in (first, same, better)] == [201, 200, 200]
    assert {_id(r) for r in (first, same, better)} == {first.key}
    (held,) = api.get(path).value
    assert (held["result"], held["resultQuality"]) == (2, "checked")
    lasting = "2026-01-01T00:00:00Z/2026-01-01T01:00:00Z"
    assert api.post(path + BY_TIME, bodies.observation(3, lasting)).status == 201
    assert api.post(path + BY_TIME, bodies.observation(True, lasting)).status == 200
    assert api.get(f"{path}?$filter=result eq true&$count=true").json["@iot.count"] == 1


def test_an_observation_without_its_time_cannot_be_recognised(api: Client) -> None:
    path = _stream(api)
    reply = api.post(path + BY_TIME, {"result": 1})
    assert (reply.status, "phenomenonTime" in reply.message) == (400, True)
    assert api.post(path + "?$upsert=result", bodies.observation(1)).status == 400
    assert api.get(path).value == []


def test_two_observations_of_a_time_are_a_conflict(api: Client) -> None:
    path = _stream(api)
    for result in (1, 2):
        api.post(path, bodies.observation(result))
    assert api.post(path + BY_TIME, bodies.observation(3)).status == 409


# --- at once ------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_same_sent_at_once_is_there_once(api: Client) -> None:
    def send(number: int) -> int:
        try:
            return api.post(f"/Things{BY}", _named(bodies.thing(f"{number}"), "DE-1")).status
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(send, range(16)))
    assert sorted(statuses) == [200] * 15 + [201]
    assert len(api.get("/Things").value) == 1


@pytest.mark.django_db(transaction=True)
def test_observations_of_one_time_sent_at_once_are_one(api: Client) -> None:
    path = _stream(api)

    def send(number: int) -> int:
        try:
            return api.post(path + BY_TIME, bodies.observation(number)).status
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(send, range(12)))
    assert sorted(statuses) == [200] * 11 + [201]
    assert len(api.get(path).value) == 1


@pytest.mark.django_db(transaction=True)
def test_a_chosen_id_wanted_at_once_is_given_once(api: Client) -> None:
    def send(_: int) -> int:
        try:
            return api.post("/Things", {**bodies.thing(), "@iot.id": 8}).status
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(send, range(8)))
    assert sorted(statuses) == [201] + [409] * 7
