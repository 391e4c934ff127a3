"""Whoever is away and comes back hears what was told since it subscribed: nothing from before, nothing
twice, and all of it, whatever else happens at that moment.
"""

import asyncio
import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections, transaction

from stadtherz.base.time import now_us
from stadtherz.mqtt.meeting.hub import Hub
from stadtherz.mqtt.models import Announcement
from stadtherz.mqtt.news import announcements
from stadtherz.mqtt.tests.conftest import READER, Town
from stadtherz.mqtt.tests.talk import Talk, aside, scenario
from stadtherz.mqtt.tests.test_subscribing import LASTING, connected, heard, keep, observations
from stadtherz.mqtt.wire.packets import (
    Ack,
    Disconnect,
    Publish,
    Subscribe,
    Unsubscribe,
    Wish,
)
from stadtherz.mqtt.wire.properties import Kind
from stadtherz.store.models import Organisation, Thing
from stadtherz.store.public import on_sqlite

LAMP = "v1.1/Things?$select=name"


def tell(name: str) -> None:
    Thing.objects.create(
        owner_id=Organisation.objects.order_by("pk")[0].pk, name=name, access="public"
    )


async def come_back(hub: Hub, *topics: str) -> Talk:
    """As mosquitto_sub does it, which subscribes again at once."""
    talk = Talk(hub)
    answer = await talk.connect("lamp", READER, clean=False, properties=LASTING)
    assert answer.session_present
    for topic in topics:
        talk.send(Subscribe(talk.next_id(), (Wish(topic, 1, handling=2),)))
    return talk


async def go(talk: Talk) -> None:
    talk.send(Disconnect())
    await talk.is_closed()


async def told(talk: Talk) -> Any:
    """The next message, whatever else comes."""
    while not isinstance(packet := await asyncio.wait_for(talk.received.get(), 20), Publish):
        pass
    talk.send(Ack(Kind.PUBACK, packet.packet_id))
    return json.loads(packet.payload)


async def answered(talk: Talk, kind: Kind) -> None:
    """Its answer has come, whatever came before."""
    while getattr(await asyncio.wait_for(talk.received.get(), 20), "kind", None) is not kind:
        pass


@contextmanager
def busy() -> Iterator[None]:
    """Somebody else wants to calculate, too."""
    ending = threading.Event()

    def spin() -> None:
        while not ending.is_set():
            sum(range(20_000))

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def test_what_was_told_before_it_subscribed_is_not_told_when_it_comes_back(town: Town) -> None:
    async def story(hub: Hub) -> list[Any]:
        talk = await connected(hub, READER, client_id="lamp", clean=False, properties=LASTING)
        await talk.subscribe(observations(town.level, "?$select=result"))
        await go(talk)
        found = []
        for turn in range(5):
            talk = await come_back(hub)
            await aside(tell, f"before {turn}")
            await talk.subscribe(LAMP)
            await go(talk)
            await aside(tell, f"while away {turn}")
            talk = await come_back(hub, LAMP)
            found.append(await told(talk))
            await forget(talk)
        return found

    async def forget(talk: Talk) -> None:
        talk.send(Unsubscribe(talk.next_id(), (LAMP,)))
        await answered(talk, Kind.UNSUBACK)
        await go(talk)

    with busy():
        found = scenario(town.people, story)
    assert found == [{"name": f"while away {turn}"} for turn in range(5)]


@pytest.mark.parametrize("again", [True, False], ids=["subscribes again", "relies on its session"])
def test_a_client_that_comes_and_goes_hears_everything_once_and_in_order(
    town: Town, again: bool
) -> None:
    chance = random.Random(7)
    topics = (LAMP, observations(town.level, "?$select=result"))

    async def others() -> None:
        for number in range(40):
            await aside(tell, f"{number}")
            await keep(town.level, number)
            await asyncio.sleep(chance.choice([0, 0.005, 0.03]))

    async def story(hub: Hub) -> list[Any]:
        talk = await connected(hub, READER, client_id="lamp", clean=False, properties=LASTING)
        for topic in topics:
            await talk.subscribe(topic)
        await go(talk)
        telling = asyncio.create_task(others())
        found: list[Any] = []
        while not done(found):
            talk = await come_back(hub, *(topics if again else ()))
            try:
                async with asyncio.timeout(chance.choice([0.02, 0.1, 0.3])):
                    while not done(found):
                        found.append(await told(talk))
            except TimeoutError:
                pass
            await go(talk)
        await telling
        return found

    def done(found: list[Any]) -> bool:
        return {"name": "39"} in found and {"result": 39} in found

    found = scenario(town.people, story)
    assert [each["result"] for each in found if "result" in each] == list(range(40))
    names = [int(each["name"]) for each in found if "name" in each]
    assert names == list(range(40))


def test_who_subscribes_is_not_told_what_was_read_together_with_something_older(town: Town) -> None:
    async def story(hub: Hub) -> list[Any]:
        listening = await connected(hub, READER)
        await listening.subscribe(LAMP)
        found = []
        for turn in range(5):
            await aside(tell, f"before {turn}")
            talk = await connected(hub, READER)
            await talk.subscribe(LAMP)
            await aside(tell, f"after {turn}")
            found.append(await heard(talk))
            await go(talk)
        return found

    assert scenario(town.people, story) == [{"name": f"after {turn}"} for turn in range(5)]


def test_subscribing_again_loses_nothing(town: Town) -> None:
    topic = observations(town.level, "?$select=result")

    async def story(hub: Hub) -> list[Any]:
        talk = await connected(hub, READER)
        await talk.subscribe(topic)
        for number in range(20):
            await keep(town.level, number)
            talk.send(Subscribe(talk.next_id(), (Wish(topic, 1, handling=2),)))
        return [(await told(talk))["result"] for _ in range(20)]

    assert scenario(town.people, story) == list(range(20))


def test_a_second_subscription_does_not_hear_what_the_first_one_missed(town: Town) -> None:
    async def story(hub: Hub) -> list[Any]:
        talk = await connected(hub, READER, client_id="lamp", clean=False, properties=LASTING)
        await talk.subscribe(observations(town.level, "?$select=result"))
        await go(talk)
        await keep(town.level, 1)
        await aside(tell, "old")
        talk = await come_back(hub, LAMP)
        await asyncio.sleep(0.1)
        await aside(tell, "new")
        return [await told(talk), await told(talk)]

    assert scenario(town.people, story) == [{"result": 1}, {"name": "new"}]


def test_what_is_committed_late_is_heard_of_by_those_who_have_read_on(town: Town) -> None:
    """Its number was given out before."""
    if on_sqlite():
        pytest.skip("SQLite writes one after the other")
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            Announcement.objects.create(entity="Thing", key=1, created=True, at=now_us())
            begun.set()
            go_on.wait(10)
        connections.close_all()

    thread = threading.Thread(target=slow)
    thread.start()
    begun.wait(10)
    Announcement.objects.create(entity="Thing", key=2, created=True, at=now_us())
    place = announcements.end()
    go_on.set()
    thread.join()
    changes, reached = announcements.since(place)
    assert [change.key for change in changes] == [1]
    assert announcements.end() == reached > place


def test_the_last_announcement_is_kept_to_count_on_from(town: Town) -> None:
    end = announcements.end()
    Announcement.objects.update(at=0)
    announcements.forget_old()
    assert announcements.end() == end
    tell("new")
    changes, _ = announcements.since(end)
    assert [change.entity for change in changes] == ["Thing"]
