"""The back office: own gauges and steps can be edited, nothing of others can even be seen."""

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from stadtherz.alerts.public import Alert, Contact, ContactList, Delivery
from stadtherz.identity.public import AuditEntry
from stadtherz.kit.testing import Town, person
from stadtherz.services.water.models import Gauge, WarningStep
from stadtherz.services.water.tests.factories import make_gauge


def form_of(gauge: Gauge, steps: list[dict[str, object]]) -> dict[str, object]:
    """What the browser sends when the gauge's form is saved."""
    known = list(gauge.steps.order_by("level"))
    data: dict[str, object] = {
        "name": gauge.name,
        "slug": gauge.slug,
        "datastream": gauge.datastream_id,
        "kind": gauge.kind,
        "article": gauge.article,
        "water_body": gauge.water_body,
        "interval_minutes": gauge.interval_minutes,
        "recipients": gauge.recipients_id or "",
        "steps-TOTAL_FORMS": len(steps),
        "steps-INITIAL_FORMS": len(known),
        "steps-MIN_NUM_FORMS": 0,
        "steps-MAX_NUM_FORMS": 1000,
    }
    for number, step in enumerate(steps):
        key = known[number].pk if number < len(known) else ""
        row = {"id": key, "name_de": "Stufe", "name_en": "Step", "severity": "warning", **step}
        data |= {f"steps-{number}-{name}": value for name, value in row.items()}
    return data


def edit(client: Client, gauge: Gauge, steps: list[dict[str, object]]) -> int:
    url = reverse("gauge:edit", args=[gauge.pk])
    return client.post(url, form_of(gauge, steps)).status_code


@pytest.mark.parametrize("name", ["gauge", "contact", "contactlist", "alert", "delivery"])
def test_staff_find_every_list(town: Town, gauge: Gauge, name: str) -> None:
    town.measure(gauge.datastream_id, 95)
    response = person("editor", town.organisation).get(reverse(f"{name}:index"))
    assert response.status_code == 200


def test_an_editor_changes_a_step(town: Town, gauge: Gauge) -> None:
    client = person("editor", town.organisation)
    steps: list[dict[str, object]] = [
        {"level": 85, "hysteresis": 5},
        {"level": 120, "hysteresis": 5},
    ]
    assert edit(client, gauge, steps) == 302
    assert sorted(WarningStep.objects.values_list("level", flat=True)) == [85, 120]


@pytest.mark.parametrize(
    "second",
    [
        {"level": 90, "hysteresis": 5},
        {"level": 95, "hysteresis": 40},
        {"level": 120, "hysteresis": 0},
    ],
)
def test_steps_that_contradict_one_another_are_refused(
    town: Town, gauge: Gauge, second: dict[str, object]
) -> None:
    client = person("editor", town.organisation)
    assert edit(client, gauge, [{"level": 90, "hysteresis": 5}, second]) == 200
    assert sorted(WarningStep.objects.values_list("level", flat=True)) == [90, 120]


def test_a_viewer_reads_and_changes_nothing(town: Town, gauge: Gauge) -> None:
    client = person("viewer", town.organisation)
    assert client.get(reverse("gauge:index")).status_code == 200
    edit(client, gauge, [])
    assert WarningStep.objects.count() == 2


def test_another_organisation_sees_and_changes_nothing(town: Town, gauge: Gauge) -> None:
    client = person("stranger", town.neighbour)
    assert gauge.name not in client.get(reverse("gauge:index")).content.decode()
    assert edit(client, gauge, []) == 404
    assert WarningStep.objects.count() == 2


def test_a_gauge_cannot_take_another_organisations_datastream(town: Town, gauge: Gauge) -> None:
    foreign = make_gauge(town, "fremd", owner=town.neighbour).datastream_id
    Gauge.objects.filter(slug="fremd").delete()
    gauge.datastream_id = foreign
    edit(person("editor", town.organisation), gauge, [{"level": 90, "hysteresis": 5}] * 2)
    assert Gauge.objects.get(pk=gauge.pk).datastream_id != foreign


def test_a_stuck_message_can_be_sent_again_by_its_own_staff_only(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 95)
    Delivery.objects.update(status="uncertain")
    url = reverse("delivery:again", args=[Delivery.objects.get().pk])
    assert person("stranger", town.neighbour).post(url).status_code == 404
    assert Delivery.objects.get().status == "uncertain"
    assert person("editor", town.organisation).post(url).status_code == 302
    assert Delivery.objects.get().status == "queued"


def test_alerts_cannot_be_edited(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 95)
    client = person("administrator", town.organisation)
    url = reverse("alert:edit", args=[Alert.objects.get().pk])
    assert client.get(url).status_code in {302, 403}


def test_the_start_page_of_staff_counts_what_waits_for_them(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 95)
    Delivery.objects.update(status="uncertain")
    page = person("editor", town.organisation).get("/verwaltung/").content.decode()
    assert "offene Alarme" in page
    assert "Nachrichten, die vielleicht nicht ankamen" in page


def test_who_is_deleted_leaves_no_name_and_no_address_behind(town: Town) -> None:
    client = person("editor", town.organisation)
    form = {
        "owner": town.organisation,
        "name": "Erika Beispiel",
        "addresses-TOTAL_FORMS": 1,
        "addresses-INITIAL_FORMS": 0,
        "addresses-MIN_NUM_FORMS": 1,
        "addresses-MAX_NUM_FORMS": 1000,
        "addresses-0-channel": "email",
        "addresses-0-address": "erika@wehr.example",
        "addresses-0-use": "always",
        "addresses-0-least": "info",
        "wakes": "danger",
        "language": "de",
        "active": "on",
    }
    client.post(reverse("contact:add"), form)
    erika = Contact.objects.get(addresses__address="erika@wehr.example")
    known = {"addresses-INITIAL_FORMS": 1, "addresses-0-id": erika.addresses.get().pk}
    client.post(reverse("contact:edit", args=[erika.pk]), {**form, **known, "name": "Erika Muster"})
    listed = {"owner": town.organisation, "name": "Wehr", "contacts": [erika.pk]}
    client.post(reverse("contactlist:add"), listed)
    assert ContactList.objects.get().contacts.get() == erika
    client.post(reverse("contact:delete", args=[erika.pk]))
    told = AuditEntry.objects.filter(entity="alerts.contact").order_by("pk")
    assert [entry.action for entry in told] == ["create", "update", "delete"]
    assert "name" in told[1].changes
    for text in (
        *(str(entry.changes) for entry in AuditEntry.objects.all()),
        *(f"{entry.label} {entry.data}" for entry in ModelLogEntry.objects.all()),
    ):
        assert "Erika" not in text
        assert "wehr.example" not in text


def test_alerts_are_told_in_words(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 95)
    client = person("viewer", town.organisation)
    alert = Alert.objects.get()
    listed = client.get(reverse("alert:index")).content.decode()
    assert reverse("alert:inspect", args=[alert.pk]) in listed
    page = client.get(reverse("alert:inspect", args=[alert.pk])).content.decode()
    assert "Warnstufe erreicht: Lauter" in page or "Warnstufe erreicht: Pegel" in page
    assert "water.step_reached" not in page
    assert ">warning<" not in page


def test_a_message_is_called_by_what_it_says(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 95)
    delivery = Delivery.objects.get()
    Delivery.objects.update(error="No mail server is set (STADTHERZ_SMTP_URL).")
    client = person("viewer", town.organisation)
    page = client.get(reverse("delivery:inspect", args=[delivery.pk])).content.decode()
    assert "Vorwarnung: Pegel" in page
    assert "Es ist kein Mailserver eingestellt" in page
    assert "step_reached" not in page
