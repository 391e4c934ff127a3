"""What can be true is converted; what cannot is refused with what it was."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.ingest.quality.plausibility import (
    ERROR_CODES,
    Fault,
    Implausible,
    Rule,
    check,
)

LEVEL = Rule(minimum=0, maximum=500)


@pytest.mark.parametrize(("raw", "result"), [(0, 0), (499.5, 499.5), (500, 500), ("42.5", 42.5)])
def test_a_value_within_its_range_is_the_result(raw: Any, result: float) -> None:
    assert check(raw, LEVEL) == result


def test_factor_and_offset_make_a_level_of_a_distance() -> None:
    assert check(3000, Rule(factor=-0.1, offset=400)) == 100


@pytest.mark.parametrize("raw", [-0.1, 500.1, 1e300, -1])
def test_a_value_outside_its_range_is_refused_after_conversion(raw: float) -> None:
    assert check(raw, LEVEL) == Implausible(Fault.OUT_OF_RANGE, raw)


def test_a_single_limit_is_told_as_such() -> None:
    assert check(-1, Rule(minimum=0)) == Implausible(Fault.TOO_LOW, -1)
    assert check(2, Rule(maximum=1)) == Implausible(Fault.TOO_HIGH, 2)


@pytest.mark.parametrize(
    "raw", [True, False, "NaN", "inf", "", "about 12", "1e9999", [1], {}, 10**400]
)
def test_what_is_no_number_is_refused(raw: Any) -> None:
    refused = check(raw, Rule())
    assert isinstance(refused, Implausible)
    assert refused.fault is Fault.NOT_A_NUMBER


@pytest.mark.parametrize("raw", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(raw: float) -> None:
    assert isinstance(check(raw, Rule()), Implausible)


def test_text_of_a_sensor_is_kept_short_and_printable() -> None:
    refused = check("a\x00b\n" + "x" * 100, Rule())
    assert isinstance(refused, Implausible)
    assert len(refused.value) == 40
    assert refused.value.isprintable()


@pytest.mark.parametrize("raw", sorted(ERROR_CODES))
def test_an_error_code_is_no_value(raw: int) -> None:
    refused = check(raw, LEVEL)
    assert isinstance(refused, Implausible)
    assert refused.fault is Fault.ERROR_CODE


def test_a_code_that_the_range_allows_is_a_value() -> None:
    assert check(65535, Rule(minimum=0, maximum=100_000)) == 65535


@given(
    st.floats(-1e6, 1e6),
    st.floats(-100, 100),
    st.floats(-1e6, 1e6),
    st.floats(-1e6, 0),
    st.floats(0, 1e6),
)
def test_a_result_is_always_finite_and_within_the_range(
    raw: float, factor: float, offset: float, minimum: float, maximum: float
) -> None:
    result = check(raw, Rule(factor, offset, minimum, maximum))
    if not isinstance(result, Implausible):
        assert minimum <= result <= maximum


@given(st.floats() | st.integers() | st.text() | st.booleans() | st.none())
def test_every_value_gets_an_answer(raw: Any) -> None:
    result = check(raw, Rule())
    assert isinstance(result, Implausible) or math.isfinite(result)
