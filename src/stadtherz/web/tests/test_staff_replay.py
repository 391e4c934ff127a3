"""Refused messages of one device, run again together in the back office."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from stadtherz.identity.public import AuditEntry
from stadtherz.ingest.public import Device, RefusedUplink
from stadtherz.web.tests.staff_cast import Town, signed_in, town

pytestmark = pytest.mark.django_db


@pytest.fixture
def home() -> Town:
    home = town("lautern")
    for number in range(3):
        RefusedUplink.objects.create(
            owner_id=home.organisation,
            network="tts",
            reason="broken_document",
            document=b"{%d" % number,
            fingerprint=f"more-{number}",
            device_id=home.device,
            received_at=number,
            last_at=1,
        )
    return home


def outcomes() -> list[str]:
    return list(RefusedUplink.objects.order_by("pk").values_list("outcome", flat=True))


def test_a_refused_messages_page_offers_to_run_all_of_its_device(home: Town) -> None:
    editor = signed_in("editor@lautern.example")
    kept = RefusedUplink.objects.latest("pk")
    page = editor.get(reverse("refused:inspect", args=[kept.pk])).content.decode()
    assert "Alle 3 dieses Geräts nachholen" in page
    assert "Alle 4 mit diesem Grund nachholen" in page
    page = editor.post(reverse("refused:replay"), {"device": kept.device.dev_eui}).content.decode()
    assert "0 sind jetzt gespeichert, 3 wurden wieder abgewiesen." in page
    assert outcomes() == ["", "refused", "refused", "refused"]
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.entity) == ("replay", "ingest.refuseduplink")


def refused_page(home: Town, **values: Any) -> str:
    kept = RefusedUplink.objects.latest("pk")
    RefusedUplink.objects.filter(pk=kept.pk).update(**values)
    editor = signed_in("editor@lautern.example")
    return editor.get(reverse("refused:inspect", args=[kept.pk])).content.decode()


def test_a_refused_messages_page_leads_to_what_is_to_be_mended(home: Town) -> None:
    codec = reverse("codec:edit", args=[home.codec])
    fields = f"{reverse('devicefield:index')}?device={home.device}"
    assert codec not in refused_page(home, reason="codec_failed")  # the device has none
    Device.objects.filter(pk=home.device).update(device_type_id=home.device_type)
    assert codec in refused_page(home)
    Device.objects.filter(pk=home.device).update(device_type_id=None, codec_id=home.codec)
    page = refused_page(home)
    assert codec in page
    assert "in Ordnung bringen" in page
    assert fields not in page
    assert fields in refused_page(home, reason="impossible_value")
    assert fields not in refused_page(home, outcome=RefusedUplink.REPLAYED)


def test_what_does_not_fit_into_one_page_goes_on_with_a_button(
    home: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stadtherz.web.devices.ingest._PAGE_S", 0)
    monkeypatch.setattr("stadtherz.ingest.refused.replaying._TOGETHER", 3)
    editor = signed_in("editor@lautern.example")
    answer = editor.post(reverse("refused:replay"), {"reason": "broken_document"})
    assert "1 sind übrig." in answer.content.decode()
    which = answer.context["which"]
    form = {"reason": which.reason, "before": which.before}
    assert "übrig" not in editor.post(reverse("refused:replay"), form).content.decode()
    assert outcomes() == ["refused"] * 4


def test_who_only_looks_and_strangers_run_nothing(home: Town) -> None:
    town("pirmasens")
    viewer, stranger = (
        signed_in(f"{name}.example") for name in ("viewer@lautern", "editor@pirmasens")
    )
    viewer.post(reverse("refused:replay"), {"reason": "broken_document"})
    stranger.post(reverse("refused:replay"), {"device": f"{home.organisation:016X}"})
    assert [outcome for outcome in outcomes() if outcome] == []
    assert Client().post(reverse("refused:replay")).status_code == 302


@pytest.mark.parametrize("forged", ["-1", "x", "9" * 40, "²"])
def test_a_forged_place_is_no_error(home: Town, forged: str) -> None:
    editor = signed_in("editor@lautern.example")
    form = {"device": "none", "before": forged}
    assert editor.post(reverse("refused:replay"), form).status_code == 200
