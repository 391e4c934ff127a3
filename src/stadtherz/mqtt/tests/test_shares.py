"""Shared subscriptions: each message to one of those who share, and to another if that one goes."""

import asyncio
import json
from itertools import chain
from typing import Any

import pytest

from stadtherz.mqtt.clients.limits import Limits
from stadtherz.mqtt.meeting.hub import Hub
from stadtherz.mqtt.tests.conftest import OWN, READER, STRANGE, Town
from stadtherz.mqtt.tests.talk import Talk, scenario
from stadtherz.mqtt.tests.test_subscribing import LASTING, connected, heard, keep, observations
from stadtherz.mqtt.wire.packets import (
    Ack,
    Connack,
    Disconnect,
    Publish,
    Suback,
    Subscribe,
    Unsubscribe,
    Wish,
)
from stadtherz.mqtt.wire.properties import Kind, Property
from stadtherz.mqtt.wire.reasons import Reason


def topic(town: Town, name: str = "work") -> str:
    return f"$share/{name}/{observations(town.level, '?$select=result')}"


async def worker(hub: Hub, town: Town, name: str, qos: int = 1, **more: Any) -> Talk:
    talk = await connected(hub, READER, client_id=name, **more)
    assert (await talk.subscribe(topic(town), qos)).reasons == (
        (Reason.SUCCESS, Reason.GRANTED_1, Reason.GRANTED_2)[qos],
    )
    return talk


async def all_of(*talks: Talk, most: int, acknowledge: bool = True) -> dict[Talk, list[Any]]:
    """What each has heard when they have heard so much together."""
    found: dict[Talk, list[Any]] = {talk: [] for talk in talks}
    enough = asyncio.Event()

    async def listen(talk: Talk) -> None:
        while True:
            packet = await talk.hear(Publish)
            found[talk].append(packet)
            if sum(map(len, found.values())) >= most:
                enough.set()
            if acknowledge and packet.qos:
                talk.send(Ack(Kind.PUBACK, packet.packet_id))

    listening = [asyncio.create_task(listen(talk)) for talk in talks]
    async with asyncio.timeout(20):
        await enough.wait()
    await asyncio.sleep(0.15)
    for task in listening:
        task.cancel()
    return found


def results(packets: list[Publish]) -> list[float]:
    return [json.loads(packet.payload)["result"] for packet in packets]


def test_the_city_says_that_subscriptions_can_be_shared(town: Town) -> None:
    async def story(hub: Hub) -> Connack:
        return await Talk(hub).connect("a", READER)

    assert scenario(town.people, story).properties[Property.SHARED_AVAILABLE] == 1


@pytest.mark.parametrize("qos", [0, 1])
def test_each_message_comes_to_one_of_those_who_share(town: Town, qos: int) -> None:
    async def story(hub: Hub) -> list[list[float]]:
        await keep(town.level, 99)  # the last value is told to nobody who shares
        workers = [await worker(hub, town, name, qos) for name in "abc"]
        for number in range(12):
            await keep(town.level, number)
        return [results(each) for each in (await all_of(*workers, most=12)).values()]

    found = scenario(town.people, story)
    assert sorted(chain(*found)) == list(range(12))
    assert [len(each) for each in found] == [4, 4, 4]


def test_who_has_much_to_do_gets_less(town: Town) -> None:
    async def story(hub: Hub) -> tuple[int, int]:
        slow, quick = await worker(hub, town, "slow"), await worker(hub, town, "quick")
        for number in range(10):
            await keep(town.level, number)
            await asyncio.sleep(0.05)
            while not quick.received.empty():
                await heard(quick)
        return slow.received.qsize(), 10

    waiting, _ = scenario(town.people, story)
    assert waiting <= 2


def test_what_one_has_not_acknowledged_when_it_goes_comes_to_another(town: Town) -> None:
    async def story(hub: Hub) -> tuple[list[float], list[float]]:
        first, second = await worker(hub, town, "a"), await worker(hub, town, "b")
        await keep(town.level, *range(6))
        held = (await all_of(first, most=3, acknowledge=False))[first]
        first.send(Ack(Kind.PUBACK, held[0].packet_id))
        first.vanish()
        return results(held), results((await all_of(second, most=5))[second])

    held, others = scenario(town.people, story)
    assert sorted(held[:1] + others) == list(range(6))
    assert set(held[1:]) < set(others)


def test_when_all_are_away_messages_wait_for_the_first_who_comes_back(town: Town) -> None:
    more = {"clean": False, "properties": LASTING}

    async def story(hub: Hub) -> list[float]:
        first = await worker(hub, town, "a", **more)
        second = await worker(hub, town, "b", **more)
        await keep(town.level, 0, 1)
        await all_of(first, second, most=2)
        first.send(Disconnect())
        await keep(town.level, 2, 3)
        await all_of(second, most=2)
        second.vanish()
        await keep(town.level, 4, 5)
        again = Talk(hub)
        assert (await again.connect("a", READER, **more)).session_present
        return results((await all_of(again, most=2))[again])

    assert scenario(town.people, story) == [4, 5]


def test_a_share_outlives_the_process(town: Town) -> None:
    more = {"clean": False, "properties": LASTING}

    async def before(hub: Hub) -> None:
        talk = await worker(hub, town, "a", **more)
        await keep(town.level, 1, 2)
        await talk.hear(Publish)  # and never acknowledged

    async def after(hub: Hub) -> list[float]:
        await keep(town.level, 3)
        one, two = Talk(hub), Talk(hub)
        await one.connect("a", READER, **more)
        found = await all_of(one, most=3)
        two = await worker(hub, town, "b", **more)
        await keep(town.level, 4, 5)
        both = await all_of(one, two, most=2)
        return results(found[one]) + sorted(results(both[one] + both[two]))

    scenario(town.people, before)
    assert scenario(town.people, after) == [1, 2, 3, 4, 5]


def test_who_shows_another_token_shares_with_others(town: Town) -> None:
    async def story(hub: Hub) -> list[list[float]]:
        talks = [await connected(hub, password) for password in (READER, OWN, STRANGE)]
        name = f"$share/all/{observations(town.hidden, '?$select=result')}"
        answers = [await talk.subscribe(name) for talk in talks]
        assert answers[2].reasons == (Reason.TOPIC_FILTER_INVALID,)
        await keep(town.hidden, 1)
        return [results(each) for each in (await all_of(*talks[:2], most=2)).values()]

    assert scenario(town.people, story) == [[1], [1]]


def test_nobody_in_particular_shares_nothing(town: Town) -> None:
    async def story(hub: Hub) -> Suback:
        return await (await connected(hub, None)).subscribe(topic(town))

    assert scenario(town.people, story).reasons == (Reason.NOT_AUTHORIZED,)


def test_whose_token_is_revoked_shares_nothing_more(town: Town) -> None:
    async def story(hub: Hub) -> None:
        talk = await worker(hub, town, "a")
        del town.people.known[READER]
        hub.rights_changed()
        assert (await talk.hear(Disconnect)).reason is Reason.NOT_AUTHORIZED
        await keep(town.level, 1)
        await asyncio.sleep(0.1)
        assert not [s for s in hub.sessions.all() if s.conversation is not None]

    scenario(town.people, story)


def test_who_unsubscribes_leaves_the_rest_to_others(town: Town) -> None:
    async def story(hub: Hub) -> list[float]:
        first, second = await worker(hub, town, "a"), await worker(hub, town, "b")
        first.send(Unsubscribe(first.next_id(), (topic(town),)))
        await first.hear(Suback)
        await keep(town.level, *range(4))
        assert await first.hears_nothing(0.1)
        found = results((await all_of(second, most=4))[second])
        second.send(Unsubscribe(second.next_id(), (topic(town),)))
        await second.hear(Suback)
        assert not [s for s in hub.sessions.all() if s.client_id.startswith("$share")]
        return found

    assert scenario(town.people, story) == list(range(4))


def test_a_flood_is_shared_without_loss(town: Town) -> None:
    async def story(hub: Hub) -> list[float]:
        workers = [await worker(hub, town, name) for name in "ab"]
        listening = asyncio.create_task(all_of(*workers, most=500))
        for begin in range(0, 500, 50):
            await keep(town.level, *range(begin, begin + 50))
        found = await listening
        return list(chain(*(results(each) for each in found.values())))

    found = scenario(town.people, story, Limits(outgoing=5, waiting=100))
    assert sorted(set(found)) == list(range(500))


def test_a_share_without_local_messages_is_a_mistake(town: Town) -> None:
    async def story(hub: Hub) -> Disconnect:
        talk = await connected(hub, READER)
        talk.send(Subscribe(1, (Wish(topic(town), 1, no_local=True),)))
        return await talk.hear(Disconnect)  # type: ignore[no-any-return]

    assert scenario(town.people, story).reason is Reason.PROTOCOL_ERROR
