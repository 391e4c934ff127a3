"""What a message form makes of a message: device, time, key and values; no database."""

import contextlib
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.errors import Invalid
from stadtherz.base.time import DAY, HOUR, MINUTE, iso, parse_instant
from stadtherz.ingest.documents.uplink import Uplink
from stadtherz.ingest.forms import reading, times
from stadtherz.ingest.forms.expressions import Message, as_text, parse
from stadtherz.ingest.forms.reading import Address, KnownForm, Misfit, address, content, query_of
from stadtherz.ingest.values.decode import MISSING

NOW = parse_instant("2026-11-26T08:00:00Z")
BERLIN = ZoneInfo("Europe/Berlin")


def form(
    device: str = "id", time: str = "", message_id: str = "", readings: str = "", zone: str = "UTC"
) -> KnownForm:
    told = [parse(each) if each else None for each in (time, message_id, readings)]
    return KnownForm(1, "f", parse(device), told[0], zone, told[1], told[2])


def read(
    known: KnownForm, message: Any, topic: str = "", received: int = NOW
) -> list[Uplink | Misfit]:
    return reading.read(known, address(query_of("f", topic)), message, received)


def uplinks(known: KnownForm, message: Any, topic: str = "", received: int = NOW) -> list[Uplink]:
    found = read(known, message, topic, received)
    assert all(isinstance(each, Uplink) for each in found), found
    return found  # type: ignore[return-value]


# --- expressions ---------------------------------------------------------------------------------

MESSAGE = Message(
    {"id": 7, "meta": {"serial": "A-1"}, "a + b": "sum", "half": 0.5, "no": None},
    ("city", "station", "9"),
    {"station": "q"},
)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("id", 7),
        ("meta.serial", "A-1"),
        ("topic:1", "city"),
        ("topic:3", "9"),
        ("topic:-1", "9"),
        ("topic:4", MISSING),
        ("topic:-4", MISSING),
        ("query:station", "q"),
        ("query:other", MISSING),
        ('"gauge"', "gauge"),
        ('"gauge " + id', "gauge 7"),
        ('topic:2 + "/" + meta.serial', "station/A-1"),
        ('["a + b"]', "sum"),
        ('"a + " + ["a + b"]', "a + sum"),
        ('"x" + half', MISSING),
        ('"x" + meta', MISSING),
        ("no", MISSING),
        ("nothing.at.all", MISSING),
    ],
)
def test_an_expression_finds(written: str, found: Any) -> None:
    assert parse(written).value(MESSAGE) == found


@pytest.mark.parametrize(
    "written",
    ["", "a..b", "topic:0", "topic:x", "topic:", "query:", "bytes:0:u8", "radio:rssi", '"open',
     "a + ", " + ".join("abcdefghi"), "a" * 201],
)  # fmt: skip
def test_what_is_no_expression_is_said(written: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(written)


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_no_expression(written: str) -> None:
    with contextlib.suppress(ValueError):
        parse(written).value(MESSAGE)


def test_whole_numbers_name_things_and_nothing_else_does() -> None:
    assert [as_text(each) for each in (7, "7", 7.0, 7.5, 1e300, True, None, [])] == [
        "7", "7", "7", None, None, None, None, None,
    ]  # fmt: skip


# --- times ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("2026-11-26T07:00:00Z", "2026-11-26T07:00:00Z"),
        ("2026-11-26T07:00:00+01:00", "2026-11-26T06:00:00Z"),
        ("2026-11-26T07:00:00", "2026-11-26T06:00:00Z"),
        ("2026-07-26 07:00", "2026-07-26T05:00:00Z"),
        ("2026-07-26", "2026-07-25T22:00:00Z"),
        (1795676400, "2026-11-26T07:00:00Z"),
        ("1795676400", "2026-11-26T07:00:00Z"),
        (1795676400.25, "2026-11-26T07:00:00.250Z"),
        (1795676400250, "2026-11-26T07:00:00.250Z"),
        (1795676400250000, "2026-11-26T07:00:00.250Z"),
        (1795676400250000000, "2026-11-26T07:00:00.250Z"),
        ("1795676400250000000", "2026-11-26T07:00:00.250Z"),
    ],
)
def test_a_time_is_understood(told: Any, moment: str) -> None:
    assert iso(times.instant(told, BERLIN, NOW)) == moment


@pytest.mark.parametrize(
    "told",
    ["", "soon", "26.11.2026", 0, 12345, -1, True, None, [], {}, 1e300, "9" * 20, "0000-00-00"],
)
def test_what_is_no_time_is_said(told: Any) -> None:
    with pytest.raises(times.NoTime):
        times.instant(told, BERLIN, NOW)


def test_an_hour_that_comes_twice_is_the_last_one_that_has_been() -> None:
    """In Germany, on 25 October 2026, 02:30 is at 00:30 and again at 01:30 UTC."""
    first, second = (parse_instant(f"2026-10-25T0{hour}:30:00Z") for hour in (0, 1))
    told = "2026-10-25T02:30:00"
    assert times.instant(told, BERLIN, first + MINUTE) == first
    assert times.instant(told, BERLIN, first + 50 * MINUTE) == first
    assert times.instant(told, BERLIN, second + MINUTE) == second
    assert times.instant(told, BERLIN, second + DAY) == second


def test_an_hour_that_no_clock_shows_goes_on_as_before() -> None:
    assert iso(times.instant("2026-03-29T02:30:00", BERLIN, NOW)) == "2026-03-29T01:30:00Z"


@given(st.datetimes(datetime(1980, 1, 1), datetime(2036, 1, 1)))
def test_clocks_of_a_zone_show_what_was_told(shown: datetime) -> None:
    moment = times.instant(shown.isoformat(), BERLIN, NOW)
    back = datetime.fromtimestamp(moment // 1_000_000, UTC).astimezone(BERLIN)
    gap = back.replace(tzinfo=None, microsecond=0) - shown.replace(microsecond=0)
    assert gap.total_seconds() in (0, 3600)  # an hour that no clock shows


@pytest.mark.parametrize("name", ["", "Europe", "Mars/Phobos", "../etc/passwd", "a\0b", "Ä"])
def test_a_zone_that_nobody_knows_is_said(name: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        times.zone(name)


# --- readings ------------------------------------------------------------------------------------


def test_a_message_is_one_reading_of_its_device() -> None:
    (uplink,) = uplinks(
        form("meta.serial", "at"), {"meta": {"serial": "S 1"}, "at": 1795676400, "v": 3}
    )
    assert (uplink.network, uplink.dev_eui, iso(uplink.time)) == (
        "json",
        "S 1",
        "2026-11-26T07:00:00Z",
    )
    assert uplink.decoded is not None
    assert uplink.decoded["v"] == 3
    assert uplink.f_cnt is None


def test_without_a_time_it_is_from_now() -> None:
    assert uplinks(form(), {"id": 1})[0].time == NOW


def test_a_bare_number_is_a_value() -> None:
    (uplink,) = uplinks(form("topic:2"), 21.5, "kitchen/temp")
    assert (uplink.dev_eui, uplink.decoded) == ("temp", {"kitchen": 21.5, "value": 21.5})


def test_a_list_holds_readings_with_devices_and_times_of_their_own() -> None:
    message = {
        "battery": 80,
        "data": [{"s": "a", "t": 1795676400, "v": 1}, {"s": "b", "t": 1795676460, "v": 2}],
    }
    found = uplinks(form("s", "t", readings="data"), message)
    assert [(each.dev_eui, each.time - found[0].time) for each in found] == [
        ("a", 0),
        ("b", MINUTE),
    ]
    assert found[1].decoded == {"battery": 80, "s": "b", "t": 1795676460, "v": 2}


def test_what_stands_beside_the_list_counts_for_every_entry() -> None:
    message = {"id": "x", "t": 1795676400, "rows": [[1, 5], {"t": 1795676460}]}
    first, second = uplinks(form("id", "t", readings="rows"), message)
    assert (first.dev_eui, second.dev_eui, second.time - first.time) == ("x", "x", MINUTE)
    assert first.decoded is not None
    assert first.decoded["value"] == [1, 5]


def test_a_message_that_is_a_list_needs_no_word_about_it() -> None:
    assert [each.dev_eui for each in uplinks(form(), [{"id": 1}, {"id": 2}])] == ["1", "2"]


def test_one_bad_reading_spoils_no_other() -> None:
    good, bad, late = read(
        form("id", "t"), [{"id": 1, "t": 1795676400}, {"id": 2, "t": "?"}, {"t": 1}]
    )
    assert isinstance(good, Uplink)
    assert isinstance(bad, Misfit)
    assert (bad.part, bad.fault, bad.value) == ("time", "no_time", "?")
    assert isinstance(late, Misfit)
    assert (late.part, late.fault) == ("device", "missing")


@pytest.mark.parametrize(
    ("known", "message", "part", "fault"),
    [
        (form(), {"id": ""}, "device", "no_name"),
        (form(), {"id": "x" * 101}, "device", "no_name"),
        (form(), {"id": "a\nb"}, "device", "no_name"),
        (form(), {"id": {"a": 1}}, "device", "no_name"),
        (form(), {"id": True}, "device", "no_name"),
        (form("id", "t"), {"id": 1, "t": iso(NOW + 6 * MINUTE)}, "time", "ahead"),
        (form("id", "t"), {"id": 1}, "time", "missing"),
        (form(message_id="m"), {"id": 1}, "message_id", "missing"),
        (form(message_id="m"), {"id": 1, "m": []}, "message_id", "no_name"),
    ],
)
def test_what_does_not_fit_is_named(known: KnownForm, message: Any, part: str, fault: str) -> None:
    (found,) = read(known, message)
    assert isinstance(found, Misfit)
    assert (found.part, found.fault) == (part, fault)


@pytest.mark.parametrize(
    ("known", "message", "part", "fault"),
    [
        (form(readings="rows"), {"id": 1}, "readings", "missing"),
        (form(readings="rows"), {"rows": "x"}, "readings", "no_list"),
        (form(readings="rows"), {"rows": []}, "readings", "empty"),
        (form(), [], "readings", "empty"),
        (form(), [{"id": 1}] * 10_000, "readings", "too_many"),
        (form(zone="Mars/Phobos"), {"id": 1}, "time_zone", "no_zone"),
    ],
)
def test_what_spoils_the_whole_message_is_named(
    known: KnownForm, message: Any, part: str, fault: str
) -> None:
    with pytest.raises(Misfit) as caught:
        read(known, message)
    assert (caught.value.part, caught.value.fault) == (part, fault)


def test_many_fields_beside_many_readings_are_too_many() -> None:
    message = {**{f"f{number}": 1 for number in range(300)}, "rows": [{"id": 1}] * 900}
    with pytest.raises(Misfit):
        read(form(readings="rows"), message)


# --- the same again ------------------------------------------------------------------------------


def key_of(known: KnownForm, message: Any, received: int = NOW) -> list[str]:
    return [each.key for each in uplinks(known, message, received=received)]


def test_the_same_message_is_the_same_whenever_it_comes() -> None:
    known = form("id", "t")
    first = key_of(known, {"id": 1, "t": 1795676400, "v": 3})
    assert key_of(known, {"v": 3, "t": 1795676400, "id": 1}, NOW + DAY) == first
    assert key_of(known, {"id": 1, "t": 1795676400, "v": 4}) != first
    assert key_of(known, {"id": 1, "t": 1795676401, "v": 3}) != first


def test_its_own_identifier_tells_messages_apart() -> None:
    known = form(message_id="m")
    assert key_of(known, {"id": 1, "m": 5}) == key_of(known, {"id": 1, "m": 5, "x": 1}, NOW + HOUR)
    assert key_of(known, {"id": 1, "m": 5}) != key_of(known, {"id": 1, "m": 6})
    assert key_of(known, {"id": 1, "m": 5}) != key_of(known, {"id": 2, "m": 5})


def test_readings_under_one_identifier_are_told_apart_by_their_place() -> None:
    known = form(message_id="m", readings="rows")
    message = {"id": 1, "m": 5, "rows": [{"v": 1}, {"v": 1}]}
    first, second = key_of(known, message)
    assert first != second
    assert key_of(known, message, NOW + HOUR) == [first, second]


def test_a_reading_that_comes_in_two_overlapping_lists_is_one() -> None:
    known = form("id", "t", readings="rows")
    rows = [{"t": 1795676400 + 60 * minute, "v": 1} for minute in range(3)]
    early = key_of(known, {"id": 1, "sent": 1, "rows": rows[:2]})
    late = key_of(known, {"id": 1, "sent": 2, "rows": rows[1:]})
    assert early[1] == late[0]


def test_without_identifier_and_time_each_message_counts() -> None:
    assert key_of(form(), {"id": 1}) != key_of(form(), {"id": 1}, NOW + 1)
    assert len(set(key_of(form(), [{"id": 1}, {"id": 1}]))) == 2


# --- what comes beside the message ---------------------------------------------------------------


def test_the_query_tells_form_and_topic() -> None:
    assert query_of("weather", "station/7") == "form=weather&topic=station/7"
    told = address(query_of("weather", "Höhe/a b&c", "text/plain; charset=utf-8", "x=1&x=2"))
    assert told == Address("weather", ("Höhe", "a b&c"), "text/plain", {"x": "1"})


def test_nobody_takes_our_words_back() -> None:
    told = address(query_of("mine", "", "", "form=theirs&topic=a&type=x"))
    assert (told.form, told.topic, told.kind) == ("mine", (), "")


@pytest.mark.parametrize("query", ["form=" + "x" * 500, "form=f&topic=%FF"])
def test_an_address_that_cannot_be_kept_is_refused(query: str) -> None:
    with pytest.raises(Invalid):
        address(query)


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "kind", "found"),
    [
        (b'{"a": 1}', "", {"a": 1}),
        (b'{"a": 1}', "application/json", {"a": 1}),
        (b'{"a": 1}', "text/plain", {"a": 1}),
        (b' {"a": 1}', FORM, {"a": 1}),
        (b"tempf=70.5&dateutc=2026-11-26+07%3A00%3A00&empty=", FORM,
         {"tempf": "70.5", "dateutc": "2026-11-26 07:00:00", "empty": ""}),
    ],
)  # fmt: skip
def test_json_and_forms_are_read(body: bytes, kind: str, found: Any) -> None:
    assert content(body, Address("", kind=kind)) == found


@pytest.mark.parametrize(
    ("body", "kind", "told"),
    [
        (b'{"a": ', "application/json", "is not JSON"),
        (b'{"a": NaN}', "", "is not JSON"),
        (b'{"a": Infinity}', "", "is not JSON"),
        (b'{"a": "\xff"}', "", "is not JSON"),
        (b"[" * 100 + b"]" * 100, "", "nested"),
        (b"<x", "text/xml", "announced as text/xml; send JSON, XML or"),
        (b"\xff=1", FORM, "UTF-8"),
        (b"a=%FF", FORM, "UTF-8"),
        (b"a=1&" * 2_000, FORM, "fields"),
    ],
)
def test_what_cannot_be_read_says_why(body: bytes, kind: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        content(body, Address("", kind=kind))


def test_a_list_deep_in_a_message_stands_only_once_in_each_reading() -> None:
    rows = [{"level": 1}, {"level": 2}]
    message = {"data": {"id": "north", "row": rows}}
    found = read(form("data.id", readings="data.row"), message)
    assert [each.decoded for each in found if isinstance(each, Uplink)] == [
        {"data": {"id": "north"}, "level": 1},
        {"data": {"id": "north"}, "level": 2},
    ]


def test_where_xml_tells_of_one_reading_there_is_no_list_but_a_reading() -> None:
    known = form("m.id", readings="m.row")
    found = read(known, content(b"<m><id>7</id><row><v>5</v></row></m>", Address("")))
    assert [(each.dev_eui, each.decoded) for each in found if isinstance(each, Uplink)] == [
        ("7", {"m": {"id": "7"}, "v": "5"})
    ]


# --- whatever comes ------------------------------------------------------------------------------

_names = st.sampled_from(["id", "t", "m", "rows", "value"])
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=4),
    max_leaves=12,
)
_FORMS = st.sampled_from(
    [
        form(),
        form("id", "t", "m", "rows", "Europe/Berlin"),
        form("rows[0].id", "rows[id=1].t", "value"),
        form('topic:1 + "-" + id', "value", "m", "rows.value"),
        form("id", "t", zone="Nowhere"),
    ]
)


@given(_FORMS, _values, st.integers(0, 2**50))
def test_arbitrary_json_raises_nothing_but_invalid(known: KnownForm, message: Any, at: int) -> None:
    try:
        found = read(known, content(orjson.dumps(message), Address("")), "a/b", at)
    except Invalid:
        return
    assert all(isinstance(each, Uplink | Misfit) for each in found)


@given(st.binary(max_size=80), st.sampled_from(["", FORM, "text/xml", "application/json"]))
def test_arbitrary_bytes_raise_nothing_but_invalid(body: bytes, kind: str) -> None:
    with contextlib.suppress(Invalid):
        read(form(), content(body, Address("", kind=kind)))
