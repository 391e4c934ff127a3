"""SensorThings Tasks reach devices as downlinks: once, by the queue of all others, and say what became of them."""

import threading
from typing import Any

import pytest
from django.db import connection

from stadtherz.base.errors import Forbidden, Invalid
from stadtherz.base.time import DAY, now_us
from stadtherz.base.visibility import Scope, Visibility
from stadtherz.ingest import public
from stadtherz.ingest.downlinks import describing, tasks
from stadtherz.ingest.downlinks.models import DeviceTasks, Downlink, DownlinkWay, TaskedDownlink
from stadtherz.ingest.downlinks.states import State
from stadtherz.ingest.models import Device
from stadtherz.ingest.public import add_connection
from stadtherz.ingest.tests.factories import EUI, Town, make_organisation
from stadtherz.ingest.tests.test_codecs import give_codec
from stadtherz.store.models import Task, TaskingCapability
from stadtherz.store.public import create, delete

INTERVAL = """function encodeDownlink(input) {
  if (input.data.minutes > 255) return {errors: ["at most 255 minutes"]};
  return {bytes: [1, input.data.minutes], fPort: 85};
}"""


@pytest.fixture
def device(town: Town) -> Device:
    """The town's device, reached by a connection, with a codec that encodes."""
    return ready(town)


def ready(town: Town) -> Device:
    Device.objects.filter(pk=town.device).update(network="chirpstack")
    device = Device.objects.get(pk=town.device)
    made = add_connection(town.organisation, "Broker", network="chirpstack", host="a.example")
    way = f"application/1/device/{EUI.lower()}"
    DownlinkWay.objects.create(device=device, connection=made, topic=way)
    give_codec(device.pk, INTERVAL)
    device.refresh_from_db()
    return device


def town_of(device: Device) -> Visibility:
    own = frozenset({device.owner_id})
    scopes = frozenset({Scope.READ, Scope.WRITE})
    return Visibility(
        actor="token:1", organisations=own, writes=own, scopes=scopes, home=device.owner_id
    )


def tell(device: Device, by: Visibility | None = None, **parameters: Any) -> int:
    tasks.offer()
    values = {
        "tasking_capability": DeviceTasks.objects.get(device=device).capability,
        "tasking_parameters": parameters,
        "creation_time": now_us(),
    }
    return create("Task", values, by or town_of(device))


def shown(task: int) -> dict[str, Any]:
    tasks.look()
    held = Task.objects.get(pk=task).properties
    told: dict[str, Any] = held["downlink"] if held else {}
    return told


def test_a_device_that_can_be_told_something_is_offered_once(device: Device) -> None:
    for _ in range(2):
        tasks.offer()
    (capability,) = TaskingCapability.objects.all()
    assert capability.owner_id == device.owner_id
    assert capability.access == "organisation"
    assert [each["name"] for each in capability.tasking_parameters["field"]] == [
        "bytes",
        "port",
        "confirmed",
    ]
    delete("TaskingCapability", capability.pk, town_of(device))
    tasks.offer()
    assert not TaskingCapability.objects.exists()  # somebody does not want it


@pytest.mark.parametrize(
    "text", ["function decodeUplink() { return {data: {}} }", "// encodeDownlink is missing"]
)
def test_a_device_whose_codec_does_not_encode_is_not_offered(device: Device, text: str) -> None:
    give_codec(device.pk, text)
    tasks.offer()
    assert not TaskingCapability.objects.exists()


def test_a_device_on_the_thing_of_another_organisation_is_not_offered(device: Device) -> None:
    thing = device.fields.order_by("pk")[0].datastream.thing
    type(thing).objects.filter(pk=thing.pk).update(owner=make_organisation("neighbour"))
    tasks.offer()
    assert not TaskingCapability.objects.exists()


def test_bytes_are_queued_as_the_task_says_and_only_once(device: Device) -> None:
    task = tell(device, bytes="010f", port=10, confirmed=True)
    for _ in range(3):
        assert shown(task)["state"] == "queued"
    (made,) = Downlink.objects.all()
    assert (bytes(made.payload), made.f_port, made.confirmed) == (b"\x01\x0f", 10, True)
    assert made.created_by == f"task:{task}"


def test_what_becomes_of_the_message_is_written_to_the_task(device: Device) -> None:
    task = tell(device, bytes="01", port=10)
    tasks.look()
    for state in (State.HANDED_OVER, State.SENT, State.ACKNOWLEDGED):
        Downlink.objects.update(state=state)
        assert shown(task)["state"] == state
    assert shown(task)["description"] == "acknowledged by the device"


def test_an_object_is_encoded_by_the_devices_codec(device: Device) -> None:
    task = tell(device, minutes=15)
    assert shown(task)["state"] == "queued"
    made = Downlink.objects.get()
    assert (bytes(made.payload), made.f_port, made.asked) == (b"\x01\x0f", 85, {"minutes": 15})
    refused = tell(device, minutes=300)
    assert "at most 255 minutes" in shown(refused)["problem"]
    assert shown(refused)["state"] == "failed"
    assert Downlink.objects.count() == 1
    public.stop()


def test_a_task_without_a_port_fails_and_says_so(device: Device) -> None:
    assert "port" in shown(tell(device, bytes="01"))["problem"]


def test_a_task_that_waited_for_more_than_a_day_is_not_sent(device: Device) -> None:
    task = tell(device, bytes="01", port=1)
    Task.objects.update(creation_time=Task.objects.get().creation_time - DAY - 1)
    assert shown(task)["state"] == "failed"
    assert "more than a day" in shown(task)["problem"]
    assert not Downlink.objects.exists()


def test_a_task_waits_while_too_many_messages_do(device: Device) -> None:
    for _ in range(20):
        public.send_downlink(device, "00", 1, actor="user:1")
    task = tell(device, bytes="01", port=1)
    assert shown(task) == {}
    Downlink.objects.update(state=State.SENT)
    assert shown(task)["state"] == "queued"


def test_a_deleted_task_is_withdrawn_as_long_as_it_waits(device: Device) -> None:
    task = tell(device, bytes="01", port=1)
    tasks.look()
    delete("Task", task, town_of(device))
    tasks.look()
    made = Downlink.objects.get()
    assert (made.state, made.reason) == (State.FAILED, "withdrawn")


def test_who_may_not_change_the_thing_cannot_tell_its_device_anything(device: Device) -> None:
    own, other = frozenset({device.owner_id}), frozenset({device.owner_id + 1})
    writes = frozenset({Scope.READ, Scope.WRITE})
    stranger = Visibility(actor="token:2", organisations=other, writes=other, scopes=writes)
    with pytest.raises(Invalid, match="tasking_capability"):  # what they cannot see is not there
        tell(device, stranger, bytes="01", port=1)
    reader = Visibility(actor="token:3", organisations=own, scopes=frozenset({Scope.READ}))
    with pytest.raises(Forbidden):
        tell(device, reader, bytes="01", port=1)
    tasks.look()
    assert not Downlink.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_look_at_the_same_time_send_it_once(town: Town) -> None:
    device = ready(town)
    told = [tell(device, bytes=f"{number:02x}", port=1) for number in range(5)]
    begin = threading.Barrier(3)
    problems: list[BaseException] = []

    def look() -> None:
        begin.wait()
        try:
            tasks.take()
        except BaseException as problem:  # noqa: BLE001 - told to the test
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert [bytes(each.payload).hex() for each in Downlink.objects.order_by("created_at", "pk")] == [
        f"{number:02x}" for number in range(5)
    ]  # fmt: skip
    assert set(TaskedDownlink.objects.values_list("task", flat=True)) == set(told)


def test_whether_a_codec_encodes_shows_in_its_text() -> None:
    for text in (
        "function encodeDownlink(i) {}",
        "exports.encodeDownlink = x",
        "function Encoder (o) {}",
    ):
        assert describing.encodes(text)
    for text in ("", "function decodeUplink() {}", "// an Encoder is missing"):
        assert not describing.encodes(text)
