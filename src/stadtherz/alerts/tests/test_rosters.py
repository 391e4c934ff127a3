"""Turns of duty follow the local clock, shifts go before them, and somebody is always on duty."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from stadtherz.alerts.people.quiet import peace_until
from stadtherz.alerts.people.rosters import Plan, Shift, duties, on_duty
from stadtherz.base.time import DAY, HOUR, from_us, to_us

BERLIN = ZoneInfo("Europe/Berlin")

moments = st.datetimes(datetime(2023, 6, 1), datetime(2028, 6, 1)).map(
    lambda moment: to_us(moment.replace(tzinfo=UTC))
)
hours = st.times().map(lambda each: each.replace(second=0, microsecond=0))
shifts = st.builds(
    lambda person, since, length: Shift(person, since, since + length),
    st.integers(90, 95),
    moments,
    st.integers(HOUR, 20 * DAY),
)
plans = st.builds(
    Plan,
    members=st.lists(st.integers(1, 9), min_size=1, max_size=5).map(tuple),
    turn_days=st.integers(1, 30),
    hand_over=hours,
    zone=st.just(BERLIN),
    first_day=st.dates(date(2024, 1, 1), date(2026, 1, 1)),
    shifts=st.lists(shifts, max_size=4).map(tuple),
)


def local(*parts: int) -> int:
    return to_us(datetime(*parts, tzinfo=BERLIN))  # type: ignore[misc, arg-type]


def weekly(**more: object) -> Plan:
    given: dict[str, object] = {"first_day": date(2026, 3, 2), "shifts": (), **more}
    return Plan(members=(1, 2), turn_days=7, hand_over=time(8), zone=BERLIN, **given)  # type: ignore[arg-type]


def test_the_turn_changes_at_the_hour_of_the_hand_over() -> None:
    assert on_duty(weekly(), local(2026, 3, 9, 7, 59)) == 1
    assert on_duty(weekly(), local(2026, 3, 9, 8, 0)) == 2


def test_the_hour_stays_the_same_when_summer_time_begins() -> None:
    assert on_duty(weekly(), local(2026, 3, 30, 7, 59)) == 2
    assert on_duty(weekly(), local(2026, 3, 30, 8, 0)) == 1


def test_before_the_first_day_nobody_is_on_duty() -> None:
    assert on_duty(weekly(), local(2026, 3, 2, 7, 0)) is None


def test_a_swapped_shift_goes_before_the_turns_and_the_last_entered_counts() -> None:
    swap = Shift(9, local(2026, 3, 4, 8), local(2026, 3, 5, 8))
    again = Shift(8, local(2026, 3, 4, 20), local(2026, 3, 5, 8))
    plan = weekly(shifts=(swap, again))
    assert [on_duty(plan, local(2026, 3, day, 21)) for day in (3, 4, 5)] == [1, 8, 1]
    assert on_duty(plan, local(2026, 3, 4, 12)) == 9


@given(plans, moments, st.integers(HOUR, 120 * DAY))
def test_the_calendar_covers_all_time_and_says_what_holds(
    plan: Plan, start: int, length: int
) -> None:
    found = duties(plan, start, start + length)
    assert (found[0].since, found[-1].until) == (start, start + length)
    assert all(a.until == b.since for a, b in itertools.pairwise(found))
    for each in found:
        middle = (each.since + each.until) // 2
        for moment in (each.since, middle, each.until - 1):
            assert on_duty(plan, moment) == each.person


@given(plans, moments)
def test_turns_are_as_long_as_said_by_the_local_calendar(plan: Plan, start: int) -> None:
    turns = duties(
        Plan((*plan.members[:1], 99), plan.turn_days, plan.hand_over, BERLIN, plan.first_day),
        start,
        start + 200 * DAY,
    )
    whole = [each for each in turns[1:-1] if each.person is not None]
    for each in whole:
        first, last = (from_us(us).astimezone(BERLIN) for us in (each.since, each.until))
        assert last.date() - first.date() == timedelta(days=plan.turn_days)


@given(st.none() | hours, st.none() | hours, moments)
def test_quiet_hours_end_after_now_and_within_a_day(
    begins: time | None, ends: time | None, moment: int
) -> None:
    until = peace_until(begins, ends, BERLIN, moment)
    if until is None:
        return
    assert begins is not None
    assert ends is not None
    assert moment < until <= moment + 26 * HOUR
    after = from_us(until).astimezone(BERLIN)
    assert after.time() >= ends  # in the hour that never comes, the clock shows a later one


def test_the_night_is_quiet_until_morning() -> None:
    night = (time(22), time(6), BERLIN)
    assert peace_until(*night, local(2026, 3, 28, 23)) == local(2026, 3, 29, 6)
    assert peace_until(*night, local(2026, 3, 29, 5)) == local(2026, 3, 29, 6)
    assert peace_until(*night, local(2026, 3, 29, 6)) is None
    assert peace_until(*night, local(2026, 3, 29, 21, 59)) is None
