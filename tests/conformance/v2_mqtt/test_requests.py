"""conf/binding/mqtt/request_response, simple_create, pub_sub: version 2.0 over MQTT 5."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest

from stadtherz.base.visibility import ANONYMOUS, Visibility
from stadtherz.mqtt.meeting.hub import Hub
from stadtherz.mqtt.tests.talk import People, Talk, scenario
from stadtherz.mqtt.wire.packets import V3, Ack, Connack, Publish
from stadtherz.mqtt.wire.properties import Property
from stadtherz.mqtt.wire.reasons import Reason
from stadtherz.sensorthings.tests.client import Client, in_version_2

pytestmark = pytest.mark.django_db(transaction=True)
TOPIC = "v2.0/$request"
ANSWERS = "answers/c7"


class Told(NamedTuple):
    status: str
    location: str
    body: bytes
    message: Publish

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def request(talk: Talk, kind: str, url: str, body: Any = None, **more: Any) -> None:
    user = [("url", url), ("type", kind), *more.pop("user", [])]
    told = {Property.RESPONSE_TOPIC: ANSWERS, Property.CORRELATION_DATA: b"9", Property.USER: user}
    payload = b"" if body is None else json.dumps(body).encode()
    talk.publish(TOPIC, payload, 0, properties={**told, **more})


async def answer(talk: Talk) -> Told:
    message: Publish = await talk.hear(Publish)
    user = dict(message.properties.get(Property.USER, ()))
    return Told(user["status"], user.get("location", ""), message.payload, message)


def in_conversation(
    visibility: Visibility, story: Callable[[Talk], Awaitable[Any]], *, topic: str = "answers/#"
) -> Any:
    """What a client finds out that listens to its answers."""
    people = People({"token": visibility})

    async def whole(hub: Hub) -> Any:
        talk = Talk(hub)
        await talk.connect("sensor", None if visibility == ANONYMOUS else "token")
        assert not (await talk.subscribe(topic)).reasons[0].failed
        return await story(talk)

    return scenario(people, whole)


def test_a_query_is_answered_where_its_sender_listens(city: Client) -> None:
    """req/binding/mqtt/request_response: read, unencoded, without metadata"""

    async def story(talk: Talk) -> Told:
        request(talk, "read", "v2.0/Things?$filter=name eq '100% Glan_x'&$select=id,name")
        return await answer(talk)

    told: Told = in_conversation(city.visibility, story)
    assert told.status == "200"
    assert [each["name"] for each in told.json["value"]] == ["100% Glan_x"]
    assert "@context" not in told.json
    assert "@id" not in told.json["value"][0]
    assert told.message.topic == ANSWERS
    assert told.message.properties[Property.CORRELATION_DATA] == b"9"
    assert told.message.properties[Property.CONTENT_TYPE].startswith("application/json")


def test_metadata_come_where_they_are_asked_for(city: Client) -> None:
    async def story(talk: Talk) -> Told:
        request(talk, "read", "v2.0/Things?$top=1&$format=application/json;metadata=full")
        return await answer(talk)

    assert "@id" in in_conversation(city.visibility, story).json["value"][0]


def test_the_address_of_the_next_page_is_asked_for_as_it_came(city: Client) -> None:
    """req/binding/mqtt/request_response: of names with blanks and percent signs, too"""

    async def story(talk: Talk) -> list[Told]:
        url, told = "v2.0/Things?$filter=name ne '+ 100%25'&$orderby=name&$top=2", []
        while url:
            request(talk, "read", url)
            told.append(await answer(talk))
            url = told[-1].json.get("@nextLink", "")
        return told

    first, second = in_conversation(city.visibility, story)
    assert first.json["@nextLink"].startswith("http")
    names = [each["name"] for told in (first, second) for each in told.json["value"]]
    assert names == [each["name"] for each in city.get("/Things?$orderby=name").value]
    assert "@id" not in second.json["value"][0]


def test_an_entity_is_created_changed_replaced_and_deleted(city: Client) -> None:
    """req/binding/mqtt/request_response: all types of requests"""

    async def story(talk: Talk) -> list[Told]:
        request(talk, "create", "v2.0/Things", {"name": "Mast"})
        told = [await answer(talk)]
        where = told[0].location
        request(talk, "update", where, {"description": "high"})
        told.append(await answer(talk))
        request(
            talk, "replace", where, {"name": "Tower"}, user=[("prefer", "return=representation")]
        )
        told.append(await answer(talk))
        patch = [{"op": "replace", "path": "/name", "value": "Pole"}]
        media = {Property.CONTENT_TYPE: "application/json-patch+json"}
        told.append(await _patched(talk, where, patch, media))
        request(talk, "delete", where)
        told.append(await answer(talk))
        request(talk, "read", where)
        told.append(await answer(talk))
        return told

    created, changed, replaced, patched, deleted, gone = in_conversation(city.visibility, story)
    assert (created.status, created.body) == ("201", b"")
    assert created.location.startswith("v2.0/Things(")
    assert (changed.status, patched.status, deleted.status) == ("204", "204", "204")
    assert (replaced.status, replaced.json["name"]) == ("200", "Tower")
    assert (gone.status, gone.json["error"]["code"]) == ("404", "404")


async def _patched(talk: Talk, where: str, patch: Any, media: dict[int, str]) -> Told:
    user = [("url", where), ("type", "update")]
    told = {Property.RESPONSE_TOPIC: ANSWERS, Property.USER: user, **media}
    talk.publish(TOPIC, json.dumps(patch).encode(), 0, properties=told)
    return await answer(talk)


def test_what_is_executed_is_posted(city: Client) -> None:
    async def story(talk: Talk) -> Told:
        inner = {"id": "1", "method": "get", "url": "Things?$top=1&$select=name"}
        request(talk, "execute", "v2.0/$batch", {"requests": [inner]})
        return await answer(talk)

    assert in_conversation(city.visibility, story).json["responses"][0]["status"] == 200


def test_requests_see_and_change_no_more_than_their_sender_may(city: Client) -> None:
    from stadtherz.store.models import Thing

    Thing.objects.filter(name="Lauter").update(access="organisation")

    async def story(talk: Talk) -> list[Told]:
        request(talk, "read", "v2.0/Things/$count")
        told = [await answer(talk)]
        request(talk, "create", "v2.0/Things", {"name": "Mast"})
        return [*told, await answer(talk)]

    seen, refused = in_conversation(ANONYMOUS, story)
    assert seen.body == b"2"
    assert refused.status == "401"


@pytest.mark.parametrize("topic", ["answers/c7", "answers/+", "answers/c7/#"])
def test_an_answer_comes_to_whoever_listens_to_its_topic(city: Client, topic: str) -> None:
    async def story(talk: Talk) -> Told:
        request(talk, "read", "v2.0")
        return await answer(talk)

    told: Told = in_conversation(city.visibility, story, topic=topic)
    assert "serverSettings" in told.json


def test_nobody_hears_the_answers_of_another(city: Client) -> None:
    people = People({"token": city.visibility})

    async def story(hub: Hub) -> tuple[bool, bool]:
        asking, listening, deaf = (Talk(hub) for _ in range(3))
        for name, talk in (("a", asking), ("b", listening), ("c", deaf)):
            await talk.connect(name, "token")
        await listening.subscribe("answers/#")
        await asking.subscribe("answers/#")
        request(asking, "read", "v2.0/Things/$count")
        await answer(asking)
        request(deaf, "read", "v2.0/Things/$count")
        return await listening.hears_nothing(), await deaf.hears_nothing()

    assert scenario(people, story) == (True, True)


def test_a_client_is_told_where_answers_come_if_it_asks(city: Client) -> None:
    people = People({"token": city.visibility})

    async def story(hub: Hub) -> list[Connack]:
        wishes: tuple[dict[int, Any], ...] = ({Property.REQUEST_RESPONSE_INFORMATION: 1}, {})
        return [await Talk(hub).connect("sensor", "token", properties=wish) for wish in wishes]

    asked, silent = scenario(people, story)
    assert asked.properties[Property.RESPONSE_INFORMATION] == "answers"
    assert Property.RESPONSE_INFORMATION not in silent.properties


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {Property.RESPONSE_TOPIC: "v2.0/Things", Property.USER: [("url", "v2.0"), ("type", "read")]},
        {Property.RESPONSE_TOPIC: "answers/#", Property.USER: [("url", "v2.0"), ("type", "read")]},
        {Property.RESPONSE_TOPIC: ANSWERS},
        {Property.RESPONSE_TOPIC: ANSWERS, Property.USER: [("url", "v2.0"), ("type", "steal")]},
        {Property.RESPONSE_TOPIC: ANSWERS, Property.USER: [("type", "read")]},
        {Property.RESPONSE_TOPIC: ANSWERS, Property.USER: [("url", "v1.1/Things"), ("type", "read")]},
        {Property.RESPONSE_TOPIC: ANSWERS,
         Property.USER: [("url", "http://elsewhere.example/sta/v2.0/Things"), ("type", "read")]},
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_and_the_connection_lives(
    city: Client, properties: dict[int, Any]
) -> None:
    async def story(talk: Talk) -> Reason:
        talk.publish(TOPIC, b"", 1, properties=properties)
        refused: Ack = await talk.hear(Ack)
        request(talk, "read", "v2.0/Things/$count")
        assert (await answer(talk)).body == b"3"
        return refused.reason

    assert in_conversation(city.visibility, story) is Reason.PAYLOAD_FORMAT_INVALID


def test_version_3_of_mqtt_has_no_requests(city: Client) -> None:
    people = People({"token": city.visibility})

    async def story(hub: Hub) -> Ack:
        talk = Talk(hub, V3)
        await talk.connect("sensor", "token")
        talk.publish(TOPIC, b"", 1)
        heard: Ack = await talk.hear(Ack)
        return heard

    assert scenario(people, story).reason is Reason.SUCCESS  # it is over, and nothing comes


def test_answers_have_the_quality_that_was_wanted(city: Client) -> None:
    async def story(talk: Talk) -> Publish:
        told = {Property.RESPONSE_TOPIC: ANSWERS,
                Property.USER: [("url", "v2.0/Things/$count"), ("type", "read")]}  # fmt: skip
        talk.publish(TOPIC, b"", 1, properties=told)
        heard = [await talk.received.get(), await talk.received.get()]
        return next(packet for packet in heard if isinstance(packet, Publish))

    assert in_conversation(city.visibility, story).qos == 1


# --- create and listen ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("v2.0/Things/create", {"name": "Mast"}),
        ("v2.0/FeatureTypes/create", {"name": "River"}),
        ("v2.0/ObservedProperties/create", {"name": "Flow", "definition": "x:flow"}),
    ],
)
def test_any_entity_is_created_by_a_message(city: Client, topic: str, body: dict[str, Any]) -> None:
    """req/binding/mqtt/simple_create"""

    async def story(talk: Talk) -> Reason:
        talk.publish(topic, json.dumps(body).encode())
        kept: Ack = await talk.hear(Ack)
        return kept.reason

    assert in_conversation(city.visibility, story) is Reason.SUCCESS
    plural = topic.split("/")[1]
    address = f"/{plural}?$filter=name eq '{body['name']}'"
    assert len(in_version_2(city).get(address).value) == 1


def test_changes_of_features_and_their_types_are_told(city: Client) -> None:
    """req/binding/mqtt/pub_sub"""
    feature = in_version_2(city).get("/Features?$top=1").value[0]["id"]

    async def story(talk: Talk) -> list[Any]:
        await talk.subscribe("v2.0/FeatureTypes?$select=name")
        await talk.subscribe(f"v2.0/Features({feature})/definition")
        talk.publish("v2.0/FeatureTypes/create", b'{"name": "River"}', 0)
        heard = [json.loads((await talk.hear(Publish)).payload)]
        request(talk, "update", f"v2.0/Features({feature})", {"definition": "x:lauter"})
        others = [await talk.hear(Publish) for _ in range(2)]
        return heard + [json.loads(p.payload) for p in others if p.payload]

    told = in_conversation(city.visibility, story)
    assert told[0] == {"name": "River"}
    assert told[1]["value"] == "x:lauter"
