import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.errors import QuerySyntaxError
from stadtherz.base.expressions import Kind, Literal
from stadtherz.base.time import DAY, HOUR, MINUTE, SECOND, parse_duration
from stadtherz.sensorthings.language.literals import (
    geometry,
    is_number,
    literal,
    number,
    time_of_day,
)
from stadtherz.sensorthings.language.periods import Span
from stadtherz.sensorthings.language.syntax import Constant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT1H", HOUR),
        ("P2DT30M", 2 * DAY + 30 * MINUTE),
        ("-PT0.5S", -SECOND // 2),
        ("P1D", DAY),
        ("PT90S", 90 * SECOND),
    ],
)
def test_durations_are_microseconds(text: str, expected: int) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "P", "PT", "P1Y", "P1M", "1H", "PT1H ", "P1DT1H1", "PTH"])
def test_durations_without_a_fixed_length_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@given(st.integers(0, DAY // SECOND - 1))
def test_a_time_of_day_counts_from_midnight(second: int) -> None:
    text = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    assert time_of_day(text) == second * SECOND


@given(st.integers(-(2**63), 2**63 - 1))
def test_whole_numbers_keep_every_digit(value: int) -> None:
    assert number(str(value)) == value or abs(value) >= 10**18


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_as_python_writes_them(value: float) -> None:
    assert number(repr(value)) == value


@pytest.mark.parametrize("text", ["1e999", "-1e999"])
def test_numbers_beyond_a_double_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="too large"):
        number(text)


def test_only_plain_decimal_text_counts_as_a_number() -> None:
    assert all(map(is_number, ["6", "-6", "6.5", "6e3", "0"]))
    assert not any(map(is_number, ["", "six", "0x6", "6 ", "NaN", "Infinity", "6_0", "٦"]))


def test_well_known_text_becomes_geojson() -> None:
    assert geometry("SRID=4326;POINT (7.5 49)") == {"type": "Point", "coordinates": [7.5, 49.0]}
    line = geometry("linestring(0 0, 1 1)")
    assert (line["type"], line["coordinates"]) == ("LineString", [[0.0, 0.0], [1.0, 1.0]])


@given(st.text(max_size=30))
def test_any_text_is_a_geometry_or_refused_in_words(text: str) -> None:
    constant = Constant("geometry", text, 7)
    try:
        found = literal(constant, "$filter")
    except QuerySyntaxError as error:
        found = None
        position = error.position
        assert position == 7
    assert found is None or (isinstance(found, Literal) and found.kind is Kind.GEOMETRY)


def test_an_interval_is_a_span() -> None:
    span = literal(Constant("period", "1970-01-01T00:00:01Z/1970-01-01T00:00:02Z", 0), "$filter")
    assert span == Span(Literal(SECOND, Kind.TIME), Literal(2 * SECOND, Kind.TIME))
