"""req/binding/mqtt/pub_sub: what is deleted is told as it was, with the type delete."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from stadtherz.base.visibility import ANONYMOUS, Visibility
from stadtherz.mqtt.meeting.hub import Hub
from stadtherz.mqtt.tests.talk import People, Talk, aside, scenario
from stadtherz.mqtt.wire.packets import Publish
from stadtherz.mqtt.wire.properties import Property
from stadtherz.sensorthings.tests.client import Client, in_version_2

pytestmark = pytest.mark.django_db(transaction=True)
DELETE = [("type", "delete")]


def listening(
    visibility: Visibility, topics: list[str], story: Callable[[Talk], Awaitable[Any]]
) -> Any:
    """What a client hears that has subscribed to the topics; of an entity that is there, it as it is first."""

    async def whole(hub: Hub) -> Any:
        talk = Talk(hub)
        await talk.connect("screen", None if visibility == ANONYMOUS else "token")
        for topic in topics:
            assert not (await talk.subscribe(topic)).reasons[0].failed
        await asyncio.sleep(0.2)  # the last values
        while not talk.received.empty():
            talk.received.get_nowait()
        return await story(talk)

    return scenario(People({"token": visibility}), whole)


def heard(message: Publish) -> tuple[str, Any, Any]:
    return message.topic, message.properties[Property.USER], json.loads(message.payload)


def first(client: Client, address: str) -> int:
    found: int = in_version_2(client).get(address).value[0]["id"]
    return found


def test_sets_entities_and_what_belongs_to_them(city: Client) -> None:
    """A Thing takes its Datastreams with it, which are told, too."""
    key = first(city, "/Things?$filter=name eq 'Alsenz'")
    topics = ["v2.0/Things?$select=id,name", f"v2.0/Things({key})?$select=name",
              "v2.0/Datastreams?$select=name&$expand=Thing($select=name)"]  # fmt: skip

    async def story(talk: Talk) -> list[Publish]:
        await aside(in_version_2(city).delete, f"/Things({key})")
        return [await talk.hear(Publish) for _ in topics]

    told = {topic: (user, body) for topic, user, body in map(heard, listening(city.visibility, topics, story))}  # fmt: skip
    assert told == {
        topics[0]: (DELETE, {"id": key, "name": "Alsenz"}),
        topics[1]: (DELETE, {"name": "Alsenz"}),
        topics[2]: (DELETE, {"name": "Alsenz level", "Thing": {"name": "Alsenz"}}),
    }


def test_a_reading(city: Client) -> None:
    stream = first(city, "/Datastreams?$filter=name eq 'Alsenz level'")
    key = first(city, f"/Datastreams({stream})/Observations?$filter=result eq 20")
    topics = [f"v2.0/Datastreams({stream})/Observations?$select=result&$filter=result gt 15",
              f"v2.0/Observations({key})?$select=result"]  # fmt: skip

    async def story(talk: Talk) -> list[Publish]:
        await aside(in_version_2(city).delete, f"/Observations({key})")
        return [await talk.hear(Publish) for _ in topics]

    told = sorted(map(heard, listening(city.visibility, topics, story)))
    assert told == sorted((topic, DELETE, {"result": 20}) for topic in topics)


@pytest.mark.parametrize(
    "topic",
    [
        "v1.1/Things",  # version 1.1 knows no message for it
        "v2.0/Things?$filter=name eq 'Lauter'",
        "v2.0/Locations",
        "v2.0/Sensors",
    ],
)
def test_who_is_not_concerned_hears_nothing(city: Client, topic: str) -> None:
    key = first(city, "/Things?$filter=name eq 'Alsenz'")

    async def story(talk: Talk) -> bool:
        await aside(in_version_2(city).delete, f"/Things({key})")
        return await talk.hears_nothing()

    assert listening(city.visibility, [topic], story)


def test_nobody_hears_of_what_they_may_not_see(city: Client) -> None:
    from stadtherz.store.models import Thing

    Thing.objects.filter(name="Alsenz").update(access="organisation")
    key = first(city, "/Things?$filter=name eq 'Alsenz'")
    other = first(city, "/Things?$filter=name eq 'Lauter'")

    async def story(talk: Talk) -> Publish:
        await aside(in_version_2(city).delete, f"/Things({key})")
        await aside(in_version_2(city).delete, f"/Things({other})")
        found: Publish = await talk.hear(Publish)
        return found

    told = heard(listening(ANONYMOUS, ["v2.0/Things?$select=name"], story))
    assert told[1:] == (DELETE, {"name": "Lauter"})


def test_what_is_refused_is_not_told(city: Client) -> None:
    """A batch that is undone after a deletion has deleted nothing."""
    key = first(city, "/Things?$filter=name eq 'Alsenz'")
    group = [
        {"id": "1", "atomicityGroup": "g", "method": "delete", "url": f"Things({key})"},
        {"id": "2", "atomicityGroup": "g", "method": "post", "url": "Things", "body": {}},
    ]

    async def story(talk: Talk) -> bool:
        await aside(in_version_2(city).post, "/$batch", {"requests": group})
        return await talk.hears_nothing()

    assert listening(city.visibility, ["v2.0/Things"], story)
    assert in_version_2(city).get(f"/Things({key})").status == 200


def test_what_is_made_again_is_told_again(city: Client) -> None:
    key = first(city, "/Things?$filter=name eq 'Alsenz'")

    async def story(talk: Talk) -> list[Publish]:
        await aside(in_version_2(city).delete, f"/Things({key})")
        told = [await talk.hear(Publish)]
        await aside(in_version_2(city).put, f"/Things({key})", {"name": "Alsenz"})
        return [*told, await talk.hear(Publish)]

    gone, made = map(heard, listening(city.visibility, [f"v2.0/Things({key})?$select=name"], story))
    assert (gone[1:], made[1:]) == (
        (DELETE, {"name": "Alsenz"}),
        ([("type", "create")], {"name": "Alsenz"}),
    )
