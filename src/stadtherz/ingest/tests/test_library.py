"""Device types from a folder: both layouts, their odd files, their tests, and what a type proposes."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from stadtherz.base.errors import Invalid
from stadtherz.codecs.public import stop as stop_codecs
from stadtherz.ingest.library.checking import check
from stadtherz.ingest.library.found import Example, FoundCodec
from stadtherz.ingest.library.logs import with_logs
from stadtherz.ingest.library.proposals import Proposal, observable
from stadtherz.ingest.library.values_in import values_of
from stadtherz.ingest.models import Codec, Device, DeviceField, DeviceType
from stadtherz.ingest.onboarding.connecting import NewDevice, connect
from stadtherz.ingest.onboarding.values import proposed_by_type, streams_like
from stadtherz.ingest.public import import_types, set_up_device
from stadtherz.ingest.tests.factories import (
    STRANGE_EUI,
    Door,
    Town,
    make_organisation,
    plan_of,
    results,
    tts,
)
from stadtherz.store.models import Datastream

CODEC = """function decodeUplink(input) {
  if (input.fPort === 9) return {errors: ["port 9"]};
  return {data: {temperature: input.bytes[0] / 10, battery: input.bytes[1], state: "open"}};
}"""


@pytest.fixture(autouse=True)
def _stopped() -> Any:
    yield
    stop_codecs()


def write(folder: Path, **files: str) -> Path:
    """Files by path, with __ for a slash and _DOT_ for a dot."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    """A collection as ChirpStack lays it out; its tests are written as JavaScript writes objects."""
    return write(
        tmp_path,
        vendors__mill__vendor_DOT_toml='[vendor]\nname = "Mill"\ndevices = ["t1.toml"]\n',
        vendors__mill__devices__t1_DOT_toml="""[device]
name = "Mill T1"
description = "A thermometer"
[[device.firmware]]
version = "1.0"
profiles = ["EU868.toml"]
codec = "t.js"
[[device.firmware]]
version = "1.1"
codec = "t.js"
""",
        vendors__mill__devices__t2_DOT_toml='[device]\nname = "T2"\n[[device.firmware]]\nversion = "1.0"\n',
        vendors__mill__codecs__t_DOT_js=CODEC,
        vendors__mill__codecs__test_decode_t_DOT_json="""[
  // one that holds
  {name: 'warm', input: {fPort: 0x01, bytes: [0xEB, 97]},
   expected: {data: {temperature: 23.5, battery: 97, state: 'open'}}},
  {"name": "refused", "input": {"fPort": 9, "bytes": [0]}, "expected": {"errors": ["port 9"]}},
  {"name": "wrong", "input": {"fPort": 1, "bytes": [0, 1]}, "expected": {"data": {"temperature": 5}}},
]""",
    )


def network(tmp_path: Path, codec: str = CODEC) -> Path:
    """A clone as The Things Network lays it out."""
    return write(
        tmp_path,
        vendor__index_DOT_yaml="vendors:\n  - id: mill\n    name: Mill Works\n  - id: other\n    name: Other\n",
        vendor__mill__t1_DOT_yaml="""name: T1
description: on
firmwareVersions:
  - version: 1.0
    profiles:
      EU863-870: {id: p, codec: t1-codec}
      US902-928: {vendorID: other, id: p, codec: t1-codec}
""",
        **{
            "vendor__mill__t1-codec_DOT_yaml": """uplinkDecoder:
  fileName: t1.js
  examples:
    - description: warm
      input: {fPort: 1, bytes: [0xEB, 97]}
      output:
        data: {temperature: 23.5, battery: 97, state: open}
        warnings: []
""",
            "vendor__mill__t1_DOT_js": codec,
        },
    )


def test_chirpstacks_profiles_are_imported_whole_and_tested_by_their_own_tests(
    town: Town, profiles: Path
) -> None:
    report = import_types(town.organisation, profiles)
    assert [each.key for each in report.types] == ["mill/t1", "mill/t2"]
    row = DeviceType.objects.get(key="mill/t1")
    assert (str(row), row.description, row.tests_held, row.tests_total) == (
        "Mill T1",
        "A thermometer",
        2,
        3,
    )
    assert row.test_problems == ["wrong: what it gives differs from what its test expects"]
    assert "MIT" in row.source
    assert row.codec is not None
    assert row.codec.text == CODEC
    assert DeviceType.objects.get(key="mill/t2").codec is None
    assert [each["path"] for each in row.proposals] == ["temperature", "battery", "state"]


def test_importing_again_brings_up_to_date_and_doubles_nothing(town: Town, profiles: Path) -> None:
    import_types(town.organisation, profiles)
    write(profiles, vendors__mill__codecs__t_DOT_js=CODEC.replace("/ 10", "/ 100"))
    report = import_types(town.organisation, profiles)
    assert not any(each.new for each in report.types)
    assert DeviceType.objects.count() == 2
    assert "/ 100" in Codec.objects.get().text
    assert DeviceType.objects.get(key="mill/t1").tests_held == 1


def test_firmware_versions_with_codecs_of_their_own_are_types_of_their_own(
    town: Town, profiles: Path
) -> None:
    write(
        profiles,
        vendors__mill__devices__t1_DOT_toml="""[device]
name = "T1"
firmware = [{version = "1.0", codec = "t.js"}, {version = "2.0", codec = "t2.js"}]
""",
        vendors__mill__codecs__t2_DOT_js=CODEC,
    )
    import_types(town.organisation, profiles, "mill/t1")
    assert [str(row) for row in DeviceType.objects.all()] == ["Mill T1 (1.0)", "Mill T1 (2.0)"]


def test_one_broken_file_does_not_stop_the_others(town: Town, profiles: Path) -> None:
    write(
        profiles,
        vendors__bad__vendor_DOT_toml="[vendor",
        vendors__bad__devices__a_DOT_toml="name = ",
        vendors__bad__devices__b_DOT_toml='[device]\nname = "B"\nfirmware = [{codec = "../../../secret.js"}]',
        vendors__bad__devices__c_DOT_toml='[device]\nname = "C"\nfirmware = [{codec = "missing.js"}]',
    )
    (profiles.parent / "secret.js").write_text(CODEC)
    report = import_types(town.organisation, profiles)
    assert {each.place for each in report.troubles} == {
        "vendors/bad/vendor.toml",
        "vendors/bad/devices/a.toml",
        "vendors/bad/codecs/../../../secret.js",
        "vendors/bad/codecs/missing.js",
    }
    assert DeviceType.objects.filter(key="mill/t1").exists()
    assert DeviceType.objects.get(key="bad/b").codec is None


def test_of_the_things_network_one_named_device_is_taken(town: Town, tmp_path: Path) -> None:
    report = import_types(town.organisation, network(tmp_path), "mill/t1")
    assert report.source == "The Things Network device repository"
    row = DeviceType.objects.get()
    assert (str(row), row.vendor, row.description) == ("Mill Works T1", "Mill Works", "on")
    assert (row.tests_held, row.tests_total) == (1, 1)


def test_the_things_network_is_not_taken_whole_and_the_reason_is_told(
    town: Town, tmp_path: Path
) -> None:
    with pytest.raises(Invalid) as caught:
        import_types(town.organisation, network(tmp_path))
    assert "96/9/EC" in caught.value.reason
    assert "--device" in caught.value.reason
    assert not DeviceType.objects.exists()


@pytest.mark.parametrize("device", ["mill", "mill/none", "../mill/t1", "mill/../t1", "a/b/c", "/"])
def test_a_device_that_is_not_there_is_told(town: Town, tmp_path: Path, device: str) -> None:
    with pytest.raises(Invalid):
        import_types(town.organisation, network(tmp_path), device)


def test_any_other_folder_is_refused(town: Town, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        import_types(town.organisation, tmp_path)
    assert caught.value.field == "folder"


@pytest.mark.parametrize("tests", ["[", "{}", "5", "[1, {}]", "while (true) {}", '[{"input": 5}]'])
def test_tests_that_cannot_be_read_do_not_stop_the_import(tests: str) -> None:
    checked = check(FoundCodec("x", CODEC, tests_as_script=(tests, "")))
    assert (checked.total, checked.held) == (0, 0)


def test_a_codec_that_hangs_fails_its_tests_and_no_more() -> None:
    stuck = FoundCodec("x", "function Decoder() { for (;;); }", (Example("a", b"", 1, {}),))
    # On a busy machine the parent's patience may end before the half second of computing is over.
    assert check(stuck).problems in (("a: too_slow",), ("a: killed",))


def proposals(data: dict[str, Any]) -> list[Proposal]:
    return [each.proposal for each in values_of(data)]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("temperature", 20.5, ("Temperature", "Cel")),
        ("TempC_SHT", 20.5, ("Temperature", "Cel")),
        ("water_temperature", 8, ("Water temperature", "Cel")),
        ("humidity", 50, ("Relative humidity", "%")),
        ("battery", 92, ("Battery level", "%")),
        ("battery", 3.61, ("Battery voltage", "V")),
        ("BatV", 3.05, ("Battery voltage", "V")),
        ("battery_mv", 3050, ("Battery voltage", "mV")),
        ("co2", 430, ("Carbon dioxide", "[ppm]")),
        ("pm2_5", 7, ("Particulate matter PM2.5", "ug/m3")),
        ("water_level_cm", 12, ("Level", "cm")),
        ("distance", 1200, ("Distance", "mm")),
        ("distanceCm", 120, ("Distance", "cm")),
        ("windDirection", 200, ("Wind direction", "deg")),
        ("soil_moisture", 30, ("Soil moisture", "%")),
        ("rainfall_total", 3, ("Precipitation", "mm")),
        ("frobnication", 3, ("Frobnication", "1")),
        ("battery", 3600, ("Battery voltage", "mV")),
        ("bat", 12.4, ("Battery voltage", "V")),
        ("batteryLevel", 0.87, ("Battery level", "1")),
        ("energy_kWh", 12.3, ("Energy", "kW.h")),
        ("IDC_input_mA", 4.1, ("IDC input mA", "mA")),
        ("Water_pressure_MPa", 0.012, ("Pressure", "MPa")),
        ("Water_deep_cm", 123.4, ("Level", "cm")),
        ("pressure", 96.1, ("Pressure", "kPa")),
        ("rain_gauge", 0.2, ("Precipitation", "mm")),
        ("light_level", 2, ("Light level", "1")),
        ("speedKmph", 3, ("Speed Kmph", "km/h")),
        ("soil_pH", 7.1, ("pH", "[pH]")),
        ("conduct_SOIL", 120, ("Conductivity", "uS/cm")),
        ("water_SOIL", "12.30", ("Soil moisture", "%")),
        ("current_volume", 12.1, ("Volume", "m3")),
        ("Humi", 50, ("Relative humidity", "%")),
        ("solarradiation", 120, ("Solar radiation", "W/m2")),
        ("fill_level", 45, ("Fill level", "%")),
        ("dewptf", 68, ("Temperature", "[degF]")),
        ("maxdailygust", 9, ("Wind speed", "[mi_i]/h")),
        ("Distance", "1250 mm", ("Distance", "mm")),
        ("Temperature", "21.4°C", ("Temperature", "Cel")),
        # A letter behind a name tells which of several, where it cannot be the unit.
        ("counter_a", 3, ("Count", "1")),
        ("total_counter_v", 3, ("Count", "1")),
        ("volume_liters", 5, ("Volume", "L")),
        ("temperature_f", 70, ("Temperature", "[degF]")),
        ("temp_k", 280, ("Temperature", "K")),
        ("tank_level_percent", 40, ("Fill level", "%")),
        ("soil_moisture_raw", 1400, ("Soil moisture raw", "1")),
        ("soil_moisture", -88.7, ("Soil moisture", "1")),
        ("batteryLevel", 3300, ("Battery voltage", "mV")),
        ("battery_pct", 88, ("Battery level", "%")),
        ("batteryPerc", 88, ("Battery level", "%")),
        ("SBX_BATT", 7200, ("Battery voltage", "mV")),
        ("powerFactor", 0.9, ("Power factor", "1")),
        ("varh_pos", 5, ("Varh pos", "1")),
        ("airRH", 55, ("Relative humidity", "%")),
        ("Current_Valve_Position", 40, ("Current Valve Position", "1")),
        ("currentL1", 4, ("Electric current", "A")),
        ("vExt", 13.2, ("Voltage", "V")),
        ("irms", 5, ("Electric current", "A")),
        ("wh_pos", 12000, ("Energy", "W.h")),
        ("PM1_0", 5, ("Particulate matter PM1", "ug/m3")),
        ("PM_10", 5, ("Particulate matter PM10", "ug/m3")),
        ("co", 5, ("Carbon monoxide", "[ppm]")),
        ("co_mg_m3", 5, ("Carbon monoxide", "mg/m3")),
        ("hcho", 0.04, ("Formaldehyde", "mg/m3")),
        ("nh3", 1, ("Ammonia", "[ppm]")),
        ("snow_depth_cm", 12, ("Snow depth", "cm")),
        ("turbidity", 12, ("Turbidity", "[NTU]")),
        ("orp_mv", 200, ("Redox potential", "mV")),
        ("angle_x", 12, ("Angle", "deg")),
        ("LTR_SUM", 12, ("Count", "1")),
        ("occupied", True, ("Occupied", "1")),
        ("valveState", False, ("Valve State", "1")),
        ("fire", False, ("Fire", "1")),
        ("door", "open", ("Door", "1")),
    ],
)
def test_a_name_tells_property_and_unit(name: str, value: Any, expected: tuple[str, str]) -> None:
    (found,) = proposals({name: value})
    assert (found.name, found.unit, found.path) == (*expected, name)


@pytest.mark.parametrize(
    ("name", "definition"),
    [
        ("total_kwh", "https://qudt.org/vocab/quantitykind/Energy"),
        ("flow_l_min", "https://qudt.org/vocab/quantitykind/VolumeFlowRate"),
        ("speedKmph", "https://qudt.org/vocab/quantitykind/Speed"),
        ("no2_ppb", "https://qudt.org/vocab/quantitykind/AmountOfSubstanceFraction"),
        ("level_percent", "urn:x-stadtherz:fill_level"),
        ("frobnication", "urn:x-stadtherz:frobnication"),
    ],
)
def test_where_a_name_does_not_tell_the_property_its_unit_may(name: str, definition: str) -> None:
    (found,) = proposals({name: 3})
    assert found.definition == definition


LIKELY = {
    "history": {"41": {"temperature": 5}},
    "log": [{"temperature": 5}],
    "payload_bytes": 7,
    "header": 1,
    "type": 240,
    "sw_rev": 5,
    "numberOfReadings": 7,
    "alarmMsgCount": 7,
    "gpsAccM": 7,
    "timestamp": {"hours": 7, "seconds": 8},
    "dataValid": True,
    "temperature": 5,
}


def test_values_of_other_times_and_of_the_message_itself_are_not_chosen() -> None:
    assert [each.proposal.path for each in values_of(LIKELY) if each.likely] == ["temperature"]


def test_a_message_in_the_networks_vocabulary_alone_has_its_units() -> None:
    entries = [{"soil": {"ec": 0.5, "temperature": 7}, "water": {"level": 1.2}}]
    told = {**entries[0], "normalized_payload": entries}
    found = {each.proposal.path: each.proposal.unit for each in values_of(told) if each.likely}
    assert found == {"soil.ec": "dS/m", "soil.temperature": "Cel", "water.level": "m"}
    own = {each.proposal.path: each.proposal.unit for each in values_of(entries[0])}
    assert own["soil.ec"] == "uS/cm"


def test_numbers_are_proposed_with_the_path_that_finds_them() -> None:
    data = {
        "a": {"b c": 1, "x.y": 2},
        "text": "5",
        "word": "north",
        "list": [1],
        "none": None,
        "": 1,
    }
    found = [each.path for each in proposals(data)]
    assert found == ["a.b c", 'a["x.y"]', "text", "list[0]"]


def test_one_definition_is_one_property_however_its_datastreams_are_called() -> None:
    told = proposals({"soil_temperature": 5, "temp_outside": 6, "water_temperature": 7})
    properties = {(o.definition, o.name) for o in (observable(each.told()) for each in told)}
    assert len(properties) == 2


def test_choosing_a_type_sets_up_the_device_and_its_uplinks_are_stored(
    town: Town, profiles: Path, door: Door
) -> None:
    import_types(town.organisation, profiles)
    made = set_up_device(town.organisation, "tts", STRANGE_EUI, "Market", "mill/t1")
    assert len(made) == 3
    names = set(Datastream.objects.filter(pk__in=made).values_list("name", flat=True))
    assert names == {"Market: Temperature", "Market: Battery level", "Market: State"}
    answer = door.post(tts(1, STRANGE_EUI, payload=b"\xeb\x61"))
    assert (answer.status_code, answer.json()["stored"]) == (200, 3)
    again = set_up_device(town.organisation, "tts", STRANGE_EUI, "Market", "mill/t1")
    assert sorted(again) == sorted(made)


def test_only_the_wanted_values_are_set_up(town: Town, profiles: Path) -> None:
    import_types(town.organisation, profiles)
    set_up_device(town.organisation, "tts", STRANGE_EUI, "Market", "mill/t1", paths=["temperature"])
    assert list(
        DeviceField.objects.filter(device__dev_eui=STRANGE_EUI).values_list("path", flat=True)
    ) == ["temperature"]
    with pytest.raises(Invalid):
        set_up_device(town.organisation, "tts", STRANGE_EUI, "M", "mill/t1", paths=["none"])


def test_a_devices_own_codec_comes_before_that_of_its_type(town: Town, profiles: Path) -> None:
    import_types(town.organisation, profiles)
    device = Device.objects.get()
    device.device_type = DeviceType.objects.get(key="mill/t1")
    device.codec = Codec.objects.create(
        owner_id=town.organisation, name="Own", text="function Decoder() { return {level_cm: 7} }"
    )
    device.save()
    (reading,) = plan_of(town, tts(1, payload=b"\x01\x02")).readings
    assert reading.result == 7


def test_a_type_of_others_is_not_there(town: Town, profiles: Path) -> None:
    import_types(make_organisation("village"), profiles)
    with pytest.raises(Invalid):
        set_up_device(town.organisation, "tts", STRANGE_EUI, "Market", "mill/t1")


@pytest.mark.parametrize("told", [[], [1], {"a": 1}, [{"path": "a"}], [{"path": "a[", "name": "", "unit": "", "definition": ""}]])  # fmt: skip
def test_proposals_that_could_not_be_set_up_are_refused(town: Town, told: Any) -> None:
    row = DeviceType(owner_id=town.organisation, key="a/b", vendor="A", name="B", proposals=told)
    if told:
        with pytest.raises(ValidationError) as caught:
            row.full_clean()
        assert list(caught.value.message_dict) == ["proposals"]
    else:
        row.full_clean()


# --- logs -------------------------------------------------------------------------------------------

OTHER_EUI = "00000000000000AB"
LOGGER = """function decodeUplink(input) {
  if (input.fPort === 2) return {data: {history: input.bytes.map(function (b, i) {
    return {timestamp: Math.floor(new Date(input.recvTime).getTime() / 1000) - 3600 * (i + 1), temperature: b};
  })}};
  return {data: {temperature: input.bytes[0], battery: 90}};
}"""
TESTS = """[
  {"name": "now", "input": {"fPort": 1, "bytes": [5]}, "expected": {"data": {"temperature": 5, "battery": 90}}},
  {"name": "log", "input": {"fPort": 2, "bytes": [4], "recvTime": "2026-11-28T12:00:00Z"}, "expected": {"data": {}}}
]"""


@pytest.fixture
def logger(town: Town, profiles: Path) -> DeviceType:
    write(
        profiles,
        vendors__mill__codecs__t_DOT_js=LOGGER,
        vendors__mill__codecs__test_decode_t_DOT_json=TESTS,
    )
    import_types(town.organisation, profiles)
    return DeviceType.objects.get(key="mill/t1")


def paths(eui: str) -> list[tuple[str, str]]:
    rows = DeviceField.objects.filter(device__dev_eui=eui).order_by("path")
    return list(rows.values_list("path", "time_path"))


LOGGED = [("battery", ""), ("history[*].temperature", "history[*].timestamp"), ("temperature", "")]


def test_what_a_log_tells_lies_in_the_datastream_of_its_value(
    town: Town, logger: DeviceType, door: Door
) -> None:
    temperature, _ = set_up_device(town.organisation, "tts", STRANGE_EUI, "Market", logger.key)
    assert paths(STRANGE_EUI) == LOGGED
    assert door.post(tts(1, STRANGE_EUI, payload=b"\5")).json()["stored"] == 2
    log = tts(2, STRANGE_EUI, payload=b"\4\3")
    log["uplink_message"]["f_port"] = 2
    answer = door.post(log)
    assert (answer.status_code, answer.json()["stored"]) == (200, 2), answer.text
    assert results(temperature) == [5, 3, 4]  # by their times: the log is of the last two hours


def test_the_wizard_and_one_more_like_it_take_the_log_along(town: Town, logger: DeviceType) -> None:
    first = NewDevice(
        town.organisation,
        "tts",
        STRANGE_EUI,
        "Market",
        proposed_by_type(logger),
        device_type=logger.pk,
    )
    like = connect(first)
    assert paths(STRANGE_EUI) == LOGGED
    streams = streams_like(Device.objects.get(pk=like))
    connect(
        NewDevice(
            town.organisation, "tts", OTHER_EUI, "Mill", streams, device_type=logger.pk, like=like
        )
    )
    assert paths(OTHER_EUI) == LOGGED


@pytest.mark.parametrize(
    "data",
    [
        {"history": [{"level": 1}]},
        {"history": [{"timestamp": 5, "level": 1}]},
        {"history": [{"timestamp": 1_795_867_198, "time": 1_795_867_198, "level": 1}]},
        {"history": [3]},
        {"readings": [{"timestamp": 1_795_867_198, "level": 1}]},
    ],
)
def test_without_one_time_in_each_entry_it_is_no_log(data: dict[str, Any]) -> None:
    assert with_logs([{"path": "level"}], [data]) == [{"path": "level"}]


SPEAKING = """function decodeUplink(input) {
  const now = new Date().getTime();
  return {data: {report: "batch", data: Array.from(input.bytes, (byte, place) => ({
    label: place % 2 ? "Humidity" : "Temperature", value: byte, date: new Date(now - 600000 * (place >> 1)).toISOString(),
  }))}};
}"""
SPEAKING_TESTS = """[{"name": "a", "input": {"fPort": 1, "bytes": [20, 50]}, "expected": {"data": {"report": "batch"}}}]"""
SPOKEN = [
    ("data[*][label=Humidity].value", "data[*].date"),
    ("data[*][label=Temperature].value", "data[*].date"),
]


@pytest.fixture
def speaking(town: Town, profiles: Path) -> DeviceType:
    """A codec that gives a list, each entry of which says what it measures and when."""
    write(
        profiles,
        vendors__mill__codecs__t_DOT_js=SPEAKING,
        vendors__mill__codecs__test_decode_t_DOT_json=SPEAKING_TESTS,
    )
    import_types(town.organisation, profiles)
    return DeviceType.objects.get(key="mill/t1")


def test_values_that_say_what_they_are_and_when_lie_at_their_times(
    town: Town, speaking: DeviceType, door: Door
) -> None:
    made = set_up_device(town.organisation, "tts", STRANGE_EUI, "Market", speaking.key)
    names = list(
        Datastream.objects.filter(pk__in=made).order_by("pk").values_list("name", flat=True)
    )
    assert names == ["Market: Temperature", "Market: Relative humidity"]
    assert paths(STRANGE_EUI) == SPOKEN
    answer = door.post(tts(1, STRANGE_EUI, payload=bytes([21, 50, 19, 55])))
    assert (answer.status_code, answer.json()["stored"]) == (200, 4), answer.text
    assert results(made[0]) == [19, 21]
    assert results(made[1]) == [55, 50]


def test_the_wizard_takes_the_times_of_such_values_along(town: Town, speaking: DeviceType) -> None:
    wanted = proposed_by_type(speaking)
    connect(
        NewDevice(town.organisation, "tts", STRANGE_EUI, "Market", wanted, device_type=speaking.pk)
    )
    assert paths(STRANGE_EUI) == SPOKEN


def test_columns_of_names_units_and_values_are_a_table() -> None:
    told = {
        "Channel": ["Power", "Energy Counter HT"],
        "Type": ["Meter", "Meter"],
        "Unit": ["W", "Wh"],
        "Value": [47, 602997.1],
    }
    found = [(e.path, e.name, e.unit) for e in proposals({"Energy_Data": told})]
    assert found == [
        ("Energy_Data.Value[0]", "Power", "W"),
        ("Energy_Data.Value[1]", "Energy Counter HT", "W.h"),
    ]
    assert [e.path for e in proposals({"Value": [1, 2], "Unit": ["W", "Wh"]})] == [
        "Value[0]",
        "Value[1]",
    ]


def test_a_list_that_names_fields_is_read_by_their_names() -> None:
    told = {"values": [{"field": "LEVEL_CM", "value": 12}, {"field": "BATTERY", "value": 3.6}]}
    assert [(e.path, e.name) for e in proposals(told)] == [
        ("values[field=LEVEL_CM].value", "Level"),
        ("values[field=BATTERY].value", "Battery voltage"),
    ]
