"""req/receive-updates-via-mqtt/receive-updates (18-088 §14.2, A.8)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from stadtherz.mqtt.meeting.hub import Hub
from stadtherz.mqtt.tests.talk import People, Talk, aside, scenario
from stadtherz.mqtt.wire.packets import Ack, Publish
from stadtherz.mqtt.wire.properties import Kind
from stadtherz.mqtt.wire.reasons import Reason
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client

pytestmark = pytest.mark.django_db(transaction=True)
_RECEIVE = (
    "http://www.opengis.net/spec/iot_sensing/1.1/req/receive-updates-via-mqtt/receive-updates"
)


def received(client: Client, topic: str, change: Callable[[], Any], number: int = 1) -> list[Any]:
    """What a subscriber to the topic gets of a change."""

    async def story(hub: Hub) -> list[Any]:
        talk = Talk(hub)
        await talk.connect("map", "token")
        (granted,) = (await talk.subscribe(topic)).reasons
        assert granted is Reason.GRANTED_1
        await aside(change)
        found = []
        for _ in range(number):
            packet = await talk.hear(Publish)
            assert packet.topic == topic
            talk.send(Ack(Kind.PUBACK, packet.packet_id))
            found.append(json.loads(packet.payload))
        assert await talk.hears_nothing()
        return found

    found: list[Any] = scenario(People({"token": client.visibility}), story)
    return found


def test_new_entities_of_a_set(city: Client) -> None:
    (heard,) = received(city, "v1.1/Things", lambda: city.post("/Things", bodies.thing("New")))
    assert heard == city.get(f"/Things({heard['@iot.id']})").json


def test_new_observations_of_a_datastream(city: Client) -> None:
    one, other, _ = city.get("/Datastreams").ids

    def change() -> None:
        for stream in (other, one):
            body = {"result": 42, "phenomenonTime": "2026-05-01T00:00:00Z"}
            assert city.post(f"/Datastreams({stream})/Observations", body).status == 201

    (heard,) = received(city, f"v1.1/Datastreams({one})/Observations", change)
    assert heard == city.get(f"/Observations({heard['@iot.id']})").json


def test_the_place_in_the_tree_may_be_deep(city: Client) -> None:
    thing = city.get("/Things").ids[0]
    stream = city.get(f"/Things({thing})/Datastreams").ids[0]
    topic = f"v1.1/Things({thing})/Datastreams({stream})/Observations"
    path = f"/Datastreams({stream})/Observations"
    (heard,) = received(city, topic, lambda: city.post(path, {"result": 42}))
    assert heard["result"] == 42


def test_a_changed_entity(city: Client) -> None:
    key = city.get("/Things").ids[0]
    change = {"description": "Moved"}
    (heard,) = received(city, f"v1.1/Things({key})", lambda: city.patch(f"/Things({key})", change))
    assert heard == city.get(f"/Things({key})").json


@pytest.mark.parametrize(
    ("topic", "shown"),
    [
        ("v1.1/Datastreams({stream})/Observations?$select=result", {"result": 42}),
        ("v1.1/Observations?$select=result", {"result": 42}),
        ("v1.1/Observations?$filter=result gt 40&$select=result", {"result": 42}),
        ("v1.1/Observations({key})?$select=result", {"result": 42}),
        ("v1.1/Observations({key})/result", {"result": 42}),
        ("v1.1/Things({thing})/Datastreams({stream})/Observations?$select=result", {"result": 42}),
    ],
)
def test_a_corrected_observation(city: Client, topic: str, shown: Any) -> None:
    """18-088 §14.2: a subscriber hears of what is updated, and of Observations, too"""
    thing = city.get("/Things").ids[0]
    stream, other = city.get("/Datastreams?$orderby=id").ids[:2]
    key = city.get(f"/Datastreams({stream})/Observations?$orderby=id").ids[0]
    address = topic.format(thing=thing, stream=stream, key=key)

    def change() -> None:
        for path, behind in ((stream, 42), (other, 7)):
            found = city.get(f"/Datastreams({path})/Observations?$orderby=id").ids[0]
            assert city.patch(f"/Observations({found})", {"result": behind}).status == 200

    told = received(city, address, change, 2 if "({" not in topic and "filter" not in topic else 1)
    assert told[0] == shown


def test_a_correction_moves_the_times_of_its_datastream(city: Client) -> None:
    stream = city.get("/Datastreams").ids[0]
    key = city.get(f"/Datastreams({stream})/Observations?$orderby=phenomenonTime desc").ids[0]
    (heard,) = received(
        city,
        f"v1.1/Datastreams({stream})/phenomenonTime",
        lambda: city.patch(f"/Observations({key})", {"phenomenonTime": "2027-01-01T00:00:00Z"}),
    )
    assert heard["phenomenonTime"].endswith("/2027-01-01T00:00:00.000Z")


def test_a_changed_property(city: Client) -> None:
    key = city.get("/Things").ids[0]

    def change() -> None:
        city.patch(f"/Things({key})", {"name": "Other"})
        city.patch(f"/Things({key})", {"description": "Moved"})

    (heard,) = received(city, f"v1.1/Things({key})/description", change)
    assert heard == {"description": "Moved"}


def test_properties_that_are_picked(city: Client) -> None:
    stream = city.get("/Datastreams").ids[0]
    path = f"/Datastreams({stream})/Observations"
    body = {"result": 42, "phenomenonTime": "2026-05-01T00:00:00Z"}
    (heard,) = received(
        city, f"v1.1{path}?$select=result,phenomenonTime", lambda: city.post(path, body)
    )
    assert heard == {"result": 42, "phenomenonTime": "2026-05-01T00:00:00.000Z"}


def test_a_thing_that_moves_makes_history(city: Client) -> None:
    key = city.get("/Things").ids[0]
    body = {"Locations": [{"@iot.id": city.get("/Locations").ids[1]}]}
    topic = f"v1.1/Things({key})/HistoricalLocations"
    (heard,) = received(city, topic, lambda: city.patch(f"/Things({key})", body))
    assert heard["@iot.id"] == city.get(f"/Things({key})/HistoricalLocations").ids[-1]


@pytest.mark.parametrize("topic", ["v1.1/Observations", "v1.1/MultiDatastreams(KEY)/Observations"])
def test_observations_of_several_parts(city: Client, topic: str) -> None:
    thing = city.get("/Things").ids[0]
    key = city.post(f"/Things({thing})/MultiDatastreams", bodies.multi_datastream()).key
    path = f"/MultiDatastreams({key})/Observations"
    body = {"result": [21.5, True], "phenomenonTime": "2026-05-01T00:00:00Z"}
    (heard,) = received(city, topic.replace("KEY", str(key)), lambda: city.post(path, body))
    assert heard == city.get(f"/Observations({heard['@iot.id']})").json
    assert heard["result"] == [21.5, True]


def test_the_service_root_says_where(api: Client) -> None:
    settings = api.get("").json["serverSettings"]
    assert _RECEIVE in settings["conformance"]
    assert settings[_RECEIVE]["endpoints"] == ["ws://city.example/mqtt"]
