"""Who may see less from now on gets nothing of it that was queued, and loses the subscriptions: paho at our listener."""

import asyncio
import json
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from stadtherz.base.time import Period, now_us
from stadtherz.mqtt.doors.door import Door
from stadtherz.mqtt.meeting.hub import Hub
from stadtherz.mqtt.models import SavedSession
from stadtherz.mqtt.tests.conftest import READER, Town
from stadtherz.mqtt.tests.talk import Talk, aside, scenario
from stadtherz.mqtt.tests.test_listener import opened
from stadtherz.mqtt.tests.test_subscribing import LASTING, observations
from stadtherz.mqtt.wire.packets import Ack, Publish
from stadtherz.store.models import Datastream, Thing
from stadtherz.store.public import Reading, append

PATIENCE = 20.0
Told = tuple[int, bool]


class Map:
    """A program that keeps its session, and takes one message after the other, when it is told to."""

    def __init__(self, port: int, *, most: int = 100, version: int = paho.MQTTv5) -> None:
        self.came: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self.answers: queue.Queue[Any] = queue.Queue()
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2,
            "map",
            protocol=version,
            manual_ack=True,
            **({} if version == paho.MQTTv5 else {"clean_session": False}),
        )
        self.client.username_pw_set("x", READER)
        self.client.on_message = lambda _client, _data, message: self.came.put(message)
        self.client.on_connect = lambda *given: self.answers.put(given[2:])
        self.client.on_subscribe = lambda *given: self.answers.put(given[3])
        self.client.on_disconnect = lambda *given: None
        more: dict[str, Any] = {}
        if version == paho.MQTTv5:
            wanted = Properties(PacketTypes.CONNECT)
            wanted.SessionExpiryInterval, wanted.ReceiveMaximum = 60, most
            more = {"clean_start": False, "properties": wanted}
        self.client.connect("127.0.0.1", port, **more)
        self.client.loop_start()
        self.present, self.told = self._welcome()

    def _welcome(self) -> tuple[bool, list[tuple[str, str]]]:
        flags, reason, properties = self.answers.get(timeout=PATIENCE)
        assert not reason.is_failure
        return flags.session_present, list(getattr(properties, "UserProperty", []))

    def subscribes(self, *topics: str, qos: int = 1) -> list[bool]:
        if self.client.protocol == paho.MQTTv5:
            self.client.subscribe([(each, SubscribeOptions(qos)) for each in topics])
        else:
            self.client.subscribe([(each, qos) for each in topics])
        return [not each.is_failure for each in self.answers.get(timeout=PATIENCE)]

    def hears(self, *, takes: bool = True) -> Any:
        message = self.came.get(timeout=PATIENCE)
        if takes:
            self.client.ack(message.mid, message.qos)
        return json.loads(message.payload)["result"], message.dup

    def hears_nothing(self, seconds: float = 1.0) -> bool:
        try:
            self.came.get(timeout=seconds)
        except queue.Empty:
            return True
        return False

    def vanishes(self) -> None:
        """Without a word, as where there is no network."""
        self.client.loop_stop()
        sock = self.client.socket()
        assert sock is not None
        sock.close()

    def goes(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def there(port: int, **more: Any) -> Iterator[Map]:
    one = Map(port, **more)
    try:
        yield one
    finally:
        one.goes()


def story(town: Town, told: Callable[[int, Door], Any]) -> Any:
    async def run() -> Any:
        async with opened(town.people, "mqtt://127.0.0.1:0") as door:
            return await aside(told, door.ports[0], door)

    return asyncio.run(run())


def keep(stream: int, *results: float) -> None:
    append([Reading(stream, Period(now_us()), value) for value in results])


def less(town: Town) -> None:
    town.people.known[READER] = replace(town.people.known[READER], organisations=frozenset())


def hide(town: Town, model: Any = Datastream) -> None:
    row = Datastream.objects.get(pk=town.level)
    if model is Thing:
        row = row.thing
    row.access = "organisation"
    row.save()


def gone(door: Door) -> bool:
    """Whether the server has noticed that nobody is there."""
    assert door.hub is not None
    return eventually(lambda: not door.hub._conversations)  # type: ignore[union-attr]


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def only(stream: int) -> str:
    return observations(stream, "?$select=result")


@pytest.mark.parametrize("version", [paho.MQTTv311, paho.MQTTv5])
def test_what_was_kept_for_one_who_was_away_is_not_given_when_rights_have_shrunk(
    town: Town, version: int
) -> None:
    def told(port: int, door: Door) -> Any:
        with there(port, version=version) as one:
            assert one.subscribes(only(town.hidden), only(town.level)) == [True, True]
        assert gone(door)
        keep(town.hidden, 1, 2)
        keep(town.level, 3)
        less(town)
        with there(port, version=version) as one:
            return one.present, one.hears(), one.hears_nothing()

    assert story(town, told) == (True, (3, False), True)


@pytest.mark.parametrize("version", [paho.MQTTv311, paho.MQTTv5])
def test_what_was_on_its_way_is_not_sent_a_second_time(town: Town, version: int) -> None:
    """It was sent and not acknowledged: a server sends that again, if it is still to be seen."""

    def told(port: int, door: Door) -> Any:
        one = Map(port, version=version)
        one.subscribes(only(town.hidden), only(town.level))
        keep(town.hidden, 1)
        keep(town.level, 2)
        heard = {one.hears(takes=False)[0], one.hears(takes=False)[0]}
        one.vanishes()
        assert gone(door)
        less(town)
        with there(port, version=version) as one:
            return heard, one.hears()[0], one.hears_nothing()

    assert story(town, told) == ({1, 2}, 2, True)


def test_of_quality_2_the_identifier_is_released_and_the_rest_is_read_again(town: Town) -> None:
    """The client may have received it, and would take the next one of its identifier for the same."""

    async def told(hub: Hub) -> Any:
        talk = Talk(hub)
        await talk.connect("map", READER, properties=LASTING)
        for stream in (town.hidden, town.level):
            await talk.subscribe(only(stream), 2)
        for stream in (town.hidden, town.level):
            await aside(keep, stream, stream)
        first = [await talk.hear(Publish) for _ in range(2)]
        talk.vanish()
        less(town)
        again = Talk(hub)
        await again.connect("map", READER, clean=False, properties=LASTING)
        released = {(await again.hear(Ack)).packet_id for _ in range(2)}
        anew = await again.hear(Publish)
        return (
            released == {each.packet_id for each in first},
            anew.packet_id not in released,
            json.loads(anew.payload)["result"] == town.level,
            await again.hears_nothing(0.5),
        )

    assert scenario(town.people, told) == (True, True, True, True)


def test_without_a_change_it_is_sent_again_as_it_was(town: Town) -> None:
    def told(port: int, door: Door) -> Any:
        one = Map(port)
        one.subscribes(only(town.hidden))
        keep(town.hidden, 1)
        one.hears(takes=False)
        one.vanishes()
        assert gone(door)
        with there(port) as one:
            return one.hears()

    assert story(town, told) == (1, True)


@pytest.mark.parametrize("model", [Datastream, Thing])
def test_what_was_hidden_while_it_was_away_is_not_sent_a_second_time(
    town: Town, model: Any
) -> None:
    less(town)

    def told(port: int, door: Door) -> Any:
        one = Map(port)
        one.subscribes(only(town.level), "v1.1/Observations?$select=result")
        keep(town.level, 1)
        heard = [one.hears(takes=False)[0] for _ in range(2)]
        one.vanishes()
        assert gone(door)
        hide(town, model)
        keep(town.theirs, 5)
        with there(port) as one:
            return heard, one.hears()[0], one.hears_nothing()

    assert story(town, told) == ([1, 1], 5, True)


def test_what_was_hidden_while_it_waits_before_a_slow_client_is_not_sent(town: Town) -> None:
    """The client takes one message at a time; the others are queued here, and are judged when they go."""
    less(town)

    def told(port: int, door: Door) -> Any:
        with there(port, most=1) as one:
            one.subscribes("v1.1/Observations?$select=result")
            keep(town.level, 1, 2, 3)
            message = one.came.get(timeout=PATIENCE)
            assert eventually(lambda: any(s.outbox.waits for s in door.hub.sessions.all()))  # type: ignore[union-attr]
            hide(town)
            time.sleep(1.5)
            keep(town.theirs, 5)
            one.client.ack(message.mid, message.qos)
            return one.hears()[0], one.hears_nothing()

    assert story(town, told) == (5, True)


def wishes() -> list[str]:
    return [each[0] for each in SavedSession.objects.get().wishes]


def test_a_subscription_that_is_not_allowed_any_more_has_ended_when_it_comes_back(
    town: Town,
) -> None:
    def told(port: int, door: Door) -> Any:
        with there(port) as one:
            one.subscribes(only(town.hidden), only(town.level))
        assert gone(door)
        less(town)
        with there(port) as one:
            ended = one.told
            assert eventually(lambda: wishes() == [only(town.level)])
            refused = one.subscribes(only(town.hidden))
        return ended, refused

    assert story(town, told) == ([("subscription-ended", only(town.hidden))], [False])


def lost_rights(town: Town, door: Door) -> None:
    less(town)
    assert door.hub is not None
    door.hub.rights_changed()


def deleted(town: Town, _door: Door) -> None:
    Datastream.objects.get(pk=town.hidden).delete()
    tell_of_access()


def tell_of_access() -> None:
    """Anything that is hidden lets the server look at all subscriptions."""
    row = Thing.objects.exclude(access="group").order_by("-pk")[0]
    row.access = "group"
    row.save()


@pytest.mark.parametrize("way", [lost_rights, deleted])
def test_it_ends_while_the_client_is_there(town: Town, way: Callable[[Town, Door], None]) -> None:
    def told(port: int, door: Door) -> None:
        with there(port) as one:
            one.subscribes(only(town.hidden), only(town.level))
            way(town, door)
            assert eventually(lambda: wishes() == [only(town.level)])

    story(town, told)


def test_it_ends_while_the_client_is_there_when_it_is_hidden(town: Town) -> None:
    less(town)

    def told(port: int, _door: Door) -> None:
        with there(port) as one:
            one.subscribes(only(town.level), only(town.theirs))
            hide(town)
            assert eventually(lambda: wishes() == [only(town.theirs)])

    story(town, told)


def test_after_a_restart_it_is_told_what_it_has_lost(town: Town) -> None:
    def before(port: int, door: Door) -> None:
        with there(port) as one:
            one.subscribes(only(town.hidden))
        assert gone(door)

    story(town, before)
    keep(town.hidden, 1)
    less(town)

    def after(port: int, _door: Door) -> Any:
        with there(port) as one:
            return one.present, one.told, one.hears_nothing()

    ended = [("subscription-ended", only(town.hidden))]
    assert story(town, after) == (True, ended, True)


def test_a_share_of_which_all_were_away_gives_nothing_that_is_hidden_by_now(town: Town) -> None:
    def told(port: int, door: Door) -> Any:
        shared = f"$share/maps/{only(town.hidden)}", "$share/all/v1.1/Observations?$select=result"
        one = Map(port)
        assert one.subscribes(*shared) == [True, True]
        keep(town.hidden, 1)
        heard = [one.hears(takes=False)[0] for _ in range(2)]
        one.vanishes()
        assert gone(door)
        less(town)
        keep(town.level, 2)
        with there(port) as one:
            return heard, one.hears()[0], one.hears_nothing(), one.told

    ended = [("subscription-ended", f"$share/maps/{only(town.hidden)}")]
    assert story(town, told) == ([1, 1], 2, True, ended)
