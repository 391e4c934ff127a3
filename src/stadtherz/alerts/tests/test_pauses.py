"""In a pause nobody is told, and when it is over what is still wrong is told once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stadtherz.alerts.models import Alert, AlertNote, ContactList, Pause
from stadtherz.alerts.public import change, end_pause, pause
from stadtherz.alerts.tests.cast import Time, changes, goes, listed, person, told
from stadtherz.alerts.tests.factories import Ward
from stadtherz.base.errors import Invalid
from stadtherz.store.models import Thing

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def clock(ward: Ward) -> Time:
    found = ContactList.objects.get(pk=ward.recipients)
    found.contacts.set([person(ward, "a")])
    found.remind_minutes = 10
    found.save()
    return Time()


def works(ward: Ward, clock: Time, *, hours: float = 2, **more: Any) -> Pause:
    """A pause of the thing for some hours."""
    given = more if "thing" in more else {"thing": Thing.objects.earliest("pk").pk, **more}
    with clock.at():
        return pause(
            owner=ward.organisation,
            ends=clock.moment + timedelta(hours=hours),
            reason="Wartung",
            by="Chef",
            **given,
        )


def test_what_happens_in_a_pause_is_written_down_and_told_to_nobody(
    ward: Ward, clock: Time
) -> None:
    works(ward, clock)
    goes(ward, clock, 0, 2, 1, 0)
    clock.runs(130)
    assert changes() == ["raised", "lowered", "cleared"]
    assert told() == []


def test_what_is_still_wrong_at_the_end_is_told_once(ward: Ward, clock: Time) -> None:
    works(ward, clock)
    goes(ward, clock, 0, 2)
    clock.goes_on(hours=2)
    clock.goes_on(minutes=1)
    assert (changes(), told()) == (["raised", "resumed"], ["a"])
    clock.goes_on(minutes=10)
    assert told("reminded") == ["a"]
    goes(ward, clock, 2, 0)
    assert told("cleared") == ["a"]


def test_ended_by_hand_it_is_told_at_once(ward: Ward, clock: Time) -> None:
    made = works(ward, clock)
    goes(ward, clock, 0, 1)
    clock.goes_on(minutes=5)
    with clock.at():
        assert end_pause(made.pk, "Chef")
        assert not end_pause(made.pk, "Chef")
    clock.goes_on(seconds=1)
    assert told("resumed") == ["a"]


def test_nobody_is_reminded_in_a_pause(ward: Ward, clock: Time) -> None:
    goes(ward, clock, 0, 1)
    works(ward, clock)
    clock.runs(100)
    assert changes() == ["raised"]
    clock.runs(40)
    assert changes()[:2] == ["raised", "reminded"]


def test_the_end_of_what_was_told_before_is_told_in_a_pause(ward: Ward, clock: Time) -> None:
    goes(ward, clock, 0, 1)
    works(ward, clock)
    goes(ward, clock, 1, 0)
    assert told("cleared") == ["a"]


def test_a_pause_of_everything_lets_danger_through(ward: Ward, clock: Time) -> None:
    works(ward, clock, thing=None)
    goes(ward, clock, 0, 1)
    assert told() == []
    goes(ward, clock, 1, 2)
    assert told() == ["a"]
    clock.goes_on(hours=3)
    assert "resumed" not in changes()


def test_a_pause_of_another_thing_silences_nothing(ward: Ward, clock: Time) -> None:
    other = Thing.objects.create(owner_id=ward.organisation, name="Andere")
    works(ward, clock, thing=other.pk)
    goes(ward, clock, 0, 1)
    assert told() == ["a"]


def test_a_pause_that_has_not_begun_silences_nothing_and_can_be_taken_back(
    ward: Ward, clock: Time
) -> None:
    made = works(ward, clock, starts=clock.moment + timedelta(hours=1))
    goes(ward, clock, 0, 1)
    assert told() == ["a"]
    with clock.at():
        assert end_pause(made.pk, "Chef")
    assert not Pause.objects.exists()


def test_two_pauses_one_after_the_other_are_one_silence(ward: Ward, clock: Time) -> None:
    works(ward, clock, hours=1)
    works(ward, clock, hours=3)
    goes(ward, clock, 0, 1)
    clock.goes_on(hours=2)
    assert told() == []
    clock.goes_on(hours=2)
    assert told() == ["a"]


def test_the_trail_says_who_has_silenced_an_alert_and_why(ward: Ward, clock: Time) -> None:
    goes(ward, clock, 0, 1)
    works(ward, clock)
    clock.goes_on(hours=3)
    found = list(AlertNote.objects.values_list("act", "who", "why"))
    assert found == [("paused", "Chef", "Wartung"), ("resumed", "", "Wartung")]


@pytest.mark.parametrize(
    ("field", "given"),
    [("reason", {"reason": " "}), ("ends", {"hours": -1})],
)
def test_a_pause_needs_a_reason_and_an_end(
    ward: Ward, clock: Time, field: str, given: dict[str, Any]
) -> None:
    with clock.at(), pytest.raises(Invalid) as refused:
        pause(
            owner=ward.organisation,
            ends=clock.moment + timedelta(hours=given.get("hours", 1)),
            reason=given.get("reason", "Wartung"),
            by="Chef",
        )
    assert refused.value.field == field


def test_an_alert_of_nobody_is_silenced_by_no_pause(ward: Ward, clock: Time) -> None:
    works(ward, clock, thing=None)
    with clock.at():
        change(replace(ward.goes(0, 1, observation=5), datastream=None))
    assert Alert.objects.get().owner is None
    assert told() == ["a"]


def test_a_list_may_be_gone_when_the_pause_ends(ward: Ward, clock: Time) -> None:
    works(ward, clock)
    goes(ward, clock, 0, 1)
    ContactList.objects.all().delete()
    listed(ward, "neu")
    clock.goes_on(hours=3)
    assert (changes(), told()) == (["raised", "resumed"], [])
