"""Messages for an organisation's own forms, over MQTT: the topic tells the form and what it knows."""

import json
from dataclasses import replace

from stadtherz.base.visibility import Scope
from stadtherz.ingest.public import MessageForm, NewField, RefusedUplink, device_id, register_device
from stadtherz.mqtt.meeting.hub import Hub
from stadtherz.mqtt.tests.conftest import NETWORK, Town, token
from stadtherz.mqtt.tests.talk import scenario
from stadtherz.mqtt.tests.test_publishing import connected
from stadtherz.mqtt.wire.packets import Ack
from stadtherz.mqtt.wire.properties import Property
from stadtherz.mqtt.wire.reasons import Reason


def set_up(town: Town) -> None:
    MessageForm.objects.create(
        owner_id=town.owner, key="stations", name="Stations", device="topic:2", time="at"
    )
    for name, stream in (("7", town.level), ("8", town.hidden)):
        register_device(town.owner, "json", name, name, fields=[NewField("level", stream)])


def body(level: float, minute: int = 0) -> bytes:
    return json.dumps({"level": level, "at": 1764144000 + 60 * minute}).encode()


def test_the_topic_behind_the_form_names_the_device(town: Town) -> None:
    set_up(town)

    async def story(hub: Hub) -> None:
        talk = await connected(hub, NETWORK)
        for topic, message in (
            ("station/7", body(1)),
            ("station/8", body(2)),
            ("station/7", body(1)),
        ):
            talk.publish(f"ingest/json/stations/{topic}", message)
            assert (await talk.hear(Ack)).reason is Reason.SUCCESS

    scenario(town.people, story)
    assert (town.results(town.level), town.results(town.hidden)) == ([1], [2])


def test_an_unknown_form_is_kept_with_its_topic(town: Town) -> None:
    async def story(hub: Hub) -> list[Ack]:
        talk = await connected(hub, NETWORK)
        heard = []
        for topic in ("ingest/json/none/station/7", "ingest/json"):
            talk.publish(topic, body(1))
            heard.append(await talk.hear(Ack))
        return heard

    first, second = scenario(town.people, story)
    assert (first.reason, second.reason) == (Reason.PAYLOAD_FORMAT_INVALID,) * 2
    assert "„none“" in first.properties[Property.REASON_STRING]
    kept = RefusedUplink.objects.get(query="form=none&topic=station/7")
    assert (kept.reason, kept.owner_id) == ("unknown_form", town.owner)


def test_a_devices_token_publishes_for_it_and_for_no_other(town: Town) -> None:
    set_up(town)
    device = device_id(town.owner, "json", "7")
    limited = replace(token(town.owner, "seven", Scope.INGEST), device=device)
    town.people.known["seven"] = limited

    async def story(hub: Hub) -> list[Reason]:
        talk = await connected(hub, "seven")
        heard = []
        for topic in ("json/stations/station/7", "json/stations/station/8", "json/stations/a/9"):
            talk.publish(f"ingest/{topic}", body(1))
            heard.append((await talk.hear(Ack)).reason)
        talk.publish(f"v1.1/Datastreams({town.level})/Observations", b'{"result": 9}')
        return [*heard, (await talk.hear(Ack)).reason]

    refused = Reason.PAYLOAD_FORMAT_INVALID
    assert scenario(town.people, story) == [Reason.SUCCESS, refused, refused, Reason.NOT_AUTHORIZED]
    assert (town.results(town.level), town.results(town.hidden)) == ([1], [])
    assert set(RefusedUplink.objects.values_list("reason", flat=True)) == {"other_device"}
