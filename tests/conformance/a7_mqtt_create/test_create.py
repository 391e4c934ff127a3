"""req/create-observations-via-mqtt/observations-creation (18-088 §14.1, A.7)."""

import json
from typing import Any

import pytest

from stadtherz.base.visibility import Visibility
from stadtherz.mqtt.meeting.hub import Hub
from stadtherz.mqtt.tests.talk import People, Talk, scenario
from stadtherz.mqtt.wire.packets import V3, V5, Ack
from stadtherz.mqtt.wire.properties import Property
from stadtherz.mqtt.wire.reasons import Reason
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client

pytestmark = pytest.mark.django_db(transaction=True)
_CREATE = (
    "http://www.opengis.net/spec/iot_sensing/1.1/req"
    "/create-observations-via-mqtt/observations-creation"
)


def publish(client: Client, topic: str, body: Any, version: int = V5) -> Ack:
    """The answer to a message with quality 1."""
    people = People({"token": client.visibility})

    async def story(hub: Hub) -> Ack:
        talk = Talk(hub, version)
        await talk.connect("sensor", "token")
        talk.publish(topic, json.dumps(body).encode())
        answer: Ack = await talk.hear(Ack)
        return answer

    answer: Ack = scenario(people, story)
    return answer


@pytest.mark.parametrize("version", [V3, V5])
def test_an_observation_is_created_in_its_datastream(city: Client, version: int) -> None:
    stream = city.get("/Datastreams").ids[0]
    body = {"result": 42, "phenomenonTime": "2026-05-01T00:00:00Z", "parameters": {"a": 1}}
    answer = publish(city, f"v1.1/Datastreams({stream})/Observations", body, version)
    assert answer.reason is Reason.SUCCESS
    (made,) = city.get(f"/Datastreams({stream})/Observations?$filter=result eq 42").value
    assert made["parameters"] == {"a": 1}
    assert city.get(f"/Observations({made['@iot.id']})/FeatureOfInterest").json["feature"]


def test_an_observation_names_its_datastream_itself(city: Client) -> None:
    stream = city.get("/Datastreams").ids[1]
    answer = publish(city, "v1.1/Observations", {"result": 42, "Datastream": {"@iot.id": stream}})
    assert answer.reason is Reason.SUCCESS
    assert city.get(f"/Datastreams({stream})/Observations?$filter=result eq 42").ids


def test_a_feature_comes_along_as_by_post(city: Client) -> None:
    stream = city.get("/Datastreams").ids[0]
    body = {"result": 42, "FeatureOfInterest": bodies.feature("Somewhere else")}
    answer = publish(city, f"v1.1/Datastreams({stream})/Observations", body)
    assert answer.reason is Reason.SUCCESS
    (made,) = city.get("/Observations?$filter=result eq 42&$expand=FeatureOfInterest").value
    assert made["FeatureOfInterest"]["name"] == "Somewhere else"


def test_an_observation_of_several_parts(city: Client) -> None:
    thing = city.get("/Things").ids[0]
    key = city.post(f"/Things({thing})/MultiDatastreams", bodies.multi_datastream()).key
    topic = f"v1.1/MultiDatastreams({key})/Observations"
    assert publish(city, topic, {"result": [21.5, True]}).reason is Reason.SUCCESS
    assert publish(city, topic, {"result": 21.5}).reason is Reason.PAYLOAD_FORMAT_INVALID
    (made,) = city.get(f"/MultiDatastreams({key})/Observations").value
    assert made["result"] == [21.5, True]


def test_other_entities_are_created_too(city: Client) -> None:
    answer = publish(city, "v1.1/Things", bodies.thing("New"))
    assert answer.reason is Reason.SUCCESS
    assert city.get("/Things?$filter=name eq 'New'").ids


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("v1.1/Observations", {"result": 42}),
        ("v1.1/Observations", {"Datastream": {"@iot.id": 987654}, "result": 42}),
        ("v1.1/Observations", [{"result": 42}]),
        ("v1.1/Observations", {"result": 42, "unknown": 1}),
        ("v1.1/Observations(1)", {"result": 42}),
        ("v1.0/Observations", {"result": 42}),
    ],
)
def test_what_a_post_refuses_is_refused_here(city: Client, topic: str, body: Any) -> None:
    answer = publish(city, topic, body)
    assert answer.reason.failed
    assert answer.properties[Property.REASON_STRING]
    assert city.get("/Observations?$filter=result eq 42").ids == []


def test_nobody_adds_to_the_data_of_others(city: Client) -> None:
    other = Client(Visibility(actor="token:x", scopes=city.visibility.scopes, home=None))
    stream = city.get("/Datastreams").ids[0]
    answer = publish(other, f"v1.1/Datastreams({stream})/Observations", {"result": 42})
    assert answer.reason is Reason.NOT_AUTHORIZED


def test_the_service_root_says_where(api: Client) -> None:
    settings = api.get("").json["serverSettings"]
    assert _CREATE in settings["conformance"]
    assert settings[_CREATE]["endpoints"] == ["ws://city.example/mqtt"]
