"""req/create-tasks-via-mqtt and req/receive-updates-via-mqtt (17-079r1 §10), and Tasks as events."""

from typing import Any

import orjson
import pytest

from stadtherz.mqtt.wire.packets import V3, V5
from stadtherz.mqtt.wire.reasons import Reason
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.live.watch import StateWatch, watch
from stadtherz.sensorthings.standard.faces import V1_1
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import HOST, Client
from tests.conformance.a7_mqtt_create.test_create import publish
from tests.conformance.a8_mqtt_receive.test_receive import received
from tests.conformance.tasking.conftest import Lamp

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("version", [V3, V5])
def test_a_task_is_created_by_publishing(api: Client, lamp: Lamp, version: int) -> None:
    answer = publish(api, f"v1.1{lamp.tasks}", bodies.task(level=1), version)
    assert answer.reason is Reason.SUCCESS
    (made,) = api.get("/Tasks?$filter=taskingParameters/level eq 1").value
    assert made["taskingParameters"] == {"status": "on", "level": 1}


def test_a_published_task_names_its_tasking_capability(api: Client, lamp: Lamp) -> None:
    link = {"TaskingCapability": {"@iot.id": lamp.capability}}
    assert publish(api, "v1.1/Tasks", {**bodies.task(), **link}).reason is Reason.SUCCESS
    assert publish(api, "v1.1/Tasks", bodies.task()).reason.failed
    assert len(api.get("/Tasks").ids) == 2


def test_a_published_task_is_held_against_its_description(api: Client, lamp: Lamp) -> None:
    answer = publish(api, f"v1.1{lamp.tasks}", bodies.task("dim"))
    assert answer.reason is Reason.PAYLOAD_FORMAT_INVALID
    assert api.get("/Tasks").ids == [lamp.task]


def test_changes_of_tasks_are_told_as_events(api: Client, lamp: Lamp) -> None:
    urls = Urls(HOST + V1_1.prefix, V1_1)
    followed = watch(lamp.tasks, "$select=taskingParameters", urls, lambda: api.visibility)
    assert isinstance(followed, StateWatch)
    followed.begin("")
    assert api.post(lamp.tasks, bodies.task()).status == 201
    told: list[Any] = [
        orjson.loads(line[6:])
        for block in followed.look().blocks
        for line in block.split(b"\n")
        if line.startswith(b"data: ")
    ]
    assert told == [{"taskingParameters": {"status": "on"}}]


def test_new_tasks_are_received_by_their_thing(api: Client, lamp: Lamp) -> None:
    topic = f"v1.1{lamp.tasks}"
    (heard,) = received(api, topic, lambda: api.post(lamp.tasks, bodies.task()))
    assert heard == api.get(f"/Tasks({heard['@iot.id']})").json


def test_tasks_of_everything_are_received_by_a_filter(api: Client, lamp: Lamp) -> None:
    def change() -> None:
        for status in ("off", "on"):
            assert api.post(lamp.tasks, bodies.task(status)).status == 201

    topic = "v1.1/Tasks?$filter=taskingParameters/status eq 'on'&$select=taskingParameters"
    assert received(api, topic, change) == [{"taskingParameters": {"status": "on"}}]


def test_a_changed_task_is_received(api: Client, lamp: Lamp) -> None:
    path = f"/Tasks({lamp.task})"
    (heard,) = received(api, f"v1.1{path}", lambda: api.patch(path, bodies.task("on")))
    assert heard["taskingParameters"] == {"status": "on"}
