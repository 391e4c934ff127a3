"""Axes have round marks, whatever the values are."""

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.time import DAY, HOUR
from stadtherz.web import formats
from stadtherz.web.axes import Scale, time_marks, value_marks
from stadtherz.web.tests.web_cast import NOON

VALUES = st.floats(-1e6, 1e6)


@given(VALUES, VALUES)
def test_value_marks_enclose_the_values_in_equal_steps(one: float, other: float) -> None:
    low, high = sorted((one, other))
    if 0 < high - low < 1e-3:
        high = low
    marks = value_marks(low, high)
    step = marks[1] - marks[0]
    assert marks[0] <= low + step * 1e-6
    assert marks[-1] >= high - step * 1e-6
    assert 2 <= len(marks) <= 9
    assert all(math.isclose(b - a, step, rel_tol=1e-6) for a, b in pairwise(marks))


def test_a_flat_course_still_has_an_axis() -> None:
    assert value_marks(5, 5) == [4, 4.5, 5, 5.5, 6]


@given(st.integers(0, 300), st.integers(1, 4000))
def test_time_marks_are_few_and_inside(day: int, hours: int) -> None:
    start = NOON + day * DAY
    end = start + hours * HOUR
    marks = time_marks(start, end)
    assert all(start <= mark <= end for mark in marks)
    assert len(marks) <= 8
    assert marks == sorted(set(marks))


def test_marks_of_days_stay_at_midnight_over_the_change_of_clocks() -> None:
    before = NOON - 33 * DAY  # the clocks went back on 25 October 2026
    marks = time_marks(before, before + 5 * DAY)
    assert {formats.clock(mark) for mark in marks} == {"00:00"}


@given(VALUES, st.floats(0.001, 1e6), VALUES)
def test_a_scale_maps_its_ends_to_the_paper(low: float, span: float, start: float) -> None:
    scale = Scale(low, low + span, start, start + 100)
    assert math.isclose(scale(low), start, abs_tol=0.1)
