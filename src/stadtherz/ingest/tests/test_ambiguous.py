"""`1.234 m` is a little more than a metre, or 1,234 metres: what else is known tells which."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.time import now_us
from stadtherz.ingest.quality.ambiguous import decimal_sign, settled, ways
from stadtherz.ingest.quality.plausibility import Rule
from stadtherz.ingest.tests.factories import Door, Town, results, tts
from stadtherz.ingest.values.numbers import number_of


@pytest.mark.parametrize(
    ("text", "decimals", "thousands"),
    [
        ("1.234 m", "1.234 m", "1234 m"),
        ("1,234", "1.234", "1234"),
        ("-12.500kWh", "-12.500kWh", "-12500kWh"),
        ("999.999", "999.999", "999999"),
    ],
)
def test_three_digits_behind_one_sign_may_mean_both(
    text: str, decimals: str, thousands: str
) -> None:
    found = ways(text)
    assert found is not None
    assert found[:2] == (decimals, thousands)


@pytest.mark.parametrize(
    "raw",
    ["0.123", "1.23", "1.2345", "1234.567", "1.234,5", "1.234.567", "1 234,567", "1.234e3", "v1.234.5", "dry", "", 1.234, None, True],
)  # fmt: skip
def test_anything_else_means_one_thing(raw: Any) -> None:
    assert ways(raw) is None


@pytest.mark.parametrize(
    ("texts", "sign"),
    [
        (["12,5 cm"], ","), (["21.5"], "."), (["1.234.567"], ","), (["1,234.5"], "."), (["0.123"], "."),
        (["0,5", "7"], ","), (["12,5", "21.5"], ""), (["1.234", "7", "dry", "26.11.2026 08:00"], ""), ([7.5, None], ""),
    ],
)  # fmt: skip
def test_other_values_show_the_sign_of_the_decimals(texts: list[Any], sign: str) -> None:
    assert decimal_sign(texts) == sign


@pytest.mark.parametrize(
    ("text", "rule", "sign", "meant", "certain"),
    [
        ("1.234 m", Rule(expects="m"), ",", 1234, True),
        ("1.234 m", Rule(expects="m"), ".", 1.234, True),
        ("1.234 m", Rule(expects="m", minimum=0, maximum=10), "", 1.234, True),
        ("1.234 m", Rule(expects="m", minimum=500), "", 1234, True),
        ("1.234 m", Rule(expects="m"), "", 1.234, False),
        ("1.013 hPa", Rule(expects="hPa"), "", 1013, True),
        ("1.013 bar", Rule(expects="hPa"), "", 1.013, True),
        ("23.456", Rule(expects="Cel"), "", 23.456, True),
        ("23,456 °C", Rule(expects="Cel"), "", 23.456, True),
        ("12.345", Rule(expects="kW.h", factor=1000, maximum=100_000), "", 12.345, True),
        ("1.234 furlongs", Rule(expects="m"), "", 1.234, False),
    ],
)
def test_what_is_possible_tells_what_is_meant(
    text: str, rule: Rule, sign: str, meant: float, certain: bool
) -> None:
    either = ways(text)
    assert either is not None
    told, known = settled(either, rule, sign)
    assert (number_of(told.split(" ")[0]), known) == (meant, certain)


@given(st.integers(1, 999), st.integers(0, 999), st.sampled_from(".,"))
def test_both_ways_are_a_thousandfold_apart(whole: int, three: int, sign: str) -> None:
    found = ways(f"{whole}{sign}{three:03}")
    assert found is not None
    small, large = number_of(found.decimals), number_of(found.thousands)
    assert small is not None
    assert large == pytest.approx(small * 1000)


@given(st.text(max_size=70), st.sampled_from(["", ".", ","]))
def test_any_text_is_settled_or_left_alone(text: str, sign: str) -> None:
    if (found := ways(text)) is not None:
        assert settled(found, Rule(), sign)[0] in found[:2]
    decimal_sign([text])


def test_a_german_counter_is_read_as_its_other_value_is_written(
    door: Door, town: Town, transactional_db: None
) -> None:
    for number, level in enumerate(("87,5", "87.5"), 1):
        assert door.post(tts(number, level_cm=level, discharge="1.234")).json()["stored"] == 2
    assert results(town.discharge) == [1234, 1.234]
    assert results(town.level) == [87.5, 87.5]


def test_the_limits_of_a_field_tell_what_is_meant(
    door: Door, town: Town, transactional_db: None
) -> None:
    assert door.post(tts(1, level_cm="1.234")).json()["stored"] == 1  # to 500 cm
    assert door.post(tts(2, level_cm="1,234 m")).json()["stored"] == 1
    assert results(town.level) == [1.234, pytest.approx(123.4)]
    assert now_us()
