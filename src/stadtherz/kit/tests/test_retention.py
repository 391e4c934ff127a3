"""Rows whose time is over are deleted, the others stay."""

from datetime import timedelta

from stadtherz.alerts.public import AlertEvent, Contact, Delivery, Transition, change
from stadtherz.base import time
from stadtherz.base.vocabulary import WATER_LEVEL
from stadtherz.kit.declaration import Severity
from stadtherz.kit.public import sweep
from stadtherz.kit.retention import also_keep, lines
from stadtherz.kit.testing import Town


def owe_a_message() -> None:
    """One contact, one event, one delivery."""
    town = Town.found()
    contact = Contact.objects.create(owner_id=town.organisation, name="W")
    stream = town.datastream(WATER_LEVEL)
    change(
        Transition(
            kind="test", subject="1", datastream=stream, before=0, after=1, step="1",
            severity=Severity.WARNING, title={}, texts={}, observation=1, at=1, recipients=None,
        )
    )  # fmt: skip
    Delivery.objects.create(
        event=AlertEvent.objects.get(), contact=contact, changed_at=time.now_us()
    )


def test_a_delivery_is_kept_for_two_years_and_no_longer(transactional_db: None) -> None:
    owe_a_message()
    with time.stopped_at(time.now() + timedelta(days=700)):
        sweep()
        assert Delivery.objects.count() == 1
    with time.stopped_at(time.now() + timedelta(days=740)):
        sweep()
        sweep()
        assert Delivery.objects.count() == 0


def test_what_is_kept_until_somebody_deletes_it_stays(transactional_db: None) -> None:
    owe_a_message()
    with time.stopped_at(time.now() + timedelta(days=36_500)):
        sweep()
    assert Contact.objects.count() == 1


def test_a_line_added_twice_counts_once() -> None:
    before = lines()
    also_keep(before[-1])  # of a package: those of services stand before
    assert lines() == before


def test_every_line_says_why() -> None:
    assert all(str(line.why) for line in lines())
