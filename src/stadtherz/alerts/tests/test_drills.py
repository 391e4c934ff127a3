"""A test alarm walks the whole chain, asks everybody, and is known to nobody else."""

from datetime import timedelta

import pytest

from stadtherz.alerts.models import Alert, AlertEvent, ContactList, Delivery, Drill
from stadtherz.alerts.people import drills
from stadtherz.alerts.public import (
    acknowledge,
    change,
    forget_old_names,
    open_alerts,
    pause,
    remind_of_drills,
    result,
    send_due,
    start_drill,
)
from stadtherz.alerts.tests.cast import Time, alert, changes, listed, person, send, told
from stadtherz.alerts.tests.factories import Ward
from stadtherz.alerts.tests.mailserver import MailServer
from stadtherz.base.errors import Conflict
from stadtherz.base.time import MINUTE, now_us
from stadtherz.base.visibility import SYSTEM
from stadtherz.identity.public import User, add_member

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def clock(ward: Ward) -> Time:
    """The ward's list is a and b; after 10 minutes c is told."""
    found = ContactList.objects.get(pk=ward.recipients)
    found.contacts.set([person(ward, "a"), person(ward, "b")])
    found.escalate_to, found.escalate_minutes = listed(ward, "Leitung", person(ward, "c")), 10
    found.remind_minutes = 4
    found.save()
    return Time()


def start(ward: Ward, clock: Time) -> Drill:
    with clock.at():
        made = start_drill(ward.recipients, "Chef")
    send(clock)
    return made


def answers(clock: Time, name: str) -> None:
    from stadtherz.alerts.models import Contact

    clock.moment += timedelta(minutes=1)
    with clock.at():
        acknowledge(alert().pk, name, "link", contact=Contact.objects.get(name=name).pk)


def test_it_says_first_that_it_is_a_test_in_every_message(ward: Ward, clock: Time) -> None:
    start(ward, clock)
    clock.runs(11)
    assert {"raised", "reminded", "forwarded"} <= set(changes())
    for event in alert().events.all():
        assert event.texts["de"]["subject"].startswith("PROBEALARM")
        assert event.texts["en"]["sentence"].startswith("TEST ALARM")


def test_one_answer_does_not_stop_it(ward: Ward, clock: Time) -> None:
    start(ward, clock)
    answers(clock, "a")
    clock.runs(10)
    assert told("reminded") == ["b", "b"]
    assert told("forwarded") == ["c"]


def test_it_is_over_when_everybody_has_answered(ward: Ward, clock: Time) -> None:
    made = start(ward, clock)
    for name in "ab":
        answers(clock, name)
    assert not result(made).over
    clock.runs(10)
    answers(clock, "c")
    made.refresh_from_db()
    found = result(made)
    assert found.over
    assert found.missing == ()
    assert told("cleared") == []


def test_the_result_says_who_was_reached_and_who_has_answered_how_fast(
    ward: Ward, clock: Time
) -> None:
    made = start(ward, clock)
    answers(clock, "b")
    found = result(made)
    assert [(each.person, each.recipients, each.took) for each in found.messages] == [
        ("a", "Feuerwehr", 0),
        ("b", "Feuerwehr", 0),
    ]
    assert found.missing == ("a",)
    took = {each.person: each.took for each in found.answers}
    assert took == {"a": None, "b": MINUTE}


def test_after_a_day_it_ends_by_itself(ward: Ward, clock: Time) -> None:
    made = start(ward, clock)
    clock.goes_on(hours=25)
    made.refresh_from_db()
    assert result(made).over
    assert result(made).missing == ("a", "b", "c")


def test_one_at_a_time(ward: Ward, clock: Time) -> None:
    start(ward, clock)
    with pytest.raises(Conflict):
        start(ward, clock)


def test_it_is_neither_public_nor_silenced(ward: Ward, clock: Time) -> None:
    with clock.at():
        ends = clock.moment + timedelta(days=1)
        pause(owner=ward.organisation, ends=ends, reason="Bau", by="Chef")
    start(ward, clock)
    assert told() == ["a", "b"]
    assert open_alerts(SYSTEM) == []
    assert Alert.objects.filter(drill=True, public=False, datastream=None).count() == 1


def test_lists_without_one_for_a_month_are_named(ward: Ward, clock: Time) -> None:
    def due() -> list[str]:
        with clock.at():
            return [each.name for each in drills.lists_without_drill(now_us())]

    ContactList.objects.filter(name="Leitung").update(drills=False)
    assert due() == ["Feuerwehr"]
    start(ward, clock)
    assert due() == []
    clock.goes_on(days=32)
    assert due() == ["Feuerwehr"]


def reminded(clock: Time) -> list[Delivery]:
    """Who has been owed the monthly word so far."""
    with clock.at():
        remind_of_drills()
    return list(Delivery.objects.filter(user__isnull=False).order_by("pk"))


def team(ward: Ward) -> None:
    for role, language in (("editor", "de"), ("administrator", "en"), ("viewer", "de")):
        add_member(ward.organisation, f"{role}@stadt.example", role)
        User.objects.filter(email=f"{role}@stadt.example").update(language=language)


def test_staff_are_reminded_once_a_month(ward: Ward, clock: Time) -> None:
    team(ward)
    assert reminded(clock) == []  # a list that has just been made is given its month
    for days, owed in ((32, 2), (1, 2), (30, 4), (2, 4)):
        clock.moment += timedelta(days=days)
        assert len(reminded(clock)) == owed
    people = [each.user.email for each in reminded(clock)[:2] if each.user]
    assert people == ["administrator@stadt.example", "editor@stadt.example"]


def test_the_reminder_goes_by_the_outbox_in_the_language_of_each(
    ward: Ward, clock: Time, mails: MailServer
) -> None:
    team(ward)
    reminded(clock)
    clock.moment += timedelta(days=32)
    reminded(clock)
    with clock.at():
        assert (send_due(), send_due()) == (2, 0)
    assert mails.subjects() == ["Time for a test alarm", "Zeit für einen Probealarm"]
    first = mails.received()[0]
    assert "Contact list: Feuerwehr" in first.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "because you look after" in first.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert {each.status for each in reminded(clock)} == {"sent"}


def test_the_reminder_is_no_open_alert_and_no_test_alarm(ward: Ward, clock: Time) -> None:
    team(ward)
    reminded(clock)
    clock.moment += timedelta(days=32)
    reminded(clock)
    assert Alert.objects.filter(cleared_at=None).count() == 0
    assert open_alerts(SYSTEM) == []
    assert Drill.objects.count() == 0


def test_who_has_left_is_not_reminded(ward: Ward, clock: Time, mails: MailServer) -> None:
    team(ward)
    reminded(clock)
    clock.moment += timedelta(days=32)
    reminded(clock)
    User.objects.filter(email__startswith="editor").update(is_active=False)
    User.objects.filter(email__startswith="administrator").delete()
    with clock.at():
        send_due()
    assert mails.subjects() == []
    assert set(Delivery.objects.values_list("status", flat=True)) == {"failed"}


def test_names_of_those_who_answered_go_after_two_years(ward: Ward, clock: Time) -> None:
    with clock.at():
        change(ward.goes(0, 1, observation=1, at=now_us()))
        acknowledge(alert().pk, "Meyer", "app")
    clock.moment += timedelta(days=700)
    with clock.at():
        forget_old_names()
    assert alert().acknowledged_by == "Meyer"
    clock.moment += timedelta(days=60)
    with clock.at():
        forget_old_names()
    assert alert().acknowledged_by == ""
    assert "Meyer" not in str(list(AlertEvent.objects.values_list("texts")))
