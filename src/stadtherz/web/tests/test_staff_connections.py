"""Connections in the back office: a password goes in and never comes out."""

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from stadtherz.base.time import HOUR, now_us
from stadtherz.identity.public import AuditEntry
from stadtherz.ingest.public import Connection, ConnectionClient
from stadtherz.web.tests.staff_cast import Town, form_of, signed_in

pytestmark = pytest.mark.django_db

SECRET = "unglaublich-geheim"


@pytest.fixture
def administrator(home: Town) -> Client:
    return signed_in("administrator@lautern.example")


def form(home: Town, **more: Any) -> dict[str, Any]:
    values = {"name": "Neu", "owner": home.organisation, "network": "tts", "host": "a.example"}
    where = {"port": 8883, "tls": "on", "user_name": "town@ttn", "clients": 1, "active": "on"}
    return {**values, **where, "password": SECRET, **more}


def test_a_connection_is_made_with_the_networks_usual_topics(
    home: Town, administrator: Client
) -> None:
    answer = administrator.post(reverse("connection:add"), form(home))
    assert answer.status_code == 302
    assert Connection.objects.get(name="Neu").topic == "v3/town@ttn/devices/+/#"


def test_a_password_is_in_no_page_no_trail_and_no_dump(
    home: Town, administrator: Client, tmp_path: Any
) -> None:
    administrator.post(reverse("connection:add"), form(home))
    made = Connection.objects.get(name="Neu")
    for view in ("edit", "inspect", "history"):
        page = administrator.get(reverse(f"connection:{view}", args=[made.pk])).content.decode()
        assert SECRET not in page
        assert made.secret not in page
    entry = AuditEntry.objects.get(entity="ingest.connection", action="create", key=made.pk)
    assert entry.changes["password"] == "***"
    call_command("dumpdata", output=tmp_path / "dump.json", verbosity=0)
    assert SECRET not in (tmp_path / "dump.json").read_text()


def test_an_empty_password_stays_and_a_new_one_replaces(home: Town, administrator: Client) -> None:
    url = reverse("connection:edit", args=[home.connection])
    before = Connection.objects.get(pk=home.connection).secret
    administrator.post(url, form_of(administrator, url) | {"name": "Anders"})
    assert Connection.objects.get(pk=home.connection, name="Anders").secret == before
    administrator.post(url, form_of(administrator, url) | {"password": SECRET})
    assert Connection.objects.get(pk=home.connection).secret != before


def test_a_kept_password_is_not_sent_to_another_address(home: Town, administrator: Client) -> None:
    url = reverse("connection:edit", args=[home.connection])
    for change in ({"host": "elsewhere.example"}, {"port": 1883}, {"tls": ""}):
        answer = administrator.post(url, {**form_of(administrator, url), **change})
        assert "password" in answer.context["form"].errors
    administrator.post(url, form_of(administrator, url) | {"host": "b.example", "password": SECRET})
    assert Connection.objects.get(pk=home.connection).host == "b.example"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", "mqtts://a.example"),
        ("port", 0),
        ("topic", "a/#/b"),
        ("ca", "-----BEGIN"),
        ("group", "a/b"),
        ("clients", 2),
        ("clients", 99),
        ("network", "json"),
    ],
)
def test_what_cannot_be_right_is_named(
    home: Town, administrator: Client, field: str, value: object
) -> None:
    answer = administrator.post(reverse("connection:add"), form(home, **{field: value}))
    named = {"clients": {"clients", "group"}, "network": {"topic", "form"}}.get(field, {field})
    assert named & answer.context["form"].errors.keys()
    assert not Connection.objects.filter(name="Neu").exists()


def test_how_it_is_doing_is_told_in_words(home: Town, administrator: Client) -> None:
    state = ConnectionClient.objects.create(
        connection_id=home.connection,
        holder="me",
        until=now_us() + HOUR,
        state="failed",
        problem="nobody_listens",
        facts={"host": "lautern.example", "port": 8883},
        problem_at=now_us(),
    )
    with override("de"):
        page = administrator.get(reverse("connection:inspect", args=[home.connection]))
        text = page.content.decode()
        assert "nicht verbunden" in text
        assert "Unter lautern.example:8883 antwortet niemand." in text
        assert "nicht verbunden" in administrator.get(reverse("connection:index")).content.decode()
        state.state = "connected"
        state.save()
        assert state.doing.text == "verbunden"
        state.until = 0
        assert state.doing.level == "info"


def test_no_reason_lacks_a_sentence() -> None:
    from stadtherz.ingest.connections import words

    for problem in words.Problem:
        assert words.sentence(problem, {"host": "a", "port": 1, "topic": "b", "told": "c"})
