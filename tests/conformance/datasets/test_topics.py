"""A data set has topics of its own, `datasets/<slug>/v1.1/...`, and events below its URL."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from stadtherz.base.errors import NotFound
from stadtherz.mqtt.meeting.hub import Hub
from stadtherz.mqtt.tests.talk import People, Talk, aside, scenario
from stadtherz.mqtt.wire.packets import Ack, Publish
from stadtherz.mqtt.wire.properties import Kind
from stadtherz.mqtt.wire.reasons import Reason
from stadtherz.sensorthings.answers.addresses import asked, within
from stadtherz.sensorthings.live.watch import watch
from stadtherz.sensorthings.tests.bodies import observation, thing
from stadtherz.sensorthings.tests.client import HOST, Client
from stadtherz.sensorthings.tests.towns import SLUG, Towns

pytestmark = pytest.mark.django_db(transaction=True)
BELOW = f"datasets/{SLUG}/v1.1"


def told(
    towns: Towns, client: Client, topic: str, change: Callable[[], Any], least: int = 0
) -> tuple[Reason, list[Any]]:
    """Whether a subscription is granted, and what the subscriber gets of the change.

    Somebody who hears of everything says when all has been told.
    """

    async def story(hub: Hub) -> tuple[Reason, list[Any]]:
        talk, witness = Talk(hub), Talk(hub)
        await talk.connect("map", "token")
        await witness.connect("witness", "boss")
        (granted,) = (await talk.subscribe(topic)).reasons
        await witness.subscribe("v1.1/Observations", 0)
        await aside(change)
        await aside(lambda: _measure_last(towns))
        while json.loads((await witness.hear(Publish)).payload)["result"] != LAST:
            pass
        found: list[Any] = []
        while len(found) < least or not await talk.hears_nothing():
            packet = await talk.hear(Publish)
            talk.send(Ack(Kind.PUBACK, packet.packet_id))
            found.append(json.loads(packet.payload))
        return granted, [each for each in found if each.get("result") != LAST]

    people = People({"token": client.visibility, "boss": towns.boss})
    answer: tuple[Reason, list[Any]] = scenario(people, story)
    return answer


LAST = 4711


def _measure_last(towns: Towns) -> None:
    path = f"/Datastreams({towns.keys['Lauter flow']})/Observations"
    assert towns.owner.post(path, observation(LAST)).status == 201


def published(client: Client, topic: str, body: Any) -> Reason:
    async def story(hub: Hub) -> Reason:
        talk = Talk(hub)
        await talk.connect("sensor", "token")
        talk.publish(topic, json.dumps(body).encode())
        answer = await talk.hear(Ack)
        return Reason(answer.reason)

    reason: Reason = scenario(People({"token": client.visibility}), story)
    return reason


def measure(towns: Towns, *streams: str) -> Callable[[], None]:
    def change() -> None:
        for name in streams:
            path = f"/Datastreams({towns.keys[name]})/Observations"
            assert towns.owner.post(path, observation(42)).status == 201

    return change


def test_a_topic_tells_of_its_members_only(rivers: Towns) -> None:
    change = measure(rivers, "Mill secret", "Elsewhere level", "Mill level")
    granted, heard = told(rivers, rivers.owner, f"{BELOW}/Observations", change)
    assert granted is Reason.GRANTED_1
    (only,) = heard
    assert f"/datasets/{SLUG}/sta/v1.1/Observations(" in only["@iot.selfLink"]


def test_new_members_are_told_of(rivers: Towns) -> None:
    below = rivers.below(rivers.owner)

    def change() -> None:
        assert rivers.owner.post("/Things", thing("Outside")).status == 201
        assert below.post("/Things", thing("Inside")).status == 201

    _, heard = told(rivers, rivers.owner, f"{BELOW}/Things", change, least=1)
    assert [entity["name"] for entity in heard] == ["Inside"]


@pytest.mark.parametrize("stream", ["Mill secret", "Elsewhere level"])
def test_nobody_subscribes_to_what_is_outside(rivers: Towns, stream: str) -> None:
    topic = f"{BELOW}/Datastreams({rivers.keys[stream]})/Observations"
    granted, heard = told(rivers, rivers.owner, topic, measure(rivers, stream))
    assert (granted >= Reason.UNSPECIFIED, heard) == (True, [])


@pytest.mark.parametrize("topic", ["datasets/nothing/v1.1/Things", "datasets/rivers/v3/Things",
                                   "datasets", "datasets/rivers", "datasets//v1.1/Things"])  # fmt: skip
def test_topics_of_no_data_set_are_refused(rivers: Towns, topic: str) -> None:
    granted, _ = told(rivers, rivers.owner, topic, lambda: None)
    assert granted >= Reason.UNSPECIFIED


def test_strangers_hear_nothing_of_hidden_members(rivers: Towns) -> None:
    granted, heard = told(
        rivers, rivers.stranger, f"{BELOW}/Observations", measure(rivers, "Mill level")
    )
    assert (granted, heard) == (Reason.GRANTED_1, [])
    rivers.close()
    granted, _ = told(rivers, rivers.stranger, f"{BELOW}/Observations", lambda: None)
    assert granted >= Reason.UNSPECIFIED


def test_those_it_is_shared_with_hear_of_members_on_every_topic(rivers: Towns) -> None:
    rivers.share(readers=["speyer"])
    change = measure(rivers, "Mill secret", "Mill level")
    for topic in (f"{BELOW}/Observations", "v1.1/Observations"):
        _, heard = told(rivers, rivers.neighbour, topic, change)
        assert len(heard) == 1, topic


def test_a_closed_data_set_falls_silent(rivers: Towns) -> None:
    """Whoever has subscribed hears no more from the moment it is not shared any more."""
    rivers.share(readers=["speyer"], access="organisation")

    def change() -> None:
        rivers.share(things=[], datastreams=[])
        measure(rivers, "Mill level", "Lauter level")()

    granted, heard = told(rivers, rivers.neighbour, f"{BELOW}/Observations", change)
    assert (granted, heard) == (Reason.GRANTED_1, [])


def test_readings_are_published_into_members(rivers: Towns) -> None:
    rivers.share(contributors=["speyer"])
    topic = f"{BELOW}/Datastreams({rivers.keys['Mill level']})/Observations"
    for client in (rivers.owner, rivers.neighbour):
        assert published(client, topic, observation(7)) is Reason.SUCCESS
    path = f"/Datastreams({rivers.keys['Mill level']})/Observations/$count?$filter=result eq 7"
    assert rivers.owner.get(path).body == b"2"
    root = topic.removeprefix(f"datasets/{SLUG}/")
    assert published(rivers.neighbour, root, observation(7)) is Reason.SUCCESS


def test_nothing_is_published_outside(rivers: Towns) -> None:
    topic = f"{BELOW}/Datastreams({rivers.keys['Mill secret']})/Observations"
    assert published(rivers.owner, topic, observation(7)) >= Reason.UNSPECIFIED
    inline = observation(7, Datastream={"@iot.id": rivers.keys["Mill secret"]})
    assert published(rivers.owner, f"{BELOW}/Observations", inline) >= Reason.UNSPECIFIED
    assert rivers.owner.get("/Observations?$filter=result eq 7").value == []


# --- events --------------------------------------------------------------------------------------


def listening(towns: Towns, client: Client, path: str) -> Callable[[], str]:
    """Begins to listen below the data set; what is told from then on, each time it is asked."""
    found = asked(f"/datasets/{SLUG}/sta/v1.1{path}", HOST)
    assert found is not None
    urls, below = found
    watched = watch(below, "", urls, lambda: within(client.visibility, urls))
    watched.begin("")
    return lambda: b"".join(watched.look().blocks).decode()


def test_events_tell_of_members_only(rivers: Towns) -> None:
    readings = listening(rivers, rivers.owner, "/Observations")
    things = listening(rivers, rivers.owner, "/Things")
    measure(rivers, "Mill secret", "Elsewhere level")()
    assert rivers.owner.post("/Things", thing("Outside")).status == 201
    assert "data" not in readings() + things()
    measure(rivers, "Mill level")()
    assert f"/datasets/{SLUG}/sta/v1.1/Observations(" in readings()


def test_events_end_with_the_right_to_read(rivers: Towns) -> None:
    rivers.share(readers=["speyer"], access="organisation")
    look = listening(rivers, rivers.neighbour, "/Observations")
    rivers.share(access="public", readers=[])
    outsider = listening(rivers, rivers.stranger, "/Observations")
    measure(rivers, "Mill level")()
    assert "data" not in outsider()
    manage_away(rivers)
    with pytest.raises(NotFound):
        look()


def manage_away(towns: Towns) -> None:
    """The data set is gone."""
    reply = towns.owner.ask("DELETE", f"/datasets/{SLUG}")
    assert reply.status == 204
