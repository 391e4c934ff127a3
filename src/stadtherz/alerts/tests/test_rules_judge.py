"""Which step holds: hysteresis, waiting, steep rises, calm, flapping, seasons."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.alerts.rules import measures
from stadtherz.alerts.rules.judge import FLAP_CALM, Figure, Standing, course, judge, look_at, ticks
from stadtherz.alerts.rules.limits import Judging, Limit, Season, next_edge, rank_at
from stadtherz.alerts.tests.rule_cast import Curve, dead_run, isar
from stadtherz.base.time import HOUR, MINUTE, Micros, to_us

FLOOD = (Limit(90, 85), Limit(120, 115))


def played(
    rule: Judging, curve: Curve, *, until: Micros | None = None, steep: Sequence[bool] | None = None
) -> list[tuple[Micros, int, int]]:
    """Times and ranks of every change."""
    figures = [
        Figure(at, value, at, steep=bool(steep[place]) if steep is not None else False)
        for place, (at, value) in enumerate(curve)
    ]
    found, standing, last = [], Standing(), None
    for last, standing, verdict in course(rule, Standing(), None, figures):  # noqa: B007
        if verdict is not None:
            found.append((verdict.at, verdict.before, verdict.after))
    if until is not None:
        for _figure, _standing, verdict in ticks(rule, standing, last, until):
            if verdict is not None:
                found.append((verdict.at, verdict.before, verdict.after))
    return found


def minutes(*values: float, apart: int = 1) -> Curve:
    return [(place * apart * MINUTE, value) for place, value in enumerate(values)]


def warned(rule: Judging, curve: Curve) -> int:
    return sum(before == 0 for _at, before, _after in played(rule, curve))


# --- real floods: the counts are those of a computation of their own on the same samples ----------


@pytest.mark.parametrize(
    ("threshold", "hysteresis", "samples", "expected"),
    [
        (140, 0, 1, 33),
        (140, 5, 1, 10),
        (140, 10, 1, 9),
        (140, 5, 2, 9),
        (180, 0, 1, 4),
        (180, 5, 1, 2),
        (180, 10, 1, 1),
        (180, 5, 2, 2),
        (240, 0, 1, 1),
    ],
)
def test_the_isar_warns_as_often_as_it_rose(
    threshold: float, hysteresis: float, samples: int, expected: int
) -> None:
    rule = Judging((Limit(threshold, threshold - hysteresis),), samples=samples)
    assert warned(rule, isar()) == expected


@pytest.mark.parametrize(
    ("threshold", "hysteresis", "expected"),
    [(40, 0, 8), (40, 5, 7), (40, 10, 7), (70, 0, 4), (100, 0, 3)],
)
def test_a_flashy_creek_warns_as_often_as_it_rose(
    threshold: float, hysteresis: float, expected: int
) -> None:
    assert warned(Judging((Limit(threshold, threshold - hysteresis),)), dead_run()) == expected


def test_a_steep_rise_waits_for_no_second_reading() -> None:
    """The creek rose 54 cm in 15 minutes: a second sample would eat the lead time."""
    curve = dead_run()
    waits = Judging((Limit(70, 65),), samples=3)
    times = measures.np.array([at for at, _value in curve])
    values = measures.np.array([value for _at, value in curve])
    first_slow = played(waits, curve)[0][0]
    first_fast = played(waits, curve, steep=list(measures.steep(times, values, 20.0)))[0][0]
    assert first_slow - first_fast == 10 * MINUTE


# --- waiting -------------------------------------------------------------------------------------


def test_samples_in_a_row_are_needed() -> None:
    rule = Judging(FLOOD, samples=2)
    assert played(rule, minutes(95, 80, 95, 80)) == []
    assert played(rule, minutes(95, 96)) == [(MINUTE, 0, 1)]


def test_two_steps_above_waits_for_nobody() -> None:
    assert played(Judging(FLOOD, samples=5, hold=HOUR), minutes(130)) == [(0, 0, 2)]


def test_a_limit_must_be_exceeded_for_a_while_and_the_clock_knows_when_it_is_over() -> None:
    rule = Judging(FLOOD, hold=10 * MINUTE)
    assert played(rule, minutes(95, 96, 80)) == []
    assert played(rule, minutes(95), until=9 * MINUTE) == []
    assert played(rule, minutes(95), until=HOUR) == [(10 * MINUTE, 0, 1)]


def test_what_the_clock_would_have_found_between_two_readings_is_found_when_they_come_together() -> (
    None
):
    rule = Judging(FLOOD, hold=10 * MINUTE)
    assert played(rule, [(0, 95), (30 * MINUTE, 20)]) == [(10 * MINUTE, 0, 1), (30 * MINUTE, 1, 0)]


def test_the_all_clear_waits_for_calm() -> None:
    rule = Judging(FLOOD, calm=30 * MINUTE)
    assert played(rule, minutes(95, 80, 95, 80), until=20 * MINUTE) == [(0, 0, 1)]
    assert played(rule, minutes(95, 80), until=HOUR) == [(0, 0, 1), (31 * MINUTE, 1, 0)]


def test_a_figure_that_goes_to_and_fro_is_damped() -> None:
    rule = Judging((Limit(90, 90),))
    flapping = minutes(*[95, 80] * 10)
    changes = played(rule, flapping, until=3 * HOUR)
    assert [after for _at, _before, after in changes] == [1, 0, 1, 0, 1, 0, 1, 0]
    assert changes[-1][0] == flapping[-1][0] + FLAP_CALM


def test_below_a_limit_counts_where_that_is_wanted() -> None:
    frost = Judging((Limit(-2, -3), Limit(5, 4)), sign=-1)  # 2 °C and -5 °C
    assert played(frost, minutes(4, 2, -5, -3, 2.5, 3.5)) == [
        (1 * MINUTE, 0, 1),
        (2 * MINUTE, 1, 2),
        (3 * MINUTE, 2, 1),
        (5 * MINUTE, 1, 0),
    ]


def test_a_reading_too_old_to_warn_raises_nothing_and_may_still_clear() -> None:
    rule = Judging(FLOOD)
    _standing, verdict = judge(rule, Standing(), Figure(0, 95, 0, warns=False))
    assert verdict is None
    _standing, verdict = judge(rule, Standing(rank=1, wanted=1), Figure(0, 20, 0, warns=False))
    assert verdict is not None


def test_silence_is_told_after_its_minutes_and_over_with_the_next_reading() -> None:
    rule = Judging((Limit(30, 30), Limit(120, 120)), growing=True)
    assert played(rule, [(0, 0), (200 * MINUTE, 0)], until=200 * MINUTE) == [
        (30 * MINUTE, 0, 1),
        (120 * MINUTE, 1, 2),
        (200 * MINUTE, 2, 0),
    ]


# --- seasons -------------------------------------------------------------------------------------

NIGHT = Season(start=22 * 60, end=6 * 60)


def berlin(text: str) -> Micros:
    return to_us(datetime.fromisoformat(text).astimezone(UTC))


def test_a_limit_of_the_night_holds_at_night() -> None:
    rule = Judging((Limit(45, 45, NIGHT),))
    noon, night = berlin("2026-07-01T12:00+02:00"), berlin("2026-07-01T23:00+02:00")
    assert (rank_at(rule, 50, 0, noon), rank_at(rule, 50, 0, night)) == (0, 1)


def test_a_loud_evening_warns_when_the_night_begins_and_is_over_in_the_morning() -> None:
    rule = Judging((Limit(45, 45, NIGHT),))
    evening = berlin("2026-07-01T20:00+02:00")
    assert played(rule, [(evening, 50)], until=evening + 24 * HOUR) == [
        (berlin("2026-07-01T22:00+02:00"), 0, 1),
        (berlin("2026-07-02T06:00+02:00"), 1, 0),
    ]


@pytest.mark.parametrize(
    ("season", "moment", "edge"),
    [
        (NIGHT, "2026-07-01T12:00+02:00", "2026-07-01T22:00+02:00"),
        (NIGHT, "2026-07-01T23:00+02:00", "2026-07-02T06:00+02:00"),
        (NIGHT, "2026-03-29T01:00+01:00", "2026-03-29T06:00+02:00"),  # the clocks go forward
        (NIGHT, "2026-10-24T23:00+02:00", "2026-10-25T06:00+01:00"),  # and back
        (Season(months=frozenset({7})), "2026-06-30T12:00+02:00", "2026-07-01T00:00+02:00"),
        (Season(weekdays=frozenset({1})), "2026-06-28T12:00+02:00", "2026-06-29T00:00+02:00"),
    ],
)
def test_the_next_edge_of_a_season(season: Season, moment: str, edge: str) -> None:
    assert next_edge(Judging((Limit(1, 1, season),)), berlin(moment)) == berlin(edge)


# --- properties ----------------------------------------------------------------------------------

_rules = st.builds(
    lambda levels, gap, samples, hold, calm: Judging(
        tuple(Limit(level, level - gap) for level in sorted(levels)),
        samples=samples,
        hold=hold * MINUTE,
        calm=calm * MINUTE,
    ),
    levels=st.sets(st.integers(10, 90), min_size=1, max_size=3),
    gap=st.integers(0, 5),
    samples=st.integers(1, 3),
    hold=st.sampled_from([0, 3, 10]),
    calm=st.sampled_from([0, 5]),
)
_curves = st.lists(st.tuples(st.integers(1, 20), st.integers(0, 100)), max_size=40)


def _curve(steps: Any) -> Curve:
    at, found = 0, []
    for gap, value in steps:
        at += gap * MINUTE
        found.append((at, float(value)))
    return found


@given(_rules, _curves)
def test_changes_follow_one_another_without_a_gap(rule: Judging, steps: Any) -> None:
    changes = played(rule, _curve(steps))
    ranks = [0, *(after for _at, _before, after in changes)]
    assert [before for _at, before, _after in changes] == ranks[:-1]
    assert all(before != after for _at, before, after in changes)
    times = [at for at, _before, _after in changes]
    assert times == sorted(times)


@given(_rules, _curves)
def test_a_warning_is_never_for_less_than_what_was_measured(rule: Judging, steps: Any) -> None:
    curve = _curve(steps)
    for at, before, after in played(rule, curve):
        if after > before:
            highest = max(value for moment, value in curve if moment <= at)
            assert highest >= rule.limits[after - 1].level


@given(_rules, _curves, st.integers(0, 40))
def test_it_does_not_matter_how_readings_are_cut_into_pieces(
    rule: Judging, steps: Any, cut: int
) -> None:
    curve = _curve(steps)
    figures = [Figure(at, value, at) for at, value in curve]
    whole = list(course(rule, Standing(), None, figures))
    first = list(course(rule, Standing(), None, figures[:cut]))
    last, standing, _verdict = first[-1] if first else (None, Standing(), None)
    assert first + list(course(rule, standing, last, figures[cut:])) == whole


@given(_rules, _curves, st.lists(st.integers(0, 500), max_size=20))
def test_it_does_not_matter_when_the_clock_is_looked_at(
    rule: Judging, steps: Any, looks: list[int]
) -> None:
    figures = [Figure(at, value, at) for at, value in _curve(steps)]
    plain = [verdict for _figure, _standing, verdict in course(rule, Standing(), None, figures)]
    moments: list[tuple[Micros, Figure | None]] = [(look * MINUTE - 1, None) for look in looks]
    moments += [(figure.at, figure) for figure in figures]
    found, standing, last = [], Standing(), None
    for at, figure in sorted(moments, key=lambda moment: moment[0]):
        if figure is not None:
            came = list(course(rule, standing, last, [figure]))
        elif at < figures[-1].at if figures else False:
            came = list(ticks(rule, standing, last, at))
        else:
            came = []
        if came:
            last, standing, _verdict = came[-1]
        found += [verdict for _figure, _standing, verdict in came]
    assert [v for v in found if v] == [v for v in plain if v]


@given(_rules, _curves)
def test_time_changes_only_when_it_was_said_to(rule: Judging, steps: Any) -> None:
    standing, last = Standing(), None
    for last, standing, _verdict in course(  # noqa: B007
        rule, Standing(), None, [Figure(at, value, at) for at, value in _curve(steps)]
    ):
        pass
    if last is not None and (moment := look_at(rule, standing, last)) is not None:
        early = Figure(moment - 1, last.value, last.read_at, fresh=False)
        assert judge(rule, standing, early)[1] is None
