"""Byte maps: every type at every place, and every row that cannot be read named by its line."""

import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.codecs.bytemap import BadMap, parse
from stadtherz.codecs.outcomes import Decoded, Failed, Fault

PAYLOAD = bytes.fromhex("04d2 ff38 a5 00000001 3fc00000 0102 64".replace(" ", ""))


def data(text: str, payload: bytes = PAYLOAD, f_port: int = 1) -> Any:
    outcome = parse(text).decode(payload, f_port)
    assert isinstance(outcome, Decoded), outcome
    return outcome.data


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("v 0 u8", 4),
        ("v 0 u16be", 1234),
        ("v 0 u16", 1234),
        ("v 0 u16le", 0xD204),
        ("v 2 i16be", -200),
        ("v 2 i8", -1),
        ("v 0 u16be *0.1 cm", 123.4),
        ("v 2 i16be *0.1 +400", 380),
        ("v 2 i16be *0.1 -40 Cel", -60),
        ("v 0 u8 -4", 0),
        ("v 0 u24be", 0x04D2FF),
        ("v 0 i24le", 0xFFD204 - 2**24),
        ("v 5 u32be", 1),
        ("v 5 i32le", 2**24),
        ("v 9 f32be", 1.5),
        ("v 9 f32", 1.5),
        ("v -1 u8 %", 100),
        ("v -3 u16be", 0x0102),
        ("v 4 bit0", 1),
        ("v 4 bit1", 0),
        ("v 4 bits4-7", 0xA),
        ("v 4 bits0-2 *10", 50),
    ],
)
def test_a_row_reads_its_value(row: str, expected: float) -> None:
    assert data(row) == {"v": expected}


def test_ports_remarks_and_empty_lines() -> None:
    text = "# radar\nany 0 u8\n\nport 2\nlevel 0 u16be  # in cm\nport 3\nlevel 2 i16be\n"
    assert data(text, f_port=1) == {"any": 4}
    assert data(text, f_port=2) == {"any": 4, "level": 1234}
    assert data(text, f_port=3) == {"any": 4, "level": -200}


def test_what_lies_behind_the_end_is_not_there() -> None:
    text = "a 0 u8\nb 0 u16be\nc -2 u16le"
    assert data(text, b"\x07") == {"a": 7}
    assert parse(text).decode(b"", 1) == Failed(Fault.TOO_SHORT, "0 bytes")
    assert parse("port 2\na 0 u8").decode(b"\x01", 1) == Failed(Fault.UNREADABLE, "port 1")


def test_units_are_known_by_name() -> None:
    assert dict(parse("a 0 u8 cm\nb 1 u8\nc 2 u8 *2 m3/s").units) == {"a": "cm", "c": "m3/s"}


def test_what_is_no_number_is_told_as_text() -> None:
    assert data("v 0 f32be", struct.pack(">f", float("nan"))) == {"v": "nan"}
    assert data("v 0 f32be", struct.pack(">f", float("-inf"))) == {"v": "-inf"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("# only a remark", 1),
        ("a 0", 1),
        ("a 0 u8\nb one u8", 2),
        ("a 0 u7", 1),
        ("a 0 bits5-2", 1),
        ("a 0 bit9", 1),
        ("a 0 u8 *x", 1),
        ("a 0 u8 *nan", 1),
        ("a 0 u8 *1e99", 1),
        ("a 0 u8 cm more", 1),
        ("a 9999 u8", 1),
        ("a -1 u16be", 1),
        ("port 256\na 0 u8", 1),
        ("a.b 0 u8", 1),
        ("a 0 u8\na 1 u8", 2),
    ],
)
def test_a_row_that_cannot_be_read_is_named(text: str, line: int) -> None:
    with pytest.raises(BadMap) as caught:
        parse(text)
    assert caught.value.line == line


@given(st.integers(0, 20), st.sampled_from(["be", "le"]), st.integers(-(2**31), 2**31 - 1))
def test_a_written_number_is_read_back(place: int, order: str, number: int) -> None:
    form = (">" if order == "be" else "<") + "i"
    payload = bytes(place) + struct.pack(form, number)
    assert data(f"v {place} i32{order}", payload) == {"v": number}


@given(st.text(max_size=60), st.binary(max_size=12))
def test_any_text_is_a_map_or_a_clear_refusal(text: str, payload: bytes) -> None:
    with suppress(BadMap):
        parse(text).decode(payload, 1)
