"""Who comes in, and when a connection ends."""

import asyncio
import time

import pytest

from stadtherz.mqtt.clients.limits import Limits
from stadtherz.mqtt.meeting.hub import Hub
from stadtherz.mqtt.tests.conftest import OWN, STRANGE, Town
from stadtherz.mqtt.tests.talk import Talk, scenario
from stadtherz.mqtt.wire.packets import V3, V5, Connack, Connect, Disconnect, Ping
from stadtherz.mqtt.wire.properties import Kind, Property
from stadtherz.mqtt.wire.reasons import Reason

VERSIONS = pytest.mark.parametrize("version", [V3, V5])


@VERSIONS
def test_a_wrong_token_is_refused(town: Town, version: int) -> None:
    async def story(hub: Hub) -> None:
        talk = Talk(hub, version)
        assert (await talk.connect("a", "wrong")).reason is Reason.BAD_CREDENTIALS
        assert talk.closed

    scenario(town.people, story)


def test_strangers_may_come_in_unless_the_city_does_not_want_it(town: Town) -> None:
    async def story(hub: Hub) -> Reason:
        return (await Talk(hub).connect("a")).reason

    assert scenario(town.people, story) is Reason.SUCCESS
    assert scenario(town.people, story, strangers=False) is Reason.BAD_CREDENTIALS


def test_version_5_hears_of_the_limits_and_of_its_name(town: Town) -> None:
    async def story(hub: Hub) -> Connack:
        return await Talk(hub).connect("", OWN)

    told = scenario(town.people, story).properties
    assert told[Property.WILDCARDS_AVAILABLE] == 0
    assert told[Property.RECEIVE_MAXIMUM] == Limits().incoming
    assert told[Property.ASSIGNED_CLIENT_ID].startswith("stadtherz-")


@VERSIONS
def test_the_same_client_takes_over_and_nobody_else(town: Town, version: int) -> None:
    async def story(hub: Hub) -> None:
        first, other, second = (Talk(hub, version) for _ in range(3))
        await first.connect("sensor", OWN)
        await other.connect("sensor", STRANGE)
        assert not first.closed
        await second.connect("sensor", OWN)
        assert first.closed
        assert not other.closed
        if version == V5:
            assert (await first.hear(Disconnect)).reason is Reason.SESSION_TAKEN_OVER

    scenario(town.people, story)


def test_what_comes_before_connect_ends_the_connection(town: Town) -> None:
    async def story(hub: Hub) -> None:
        talk = Talk(hub)
        talk.send(Ping(Kind.PINGREQ))
        assert talk.closed
        assert talk.received.empty()

    scenario(town.people, story)


def test_another_protocol_gets_no_answer_and_another_version_does(town: Town) -> None:
    async def story(hub: Hub) -> None:
        browser, old = Talk(hub), Talk(hub, V3)
        browser.conversation.receive(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert browser.closed
        assert browser.received.empty()
        old.conversation.receive(b"\x10\x0e\0\x06MQIsdp\x03\x02\0\0\0\0")
        assert (await old.hear(Connack)).reason is Reason.UNSUPPORTED_VERSION

    scenario(town.people, story)


def test_whoever_is_silent_too_long_is_given_up(town: Town) -> None:
    async def story(hub: Hub) -> None:
        silent, talking, never = Talk(hub), Talk(hub), Talk(hub)
        for talk in (silent, talking):
            talk.send(Connect(V5, f"client-{id(talk)}", keep_alive=1))
            await talk.hear(Connack)
        for _ in range(4):
            await asyncio.sleep(0.7)
            talking.send(Ping(Kind.PINGREQ))
            await talking.hear(Ping)
        assert silent.closed
        assert never.closed
        assert not talking.closed
        assert (await silent.hear(Disconnect)).reason is Reason.KEEP_ALIVE_TIMEOUT

    scenario(town.people, story, Limits(connect=1.0))


@VERSIONS
def test_who_is_let_in_too_slowly_is_told_to_come_again(town: Town, version: int) -> None:
    """Not that it has no right to: many clients do not come again then."""

    async def story(hub: Hub) -> Reason:
        talk = Talk(hub, version)
        talk.send(Connect(version, "slow"))
        hub._end_silent(time.monotonic() + 60)
        return (await talk.hear(Connack)).reason

    reason = scenario(town.people, story)
    assert reason is (Reason.KEEP_ALIVE_TIMEOUT if version == V5 else Reason.SERVER_UNAVAILABLE)


def test_one_address_cannot_take_all_places(town: Town) -> None:
    async def story(hub: Hub) -> None:
        strangers = [Talk(hub, address="192.0.2.7") for _ in range(3)]
        assert [talk.welcome for talk in strangers] == [True, True, False]
        assert Talk(hub, address="192.0.2.8").welcome
        await strangers[0].connect("a", OWN)  # who shows a token does not count
        assert Talk(hub, address="192.0.2.7").welcome

    scenario(town.people, story, Limits(strangers=2))


def test_at_the_end_everybody_is_told_to_come_back(town: Town) -> None:
    talks: list[Talk] = []

    async def story(hub: Hub) -> None:
        talks.append(Talk(hub))
        await talks[0].connect("a", OWN)

    scenario(town.people, story)
    packet = talks[0].received.get_nowait()
    assert isinstance(packet, Disconnect)
    assert packet.reason is Reason.SERVER_SHUTTING_DOWN


@VERSIONS
def test_a_session_ends_with_a_clean_start(town: Town, version: int) -> None:
    async def story(hub: Hub) -> list[bool]:
        found = []
        for clean in (False, False, True, False):
            talk = Talk(hub, version)
            expiry = {Property.SESSION_EXPIRY: 60} if version == V5 else {}
            answer = await talk.connect("sensor", OWN, clean=clean, properties=expiry)
            found.append(answer.session_present)
            talk.send(Disconnect())
        return found

    expected = [False, True, False, version == V5]  # a clean session of 3.1.1 ends at once
    assert scenario(town.people, story) == expected
