"""Tables within a message, and SenML, become readings."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.errors import Invalid
from stadtherz.base.time import MINUTE, SECOND, iso, parse_instant
from stadtherz.ingest.documents.uplink import Uplink
from stadtherz.ingest.forms import reading, senml
from stadtherz.ingest.forms.arranged import rows_at, tables
from stadtherz.ingest.forms.expressions import Message, parse, parse_readings
from stadtherz.ingest.forms.proposing import list_choices, proposed_shape
from stadtherz.ingest.forms.reading import Address, KnownForm, Misfit
from stadtherz.ingest.forms.senml import BadPack

NOW = parse_instant("2026-11-26T08:00:00Z")
AT = NOW // SECOND - 3600


def read(message: Any, readings: str, device: str = "device", time: str = "time") -> list[Any]:
    form = KnownForm(1, "f", parse(device), parse(time), "UTC", None, parse_readings(readings))
    return list(reading.read(form, Address("f"), message, NOW))


ROWS = [[AT, 5], [AT + 60, 6]]
OBJECTS = [{"time": AT, "level": 5}, {"time": AT + 60, "level": 6}]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("values", {"fields": ["time", "level"], "values": ROWS}),
        ("data", {"columns": ["time", "level"], "index": [0, 1], "data": ROWS}),
        ("results[0].series[0].values",
         {"results": [{"series": [{"name": "x", "columns": ["time", "level"], "values": ROWS}]}]}),
        ("rows", {"schema": [{"name": "time"}, {"name": "level"}], "rows": ROWS}),
        ("", [["time", "level"], *ROWS]),
        ("data", {"data": [["time", "level"], *ROWS]}),
        ("", {"time": [AT, AT + 60], "level": [5, 6]}),
        ("hourly", {"hourly": {"time": [AT, AT + 60], "level": [5, 6]}}),
        ("a.b", {"a": {"b": {"time": [AT, AT + 60], "level": [5, 6]}}}),
    ],
)  # fmt: skip
def test_a_table_is_found_and_becomes_rows(path: str, message: Any) -> None:
    assert tables(message) == [path]
    found = rows_at(path, message)
    assert found is not None
    assert found.rows == OBJECTS


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", [{"name": "level", "data": ROWS}]),
        ("series", {"series": [{"name": "level", "unit": "", "points": ROWS}]}),
        ("", [{"target": "level", "datapoints": [[value, at * 1000] for at, value in ROWS]}]),
        ("d.s", {"d": {"s": [{"parameter": "level", "data": [{"t": t, "v": v} for t, v in ROWS]}]}}),
        ("", [{"id": "level", "timestamps": [AT, AT + 60], "values": [5, 6], "quality": "good"}]),
    ],
)  # fmt: skip
def test_series_are_found_and_become_rows(path: str, message: Any) -> None:
    assert tables(message) == [path]
    found = rows_at(path, message)
    assert found is not None
    scale = 1000 if "target" in str(message) else 1
    assert found.rows == [{"time": AT * scale, "level": 5}, {"time": (AT + 60) * scale, "level": 6}]


def test_what_several_series_have_of_one_moment_stands_together() -> None:
    level = {
        "name": "level",
        "unit": "m",
        "data": [[AT, 5], [AT + 60, 6], [AT + 60, 7], [AT + 90, None]],
    }
    rain = {"name": "rain", "data": [[AT + 60, 0.4], [AT + 120, 0]]}
    found = rows_at("values", {"id": "x", "values": [level, rain]})
    assert found is not None
    assert found.beside == {"id": "x"}
    assert found.rows == [
        {"time": AT, "level": "5 m"},
        {"time": AT + 60, "level": "6 m", "rain": 0.4},
        {"time": AT + 60, "level": "7 m"},
        {"time": AT + 120, "rain": 0},
    ]


@pytest.mark.parametrize(
    "message",
    [
        [{"name": "level", "value": 5}, {"name": "rain", "value": 6}],
        [{"name": "level", "data": [[1, 5], [2, 6]]}],
        [{"name": "level", "data": ROWS}, {"name": "level", "data": ROWS}],
        [{"name": "level", "data": ROWS, "other": ROWS}],
        [{"name": "level", "data": ROWS}, "rain"],
        [{"name": "time", "data": ROWS}],
        [{"data": ROWS}],
        [{"name": "level", "data": []}],
        [{"name": "level", "data": [{"t": AT}]}],
    ],
)
def test_nothing_else_is_a_series(message: Any) -> None:
    assert tables(message) == []
    assert rows_at("", message) is None


@pytest.mark.parametrize(
    "message",
    [
        {"fields": ["time", "level [cm]"], "values": ROWS},
        {"fields": ["time", {"name": "level", "unit": "cm"}], "values": ROWS},
        {"fields": ["time", "level"], "units": ["", "cm"], "values": ROWS},
        {"time": [AT, AT + 60], "level": [5, 6], "units": {"level": "cm"}},
        {"time": [AT, AT + 60], "level (cm)": [5, 6]},
    ],
)
def test_a_unit_beside_a_name_goes_with_its_numbers(message: Any) -> None:
    (path,) = tables(message)
    found = rows_at(path, message)
    assert found is not None
    assert [row["level"] for row in found.rows] == ["5 cm", "6 cm"]


def test_units_that_stand_beside_a_forecast_are_understood() -> None:
    message = {
        "hourly_units": {"time": "iso8601", "temperature_2m": "°C"},
        "hourly": {"time": ["2026-11-26T07:00", "2026-11-26T08:00"], "temperature_2m": [3.5, None]},
    }
    found = rows_at("hourly", message)
    assert found is not None
    assert found.rows == [
        {"time": "2026-11-26T07:00", "temperature_2m": "3.5 Cel"},
        {"time": "2026-11-26T08:00"},
    ]


def test_what_stands_beside_a_table_counts_for_its_rows_and_the_table_is_gone() -> None:
    message = {"id": "x", "data": {"site": 7, "head": ["time", "level"], "values": ROWS}}
    found = rows_at("data.values", message)
    assert found is not None
    assert found.beside == {"id": "x", "data": {"site": 7}}
    first, second = read(message, "table:data.values", device="id")
    assert (first.decoded["level"], second.decoded["level"]) == (5, 6)
    assert second.time - first.time == MINUTE


@pytest.mark.parametrize(
    "message",
    [
        {"a": 1},
        {"values": ROWS},
        {"position": [7.7, 49.4], "other": [1, 2]},
        {"values": [[1, 2], [3, 4]], "names": ["only one"]},
        [["a", "b"]],
        [[1, 2], [3, 4]],
        {"rows": OBJECTS},
        [],
    ],
)
def test_what_is_no_table_is_none(message: Any) -> None:
    assert tables(message) == []


def test_a_table_that_is_not_there_is_said() -> None:
    for message in ({"a": 1}, {"values": 5}, [], {"values": [[1], [2]]}):
        with pytest.raises(Misfit) as caught:
            read(message, "table:values")
        assert caught.value.fault == "no_table"


def test_the_wizard_takes_a_table_for_what_it_is() -> None:
    message = {"station": "WS-7", "fields": ["zeit", "pegel [cm]"], "values": ROWS}
    shape = proposed_shape(Message(message), NOW, "Europe/Berlin")
    assert (shape.device, shape.time, shape.readings) == ("station", "zeit", "table:values")
    assert list_choices(message) == ["table:values"]


def test_the_wizard_takes_series_for_what_they_are() -> None:
    message = {"station": "WS-7", "series": [{"name": "level", "unit": "cm", "data": ROWS}]}
    shape = proposed_shape(Message(message), NOW, "Europe/Berlin")
    assert (shape.device, shape.time, shape.readings) == ("station", "time", "table:series")
    found = read(message, "table:series", device="station")
    assert [(iso(each.time), each.decoded["level"]) for each in found] == [
        (iso(AT * SECOND), "5 cm"),
        (iso((AT + 60) * SECOND), "6 cm"),
    ]


def test_the_same_row_in_two_messages_is_one_reading() -> None:
    early = read({"device": "x", "fields": ["time", "v"], "values": ROWS}, "table:values")
    late = read({"device": "x", "sent": 2, "fields": ["time", "v"], "values": ROWS[1:]}, "table:values")  # fmt: skip
    assert early[1].key == late[0].key


# --- SenML ----------------------------------------------------------------------------------------


def pack(*records: dict[str, Any]) -> list[Any]:
    return senml.readings(list(records), NOW)


def test_base_values_count_for_the_records_behind_them() -> None:
    found = pack(
        {"bn": "urn:dev:ow:10e2073a01080063:", "bt": AT, "bu": "A", "bver": 5, "n": "voltage", "u": "V", "v": 120.1},
        {"n": "current", "t": -5, "v": 1.2},
        {"n": "current", "t": -4, "v": 1.3},
        {"n": "voltage", "u": "V", "t": -4, "v": 119},
    )  # fmt: skip
    device = "urn:dev:ow:10e2073a01080063"
    assert found == [
        {"device": device, "time": AT, "values": {"voltage": "120.1 V"}},
        {"device": device, "time": AT - 5, "values": {"current": "1.2 A"}},
        {"device": device, "time": AT - 4, "values": {"current": "1.3 A", "voltage": "119 V"}},
    ]


@pytest.mark.parametrize(
    ("record", "device", "values"),
    [
        ({"n": "urn:dev:ow:10e2073a01080063", "u": "Cel", "v": 23.1}, "urn:dev:ow:10e2073a01080063", {"value": "23.1 Cel"}),
        ({"n": "urn:dev:mac:0024befffe804ff1/temp", "v": 1}, "urn:dev:mac:0024befffe804ff1", {"temp": 1}),
        ({"bn": "urn:dev:mac:1/", "n": "temp", "v": 1}, "urn:dev:mac:1", {"temp": 1}),
        ({"bn": "gauge", "v": 1}, "gauge", {"value": 1}),
        ({"n": "temp", "v": 1}, None, {"temp": 1}),
        ({"bn": "x", "n": "open", "vb": True}, "x", {"open": 1}),
        ({"bn": "x", "n": "open", "vb": False}, "x", {"open": 0}),
        ({"bn": "x", "n": "state", "vs": "dry"}, "x", {"state": "dry"}),
        ({"bn": "x", "bv": 20, "n": "t", "u": "Cel", "v": 1.5}, "x", {"t": "21.5 Cel"}),
        ({"bn": "x", "bv": 20, "n": "t", "u": "Cel"}, "x", {"t": "20 Cel"}),
        ({"bn": "x", "n": "h", "u": "%RH", "v": 50}, "x", {"h": "50 %"}),
        ({"bn": "x", "n": "q", "u": "C", "v": 50}, "x", {"q": 50}),
        ({"bn": "x", "n": "c", "u": "count", "v": 50}, "x", {"c": 50}),
    ],
)  # fmt: skip
def test_a_record_tells_a_device_and_a_value(record: Any, device: Any, values: Any) -> None:
    (found,) = pack(record)
    assert (found.get("device"), found["values"]) == (device, values)


def test_sums_and_data_stand_apart() -> None:
    (found,) = pack({"bn": "x", "bs": 100, "n": "rain", "s": 5}, {"n": "pic", "vd": "aGk"})
    assert (found["sums"], found["data"]) == ({"rain": 105}, {"pic": "aGk"})


def test_small_times_are_relative_to_now() -> None:
    assert [each["time"] for each in pack({"bn": "x", "v": 1}, {"t": -30, "v": 2})] == [
        NOW / SECOND, NOW / SECOND - 30,
    ]  # fmt: skip


def test_two_values_of_one_name_and_moment_are_two_readings() -> None:
    assert len(pack({"bn": "x", "n": "a", "v": 1}, {"n": "a", "v": 1})) == 2


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ({}, "senml_no_pack"),
        ([], "senml_no_pack"),
        ([5], "senml_no_pack"),
        ([{"bn": 5, "v": 1}], "senml_field"),
        ([{"bt": "soon", "v": 1}], "senml_field"),
        ([{"bt": True, "v": 1}], "senml_field"),
        ([{"bn": "x", "v": 1, "new_": 5}], "senml_must"),
        ([{"bn": "x", "bver": 11, "v": 1}], "senml_version"),
        ([{"bn": "x", "v": 1}] * 5_001, "too_many"),
    ],
)
def test_what_is_no_pack_is_said(content: Any, fault: str) -> None:
    with pytest.raises(BadPack) as caught:
        senml.readings(content, NOW)
    assert caught.value.fault == fault


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ({"v": "5"}, "senml_field"),
        ({"vb": 1}, "senml_field"),
        ({"v": 1, "vb": True}, "senml_several"),
        ({"t": "x", "v": 1}, "senml_field"),
    ],
)
def test_one_bad_record_spoils_no_other(record: Any, fault: str) -> None:
    good, bad = read([{"bn": "x", "n": "a", "v": 1}, {"n": "b", **record}], "senml:")
    assert isinstance(good, Uplink)
    assert isinstance(bad, Misfit)
    assert (bad.part, bad.fault) == ("readings", fault)


def test_a_record_without_any_name_is_said() -> None:
    (bad,) = read([{"v": 1}], "senml:")
    assert (bad.fault, bad.value) == ("senml_no_name", "1")


def test_the_wizard_takes_senml_for_what_it_is() -> None:
    message = [{"bn": "urn:dev:mac:1:", "bt": AT, "n": "temp", "u": "Cel", "v": 21}]
    shape = proposed_shape(Message(message), NOW, "Europe/Berlin")
    assert (shape.device, shape.time, shape.readings) == ("device", "time", "senml:")
    assert list_choices(message) == ["senml:"]
    (found,) = read(message, "senml:")
    assert (found.dev_eui, iso(found.time)) == ("urn:dev:mac:1", iso(AT * SECOND))


_FINITE = st.floats(-1e9, 1e9, allow_nan=False)
_RECORDS = st.lists(
    st.fixed_dictionaries(
        {"n": st.sampled_from("abc"), "v": _FINITE}, optional={"t": _FINITE, "bn": st.sampled_from(["x", "y"]), "bv": _FINITE, "bt": st.floats(AT, AT + 1e6)}
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip


@given(_RECORDS)
def test_no_value_of_a_pack_is_lost_and_none_is_made_up(records: list[dict[str, Any]]) -> None:
    """Against the rule of section 4.6: what a record says, with the bases so far added."""
    name, number, wanted = "", 0.0, []
    for record in records:
        name, number = record.get("bn", name), record.get("bv", number)
        path = name + record["n"]
        wanted.append((path, record["v"] + number))
    found = [
        ((each.get("device") or "") + name, value)
        for each in pack(*records)
        for name, value in each["values"].items()
    ]
    assert sorted(found) == sorted(wanted)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["n", "v", "bn", "bt", "t", "time", "fields", "values", "units", "name"]), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


_SERIES = st.lists(
    st.dictionaries(
        st.sampled_from(["name", "unit", "data", "times", "values"]),
        st.lists(
            st.lists(_JSON | st.just(AT), min_size=2, max_size=2) | _JSON | st.just(AT), max_size=3
        )
        | st.sampled_from(["level", "time", "cm", ""]),
    ),
    max_size=3,
)


@given(
    _JSON | _SERIES, st.sampled_from(["table:", "table:values", "table:values[0].time", "senml:"])
)
def test_arbitrary_json_raises_nothing_but_invalid(message: Any, readings: str) -> None:
    for path in tables(message):
        assert rows_at(path, message) is not None
    proposed_shape(Message(message), NOW, "UTC")
    try:
        found = read(message, readings)
    except Invalid:
        return
    assert all(isinstance(each, Uplink | Misfit) for each in found)


@pytest.mark.parametrize("written", ["table:a..b", "table:bytes:0:u8", "table:" + "x" * 200])
def test_what_leads_to_no_table_cannot_be_written(written: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_readings(written)


@pytest.mark.parametrize("written", ["table:values", "senml:"])
def test_a_table_names_no_device(written: str) -> None:
    with pytest.raises(ValueError, match="list of readings"):
        parse(written)


def test_numbers_keep_their_digits() -> None:
    (found,) = pack({"bn": "x", "u": "m", "v": 0.1 + 0.2})
    assert math.isclose(float(found["values"]["value"].split()[0]), 0.1 + 0.2, rel_tol=0)
