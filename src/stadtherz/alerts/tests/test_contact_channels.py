"""The contact's form takes each channel, and says at which field what is wrong."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from stadtherz.alerts.models import Address, Channel, Contact
from stadtherz.alerts.public import add_contact
from stadtherz.alerts.tests.factories import make_ward
from stadtherz.alerts.tests.test_tasks import TEXT, siren
from stadtherz.identity.public import create_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> int:
    return make_ward([]).organisation


@pytest.fixture
def staff() -> Client:
    create_user("root@stadtherz.example", "long enough password", "Root", superuser=True)
    web = Client()
    web.login(email="root@stadtherz.example", password="long enough password")
    return web


def entered(owner: int, channel: str, address: str, **more: Any) -> dict[str, Any]:
    return {
        "owner": owner,
        "name": "Leitstelle",
        "language": "de",
        "wakes": "danger",
        "active": "on",
        "addresses-TOTAL_FORMS": 1,
        "addresses-INITIAL_FORMS": 0,
        "addresses-MIN_NUM_FORMS": 1,
        "addresses-MAX_NUM_FORMS": 1000,
        "addresses-0-channel": channel,
        "addresses-0-address": address,
        "addresses-0-use": "always",
        "addresses-0-least": "info",
        "addresses-0-ORDER": 1,
        "addresses-0-id": "",
        **more,
    }


def test_each_channel_is_taken(owner: int, staff: Client) -> None:
    siren(owner, TEXT)
    for channel, address in (
        (Channel.WEBHOOK, "https://control.example/alarms"),
        (Channel.MQTT, "town/alarms"),
        (Channel.TASK, "Sirene Rathaus"),
    ):
        answer = staff.post(reverse("contact:add"), entered(owner, channel, address))
        assert answer.status_code == 302, answer.content.decode()
        kept = Address.objects.get(channel=channel)
        assert kept.address == address
        assert bool(kept.secret) == (channel == Channel.WEBHOOK)


@pytest.mark.parametrize(
    ("channel", "address", "told"),
    [
        (Channel.WEBHOOK, "http://control.example", "Sie muss mit https:// beginnen"),
        (Channel.WEBHOOK, "https://10.1.2.3/", "Sie führt in ein privates Netz"),
        (Channel.MQTT, "town/#", "Das ist kein Topic"),
        (Channel.TASK, "Sirene", "gibt es in der Organisation des Kontakts nicht"),
        (Channel.PUSH, "https://push.example/1", "Ein Gerät trägt sich selbst ein"),
    ],
)
def test_what_cannot_be_reached_is_said_at_its_field(
    owner: int, staff: Client, channel: str, address: str, told: str
) -> None:
    answer = staff.post(reverse("contact:add"), entered(owner, channel, address))
    assert told in answer.content.decode()
    assert not Contact.objects.filter(name="Leitstelle").exists()


def test_a_device_stays_when_staff_save_the_contact(owner: int, staff: Client) -> None:
    pk = add_contact(owner=owner, name="Leitstelle", email="l@stadt.example")
    address = "https://push.example/1"
    kept = Address.objects.create(
        contact_id=pk, channel=Channel.PUSH, address=address, details={"device": "Firefox"}
    )
    Address.objects.filter(channel=Channel.EMAIL).delete()
    more = {"addresses-INITIAL_FORMS": 1, "addresses-0-id": kept.pk}
    url = reverse("contact:edit", args=[pk])
    answer = staff.post(url, entered(owner, Channel.PUSH, address, **more))
    assert answer.status_code == 302, answer.content.decode()
    kept.refresh_from_db()
    assert (kept.details, kept.shown) == ({"device": "Firefox"}, "Firefox")
