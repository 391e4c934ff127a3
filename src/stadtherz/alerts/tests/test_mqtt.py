"""Alerts published to a real Mosquitto: taken when it says so, and only where the account may write."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import paho.mqtt.client as paho
import pytest
from django.core.exceptions import ValidationError
from paho.mqtt.enums import CallbackAPIVersion

from stadtherz.alerts.models import Address, Channel, Contact, Delivery, Gateway
from stadtherz.alerts.outbox import watching
from stadtherz.alerts.public import add_gateway, change, send_due, try_gateway
from stadtherz.alerts.tests.factories import Ward, make_ward
from stadtherz.alerts.tests.processes import eventually
from stadtherz.base.errors import Invalid
from stadtherz.base.time import now_us
from stadtherz.ingest.tests.broker import Broker

Status = Delivery.Status
TOPIC = "stadt/alarme"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    folder = tmp_path / "broker"
    folder.mkdir()
    running = Broker(folder)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def ward(transactional_db: None) -> Ward:
    made = make_ward([])
    contact = Contact.objects.create(owner_id=made.organisation, name="Anzeigetafel")
    Address.objects.create(contact=contact, channel=Channel.MQTT, address=TOPIC)
    contact.lists.add(made.recipients)
    return made


class Board:
    """Somebody who listens at the broker."""

    def __init__(self, broker: Broker) -> None:
        self.heard: list[Any] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        ready: list[bool] = []
        self._client.on_message = lambda _c, _d, message: self.heard.append(message)
        self._client.on_subscribe = lambda *_args: ready.append(True)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        self._client.subscribe("#", 1)
        assert eventually(lambda: bool(ready))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def gateway(broker: Broker, **more: Any) -> None:
    add_gateway("broker", "mqtt", {"host": "127.0.0.1", "port": broker.port, "tls": False, **more})


def test_an_event_is_published_once(ward: Ward, broker: Broker) -> None:
    broker.start()
    gateway(broker)
    board = Board(broker)
    try:
        change(ward.goes(0, 2, observation=1))
        assert (send_due(), send_due()) == (1, 0)
        assert eventually(lambda: bool(board.heard))
    finally:
        board.close()
    (message,) = board.heard
    document = orjson.loads(message.payload)
    assert (message.topic, message.qos, message.retain) == (TOPIC, 1, False)
    assert (document["type"], document["data"]["severity"]) == ("alert.raised", "danger")
    assert "answer" not in document["data"]  # who may read the topic may not answer for somebody
    sent = Delivery.objects.get()
    assert (sent.status, sent.gateway) == (Status.SENT, "broker")


def test_a_broker_that_is_away_gets_it_later(ward: Ward, broker: Broker) -> None:
    gateway(broker)
    change(ward.goes(0, 2, observation=1))
    send_due()
    assert Delivery.objects.get().status == Status.QUEUED
    assert Gateway.objects.get().unreached
    broker.start()
    watching.check(now_us())
    Delivery.objects.update(next_attempt=0)
    send_due()
    assert Delivery.objects.get().status == Status.SENT


def test_where_the_account_may_not_write_nothing_is_taken_for_sent(
    ward: Ward, broker: Broker
) -> None:
    passwords = broker.passwords(stadt="geheim")
    rights = passwords.with_name("rights")
    rights.write_text("user stadt\ntopic write stadt/anderes\n")
    rights.chmod(0o700)
    broker.configure("allow_anonymous false", f"password_file {passwords}", f"acl_file {rights}")
    broker.start()
    settings = {"host": "127.0.0.1", "port": broker.port, "tls": False, "user": "stadt"}
    add_gateway("broker", "mqtt", settings, secret="geheim")
    change(ward.goes(0, 2, observation=1))
    send_due()
    waits = Delivery.objects.get()
    assert (waits.status, waits.error) == (Status.QUEUED, "Not authorized")
    try_gateway("broker", "stadt/anderes", "Test")


def test_a_wrong_password_is_told(ward: Ward, broker: Broker) -> None:
    passwords = broker.passwords(stadt="geheim")
    broker.configure("allow_anonymous false", f"password_file {passwords}")
    broker.start()
    settings = {"host": "127.0.0.1", "port": broker.port, "tls": False, "user": "stadt"}
    add_gateway("broker", "mqtt", settings, secret="falsch")
    change(ward.goes(0, 2, observation=1))
    send_due()
    assert Delivery.objects.get().status == Status.QUEUED
    assert Gateway.objects.get().failing_since is not None


def test_settings_that_do_not_fit_are_named(db: None) -> None:
    for settings, field in (
        ({}, "host"),
        ({"host": "broker.example", "tls": False}, "tls"),
        ({"host": "broker.example", "ca": "x"}, "ca"),
    ):
        with pytest.raises(Invalid) as wrong:
            add_gateway("broker", "mqtt", settings)
        assert wrong.value.field == field


@pytest.mark.parametrize("topic", ["", "stadt/+/x", "#", "$SYS/x", "a\nb"])
def test_what_is_no_topic_is_refused(db: None, topic: str) -> None:
    contact = Contact.objects.create(owner_id=make_ward([]).organisation, name="Tafel")
    with pytest.raises(ValidationError) as wrong:
        Address(contact=contact, channel=Channel.MQTT, address=topic).clean()
    assert list(wrong.value.message_dict) == ["address"]
