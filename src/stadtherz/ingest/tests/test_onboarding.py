"""A device is connected from what a clerk has: a message, a number, a place."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from stadtherz.base.errors import Conflict, Invalid
from stadtherz.base.time import MINUTE, now_us
from stadtherz.base.visibility import Scope, Visibility
from stadtherz.ingest.devices import finding
from stadtherz.ingest.models import Codec, Device, DeviceField, DeviceType
from stadtherz.ingest.onboarding.connecting import NewDevice, catch_up, connect, go_live
from stadtherz.ingest.onboarding.euis import read_eui
from stadtherz.ingest.onboarding.models import Draft, Replacement
from stadtherz.ingest.onboarding.recognise import name_in, recognise
from stadtherz.ingest.onboarding.rehearsal import rehearse
from stadtherz.ingest.onboarding.samples import newest, unknown_devices, waiting
from stadtherz.ingest.onboarding.swapping import Source, Swap, guessed_paths, swap
from stadtherz.ingest.onboarding.values import (
    Wanted,
    check_streams,
    merged,
    proposed,
    proposed_value,
    sample_values,
)
from stadtherz.ingest.refused.models import RefusedUplink
from stadtherz.ingest.tests.factories import (
    EUI,
    STRANGE_EUI,
    Town,
    deliver,
    make_organisation,
    plan_of,
    results,
    time_of,
    tts,
)
from stadtherz.ingest.values.decode import MISSING, value
from stadtherz.store.models import Datastream, Location, Sensor, Thing

RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> str:
    return orjson.dumps(orjson.loads((RECORDED / f"{name}.json").read_bytes())["body"]).decode()


def staff(town: Town) -> Visibility:
    return Visibility(
        actor="user:1",
        writes=frozenset({town.organisation}),
        organisations=frozenset({town.organisation}),
        home=town.organisation,
        scopes=frozenset({Scope.READ, Scope.WRITE}),
    )


def draft(town: Town, **values: Any) -> Draft:
    known = {"network": "tts", "dev_eui": STRANGE_EUI, "name": "New gauge"}
    return Draft.objects.create(actor="user:1", owner_id=town.organisation, **(known | values))


def wanted(path: str = "level_cm", **values: Any) -> Wanted:
    known: dict[str, Any] = {"name": "Level", "unit": "cm", "definition": "urn:test:level"}
    return Wanted(path=path, **(known | values))


# --- what is pasted -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "network", "dev_eui", "device"),
    [
        ("tts3-up", "tts", "0004A30B001C0530", "dev1"),
        ("chirpstack4-up", "chirpstack", "0101010101010101", "Test device"),
        ("chirpstack3-own-up", "chirpstack", None, None),
        ("actility-own-up", "actility", None, ""),
        ("loriot-own-gw", "loriot", None, ""),
        ("helium-own-up", "helium", None, None),
    ],
)
def test_a_pasted_message_tells_its_network_and_device(
    name: str, network: str, dev_eui: str | None, device: str | None
) -> None:
    found = recognise(recorded(name), received=now_us())
    assert found.network == network
    assert found.uplink is not None
    assert dev_eui in (None, found.uplink.dev_eui)
    assert device in (None, found.name)


@pytest.mark.parametrize(
    "name", ["tts3-join", "chirpstack4-join", "chirpstack4-status", "chirpstack4-ack"]
)
def test_a_message_without_measurements_still_tells_the_device(name: str) -> None:
    found = recognise(recorded(name), received=now_us())
    assert found.uplink is None
    assert len(found.message.dev_eui or "") == 16


@pytest.mark.parametrize("name", [path.stem for path in sorted(RECORDED.glob("*.json"))])
def test_every_recorded_document_is_recognised_as_its_network(name: str) -> None:
    found = recognise(recorded(name), received=now_us())
    assert name.startswith(found.network)


def test_what_a_console_wraps_around_a_message_does_not_matter() -> None:
    inner = orjson.loads(recorded("tts3-up"))
    shown = {"name": "as.up.data.forward", "data": {"@type": "x", **inner}}
    assert recognise(orjson.dumps(shown).decode(), received=now_us()).name == "dev1"
    assert recognise(orjson.dumps([{"result": inner}]).decode(), received=now_us()).name == "dev1"


def test_the_place_in_a_message_is_taken() -> None:
    place = recognise(recorded("tts3-up"), received=now_us()).place
    assert place == pytest.approx((23.72678801175413, 37.97155556731436))
    own = tts(1, STRANGE_EUI, latitude=49.44, longitude=7.77)
    assert recognise(orjson.dumps(own).decode(), received=now_us()).place == (7.77, 49.44)
    nowhere = tts(1, STRANGE_EUI, latitude=0, longitude=0)
    assert recognise(orjson.dumps(nowhere).decode(), received=now_us()).place is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "{",
        "[]",
        "null",
        "{}",
        '{"a": 1}',
        "[" * 100_000,
        '{"end_device_ids": 3}',
        "\ud800",
        "NaN",
    ],
)
def test_what_is_no_message_is_told_in_a_sentence(text: str) -> None:
    with pytest.raises(Invalid) as problem:
        recognise(text, received=now_us())
    assert problem.value.field == "sample"


# --- the number on the device ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "A84041000181A2B3",
        "a8:40:41:00:01:81:a2:b3",
        " a840 4100 0181 a2b3 ",
        "LW:D0:1122334455667788:A84041000181A2B3:AABB1122:OAABBCCDDEEFF:SYYWWNNNNNN:PFOOBAR:CAF2C",
        "lw:d0:1122334455667788:a84041000181a2b3:aabb1122",
        "URN:DEV:LW:1122334455667788_A84041000181A2B3_AABB1122_V0102",
        "URN:LW:DP:1122334455667788:A84041000181A2B3".replace("DP:", "").replace(":A8", "_A8"),
    ],
)
def test_an_eui_is_read_as_typed_or_scanned(text: str) -> None:
    assert read_eui(text).dev_eui == "A84041000181A2B3"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A840",
        "A84041000181A2B3F",
        "Pegel",
        "0" * 16,
        "LW:D0:12:34:56",
        "LW:D0",
        "URN:",
        "١" * 16,
    ],
)
def test_what_is_no_eui_is_told_in_a_sentence(text: str) -> None:
    with pytest.raises(Invalid) as problem:
        read_eui(text)
    assert problem.value.field == "dev_eui"


# --- what it measures -----------------------------------------------------------------------------


def test_values_that_the_network_decoded_are_proposed_with_examples(town: Town) -> None:
    row = draft(town, dev_eui="0004A30B001C0530", sample=recorded("tts3-up"))
    found = newest(row)
    values = sample_values(found, row)
    rows = {each.path: each for each in proposed(row, values.data)}
    assert rows["temperature"].example == 1.0
    assert rows["temperature"].unit == "Cel"
    assert set(rows) == {"temperature", "luminosity"}


def test_values_in_a_list_are_proposed_and_what_a_device_says_of_itself_is_not_chosen(
    town: Town,
) -> None:
    rows = [{"battery": 93, "type": "upload_battery"}]
    rows += [
        {"measurementId": n, "measurementValue": 21.5 + n % 2, "type": "report_telemetry"}
        for n in (4097, 4098)
    ]
    data = {"err": 0, "messages": rows}
    found = {each.path: each for each in proposed(draft(town), data)}
    air = found["messages[measurementId=4097].measurementValue"]
    assert (air.unit, air.example, air.wanted) == ("Cel", 22.5, True)
    assert found["messages[measurementId=4098].measurementValue"].unit == "%"
    assert found["messages[type=upload_battery].battery"].unit == "%"
    assert not found["err"].wanted
    assert all(value(each, decoded=data, payload=b"") is not MISSING for each in found)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({"id": "a", "deviceName": "Hof"}, "Hof"),
        ({"id": "a", "friendly_name": " Am Tor "}, "Am Tor"),
        ({"station": {"serial": "7", "name": "Mühle"}, "t": 1}, "Mühle"),
        ({"name": "temp", "value": 4}, ""),
        ({"device_name": "Hof", "name": "temp", "value": 4}, "Hof"),
        ({"values": [{"name": "temp", "value": 4}]}, ""),
        ({"name": 7}, ""),
        ([{"name": "temp"}], ""),
    ],
)
def test_the_name_for_people_is_found_in_a_message(content: Any, name: str) -> None:
    assert name_in(content) == name


def test_an_undecoded_payload_asks_for_a_codec_and_a_byte_map_reads_it(town: Town) -> None:
    sample = orjson.dumps(tts(1, STRANGE_EUI, payload=b"\x01\xa4")).decode()
    row = draft(town, sample=sample)
    assert "01 a4" in sample_values(newest(row), row).problem
    row.byte_map = "water_level 0 u16be *0.1 cm"
    values = sample_values(newest(row), row)
    assert values.data == {"water_level": 42.0}
    (level,) = proposed(row, values.data)
    assert (level.unit, level.example) == ("cm", 42.0)


def test_a_codec_that_fails_says_why(town: Town) -> None:
    codec = Codec.objects.create(
        owner_id=town.organisation, name="Map", kind="bytes", text="a 5 u16be"
    )
    row = draft(
        town, codec=codec, sample=orjson.dumps(tts(1, STRANGE_EUI, payload=b"\x01")).decode()
    )
    assert "Map" in sample_values(newest(row), row).problem


def test_without_a_message_the_type_tells_what_it_measures(town: Town) -> None:
    kind = DeviceType.objects.create(
        owner_id=town.organisation,
        key="mill/t1",
        vendor="Mill",
        name="T1",
        proposals=[{"path": "temp", "name": "Temperature", "unit": "Cel", "definition": "urn:t"}],
    )
    row = draft(town, device_type=kind)
    assert newest(row) is None
    assert [each.path for each in proposed(row, None)] == ["temp"]


def test_what_staff_said_stays_when_another_message_comes() -> None:
    said = [wanted(name="Water in the mill stream", wanted=False)]
    both = merged(said, [wanted(example=4.0), wanted("battery")])
    assert [(each.name, each.wanted, each.example) for each in both] == [
        ("Water in the mill stream", False, 4.0),
        ("Level", True, None),
    ]


@pytest.mark.parametrize(
    "streams",
    [
        [],
        [wanted(wanted=False)],
        [wanted(name=" ")],
        [wanted(), wanted("other", name="level")],
        [wanted(minimum=3, maximum=2)],
    ],
)
def test_values_that_cannot_be_set_up_are_told(streams: list[Wanted]) -> None:
    with pytest.raises(Invalid) as problem:
        check_streams(streams)
    assert problem.value.field == "streams"


@pytest.mark.parametrize("path", ["level_cm", "data.level", "bytes:0:u16be", 'a["b c"]', "v[0]"])
def test_a_value_may_be_named_by_hand(path: str) -> None:
    assert proposed_value(path).path == path


def test_a_value_with_a_mistake_in_its_name_is_told() -> None:
    with pytest.raises(Invalid):
        proposed_value("a..b")


# --- the test -------------------------------------------------------------------------------------


def test_the_rehearsal_says_what_would_be_stored_and_what_not() -> None:
    document = tts(1, STRANGE_EUI, level_cm=84.5, battery=900)
    found = recognise(orjson.dumps(document).decode(), received=now_us())
    assert found.uplink is not None
    streams = [
        wanted(),
        wanted("battery", name="Battery", maximum=100),
        wanted("gone", name="Gone"),
        wanted("off", name="Off", wanted=False),
    ]
    level, battery, gone = rehearse(streams, found.uplink, found.uplink.decoded)
    assert (level.value, level.at) == (84.5, time_of(1))
    assert battery.value is None
    assert "900" in battery.problem
    assert gone.missing


# --- live -----------------------------------------------------------------------------------------


def test_going_live_makes_everything_and_brings_in_what_waited(town: Town) -> None:
    for number in (1, 2, 3):
        deliver(town, tts(number, STRANGE_EUI, level_cm=number))
    row = draft(town, streams=[wanted().told()], longitude=7.7, latitude=49.4)
    assert waiting(town.organisation, "tts", STRANGE_EUI).count() == 3
    device = Device.objects.get(pk=go_live(row.pk))
    assert catch_up(device.pk, staff(town)) == 0
    stream = Datastream.objects.get(name="New gauge: Level")
    assert results(stream.pk) == [1.0, 2.0, 3.0]
    assert Thing.objects.get(name="New gauge").locations.get().location["coordinates"] == [
        7.7,
        49.4,
    ]
    deliver(town, tts(4, STRANGE_EUI, level_cm=9))
    assert results(stream.pk) == [1.0, 2.0, 3.0, 9.0]


def test_going_live_twice_makes_one_device(town: Town) -> None:
    row = draft(town, streams=[wanted().told()])
    assert go_live(row.pk) == go_live(row.pk)
    assert Datastream.objects.filter(name="New gauge: Level").count() == 1


def test_a_mistake_leaves_nothing_behind(town: Town) -> None:
    too_long = wanted("a..b")
    new = NewDevice(town.organisation, "tts", STRANGE_EUI, "New gauge", [wanted(), too_long])
    before = (Thing.objects.count(), Location.objects.count(), Datastream.objects.count())
    with pytest.raises(Invalid):
        connect(new)
    assert not Device.objects.filter(dev_eui=STRANGE_EUI).exists()
    assert (Thing.objects.count(), Location.objects.count(), Datastream.objects.count()) == before


def test_a_known_device_and_a_known_station_are_told(town: Town) -> None:
    with pytest.raises(Invalid) as known:
        connect(NewDevice(town.organisation, "tts", EUI, "Other", [wanted()]))
    assert "Gauge of town" in known.value.reason
    with pytest.raises(Invalid) as named:
        connect(NewDevice(town.organisation, "tts", STRANGE_EUI, "Gauge", [wanted()]))
    assert named.value.field == "name"


def test_a_device_of_others_is_not_named(town: Town) -> None:
    other = make_organisation("other")
    with pytest.raises(Invalid) as problem:
        connect(NewDevice(other, "tts", EUI, "Mine", [wanted()]))
    assert "Gauge of town" not in problem.value.reason


def test_types_and_codecs_of_others_are_not_taken(town: Town) -> None:
    other = make_organisation("other")
    codec = Codec.objects.create(owner_id=other, name="Theirs", kind="cayenne")
    kind = DeviceType.objects.create(owner_id=other, key="a/b", vendor="A", name="B")
    new = NewDevice(
        town.organisation,
        "tts",
        STRANGE_EUI,
        "Mine",
        [wanted()],
        device_type=kind.pk,
        codec=codec.pk,
    )
    device = Device.objects.get(pk=connect(new))
    assert device.codec is None
    assert device.device_type is None


def test_a_byte_map_becomes_the_devices_codec(town: Town) -> None:
    new = NewDevice(
        town.organisation, "tts", STRANGE_EUI, "Mine", [wanted("a")], byte_map="a 0 u8 cm"
    )
    connect(new)
    deliver(town, tts(1, STRANGE_EUI, payload=b"\x07"))
    assert results(Datastream.objects.get(name="Mine: Level").pk) == [7.0]


def test_unknown_devices_are_listed_once_each_with_their_messages(town: Town) -> None:
    for number in (1, 2):
        deliver(town, tts(number, STRANGE_EUI, level_cm=number))
    deliver(town, tts(1, "C1B2C3D4E5F60718", level_cm=1))
    found = unknown_devices([town.organisation])
    assert {each.dev_eui: each.count for each in found} == {STRANGE_EUI: 2, "C1B2C3D4E5F60718": 1}
    assert unknown_devices([make_organisation("other")]) == []


def test_what_waited_and_cannot_be_used_is_put_aside_and_does_not_wait_for_ever(
    town: Town,
) -> None:
    deliver(town, tts(1, STRANGE_EUI, other=1))
    device = connect(NewDevice(town.organisation, "tts", STRANGE_EUI, "Mine", [wanted()]))
    assert catch_up(device, staff(town)) == 0
    assert RefusedUplink.objects.get().outcome == RefusedUplink.REFUSED_AGAIN


# --- swapping -------------------------------------------------------------------------------------


def test_a_swapped_devices_datastreams_go_on(town: Town) -> None:
    deliver(town, tts(1, level_cm=1))
    new = swap(town.device, Swap("tts", STRANGE_EUI, at=time_of(5)), staff(town))
    deliver(town, tts(6, STRANGE_EUI, level_cm=6))
    assert results(town.level) == [1.0, 6.0]
    old = Device.objects.get(pk=town.device)
    assert not old.active
    assert Replacement.objects.get(old=old).new_id == new
    assert Device.objects.get(pk=new).name == old.name
    low = DeviceField.objects.get(device=new, datastream=town.level)
    assert (low.minimum, low.maximum) == (0, 500)


def test_late_messages_of_the_old_device_land_and_later_ones_do_not(town: Town) -> None:
    swap(town.device, Swap("tts", STRANGE_EUI, at=time_of(5)), staff(town))
    finding.forget()
    assert len(plan_of(town, tts(5, level_cm=5)).readings) == 1
    after = plan_of(town, tts(6, level_cm=6))
    assert after.refusal is not None
    assert after.refusal.reason == "inactive_device"


def test_a_switched_off_device_without_a_successor_stays_off(town: Town) -> None:
    Device.objects.filter(pk=town.device).update(active=False)
    finding.forget()
    refused = plan_of(town, tts(1, level_cm=1)).refusal
    assert refused is not None
    assert refused.reason == "inactive_device"


def test_messages_of_the_new_device_since_the_swap_are_brought_in(town: Town) -> None:
    deliver(town, tts(7, STRANGE_EUI, level_cm=7))
    began = now_us() - MINUTE
    new = swap(town.device, Swap("tts", STRANGE_EUI, at=began), staff(town))
    assert catch_up(new, staff(town), since=began) == 0
    assert results(town.level) == [7.0]


def test_another_make_changes_the_sensor_and_where_the_value_stands(town: Town) -> None:
    kind = DeviceType.objects.create(
        owner_id=town.organisation,
        key="mill/radar",
        vendor="Mill",
        name="Radar 2",
        proposals=[
            {"path": "distance", "name": "Distance", "unit": "mm", "definition": "urn:distance"}
        ],
    )
    fields = list(Device.objects.get(pk=town.device).fields.all())
    assert guessed_paths(fields, kind) == {}
    sources = {
        each.pk: Source("distance", -1, 500, unit="mm")
        if each.datastream_id == town.level
        else Source("")
        for each in fields
    }
    given = Swap("tts", STRANGE_EUI, at=now_us(), device_type=kind.pk, sources=sources)
    swap(town.device, given, staff(town))
    deliver(town, tts(1, STRANGE_EUI, distance=1000))
    assert results(town.level) == [400.0]
    assert Datastream.objects.get(pk=town.level).sensor.name == "Mill Radar 2"


def test_the_same_make_keeps_the_sensor(town: Town) -> None:
    before = Sensor.objects.count()
    swap(town.device, Swap("tts", STRANGE_EUI, at=now_us()), staff(town))
    assert Sensor.objects.count() == before


def test_a_device_is_swapped_once_and_only_for_a_new_one(town: Town) -> None:
    with pytest.raises(Invalid):
        swap(town.device, Swap("tts", EUI, at=now_us()), staff(town))
    swap(town.device, Swap("tts", STRANGE_EUI, at=now_us()), staff(town))
    with pytest.raises(Conflict):
        swap(town.device, Swap("tts", "C1B2C3D4E5F60718", at=now_us()), staff(town))
