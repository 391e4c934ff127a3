"""Push messages: encrypted for the device alone, signed by this city, once, to staff and to citizens."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import http_ece
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from stadtherz.alerts.channels.webpush import LARGEST, device, new_keys, shortened
from stadtherz.alerts.citizens.subscribing import Wish, confirm, subscribe_device
from stadtherz.alerts.models import (
    Address,
    Alert,
    Channel,
    Contact,
    Delivery,
    ServerKey,
    Subscriber,
)
from stadtherz.alerts.outbox.pushing import public_key
from stadtherz.alerts.public import change, send_due
from stadtherz.alerts.tests import receiver as receivers
from stadtherz.alerts.tests.factories import Ward, make_ward
from stadtherz.alerts.tests.mailserver import MailServer
from stadtherz.alerts.tests.receiver import Receiver, Request
from stadtherz.base.errors import Invalid

Status = Delivery.Status


class Phone:
    """A browser's side of it: only this can read what is pushed."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = b"0123456789abcdef"

    @property
    def subscription(self) -> dict[str, Any]:
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": _written(point), "auth": _written(self._auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def read(self, request: Request) -> dict[str, Any]:
        assert request.headers["content-encoding"] == "aes128gcm"
        text = http_ece.decrypt(
            request.body, private_key=self._key, auth_secret=self._auth, version="aes128gcm"
        )
        found: dict[str, Any] = orjson.loads(text)
        return found


def _written(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@pytest.fixture
def server(transactional_db: None, settings: Any) -> Iterator[Receiver]:
    """The push server of a browser's maker."""
    settings.STADTHERZ = {**settings.STADTHERZ, "call_private": True}
    with receivers.running() as running:
        yield running


def carried(phone: Phone, *more: tuple[str, str, str]) -> Ward:
    """A person with this phone, and what stands in for it."""
    ward = make_ward([])
    contact = Contact.objects.create(owner_id=ward.organisation, name="Wehr", language="de")
    found = device(phone.subscription)
    Address.objects.create(
        contact=contact, channel=Channel.PUSH, address=phone.endpoint, details=found.details
    )
    for place, (channel, address, use) in enumerate(more, start=1):
        Address.objects.create(
            contact=contact, channel=channel, address=address, use=use, sort_order=place
        )
    contact.lists.add(ward.recipients)
    return ward


def test_only_the_device_can_read_it_and_the_server_knows_whose_it_is(server: Receiver) -> None:
    phone = Phone(f"{server.url}/send/1")
    ward = carried(phone)
    change(ward.goes(0, 2, observation=1))
    assert (send_due(), send_due()) == (1, 0)
    (request,) = server.requests
    shown, alert = phone.read(request), Alert.objects.get()
    assert b"Alarm" not in request.body
    assert (shown["title"], shown["body"]) == ("de Alarm: Pegel Lauterstraße", "Die Lauter: Alarm.")
    assert (shown["code"], shown["tag"]) == (alert.code, f"alert-{alert.pk}")
    assert "/q/" in shown["url"]
    assert request.headers["topic"] == f"alert-{alert.pk}"
    assert (request.headers["urgency"], request.headers["ttl"]) == ("high", "3600")
    assert Vapid02.verify(request.headers["authorization"])
    assert request.headers["authorization"].endswith(f"k={public_key()}")
    assert Delivery.objects.get().status == Status.SENT


def test_the_link_of_the_message_takes_the_alert_on(server: Receiver, client: Any) -> None:
    phone = Phone(f"{server.url}/send/1")
    ward = carried(phone)
    change(ward.goes(0, 2, observation=1))
    send_due()
    url = phone.read(server.requests[0])["take"]["url"]
    client.post("/" + url.split("/", 3)[3])
    assert Alert.objects.get().acknowledged_by == "Wehr"


def test_citizens_are_told_on_their_devices_without_any_mail_server(server: Receiver) -> None:
    phone, ward = Phone(f"{server.url}/citizen"), make_ward([])
    subscribe_device(phone.subscription, language="en", wishes=[Wish()])
    change(replace(ward.goes(0, 1, observation=1), public=True, recipients=None))
    send_due()
    assert server.requests == []  # nobody is told before having confirmed
    confirm(Subscriber.objects.get())
    change(replace(ward.goes(1, 2, observation=2), public=True, recipients=None))
    server.answers = [(201, {}), (410, {})]
    send_due()
    shown = phone.read(server.requests[0])
    assert shown["title"] == "en Alarm: Pegel Lauterstraße"
    assert ("take" in shown, "/warnungen/abo/" in shown["leave"]["url"]) == (False, True)
    change(replace(ward.goes(2, 0, observation=3), public=True, recipients=None))
    send_due()
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("status", [404, 410])
def test_a_device_that_is_gone_is_forgotten_and_another_way_is_taken(
    server: Receiver, mails: MailServer, status: int
) -> None:
    server.answers = [(status, {})]
    ward = carried(Phone(f"{server.url}/x"), (Channel.EMAIL, "w@stadt.example", "instead"))
    change(ward.goes(0, 2, observation=1))
    send_due()
    send_due()
    assert mails.subjects() == ["de Alarm: Pegel Lauterstraße"]
    assert not Address.objects.filter(channel=Channel.PUSH).exists()


def test_a_busy_server_is_asked_again_later(server: Receiver) -> None:
    server.answers = [(503, {"Retry-After": "60"})]
    ward = carried(Phone(f"{server.url}/x"))
    change(ward.goes(0, 2, observation=1))
    send_due()
    assert Delivery.objects.get().status == Status.QUEUED
    assert Address.objects.exists()


def test_the_keys_of_the_city_are_made_once_and_lie_sealed(db: None) -> None:
    assert public_key() == public_key()
    kept = ServerKey.objects.get()
    assert "PRIVATE" not in kept.secret
    assert new_keys()[1] != kept.public


def test_a_long_message_is_cut_where_it_may_be() -> None:
    body = orjson.loads(
        shortened({"title": "Flut", "body": "ä" * 5_000, "url": "https://s.example"})
    )
    assert len(orjson.dumps(body)) <= LARGEST
    assert (body["title"], body["body"][-1]) == ("Flut", "…")


@pytest.mark.parametrize(
    ("change_", "field"),
    [
        ({"endpoint": "https://10.0.0.1/x"}, "address"),
        ({"endpoint": "http://push.example/x"}, "address"),
        ({"endpoint": 7}, "endpoint"),
        ({"keys": {"p256dh": "AAAA", "auth": "x"}}, "p256dh"),
        (
            {"keys": {"p256dh": _written(b"\x04" + bytes(64)), "auth": _written(bytes(16))}},
            "p256dh",
        ),
        ({"keys": None}, "subscription"),
    ],
)
def test_what_is_no_subscription_is_refused(change_: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as wrong:
        device({**Phone("https://push.example/x").subscription, **change_})
    assert wrong.value.field == field
