"""Reminders and the next list until somebody takes an alert on, and never twice."""

import itertools
from typing import Any

import pytest

from stadtherz.alerts.models import Alert, AlertNote, Chase, ContactList
from stadtherz.alerts.public import Outcome, acknowledge, close, comment, judge, withdraw
from stadtherz.alerts.tests.cast import Time, alert, changes, goes, listed, person, told
from stadtherz.alerts.tests.factories import KIND, Ward
from stadtherz.base.errors import Invalid

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def chain(ward: Ward) -> list[ContactList]:
    """Three lists: a, then b, then c."""
    lists = [listed(ward, name.upper(), person(ward, name)) for name in "bc"]
    first = ContactList.objects.get(pk=ward.recipients)
    first.contacts.set([person(ward, "a")])
    chain = [first, *lists]
    for here, there in itertools.pairwise(chain):
        here.escalate_to, here.escalate_minutes, here.remind_minutes = there, 30, 10
        here.save()
    return chain


def takes(clock: Time, who: str = "a", **more: Any) -> Outcome:
    with clock.at():
        return acknowledge(alert().pk, who, "app", **more).outcome


def test_a_list_is_reminded_until_somebody_answers(
    ward: Ward, chain: list[ContactList], clock: Time
) -> None:
    goes(ward, clock, 0, 1)
    clock.runs(25)
    assert changes() == ["raised", "reminded", "reminded"]
    takes(clock, contact=chain[0].contacts.get().pk)
    clock.runs(60)
    assert told() == ["a", "a", "a"]


def test_who_does_not_answer_is_passed_over_to_the_next_lists(
    ward: Ward, chain: list[ContactList], clock: Time
) -> None:
    ContactList.objects.update(remind_minutes=None)
    goes(ward, clock, 0, 1)
    clock.runs(120)
    assert told() == ["a", "b", "c"]
    goes(ward, clock, 1, 0)
    assert told("cleared") == ["a", "b", "c"]


def test_a_chain_that_leads_back_ends(ward: Ward, chain: list[ContactList], clock: Time) -> None:
    chain[2].escalate_to, chain[2].escalate_minutes = chain[0], 5
    chain[2].save()
    ContactList.objects.update(remind_minutes=None)
    goes(ward, clock, 0, 1)
    clock.runs(300)
    assert told() == ["a", "b", "c"]


def test_after_a_standstill_one_reminder_goes_out(
    ward: Ward, chain: list[ContactList], clock: Time
) -> None:
    ContactList.objects.update(escalate_to=None)
    goes(ward, clock, 0, 1)
    clock.goes_on(hours=5)
    clock.goes_on(minutes=1)
    assert changes() == ["raised", "reminded"]
    clock.goes_on(minutes=10)
    assert changes() == ["raised", "reminded", "reminded"]


def test_after_a_standstill_the_second_list_has_its_time_to_answer(
    ward: Ward, chain: list[ContactList], clock: Time
) -> None:
    ContactList.objects.update(remind_minutes=None)
    goes(ward, clock, 0, 1)
    clock.goes_on(hours=5)
    assert told() == ["a", "b"]
    clock.goes_on(minutes=29)
    assert told() == ["a", "b"]
    clock.goes_on(minutes=1)
    assert told() == ["a", "b", "c"]


def test_the_all_clear_ends_it(ward: Ward, chain: list[ContactList], clock: Time) -> None:
    goes(ward, clock, 0, 1, 0)
    clock.runs(60)
    assert changes() == ["raised", "cleared"]
    assert not Chase.objects.exists()


def test_a_graver_step_after_the_answer_calls_again(
    ward: Ward, chain: list[ContactList], clock: Time
) -> None:
    goes(ward, clock, 0, 1)
    takes(clock)
    goes(ward, clock, 1, 2)
    assert Alert.objects.get().acknowledged_at is None
    clock.runs(30)
    assert told("forwarded") == ["b"]
    takes(clock, "b")
    assert AlertNote.objects.count() == 2


def test_what_has_come_down_to_information_is_not_chased(
    ward: Ward, chain: list[ContactList], clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stadtherz.alerts.tests import factories
    from stadtherz.kit.declaration import Severity

    monkeypatch.setitem(factories.SEVERITIES, 1, Severity.INFO)
    goes(ward, clock, 0, 2, 1)
    clock.runs(60)
    assert changes() == ["raised", "lowered"]


def test_a_lighter_step_goes_on_being_chased(
    ward: Ward, chain: list[ContactList], clock: Time
) -> None:
    goes(ward, clock, 0, 2, 1)
    clock.runs(10)
    assert changes() == ["raised", "lowered", "reminded"]


def test_the_others_are_told_once_who_has_taken_it_on(
    ward: Ward, chain: list[ContactList], clock: Time
) -> None:
    one = chain[0].contacts.get()
    chain[0].contacts.add(person(ward, "other", ("email", "o@x.example"), ("sms", "+491512345678")))
    goes(ward, clock, 0, 1)
    assert takes(clock, "a", contact=one.pk) == Outcome.TAKEN
    assert takes(clock, "other") == Outcome.BEFORE
    assert told("acknowledged") == ["other"]
    event = alert().events.get(change="acknowledged")
    assert event.texts["de"]["subject"].startswith("Übernommen: ")
    assert "a hat" in event.texts["de"]["sentence"]


def test_what_is_over_cannot_be_taken_on(ward: Ward, chain: list[ContactList], clock: Time) -> None:
    goes(ward, clock, 0, 1, 0)
    assert takes(clock) == Outcome.OVER


def test_what_is_withdrawn_is_chased_no_more(
    ward: Ward, chain: list[ContactList], clock: Time
) -> None:
    goes(ward, clock, 0, 1)
    with clock.at():
        withdraw(KIND, "7")
    clock.runs(60)
    assert changes() == ["raised"]


def test_closing_by_hand_needs_a_reason_and_tells_those_who_know(
    ward: Ward, chain: list[ContactList], clock: Time
) -> None:
    goes(ward, clock, 0, 1)
    with clock.at():
        with pytest.raises(Invalid):
            close(alert().pk, "Chef", " ")
        assert close(alert().pk, "Chef", "Probe der Sonde")
        assert not close(alert().pk, "Chef", "Probe der Sonde")
    clock.runs(60)
    assert (changes(), told("cleared")) == (["raised", "cleared"], ["a"])


def test_every_act_is_written_down(ward: Ward, chain: list[ContactList], clock: Time) -> None:
    goes(ward, clock, 0, 1)
    takes(clock, why="fahre hin")
    with clock.at():
        comment(alert().pk, "Chef", "Zufluss verstopft")
        judge(alert().pk, True, "Chef", "Ast im Strahl")
    found = list(AlertNote.objects.values_list("act", "who", "why"))
    assert found == [
        ("acknowledged", "a", "fahre hin"),
        ("commented", "Chef", "Zufluss verstopft"),
        ("judged", "Chef", "Ast im Strahl"),
    ]
    assert alert().false_alarm is True
