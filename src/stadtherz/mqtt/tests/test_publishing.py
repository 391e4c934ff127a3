"""What clients publish: kept once, acknowledged when it is on disk, refused with a reason."""

import asyncio
import json
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from stadtherz.ingest.public import RefusedUplink
from stadtherz.mqtt.arrivals import intake
from stadtherz.mqtt.clients.limits import Limits
from stadtherz.mqtt.meeting.hub import Hub
from stadtherz.mqtt.tests.conftest import GAUGE, NETWORK, OWN, READER, STRANGE, Town
from stadtherz.mqtt.tests.talk import Talk, scenario
from stadtherz.mqtt.wire.packets import V3, V5, Ack, Disconnect, Ping, Publish, Will
from stadtherz.mqtt.wire.properties import Kind, Property
from stadtherz.mqtt.wire.reasons import Reason
from stadtherz.store.public import Kept, Offer, submit_offers

VERSIONS = pytest.mark.parametrize("version", [V3, V5])


def result(value: object, **more: object) -> bytes:
    return json.dumps({"result": value, **more}).encode()


async def connected(hub: Hub, password: str | None, version: int = V5, **more: Any) -> Talk:
    talk = Talk(hub, version)
    answer = await talk.connect(more.pop("client_id", "sensor"), password, **more)
    assert answer.reason is Reason.SUCCESS
    return talk


@VERSIONS
def test_an_observation_is_acknowledged_and_there(town: Town, version: int) -> None:
    async def story(hub: Hub) -> None:
        talk = await connected(hub, OWN, version)
        first = talk.publish(f"v1.1/Datastreams({town.level})/Observations", result(1.5))
        assert await talk.hear(Ack) == Ack(Kind.PUBACK, first)
        body = result(2.5, Datastream={"@iot.id": town.level})
        second = talk.publish("v1.1/Observations", body, qos=2)
        assert await talk.hear(Ack) == Ack(Kind.PUBREC, second)
        talk.send(Ack(Kind.PUBREL, second))
        assert await talk.hear(Ack) == Ack(Kind.PUBCOMP, second)
        talk.publish(f"v2.0/Datastreams({town.level})/Observations/create", result(3.5))
        assert (await talk.hear(Ack)).reason is Reason.SUCCESS

    scenario(town.people, story)
    assert town.results(town.level) == [1.5, 2.5, 3.5]


def test_quality_0_is_kept_without_a_word(town: Town) -> None:
    async def story(hub: Hub) -> None:
        talk = await connected(hub, OWN)
        talk.publish(f"v1.1/Datastreams({town.level})/Observations", result(1), qos=0)
        talk.publish(f"v1.1/Datastreams({town.level})/Observations", result(2))
        await talk.hear(Ack)

    scenario(town.people, story)
    assert town.results(town.level) == [1, 2]


def test_acknowledgements_come_in_the_order_of_the_messages(town: Town) -> None:
    async def story(hub: Hub) -> list[int]:
        talk = await connected(hub, OWN)
        plain = f"v1.1/Datastreams({town.level})/Observations"
        thing = json.dumps({"name": "New", "description": "A thing"}).encode()
        sent = [
            talk.publish(topic, body)
            for topic, body in ((plain, result(1)), ("v1.1/Things", thing), (plain, result(2)))
        ]
        assert [(await talk.hear(Ack)).packet_id for _ in sent] == sent
        return sent

    scenario(town.people, story)
    assert town.results(town.level) == [1, 2]


def test_nobody_overtakes_what_has_to_be_offered_twice(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first reading of a Datastream gets its feature of interest; here the loop hears of it late."""
    told: list[Future[list[Kept | None]]] = []

    def late(offers: Sequence[Offer]) -> Future[list[Kept | None]]:
        found, heard = submit_offers(offers), Future[list[Kept | None]]()
        told.append(heard)
        threading.Timer(
            0.5 if len(told) == 1 else 0, lambda: heard.set_result(found.result())
        ).start()
        return heard

    monkeypatch.setattr(intake, "submit_offers", late)

    async def story(hub: Hub) -> None:
        talk = await connected(hub, OWN)
        plain = f"v1.1/Datastreams({town.level})/Observations"
        for number in (1, 2):
            talk.publish(plain, result(number))
            await asyncio.sleep(0.05)
        for _ in range(2):
            await talk.hear(Ack)

    scenario(town.people, story)
    assert town.results(town.level) == [1, 2]


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        ("v1.1/Datastreams(987654)/Observations", {"result": 1}, Reason.TOPIC_NAME_INVALID),
        ("v1.1/Nothing", {"result": 1}, Reason.TOPIC_NAME_INVALID),
        ("somewhere/else", {"result": 1}, Reason.TOPIC_NAME_INVALID),
        ("ingest/nobody", {"result": 1}, Reason.TOPIC_NAME_INVALID),
        ("v1.1/Datastreams(LEVEL)/Observations", {"results": 1}, Reason.PAYLOAD_FORMAT_INVALID),
        ("v1.1/Datastreams(LEVEL)/Observations", None, Reason.PAYLOAD_FORMAT_INVALID),
        ("v1.1/Datastreams(LEVEL)/Observations?$top=1", {}, Reason.PAYLOAD_FORMAT_INVALID),
        ("v2.0/Datastreams(LEVEL)/Observations", {"result": 1}, Reason.PAYLOAD_FORMAT_INVALID),
        ("ingest/tts", {}, Reason.NOT_AUTHORIZED),
    ],
)
def test_what_is_wrong_is_refused_with_reason_and_sentence(
    town: Town, topic: str, body: object, reason: Reason
) -> None:
    async def story(hub: Hub) -> Ack:
        talk = await connected(hub, OWN)
        raw = b"{no json" if body is None else json.dumps(body).encode()
        talk.publish(topic.replace("LEVEL", str(town.level)), raw)
        return await talk.hear(Ack)  # type: ignore[no-any-return]

    answer = scenario(town.people, story)
    assert answer.reason is reason
    assert answer.properties[Property.REASON_STRING]
    assert town.results(town.level) == []


def test_version_3_1_1_acknowledges_what_will_never_be_right(town: Town) -> None:
    async def story(hub: Hub) -> None:
        talk = await connected(hub, OWN, V3)
        topic = f"v1.1/Datastreams({town.level})/Observations"
        talk.publish(topic, b"{no json")
        await talk.hear(Ack)
        talk.publish(topic, result(1))
        await talk.hear(Ack)

    scenario(town.people, story)
    assert town.results(town.level) == [1]


@pytest.mark.parametrize("password", [None, STRANGE, READER, NETWORK])
@VERSIONS
def test_who_may_not_write_cannot_publish(town: Town, version: int, password: str | None) -> None:
    async def story(hub: Hub) -> None:
        talk = await connected(hub, password, version)
        talk.publish(f"v1.1/Datastreams({town.level})/Observations", result(1))
        if version == V5:
            assert (await talk.hear(Ack)).reason is Reason.NOT_AUTHORIZED
        else:
            assert await talk.is_closed()

    scenario(town.people, story)
    assert town.results(town.level) == []


def test_a_hidden_datastream_is_not_there_for_others(town: Town) -> None:
    async def story(hub: Hub) -> Ack:
        talk = await connected(hub, STRANGE)
        talk.publish(f"v1.1/Datastreams({town.hidden})/Observations", result(1))
        return await talk.hear(Ack)  # type: ignore[no-any-return]

    assert scenario(town.people, story).reason is Reason.TOPIC_NAME_INVALID


# --- documents of networks -----------------------------------------------------------------------


def uplink(number: int, **values: object) -> bytes:
    document = {
        "end_device_ids": {"device_id": "gauge", "dev_eui": GAUGE},
        "received_at": "2026-01-01T00:00:00Z",
        "uplink_message": {
            "session_key_id": "AY4n",
            "f_port": 2,
            "f_cnt": number,
            "frm_payload": "AQI=",
            "decoded_payload": values,
            "received_at": "2026-01-01T00:00:00Z",
        },
    }
    return json.dumps(document).encode()


def test_documents_of_a_network_become_readings_once(town: Town) -> None:
    async def story(hub: Hub) -> None:
        talk = await connected(hub, NETWORK)
        for number in (1, 2, 1):
            talk.publish("ingest/tts/v3/town/devices/gauge/up", uplink(number, level_cm=number))
        for _ in range(3):
            assert (await talk.hear(Ack)).reason is Reason.SUCCESS

    scenario(town.people, story)
    assert town.results(town.level) == [1, 2]


@VERSIONS
def test_a_refused_document_is_kept_and_acknowledged(town: Town, version: int) -> None:
    async def story(hub: Hub) -> Ack:
        talk = await connected(hub, NETWORK, version)
        talk.publish("ingest/tts", uplink(1, other=1))
        return await talk.hear(Ack)  # type: ignore[no-any-return]

    answer = scenario(town.people, story)
    assert RefusedUplink.objects.get().reason == "nothing_usable"
    if version == V5:
        assert answer.reason is Reason.PAYLOAD_FORMAT_INVALID
        assert "refused list" in answer.properties[Property.REASON_STRING]


# --- again ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("qos", [1, 2])
def test_what_is_sent_again_over_a_new_connection_is_kept_once(town: Town, qos: int) -> None:
    topic = f"v1.1/Datastreams({town.level})/Observations"

    async def story(hub: Hub) -> None:
        talk = await connected(hub, OWN, clean=False, properties={Property.SESSION_EXPIRY: 60})
        packet_id = talk.publish(topic, result(1), qos)
        await talk.hear(Ack)
        talk.vanish()
        again = Talk(hub)
        assert (await again.connect("sensor", OWN, clean=False)).session_present
        again.publish(topic, result(1), qos, packet_id=packet_id, dup=True)
        assert (await again.hear(Ack)).packet_id == packet_id

    scenario(town.people, story)
    assert town.results(town.level) == [1]


@pytest.mark.parametrize("qos", [1, 2])
def test_a_restart_between_keeping_and_acknowledging_doubles_nothing(town: Town, qos: int) -> None:
    topic = f"v1.1/Datastreams({town.level})/Observations"
    thing = json.dumps({"name": "New", "description": "A thing"}).encode()

    async def before(hub: Hub) -> None:
        talk = await connected(hub, OWN, clean=False, properties={Property.SESSION_EXPIRY: 60})
        talk.publish(topic, result(1), qos, packet_id=5)
        talk.publish("v1.1/Things", thing, qos, packet_id=6)
        await talk.hear(Ack)
        await talk.hear(Ack)

    async def after(hub: Hub) -> None:
        talk = await connected(hub, OWN, clean=False, properties={Property.SESSION_EXPIRY: 60})
        talk.publish(topic, result(1), qos, packet_id=5, dup=True)
        talk.publish("v1.1/Things", thing, qos, packet_id=6, dup=True)
        talk.publish(topic, result(2), qos, packet_id=7, dup=True)
        for _ in range(3):
            assert (await talk.hear(Ack)).reason is Reason.SUCCESS

    scenario(town.people, before)
    scenario(town.people, after)
    assert town.results(town.level) == [1, 2]
    assert things_named("New") == 1


def test_what_follows_messages_that_are_sent_again_does_not_overtake_them(town: Town) -> None:
    """Those are looked for in a thread; the next ones could be kept at once."""
    topic = f"v1.1/Datastreams({town.level})/Observations"
    thing = json.dumps({"name": "New", "description": "A thing"}).encode()

    async def story(hub: Hub) -> None:
        talk = await connected(hub, OWN, clean=False, properties={Property.SESSION_EXPIRY: 60})
        talk.publish(topic, result(0), packet_id=100)
        await talk.hear(Ack)
        for number in range(1, 31):
            body = (topic, result(number)) if number % 10 else ("v1.1/Things", thing)
            talk.publish(*body, packet_id=number, dup=number <= 8)
            await asyncio.sleep(0)
        for number in range(1, 31):
            assert (await talk.hear(Ack)).packet_id == number

    scenario(town.people, story)
    assert town.results(town.level) == [0, *(number for number in range(1, 31) if number % 10)]
    assert things_named("New") == 3


def things_named(name: str) -> int:
    from stadtherz.store.models import Thing

    return Thing.objects.filter(name=name).count()


def test_messages_that_look_alike_are_all_kept(town: Town) -> None:
    async def story(hub: Hub) -> None:
        talk = await connected(hub, OWN)
        for _ in range(5):
            topic = f"v1.1/Datastreams({town.level})/Observations"
            talk.publish(topic, result(1), packet_id=1)
            await talk.hear(Ack)

    scenario(town.people, story)
    assert town.results(town.level) == [1] * 5


# --- aliases, wills, and breaking the rules ------------------------------------------------------


def test_an_alias_stands_for_its_topic(town: Town) -> None:
    async def story(hub: Hub) -> None:
        talk = await connected(hub, OWN)
        topic = f"v1.1/Datastreams({town.level})/Observations"
        alias = {Property.TOPIC_ALIAS: 3}
        talk.publish(topic, result(1), properties=alias)
        talk.publish("", result(2), properties=alias)
        await talk.hear(Ack)
        await talk.hear(Ack)
        talk.publish("", result(3), properties={Property.TOPIC_ALIAS: 4})
        assert (await talk.hear(Disconnect)).reason is Reason.PROTOCOL_ERROR

    scenario(town.people, story)
    assert town.results(town.level) == [1, 2]


def test_the_will_of_a_client_that_vanishes_is_done_and_no_other(town: Town) -> None:
    def will(value: int) -> Will:
        return Will(f"v1.1/Datastreams({town.level})/Observations", result(value))

    async def story(hub: Hub) -> None:
        vanishing = await connected(hub, OWN, client_id="a", will=will(1))
        leaving = await connected(hub, OWN, client_id="b", will=will(2))
        leaving.send(Disconnect())
        vanishing.vanish()
        await asyncio.sleep(0.3)

    scenario(town.people, story)
    assert town.results(town.level) == [1]


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (Publish("a/+", b""), Reason.TOPIC_NAME_INVALID),
        (Publish("a" * 3_000, b""), Reason.TOPIC_NAME_INVALID),
        (Ping(Kind.PINGRESP), Reason.PROTOCOL_ERROR),
    ],
)
def test_who_breaks_the_rules_hears_why_and_is_cut_off(
    town: Town, packet: Any, reason: Reason
) -> None:
    async def story(hub: Hub) -> None:
        talk = await connected(hub, OWN)
        talk.send(packet)
        assert (await talk.hear(Disconnect)).reason is reason
        assert talk.closed

    scenario(town.people, story)


def test_a_packet_that_is_too_large_ends_the_connection(town: Town) -> None:
    async def story(hub: Hub) -> None:
        talk = await connected(hub, OWN)
        talk.publish("v1.1/Observations", b" " * 2_000)
        assert (await talk.hear(Disconnect)).reason is Reason.PACKET_TOO_LARGE

    scenario(town.people, story, Limits(packet=1_000))


def test_strangers_send_small_packets(town: Town) -> None:
    async def story(hub: Hub) -> None:
        known, stranger = await connected(hub, OWN, client_id="a"), await connected(hub, None)
        for talk in (known, stranger):
            talk.publish(f"v1.1/Datastreams({town.level})/Observations", result(1) + b" " * 2_000)
        assert (await known.hear(Ack)).reason is Reason.SUCCESS
        assert (await stranger.hear(Disconnect)).reason is Reason.PACKET_TOO_LARGE

    scenario(town.people, story, Limits(stranger_packet=1_000))


def test_a_client_that_sends_faster_than_things_are_kept_is_not_read(town: Town) -> None:
    async def story(hub: Hub) -> None:
        talk = await connected(hub, OWN, V3)
        topic = f"v1.1/Datastreams({town.level})/Observations"
        for number in range(20):
            talk.publish(topic, result(number))
        assert not talk.reading
        for _ in range(20):
            await talk.hear(Ack)
        assert talk.reading

    scenario(town.people, story, Limits(incoming=10))
    assert town.results(town.level) == list(range(20))
