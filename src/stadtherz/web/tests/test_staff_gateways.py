"""Whoever runs the city sets up gateways, sees how each does, and tries it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from stadtherz.alerts.public import Gateway, add_gateway
from stadtherz.alerts.tests import mailserver
from stadtherz.alerts.tests.mailserver import MailServer
from stadtherz.alerts.tests.test_gateway_health import Provider
from stadtherz.identity.public import create_user
from stadtherz.web.tests.staff_cast import Town, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

INDEX = reverse("gateway:index")
ADD = reverse("gateway:add")


@pytest.fixture
def root(home: Town) -> Client:
    create_user("root@stadtherz.example", "lang und geheim 7", "Root", superuser=True)
    return signed_in("root@stadtherz.example")


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def mails(tmp_path: Path) -> Iterator[MailServer]:
    with mailserver.running(tmp_path / "mails") as server:
        yield server


def filled(url: str, **changes: Any) -> dict[str, Any]:
    own = '{"path": "/sms", "body": {"to": "{to}", "text": "{text}"}}'
    values = {
        "name": "Anbieter",
        "set_form": own,
        "set_url": url,
        "set_secret": "ganz geheim",
        "set_ttl": "30",
        "position": "1",
        "per_second": "5",
        "parts_a_day": "200",
        "active": "on",
    }
    return {name: value for name, value in (values | changes).items() if value is not None}


def test_only_who_runs_the_city_sees_gateways(home: Town) -> None:
    add_gateway("Anbieter", "http", {"form": "kannel", "url": "http://127.0.0.1:9"})
    row = Gateway.objects.get()
    for who in ("viewer", "editor", "administrator"):
        client = signed_in(f"{who}@lautern.example")
        for url in (INDEX, ADD, reverse("gateway:inspect", args=[row.pk])):
            assert client.get(url).status_code in (302, 403)
        client.post(reverse("gateway:try", args=[row.pk]), {"to": "+4915111111111"})
    row.refresh_from_db()
    assert row.last_error == ""


def test_first_the_kind_is_asked_then_what_it_needs(root: Client) -> None:
    page = root.get(ADD).content.decode()
    assert "?kind=smpp" in page
    assert "?kind=smtp" in page
    page = root.get(f"{ADD}?kind=smpp").content.decode()
    assert 'name="set_host"' in page
    assert 'name="parts_a_day"' in page
    assert 'name="parts_a_day"' not in root.get(f"{ADD}?kind=smtp").content.decode()


def test_a_gateway_is_set_up_and_its_password_never_shown(root: Client, provider: Provider) -> None:
    answer = root.post(f"{ADD}?kind=http", filled(provider.url))
    assert answer.status_code == 302, answer.context["form"].errors
    row = Gateway.objects.get(name="Anbieter")
    assert (row.kind, row.settings["ttl"], row.parts_a_day) == ("http", 30, 200)
    assert "geheim" not in row.secret
    for url in (reverse("gateway:edit", args=[row.pk]), reverse("gateway:inspect", args=[row.pk])):
        page = root.get(url).content.decode()
        assert "ganz geheim" not in page
        assert row.secret not in page
    assert "/alarm/sms/" in page


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"set_form": "wolke"}, "set_form"),
        ({"set_form": "{kaputt"}, "set_form"),
        ({"set_url": "http://anbieter.example"}, "set_url"),
        ({"set_ttl": "0"}, "set_ttl"),
        ({"name": ""}, "name"),
    ],
)
def test_a_mistake_is_said_at_its_field(root: Client, changes: dict[str, Any], field: str) -> None:
    answer = root.post(f"{ADD}?kind=http", filled("http://127.0.0.1:9", **changes))
    assert field in answer.context["form"].errors
    assert not Gateway.objects.filter(kind="http").exists()


def test_a_password_is_kept_but_not_sent_to_another_address(
    root: Client, provider: Provider
) -> None:
    root.post(f"{ADD}?kind=http", filled(provider.url))
    row = Gateway.objects.get(name="Anbieter")
    edit = reverse("gateway:edit", args=[row.pk])
    moved = filled("https://fremd.example", set_secret="")
    assert "set_secret" in root.post(edit, moved).context["form"].errors
    assert root.post(edit, filled(provider.url, set_secret="", position="3")).status_code == 302
    kept = Gateway.objects.get(pk=row.pk)
    assert (kept.position, kept.secret) == (3, row.secret)


def test_a_test_message_shows_what_the_gateway_says(root: Client, provider: Provider) -> None:
    root.post(f"{ADD}?kind=http", filled(provider.url))
    row = Gateway.objects.get(name="Anbieter")
    url = reverse("gateway:try", args=[row.pk])
    page = root.post(url, {"to": "0151 23456789"}, follow=True).content.decode()
    assert "Das Gateway hat es angenommen" in page
    assert "in Ordnung" in page
    assert "+4915123456789" in provider.bodies[0]
    provider.status = 503
    page = root.post(url, {"to": "0151 23456789"}, follow=True).content.decode()
    assert "Es wurde nicht angenommen" in page
    assert "nimmt keine Nachrichten an seit" in page
    page = root.post(url, {"to": "viele"}, follow=True).content.decode()
    assert "Das passt nicht" in page


def test_a_relay_is_set_up_and_tried(root: Client, mails: MailServer) -> None:
    given = {
        "name": "Relais",
        "set_host": "127.0.0.1",
        "set_security": "none",
        "set_port": str(mails.port),
        "position": "2",
        "per_second": "50",
        "active": "on",
    }
    answer = root.post(f"{ADD}?kind=smtp", given)
    assert answer.status_code == 302, answer.context["form"].errors
    row = Gateway.objects.get(name="Relais")
    root.post(reverse("gateway:try", args=[row.pk]), {"to": "wer@stadt.example"})
    assert len(mails.subjects()) == 1
    row.refresh_from_db()
    assert row.last_success is not None
