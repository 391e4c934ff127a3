"""Clients of outside brokers: a real Mosquitto in between, which goes, refuses and comes back."""

import gc
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stadtherz.ingest import public
from stadtherz.ingest.connections import leases
from stadtherz.ingest.connections.keeper import Keeper
from stadtherz.ingest.connections.models import Connection, ConnectionClient
from stadtherz.ingest.public import add_connection
from stadtherz.ingest.refused.models import RefusedUplink
from stadtherz.ingest.tests.broker import Broker, eventually
from stadtherz.ingest.tests.factories import (
    EUI,
    Town,
    chirpstack,
    make_town,
    results,
    tts,
)
from stadtherz.store.public import stop_writer

UP = f"v3/town@ttn/devices/device-{EUI.lower()}/up"
Connect = Callable[..., Connection]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, settings: Any) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    started = Broker(folder).start()
    yield started
    started.stop()


@pytest.fixture
def keeper(transactional_db: None) -> Iterator[Keeper]:
    keeper = Keeper()
    yield keeper
    keeper.stop()
    public.stop()
    stop_writer()


@pytest.fixture
def connect(town: Town, broker: Broker, keeper: Keeper) -> Connect:
    """A connection of the town, and its client at work."""

    def make(**values: Any) -> Connection:
        given = {"network": "tts", "host": "127.0.0.1", "port": broker.port, "tls": False}
        made = add_connection(town.organisation, "Broker", **(given | values))
        keeper.start()
        keeper.wake()
        return made

    return make


def client() -> ConnectionClient:
    return ConnectionClient.objects.get(number=0)


def is_connected() -> bool:
    return ConnectionClient.objects.filter(state="connected").exists()


def has_problem(problem: str) -> bool:
    return ConnectionClient.objects.filter(problem=problem).exists()


def test_what_a_network_publishes_becomes_a_reading(
    town: Town, broker: Broker, connect: Connect
) -> None:
    connect()
    eventually(is_connected, "connected")
    broker.publish(UP, *(tts(number, level_cm=number) for number in range(1, 4)))
    eventually(lambda: results(town.level) == [1, 2, 3], "the readings are stored")
    eventually(lambda: client().messages == 3, "it is told how many came")
    assert client().last_message is not None
    assert client().doing.level == "ok"


def test_chirpstacks_topic_tells_the_event(town: Town, broker: Broker, connect: Connect) -> None:
    make_town("neighbour", "0A" * 8, network="chirpstack")
    mine = make_town("second", "0B" * 8, network="chirpstack")
    connect(network="chirpstack")
    Connection.objects.update(owner=mine.organisation)
    eventually(is_connected, "connected")
    topic = f"application/1/device/{'0b' * 8}"
    broker.publish(f"{topic}/event/status", {"deviceInfo": {"devEui": "0b" * 8}})
    broker.publish(f"{topic}/event/up", chirpstack(1, "0B" * 8, level_cm=7))
    eventually(lambda: results(mine.level) == [7], "the reading is stored")
    assert not RefusedUplink.objects.exists()


def test_what_is_published_while_nobody_listens_comes_afterwards(
    town: Town, broker: Broker, connect: Connect, keeper: Keeper
) -> None:
    connect()
    eventually(is_connected, "connected")
    keeper.stop()
    assert client().holder == ""
    broker.publish(UP, *(tts(number, level_cm=number) for number in range(20)))
    keeper.start()
    eventually(lambda: len(results(town.level)) == 20, "the readings are stored")


def test_a_broker_that_goes_away_is_named_and_its_messages_come_when_it_is_back(
    town: Town, broker: Broker, connect: Connect
) -> None:
    connect()
    eventually(is_connected, "connected")
    broker.stop()
    eventually(lambda: client().state == "failed", "it is told")
    eventually(lambda: has_problem("nobody_listens"), "and why")
    assert str(broker.port) in client().problem_sentence
    broker.start()
    broker.publish(UP, tts(1, level_cm=1))
    eventually(lambda: results(town.level) == [1], "the session has outlived both")


def test_a_wrong_password_is_told_and_the_right_one_helps_at_once(
    town: Town, broker: Broker, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    broker.stop()
    file = broker.passwords(town="right-horse")
    broker.configure("allow_anonymous false", f"password_file {file}")
    broker.start()
    made = connect(user_name="town", password="wrong-horse", topic="v3/#")
    eventually(lambda: has_problem("credentials"), "it is told")
    assert client().doing.level == "danger"
    made.keep_password("right-horse")
    made.save()
    eventually(is_connected, "connected")
    broker.publish(UP, tts(1, level_cm=1), user="town", password="right-horse")
    eventually(lambda: results(town.level) == [1], "the reading is stored")
    assert "right-horse" not in caplog.text + str(Connection.objects.values().get())


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning"
)  # paho leaves a refused TLS socket to the collector
def test_an_encrypted_broker_is_believed_only_with_a_certificate(
    broker: Broker, connect: Connect
) -> None:
    made = connect(tls=True)
    eventually(lambda: has_problem("no_tls"), "nobody speaks TLS there")
    broker.stop()
    certificate = broker.certificate()
    broker.start()
    made.name = "Again"  # a changed record is tried at once
    made.save()
    eventually(lambda: has_problem("certificate"), "nobody vouches for it")
    made.ca = certificate
    made.save()
    eventually(is_connected, "connected")
    gc.collect()


def test_a_subscription_that_is_refused_is_told(broker: Broker, connect: Connect) -> None:
    broker.stop()
    broker.configure("allow_anonymous true", *broker.rights(subscribe=False))
    broker.start()
    for version in ("tts", "chirpstack"):
        Connection.objects.all().delete()
        connect(network=version, topic="v3/#")
        eventually(lambda: has_problem("subscription"), "it is told")
        assert "v3/#" in client().problem_sentence


def test_what_cannot_be_read_is_refused_and_does_not_come_again(
    town: Town, broker: Broker, connect: Connect, keeper: Keeper
) -> None:
    connect()
    eventually(is_connected, "connected")
    poison = [b"{", b"\xff\x00", b"[" * 5000, b'{"uplink_message": 1e999}', b"x" * 600_000]
    broker.publish(UP, *poison, tts(1, level_cm=1))
    eventually(lambda: results(town.level) == [1], "what is right is stored")
    eventually(lambda: RefusedUplink.objects.count() == 5, "the rest is kept")
    eventually(lambda: client().messages == 6, "all are acknowledged")
    keeper.stop()
    keeper.start()
    eventually(is_connected, "connected again")
    broker.publish(UP, tts(2, level_cm=2))
    eventually(lambda: results(town.level) == [1, 2], "the next reading is stored")
    assert set(RefusedUplink.objects.values_list("count", "owner")) == {(1, town.organisation)}
    assert set(RefusedUplink.objects.values_list("who", flat=True)) == {"connection:Broker"}


def test_a_network_nobody_reads_stops_nothing(town: Town, broker: Broker, connect: Connect) -> None:
    """A message whose reader fails in a way nobody foresaw is refused by itself."""
    connect(network="json", form="none", topic="#")
    Connection.objects.update(network="nobody")
    eventually(is_connected, "connected")
    broker.publish("a/b", {"a": 1}, {"a": 2})
    eventually(lambda: RefusedUplink.objects.count() == 2, "they are kept")


def test_another_organisations_device_is_unknown_here(broker: Broker, connect: Connect) -> None:
    stranger = make_town("stranger", "0C" * 8)
    connect()
    eventually(is_connected, "connected")
    broker.publish(UP, tts(1, "0C" * 8, level_cm=1))
    eventually(lambda: RefusedUplink.objects.count() == 1, "it is refused")
    assert RefusedUplink.objects.get().reason == "unknown_device"
    assert results(stranger.level) == []


def test_a_downlink_on_its_way_is_no_measurement(
    town: Town, broker: Broker, connect: Connect
) -> None:
    connect()
    eventually(is_connected, "connected")
    broker.publish(UP.replace("/up", "/down/push"), {"downlinks": []})
    broker.publish(UP, tts(1, level_cm=1))
    eventually(lambda: results(town.level) == [1], "the reading is stored")
    assert not RefusedUplink.objects.exists()


def test_a_changed_record_is_noticed(town: Town, broker: Broker, connect: Connect) -> None:
    made = connect(topic="elsewhere/#")
    eventually(is_connected, "connected")
    made.topic = "v3/#"
    made.save()
    eventually(lambda: client().subscribed == "v3/#", "the new topics")
    broker.publish("elsewhere/up", b"{")
    broker.publish(UP, tts(1, level_cm=1))
    eventually(lambda: results(town.level) == [1], "the reading is stored")
    assert not RefusedUplink.objects.exists()  # the old topics are not subscribed to any more
    made.active = False
    made.save()
    eventually(lambda: client().holder == "", "switched off")


def test_of_two_processes_only_one_is_the_client(
    town: Town, broker: Broker, connect: Connect, keeper: Keeper
) -> None:
    connect()
    eventually(is_connected, "connected")
    first = client().holder
    other = Keeper()
    try:
        for _ in range(3):
            other.round()
        assert client().holder == first
        keeper.stop()
        other.round()
        assert client().holder not in ("", first)
        broker.publish(UP, tts(1, level_cm=1))
        eventually(lambda: results(town.level) == [1], "the reading is stored")
    finally:
        other._leave()


def test_a_process_that_is_gone_is_noticed_at_once_and_one_elsewhere_when_its_lease_is_over(
    town: Town, tmp_path: Path
) -> None:
    made = add_connection(town.organisation, "Broker", network="tts", host="a.example", port=1)
    row = ConnectionClient.objects.create(connection=made)
    folder = tmp_path / "connections"
    dead, alive, here = leases.Holder(folder), leases.Holder(folder), leases.Holder(folder)
    elsewhere = leases.Holder(tmp_path / "elsewhere")
    for holder, gone in ((alive, False), (elsewhere, False), (dead, True)):
        ConnectionClient.objects.update(holder=holder.name, until=10**9)
        if holder is dead:
            import os

            os.close(dead._file)  # as the end of a process does
        row.refresh_from_db()
        assert here.take(row, 1) is gone
    ConnectionClient.objects.update(holder=elsewhere.name, until=10)
    row.refresh_from_db()
    assert here.take(row, 11)
    assert not elsewhere.renew(row.pk, 12)


def test_clients_of_a_shared_group_get_each_message_once(
    town: Town, broker: Broker, connect: Connect
) -> None:
    connect(group="stadtherz", clients=3)
    eventually(lambda: ConnectionClient.objects.filter(state="connected").count() == 3, "all three")
    broker.publish(UP, *(tts(number, level_cm=number) for number in range(60)))
    eventually(lambda: len(results(town.level)) == 60, "the readings are stored")

    def counts() -> list[int]:
        return list(ConnectionClient.objects.values_list("messages", flat=True))

    eventually(lambda: sum(counts()) == 60, "each came once")
    assert all(counts())
