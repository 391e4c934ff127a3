"""Devices that were registered and have never sent are told once they should have."""

import pytest

from stadtherz.alerts.public import Alert, AlertEvent, Delivery
from stadtherz.base.time import DAY, MINUTE, Micros
from stadtherz.ingest.public import Condition, Device, devices_in
from stadtherz.kit.testing import Town
from stadtherz.services.devices.models import Watch
from stadtherz.services.devices.tests.test_jobs import (
    changes,
    device,
    heard,
    look,
    noon,
    town,
    watch,
)

__all__ = ["noon", "town", "watch"]


def new(town: Town, number: int = 1, *, at: Micros, expected: int | None = 15) -> int:
    made = device(town, number)
    Device.objects.filter(pk=made).update(registered=at, expected_minutes=expected)
    if expected is None:
        Device.objects.get(pk=made).health.delete()
    return made


def look_for(minutes: int, since: Micros, begin: int = 0) -> None:
    """Every nine minutes, so that the city is never deaf."""
    for minute in range(begin, minutes, 9):
        look(since + minute * MINUTE)
    look(since + minutes * MINUTE)


def test_a_new_device_is_told_once_when_its_interval_is_over_and_once_when_it_sends(
    town: Town, watch: Watch, noon: Micros
) -> None:
    gauge = new(town, at=noon)
    look_for(15, noon)
    assert changes() == []
    look_for(18, noon, 17)
    assert changes() == ["raised"]
    heard(gauge, at=noon + 19 * MINUTE)
    look_for(22, noon, 20)
    assert changes() == ["raised", "cleared"]
    assert Delivery.objects.count() == 2
    told = AlertEvent.objects.earliest("pk").texts
    assert told["en"]["subject"] == "Device has never sent: Gauge 1"
    assert "It has never sent: registered since" in told["en"]["sentence"]
    assert "Es hat noch nie gesendet" in told["de"]["sentence"]


def test_without_an_interval_a_new_device_has_a_day(town: Town, watch: Watch, noon: Micros) -> None:
    new(town, at=noon, expected=None)
    look_for(24 * 60, noon)
    assert changes() == []
    look(noon + DAY + MINUTE)
    assert changes() == ["raised"]


def test_many_new_devices_are_one_message(town: Town, watch: Watch, noon: Micros) -> None:
    gauges = [new(town, number, at=noon) for number in range(1, 8)]
    look_for(36, noon)
    assert changes() == ["raised"]
    assert Delivery.objects.count() == 1
    heard(*gauges[:-1], at=noon + 37 * MINUTE)
    look_for(38, noon, 37)
    assert changes() == ["raised"]
    heard(*gauges, at=noon + 39 * MINUTE)
    look_for(40, noon, 39)
    assert changes() == ["raised", "cleared"]


def test_a_device_that_had_its_own_alert_is_not_told_again_with_others(
    town: Town, watch: Watch, noon: Micros
) -> None:
    for number in range(1, 5):
        new(town, number, at=noon)
    look_for(18, noon)
    assert changes() == ["raised"] * 4
    new(town, 9, at=noon)
    look_for(27, noon, 19)
    assert changes() == ["raised"] * 5


def test_while_the_city_does_not_run_no_device_is_late_for_its_first_message(
    town: Town, watch: Watch, noon: Micros
) -> None:
    new(town, at=noon)
    look(noon)
    look(noon + 60 * MINUTE)
    assert changes() == []
    look_for(24, noon + 60 * MINUTE)
    assert changes() == ["raised"]


def test_who_watches_no_more_is_told_nothing_of_it(town: Town, watch: Watch, noon: Micros) -> None:
    new(town, at=noon)
    look_for(18, noon)
    Watch.objects.update(silent=False)
    look_for(20, noon, 19)
    assert not Alert.objects.filter(cleared_at=None).exists()
    assert changes() == ["raised"]


@pytest.mark.parametrize(("minutes", "listed"), [(14, False), (16, True)])
def test_the_list_of_silent_devices_has_it(
    town: Town, noon: Micros, minutes: int, listed: bool
) -> None:
    new(town, at=noon - minutes * MINUTE)
    wanted = [Condition.SILENT, Condition.NEVER_SENT]
    assert devices_in(Device.objects.all(), wanted).exists() is listed
