"""Cayenne LPP: every type, and where a payload is none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.codecs.cayenne import decode, unit_of
from stadtherz.codecs.outcomes import Decoded, Failed, Fault


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("03670110 05670 0ff".replace(" ", ""), {"temperature_3": 27.2, "temperature_5": 25.5}),
        ("0167ffd7", {"temperature_1": -4.1}),
        ("067104d2fb2e0000", {"accelerometer_6": {"x": 1.234, "y": -1.234, "z": 0}}),
        ("018806765ff2960a0003e8", {"gps_1": {"latitude": 42.3519, "longitude": -87.9094, "altitude": 10}}),
        ("010064 020100".replace(" ", ""), {"digital_in_1": 100, "digital_out_2": 0}),
        ("0102fff6 02030064".replace(" ", ""), {"analog_in_1": -0.1, "analog_out_2": 1}),
        ("016400000100", {"generic_1": 256}),
        ("0165012c", {"luminosity_1": 300}),
        ("016601", {"presence_1": 1}),
        ("016885", {"relative_humidity_1": 66.5}),
        ("01732774", {"barometric_pressure_1": 1010}),
        ("01740149", {"voltage_1": 3.29}),
        ("01750064", {"current_1": 0.1}),
        ("017600000032", {"frequency_1": 50}),
        ("017863", {"percentage_1": 99}),
        ("0179ff38", {"altitude_1": -200}),
        ("017d01f4", {"concentration_1": 500}),
        ("018003e8", {"power_1": 1000}),
        ("0182000004d2", {"distance_1": 1.234}),
        ("0183000004d2", {"energy_1": 1.234}),
        ("0184010e", {"direction_1": 270}),
        ("018565f0c200", {"unix_time_1": 0x65F0C200}),
        ("0186000a fff60000".replace(" ", ""), {"gyrometer_1": {"x": 0.1, "y": -0.1, "z": 0}}),
        ("018701ff80", {"colour_1": {"r": 1, "g": 255, "b": 128}}),
        ("018e01", {"switch_1": 1}),
    ],
)  # fmt: skip
def test_every_type_is_read(payload: str, expected: Any) -> None:
    assert decode(bytes.fromhex(payload)) == Decoded(expected)


@pytest.mark.parametrize(
    ("payload", "failed"),
    [
        ("", Failed(Fault.TOO_SHORT, "0 bytes")),
        ("01", Failed(Fault.TOO_SHORT, "byte 0")),
        ("016701", Failed(Fault.TOO_SHORT, "temperature_1")),
        ("0167010001", Failed(Fault.TOO_SHORT, "byte 4")),
        ("01670100 0109aa".replace(" ", ""), Failed(Fault.UNREADABLE, "type 9 at byte 5")),
    ],
)
def test_where_a_payload_is_none_is_told(payload: str, failed: Failed) -> None:
    assert decode(bytes.fromhex(payload)) == failed


def test_units_go_with_the_names() -> None:
    assert (unit_of("temperature_12"), unit_of("gps_1"), unit_of("level")) == ("Cel", "", "")


@given(st.binary(max_size=40))
def test_any_bytes_are_decoded_or_refused(payload: bytes) -> None:
    assert isinstance(decode(payload), Decoded | Failed)
