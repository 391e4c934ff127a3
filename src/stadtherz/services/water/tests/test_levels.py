"""The rule of warning steps: properties that always hold, and counts on a recorded flood."""

import csv
import gzip
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.services.water.levels import Decision, decide, mistakes, release, turns


@dataclass(frozen=True, slots=True)
class Step:
    level: float
    hysteresis: float


TWO = [Step(90, 5), Step(120, 5)]
LEVELS = st.floats(min_value=-50, max_value=400, allow_nan=False)


@st.composite
def usable_steps(draw: st.DrawFn) -> list[Step]:
    """Up to five steps without mistakes."""
    gaps = draw(st.lists(st.floats(min_value=1, max_value=80), max_size=5))
    levels, steps = 0.0, []
    for gap in gaps:
        levels += gap
        steps.append(Step(levels, draw(st.floats(min_value=0.1, max_value=gap * 0.9))))
    return [] if mistakes(steps) else steps


@pytest.mark.parametrize(
    ("value", "current", "after"),
    [
        (89.9, 0, 0),
        (90.0, 0, 1),
        (250.0, 0, 2),
        (85.0, 1, 1),
        (84.9, 1, 0),
        (115.0, 2, 2),
        (114.9, 2, 1),
        (84.9, 2, 0),
    ],
)
def test_a_step_holds_until_the_water_is_below_its_hysteresis(
    value: float, current: int, after: int
) -> None:
    assert decide(TWO, value, current) == Decision(current, after)


@given(usable_steps(), LEVELS, st.integers(min_value=0, max_value=5))
def test_the_same_level_again_changes_nothing(
    steps: list[Step], value: float, current: int
) -> None:
    once = decide(steps, value, current).after
    assert not decide(steps, value, once).changed


@given(usable_steps(), LEVELS, LEVELS, st.integers(min_value=0, max_value=5))
def test_higher_water_never_means_a_lower_rank(
    steps: list[Step], one: float, other: float, current: int
) -> None:
    low, high = sorted([one, other])
    assert decide(steps, low, current).after <= decide(steps, high, current).after


@given(usable_steps(), LEVELS, st.integers(min_value=0, max_value=5))
def test_every_step_at_or_below_the_water_is_reached(
    steps: list[Step], value: float, current: int
) -> None:
    reached = sum(step.level <= value for step in steps)
    assert decide(steps, value, current).after >= reached


@given(usable_steps(), LEVELS, st.integers(min_value=0, max_value=5))
def test_no_step_holds_below_its_release(steps: list[Step], value: float, current: int) -> None:
    after = decide(steps, value, current).after
    assert after == 0 or value >= release(steps[after - 1])


@given(usable_steps(), st.lists(LEVELS, max_size=60))
def test_turns_lead_from_normal_to_where_the_last_level_ends(
    steps: list[Step], values: list[float]
) -> None:
    rank = 0
    for value in values:
        rank = decide(steps, value, rank).after
    found = turns(steps, values, 0)
    assert (found[-1].after if found else 0) == rank
    assert all(one.after == two.before for one, two in pairwise(found))


@given(usable_steps(), st.lists(LEVELS, max_size=60))
def test_turns_alternate_between_rising_and_falling(steps: list[Step], values: list[float]) -> None:
    rises = [turn.after > turn.before for turn in turns(steps, values, 0)]
    assert all(one != two for one, two in pairwise(rises))


def test_a_rise_over_two_steps_in_one_batch_is_one_turn() -> None:
    assert turns(TWO, [80, 95, 130], 0) == [Decision(0, 2, index=2)]


def test_a_peak_that_came_and_went_is_told_both_ways() -> None:
    assert turns(TWO, [95, 80], 0) == [Decision(0, 1, 0), Decision(1, 0, 1)]


def test_without_steps_nothing_is_ever_reached() -> None:
    assert turns([], [1000.0], 0) == []


@pytest.mark.parametrize(
    ("steps", "kinds"),
    [
        (TWO, []),
        ([Step(90, 5), Step(90, 5)], ["equal"]),
        ([Step(90, 0)], ["hysteresis"]),
        ([Step(90, -1)], ["hysteresis"]),
        ([Step(90, 5), Step(95, 20)], ["overlap"]),
        ([Step(120, 5), Step(90, 5)], []),
    ],
)
def test_mistakes_in_steps_are_named(steps: list[Step], kinds: list[str]) -> None:
    assert [kind for _step, kind in mistakes(steps)] == kinds


@cache
def dead_run() -> list[float]:
    """Dead Run at Franklintown, June 2018, every 5 minutes (recorded/SOURCES.md)."""
    packed = (Path(__file__).parent / "recorded" / "dead-run-2018-06.csv.gz").read_bytes()
    rows = csv.DictReader(gzip.decompress(packed).decode().splitlines())
    return [float(row["level_cm"]) for row in rows]


@pytest.mark.parametrize(
    ("level", "hysteresis", "alarms"),
    [(40, 1e-9, 8), (40, 5, 7), (40, 10, 7), (70, 5, 4), (70, 10, 4), (100, 5, 3), (100, 10, 3)],
)
def test_a_recorded_month_raises_the_known_number_of_alarms(
    level: float, hysteresis: float, alarms: int
) -> None:
    rank, raised = 0, 0
    for value in dead_run():
        decision = decide([Step(level, hysteresis)], value, rank)
        raised += decision.after > rank
        rank = decision.after
    assert raised == alarms
