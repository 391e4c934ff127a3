"""The rules of devices' health: the same in whatever order uplinks come, and silent where they know nothing."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stadtherz.base.time import DAY, HOUR, MINUTE, SECOND
from stadtherz.ingest.health.battery import PERCENT, VOLTS, forecast
from stadtherz.ingest.health.conditions import Condition, Facts, conditions
from stadtherz.ingest.health.counters import MOST_A_DAY, Day, Heard, Tally, share, tally, total
from stadtherz.ingest.health.intervals import (
    REMEMBERED,
    pack,
    remember,
    remember_all,
    silent_after,
    unpack,
    usual,
)

# --- frame counters ------------------------------------------------------------------------------


@st.composite
def uplinks(draw: st.DrawFn) -> list[Heard]:
    """What a network hears of a device in a day: sessions, gaps, repetitions, some in disorder."""
    second, heard = 0, []
    for _ in range(draw(st.integers(1, 3))):
        counter = draw(st.integers(0, 50))
        for step in draw(st.lists(st.integers(0, 30), max_size=25)):
            second += draw(st.integers(1, 900))
            heard.append((second + draw(st.integers(-40, 40)) * (step % 2), counter + step))
            counter += step
    return [(max(at, 0), counter) for at, counter in heard]


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(uplinks(), st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_figures(
    heard: list[Heard], chance: random.Random
) -> None:
    came = [*heard, *heard[::3]]
    chance.shuffle(came)
    day = Day()
    for second, counter in came:
        day.add(second, counter)
    assert day.tally == tally(heard)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(uplinks(), st.lists(st.integers(1, 40)), st.booleans())
def test_uplinks_that_come_together_count_as_if_one_came_after_the_other(
    heard: list[Heard], sizes: list[int], in_order: bool
) -> None:
    came = sorted(heard) if in_order else [*heard, *heard[::3]]
    alone, together = Day(), Day()
    news = [alone.add(*each) for each in came]
    found: list[bool] = []
    for size in [*sizes, len(came)]:
        found += together.add_all(came[:size])
        came = came[size:]
    assert found == news
    assert (together.heard, together.tally) == (alone.heard, alone.tally)


def test_beyond_what_is_looked_at_of_a_day_nothing_is_counted_together_either() -> None:
    pairs = [(number, number) for number in range(MOST_A_DAY + 10)]
    alone, together = Day(), Day()
    news = [alone.add(*each) for each in pairs]
    half = MOST_A_DAY // 2
    assert [*together.add_all(pairs[:half]), *together.add_all(pairs[half:])] == news
    assert (together.heard, together.tally) == (alone.heard, alone.tally)


@given(st.integers(0, 10**6), st.integers(2, 200), st.data())
def test_in_one_session_lost_is_what_is_missing_between_the_first_and_the_last(
    first: int, sent: int, data: st.DataObject
) -> None:
    middle = range(first + 1, first + sent - 1)
    missing = data.draw(st.sets(st.sampled_from(middle) if middle else st.nothing()))
    heard = [(60 * n, c) for n, c in enumerate(range(first, first + sent)) if c not in missing]
    assert tally(heard) == Tally(sent - len(missing), len(missing), 0, first, first + sent - 1)


def test_a_late_uplink_fills_its_gap_and_a_repeated_one_counts_once() -> None:
    day = Day()
    for second, counter in ((0, 7), (60, 8), (180, 10)):
        assert day.add(second, counter)
    assert day.tally.lost == 1
    assert not day.add(185, 10)
    assert day.add(120, 9)
    assert (day.tally.received, day.tally.lost) == (4, 0)


def test_a_counter_that_starts_again_loses_nothing() -> None:
    assert tally([(0, 500), (900, 501), (1800, 0), (2700, 1)]) == Tally(4, 0, 1, 500, 1)


def test_a_leap_beyond_what_lorawan_allows_is_another_session() -> None:
    assert tally([(0, 1), (60, 100_000)]) == Tally(2, 0, 1, 1, 100_000)


def test_what_was_lost_around_midnight_counts_and_a_new_session_does_not() -> None:
    before, after = Tally(3, 0, 0, 10, 12), Tally(4, 1, 0, 15, 19)
    assert total([before, Tally(), after]) == Tally(7, 3, 0, 10, 19)
    assert total([before, Tally(4, 0, 0, 0, 3)]).resets == 0  # as far as it may be disorder
    assert total([Tally(1, 0, 0, 900, 900), Tally(4, 0, 0, 0, 3)]) == Tally(5, 0, 1, 900, 3)


def test_nothing_heard_is_no_loss() -> None:
    assert tally([]) == total([]) == Tally()
    assert share(0, 0) is None
    assert share(9, 1) == pytest.approx(10)


# --- intervals -----------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 10**15), unique=True, max_size=60))
def test_the_newest_times_are_remembered_in_any_order(times: list[int]) -> None:
    kept: tuple[int, ...] = ()
    for time in times:
        kept = remember(kept, time)
        assert remember(kept, time) == kept
    assert kept == tuple(sorted(times)[-REMEMBERED:])
    assert unpack(pack(kept)) == kept


@given(st.lists(st.integers(0, 200), max_size=60), st.integers(0, 60), st.booleans())
def test_times_that_come_together_are_remembered_as_if_one_came_after_the_other(
    times: list[int], size: int, in_order: bool
) -> None:
    times = sorted(times) if in_order else times
    kept: tuple[int, ...] = ()
    news = []
    for time in times:
        before, kept = kept, remember(kept, time)
        news.append(kept != before)
    first, found = remember_all((), times[:size])
    last, more = remember_all(first, times[size:])
    assert (last, [*found, *more]) == (kept, news)


def test_the_usual_interval_does_not_heed_a_pause_and_is_not_known_too_soon() -> None:
    times = [0, 15, 30, 300, 315, 330]
    assert usual([minute * MINUTE for minute in times]) == 15 * MINUTE
    assert usual([0, MINUTE, 2 * MINUTE]) is None


def test_a_very_busy_device_is_not_silent_after_seconds() -> None:
    assert silent_after(SECOND) == 10 * MINUTE
    assert silent_after(HOUR) == 3 * HOUR


# --- batteries -----------------------------------------------------------------------------------


def falling(days: int, a_day: float, start: float = 90.0) -> list[tuple[int, float]]:
    return [(day, round(start - a_day * day, 1)) for day in range(days)]


def test_a_falling_battery_is_empty_when_its_line_says_so() -> None:
    found = forecast(falling(60, 0.4), PERCENT)
    assert found is not None
    assert found.days == pytest.approx((90 - 59 * 0.4) / 0.4, rel=0.05)
    assert found.monthly_fall == pytest.approx(12, rel=0.05)


@given(st.integers(0, 2**32))
def test_a_tenth_of_wrong_values_moves_the_forecast_little(seed: int) -> None:
    chance = random.Random(seed)
    values = dict(falling(80, 0.4))
    for day in chance.sample(range(5, 80), 8):
        values[day] = max(values[day] - 40, 0)
    found = forecast(sorted(values.items()), PERCENT)
    if (
        found is not None
    ):  # a drop that ends looks like a new battery: then only what follows counts
        assert found.days == pytest.approx((90 - 79 * 0.4) / 0.4, rel=0.35)


@pytest.mark.parametrize(
    "daily",
    [
        [],
        falling(13, 1.0),
        falling(60, 0.0),
        falling(60, -0.5, start=40),
        [(day, 50.0 + (day * 7919 % 5)) for day in range(60)],
        [*falling(40, 1.0), *((40 + day, 100.0) for day in range(20))],
    ],
    ids=["none", "few", "flat", "rising", "noise", "new-battery"],
)
def test_nothing_is_said_where_nothing_is_known(daily: list[tuple[int, float]]) -> None:
    assert forecast(daily, PERCENT) is None


def test_volts_are_empty_at_what_the_data_sheet_says() -> None:
    daily = [(day, 3.6 - 0.002 * day) for day in range(100)]
    found = forecast(daily, VOLTS, empty=3.0)
    assert found is not None
    assert found.days == pytest.approx((3.402 - 3.0) / 0.002, rel=0.05)


def test_no_forecast_reaches_further_than_five_years() -> None:
    found = forecast(falling(180, 0.02), PERCENT)
    assert found is not None
    assert found.days == 5 * 365


# --- conditions ----------------------------------------------------------------------------------

NOW = 2_000 * DAY


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(), "never_heard"),
        (Facts(active=False), "switched_off"),
        (Facts(last_seen=NOW - 20 * DAY), "fine"),
        (Facts(last_seen=NOW - 20 * MINUTE, interval=15 * MINUTE), "fine"),
        (Facts(last_seen=NOW - 23 * MINUTE, interval=15 * MINUTE), "late"),
        (Facts(last_seen=NOW - 46 * MINUTE, interval=15 * MINUTE), "silent"),
        (Facts(last_seen=NOW, battery=19.0), "battery_low"),
        (Facts(last_seen=NOW, volts=2.9, empty_volts=3.0), "battery_low"),
        (Facts(last_seen=NOW, volts=2.9), "fine"),
        (Facts(last_seen=NOW, battery=40.0, empty_at=NOW + 30 * DAY), "battery_soon"),
        (Facts(last_seen=NOW, rssi=-125.0), "weak_radio"),
        (Facts(last_seen=NOW, rssi=-110.0, snr=-18.0), "weak_radio"),
        (Facts(last_seen=NOW, received=80, lost=20), "many_lost"),
        (Facts(last_seen=NOW, received=8, lost=2), "fine"),
        (Facts(last_seen=NOW, skew=HOUR), "clock_wrong"),
        (Facts(last_seen=NOW, skew=-DAY), "fine"),
        (Facts(last_seen=NOW, skew=-90 * DAY), "clock_wrong"),
    ],
)
def test_a_device_is_called_what_it_is(facts: Facts, expected: str) -> None:
    assert conditions(facts, NOW) == (expected,)


def test_the_worst_comes_first() -> None:
    facts = Facts(last_seen=NOW - DAY, interval=HOUR, battery=5.0, rssi=-130.0)
    assert conditions(facts, NOW) == (
        Condition.SILENT,
        Condition.BATTERY_LOW,
        Condition.WEAK_RADIO,
    )
