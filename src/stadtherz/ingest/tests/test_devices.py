"""Devices: set up once, known at once after every change, and their state kept aside."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from stadtherz.base.errors import Conflict, Invalid
from stadtherz.base.time import DAY, HOUR, MINUTE, from_us, iso, now_us, stopped_at
from stadtherz.base.visibility import SYSTEM
from stadtherz.base.vocabulary import BATTERY
from stadtherz.ingest.devices import finding
from stadtherz.ingest.devices.remembered import NotKnown
from stadtherz.ingest.devices.seen import Seen
from stadtherz.ingest.health import notes
from stadtherz.ingest.intake.pipeline import Plan
from stadtherz.ingest.models import Device, DeviceEvent, DeviceField
from stadtherz.ingest.public import NewField, device_state, register_device
from stadtherz.ingest.tests.factories import (
    EUI,
    STRANGE_EUI,
    Door,
    Town,
    chirpstack,
    deliver,
    make_organisation,
    make_stream,
    make_town,
    plan_of,
    results,
    time_of,
    tts,
)
from stadtherz.store.public import Receipt, create, feature_for, features_for, streams, update


def test_registering_twice_gives_the_same_device_and_leaves_it_as_it_is(town: Town) -> None:
    Device.objects.update(name="Renamed by staff")
    more = make_stream(town.organisation, BATTERY)
    fields = [NewField("other", town.level), NewField("battery", more)]
    again = register_device(
        town.organisation, "tts", "a1-b2-c3-d4-e5-f6-07-18", "Gauge", fields=fields
    )
    assert again == town.device
    assert Device.objects.get().name == "Renamed by staff"
    paths = DeviceField.objects.values_list("path", flat=True)
    assert list(paths) == ["level_cm", "discharge", "battery"]


def test_the_device_of_another_organisation_cannot_be_registered(town: Town) -> None:
    with pytest.raises(Conflict):
        register_device(make_organisation("village"), "tts", EUI, "Mine")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"dev_eui": "12"}, "dev_eui"),
        ({"network": "pigeon"}, "network"),
        ({"name": ""}, "name"),
        ({"time_path": "a..b"}, "time_path"),
    ],
)
def test_a_device_that_cannot_be_right_names_its_field(
    town: Town, change: dict[str, str], field: str
) -> None:
    values = {"network": "tts", "dev_eui": STRANGE_EUI, "name": "New", **change}
    with pytest.raises(Invalid) as caught:
        register_device(town.organisation, **values)
    assert caught.value.field == field
    assert Device.objects.count() == 1


def test_a_field_cannot_write_into_a_datastream_of_others(town: Town) -> None:
    theirs = make_stream(make_organisation("village"), BATTERY)
    with pytest.raises(Invalid) as caught:
        register_device(
            town.organisation, "tts", STRANGE_EUI, "New", fields=[NewField("level", theirs)]
        )
    assert caught.value.field == "datastream"
    assert Device.objects.count() == 1


def test_a_field_with_an_empty_range_or_a_broken_path_is_refused(town: Town) -> None:
    field = DeviceField.objects.get(path="level_cm")
    known = {"device": field.device, "datastream": field.datastream, "path": "level"}
    for changes, wrong in (({"minimum": 5, "maximum": 1}, "maximum"), ({"path": "a["}, "path")):
        with pytest.raises(ValidationError) as caught:
            DeviceField(**{**known, **changes}).clean()
        assert list(caught.value.message_dict) == [wrong]


def test_a_change_counts_from_the_next_uplink_on(town: Town) -> None:
    deliver(town, tts(1, level_cm=10))
    field = DeviceField.objects.get(path="level_cm")
    field.factor = 0.1
    field.save()
    deliver(town, tts(2, level_cm=10))
    assert results(town.level) == [10, 1]


def test_a_change_counts_only_once_its_transaction_is_done(town: Town, door: Door) -> None:
    device = Device.objects.get()
    with transaction.atomic():
        device.active = False
        device.save()
        assert finding.find("tts", EUI) is not None
    assert door.post(tts(1, level_cm=10)).status_code == 404


def test_a_deleted_device_is_unknown_at_once(town: Town) -> None:
    deliver(town, tts(1, level_cm=10))
    Device.objects.get().delete()
    refusal = plan_of(town, tts(2, level_cm=10)).refusal
    assert refusal is not None
    assert refusal.reason == "unknown_device"


def test_bytes_are_mapped_where_the_network_decodes_nothing(town: Town) -> None:
    DeviceField.objects.filter(path="level_cm").delete()
    finding.forget()
    field = NewField("bytes:1:u16be", town.level, factor=-0.1, offset=400, minimum=0, maximum=400)
    register_device(town.organisation, "tts", EUI, "Gauge", fields=[field])
    (reading,) = plan_of(town, tts(1, payload=bytes([9, 0x0B, 0xB8]))).readings
    assert (reading.datastream, reading.result) == (town.level, 100)
    refused = plan_of(town, tts(2, payload=bytes([9, 0xFF, 0xFF]))).refusal
    assert refused is not None
    assert refused.reason == "impossible_value"


def test_a_field_of_another_port_is_not_read(town: Town) -> None:
    field = DeviceField.objects.get(path="level_cm")
    field.f_port = 7
    field.save()
    plan = plan_of(town, tts(1, level_cm=5, discharge=1))
    assert [reading.datastream for reading in plan.readings] == [town.discharge]


def test_what_the_network_tells_of_the_radio_becomes_readings(town: Town) -> None:
    more = make_stream(town.organisation, BATTERY)
    paths = {"radio:rssi": town.level, "radio:f_cnt": town.discharge, "radio:battery": more}
    DeviceField.objects.all().delete()
    finding.forget()
    fields = [NewField(path, stream) for path, stream in paths.items()]
    register_device(town.organisation, "tts", EUI, "Gauge", fields=fields)
    plan = plan_of(town, tts(7, level_cm=5))
    assert [(each.datastream, each.result) for each in plan.readings] == [
        (town.level, -80),
        (town.discharge, 7),
    ]


def measured(town: Town, told: object) -> int:
    """When a device measured that tells this time of its own."""
    device = Device.objects.get()
    device.time_path = "at"
    device.save()
    (reading,) = plan_of(town, tts(1, level_cm=5, at=told)).readings
    assert reading.result_time == time_of(1)
    return reading.phenomenon_time.start


@pytest.mark.parametrize("form", ["iso", "seconds", "milliseconds"])
def test_a_device_that_tells_its_time_is_believed_within_reason(town: Town, form: str) -> None:
    at = time_of(1) - HOUR
    told = {"iso": iso(at), "seconds": at // 10**6, "milliseconds": at // 1000}
    assert measured(town, told[form]) == at


@pytest.mark.parametrize(
    "told", [0, 1e300, True, "soon", None, iso(time_of(1) + HOUR), iso(time_of(1) - 90 * DAY)]
)
def test_a_devices_time_that_cannot_be_true_is_not_believed(town: Town, told: object) -> None:
    assert measured(town, told) == time_of(1)


def test_the_devices_state_is_known_after_an_uplink(town: Town, door: Door) -> None:
    before = now_us()
    door.post(tts(7, level_cm=5))
    state = device_state("tts", EUI.lower())
    assert state is not None
    assert state.last_f_cnt == 7
    assert (state.rssi, state.snr) == (-80, 9)
    assert state.last_seen is not None
    assert state.last_seen >= before
    assert device_state("tts", STRANGE_EUI) is None


def test_a_repeated_uplink_is_no_sign_of_life(town: Town, door: Door) -> None:
    door.post(tts(7, level_cm=5))
    first = device_state("tts", EUI)
    door.post(tts(7, level_cm=5))
    assert device_state("tts", EUI) == first


def test_events_are_counted_and_a_status_tells_the_battery(door: Door) -> None:
    station = make_town("village", STRANGE_EUI, "chirpstack")
    door.let_in(station, "village")
    status = {**chirpstack(1, STRANGE_EUI), "batteryLevel": 88.3}
    for event in ("status", "status", "join"):
        path = f"/ingest/chirpstack?event={event}"
        assert door.post(status, token="village", path=path).status_code == 200
    state = device_state("chirpstack", STRANGE_EUI)
    assert state is not None
    assert state.battery == 88.3
    counted = dict(DeviceEvent.objects.values_list("event", "count"))
    assert counted == {"status": 2, "join": 1}


def test_an_older_sign_of_life_does_not_turn_the_state_back(town: Town, door: Door) -> None:
    now = now_us()
    for at, f_cnt in ((now, 8), (now - MINUTE, 7)):
        note(Seen(town.device, at, f_cnt=f_cnt))
        notes.flush()
    state = device_state("tts", EUI)
    assert state is not None
    assert (state.last_seen, state.last_f_cnt) == (now, 8)


@contextmanager
def in_a_moment() -> Iterator[None]:
    with stopped_at(from_us(now_us()) + timedelta(seconds=4)):
        yield


def test_the_cache_forgets_after_seconds(town: Town) -> None:
    finding.find("tts", EUI)
    Device.objects.update(active=False)  # as another process would: no signal comes
    with in_a_moment():
        found = finding.find("tts", EUI)
    assert found is not None
    assert not found.active


def test_while_one_caller_looks_again_the_others_go_on_with_what_is_known(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = finding.find("tts", EUI)
    met: list[object] = []
    load = finding._cache._load

    def slow(*args: Any) -> Any:
        met.append(finding.find("tts", EUI))
        return load(*args)

    monkeypatch.setattr(finding._cache, "_load", slow)
    with in_a_moment():
        finding.find("tts", EUI)
    assert met == [known]


def test_what_is_old_is_looked_up_together(
    town: Town, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """As many statements for twenty devices as for one."""
    euis = [f"{number:016X}" for number in range(1, 20)]
    others = [make_town(f"village {eui}", eui) for eui in euis]
    for eui in (EUI, *euis) * 2:
        assert finding.find("tts", eui) is not None
    Device.objects.filter(pk=others[3].device).update(active=False)
    with in_a_moment(), django_assert_max_num_queries(6):
        found = {eui: finding.find("tts", eui) for eui in (EUI, *euis)}
        assert finding.known("tts", euis[-1]) == found[euis[-1]]
    assert [known and known.id for known in found.values()] == [
        town.device,
        *(other.device for other in others),
    ]
    assert [known and known.active for known in found.values()].count(False) == 1


def test_what_was_asked_for_in_vain_is_looked_up_together(
    town: Town, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """As at the start, when many deliveries come before the first device is known."""
    euis = [f"{number:016X}" for number in range(1, 20)]
    for eui in euis:
        make_town(f"village {eui}", eui)
    for eui in (*euis, STRANGE_EUI):
        with pytest.raises(NotKnown):
            finding.known("tts", eui)
    features_for(DeviceField.objects.values_list("datastream", flat=True))
    with django_assert_max_num_queries(6):
        assert finding.find("tts", euis[0]) is not None
        assert all(finding.known("tts", eui).active for eui in euis)


def test_a_name_that_went_to_another_device_is_that_device(town: Town) -> None:
    """Another process deleted the device and registered it anew: no signal comes."""
    finding.find("tts", EUI)
    row = Device.objects.get()
    Device.objects.bulk_create([Device(owner_id=row.owner_id, network="tts", dev_eui="0" * 16)])
    Device.objects.filter(pk=row.pk).update(dev_eui="1" * 16)
    Device.objects.filter(dev_eui="0" * 16).update(dev_eui=EUI)
    with in_a_moment():
        found = finding.find("tts", EUI)
        assert found is not None
        assert found.id != row.pk
        renamed = finding.find("tts", "1" * 16)
    assert renamed is not None
    assert renamed.id == row.pk


def test_a_station_that_moves_measures_at_its_new_place(town: Town) -> None:
    finding.find("tts", EUI)
    thing = streams([town.level])[town.level].thing
    place = {"type": "Point", "coordinates": [7.8, 49.5]}
    values = {"name": "Mill", "encoding_type": "application/geo+json", "location": place}
    mill = create("Location", {**values, "owner": town.organisation}, SYSTEM)
    update("Thing", thing, {"locations": [mill]}, SYSTEM)
    (reading,) = plan_of(town, tts(1, level_cm=5)).readings
    assert reading.feature == feature_for(town.level)


def note(sign: Seen) -> None:
    notes.note(sign.at, b"{}", Plan(seen=[sign]), [Receipt(1)])


@pytest.mark.parametrize("number", [1, 200])
def test_signs_of_life_of_many_devices_come_in_few_statements(
    town: Town, number: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """As many for two hundred as for one."""
    others = [make_town(f"village {n}", f"{n:016X}").device for n in range(1, 4)]
    for turn in range(number):
        for device in (town.device, *others):
            note(Seen(device, now_us(), f_cnt=turn))
    with django_assert_max_num_queries(20):
        notes.flush()
    assert set(Device.objects.values_list("last_f_cnt", flat=True)) == {number - 1}


def test_events_of_one_kind_are_counted_together(town: Town) -> None:
    for _ in range(2):
        for event in ("join", "status", "join"):
            note(Seen(town.device, now_us(), event=event, battery=50.0))
        notes.flush()
    assert dict(DeviceEvent.objects.values_list("event", "count")) == {"join": 4, "status": 2}
    assert Device.objects.get().battery == 50.0
