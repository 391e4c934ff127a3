"""The back office of those who are called: contacts, lists in words, duty, pauses and test alarms."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from stadtherz.alerts.public import (
    Address,
    Alert,
    Contact,
    ContactList,
    Delivery,
    Drill,
    Pause,
    Roster,
    RosterMember,
    Shift,
    acknowledge,
    add_contact,
)
from stadtherz.base.time import now, stopped_at
from stadtherz.web.alarms.people import sentences
from stadtherz.web.tests.staff_cast import Town, client_of, town

pytestmark = pytest.mark.django_db

TUESDAY = datetime(2026, 3, 10, 11, tzinfo=UTC)


@pytest.fixture
def elsewhere() -> Town:
    return town("pirmasens")


@pytest.fixture
def client(home: Town, elsewhere: Town) -> Client:
    return client_of("editor", home, elsewhere)


def contact_form(home: Town, *addresses: tuple[str, str], **more: Any) -> dict[str, Any]:
    form: dict[str, Any] = {
        "owner": home.organisation,
        "name": "Erika",
        "language": "de",
        "active": "on",
        "wakes": "danger",
        "addresses-TOTAL_FORMS": len(addresses),
        "addresses-INITIAL_FORMS": 0,
        "addresses-MIN_NUM_FORMS": 1,
        "addresses-MAX_NUM_FORMS": 1000,
        **more,
    }
    for place, (channel, address) in enumerate(addresses):
        row = {"channel": channel, "address": address, "use": "always", "least": "info"}
        form |= {f"addresses-{place}-{name}": value for name, value in row.items()}
    return form


def page(client: Client, name: str, *args: int) -> str:
    response = client.get(reverse(name, args=args))
    assert response.status_code == 200
    return response.content.decode()


def test_a_number_is_kept_as_all_the_world_writes_it(client: Client, home: Town) -> None:
    client.post(reverse("contact:add"), contact_form(home, ("sms", "0151 / 234 567 89")))
    assert Address.objects.get(contact__name="Erika").address == "+4915123456789"


@pytest.mark.parametrize(
    ("channel", "address", "told"),
    [
        ("email", "erika", "keine E-Mail-Adresse"),
        ("sms", "12", "keine Telefonnummer"),
        ("webhook", "http://x.example", "https://"),
    ],
)
def test_what_a_channel_cannot_reach_is_refused_with_the_way_out(
    client: Client, home: Town, channel: str, address: str, told: str
) -> None:
    response = client.post(reverse("contact:add"), contact_form(home, (channel, address)))
    assert told in response.content.decode()
    assert not Contact.objects.filter(name="Erika").exists()


def test_half_of_the_quiet_hours_is_refused(client: Client, home: Town) -> None:
    form = contact_form(home, ("email", "erika@x.example"), quiet_from="22:00")
    assert "Anfang und ein Ende" in client.post(reverse("contact:add"), form).content.decode()


def test_a_list_says_in_sentences_what_happens(client: Client, home: Town) -> None:
    boss = add_contact(owner=home.organisation, name="Leitung", email="l@x.example")
    second = ContactList.objects.create(owner_id=home.organisation, name="Später")
    second.contacts.add(boss)
    first = ContactList.objects.get(pk=home.contactlist)
    first.rosters.add(home.roster)
    first.remind_minutes, first.escalate_minutes, first.escalate_to = 5, 10, second
    first.save()
    told = page(client, "contactlist:inspect", first.pk)
    assert (
        "Sofort: Wehr lautern und wer nach „Bereitschaft lautern“ Bereitschaft hat "
        "(jetzt Wehr lautern)." in told
    )
    assert "Sie werden alle 5 Minuten erinnert, bis jemand antwortet." in told
    assert "Nach 10 Minuten ohne Antwort die Liste „Später“: Leitung." in told
    assert "Sofort: Wehr lautern" in page(client, "contactlist:index")


def test_a_list_that_follows_itself_or_never_is_refused(client: Client, home: Town) -> None:
    form = {"owner": home.organisation, "name": "Liste", "contacts": [home.contact]}
    url = reverse("contactlist:edit", args=[home.contactlist])
    answer = client.post(url, {**form, "escalate_minutes": 5, "escalate_to": home.contactlist})
    assert "nicht auf sich selbst" in answer.content.decode()
    answer = client.post(url, {**form, "escalate_minutes": 5})
    assert "Welche Liste" in answer.content.decode()


@pytest.fixture
def pair(home: Town) -> Roster:
    """Wehr and Kaya take turns of a week, on Mondays."""
    other = add_contact(owner=home.organisation, name="Kaya", email="kaya@x.example")
    roster = Roster.objects.get(pk=home.roster)
    roster.first_day = TUESDAY.date() - timedelta(days=8)
    roster.save()
    RosterMember.objects.create(roster=roster, contact_id=other, sort_order=1)
    return roster


def test_a_roster_says_who_is_on_duty_and_shows_the_next_weeks(
    client: Client, pair: Roster
) -> None:
    with stopped_at(TUESDAY):
        told = page(client, "roster:inspect", pair.pk)
    assert "Kaya hat Bereitschaft bis Mo, 16. März 2026, 08:00." in told
    assert "Danach übernimmt Wehr lautern." in told
    assert told.count('<tr><th scope="row">') == 9


def test_a_shift_is_swapped_and_taken_back(client: Client, home: Town, pair: Roster) -> None:
    with stopped_at(TUESDAY):
        form = page(client, "roster:swap", pair.pk)
        assert "Wehr lautern" in form
        assert "pirmasens" not in form
        given = {"contact": home.contact, "starts": "2026-03-10T08:00", "ends": "2026-03-11T08:00"}
        client.post(reverse("roster:swap", args=[pair.pk]), given)
        told = page(client, "roster:inspect", pair.pk)
        assert "Wehr lautern hat Bereitschaft bis Mi, 11. März 2026, 08:00." in told
        assert "springt ein" in told
        shift = Shift.objects.get()
        client.post(reverse("roster:take_back", args=[pair.pk, shift.pk]))
        assert "Kaya hat Bereitschaft" in page(client, "roster:inspect", pair.pk)


@pytest.mark.parametrize(
    ("starts", "ends", "told"),
    [
        ("2026-03-12T08:00", "2026-03-11T08:00", "nach dem Beginn"),
        ("2026-03-01T08:00", "2026-03-02T08:00", "schon vorbei"),
    ],
)
def test_a_swap_that_cannot_be_is_refused(
    client: Client, home: Town, pair: Roster, starts: str, ends: str, told: str
) -> None:
    with stopped_at(TUESDAY):
        given = {"contact": home.contact, "starts": starts, "ends": ends}
        answer = client.post(reverse("roster:swap", args=[pair.pk]), given)
    assert told in answer.content.decode()
    assert not Shift.objects.exists()


def test_a_pause_is_set_with_a_reason_and_ended(client: Client, home: Town) -> None:
    ends = (now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    form = {
        "owner": home.organisation,
        "thing": home.thing,
        "starts": now().strftime("%Y-%m-%dT%H:%M"),
        "ends": ends,
        "reason": "",
    }
    assert client.post(reverse("pause:add"), form).status_code == 200
    client.post(reverse("pause:add"), {**form, "reason": "Mäharbeiten"})
    made = Pause.objects.get(reason="Mäharbeiten")
    assert made.by == "editor lautern"
    assert "Pegel lautern" in page(client, "pause:inspect", made.pk)
    client.post(reverse("pause:end", args=[made.pk]))
    made.refresh_from_db()
    assert made.ends <= now()


def test_pauses_that_run_come_first(client: Client, home: Town) -> None:
    moment = now()
    for reason, days in (("später", 5), ("früher", -5)):
        Pause.objects.create(
            owner_id=home.organisation,
            reason=reason,
            starts=moment + timedelta(days=days),
            ends=moment + timedelta(days=days + 1),
        )
    told = page(client, "pause:index")
    assert told.index("Bau lautern") < told.index("später") < told.index("früher")


def test_a_pause_of_anothers_thing_is_refused(client: Client, home: Town, elsewhere: Town) -> None:
    form = {
        "owner": home.organisation,
        "thing": elsewhere.thing,
        "starts": "2026-01-01T08:00",
        "ends": "2099-01-01T08:00",
        "reason": "x",
    }
    assert client.post(reverse("pause:add"), form).status_code == 200
    assert not Pause.objects.filter(reason="x").exists()


def test_a_test_alarm_is_started_from_its_list_and_shows_who_answers(
    client: Client, home: Town
) -> None:
    url = reverse("contactlist:drill", args=[home.contactlist])
    client.post(url)
    assert Drill.objects.filter(recipients=home.contactlist).count() == 1  # one is going on
    client.post(reverse("drill:end", args=[home.drill]))
    told = client.post(url, follow=True).content.decode()
    assert "0 von 1 Person hat geantwortet. Ohne Antwort: Wehr lautern." in told
    latest = Alert.objects.filter(owner=home.organisation).latest("pk")
    acknowledge(latest.pk, "Wehr lautern", "sms", contact=home.contact)
    drill = Drill.objects.get(alert=latest)
    told = page(client, "drill:inspect", drill.pk)
    assert "Der Probealarm ist vorbei. 1 von 1 Person hat geantwortet." in told
    assert "per SMS" in told


def test_strangers_start_end_and_swap_nothing(home: Town, elsewhere: Town) -> None:
    stranger = client_of("stranger", home, elsewhere)
    owed = Delivery.objects.count()
    for name, key in (
        ("contactlist:drill", home.contactlist),
        ("drill:end", home.drill),
        ("pause:end", home.pause),
        ("roster:swap", home.roster),
    ):
        assert stranger.post(reverse(name, args=[key])).status_code == 404
    assert Delivery.objects.count() == owed
    assert Alert.objects.get(pk=home.alert).cleared_at is None
    assert Pause.objects.get(pk=home.pause).ends > now()


def test_a_viewer_reads_and_starts_nothing(home: Town, elsewhere: Town) -> None:
    viewer = client_of("viewer", home, elsewhere)
    told = page(viewer, "contactlist:inspect", home.contactlist)
    assert "Probealarm starten" not in told
    viewer.post(reverse("contactlist:drill", args=[home.contactlist]))
    viewer.post(reverse("pause:end", args=[home.pause]))
    assert Drill.objects.filter(recipients=home.contactlist).count() == 1
    assert Pause.objects.get(pk=home.pause).ends > now()


def test_the_sentence_of_a_list_is_there_in_english(home: Town) -> None:
    with override("en"):
        assert sentences(ContactList.objects.get(pk=home.contactlist)) == ["At once: Wehr lautern."]
