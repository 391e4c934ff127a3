"""Ids that clients choose, and entities that are put where nothing is yet."""

from typing import Any

import pytest
from django.db import transaction

from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import ROOT, Client, in_version_2
from stadtherz.store.public import log_after, seal
from stadtherz.store.readings import view
from tests.conformance.sensing import SENSING

_BODIES: dict[str, dict[str, Any]] = {
    "Things": bodies.thing(),
    "Locations": bodies.location(),
    "Sensors": bodies.sensor(),
    "ObservedProperties": bodies.observed_property(),
    "FeaturesOfInterest": bodies.feature(),
    "Datastreams": bodies.datastream(Thing=bodies.thing()),
    "HistoricalLocations": {
        "time": "2025-01-01T00:00:00.000Z",
        "Thing": bodies.thing(),
        "Locations": [bodies.location()],
    },
}


@pytest.mark.parametrize("name", _BODIES)
def test_an_entity_gets_the_id_that_a_client_chose(api: Client, name: str) -> None:
    created = api.post(f"/{name}", {**_BODIES[name], "@iot.id": 4711})
    assert (created.status, created.json["@iot.id"]) == (201, 4711), created.body
    assert created.headers["location"] == f"{ROOT}/{name}(4711)"
    assert api.get(f"/{name}(4711)").json == created.json


@pytest.mark.parametrize("name", _BODIES)
def test_an_id_that_is_taken_is_a_conflict_and_nothing_is_left(api: Client, name: str) -> None:
    assert api.post(f"/{name}", {**_BODIES[name], "@iot.id": 7}).status == 201
    before = {plural: api.get(f"/{plural}").ids for plural in SENSING}
    again = api.post(f"/{name}", {**_BODIES[name], "@iot.id": 7})
    assert (again.status, "7" in again.message) == (409, True)
    assert {plural: api.get(f"/{plural}").ids for plural in SENSING} == before


@pytest.mark.parametrize("name", _BODIES)
def test_the_server_goes_on_counting_and_leaves_out_what_is_taken(api: Client, name: str) -> None:
    first = api.post(f"/{name}", _BODIES[name]).key  # PostgreSQL counts on from test to test
    wishes = {first + 1, first + 2, first + 1_000_000}
    for chosen in wishes:
        assert api.post(f"/{name}", {**_BODIES[name], "@iot.id": chosen}).status == 201
    given = {api.post(f"/{name}", _BODIES[name]).key for _ in range(3)}
    assert len(given) == 3
    assert not given & wishes
    assert max(given) < first + 100, "one wish for a large number makes no other large"


def test_an_id_below_those_that_the_server_gave_is_free_if_it_is_not_taken(api: Client) -> None:
    first, second = (api.post("/Things", bodies.thing()).key for _ in range(2))
    api.delete(f"/Things({first})")
    assert api.post("/Things", {**bodies.thing(), "@iot.id": first}).key == first
    assert api.post("/Things", bodies.thing()).key not in (first, second)


@pytest.mark.parametrize("odd", ["abc", 0, -1, 1.5, True, [], {}, 2**53, 2**63 - 1, ""])
def test_what_can_be_no_id_is_refused(api: Client, odd: Any) -> None:
    reply = api.post("/Things", {**bodies.thing(), "@iot.id": odd})
    assert (reply.status, "id" in reply.message) == (400, True), reply.body
    assert api.get("/Things").value == []


def test_a_whole_number_in_quotes_is_understood_and_null_is_no_wish(api: Client) -> None:
    assert api.post("/Things", {**bodies.thing(), "@iot.id": "12"}).key == 12
    assert api.post("/Things", {**bodies.thing(), "@iot.id": None}).status == 201


def test_datastreams_leave_room_for_the_ids_of_their_observations(api: Client) -> None:
    stream = {**bodies.datastream(Thing=bodies.thing(Locations=[bodies.location()]))}
    assert api.post("/Datastreams", {**stream, "@iot.id": 2**31}).status == 400
    assert api.post("/Datastreams", {**stream, "@iot.id": 2**31 - 1}).status == 201
    reading = api.post(f"/Datastreams({2**31 - 1})/Observations", bodies.observation(5))
    assert api.get(f"/Observations({reading.key})/result").json == {"result": 5}


def test_what_was_read_here_and_is_sent_again_becomes_another_entity(api: Client) -> None:
    shown = api.post("/Things", bodies.thing()).json
    assert api.post("/Things", shown).key != shown["@iot.id"]


def test_a_whole_tree_keeps_its_ids(api: Client) -> None:
    tree = bodies.thing(
        Locations=[{**bodies.location(), "@iot.id": 21}],
        Datastreams=[
            bodies.datastream(
                Sensor={**bodies.sensor(), "@iot.id": 31},
                ObservedProperty={**bodies.observed_property(), "@iot.id": 41},
            )
            | {"@iot.id": 51}
        ],
    )
    assert api.post("/Things", {**tree, "@iot.id": 11}).key == 11
    found = api.get("/Things(11)?$expand=Locations,Datastreams($expand=Sensor,ObservedProperty)")
    (stream,), (place,) = found.json["Datastreams"], found.json["Locations"]
    assert (place["@iot.id"], stream["@iot.id"]) == (21, 51)
    assert (stream["Sensor"]["@iot.id"], stream["ObservedProperty"]["@iot.id"]) == (31, 41)
    other = {**bodies.thing("Other"), "Locations": tree["Locations"]}
    second = api.post("/Things", other).key
    assert api.get(f"/Things({second})/Locations").ids == [21], "what exists is linked"


def test_an_id_of_somebody_else_is_taken(api: Client, other: Client) -> None:
    assert other.post("/Things", {**bodies.thing(), "@iot.id": 5}).status == 201
    assert api.post("/Things", {**bodies.thing(), "@iot.id": 5}).status == 409
    assert api.put("/Things(5)", bodies.thing("Mine")).status == 403
    assert other.get("/Things(5)").json["name"] == "Gauge"


def test_version_2_takes_ids_too(api: Client) -> None:
    new = in_version_2(api)
    assert new.post("/Things", {"name": "Mast", "id": 77}).status == 201
    assert api.get("/Things(77)").json["name"] == "Mast"
    assert new.post("/Things", {"name": "Mast", "id": 77}).status == 409
    assert new.put("/Things(78)", {"name": "Pole"}).status == 201
    assert new.put("/Things(78)", {"name": "Post"}).status == 204
    assert api.get("/Things(78)").json["name"] == "Post"


# --- PUT --------------------------------------------------------------------------------------------


def test_put_creates_with_everything_below_and_replaces_the_next_time(api: Client) -> None:
    body = bodies.thing(properties={"a": 1}, Locations=[bodies.location()])
    created = api.put("/Things(900)", body)
    assert (created.status, created.headers["location"]) == (201, f"{ROOT}/Things(900)")
    assert len(api.get("/Things(900)/Locations").value) == 1
    assert len(api.get("/Things(900)/HistoricalLocations").value) == 1
    replaced = api.put("/Things(900)", bodies.thing("Other"))
    assert (replaced.status, replaced.json["name"]) == (200, "Other")
    assert "properties" not in replaced.json
    assert len(api.get("/Things").value) == 1


@pytest.mark.parametrize("name", _BODIES)
def test_put_creates_every_kind_of_entity(api: Client, name: str) -> None:
    assert api.put(f"/{name}(15)", _BODIES[name]).status == 201
    assert api.get(f"/{name}").ids == [15]


def test_put_behind_a_link_belongs_to_its_parent(api: Client) -> None:
    thing = api.post("/Things", bodies.thing()).key
    assert api.put(f"/Things({thing})/Datastreams(60)", bodies.datastream()).status == 201
    assert api.get(f"/Things({thing})/Datastreams").ids == [60]
    assert api.put("/Things(999)/Datastreams(61)", bodies.datastream()).status == 404
    other = api.post("/Things", bodies.thing()).key
    assert api.put(f"/Things({other})/Datastreams(60)", bodies.datastream()).status == 409


def test_conditions_say_whether_put_may_create_or_replace(api: Client) -> None:
    assert api.put("/Things(3)", bodies.thing(), if_match="*").status == 412
    assert api.put("/Things(3)", bodies.thing(), if_none_match="*").status == 201
    assert api.put("/Things(3)", bodies.thing(), if_none_match="*").status == 412
    assert api.put("/Things(3)", bodies.thing(), if_match="*").status == 200


def test_put_of_an_observation_that_is_not_there_is_refused(city: Client) -> None:
    body = bodies.observation(1, Datastream={"@iot.id": city.get("/Datastreams").ids[0]})
    assert city.put("/Observations(999999)", body).status == 404


def test_a_wrong_body_creates_nothing(api: Client) -> None:
    assert api.put("/Things(3)", {**bodies.thing(), "name": 5}).status == 400
    assert api.put("/Things(0)", bodies.thing()).status == 400
    assert api.get("/Things").value == []


# --- ids that were used before ------------------------------------------------------------------------


@pytest.mark.parametrize("sealed", [False, True])
def test_a_datastream_with_an_old_id_never_gives_an_old_id_to_a_reading(
    api: Client, sealed: bool
) -> None:
    place = bodies.thing(Locations=[bodies.location()])
    stream = {**bodies.datastream(Thing=place), "@iot.id": 9}
    api.post("/Datastreams", stream)
    before = {api.post("/Datastreams(9)/Observations", bodies.observation(n)).key for n in range(3)}
    if sealed:
        seal()
    api.delete("/Datastreams(9)")
    view.forget()  # as after a start
    api.post("/Datastreams", stream)
    assert api.get("/Datastreams(9)/Observations").value == []
    after = {api.post("/Datastreams(9)/Observations", bodies.observation(n)).key for n in range(3)}
    assert not before & after
    assert {each["result"] for each in api.get("/Datastreams(9)/Observations").value} == {0, 1, 2}
    heard = log_after(0, 100).columns.id.tolist()
    assert sorted(heard) == sorted(after), "nobody hears of a reading twice"


def test_what_is_rolled_back_takes_no_id(api: Client) -> None:
    with transaction.atomic():
        api.post("/Things", {**bodies.thing(), "@iot.id": 50})
        transaction.set_rollback(True)
    assert api.post("/Things", {**bodies.thing(), "@iot.id": 50}).status == 201
