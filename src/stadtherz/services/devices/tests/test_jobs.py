"""Devices that fall silent are told once, and once more when they are heard; a network that goes is told as one."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from stadtherz.alerts.public import Alert, AlertEvent, Delivery, add_contact, add_contact_list
from stadtherz.base.time import DAY, HOUR, MINUTE, Micros, from_us, now_us, stopped_at
from stadtherz.base.vocabulary import WATER_LEVEL
from stadtherz.ingest.public import Device, DeviceHealth, NewField, register_device
from stadtherz.kit.testing import Town
from stadtherz.services.devices.jobs import look_at_devices
from stadtherz.services.devices.models import Silence, Watch
from stadtherz.services.devices.service import SERVICE


@pytest.fixture
def noon() -> Iterator[Micros]:
    moment = now_us() // DAY * DAY + DAY // 2
    with stopped_at(from_us(moment)):
        yield moment


@pytest.fixture
def town(transactional_db: None) -> Town:
    return Town.found()


@pytest.fixture
def watch(town: Town) -> Watch:
    contact = add_contact(owner=town.organisation, name="Technik", email="t@stadt.example")
    people = add_contact_list(owner=town.organisation, name="Technik", contacts=[contact])
    return Watch.objects.create(owner_id=town.organisation, recipients_id=people)


def device(
    town: Town, number: int = 1, *, seen: Micros | None = None, gateway: str = "roof"
) -> int:
    """A device that reports every quarter of an hour and was last heard at `seen`."""
    stream = town.datastream(WATER_LEVEL, f"Gauge {number}")
    fields = [NewField("level", stream)]
    eui = f"{number:016X}"
    made = register_device(town.organisation, "tts", eui, f"Gauge {number}", fields=fields)
    Device.objects.filter(pk=made).update(last_seen=seen)
    DeviceHealth.objects.create(device_id=made, interval=15 * MINUTE, gateway=gateway)
    return made


def heard(*devices: int, at: Micros) -> None:
    Device.objects.filter(pk__in=devices).update(last_seen=at)


def changes() -> list[str]:
    return list(AlertEvent.objects.values_list("change", flat=True))


def look(at: Micros) -> None:
    with stopped_at(from_us(at)):
        look_at_devices()


def test_a_look_costs_the_same_however_many_devices_there_are(
    town: Town, watch: Watch, noon: Micros
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            look(noon)
        return len(asked)

    device(town, 1, seen=noon)
    look(noon)
    alone = queries()
    for number in range(2, 9):
        device(town, number, seen=noon)
    assert queries() == alone


def test_a_silent_device_is_told_once_and_its_return_once(
    town: Town, watch: Watch, noon: Micros
) -> None:
    gauge = device(town, seen=noon)
    for minutes in (0, 9, 18, 27, 36, 44):
        look(noon + minutes * MINUTE)
    assert changes() == []
    for minutes in (46, 47, 56):
        look(noon + minutes * MINUTE)
    assert changes() == ["raised"]
    heard(gauge, at=noon + 60 * MINUTE)
    for minutes in (61, 62):
        look(noon + minutes * MINUTE)
    assert changes() == ["raised", "cleared"]
    assert Delivery.objects.count() == 2
    texts = AlertEvent.objects.earliest("pk").texts
    assert "alle 15 Minuten" in texts["de"]["sentence"]
    assert "every 15 minutes" in texts["en"]["sentence"]


def test_each_silence_is_told(town: Town, watch: Watch, noon: Micros) -> None:
    gauge = device(town, seen=noon)
    for start in (0, 120):
        heard(gauge, at=noon + start * MINUTE - 1)
        for minutes in range(start, start + 60, 9):
            look(noon + minutes * MINUTE)
    assert changes() == ["raised", "cleared", "raised"]


def test_thirty_devices_of_a_gateway_that_has_gone_are_one_message(
    town: Town, watch: Watch, noon: Micros
) -> None:
    gauges = [device(town, n, seen=noon + n % 15 * MINUTE) for n in range(1, 31)]
    for minutes in range(0, 200, 5):
        look(noon + minutes * MINUTE)
    assert [alert.subject for alert in Alert.objects.all()] == [f"{town.organisation}:tts"]
    assert changes() == ["raised"]
    heard(*gauges[:6], at=noon + 201 * MINUTE)
    look(noon + 202 * MINUTE)
    heard(*gauges[:29], at=noon + 210 * MINUTE)
    look(noon + 211 * MINUTE)
    assert changes() == ["raised", "cleared"]
    assert Silence.objects.get().until is not None


def test_who_stays_silent_after_an_outage_is_told_a_little_later(
    town: Town, watch: Watch, noon: Micros
) -> None:
    gauges = [device(town, n, seen=noon) for n in range(1, 7)]
    for minutes in range(0, 75, 5):
        look(noon + minutes * MINUTE)
    for minutes in range(75, 150, 5):
        heard(*gauges[:5], at=noon + minutes * MINUTE)
        look(noon + minutes * MINUTE)
    assert changes() == ["raised", "cleared", "raised"]
    assert Alert.objects.get(cleared_at=None).subject == str(gauges[5])


def test_a_pause_of_the_city_itself_is_no_silence(town: Town, watch: Watch, noon: Micros) -> None:
    gauge = device(town, seen=noon)
    look(noon)
    look(noon + 6 * HOUR)
    assert changes() == []
    for minutes in range(0, 60, 5):
        look(noon + 6 * HOUR + minutes * MINUTE)
    assert Alert.objects.get().subject == str(gauge)


def test_a_low_battery_is_told_once_until_it_is_changed(
    town: Town, watch: Watch, noon: Micros
) -> None:
    gauge = device(town, seen=noon)
    for minute, percent in enumerate((50, 19, 21, 18, 25, 100)):
        Device.objects.filter(pk=gauge).update(battery=percent)
        look(noon + minute * MINUTE)
    assert changes() == ["raised", "cleared"]


def test_who_does_not_watch_is_told_nothing(town: Town, noon: Micros) -> None:
    device(town, seen=noon - HOUR)
    look(noon)
    assert changes() == []


def test_a_device_that_is_switched_off_has_no_alert(town: Town, watch: Watch, noon: Micros) -> None:
    gauge = device(town, seen=noon - HOUR)
    look(noon)
    assert changes() == ["raised"]
    Device.objects.filter(pk=gauge).update(active=False)
    look(noon)
    assert Alert.objects.get().cleared_at is not None
    assert Delivery.objects.count() == 1


def test_the_job_is_declared() -> None:
    assert [job.call for job in SERVICE.jobs] == [look_at_devices]
