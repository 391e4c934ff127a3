"""kill -9 between a broker and the store: no message missing, none twice."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from stadtherz.ingest.connections.models import Connection, ConnectionClient
from stadtherz.ingest.downlinks.models import Downlink, DownlinkWay
from stadtherz.ingest.models import Device
from stadtherz.ingest.public import add_connection, send_downlink
from stadtherz.ingest.refused.models import RefusedUplink
from stadtherz.ingest.tests.broker import Broker, eventually, publisher
from stadtherz.ingest.tests.factories import EUI, Town, as_bytes, results, tts
from stadtherz.store.database import writing
from tests.forked import forked

PROGRAM = Path(__file__).with_name("connection_process.py")
UP = f"v3/town@ttn/devices/device-{EUI.lower()}/up"

pytestmark = pytest.mark.process


@contextmanager
def running(data: Path) -> Iterator[None]:
    """The clients at work; at the end comes kill -9."""
    with forked(PROGRAM, STADTHERZ_DATA=str(data)) as process:
        assert process.stdout.readline() == "runs\n"
        yield


@pytest.fixture
def broker(transactional_db: None, town: Town, tmp_path: Path) -> Iterator[Broker]:
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    started = Broker(folder).start()
    where = {"host": "127.0.0.1", "port": started.port, "tls": False}
    add_connection(town.organisation, "Broker", network="tts", **where)
    yield started
    started.stop()


def is_connected() -> bool:
    return ConnectionClient.objects.filter(state="connected").exists()


def test_killed_again_and_again_it_misses_nothing_and_stores_nothing_twice(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    published = 0
    ending = threading.Event()

    def publish() -> None:
        nonlocal published
        with publisher(broker.port) as client:
            while not ending.is_set():
                document = as_bytes(tts(published, level_cm=published % 400))
                client.publish(UP, document, 1).wait_for_publish(30)
                published += 1
                time.sleep(0.005)

    with running(tmp_path):
        eventually(is_connected, "connected")
        publisher_thread = threading.Thread(target=publish)
        publisher_thread.start()
        eventually(lambda: len(results(town.level)) > 20, "some are stored")
    with running(tmp_path):
        eventually(lambda: len(results(town.level)) > 150, "more are stored")
    ending.set()
    publisher_thread.join()
    with running(tmp_path):
        eventually(lambda: len(results(town.level)) >= published, "all are stored")
        time.sleep(0.5)  # what would come twice comes now
    assert sorted(results(town.level)) == sorted(number % 400 for number in range(published))
    assert not RefusedUplink.objects.exists()


def test_what_the_store_cannot_take_is_not_acknowledged_and_comes_again(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    with running(tmp_path):
        eventually(is_connected, "connected")
        with writing():  # nobody else can store anything
            broker.publish(UP, *(tts(number, level_cm=number) for number in range(5)))
            time.sleep(1)
            assert results(town.level) == []
    with running(tmp_path):
        eventually(lambda: len(results(town.level)) == 5, "the broker has sent them again")
    assert results(town.level) == [0, 1, 2, 3, 4]


def test_killed_while_it_hands_over_it_sends_nothing_twice_and_says_what_is_uncertain(
    town: Town, broker: Broker, tmp_path: Path
) -> None:
    device = Device.objects.get(pk=town.device)
    way = f"v3/town@ttn/devices/device-{EUI.lower()}"
    DownlinkWay.objects.create(device=device, connection=Connection.objects.get(), topic=way)
    asked = [send_downlink(device, f"{number:02x}", 1, actor="test") for number in range(20)]
    came: list[str] = []

    def take(_client: Any, _data: Any, message: Any) -> None:
        came.extend(orjson.loads(message.payload)["downlinks"][0]["correlation_ids"])

    with publisher(broker.port) as network:
        network.on_message = take
        network.subscribe(f"{way}/down/push", 1)
        with running(tmp_path):
            eventually(lambda: len(came) > 2, "some are handed over")
        with running(tmp_path):
            waits = Downlink.objects.filter(state__in=("queued", "handing_over"))
            eventually(lambda: not waits.exists(), "the rest is handed over, or uncertain")
            time.sleep(0.5)
    assert len(came) == len(set(came))
    handed = {str(each.key) for each in Downlink.objects.filter(state="handed_over")}
    uncertain = {str(each.key) for each in Downlink.objects.filter(state="unknown")}
    assert handed | uncertain == {str(each.key) for each in asked}
    assert handed <= {each.removeprefix("stadtherz:") for each in came} <= handed | uncertain
    assert len(uncertain) <= 1
