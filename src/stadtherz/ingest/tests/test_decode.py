"""Paths and byte maps: every value that is there is found, everything else is missing."""

import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.ingest.values.decode import MISSING, parse, value

PAYLOAD: dict[str, Any] = {
    "level_cm": 42.5,
    "data": {"level": 7, "empty": None},
    "values": [3, {"deep": 9}],
    "Level (cm)": 1,
    "a.b": 2,
    "messages": [
        {"type": "battery", "battery": 97},
        {"measurementId": 4097, "measurementValue": 18.4},
        {"measurementId": "4098", "measurementValue": 61.5},
    ],
}


def found(path: str, payload: bytes = b"") -> Any:
    return value(path, decoded=PAYLOAD, payload=payload)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("level_cm", 42.5),
        ("data.level", 7),
        ("values[0]", 3),
        ("values[1].deep", 9),
        ("Level (cm)", 1),
        ('["a.b"]', 2),
        ('data["level"]', 7),
        ("messages[measurementId=4097].measurementValue", 18.4),
        ("messages[measurementId=4098].measurementValue", 61.5),
        ("messages[type=battery].battery", 97),
    ],
)
def test_a_path_finds_its_value(path: str, expected: Any) -> None:
    assert found(path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "level",
        "data.empty",
        "data.level.more",
        "level_cm[0]",
        "values[9]",
        "values.deep",
        "messages[measurementId=1].measurementValue",
        "data[x=1]",
    ],
)
def test_what_the_payload_does_not_hold_is_missing(path: str) -> None:
    assert found(path) is MISSING


def test_an_undecoded_payload_holds_no_paths() -> None:
    assert value("level_cm", decoded=None, payload=b"\x01") is MISSING


@pytest.mark.parametrize(
    "path",
    ["", ".", "a.", ".a", "a..b", "a[", "a]", "a[b", "a[=1]", "a b[1]x", "[0]x", 'a[""]', "a=b",
     "radio:", "radio:noise", "bytes:", "bytes:0", "bytes:x:u8", "bytes:0:u99", "bytes:-1:u8", "x" + ".x" * 20],
)  # fmt: skip
def test_a_path_that_cannot_be_read_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"position|steps|bytes"):
        parse(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("bytes:0:u8", 1),
        ("bytes:1:u16be", 0xFF80),
        ("bytes:1:i16be", -128),
        ("bytes:1:u16le", 0x80FF),
        ("bytes:0:u32be", 0x01FF8000),
        ("bytes:3:u8", 0),
        ("bytes:3:u16be", MISSING),
        ("bytes:4:u8", MISSING),
    ],
)
def test_bytes_are_read_at_their_offset(path: str, expected: Any) -> None:
    assert found(path, payload=bytes.fromhex("01ff8000")) == expected


@given(st.integers(0, 20), st.integers(-(2**15), 2**15 - 1), st.binary(max_size=4))
def test_a_written_number_is_read_back(offset: int, number: int, rest: bytes) -> None:
    payload = bytes(offset) + struct.pack(">h", number) + rest
    assert value(f"bytes:{offset}:i16be", decoded=None, payload=payload) == number


NAMES = st.text(
    st.characters(exclude_characters='.[]"=', exclude_categories=("Cs",)), min_size=1, max_size=6
)


@given(st.lists(NAMES, min_size=1, max_size=8), st.integers())
def test_a_nested_value_is_found_by_its_names(names: list[str], number: int) -> None:
    nested: Any = number
    for name in reversed(names):
        nested = {name: nested}
    path = ".".join(names)
    if not path.startswith(("bytes:", "radio:")):
        assert value(path, decoded=nested, payload=b"") == number


@given(st.text(max_size=30))
def test_any_text_is_a_path_or_a_clear_refusal(text: str) -> None:
    with suppress(ValueError):
        assert parse(text)
