"""Devices that tell each value under a topic of its own: ESPHome, openDTU, Tasmota and the like."""

from collections.abc import Mapping
from typing import Any

import pytest

from stadtherz.base.errors import Invalid
from stadtherz.base.time import parse_instant
from stadtherz.ingest.documents.uplink import Uplink
from stadtherz.ingest.forms import bare
from stadtherz.ingest.forms.expressions import parse
from stadtherz.ingest.forms.proposing import proposed_shape
from stadtherz.ingest.forms.reading import KnownForm, address, content, query_of, read
from stadtherz.ingest.library.values_in import values_of
from stadtherz.ingest.onboarding.messages import read_by, sample_of

RECEIVED = parse_instant("2026-11-28T12:00:00Z")


def known(device: str) -> KnownForm:
    return KnownForm(1, "k", parse(device), None, "UTC", None, None)


# topic, value: device, name of the value, number, unit
HEARD = {
    "esp-keller/sensor/temperature/state": ("23.4", "esp-keller", "temperature", 23.4, "Cel"),
    "haus/esp-keller/sensor/water_level/state": ("87", "esp-keller", "water_level", 87, "cm"),
    "zigbee2mqtt/Wohnzimmer/humidity": ("55.1", "Wohnzimmer", "humidity", 55.1, "%"),
    "solar/116180400132/0/voltage": ("231.2", "116180400132", "0_voltage", 231.2, "V"),
    "solar/116180400132/status/reachable": ("1", "116180400132", "reachable", 1, "1"),
    "shellies/shelly1pm-A4CF12/relay/0/power": ("15.72", "shelly1pm-A4CF12", "relay_0_power", 15.72, "W"),
    "stat/tasmota_1A2B/temperature": ("21,5 °C", "tasmota_1A2B", "temperature", 21.5, "Cel"),
    "openWB/evu/W": ("-1250", "evu", "W", -1250, "1"),
}  # fmt: skip


@pytest.mark.parametrize("topic", HEARD)
def test_the_topic_tells_the_device_and_what_the_value_is_called(topic: str) -> None:
    value, device, name, number, unit = HEARD[topic]
    sample = sample_of(value, query_of("", topic))
    shape = proposed_shape(sample.message, RECEIVED, "Europe/Berlin")
    (found,) = read_by(known(shape.device), sample, RECEIVED)
    assert isinstance(found, Uplink)
    assert found.dev_eui == device
    (one,) = values_of(found.decoded or {}, without=frozenset({bare.VALUE}))
    assert (one.proposal.path, one.proposal.example, one.proposal.unit) == (name, number, unit)


@pytest.mark.parametrize(
    ("device", "topic", "fields"),
    [
        ("topic:2", "a/b/temperature/state", {"temperature": 5, "value": 5}),
        ("topic:1", "a/b/c", {"b_c": 5, "value": 5}),
        ("topic:-1", "temperature/b", {"temperature": 5, "value": 5}),
        ('"b-" + topic:2', "a/b/level cm", {"level_cm": 5, "value": 5}),
        ("topic:2", "a/b", {"a": 5, "value": 5}),
        ("topic:1", "b/state", {"value": 5}),
        ('"b"', "a/b/c", {"value": 5}),
    ],
)
def test_a_value_has_its_name_and_is_found_as_value_too(
    device: str, topic: str, fields: Mapping[str, Any]
) -> None:
    (found,) = read(known(device), address(query_of("k", topic)), 5, RECEIVED)
    assert isinstance(found, Uplink)
    assert found.decoded == fields


@pytest.mark.parametrize("text", ["23.4", "ON", "21,5 °C", "-7 dBm", "nan", "1 234,5 m³/h"])
def test_under_a_topic_a_value_alone_is_a_message(text: str) -> None:
    told = address(query_of("k", "a/b/c"))
    assert str(content(text.encode(), told)) == text


@pytest.mark.parametrize("text", ["{oops", "a: 5", "<b>", "x" * 61, '{"a": 1', "a\nb", ""])
def test_what_is_no_value_is_still_no_document(text: str) -> None:
    with pytest.raises(Invalid):
        content(text.encode(), address(query_of("k", "a/b/c")))
    with pytest.raises(Invalid):
        content(b"21,5 C", address(query_of("k")))


def test_what_a_listening_program_prints_is_read_line_by_line() -> None:
    text = (
        "solar/116180400132/0/voltage 231.2\nsolar/116180400132/0/power 15.7\n"
        "solar/116180400999/0/power 7\nsolar/x {oops\nsolar/short 1\n"
    )
    sample = sample_of(text)
    found = [e for e in read_by(known("topic:2"), sample, RECEIVED) if isinstance(e, Uplink)]
    told = [(each.dev_eui, each.decoded) for each in found]
    assert told == [
        ("116180400132", {"0_voltage": 231.2, "value": 231.2}),
        ("116180400132", {"0_power": 15.7, "value": 15.7}),
        ("116180400999", {"0_power": 7, "value": 7}),
        ("short", {"solar": 1, "value": 1}),
    ]


def test_a_value_without_a_topic_is_asked_for_it() -> None:
    with pytest.raises(Invalid, match=r"[Tt]opic"):
        sample_of("23.4")
