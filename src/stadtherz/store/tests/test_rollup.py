"""A roll-up's hours are exactly those of its readings, in a few bytes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.time import DAY, EARLIEST, HOUR, LATEST, MINUTE, to_us
from stadtherz.store.sealed import rollup as form
from stadtherz.store.sealed.buckets import Float64, bucket, bucket_each
from stadtherz.store.sealed.codec import Corrupt
from stadtherz.store.sealed.rollup import (
    Hours,
    from_hours,
    from_hours_each,
    hours_of,
    joined,
    rollup,
    rollup_always,
    servable,
    unroll,
    unroll_each,
)
from stadtherz.store.values import Bucketing, Buckets, Int64

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YEAR = to_us(datetime(2026, 1, 1, tzinfo=UTC))
EXACT = ("start", "count", "minimum", "maximum", "first", "last")

decimals = st.integers(-(10**7), 10**7).flatmap(
    lambda steps: st.sampled_from([steps / 10, steps / 1000, steps * 0.1, float(steps)])
)
numbers = st.one_of(decimals, st.floats(allow_nan=False), st.just(-0.0))
series = st.lists(st.tuples(st.integers(EARLIEST, LATEST), numbers), max_size=30) | st.lists(
    st.tuples(st.integers(0, 5 * HOUR), decimals), max_size=60
)


def columns(rows: list[tuple[int, float]]) -> tuple[Int64, Float64]:
    rows = sorted(rows, key=lambda row: row[0])
    return (
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.float64),
    )


def minutes(number: int, *, seed: int = 1, start: int = NEW_YEAR) -> tuple[Int64, Float64]:
    """A temperature every minute, in tenths of a degree."""
    walk = np.random.default_rng(seed).normal(0, 0.05, number).cumsum() + 15
    return start + np.arange(number) * MINUTE, np.round(walk, 1)


def assert_same(some: Hours | Buckets, others: Hours | Buckets) -> None:
    for name in EXACT:
        assert np.array_equal(getattr(some, name), getattr(others, name)), name
    size = np.maximum(np.abs(others.minimum), np.abs(others.maximum)) * others.count
    with np.errstate(invalid="ignore"):
        apart = np.abs(some.total - others.total)
    assert np.all((apart <= 1e-11 * size) | (some.total == others.total) | ~np.isfinite(size))


@pytest.mark.filterwarnings("ignore:overflow")
@given(series)
def test_hours_come_back_from_their_bytes(rows: list[tuple[int, float]]) -> None:
    starts, results = columns(rows)
    with np.errstate(invalid="ignore", over="ignore"):
        assert_same(unroll(rollup_always(starts, results)), hours_of(starts, results))


def test_an_hour_holds_what_its_readings_say() -> None:
    hours = hours_of(np.array([0, 1, HOUR - 1, 5 * HOUR]), np.array([2.0, 1, 4, 7]))
    assert list(hours.start) == [0, 5 * HOUR]
    assert list(hours.count) == [3, 1]
    assert list(hours.minimum) == [1, 7]
    assert list(hours.maximum) == [4, 7]
    assert list(hours.first) == [2, 7]
    assert list(hours.last) == [4, 7]
    assert list(hours.total) == [7, 7]


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (lambda walk: np.round(walk, 1), form.QUOTIENTS),
        (lambda walk: np.round(walk * 10) * 0.1, form.PRODUCTS),
        (lambda walk: walk, form.DOUBLES),
        (lambda walk: walk * np.inf, form.DOUBLES),
        (lambda walk: np.round(walk) * 1e300, form.DOUBLES),
    ],
)
def test_the_form_follows_the_numbers(results: object, expected: int) -> None:
    starts, walk = minutes(600)
    walk = walk + np.random.default_rng(2).normal(0, 1e-6, 600)
    assert rollup_always(starts, results(walk))[0] == expected  # type: ignore[operator]


def test_a_roll_up_of_minutes_costs_a_fraction_of_a_byte_per_reading() -> None:
    starts, results = minutes(2_048)
    data = rollup(starts, results)
    assert data is not None
    assert len(data) < 0.25 * 2_048


@pytest.mark.parametrize(("per_hour", "worth"), [(8, True), (7, False), (1, False)])
def test_only_hours_that_hold_several_readings_are_worth_a_roll_up(
    per_hour: int, worth: bool
) -> None:
    starts = np.arange(100 * per_hour) * (HOUR // per_hour)
    assert (rollup(starts, np.zeros(len(starts))) is not None) is worth


def test_no_readings_have_no_roll_up_and_no_hours() -> None:
    nothing = np.empty(0, np.int64), np.empty(0)
    assert rollup(*nothing) is None
    assert len(unroll(rollup_always(*nothing))) == 0
    assert len(joined([])) == 0
    assert len(from_hours(joined([]), Bucketing.DAY, BERLIN)) == 0
    assert from_hours_each(np.empty(0, np.int64), joined([]), Bucketing.DAY, BERLIN) == {}


@given(st.lists(series, max_size=6))
@pytest.mark.filterwarnings("ignore:overflow")
def test_many_roll_ups_are_read_at_once(parts: list[list[tuple[int, float]]]) -> None:
    with np.errstate(invalid="ignore", over="ignore"):
        datas = [rollup_always(*columns(rows)) for rows in parts]
    found, counts = unroll_each(datas)
    ends = np.cumsum(counts)
    assert len(found) == (ends[-1] if len(ends) else 0)
    for data, end, count in zip(datas, ends, counts, strict=True):
        alone, mine = unroll(data), found[slice(end - count, end)]
        assert all(np.array_equal(mine[name], alone[name]) for name in (*EXACT, "total"))


@given(st.lists(st.tuples(st.integers(0, 5 * HOUR), decimals), max_size=60), st.integers(0, 60))
def test_hours_shared_by_two_chunks_become_one(rows: list[tuple[int, float]], cut: int) -> None:
    starts, results = columns(rows)
    halves = [hours_of(starts[:cut], results[:cut]), hours_of(starts[cut:], results[cut:])]
    found = from_hours(joined(halves), Bucketing.HOUR, BERLIN)
    whole = from_hours(hours_of(starts, results), Bucketing.HOUR, BERLIN)
    for name in ("start", "count", "minimum", "maximum", "first", "last"):
        assert np.array_equal(getattr(found, name), getattr(whole, name))
    assert found.total == pytest.approx(whole.total)


COARSE = [Bucketing.HOUR, Bucketing.DAY, Bucketing.WEEK, Bucketing.MONTH, Bucketing.YEAR]


@given(st.integers(-400, 400), st.integers(1, 4_000), st.sampled_from(COARSE))
def test_buckets_of_hours_are_those_of_the_readings(
    days: int, number: int, width: Bucketing
) -> None:
    starts, results = minutes(number, start=NEW_YEAR + days * DAY)
    starts = starts + np.arange(number) * 20 * MINUTE
    cuts = [slice(at, at + 512) for at in range(0, number, 512)]
    hours, _ = unroll_each([rollup_always(starts[cut], results[cut]) for cut in cuts])
    found = from_hours(hours, width, BERLIN)
    expected = bucket(starts, results, width, BERLIN)
    assert_same(found, expected)
    assert found.mean == pytest.approx(expected.mean)


def test_many_datastreams_hours_become_the_buckets_of_each() -> None:
    parts = [minutes(300 + 200 * stream, seed=stream) for stream in range(3)]
    groups = np.repeat([7, 8, 9], [len(starts) for starts, _ in parts])
    starts, results = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    hours, counts = unroll_each([rollup_always(*part) for part in parts])
    found = from_hours_each(np.repeat([7, 8, 9], counts), hours, Bucketing.DAY, BERLIN)
    expected = bucket_each(groups, starts, results, Bucketing.DAY, BERLIN)
    assert list(found) == [7, 8, 9]
    for stream, buckets in found.items():
        assert_same(buckets, expected[stream])


@pytest.mark.parametrize(
    ("width", "zone", "served"),
    [
        (Bucketing.HOUR, "Europe/Berlin", True),
        (Bucketing.YEAR, "UTC", True),
        (Bucketing.QUARTER, "Europe/Berlin", False),
        (Bucketing.MINUTE, "UTC", False),
        (Bucketing.HOUR, "Asia/Kolkata", False),
        (Bucketing.DAY, "Australia/Lord_Howe", False),
    ],
)
def test_hours_serve_where_local_hours_are_those_of_utc(
    width: Bucketing, zone: str, served: bool
) -> None:
    assert servable(width, ZoneInfo(zone), NEW_YEAR, NEW_YEAR + 365 * DAY) is served


@given(st.data())
def test_what_is_no_roll_up_is_refused(draw: st.DataObject) -> None:
    whole = rollup_always(*minutes(200))
    cut = draw.draw(st.integers(0, len(whole) - 1))
    for data in (whole[:cut], b"\x09" + whole[1:], whole[:2] + b"\x03" + whole[3:], whole + b"x"):
        with pytest.raises(Corrupt):
            unroll(data)


def test_damaged_doubles_are_refused() -> None:
    starts, results = minutes(200)
    whole = rollup_always(starts, results * np.pi)
    for data in (whole[:30], whole[:4] + b"\x01" + whole[5:], whole[:20] + whole[24:]):
        with pytest.raises(Corrupt):
            unroll(data)
