"""Public warnings at our own MQTT listener: what is in force at once, each change once, to who may see it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema_rs
import orjson
import pytest

from stadtherz.alerts.models import Alert
from stadtherz.alerts.people.notes import close
from stadtherz.alerts.public import Transition, change, start_drill, withdraw
from stadtherz.alerts.publishing import SCHEMA, TOPIC
from stadtherz.alerts.tests.factories import KIND, Ward, make_datastream, make_ward
from stadtherz.base.visibility import Scope, Visibility
from stadtherz.mqtt.meeting.hub import Hub
from stadtherz.mqtt.tests.talk import People, Talk, aside, scenario
from stadtherz.mqtt.wire.packets import Ack, Disconnect, Publish
from stadtherz.mqtt.wire.properties import Kind, Property
from stadtherz.mqtt.wire.reasons import Reason
from stadtherz.store.models import Datastream, Organisation, Thing

STAFF = "staff"
LASTING = {Property.SESSION_EXPIRY: 60}


@pytest.fixture
def ward(transactional_db: None) -> Ward:
    return make_ward([])


def public(transition: Transition, **more: Any) -> Transition:
    return replace(transition, public=True, **more)


def goes(ward: Ward, before: int, after: int, observation: int, **more: Any) -> Callable[[], None]:
    return lambda: change(public(ward.goes(before, after, observation=observation), **more))


def people(ward: Ward) -> People:
    own = frozenset({ward.organisation})
    seen = Visibility("token:staff", own, frozenset(), frozenset({Scope.READ}), ward.organisation)
    return People({STAFF: seen})


async def listening(hub: Hub, password: str | None = None, name: str = "map") -> Talk:
    talk = Talk(hub)
    await talk.connect(name, password, properties=LASTING, clean=password is None)
    assert (await talk.subscribe(TOPIC, handling=0)).reasons == (Reason.GRANTED_1,)
    return talk


async def heard(talk: Talk) -> tuple[str, bool, dict[str, Any]]:
    """The next message: its type, whether it is retained, and what it says."""
    packet = await talk.hear(Publish)
    talk.send(Ack(Kind.PUBACK, packet.packet_id))
    told = orjson.loads(packet.payload)
    jsonschema_rs.validate(orjson.loads(SCHEMA.read_bytes()), told)
    assert packet.topic == TOPIC
    return told["type"], packet.retain, told["data"]


def test_each_change_comes_once_and_the_last_says_that_it_is_over(ward: Ward) -> None:
    async def story(hub: Hub) -> list[tuple[str, bool]]:
        talk = await listening(hub)
        told = []
        for before, after in ((0, 1), (1, 2), (2, 0)):
            step = goes(ward, before, after, after + 1)
            await aside(step)
            await aside(step)  # a repetition changes nothing
            name, retained, data = await heard(talk)
            told.append((name, data["in_force"]))
            assert not retained
        assert await talk.hears_nothing(1.0)
        return told

    assert scenario(people(ward), story) == [
        ("warning.raised", True),
        ("warning.escalated", True),
        ("warning.cleared", False),
    ]


def test_who_comes_later_gets_what_is_in_force_as_it_is_now(ward: Ward) -> None:
    goes(ward, 0, 1, 1)()
    goes(ward, 1, 2, 2)()
    goes(ward, 0, 1, 3, subject="8")()
    goes(ward, 0, 1, 4, subject="9")()
    goes(ward, 1, 0, 5, subject="9")()

    async def story(hub: Hub) -> list[Any]:
        talk = await listening(hub)
        found = [await heard(talk), await heard(talk)]
        assert await talk.hears_nothing()
        return found

    first, second = scenario(people(ward), story)
    assert (first[0], first[1], first[2]["severity"]) == ("warning.escalated", True, "danger")
    assert (second[0], second[1], second[2]["severity"]) == ("warning.raised", True, "warning")
    assert first[2]["place"]["name"] == "Pegel"
    assert first[2]["texts"]["de"] == {
        "subject": "de Alarm: Pegel Lauterstraße",
        "sentence": "Die Lauter: Alarm.",
        "advice": "",
        "link": first[2]["texts"]["de"]["link"],
    }
    assert first[2]["texts"]["de"]["link"].endswith("/pegel/lauterstrasse/")


def test_who_was_away_hears_every_change_in_order(ward: Ward) -> None:
    async def story(hub: Hub) -> list[str]:
        talk = await listening(hub, STAFF)
        talk.send(Disconnect())
        await talk.is_closed()
        for number, (before, after) in enumerate(((0, 1), (1, 2), (2, 0))):
            await aside(goes(ward, before, after, number + 1))
        back = Talk(hub)
        await back.connect("map", STAFF, clean=False, properties=LASTING)
        return [(await heard(back))[0] for _ in range(3)]

    assert scenario(people(ward), story) == [
        "warning.raised",
        "warning.escalated",
        "warning.cleared",
    ]


def test_staff_hear_of_what_is_hidden_and_nobody_else(ward: Ward) -> None:
    hidden = make_datastream(Organisation.objects.get(), access="organisation").pk
    goes(ward, 0, 1, 1, subject="8", datastream=hidden)()

    async def story(hub: Hub) -> tuple[bool, list[int]]:
        stranger, staff = await listening(hub), await listening(hub, STAFF, "own")
        told = [(await heard(staff))[2]["place"]["datastream"]]
        await aside(goes(ward, 1, 2, 2, subject="8", datastream=hidden))
        told.append((await heard(staff))[2]["place"]["datastream"])
        return await stranger.hears_nothing(), told

    assert scenario(people(ward), story) == (True, [hidden, hidden])


def test_an_alert_that_is_no_public_warning_is_not_published(ward: Ward) -> None:
    async def story(hub: Hub) -> bool:
        talk = await listening(hub, STAFF)
        await aside(change, ward.goes(0, 1, observation=1))
        await aside(start_drill, ward.recipients, "Eva Berg")
        return await talk.hears_nothing(1.0)

    assert scenario(people(ward), story)


def test_the_reason_of_a_person_stays_inside(ward: Ward) -> None:
    goes(ward, 0, 1, 1)()
    key = Alert.objects.get().pk

    async def story(hub: Hub) -> Any:
        talk = await listening(hub)
        await heard(talk)
        await aside(lambda: close(key, "Eva Berg", "Biber"))
        return await heard(talk)

    name, _retained, data = scenario(people(ward), story)
    assert (name, data["in_force"], data["texts"]) == ("warning.cleared", False, {})


def test_a_warning_whose_gauge_is_taken_away_is_taken_from_the_map(ward: Ward) -> None:
    goes(ward, 0, 1, 1)()

    async def story(hub: Hub) -> Any:
        talk = await listening(hub)
        await heard(talk)
        await aside(withdraw, KIND, "7")
        return await heard(talk)

    name, _retained, data = scenario(people(ward), story)
    assert (name, data["in_force"]) == ("warning.withdrawn", False)


def of_datastream(ward: Ward, access: str, model: type[Any] = Datastream) -> Callable[[], None]:
    def opens_to() -> None:
        row = model.objects.get(pk=ward.datastream) if model is Datastream else Thing.objects.get()
        row.access = access
        row.save()

    return opens_to


def deleted() -> None:
    Alert.objects.get().delete()


def made_private(ward: Ward) -> Callable[[], None]:
    """By its next step, as when staff have changed the rule."""
    return lambda: change(ward.goes(1, 2, observation=2))


@pytest.mark.parametrize("way", ["private", "deleted", "datastream", "thing", "all of it"])
def test_who_can_see_it_no_more_hears_its_number_and_nothing_else(ward: Ward, way: str) -> None:
    goes(ward, 0, 1, 1)()
    key = Alert.objects.get().pk
    ways: dict[str, Callable[[], None]] = {
        "private": made_private(ward),
        "deleted": deleted,
        "datastream": of_datastream(ward, "organisation"),
        "thing": of_datastream(ward, "organisation", Thing),
        "all of it": lambda: Datastream.objects.get().delete() and None,
    }

    async def story(hub: Hub) -> tuple[Any, bool]:
        talk = await listening(hub)
        await heard(talk)
        await aside(ways[way])
        told = await heard(talk)
        late = await listening(hub, name="late")
        return told, await late.hears_nothing()

    (name, retained, data), nothing_stands = scenario(people(ward), story)
    assert (name, retained, data["warning"], data["in_force"]) == (
        "warning.withdrawn",
        False,
        key,
        False,
    )
    assert (data["title"], data["texts"], data["place"]["name"]) == ({}, {}, "")
    assert nothing_stands


def test_who_may_still_see_it_hears_it_once_more_and_keeps_it(ward: Ward) -> None:
    goes(ward, 0, 1, 1)()

    async def story(hub: Hub) -> tuple[str, bool]:
        talk = await listening(hub, STAFF)
        await heard(talk)
        await aside(of_datastream(ward, "organisation"))
        return (await heard(talk))[0], await talk.hears_nothing()

    assert scenario(people(ward), story) == ("warning.raised", True)


def test_what_is_opened_again_is_told_to_everybody(ward: Ward) -> None:
    of_datastream(ward, "organisation")()
    goes(ward, 0, 1, 1)()

    async def story(hub: Hub) -> list[str]:
        talk = await listening(hub)
        await aside(of_datastream(ward, "public"))
        return [(await heard(talk))[0]]

    assert scenario(people(ward), story) == ["warning.raised"]


def test_strangers_hear_no_number_of_what_was_never_theirs(ward: Ward) -> None:
    of_datastream(ward, "organisation")()
    goes(ward, 0, 1, 1)()

    async def story(hub: Hub) -> tuple[str, bool]:
        stranger, staff = await listening(hub), await listening(hub, STAFF, "own")
        await heard(staff)
        await aside(deleted)
        return (await heard(staff))[0], await stranger.hears_nothing(1.0)

    assert scenario(people(ward), story) == ("warning.withdrawn", True)


def test_who_was_away_hears_of_a_withdrawal(ward: Ward) -> None:
    goes(ward, 0, 1, 1)()

    async def story(hub: Hub) -> str:
        talk = await listening(hub, STAFF)
        await heard(talk)
        talk.send(Disconnect())
        await talk.is_closed()
        await aside(deleted)
        back = Talk(hub)
        await back.connect("map", STAFF, clean=False, properties=LASTING)
        return (await heard(back))[0]

    assert scenario(people(ward), story) == "warning.withdrawn"


def test_whoever_loses_the_right_is_told_what_is_gone_for_them(ward: Ward) -> None:
    hidden = make_datastream(Organisation.objects.get(), access="organisation").pk
    goes(ward, 0, 1, 1)()
    goes(ward, 0, 1, 2, subject="8", datastream=hidden)()
    lost = Alert.objects.get(subject="8").pk
    known = people(ward)

    async def story(hub: Hub) -> tuple[Any, bool, str]:
        talk = await listening(hub, STAFF)
        await heard(talk)
        await heard(talk)
        known.known[STAFF] = replace(known.known[STAFF], organisations=frozenset())
        hub.rights_changed()
        told = await heard(talk)
        nothing_more = await talk.hears_nothing()
        await aside(goes(ward, 1, 2, 3))
        return told, nothing_more, (await heard(talk))[0]

    (name, _retained, data), nothing_more, next_one = scenario(known, story)
    assert (name, data["warning"], data["texts"]) == ("warning.withdrawn", lost, {})
    assert (nothing_more, next_one) == (True, "warning.escalated")


@pytest.mark.parametrize("restarted", [False, True])
def test_whoever_lost_the_right_while_away_is_told_until_it_has_heard_so(
    ward: Ward, *, restarted: bool
) -> None:
    hidden = make_datastream(Organisation.objects.get(), access="organisation").pk
    goes(ward, 0, 1, 1)()
    goes(ward, 0, 1, 2, subject="8", datastream=hidden)()
    lost, known = Alert.objects.get(subject="8").pk, people(ward)

    async def leaves(hub: Hub) -> None:
        talk = await listening(hub, STAFF)
        await heard(talk)
        await heard(talk)
        talk.send(Disconnect())
        await talk.is_closed()

    async def comes_back(hub: Hub) -> list[Any]:
        known.known[STAFF] = replace(known.known[STAFF], organisations=frozenset())
        deaf = Talk(hub)
        await deaf.connect("map", STAFF, clean=False, properties=LASTING)
        unheard = orjson.loads((await deaf.hear(Publish)).payload)
        deaf.vanish()
        back = Talk(hub)
        await back.connect("map", STAFF, clean=False, properties=LASTING)
        told = [unheard["data"], (await heard(back))[2]]
        back.send(Disconnect())
        await back.is_closed()
        once_more = Talk(hub)
        await once_more.connect("map", STAFF, clean=False, properties=LASTING)
        assert await once_more.hears_nothing()
        return told

    async def both(hub: Hub) -> list[Any]:
        await leaves(hub)
        return await comes_back(hub)

    if restarted:
        scenario(known, leaves)
        found = scenario(known, comes_back)
    else:
        found = scenario(known, both)
    assert [(each["warning"], each["change"], each["texts"]) for each in found] == [
        (lost, "withdrawn", {})
    ] * 2


def test_several_programs_may_share_the_work(ward: Ward) -> None:
    async def story(hub: Hub) -> str:
        talk = Talk(hub)
        await talk.connect("one", STAFF)
        shared = await talk.subscribe(f"$share/sirens/{TOPIC}")
        assert shared.reasons == (Reason.GRANTED_1,)
        await aside(goes(ward, 0, 1, 1))
        return (await heard(talk))[0]

    assert scenario(people(ward), story) == "warning.raised"


def test_a_topic_beside_it_is_refused_and_the_right_one_named(ward: Ward) -> None:
    async def story(hub: Hub) -> str:
        talk = Talk(hub)
        await talk.connect("one")
        answer = await talk.subscribe("stadtherz/v1/alarms")
        text: str = answer.properties[Property.REASON_STRING]
        return text

    assert TOPIC in scenario(people(ward), story)
