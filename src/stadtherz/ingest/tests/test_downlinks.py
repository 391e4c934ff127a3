"""Messages to devices: asked for, encoded, handed over once, and followed by what networks tell."""

import threading
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import paho.mqtt.client as paho
import pytest

from stadtherz.base.errors import Conflict, Invalid, NotFound
from stadtherz.base.time import DAY
from stadtherz.ingest import public
from stadtherz.ingest.connections.keeper import Keeper
from stadtherz.ingest.downlinks import documents, handing
from stadtherz.ingest.downlinks.documents import Content, Push
from stadtherz.ingest.downlinks.handing import Fate
from stadtherz.ingest.downlinks.models import Downlink, DownlinkWay
from stadtherz.ingest.downlinks.states import State
from stadtherz.ingest.models import Device
from stadtherz.ingest.public import add_connection, send_again, send_downlink, withdraw
from stadtherz.ingest.tests.broker import Broker, eventually, publisher
from stadtherz.ingest.tests.factories import EUI, Door, Town, chirpstack, make_town, results
from stadtherz.ingest.tests.test_codecs import give_codec
from stadtherz.ingest.tests.test_connections import is_connected
from stadtherz.store.public import stop_writer

WAY = f"application/1/device/{EUI.lower()}"
INTERVAL = """function encodeDownlink(input) {
  if (input.data.minutes > 255) return {errors: ["at most 255 minutes"]};
  return {bytes: [1, input.data.minutes], fPort: 85};
}"""


@pytest.fixture
def device(town: Town) -> Device:
    """The town's device, reached by a connection."""
    Device.objects.filter(pk=town.device).update(network="chirpstack")
    device = Device.objects.get(pk=town.device)
    where = {"network": "chirpstack", "host": "a.example"}
    made = add_connection(town.organisation, "Broker", **where)
    DownlinkWay.objects.create(device=device, connection=made, topic=WAY)
    return device


def ask(device: Device, content: str = "01ff", f_port: int | None = 10, **more: Any) -> Downlink:
    return send_downlink(device, content, f_port, actor="user:1", **more)


def state_of(downlink: Downlink) -> str:
    downlink.refresh_from_db()
    return downlink.state


def hand_over(device: Device, fate: Fate = Fate.TAKEN) -> list[Push]:
    sent: list[Push] = []

    def publish(push: Push) -> Fate:
        sent.append(push)
        return fate

    handing.hand_over_due(device.way.connection_id, "chirpstack", publish)
    return sent


# --- asking --------------------------------------------------------------------------------------


def test_bytes_are_kept_as_they_are_written(device: Device) -> None:
    assert bytes(ask(device, "01 FF:0a-00").payload) == b"\x01\xff\x0a\x00"


def test_an_object_becomes_what_the_devices_codec_makes_of_it(device: Device) -> None:
    give_codec(device.pk, INTERVAL)
    device.refresh_from_db()
    made = ask(device, '{"minutes": 15}', None)
    assert (bytes(made.payload), made.f_port) == (b"\x01\x0f", 85)
    assert ask(device, '{"minutes": 15}', 3).f_port == 3
    public.stop()


@pytest.mark.parametrize(
    ("content", "f_port", "field"),
    [
        ("", 1, "content"),
        ("0", 1, "content"),
        ("xy", 1, "content"),
        ("00" * 243, 1, "content"),
        ("00", 0, "port"),
        ("00", 224, "port"),
        ("00", None, "port"),
        ('{"a": ', 1, "content"),
        ('{"a": 1}', 1, "content"),
        ("{" * 20_000, 1, "content"),
    ],
)
def test_what_cannot_be_sent_is_named(
    device: Device, content: str, f_port: int | None, field: str
) -> None:
    with pytest.raises(Invalid) as problem:
        ask(device, content, f_port)
    assert problem.value.field == field


@pytest.mark.parametrize(
    "text",
    [
        "function Decoder(bytes) { return {} }",
        "function encodeDownlink() { return {errors: ['no']} }",
        "function encodeDownlink() { return {bytes: [256]} }",
        "function encodeDownlink() { return {bytes: 'ab', fPort: 1} }",
        "function encodeDownlink() { return {bytes: {length: 2e9}} }",
        "function encodeDownlink() { return null }",
        "async function encodeDownlink() { return {bytes: [1]} }",
        "function encodeDownlink() { throw {toString() { for (;;); }} }",
        "function encodeDownlink() { for (;;); }",
    ],
)
def test_a_codec_that_cannot_encode_is_named_and_sends_nothing(device: Device, text: str) -> None:
    give_codec(device.pk, text)
    device.refresh_from_db()
    with pytest.raises(Invalid, match="content"):
        ask(device, '{"a": 1}')
    assert not Downlink.objects.exists()
    public.stop()


def test_a_device_nobody_knows_the_way_to_gets_nothing(town: Town) -> None:
    with pytest.raises(Conflict):
        ask(Device.objects.get(pk=town.device))


def test_only_so_many_wait(device: Device) -> None:
    for _ in range(20):
        ask(device)
    with pytest.raises(Conflict):
        ask(device)


# --- handing over --------------------------------------------------------------------------------


def test_networks_get_their_own_form() -> None:
    content = Content("k", EUI, 15, b"\xbe\xef", confirmed=True)
    push = documents.push("chirpstack", WAY, content)
    assert push.topic == f"{WAY}/command/down"
    assert orjson.loads(push.body) == {
        "id": "k",
        "devEui": EUI.lower(),
        "confirmed": True,
        "fPort": 15,
        "data": "vu8=",
    }
    push = documents.push("tts", "v3/app@ttn/devices/dev1", content)
    assert push.topic == "v3/app@ttn/devices/dev1/down/push"
    (downlink,) = orjson.loads(push.body)["downlinks"]
    assert downlink["frm_payload"] == "vu8="
    assert downlink["correlation_ids"] == ["stadtherz:k"]


def test_each_is_handed_over_once_and_in_order(device: Device) -> None:
    first, second = ask(device, "01"), ask(device, "02")
    sent = hand_over(device)
    assert [b64decode(orjson.loads(each.body)["data"]) for each in sent] == [b"\x01", b"\x02"]
    assert hand_over(device) == []
    assert state_of(first) == state_of(second) == State.HANDED_OVER


@pytest.mark.parametrize(
    ("fate", "state"),
    [
        (Fate.NOT_SENT, State.QUEUED),
        (Fate.REFUSED, State.FAILED),
        (Fate.PERHAPS, State.UNKNOWN),
    ],
)
def test_what_became_of_it_is_recorded(device: Device, fate: Fate, state: State) -> None:
    made = ask(device)
    assert len(hand_over(device, fate)) == 1
    assert state_of(made) == state
    assert bool(made.sentence) is (state != State.QUEUED)


def test_one_that_a_process_was_handing_over_is_not_sent_again_by_itself(device: Device) -> None:
    made = ask(device)
    Downlink.objects.update(state=State.HANDING_OVER, connection=device.way.connection)
    handing.settle_interrupted(device.way.connection_id)
    assert state_of(made) == State.HANDING_OVER  # another client may be at it
    handing.settle_interrupted(device.way.connection_id, older_than=0)
    assert state_of(made) == State.UNKNOWN
    assert hand_over(device) == []
    again = send_again(made, actor="user:2")
    assert len(hand_over(device)) == 1
    assert (state_of(made), state_of(again)) == (State.FAILED, State.HANDED_OVER)
    with pytest.raises(NotFound):
        send_again(made, actor="user:2")


def test_one_that_waited_for_long_is_not_sent_any_more(device: Device) -> None:
    made = ask(device)
    Downlink.objects.update(created_at=made.created_at - DAY - 1)
    assert hand_over(device) == []
    assert (state_of(made), made.reason) == (State.FAILED, "too_old")


def test_one_that_waits_can_be_withdrawn(device: Device) -> None:
    made = ask(device)
    withdraw(made)
    assert hand_over(device) == []
    with pytest.raises(NotFound):
        withdraw(made)


# --- what networks tell --------------------------------------------------------------------------


def news(event: str, key: object, eui: str = EUI, **more: Any) -> tuple[str, dict[str, Any]]:
    document = {"deviceInfo": {"devEui": eui.lower()}, "queueItemId": str(key), **more}
    return f"/ingest/chirpstack?event={event}", document


def test_what_chirpstack_tells_is_followed(door: Door, town: Town, transactional_db: None) -> None:
    Device.objects.filter(pk=town.device).update(network="chirpstack")
    made = Downlink.objects.create(
        device_id=town.device, f_port=1, payload=b"", created_at=1, changed_at=1, state="unknown"
    )
    make_town("stranger", "0C" * 8, network="chirpstack")

    def tell(event: str, **more: Any) -> str:
        path, document = news(event, made.key, **more)
        assert door.post(document, path=path).status_code == 200
        return state_of(made)

    assert tell("ack", eui="0C" * 8, acknowledged=True) == State.UNKNOWN  # not its device
    assert tell("txack") == State.SENT
    assert tell("ack") == State.FAILED
    assert made.reason == "nack"
    assert tell("ack", acknowledged=True) == State.ACKNOWLEDGED
    assert tell("txack") == State.ACKNOWLEDGED  # late
    for odd in (7, None, {"a": 1}, "no uuid"):
        door.post({"deviceInfo": {"devEui": EUI.lower()}, "queueItemId": odd}, path=path_of("ack"))
    Downlink.objects.update(state=State.HANDED_OVER)
    context = {"level": "ERROR", "code": "EXPIRED", "context": {"queue_item_id": str(made.key)}}
    assert tell("log", **context) == State.FAILED
    assert "EXPIRED" in made.sentence


def path_of(event: str) -> str:
    return f"/ingest/chirpstack?event={event}"


@pytest.mark.parametrize(
    ("member", "state"),
    [
        ("downlink_queued", State.HANDED_OVER),
        ("downlink_sent", State.SENT),
        ("downlink_ack", State.ACKNOWLEDGED),
        ("downlink_nack", State.FAILED),
        ("downlink_failed", State.FAILED),
    ],
)
def test_what_the_things_stack_tells_is_followed(
    door: Door, town: Town, transactional_db: None, member: str, state: State
) -> None:
    made = Downlink.objects.create(
        device_id=town.device, f_port=1, payload=b"", created_at=1, changed_at=1, state="unknown"
    )
    ids = ["as:downlink:01", f"stadtherz:{made.key}"]
    held: dict[str, Any] = {"f_port": 1, "correlation_ids": ids}
    if member == "downlink_failed":
        held = {"downlink": held, "error": {"message_format": "no session"}}
    door.post({"end_device_ids": {"device_id": "d", "dev_eui": EUI}, member: held})
    assert state_of(made) == state
    if member == "downlink_failed":
        assert "no session" in made.sentence


# --- with a broker in between --------------------------------------------------------------------


@pytest.fixture
def broker(tmp_path: Path, settings: Any, town: Town, transactional_db: None) -> Iterator[Broker]:
    settings.DATA = tmp_path
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    started = Broker(folder).start()
    Device.objects.filter(pk=town.device).update(network="chirpstack")
    where = {"network": "chirpstack", "host": "127.0.0.1", "port": started.port, "tls": False}
    add_connection(town.organisation, "Broker", **where)
    keeper = Keeper()
    keeper.start()
    yield started
    keeper.stop()
    started.stop()
    public.stop()
    stop_writer()


def test_a_message_goes_the_way_that_the_devices_own_came(town: Town, broker: Broker) -> None:
    eventually(is_connected, "connected")
    got: list[paho.MQTTMessage] = []
    came = threading.Event()

    def take(_client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        got.append(message)
        came.set()

    with publisher(broker.port) as network:
        network.on_message = take
        network.subscribe("application/+/device/+/command/down", 1)
        broker.publish(f"{WAY}/event/up", chirpstack(1, level_cm=7))
        eventually(DownlinkWay.objects.exists, "the way is known")
        made = ask(Device.objects.get(pk=town.device), "0102", 85, confirmed=True)
        assert came.wait(30)
        eventually(lambda: state_of(made) == State.HANDED_OVER, "it is handed over")
    told = orjson.loads(got[0].payload)
    assert got[0].topic == f"{WAY}/command/down"
    assert (told["id"], told["fPort"], told["data"]) == (str(made.key), 85, "AQI=")
    broker.publish(
        f"{WAY}/event/ack",
        {"deviceInfo": {"devEui": EUI.lower()}, "queueItemId": told["id"], "acknowledged": True},
    )
    eventually(lambda: state_of(made) == State.ACKNOWLEDGED, "the device has it")
    assert results(town.level) == [7]
    assert len(got) == 1
