"""A number with its unit behind it is read, and turned into the unit that is expected."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.ingest.quality.plausibility import Fault, Implausible, Rule, check
from stadtherz.ingest.values.convertible import Inconvertible
from stadtherz.ingest.values.numbers import number_of
from stadtherz.ingest.values.units import conversion
from stadtherz.ingest.values.written import _SCALES, between, quantity_of, unit_of


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("21 °C", 21, "Cel"),
        ("3,4 m", 3.4, "m"),
        ("1.234,5 mm", 1234.5, "mm"),
        ("1 234,5 hPa", 1234.5, "hPa"),
        ("−3,5°C", -3.5, "Cel"),
        ("1.2 kW", 1.2, "kW"),
        ("5 mW", 5, "mW"),
        ("5 MW", 5, "MW"),
        ("1e3 Pa", 1000, "Pa"),
        (" 57 % rF ", 57, "%"),
        ("21.5 Cel", 21.5, "Cel"),
        ("7 l/min", 7, "L/min"),
        ("50 [degF]", 50, "[degF]"),
        ("80 [cm]", 80, "cm"),
        ("12 cars", 12, ""),
    ],
)
def test_a_number_and_its_unit_are_read(text: str, number: float, unit: str) -> None:
    found = quantity_of(text)
    assert found is not None
    assert (found.number, found.unit) == (number, unit)


@pytest.mark.parametrize(
    "raw",
    ["", "dry", "21.5", "3 4", "< 5 m", "12:30", "2026-11-26T07:00:00Z", "26.11.2026 08:00", "0x12", "12ab",
     "1.2.3 m", "m", "9" * 70 + " m", 5, None, True, {"a": 1}],
)  # fmt: skip
def test_what_is_no_quantity_is_none(raw: Any) -> None:
    assert quantity_of(raw) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("1.234,5", 1234.5), ("1.234.567", 1234567), ("1'234.5", 1234.5), ("1 234,5", 1234.5),
     ("−7", -7), ("1,234,567", 1234567), ("−1.234,5", -1234.5), ("1 23", None), ("--7", None), ("−−7", None)],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(text: str, number: float | None) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize("source", _SCALES)
def test_the_short_table_says_what_the_tables_of_ucum_say(source: str) -> None:
    kind = _SCALES[source][0]
    for target in (code for code, scale in _SCALES.items() if scale[0] == kind):
        long, short = conversion(source, target), between(source, target)
        assert math.isclose(short.factor, long.factor, rel_tol=1e-12)
        assert math.isclose(short.offset, long.offset, rel_tol=1e-12, abs_tol=1e-9)


@given(st.sampled_from(sorted(_SCALES)), st.sampled_from(sorted(_SCALES)))
def test_there_and_back_is_the_same(source: str, target: str) -> None:
    if _SCALES[source][0] != _SCALES[target][0]:
        with pytest.raises(Inconvertible):
            between(source, target)
        return
    there, back = between(source, target), between(target, source)
    number = (12.5 * there.factor + there.offset) * back.factor + back.offset
    assert math.isclose(number, 12.5, rel_tol=1e-9)


_NUMBERS = st.decimals(-(10**9), 10**9, places=2, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("code", sorted(_SCALES.keys() - {"1"}))
def test_every_known_unit_can_stand_behind_a_number(code: str) -> None:
    found = quantity_of(f"-2.5e-07 {code}")
    assert found is not None
    assert (found.number, found.unit) == (-2.5e-07, code)


@given(
    _NUMBERS, st.sampled_from([",.", ".,", " ,", " .", "'.", "\u202f,"]), st.sampled_from(["", " "])
)
def test_a_number_reads_the_same_however_it_is_grouped(told: Any, marks: str, gap: str) -> None:
    thousands, decimal = marks
    written = f"{told:,.2f}".translate({ord(","): thousands, ord("."): decimal})
    found = quantity_of(f"{written}{gap}cm")
    assert found is not None
    assert (found.number, found.unit) == (float(told), "cm")


@given(st.text(max_size=70))
def test_any_text_is_a_quantity_or_none(text: str) -> None:
    found = quantity_of(text)
    assert found is None or math.isfinite(found.number)
    unit_of(text)


@pytest.mark.parametrize(
    ("raw", "expects", "result"),
    [
        ("3,4 m", "cm", 340),
        ("50 °F", "Cel", 10),
        ("12 cars", "1", 12),
        (7, "cm", 7),
        ("7", "cm", 7),
    ],
)
def test_a_value_is_turned_into_what_is_expected(raw: Any, expects: str, result: float) -> None:
    assert check(raw, Rule(expects=expects)) == pytest.approx(result)


@pytest.mark.parametrize(
    ("raw", "expects", "fault"),
    [
        ("21 °C", "cm", Fault.OTHER_UNIT),
        ("21 furlongs", "cm", Fault.UNKNOWN_UNIT),
        ("21 °C", "", Fault.NO_UNIT_SAID),
        ("21 °C", "1", Fault.OTHER_UNIT),
        ("dry", "cm", Fault.NOT_A_NUMBER),
    ],
)
def test_a_value_in_a_unit_of_another_kind_is_refused(raw: str, expects: str, fault: Fault) -> None:
    assert check(raw, Rule(expects=expects)) == Implausible(fault, raw)
