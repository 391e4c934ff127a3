"""What is noted of devices: learned from real documents, kept within bounds, and never in the way."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from stadtherz.base.time import DAY, HOUR, MINUTE, Micros, from_us, iso, now_us, stopped_at
from stadtherz.base.vocabulary import BATTERY
from stadtherz.ingest.devices import finding, messages
from stadtherz.ingest.health import notes, reading, sweeping, writing
from stadtherz.ingest.health.conditions import Condition
from stadtherz.ingest.health.models import DeviceDay, DeviceHealth, DeviceMessages
from stadtherz.ingest.models import Device
from stadtherz.ingest.public import NewField, register_device
from stadtherz.ingest.tests.factories import (
    EUI,
    STRANGE_EUI,
    Door,
    Town,
    chirpstack,
    make_stream,
    make_town,
    time_of,
    tts,
)


def sent(number: int, at: Micros, /, **decoded: Any) -> dict[str, Any]:
    """The `number`th uplink, heard by the network at `at`."""
    body = tts(number, **decoded)
    body["uplink_message"]["received_at"] = iso(at)
    return body


def report(town: Town) -> reading.Report:
    return reading.report(town.device)


@pytest.fixture
def noon() -> Iterator[Micros]:
    """The product's clock stands."""
    moment = now_us() // DAY * DAY + DAY // 2
    with stopped_at(from_us(moment)):
        yield moment


def test_a_devices_interval_and_losses_are_learned_from_its_uplinks(
    town: Town, door: Door, noon: Micros
) -> None:
    for number in (1, 2, 3, 5, 6, 8):
        door.post(sent(number, noon - (9 - number) * 15 * MINUTE, level_cm=5))
    found = report(town)
    assert found.known.facts.interval == 15 * MINUTE
    assert (found.recent.received, found.recent.lost) == (6, 2)
    assert found.known.gateway == "tower"
    assert found.known.facts.rssi == -80


def test_what_comes_late_repeated_or_in_disorder_is_no_loss(
    town: Town, door: Door, noon: Micros
) -> None:
    for number in (1, 4, 3, 3, 5, 2):
        door.post(sent(number, noon - (9 - number) * 15 * MINUTE, level_cm=5))
        notes.flush()
    assert (report(town).recent.received, report(town).recent.lost) == (5, 0)


def test_a_new_session_is_a_reset_and_no_loss(town: Town, door: Door, noon: Micros) -> None:
    for place, counter in enumerate((900, 901, 0, 1)):
        body = sent(counter, noon - (9 - place) * 15 * MINUTE, level_cm=place)
        body["uplink_message"]["session_key_id"] = str(counter // 900)
        door.post(body)
    recent = report(town).recent
    assert (recent.received, recent.lost, recent.resets) == (4, 0, 1)


def test_losses_are_those_of_the_last_seven_days(town: Town, door: Door, noon: Micros) -> None:
    for number, days in ((1, 7), (9, 7), (10, 2), (13, 1), (14, 0)):
        door.post(sent(number, noon - days * DAY, level_cm=5))
    recent = report(town).recent
    assert (recent.received, recent.lost) == (3, 2)


def test_an_expected_interval_wins_over_the_learned_one(
    town: Town, door: Door, noon: Micros
) -> None:
    for number in range(1, 6):
        door.post(sent(number, noon - (9 - number) * 15 * MINUTE, level_cm=5))
    Device.objects.update(expected_minutes=120)
    found = report(town).known
    assert (found.facts.interval, found.learned) == (2 * HOUR, 15 * MINUTE)


def test_a_device_whose_clock_is_wrong_is_told(town: Town, door: Door, noon: Micros) -> None:
    Device.objects.update(time_path="at")
    finding.forget()
    door.post(sent(1, noon, level_cm=5, at=iso(noon + 3 * HOUR)))
    assert "clock_wrong" in report(town).known.conditions
    door.post(sent(2, noon + MINUTE, level_cm=5, at=iso(noon + MINUTE)))
    assert "clock_wrong" not in report(town).known.conditions


def test_battery_by_percent_and_by_volts_is_kept_for_each_day(
    town: Town, door: Door, noon: Micros
) -> None:
    volts, percent = (make_stream(town.organisation, BATTERY, name) for name in ("V", "P"))
    rows = Device.objects.get().fields
    fields = [NewField("batV", volts), NewField("battery", percent)]
    register_device(town.organisation, "tts", EUI, "Gauge", fields=fields)
    datastream = rows.get(path="batV").datastream
    datastream.unit_of_measurement = {"name": "volt", "symbol": "V", "definition": ""}
    datastream.save()
    writing.forget_batteries()
    door.post(sent(1, noon, level_cm=5, batV=3.61, battery=77))
    found = report(town)
    assert [(day.battery, day.volts) for day in found.days] == [(77, 3.61)]
    assert found.known.facts.battery == 77


def test_a_falling_battery_is_forecast_and_the_forecast_stands_in_the_list(
    town: Town, noon: Micros
) -> None:
    DeviceHealth.objects.create(device_id=town.device)
    today = noon // DAY * DAY
    for back in range(30):
        DeviceDay.objects.create(
            device_id=town.device, day=today - back * DAY, battery=30 + back, battery_at=1
        )
    found = report(town)
    assert found.battery is not None
    assert found.battery.days == pytest.approx(30, abs=1)
    assert "battery_soon" in reading.known(Device.objects.all())[0].conditions
    assert list(reading.having(Device.objects.all(), [Condition.BATTERY_SOON])) == [
        found.known.device
    ]


def test_messages_are_kept_as_they_came_with_what_became_of_each(town: Town, door: Door) -> None:
    stored, refused = tts(1, level_cm=5), tts(2, level_cm=900)
    for body in (stored, stored, refused, {**tts(3), "join_accept": {}, "uplink_message": None}):
        body = {name: value for name, value in body.items() if value is not None}
        door.post(body)
    newest = list(reversed(report(town).messages))
    assert [(m.outcome, m.reason) for m in newest] == [
        ("stored", ""),
        ("duplicate", ""),
        ("refused", "impossible_value"),
        ("event", "join"),
    ]
    assert b'"level_cm":5' in newest[0].body
    assert newest[0].values == ((town.level, 5.0),)
    assert newest[2].facts["problems"][0]["maximum"] == 500
    assert newest[3].f_cnt is None


def test_of_a_large_document_the_beginning_is_kept(town: Town, door: Door) -> None:
    body = tts(1, level_cm=5, text="x" * 30_000)
    door.post(body)
    (kept,) = report(town).messages
    assert len(kept.body) == messages.LARGEST
    assert kept.size > 30_000


def test_no_more_messages_are_kept_than_asked_for(town: Town, door: Door, settings: Any) -> None:
    settings.STADTHERZ = {**settings.STADTHERZ, "messages_kept": 5}
    for number in range(1, 20):
        door.post(tts(number, level_cm=5))
        notes.flush()
    assert [m.f_cnt for m in report(town).messages] == [19, 18, 17, 16, 15]
    assert sum(DeviceMessages.objects.values_list("count", flat=True)) <= 7


def test_messages_and_days_are_forgotten_in_time(town: Town, door: Door) -> None:
    door.post(sent(1, now_us(), level_cm=5))
    notes.flush()
    with stopped_at(from_us(now_us()) + timedelta(days=6)):
        sweeping.sweep()
        assert DeviceMessages.objects.exists()
    with stopped_at(from_us(now_us()) + timedelta(days=15)):
        sweeping.sweep()
        assert not DeviceMessages.objects.exists()
        assert bytes(DeviceDay.objects.get().heard) == b""
    with stopped_at(from_us(now_us()) + timedelta(days=800)):
        sweeping.sweep()
        sweeping.sweep()
        assert not DeviceDay.objects.exists()


def test_what_no_device_of_ours_sent_is_not_noted(town: Town, door: Door) -> None:
    other = make_town("village", STRANGE_EUI)
    door.post(tts(1, level_cm=5, dev_eui=STRANGE_EUI))
    door.post(b"{")
    door.post(tts(1, level_cm=5), token="nobody")
    notes.flush()
    assert not DeviceMessages.objects.exists()
    assert reading.last_messages(other.device) == []


def test_a_deleted_device_does_not_take_the_notes_of_others_along(town: Town, door: Door) -> None:
    other = make_town("village", STRANGE_EUI)
    door.let_in(other, "village")
    door.post(tts(1, level_cm=5))
    door.post(tts(1, level_cm=5, dev_eui=STRANGE_EUI), token="village")
    Device.objects.filter(pk=town.device).delete()
    notes.flush()
    assert list(DeviceHealth.objects.values_list("device", flat=True)) == [other.device]


def test_all_networks_tell_of_their_devices(town: Town, door: Door) -> None:
    level = make_stream(town.organisation)
    register_device(
        town.organisation, "chirpstack", EUI, "Second", fields=[NewField("level_cm", level)]
    )
    body = {**chirpstack(4, level_cm=5), "time": iso(now_us())}
    door.post(body, path="/ingest/chirpstack?event=up")
    device = Device.objects.get(network="chirpstack")
    assert reading.report(device.pk).known.gateway == "0016C001F153A14C"


def test_a_device_that_was_never_heard_has_a_report(town: Town) -> None:
    found = report(town)
    assert found.known.conditions == ("never_heard",)
    assert found.days == []
    assert found.messages == []


def test_writing_does_not_make_the_door_wait(town: Town, door: Door) -> None:
    """Somebody holds the devices' rows; uplinks are answered all the same."""
    DeviceHealth.objects.create(device_id=town.device)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with notes._writing:
            held.set()
            done.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(5)
    try:
        assert door.post(tts(1, level_cm=5)).status_code == 200
    finally:
        done.set()
        holder.join()


def test_an_uplink_that_comes_weeks_late_is_counted_on_no_day(town: Town, door: Door) -> None:
    door.post(tts(1, level_cm=5))  # of last year
    notes.flush()
    assert time_of(1) < now_us() - 8 * DAY
    assert not DeviceDay.objects.exists()
    assert DeviceMessages.objects.exists()
