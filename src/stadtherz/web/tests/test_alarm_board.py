"""The board of alarms and one alert's page: what they say, who may do what, and what stays on record."""

import csv
import io
import re
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.translation import override

from stadtherz.alerts.public import (
    Address,
    Alert,
    AlertEvent,
    AlertNote,
    Contact,
    ContactList,
    Delivery,
    Drill,
    Pause,
    end_pause,
    link_for,
    result,
    start_drill,
)
from stadtherz.base.time import DAY, HOUR, MINUTE, Period, now_us
from stadtherz.base.visibility import SYSTEM
from stadtherz.identity.public import User
from stadtherz.store.public import Reading, append
from stadtherz.web.alarms.alerts import open_alerts
from stadtherz.web.alarms.reckoning import Happened, reckon
from stadtherz.web.alarms.story import chart
from stadtherz.web.tests.staff_cast import Town, client_of, signed_in, town
from stadtherz.web.tests.warning_cast import goes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def home() -> Town:
    return quiet(town("lautern"))


@pytest.fixture
def elsewhere() -> Town:
    return quiet(town("otterbach"))


def quiet(made: Town) -> Town:
    """The cast brings one row of everything; here only what a test does counts."""
    Alert.objects.all().delete()
    Pause.objects.all().delete()
    return made


@pytest.fixture
def alert(home: Town) -> Alert:
    goes(home.stream, 0, 2, at=now_us() - 10 * MINUTE, public=False)
    return Alert.objects.get()


def editor() -> Client:
    return signed_in("editor@lautern.example")


def text(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def act(client: Client, alert: Alert, what: str, **values: Any) -> int:
    return client.post(reverse("alert:act", args=[alert.pk, what]), values).status_code


def measure(home: Town, values: dict[int, float]) -> None:
    append([Reading(home.stream, Period(at), value) for at, value in values.items()])


def test_an_empty_board_says_that_nothing_is_wrong(home: Town) -> None:
    assert "Alles in Ordnung: Kein Alarm ist offen." in text(editor(), reverse("alert:board"))


def test_the_board_tells_step_place_value_and_that_nobody_has_it(home: Town, alert: Alert) -> None:
    now = now_us()
    measure(home, {now - HOUR - 20 * MINUTE: 80.0, now: 120.0})
    page = text(editor(), reverse("alert:board"))
    assert "1 Alarm ist offen. 1 wartet darauf, dass jemand übernimmt." in page
    assert "Alarm – Pegel lautern" in page
    assert "120" in page
    assert "steigend, 40" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert "noch niemand" in page
    assert "Ich übernehme" in page


def called(home: Town, alert: Alert, **states: str) -> None:
    """Anna and Ben were to be told; what became of the messages to each. Anna has a telephone."""
    recipients = ContactList.objects.create(owner_id=alert.owner_id, name="Bereitschaft")
    Alert.objects.filter(pk=alert.pk).update(recipients=recipients)
    for name, status in states.items():
        person = Contact.objects.create(owner_id=alert.owner_id, name=name.title())
        if name == "anna":
            Address.objects.create(contact=person, channel="sms", address="+49151234567")
        moment = now_us() - 5 * MINUTE
        Delivery.objects.create(
            event=AlertEvent.objects.get(),
            contact=person,
            channel="sms",
            status=status,
            owed_at=moment,
            changed_at=moment,
        )


@pytest.mark.parametrize(
    ("states", "says"),
    [
        ({"anna": "failed", "ben": "failed"}, "Keine Nachricht zu diesem Alarm ist angekommen."),
        ({"anna": "failed", "ben": "uncertain"}, "Vielleicht wurde niemand erreicht"),
        ({"anna": "failed", "ben": "queued"}, "Noch wurde niemand erreicht"),
        ({}, "Auf der Liste „Bereitschaft“ steht niemand"),
    ],
)
def test_a_card_says_that_nobody_was_reached_and_whom_to_call(
    home: Town, alert: Alert, states: dict[str, str], says: str
) -> None:
    called(home, alert, **states)
    for url in (reverse("alert:board"), reverse("alert:inspect", args=[alert.pk])):
        page = text(editor(), url)
        assert says in page
        if states:
            assert 'href="tel:+49151234567"' in page
            assert "Ben (keine Telefonnummer bekannt)" in page
            assert f"{reverse('delivery:index')}?alert={alert.pk}" in page
        else:
            assert (
                reverse("contactlist:inspect", args=[ContactList.objects.latest("pk").pk]) in page
            )


def test_without_a_list_the_card_says_so(alert: Alert) -> None:
    assert "Dafür ist keine Empfängerliste eingetragen." in text(editor(), reverse("alert:board"))


@pytest.mark.parametrize("status", ["sent", "handing_over"])
def test_as_soon_as_one_was_told_the_card_says_nothing_of_it(
    home: Town, alert: Alert, status: str
) -> None:
    called(home, alert, anna="failed", ben=status)
    assert "staff-alarm__unreached" not in text(editor(), reverse("alert:board"))


def test_who_has_taken_it_on_knows_of_it(home: Town, alert: Alert) -> None:
    called(home, alert, anna="failed")
    editor().post(reverse("alert:take", args=[alert.pk]))
    assert "Niemand wurde erreicht" not in text(editor(), reverse("alert:board"))


def test_the_history_shows_what_reached_nobody(home: Town, alert: Alert) -> None:
    called(home, alert, anna="failed")
    goes(home.stream, 2, 0, public=False)
    assert "niemand erreicht" in text(editor(), reverse("alert:index"))
    told = text(editor(), reverse("alert:inspect", args=[alert.pk]))
    assert "Keine Nachricht dazu hat jemanden erreicht." in told
    Delivery.objects.update(status="sent")
    assert "niemand erreicht" not in text(editor(), reverse("alert:index"))


def test_the_worst_stands_first(elsewhere: Town, home: Town, alert: Alert) -> None:
    goes(elsewhere.stream, 0, 1)
    root = client_of("superuser", home, elsewhere)
    page = text(root, reverse("alert:board"))
    assert page.index("Alarm – Pegel lautern") < page.index("Vorwarnung – Pegel otterbach")


def test_taking_it_on_is_written_down_with_who_and_why(alert: Alert) -> None:
    client = editor()
    url = reverse("alert:take", args=[alert.pk])
    answer = client.post(url, {"why": "Fahre hin", "from": "board"}, follow=True)
    assert "Sie haben übernommen." in answer.content.decode()
    assert "Ich übernehme" not in answer.content.decode()
    note = AlertNote.objects.get()
    assert (note.act, note.who, note.why, note.way) == (
        "acknowledged",
        "editor lautern",
        "Fahre hin",
        "app",
    )
    again = signed_in("administrator@lautern.example").post(url, follow=True).content.decode()
    assert "editor lautern hat schon übernommen." in again
    assert AlertNote.objects.count() == 1


@pytest.mark.parametrize("role", ["viewer", "stranger", "anonymous"])
def test_who_may_not_change_cannot_act(
    elsewhere: Town, home: Town, alert: Alert, role: str
) -> None:
    client = client_of(role, home, elsewhere)
    expected = {"viewer": (302, 403), "stranger": (404,), "anonymous": (302,)}[role]
    assert client.post(reverse("alert:take", args=[alert.pk])).status_code in expected
    for what in ("comment", "close", "silence", "judge"):
        assert act(client, alert, what, why="x", hours="4") in expected
    alert.refresh_from_db()
    assert alert.acknowledged_at is None
    assert alert.cleared_at is None
    assert not AlertNote.objects.exists()


def test_a_viewer_sees_and_has_no_buttons(alert: Alert) -> None:
    client = signed_in("viewer@lautern.example")
    for url in (reverse("alert:board"), reverse("alert:inspect", args=[alert.pk])):
        page = text(client, url)
        assert "Alarm – Pegel lautern" in page
        assert "Ich übernehme" not in page


def test_a_stranger_sees_nothing_of_it(elsewhere: Town, home: Town, alert: Alert) -> None:
    client = client_of("stranger", home, elsewhere)
    assert "Pegel lautern" not in text(client, reverse("alert:board"))
    assert "Pegel lautern" not in text(client, reverse("alert:statistics"))
    assert client.get(reverse("alert:inspect", args=[alert.pk])).status_code == 404


def test_a_comment_stands_in_the_time_line(alert: Alert) -> None:
    assert act(editor(), alert, "comment", why="Der Rechen ist verstopft.") == 302
    assert "Der Rechen ist verstopft." in text(editor(), reverse("alert:inspect", args=[alert.pk]))


def test_a_comment_without_words_names_the_way_out(alert: Alert) -> None:
    url = reverse("alert:act", args=[alert.pk, "comment"])
    answer = editor().post(url, {"why": "  "}, follow=True)
    assert "schreiben Sie auf, warum" in answer.content.decode()


def test_closing_by_hand_ends_it_with_a_reason(alert: Alert) -> None:
    act(editor(), alert, "close", why="Übung der Wehr")
    alert.refresh_from_db()
    assert alert.cleared_at is not None
    assert "Übung der Wehr" in text(editor(), reverse("alert:inspect", args=[alert.pk]))


def test_silence_has_an_end_and_a_reason(alert: Alert, home: Town) -> None:
    act(editor(), alert, "silence", why="Bagger im Bach", hours="4")
    pause = Pause.objects.get()
    assert (pause.thing_id, pause.reason) == (home.thing, "Bagger im Bach")
    assert 3.9 < (pause.ends - pause.starts).total_seconds() / 3600 < 4.1
    act(editor(), alert, "silence", why="für immer", hours="99999")
    assert Pause.objects.count() == 1


def test_a_judgement_can_be_given_and_taken_back(alert: Alert) -> None:
    for given, expected in (("false", True), ("right", False), ("", None)):
        act(editor(), alert, "judge", judgement=given)
        alert.refresh_from_db()
        assert alert.false_alarm is expected


def test_the_page_tells_the_story_with_the_curve(home: Town, alert: Alert) -> None:
    now = now_us()
    measure(home, {now - n * HOUR: 50.0 + n for n in range(1, 5)})
    page = text(editor(), reverse("alert:inspect", args=[alert.pk]))
    assert "Noch hat niemand übernommen." in page
    assert "sh-plot__mark--danger" in page
    assert "Werte als Tabelle" in page
    assert "Alarm: Mill" in page
    with override("de"):
        story = chart(alert, (), SYSTEM)
    assert story is not None
    assert not story.subtitle.startswith(story.title)


def test_the_page_behind_a_messages_link_shows_the_curve(home: Town, alert: Alert) -> None:
    now = now_us()
    measure(home, {now - n * HOUR: 50.0 + n for n in range(1, 5)})
    called(home, alert, anna="sent")
    link = link_for(Delivery.objects.get(contact__name="Anna"))
    page = text(Client(), link)
    assert "Werte als Tabelle" in page
    assert "sh-plot__line" in page
    Alert.objects.filter(pk=alert.pk).update(drill=True)
    assert "sh-plot__line" not in text(Client(), link)


def test_a_test_alarm_says_so_first(alert: Alert) -> None:
    Alert.objects.filter(pk=alert.pk).update(drill=True)
    assert "Probealarm" in text(editor(), reverse("alert:board"))
    page = text(editor(), reverse("alert:inspect", args=[alert.pk]))
    assert "Dies ist ein Probealarm. Es ist nichts passiert." in page


def test_a_test_alarm_is_no_alarm_and_each_answers_for_themselves(home: Town) -> None:
    drill = start_drill(home.contactlist, "x")
    page = text(editor(), reverse("alert:board"))
    assert "Alles in Ordnung: Kein Alarm ist offen. Ein Probealarm läuft." in page
    assert "Ich übernehme" not in page
    assert "ist bei mir angekommen" not in page  # the editor is not on the list
    assert reverse("drill:inspect", args=[drill.pk]) in page
    assert open_alerts(asked("editor@lautern.example")) == 0
    address = Address.objects.get(contact=home.contact)
    Address.objects.filter(pk=address.pk).update(address="Editor@lautern.example")
    assert "Der Probealarm ist bei mir angekommen" in text(editor(), reverse("alert:board"))
    assert drill.alert is not None
    given = editor().post(reverse("alert:take", args=[drill.alert.pk]), {"from": "board"})
    assert given.status_code == 302
    assert "ist bei mir angekommen" not in text(editor(), reverse("alert:board"))
    assert result(Drill.objects.get(pk=drill.pk)).missing == ()
    page = text(editor(), reverse("alert:inspect", args=[drill.alert.pk]))
    assert "Fehlalarm" not in page


def asked(email: str) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = User.objects.get(email=email)
    return request


def test_a_silenced_alarm_says_so_until_when_and_why(home: Town, alert: Alert) -> None:
    pages = (reverse("alert:board"), reverse("alert:inspect", args=[alert.pk]))
    assert not any("Stummgeschaltet" in text(editor(), page) for page in pages)
    act(editor(), alert, "silence", hours="4", why="Bauarbeiten an der Brücke")
    made = Pause.objects.latest("pk")
    for page in pages:
        told = text(editor(), page)
        assert "Stummgeschaltet: Bis" in told
        assert "Grund: Bauarbeiten an der Brücke" in told
        assert reverse("pause:inspect", args=[made.pk]) in told
    end_pause(made.pk, "x")
    assert not any("Stummgeschaltet" in text(editor(), page) for page in pages)


def test_the_history_can_be_cut_and_taken_as_csv(home: Town, alert: Alert) -> None:
    goes(home.stream, 2, 0)
    goes(home.stream, 0, 1, step="=HYPERLINK()")
    url = reverse("alert:index")
    assert "Vorwarnung" not in text(editor(), f"{url}?state=over")
    assert "Vorwarnung" in text(editor(), f"{url}?state=open")
    answer = editor().get(f"{url}?export=csv")
    body = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    lines = list(csv.reader(io.StringIO(body)))
    assert len(lines) == 3
    assert "Messstelle" in lines[0]
    assert {line[3] for line in lines[1:]} == {"", "'=HYPERLINK()"}


def test_an_alarm_that_is_over_is_listed_by_what_it_was(home: Town, alert: Alert) -> None:
    goes(home.stream, 2, 0)
    assert "Alarm: Mill" in text(editor(), f"{reverse('alert:index')}?state=over")


def test_figures_begin_with_a_sentence(home: Town, alert: Alert) -> None:
    Alert.objects.update(acknowledged_at=alert.opened_at + 5 * MINUTE, false_alarm=True)
    page = text(editor(), reverse("alert:statistics"))
    assert "1 Alarm in den letzten zwölf Monaten." in page
    assert "Von 1 beurteilten waren 1 Fehlalarme." in page
    assert "5 Minuten" in page
    assert "0,2" not in re.findall(r'class="sh-plot__value"[^>]*>([^<]*)', page)


def test_times_are_the_median_and_nine_of_ten() -> None:
    alarms = [Happened("x", 0, None, n * MINUTE) for n in range(1, 11)]
    found = reckon([*alarms, Happened("x", 0, True, None)])
    assert (found.number, found.taken, found.false, found.judged) == (11, 10, 1, 1)
    assert (found.median, found.ninety) == (5 * MINUTE, 9 * MINUTE)


def test_what_is_older_than_a_year_does_not_count(alert: Alert) -> None:
    Alert.objects.update(opened_at=now_us() - 400 * DAY)
    assert "in den letzten zwölf Monaten keinen Alarm" in text(
        editor(), reverse("alert:statistics")
    )
