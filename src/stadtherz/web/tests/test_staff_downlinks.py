"""Messages to a device, as staff send them and see what became of them."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from stadtherz.identity.public import AuditEntry
from stadtherz.ingest.downlinks.models import DownlinkWay
from stadtherz.ingest.public import Device, DeviceType, Downlink
from stadtherz.web.tests.staff_cast import Town, signed_in, town

pytestmark = pytest.mark.django_db


@pytest.fixture
def home() -> Town:
    made = town("lautern")
    DownlinkWay.objects.create(
        device_id=made.device, connection_id=made.connection, topic="v3/a/devices/b"
    )
    return made


def send(client: Client, home: Town, **form: Any) -> Any:
    return client.post(reverse("device:send_downlink", args=[home.device]), form)


def page(client: Client, home: Town) -> str:
    return client.get(reverse("device:inspect", args=[home.device])).content.decode()


def test_a_message_is_kept_shown_and_recorded(home: Town, editor: Client) -> None:
    assert send(editor, home, content="01 0f", f_port=85).status_code == 302
    made = Downlink.objects.get()
    assert (made.hexadecimal, made.f_port, made.state) == ("010f", 85, "queued")
    text = page(editor, home)
    assert "wartet auf die Verbindung" in text
    assert "editor lautern" in text
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.changes) == ("send_downlink", {"payload": "010f"})


def test_a_mistake_is_named_at_its_field_and_nothing_is_lost(home: Town, editor: Client) -> None:
    answer = send(editor, home, content="xyz", f_port=85)
    assert "content" in answer.context["form"].errors
    assert "xyz" in answer.content.decode()
    assert "f_port" in send(editor, home, content="01", f_port=0).context["form"].errors
    assert "content" in send(editor, home, content='{"a": 1}').context["form"].errors
    DownlinkWay.objects.all().delete()
    assert send(editor, home, content="01", f_port=1).context["form"].non_field_errors()
    assert not Downlink.objects.exists()


def test_messages_that_the_maker_names_can_be_started_from(home: Town, editor: Client) -> None:
    told = [
        {"name": "every <5> minutes", "data": {"minutes": 5}, "bytes": "0105", "f_port": 85},
        {"name": "", "data": {"led": "on"}, "bytes": "01", "f_port": None},
    ]
    kind = DeviceType.objects.create(
        owner_id=home.organisation, key="mill/t1", vendor="Mill", name="T1", downlinks=told
    )
    Device.objects.filter(pk=home.device).update(device_type=kind)
    url = reverse("device:send_downlink", args=[home.device])
    shown = editor.get(url).content.decode()
    assert "every &lt;5&gt; minutes" in shown
    assert 'href="?example=2"' in shown
    form = editor.get(f"{url}?example=1").context["form"]
    assert (form["content"].value(), form["f_port"].value()) == ('{"minutes":5}', 85)
    assert not editor.get(f"{url}?example=9").context["form"]["content"].value()


def test_who_only_reads_sees_messages_and_sends_none(home: Town, editor: Client) -> None:
    send(editor, home, content="01", f_port=1)
    viewer = signed_in("viewer@lautern.example")
    assert "wartet auf die Verbindung" in page(viewer, home)
    assert reverse("device:send_downlink", args=[home.device]) not in page(viewer, home)
    send(viewer, home, content="02", f_port=1)
    viewer.post(reverse("device:downlink", args=[home.device, Downlink.objects.get().pk]))
    assert Downlink.objects.get().state == "queued"


def test_nobody_of_elsewhere_sends_or_changes(home: Town) -> None:
    town("pirmasens")
    stranger = signed_in("administrator@pirmasens.example")
    assert send(stranger, home, content="01", f_port=1).status_code == 404


def test_an_uncertain_one_is_sent_again_by_a_person_once(home: Town, editor: Client) -> None:
    send(editor, home, content="01", f_port=1)
    Downlink.objects.update(state="unknown", reason="ended")
    first = Downlink.objects.get()
    assert "Bitte am Gerät nachsehen" in page(editor, home)
    url = reverse("device:downlink", args=[home.device, first.pk])
    for _ in range(2):
        editor.post(url, {"action": "again"})
    assert sorted(Downlink.objects.values_list("state", flat=True)) == ["failed", "queued"]
    waiting = Downlink.objects.get(state="queued")
    editor.post(reverse("device:downlink", args=[home.device, waiting.pk]), {"action": "withdraw"})
    assert not Downlink.objects.filter(state="queued").exists()


def test_a_message_of_another_device_is_not_found_here(home: Town, editor: Client) -> None:
    elsewhere = town("pirmasens")
    other = Downlink.objects.create(
        device_id=elsewhere.device, f_port=1, payload=b"", created_at=1, changed_at=1
    )
    url = reverse("device:downlink", args=[home.device, other.pk])
    editor.post(url, {"action": "withdraw"})
    other.refresh_from_db()
    assert other.state == "queued"
