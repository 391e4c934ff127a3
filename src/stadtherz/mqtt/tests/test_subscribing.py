"""What subscribers hear: what changes, what they may see of it, and what they missed."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from stadtherz.base.time import Period, now_us
from stadtherz.base.visibility import SYSTEM
from stadtherz.mqtt.clients.limits import Limits
from stadtherz.mqtt.meeting.hub import Hub
from stadtherz.mqtt.tests.conftest import OWN, READER, STRANGE, Town
from stadtherz.mqtt.tests.talk import PATIENCE, Talk, aside, scenario
from stadtherz.mqtt.wire.packets import (
    V3,
    V5,
    Ack,
    Disconnect,
    Publish,
    Suback,
    Unsubscribe,
)
from stadtherz.mqtt.wire.properties import Kind, Property
from stadtherz.mqtt.wire.reasons import Reason
from stadtherz.store.public import Reading, append, update

VERSIONS = pytest.mark.parametrize("version", [V3, V5])
LASTING = {Property.SESSION_EXPIRY: 60}


async def connected(hub: Hub, password: str | None, version: int = V5, **more: Any) -> Talk:
    talk = Talk(hub, version)
    answer = await talk.connect(more.pop("client_id", f"c{id(talk)}"), password, **more)
    assert answer.reason is Reason.SUCCESS
    return talk


async def keep(stream: int, *results: float) -> None:
    """Readings by another door."""
    readings = [Reading(stream, Period(now_us()), value) for value in results]
    await aside(append, readings)


async def change(entity: Any, key: int, **values: Any) -> None:
    await aside(update, entity, key, values, SYSTEM)


async def heard(talk: Talk) -> Any:
    packet = await talk.hear(Publish)
    if packet.qos:
        talk.send(Ack(Kind.PUBACK if packet.qos == 1 else Kind.PUBREC, packet.packet_id))
    return json.loads(packet.payload)


def observations(stream: int, query: str = "") -> str:
    return f"v1.1/Datastreams({stream})/Observations{query}"


@VERSIONS
def test_new_observations_reach_those_who_asked_for_them(town: Town, version: int) -> None:
    async def story(hub: Hub) -> list[Any]:
        talk = await connected(hub, None, version)
        assert (await talk.subscribe(observations(town.level))).reasons == (Reason.GRANTED_1,)
        await keep(town.theirs, 99)
        await keep(town.level, 1.5, 2.5)
        return [await heard(talk), await heard(talk)]

    first, second = scenario(town.people, story)
    assert [first["result"], second["result"]] == [1.5, 2.5]
    assert first["@iot.selfLink"].startswith("http://city.example/sta/v1.1/Observations(")


def test_all_observations_are_those_that_one_may_see(town: Town) -> None:
    async def story(hub: Hub) -> tuple[list[Any], list[Any]]:
        stranger, reader = await connected(hub, STRANGE), await connected(hub, READER)
        for talk in (stranger, reader):
            await talk.subscribe("v1.1/Observations?$select=result")
        await keep(town.hidden, 1)
        await keep(town.level, 2)
        found = [await heard(stranger)], [await heard(reader), await heard(reader)]
        assert await stranger.hears_nothing()
        return found

    theirs, own = scenario(town.people, story)
    assert theirs == [{"result": 2}]
    assert own == [{"result": 1}, {"result": 2}]


def test_a_topic_takes_select_filter_and_expand(town: Town) -> None:
    query = "?$filter=result gt 10&$select=result&$expand=Datastream($select=name)"

    async def story(hub: Hub) -> Any:
        talk = await connected(hub, None)
        answer = await talk.subscribe(observations(town.level, query))
        assert answer.reasons == (Reason.GRANTED_1,)
        await keep(town.level, 5, 15)
        return await heard(talk)

    assert scenario(town.people, story) == {"result": 15, "Datastream": {"name": "Lauter: level"}}


def test_entities_sets_and_properties_are_heard_of_when_they_change(town: Town) -> None:
    async def story(hub: Hub) -> None:
        entity, whole, prop, value = [await connected(hub, None) for _ in range(4)]
        await entity.subscribe(f"v1.1/Datastreams({town.level})?$select=description")
        await whole.subscribe("v1.1/Datastreams?$select=description")
        await prop.subscribe(f"v1.1/Datastreams({town.level})/description")
        await value.subscribe(f"v1.1/Datastreams({town.level})/description/$value")
        await asyncio.sleep(0.2)
        await change("Datastream", town.level, description="Deep")
        for talk in (entity, whole, prop):
            assert await heard(talk) == {"description": "Deep"}
        assert (await value.hear(Publish)).payload == b"Deep"
        await change("Datastream", town.level, name="Renamed")
        assert await prop.hears_nothing()

    scenario(town.people, story)


def test_a_datastream_is_heard_of_when_its_period_grows(town: Town) -> None:
    async def story(hub: Hub) -> Any:
        talk = await connected(hub, None)
        await talk.subscribe(f"v1.1/Datastreams({town.level})/phenomenonTime")
        await keep(town.level, 1)
        return await heard(talk)

    assert list(scenario(town.people, story)) == ["phenomenonTime"]


def test_version_2_says_what_is_new(town: Town) -> None:
    async def story(hub: Hub) -> tuple[Any, Any]:
        talk = await connected(hub, None)
        await talk.subscribe(f"v2.0/Datastreams({town.level})/Observations")
        await talk.subscribe("v2.0/Things")
        await keep(town.level, 1)
        first = await talk.hear(Publish)
        await change("Thing", await thing_of(town), name="New name")
        return first, await talk.hear(Publish)

    async def thing_of(town: Town) -> int:
        from stadtherz.store.models import Datastream

        found = await aside(lambda: Datastream.objects.get(pk=town.level))
        return int(found.thing_id)

    created, changed = scenario(town.people, story)
    assert created.properties[Property.USER] == [("type", "create")]
    assert json.loads(created.payload)["result"] == 1
    assert changed.properties[Property.USER] == [("type", "update")]


@VERSIONS
def test_the_last_value_comes_at_once_unless_it_is_not_wanted(town: Town, version: int) -> None:
    async def story(hub: Hub) -> Publish:
        await keep(town.level, 1, 2)
        talk = await connected(hub, None, version)
        await talk.subscribe(observations(town.level, "?$select=result"), handling=0)
        if version == V5:
            other = await connected(hub, None)
            await other.subscribe(observations(town.level), handling=2)
            assert await other.hears_nothing()
        return await talk.hear(Publish)  # type: ignore[no-any-return]

    found = scenario(town.people, story)
    assert found.retain
    assert json.loads(found.payload) == {"result": 2}


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("v1.1/#", Reason.WILDCARDS_NOT_SUPPORTED),
        ("v1.1/Datastreams/+/Observations", Reason.WILDCARDS_NOT_SUPPORTED),
        ("$share/group/v1.1/Nothing", Reason.TOPIC_FILTER_INVALID),
        ("$share/group", Reason.TOPIC_FILTER_INVALID),
        ("$share//v1.1/Observations", Reason.TOPIC_FILTER_INVALID),
        ("$share/a+/v1.1/Observations", Reason.TOPIC_FILTER_INVALID),
        ("$share/a/$share/b/v1.1/Observations", Reason.TOPIC_FILTER_INVALID),
        ("$share/group/v1.1/#", Reason.WILDCARDS_NOT_SUPPORTED),
        ("elsewhere", Reason.TOPIC_FILTER_INVALID),
        ("v1.1", Reason.TOPIC_FILTER_INVALID),
        ("v1.1/Nothing", Reason.TOPIC_FILTER_INVALID),
        ("v1.1/Things(987654)", Reason.TOPIC_FILTER_INVALID),
        ("v1.1/Datastreams(HIDDEN)/Observations", Reason.TOPIC_FILTER_INVALID),
        ("v1.1/Observations?$top=1", Reason.TOPIC_FILTER_INVALID),
        ("v1.1/Observations?$filter=result gt", Reason.TOPIC_FILTER_INVALID),
        ("v1.1/Observations/$count", Reason.TOPIC_FILTER_INVALID),
        ("v1.1/" + "x" * 3_000, Reason.TOPIC_FILTER_INVALID),
    ],
)
@VERSIONS
def test_nobody_waits_in_vain_for_what_cannot_be_heard(
    town: Town, topic: str, reason: Reason, version: int
) -> None:
    async def story(hub: Hub) -> Suback:
        talk = await connected(hub, STRANGE, version)
        return await talk.subscribe(topic.replace("HIDDEN", str(town.hidden)))

    answer = scenario(town.people, story)
    if version == V5:
        assert answer.reasons == (reason,)
        assert answer.properties[Property.REASON_STRING]
    else:
        assert answer.reasons == (Reason.UNSPECIFIED,)


def test_after_unsubscribing_nothing_comes(town: Town) -> None:
    async def story(hub: Hub) -> Suback:
        talk = await connected(hub, None)
        topic = observations(town.level)
        await talk.subscribe(topic)
        talk.send(Unsubscribe(talk.next_id(), (topic, "never/asked")))
        answer: Suback = await talk.hear(Suback)
        await keep(town.level, 1)
        assert await talk.hears_nothing()
        return answer

    assert scenario(town.people, story).reasons == (Reason.SUCCESS, Reason.NO_SUBSCRIPTION)


def test_a_subscription_says_its_identifier(town: Town) -> None:
    async def story(hub: Hub) -> Publish:
        talk = await connected(hub, None)
        await talk.subscribe(observations(town.level), properties={Property.SUBSCRIPTION_ID: 17})
        await keep(town.level, 1)
        return await talk.hear(Publish)  # type: ignore[no-any-return]

    assert scenario(town.people, story).properties[Property.SUBSCRIPTION_ID] == [17]


def test_no_client_has_more_subscriptions_than_allowed(town: Town) -> None:
    async def story(hub: Hub) -> list[Reason]:
        talk = await connected(hub, None)
        topics = [observations(town.level), observations(town.theirs)]
        return [(await talk.subscribe(topic)).reasons[0] for topic in topics]

    expected = [Reason.GRANTED_1, Reason.QUOTA_EXCEEDED]
    assert scenario(town.people, story, Limits(subscriptions=1)) == expected


def test_filters_are_limited_for_all_together(town: Town) -> None:
    async def story(hub: Hub) -> list[Reason]:
        found = []
        for query in ("?$filter=result gt 1", "?$filter=result gt 1", "?$filter=result gt 2", ""):
            talk = await connected(hub, None)
            answer = await talk.subscribe(observations(town.level, query))
            found += answer.reasons
        return found

    granted = Reason.GRANTED_1
    expected = [granted, granted, Reason.QUOTA_EXCEEDED, granted]
    assert scenario(town.people, story, Limits(filters=1)) == expected


def test_long_topics_become_aliases_for_who_knows_them(town: Town) -> None:
    async def story(hub: Hub) -> list[Publish]:
        talk = await connected(hub, None, properties={Property.TOPIC_ALIAS_MAXIMUM: 1})
        await talk.subscribe(observations(town.level), qos=0)
        await keep(town.level, 1, 2)
        return [await talk.hear(Publish) for _ in range(2)]

    first, second = scenario(town.people, story)
    assert (first.topic, second.topic) == (observations(town.level), "")
    assert first.properties[Property.TOPIC_ALIAS] == second.properties[Property.TOPIC_ALIAS] == 1


# --- rights --------------------------------------------------------------------------------------


def test_whose_token_is_revoked_is_cut_off(town: Town) -> None:
    async def story(hub: Hub) -> None:
        talk = await connected(hub, READER)
        await talk.subscribe(observations(town.hidden))
        del town.people.known[READER]
        hub.rights_changed()
        assert (await talk.hear(Disconnect)).reason is Reason.NOT_AUTHORIZED

    scenario(town.people, story)


def test_who_may_see_less_from_now_on_hears_less(town: Town) -> None:
    async def story(hub: Hub) -> list[Any]:
        talk = await connected(hub, READER)
        for topic in (observations(town.hidden), observations(town.level, "?$select=result")):
            await talk.subscribe(topic)
        less = replace(town.people.known[READER], organisations=frozenset())
        town.people.known[READER] = less
        hub.rights_changed()
        await asyncio.sleep(0.5)
        await keep(town.hidden, 1)
        await keep(town.level, 2)
        return [await heard(talk)]

    assert scenario(town.people, story) == [{"result": 2}]


def test_what_is_hidden_from_now_on_is_not_heard_any_more(town: Town) -> None:
    async def story(hub: Hub) -> None:
        talk = await connected(hub, None)
        await talk.subscribe(observations(town.level))
        await talk.subscribe("v1.1/Observations")
        await change("Datastream", town.level, access="organisation")
        await keep(town.level, 1)
        assert await talk.hears_nothing(0.5)

    scenario(town.people, story)


# --- those who were away -------------------------------------------------------------------------


@pytest.mark.parametrize("qos", [1, 2])
def test_who_comes_back_hears_what_he_missed(town: Town, qos: int) -> None:
    async def story(hub: Hub) -> list[Any]:
        talk = await connected(hub, READER, client_id="map", properties=LASTING)
        await talk.subscribe(observations(town.level, "?$select=result"), qos)
        await talk.subscribe(f"v1.1/Datastreams({town.level})?$select=name")
        talk.vanish()
        await keep(town.level, *range(5))
        await change("Datastream", town.level, name="Renamed")
        again = Talk(hub)
        more = {"clean": False, "properties": LASTING}
        assert (await again.connect("map", READER, **more)).session_present
        found = [(await again.hear(Publish)).payload for _ in range(6)]
        await keep(town.level, 5)
        return [*found, (await again.hear(Publish)).payload]

    found = [json.loads(payload) for payload in scenario(town.people, story)]
    assert {"name": "Renamed"} in found
    assert [each["result"] for each in found if "result" in each] == list(range(6))


def test_a_restart_loses_neither_session_nor_news(town: Town) -> None:
    async def before(hub: Hub) -> None:
        talk = await connected(hub, READER, client_id="map", properties=LASTING)
        await talk.subscribe(observations(town.level, "?$select=result"))
        await keep(town.level, 1)
        await talk.hear(Publish)  # and never acknowledged

    async def after(hub: Hub) -> list[Any]:
        await keep(town.level, 2)
        talk = Talk(hub)
        more = {"clean": False, "properties": LASTING}
        assert (await talk.connect("map", READER, **more)).session_present
        return [await heard(talk), await heard(talk)]

    scenario(town.people, before)
    assert scenario(town.people, after) == [{"result": 1}, {"result": 2}]


def test_more_than_fits_at_once_comes_as_fast_as_it_is_taken(town: Town) -> None:
    async def story(hub: Hub) -> list[Any]:
        talk = await connected(hub, READER, client_id="map", properties=LASTING)
        await talk.subscribe(observations(town.level, "?$select=result"))
        talk.vanish()
        await keep(town.level, *range(700))
        again = Talk(hub)
        await again.connect("map", READER, clean=False, properties=LASTING)
        return [(await heard(again))["result"] for _ in range(700)]

    assert scenario(town.people, story, Limits(outgoing=20)) == list(range(700))


def test_who_does_not_take_what_comes_is_dropped(town: Town) -> None:
    async def story(hub: Hub) -> Disconnect:
        talk = await connected(hub, READER)
        await talk.subscribe(observations(town.level))
        await keep(town.level, *range(50))
        async with asyncio.timeout(PATIENCE):
            while isinstance(packet := await talk.received.get(), Publish):
                pass
        assert isinstance(packet, Disconnect)
        return packet

    told = scenario(town.people, story, Limits(outgoing=5, waiting=20))
    assert told.reason is Reason.QUOTA_EXCEEDED


def test_a_client_hears_what_it_published_itself(town: Town) -> None:
    async def story(hub: Hub) -> Any:
        talk = await connected(hub, OWN)
        topic = observations(town.level, "")
        await talk.subscribe(topic)
        talk.publish(topic, b'{"result": 7}')
        async with asyncio.timeout(PATIENCE):
            packets = [await talk.received.get() for _ in range(2)]
        return next(p for p in packets if isinstance(p, Publish))

    assert json.loads(scenario(town.people, story).payload)["result"] == 7
