"""An alert opens once, changes once per observation and closes once."""

import pytest
from django.db import IntegrityError, transaction

from stadtherz.alerts.models import Alert, AlertEvent, Delivery
from stadtherz.alerts.public import change, current, open_alerts, withdraw
from stadtherz.alerts.tests.factories import KIND, Ward, make_datastream
from stadtherz.base.visibility import ANONYMOUS, SYSTEM
from stadtherz.kit.declaration import Severity
from stadtherz.store.models import Datastream, Organisation


def test_nothing_is_wrong_in_the_beginning(ward: Ward) -> None:
    with transaction.atomic():
        assert current(KIND, "7") is None


def test_a_raised_alert_is_the_current_state(ward: Ward) -> None:
    change(ward.goes(0, 2, observation=1, at=5))
    with transaction.atomic():
        state = current(KIND, "7")
    assert state is not None
    assert (state.rank, state.step, state.severity) == (2, "Alarm", Severity.DANGER)
    assert (state.opened, state.since) == (5, 5)


def test_a_rise_over_two_steps_owes_one_message(ward: Ward) -> None:
    change(ward.goes(0, 2, observation=1))
    assert Delivery.objects.count() == 1


def test_the_same_observation_changes_nothing_twice(ward: Ward) -> None:
    change(ward.goes(0, 1, observation=1))
    change(ward.goes(0, 1, observation=1))
    assert (Alert.objects.count(), AlertEvent.objects.count()) == (1, 1)


def test_an_observation_repeated_after_the_all_clear_raises_nothing(ward: Ward) -> None:
    change(ward.goes(0, 1, observation=1))
    change(ward.goes(1, 0, observation=2))
    change(ward.goes(0, 1, observation=1))
    assert not Alert.objects.filter(cleared_at=None).exists()


def test_each_change_is_written_down_with_its_kind(ward: Ward) -> None:
    for number, (before, after) in enumerate([(0, 1), (1, 2), (2, 1), (1, 0)], start=1):
        change(ward.goes(before, after, observation=number))
    names = list(AlertEvent.objects.values_list("change", flat=True))
    assert names == ["raised", "escalated", "lowered", "cleared"]


def test_an_alert_raised_again_after_its_end_is_a_new_one(ward: Ward) -> None:
    for number, (before, after) in enumerate([(0, 1), (1, 0), (0, 1)], start=1):
        change(ward.goes(before, after, observation=number))
    assert Alert.objects.count() == 2


def test_an_all_clear_without_an_alert_says_nothing(ward: Ward) -> None:
    change(ward.goes(1, 0, observation=1))
    assert (Alert.objects.count(), Delivery.objects.count()) == (0, 0)


def test_the_database_refuses_a_second_open_alert(ward: Ward) -> None:
    change(ward.goes(0, 1, observation=1))
    first = Alert.objects.get()
    first.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        first.save(force_insert=True)


def test_what_the_caller_takes_back_never_happened(ward: Ward) -> None:
    with transaction.atomic():
        change(ward.goes(0, 1, observation=1))
        transaction.set_rollback(True)
    assert (Alert.objects.count(), Delivery.objects.count()) == (0, 0)


def test_without_a_list_the_alert_is_kept_and_nobody_is_told(ward: Ward) -> None:
    change(Ward(ward.organisation, ward.datastream, 0).goes(0, 1, observation=1))
    assert (Alert.objects.count(), Delivery.objects.count()) == (1, 0)


def test_a_contact_put_to_rest_gets_no_message(ward: Ward) -> None:
    from stadtherz.alerts.models import Contact

    Contact.objects.update(active=False)
    change(ward.goes(0, 1, observation=1))
    assert not Delivery.objects.exists()


def test_open_alerts_show_only_what_the_reader_may_see(ward: Ward) -> None:
    change(ward.goes(0, 1, observation=1))
    assert [a.datastream for a in open_alerts(ANONYMOUS)] == [ward.datastream]
    Datastream.objects.update(access="organisation")
    assert open_alerts(ANONYMOUS) == []
    assert len(open_alerts(SYSTEM)) == 1


def test_the_worst_alert_comes_first(ward: Ward) -> None:
    from dataclasses import replace

    other = make_datastream(Organisation.objects.get())
    change(ward.goes(0, 1, observation=1))
    change(replace(ward.goes(0, 2, observation=2), subject="8", datastream=other.pk))
    assert [state.rank for state in open_alerts(SYSTEM, KIND)] == [2, 1]


def test_what_is_withdrawn_is_closed_and_may_be_raised_anew(ward: Ward) -> None:
    change(ward.goes(0, 1, observation=1))
    withdraw(KIND, "7")
    assert open_alerts(SYSTEM) == []
    assert AlertEvent.objects.count() == 1
    change(ward.goes(0, 1, observation=2))
    assert len(open_alerts(SYSTEM)) == 1
