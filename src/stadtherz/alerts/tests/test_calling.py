"""Who is told of what, by which address and when."""

from datetime import date, time, timedelta
from typing import Any

import pytest

from stadtherz.alerts.models import Address, Contact, ContactList, Delivery, Roster, RosterMember
from stadtherz.alerts.people.calling import owe
from stadtherz.alerts.tests.cast import Time, changes, goes, listed, person, told
from stadtherz.alerts.tests.factories import Ward
from stadtherz.base.time import to_us

pytestmark = pytest.mark.usefixtures("db")

NIGHT: dict[str, Any] = {"quiet_from": time(22), "quiet_until": time(6)}


@pytest.fixture
def clock() -> Time:
    return Time()


def team(ward: Ward, *people: Contact, **more: Any) -> ContactList:
    """The ward's list with these people only."""
    found = ContactList.objects.get(pk=ward.recipients)
    found.contacts.set(people)
    for name, value in more.items():
        setattr(found, name, value)
    found.save()
    return found


def roster(ward: Ward, *people: Contact, **more: Any) -> Roster:
    made = Roster.objects.create(
        owner_id=ward.organisation, name="Bereitschaft", first_day=date(2026, 3, 2), **more
    )
    for place, each in enumerate(people):
        RosterMember.objects.create(roster=made, contact=each, sort_order=place)
    return made


def test_each_address_gets_what_is_grave_enough_for_it(ward: Ward, clock: Time) -> None:
    both = person(ward, "a", ("email", "a@x.example"), ("sms", "+491511111111"))
    Address.objects.filter(channel="sms").update(least="danger")
    team(ward, both)
    goes(ward, clock, 0, 1)
    assert list(Delivery.objects.values_list("channel", flat=True)) == ["email"]
    goes(ward, clock, 1, 2)
    assert sorted(Delivery.objects.values_list("channel", flat=True)) == ["email", "email", "sms"]
    goes(ward, clock, 2, 0)
    assert Delivery.objects.filter(event__change="cleared").count() == 2


def test_addresses_that_stand_in_for_others_are_left_to_the_outbox(ward: Ward, clock: Time) -> None:
    team(ward, person(ward, "a", ("email", "a@x.example"), ("sms", "+491511111111")))
    Address.objects.filter(channel="sms").update(use="instead")
    goes(ward, clock, 0, 2)
    assert list(Delivery.objects.values_list("channel", flat=True)) == ["email"]


def test_who_has_only_such_addresses_is_called_by_the_first(ward: Ward, clock: Time) -> None:
    team(ward, person(ward, "a", ("sms", "+491511111111"), ("email", "a@x.example")))
    Address.objects.update(use="instead")
    goes(ward, clock, 0, 2)
    goes(ward, clock, 2, 0)
    assert list(Delivery.objects.values_list("channel", flat=True)) == ["sms", "sms"]


def test_an_address_of_two_people_gets_one_message(ward: Ward, clock: Time) -> None:
    one = person(ward, "a", ("email", "wache@x.example"), ("sms", "+49 151 1111111"))
    two = person(ward, "b", ("email", "Wache@x.example"), ("sms", "0151/1111111"))
    team(ward, one, two)
    goes(ward, clock, 0, 1)
    assert told() == ["a", "a"]


def test_several_lists_are_told_of_one_event_and_nobody_twice(ward: Ward, clock: Time) -> None:
    one, two = person(ward, "a"), person(ward, "b")
    team(ward, one)
    goes(ward, clock, 0, 1)
    event = Delivery.objects.get().event
    owe(event, ward.recipients, listed(ward, "more", one, two).pk)
    assert told() == ["a", "b"]


def test_who_is_on_duty_is_told_besides_the_members(ward: Ward, clock: Time) -> None:
    first, second = person(ward, "first"), person(ward, "second")
    found = team(ward, person(ward, "member"))
    found.rosters.add(roster(ward, first, second))
    goes(ward, clock, 0, 1)  # the second week
    assert sorted(told()) == ["member", "second"]


def test_who_was_told_of_the_beginning_is_told_of_the_end(ward: Ward, clock: Time) -> None:
    first, second = person(ward, "first"), person(ward, "second")
    team(ward).rosters.add(roster(ward, first, second, announce=False))
    goes(ward, clock, 0, 1)
    clock.moment += timedelta(days=7)
    goes(ward, clock, 1, 0)
    assert (told("raised"), told("cleared")) == (["second"], ["second"])


def test_who_has_joined_since_is_told_nothing_of_the_end(ward: Ward, clock: Time) -> None:
    one, two = person(ward, "a"), person(ward, "b")
    team(ward, one)
    goes(ward, clock, 0, 1)
    team(ward, one, two)
    goes(ward, clock, 1, 0)
    assert told("cleared") == ["a"]


def test_a_light_message_waits_for_the_end_of_quiet_hours(ward: Ward, clock: Time) -> None:
    team(ward, person(ward, "a", **NIGHT))
    clock.moment += timedelta(hours=12)  # midnight
    goes(ward, clock, 0, 1)
    morning = clock.moment + timedelta(hours=6)
    assert Delivery.objects.get().next_attempt == to_us(morning)


def test_danger_never_waits_and_does_not_queue_behind_what_does(ward: Ward, clock: Time) -> None:
    team(ward, person(ward, "a", **NIGHT))
    clock.moment += timedelta(hours=12)
    goes(ward, clock, 0, 1, 2)
    light, grave = Delivery.objects.order_by("pk")
    assert (light.status, grave.status) == ("skipped", "sent")


def test_what_is_over_by_morning_is_not_sent_at_all(ward: Ward, clock: Time) -> None:
    team(ward, person(ward, "a", **NIGHT), person(ward, "b"))
    clock.moment += timedelta(hours=12)
    goes(ward, clock, 0, 1)
    goes(ward, clock, 1, 0)
    assert told() == ["b", "b"]
    clock.goes_on(hours=7)
    assert told() == ["b", "b"]


def test_an_end_at_night_of_what_was_told_before_is_told_in_the_morning(
    ward: Ward, clock: Time
) -> None:
    team(ward, person(ward, "a", **NIGHT))
    goes(ward, clock, 0, 1)
    clock.moment += timedelta(hours=12)
    goes(ward, clock, 1, 0)
    assert Delivery.objects.filter(status="queued").get().event.change == "cleared"
    clock.goes_on(hours=7)
    assert not Delivery.objects.filter(status="queued").exists()


def test_of_several_light_news_in_the_night_the_newest_is_read_in_the_morning(
    ward: Ward, clock: Time
) -> None:
    team(ward, person(ward, "a", **NIGHT), remind_minutes=10)
    clock.moment += timedelta(hours=12)
    goes(ward, clock, 0, 1)
    clock.runs(45)
    assert changes() == ["raised", *["reminded"] * 4]
    assert told() == ["a"]


def test_the_next_person_on_duty_is_told_of_what_is_open_once(ward: Ward, clock: Time) -> None:
    first, second = person(ward, "first"), person(ward, "second")
    team(ward).rosters.add(roster(ward, first, second))
    clock.goes_on(minutes=1)
    goes(ward, clock, 0, 1)
    clock.goes_on(days=6)
    clock.goes_on(days=1)
    clock.goes_on(minutes=1)
    assert told() == ["second", "first"]
    goes(ward, clock, 1, 0)
    assert sorted(told("cleared")) == ["first", "second"]


def test_without_open_alerts_a_hand_over_is_silent(ward: Ward, clock: Time) -> None:
    team(ward).rosters.add(roster(ward, person(ward, "first"), person(ward, "second")))
    clock.goes_on(minutes=1)
    clock.goes_on(days=7)
    assert told() == []
