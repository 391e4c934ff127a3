"""Taking an alert on by the link of a message and by SMS."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from stadtherz.alerts.models import Alert, AlertNote, Contact, ContactList, Delivery
from stadtherz.alerts.people import codes
from stadtherz.alerts.people.answers import Read, read
from stadtherz.alerts.public import by_sms, change, link_for
from stadtherz.alerts.tests.cast import Time, alert, goes, person, told
from stadtherz.alerts.tests.factories import Ward

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def clock(ward: Ward) -> Time:
    """The ward's list is Meyer, who has a telephone, and Kaya; an alert is open."""
    cache.clear()
    people = [
        person(ward, "Meyer", ("sms", "+49 151 1111111")),
        person(ward, "Kaya", ("email", "kaya@x.example"), language="en"),
    ]
    ContactList.objects.get(pk=ward.recipients).contacts.set(people)
    clock = Time()
    goes(ward, clock, 0, 1)
    return clock


def link(name: str) -> str:
    return link_for(Delivery.objects.filter(contact__name=name).earliest("pk"))


def asks(clock: Time, url: str) -> str:
    with clock.at():
        response = Client().get(url)
    assert response.status_code == 200
    return response.content.decode()


def presses(clock: Time, url: str, **more: str) -> int:
    with clock.at():
        return Client().post(url, more).status_code


def sms(clock: Time, text: str, sender: str = "491511111111") -> str | None:
    with clock.at():
        return by_sms(sender, text)


def test_opening_the_link_changes_nothing(clock: Time) -> None:
    page = asks(clock, link("Meyer"))
    assert "de Vorwarnung: Pegel Lauterstraße" in page
    assert "Ich übernehme" in page
    with clock.at():
        Client().head(link("Meyer"))
    assert Alert.objects.get().acknowledged_at is None
    assert not AlertNote.objects.exists()


def test_the_button_takes_it_on_and_the_page_says_so_to_everybody(clock: Time) -> None:
    assert presses(clock, link("Meyer"), why="fahre hin") == 302
    note = AlertNote.objects.get()
    assert (note.who, note.way, note.why) == ("Meyer", "link", "fahre hin")
    assert "Sie haben das übernommen" in asks(clock, link("Meyer"))
    assert "Meyer has taken this on already" in asks(clock, link("Kaya"))
    presses(clock, link("Kaya"))
    assert Alert.objects.get().acknowledged_by == "Meyer"


def test_the_page_is_in_the_readers_language(clock: Time) -> None:
    page = asks(clock, link("Kaya"))
    assert "I take this on" in page
    assert '<html lang="en">' in page


def test_a_link_lives_a_day_longer_than_its_alert(ward: Ward, clock: Time) -> None:
    goes(ward, clock, 1, 0)
    assert "Dieser Alarm ist vorbei" in asks(clock, link("Meyer"))
    clock.moment += timedelta(hours=25)
    assert presses(clock, link("Meyer")) == 404


@pytest.mark.parametrize(
    "broken", ["", "x", "1-AAAAAAAAAAAAAAAA", "zzzzzzzzzzzz-A", "-1-A", "1", "%F0%9F"]
)
def test_a_link_that_was_never_given_leads_nowhere(clock: Time, broken: str) -> None:
    assert presses(clock, f"/q/{broken}") == 404


def test_the_link_of_one_person_is_not_that_of_another(clock: Time) -> None:
    own, other = link("Meyer"), link("Kaya")
    mixed = f"{own.partition('-')[0]}-{other.partition('-')[2]}"
    assert presses(clock, mixed) == 404


def test_who_is_removed_or_at_rest_has_no_link_any_more(clock: Time) -> None:
    url = link("Meyer")
    Contact.objects.filter(name="Meyer").update(active=False)
    assert presses(clock, url) == 404


def test_guessing_links_ends_soon(clock: Time) -> None:
    answers = [presses(clock, f"/q/{number}-AAAAAAAAAAAAAAAA") for number in range(40)]
    assert answers[0] == 404
    assert answers[-1] == 429
    assert presses(clock, link("Meyer")) == 302  # and locks out nobody who has a link


def test_the_button_works_in_a_browser_that_keeps_no_cookies(clock: Time) -> None:
    strict = Client(enforce_csrf_checks=True)
    with clock.at():
        assert not strict.get(link("Meyer")).cookies
        assert strict.post(link("Meyer")).status_code == 302
    assert Alert.objects.get().acknowledged_by == "Meyer"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("OK 17", Read(17, "")),
        ("17", Read(17, "")),
        ("ok", Read(None, "")),
        (" Ok. ", Read(None, "")),
        ("ok17", Read(17, "")),
        ("#17", Read(17, "")),
        ("quittieren 17 müde", Read(17, "müde")),
        ("OK, 17: bin\nunterwegs", Read(17, "bin\nunterwegs")),
        ("Ja", Read(None, "")),
        ("ok bin unterwegs", Read(None, "bin unterwegs")),
        ("okulele", None),
        ("Wer ist da?", None),
        ("", None),
    ],
)
def test_what_an_answer_means(text: str, expected: Read | None) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "sender", ["+491511111111", "491511111111", "00491511111111", "01511111111"]
)
def test_a_number_is_known_however_it_is_written(clock: Time, sender: str) -> None:
    assert "übernommen" in (sms(clock, f"OK {alert().code}", sender) or "")
    note = AlertNote.objects.get()
    assert (note.who, note.way) == ("Meyer", "sms")


def test_ok_alone_means_the_only_open_alert(clock: Time) -> None:
    assert str(alert().code) in (sms(clock, "ok müde") or "")
    assert AlertNote.objects.get().why == "müde"


def test_where_several_are_open_ok_alone_asks_for_the_number(ward: Ward, clock: Time) -> None:
    with clock.at():
        change(replace(ward.goes(0, 1, observation=99), subject="8"))
    answer = sms(clock, "ok") or ""
    assert all(str(each.code) in answer for each in Alert.objects.all())
    assert not AlertNote.objects.exists()


def test_unknown_numbers_get_no_answer_and_are_noted(
    clock: Time, caplog: pytest.LogCaptureFixture
) -> None:
    assert sms(clock, f"OK {alert().code}", "+491579999999") is None
    assert "unknown number ending in 999" in caplog.text
    assert "1579999999" not in caplog.text
    assert not AlertNote.objects.exists()


def test_somebody_who_was_not_told_cannot_take_it_on(ward: Ward, clock: Time) -> None:
    person(ward, "Fremd", ("sms", "+491512222222"))
    answer = sms(clock, f"OK {alert().code}", "+491512222222")
    assert answer == f"Für Sie gibt es keinen offenen Alarm {alert().code}."


def test_an_answer_that_comes_late_says_so(ward: Ward, clock: Time) -> None:
    code = alert().code
    presses(clock, link("Kaya"))
    assert "Kaya hat den Alarm" in (sms(clock, f"ok {code}") or "")
    assert sms(clock, "ok") == "Es wartet kein Alarm auf Ihre Antwort."
    goes(ward, clock, 1, 0)
    assert "vorbei" in (sms(clock, f"ok {code}") or "")


def test_two_machines_do_not_talk_for_ever(clock: Time) -> None:
    answers = [sms(clock, "Ich bin im Urlaub.") for _each in range(30)]
    assert answers[0] is not None
    assert answers[-1] is None


def test_open_alerts_have_different_short_numbers(ward: Ward, clock: Time) -> None:
    with clock.at():
        for number in range(150):
            subject = replace(ward.goes(0, 1, observation=1000 + number), subject=f"n{number}")
            change(replace(subject, recipients=None))
    codes = [each.code for each in Alert.objects.filter(cleared_at=None)]
    assert len(set(codes)) == 151
    assert all(code is not None and 10 <= code < 1000 for code in codes)


def test_a_number_that_another_process_was_quicker_to_take_is_drawn_again(
    ward: Ward, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = alert().code or 0
    monkeypatch.setattr(codes, "_free_codes", lambda: iter([taken, taken + 1]))
    with clock.at():
        change(replace(ward.goes(0, 1, observation=99), subject="8"))
    assert alert().code == taken + 1


def test_who_is_deleted_leaves_no_name_in_the_trail(ward: Ward, clock: Time) -> None:
    presses(clock, link("Meyer"))
    assert told("acknowledged") == ["Kaya"]
    Contact.objects.get(name="Meyer").delete()
    rows = [
        str(row)
        for model in (Alert, AlertNote, Delivery, alert().events.model)
        for row in model._default_manager.values()
    ]
    assert not [row for row in rows if "Meyer" in row or "1511111111" in row]
    assert "Jemand hat das übernommen" in str(alert().events.get(change="acknowledged").texts)
    assert "Somebody has taken this on already" in asks(clock, link("Kaya"))
