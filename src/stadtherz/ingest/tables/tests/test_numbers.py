"""Numbers as the file writes them, never as another country does."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.ingest.tables.numbers import ERROR_CODE, MISSING, NOT_A_NUMBER, reader
from stadtherz.ingest.tables.rules import MISSING as USUAL


@pytest.mark.parametrize(
    ("decimal", "thousands", "text", "number"),
    [
        (",", "", "96,00", 96.0),
        (",", ".", "1.234.567,8", 1234567.8),
        (".", ",", "-1,234.5", -1234.5),
        (",", " ", "1 234,5", 1234.5),
        (",", " ", "1\u00a0234,5", 1234.5),
        (".", "'", "1'234.5", 1234.5),
        (".", "", "6.02E+23", 6.02e23),
        (".", "", "−4", -4.0),
        (".", "", ".5", 0.5),
        (",", "", " 3, ", 3.0),
        (".", "", 7, 7.0),
    ],
)
def test_numbers_are_read(decimal: str, thousands: str, text: Any, number: float) -> None:
    assert reader(decimal, thousands, (), ())(text) == number


@pytest.mark.parametrize(
    ("decimal", "thousands", "text"),
    [
        (",", ".", "1.23,4"),
        (",", "", "1.5"),
        (".", "", "1,5"),
        (".", ",", "1,5"),
        (".", "", "1_000"),
        (".", "", "inf"),
        (".", "", "1e999"),
        (".", "", "٣"),
        (".", "", "<0.5"),
        (".", "", True),
        (".", "", float("nan")),
        (".", "", 10**400),
    ],
)
def test_what_is_no_number_here_is_not_guessed(decimal: str, thousands: str, text: Any) -> None:
    assert reader(decimal, thousands, (), ())(text) == NOT_A_NUMBER


@pytest.mark.parametrize(
    "cell", ["", "  ", None, "-", "---", "n/a", "NaN", "#NV", "-999", "-999,0", -999]
)
def test_missing_values_are_missing_however_they_are_written(cell: Any) -> None:
    assert reader(",", "", USUAL, ())(cell) == MISSING


@pytest.mark.parametrize("cell", ["9999", "9999,0", 9999.0, "E1", "e1"])
def test_error_codes_are_told_from_missing_values(cell: Any) -> None:
    assert reader(",", "", USUAL, ("9999", "E1"))(cell) == ERROR_CODE


@given(
    st.floats(-1e9, 1e9).map(lambda n: round(n, 4)),
    st.sampled_from([(",", "."), (".", ","), (",", " "), (".", "'"), (",", ""), (".", "")]),
)
def test_a_number_comes_back_as_it_was_written(number: float, signs: tuple[str, str]) -> None:
    decimal, thousands = signs
    text = f"{number:,.4f}" if thousands else f"{number:.4f}"
    text = text.translate(str.maketrans({",": thousands, ".": decimal}))
    assert reader(decimal, thousands, (), ())(text) == number
