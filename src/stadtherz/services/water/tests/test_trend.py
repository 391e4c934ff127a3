"""Rising, falling or steady, and how fast."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.time import HOUR, MINUTE
from stadtherz.services.water.trend import GROUNDWATER, LEVEL, Direction, trend

FIVE = [n * 5 * MINUTE for n in range(24)]


def line(rate: float) -> list[float]:
    """Levels that change by `rate` cm an hour."""
    return [50 + rate * t / HOUR for t in FIVE]


@pytest.mark.parametrize(
    ("rate", "direction"),
    [(12, Direction.RISING), (-12, Direction.FALLING), (1.4, Direction.STEADY)],
)
def test_the_rate_decides_about_the_direction(rate: float, direction: Direction) -> None:
    found = trend(FIVE, line(rate))
    assert found is not None
    assert found.direction is direction
    assert found.rate == pytest.approx(rate)


@given(st.floats(min_value=-300, max_value=300))
def test_a_straight_line_has_its_own_rate(rate: float) -> None:
    found = trend(FIVE, line(rate))
    assert found is not None
    assert found.rate == pytest.approx(rate, abs=1e-6)


@given(st.integers(min_value=0, max_value=23), st.floats(min_value=-500, max_value=500))
def test_one_wrong_reading_does_not_turn_it(place: int, wrong: float) -> None:
    values = line(12)
    values[place] = wrong
    found = trend(FIVE, values)
    assert found is not None
    assert found.direction is Direction.RISING


def test_only_the_window_counts() -> None:
    times = [0, HOUR, *(10 * HOUR + t for t in FIVE)]
    found = trend(times, [500, 500, *line(-6)])
    assert found is not None
    assert found.rate == pytest.approx(-6)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_readings_have_no_trend(count: int) -> None:
    assert trend(FIVE[:count], line(12)[:count]) is None


def test_readings_of_a_few_minutes_have_no_trend() -> None:
    assert trend([0, MINUTE, 2 * MINUTE], [50, 60, 70]) is None


def test_a_flash_flood_shows_within_half_an_hour() -> None:
    values = [20.0] * 18 + [28.0, 38, 47, 58, 67, 77]
    found = trend(FIVE, values)
    assert found is not None
    assert found.rate > 80


def test_a_gauge_that_reports_rarely_is_given_more_time() -> None:
    times = [n * 45 * MINUTE for n in range(10)]
    found = trend(times, [50 + 9 * n for n in range(10)])
    assert found is not None
    assert found.rate == pytest.approx(12)


def test_groundwater_looks_back_for_days() -> None:
    times = [n * HOUR for n in range(72)]
    values = [300 + 0.2 * n for n in range(72)]
    slow = trend(times, values, GROUNDWATER)
    assert slow is not None
    assert slow.direction is Direction.RISING
    assert slow.rate < LEVEL.steady


def test_a_reading_every_second_costs_no_second() -> None:
    times = [n * 1_000_000 for n in range(7200)]
    found = trend(times, [50 + n / 360 for n in range(7200)])
    assert found is not None
    assert found.rate == pytest.approx(10.0, rel=1e-3)


def test_the_change_is_what_was_measured_an_hour_ago() -> None:
    values = [20.0] * 18 + [28.0, 38, 47, 58, 67, 77]
    found = trend(FIVE, values)
    assert found is not None
    assert found.change == 77 - 20
    assert found.fast


def test_without_a_reading_from_then_no_change_is_told() -> None:
    found = trend(FIVE[:6], line(12)[:6])
    assert found is not None
    assert found.change is None


@given(st.floats(min_value=-300, max_value=300))
def test_a_straight_line_changes_by_its_rate_in_an_hour(rate: float) -> None:
    found = trend(FIVE, line(rate))
    assert found is not None
    assert found.change == pytest.approx(rate, abs=1e-6)
    assert found.fast == (abs(found.rate) >= LEVEL.fast)


def test_groundwater_is_never_fast_and_told_by_the_day() -> None:
    times = [n * HOUR for n in range(72)]
    found = trend(times, [300 + 0.2 * n for n in range(72)], GROUNDWATER)
    assert found is not None
    assert found.change == pytest.approx(4.8)
    assert not found.fast
