"""Calendar buckets follow the clocks on the wall, through both changes of the year."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.errors import Invalid
from stadtherz.base.time import (
    DAY,
    EARLIEST,
    HOUR,
    LATEST,
    MINUTE,
    from_us,
    iso,
    parse_instant,
    to_us,
)
from stadtherz.store.public import Bucketing, append, buckets
from stadtherz.store.sealed.buckets import bucket, bucket_each, bucket_starts, whole_hours
from stadtherz.store.tests.factories import reading, stream

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["Europe/Berlin", "UTC", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe"]


def starts(width: Bucketing, *times: str, zone: ZoneInfo = BERLIN) -> list[str]:
    micros = np.array([parse_instant(t) for t in times], dtype=np.int64)
    return [iso(int(start)) for start in bucket_starts(micros, width, zone)]


@pytest.mark.parametrize(
    ("width", "time", "start"),
    [
        (Bucketing.MINUTE, "2026-07-01T10:31:59Z", "2026-07-01T10:31:00Z"),
        (Bucketing.QUARTER, "2026-07-01T10:31:59Z", "2026-07-01T10:30:00Z"),
        (Bucketing.HOUR, "2026-07-01T10:31:59Z", "2026-07-01T10:00:00Z"),
        (Bucketing.DAY, "2026-07-01T22:30:00Z", "2026-07-01T22:00:00Z"),
        (Bucketing.DAY, "2026-01-01T22:30:00Z", "2025-12-31T23:00:00Z"),
        (Bucketing.WEEK, "2026-11-26T12:00:00Z", "2026-11-22T23:00:00Z"),
        (Bucketing.MONTH, "2026-03-31T21:59:59Z", "2026-02-28T23:00:00Z"),
        (Bucketing.YEAR, "2026-12-31T22:59:59Z", "2025-12-31T23:00:00Z"),
    ],
)
def test_a_bucket_starts_when_the_local_calendar_says(
    width: Bucketing, time: str, start: str
) -> None:
    assert starts(width, time) == [start]


def test_the_day_of_the_change_to_summer_has_23_hours() -> None:
    assert starts(Bucketing.DAY, "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z") == [
        "2026-03-28T23:00:00Z",
        "2026-03-29T22:00:00Z",
    ]


def test_the_hour_that_comes_twice_is_two_buckets() -> None:
    assert starts(Bucketing.HOUR, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z") == [
        "2026-10-25T00:00:00Z",
        "2026-10-25T01:00:00Z",
    ]


def test_hours_of_a_zone_with_odd_minutes_start_there() -> None:
    kathmandu = ZoneInfo("Asia/Kathmandu")
    assert starts(Bucketing.HOUR, "2026-01-01T00:10:00Z", zone=kathmandu) == [
        "2025-12-31T23:15:00Z"
    ]


@given(
    st.integers(to_us(datetime(1990, 1, 1, tzinfo=UTC)), to_us(datetime(2037, 1, 1, tzinfo=UTC))),
    st.sampled_from(ZONES),
)
def test_a_bucket_holds_its_time_and_starts_on_the_local_clock(us: int, name: str) -> None:
    zone = ZoneInfo(name)
    moment = from_us(us).astimezone(zone)
    for width, longest in [
        (Bucketing.MINUTE, MINUTE),
        (Bucketing.HOUR, 2 * HOUR),
        (Bucketing.DAY, 26 * HOUR),
        (Bucketing.WEEK, 8 * DAY),
        (Bucketing.MONTH, 32 * DAY),
        (Bucketing.YEAR, 367 * DAY),
    ]:
        start = int(bucket_starts(np.array([us]), width, zone)[0])
        first = from_us(start).astimezone(zone)
        assert start <= us < start + longest
        assert first.year == moment.year or width is Bucketing.WEEK
        if width is Bucketing.DAY:
            assert first.date() == moment.date()
            assert from_us(start - 1).astimezone(zone).date() < moment.date()


@given(
    st.sampled_from(Bucketing), st.sampled_from([EARLIEST, EARLIEST + DAY, LATEST - DAY, LATEST])
)
def test_the_ends_of_time_are_no_failure(width: Bucketing, us: int) -> None:
    assert len(bucket_starts(np.array([us]), width, BERLIN)) == 1


@given(
    st.lists(st.tuples(st.integers(0, 3 * DAY), st.integers(-50, 50)), max_size=30),
    st.sampled_from(Bucketing),
)
def test_aggregates_are_those_of_each_buckets_numbers(
    rows: list[tuple[int, int]], width: Bucketing
) -> None:
    rows.sort(key=lambda row: row[0])
    times = np.array([row[0] for row in rows], dtype=np.int64)
    found = bucket(times, np.array([float(row[1]) for row in rows]), width, BERLIN)
    groups: dict[int, list[float]] = {}
    for start, (_, number) in zip(bucket_starts(times, width, BERLIN), rows, strict=True):
        groups.setdefault(int(start), []).append(float(number))
    assert list(found.start) == list(groups)
    for i, numbers in enumerate(groups.values()):
        assert found.count[i] == len(numbers)
        assert found.total[i] == sum(numbers)
        assert found.mean[i] == pytest.approx(sum(numbers) / len(numbers))
        assert (found.minimum[i], found.maximum[i]) == (min(numbers), max(numbers))
        assert (found.first[i], found.last[i]) == (numbers[0], numbers[-1])


def offset_at(us: int, zone: ZoneInfo) -> timedelta | None:
    return from_us(us).astimezone(zone).utcoffset()


@given(
    st.integers(to_us(datetime(1850, 1, 1, tzinfo=UTC)), to_us(datetime(2500, 1, 1, tzinfo=UTC))),
    st.sampled_from(sorted(available_timezones())),
)
def test_clocks_are_those_of_the_zone(us: int, name: str) -> None:
    zone = ZoneInfo(name)
    near = np.arange(us - 200 * DAY, us + 200 * DAY, 7 * HOUR + MINUTE)
    expected = [int(offset_at(int(t), zone) / timedelta(microseconds=1)) for t in near]  # type: ignore[operator]
    found = bucket_starts(near, Bucketing.MINUTE, zone)
    assert [(int(t) + ahead) // MINUTE for t, ahead in zip(found, expected, strict=True)] == [
        (int(t) + ahead) // MINUTE for t, ahead in zip(near, expected, strict=True)
    ]


@given(
    st.lists(st.integers(EARLIEST, LATEST), min_size=1, max_size=20),
    st.sampled_from(ZONES),
    st.sampled_from(Bucketing),
)
def test_readings_centuries_apart_fall_into_the_buckets_each_would_alone(
    times: list[int], name: str, width: Bucketing
) -> None:
    zone = ZoneInfo(name)
    together = bucket_starts(np.array(times), width, zone)
    assert list(together) == [int(bucket_starts(np.array([t]), width, zone)[0]) for t in times]


@given(
    st.integers(to_us(datetime(1987, 1, 1, tzinfo=UTC)), to_us(datetime(2037, 1, 1, tzinfo=UTC))),
    st.sampled_from([*ZONES, "America/St_Johns", "Pacific/Apia", "America/Havana"]),
    st.sampled_from(Bucketing),
)
def test_a_starts_bucket_is_itself_and_the_instant_before_lies_in_another(
    us: int, name: str, width: Bucketing
) -> None:
    zone = ZoneInfo(name)
    start = bucket_starts(np.array([us]), width, zone)
    around = bucket_starts(np.array([start[0] - 1, start[0]]), width, zone)
    assert around[0] < around[1] == start[0]


def test_a_midnight_that_clocks_return_behind_begins_one_day_only() -> None:
    """In St. John's a minute after midnight became a minute after eleven again."""
    zone = ZoneInfo("America/St_Johns")
    times = ["2006-10-29T02:29Z", "2006-10-29T02:30Z", "2006-10-29T03:00Z", "2006-10-29T04:00Z"]
    assert starts(Bucketing.DAY, *times, zone=zone) == [
        "2006-10-28T02:30:00Z",
        *["2006-10-29T02:30:00Z"] * 3,
    ]


def test_a_day_whose_midnight_never_was_begins_when_clocks_jump() -> None:
    sao_paulo = ZoneInfo("America/Sao_Paulo")
    assert starts(Bucketing.DAY, "2017-10-15T12:00:00Z", zone=sao_paulo) == ["2017-10-15T03:00:00Z"]


@pytest.mark.parametrize(
    ("name", "year", "whole"),
    [
        ("Europe/Berlin", 2026, True),
        ("UTC", 1, True),
        ("Asia/Kolkata", 2026, False),
        ("Australia/Lord_Howe", 2026, False),
        ("Europe/Berlin", 1880, False),
    ],
)
def test_a_zone_knows_whether_its_hours_are_those_of_utc(name: str, year: int, whole: bool) -> None:
    first = to_us(datetime(year, 1, 1, tzinfo=UTC))
    assert whole_hours(ZoneInfo(name), first, first + 365 * DAY) is whole


NUMBERS = st.lists(st.tuples(st.integers(0, 3 * DAY), st.floats(-1e9, 1e9)), max_size=40)


@given(NUMBERS, st.sampled_from(Bucketing), st.lists(st.floats(0, 1), max_size=3))
def test_quantiles_are_those_of_numpy(
    rows: list[tuple[int, float]], width: Bucketing, quantiles: list[float]
) -> None:
    rows.sort(key=lambda row: row[0])
    times = np.array([row[0] for row in rows], dtype=np.int64)
    numbers = np.array([row[1] for row in rows], dtype=np.float64)
    found = bucket(times, numbers, width, BERLIN, quantiles)
    where = bucket_starts(times, width, BERLIN)
    assert set(found.quantiles) == set(quantiles)
    for q in quantiles:
        expected = [np.quantile(numbers[where == start], q) for start in found.start]
        assert found.quantiles[q] == pytest.approx(expected)


@pytest.mark.parametrize("quantile", [-0.1, 1.1, float("nan")])
def test_a_quantile_beyond_all_numbers_is_invalid(quantile: float) -> None:
    with pytest.raises(Invalid):
        bucket(np.array([0]), np.array([1.0]), Bucketing.DAY, BERLIN, [quantile])


@given(st.lists(NUMBERS.filter(bool), max_size=4), st.sampled_from(Bucketing))
def test_many_datastreams_get_the_buckets_that_each_would_get_alone(
    streams: list[list[tuple[int, float]]], width: Bucketing
) -> None:
    groups = np.repeat(np.arange(len(streams)), [len(rows) for rows in streams])
    rows = [row for stream in streams for row in sorted(stream)]
    times = np.array([row[0] for row in rows], dtype=np.int64)
    numbers = np.array([row[1] for row in rows], dtype=np.float64)
    found = bucket_each(groups, times, numbers, width, BERLIN, (0.5,))
    assert list(found) == list(range(len(streams)))
    for group, together in found.items():
        mine = groups == group
        alone = bucket(times[mine], numbers[mine], width, BERLIN, (0.5,))
        for name in ("start", "count", "total", "minimum", "maximum", "first", "last", "mean"):
            assert np.array_equal(getattr(together, name), getattr(alone, name)), name
        assert np.array_equal(together.quantiles[0.5], alone.quantiles[0.5])


@pytest.mark.django_db
def test_buckets_of_a_datastream_leave_out_what_is_no_number() -> None:
    level = stream()
    append(
        [reading(level, at, value) for at, value in [(0, 1), (1, "x"), (2, 3), (HOUR, 5), (DAY, 7)]]
    )
    found = buckets(level, Bucketing.HOUR, "UTC", start=0, end=DAY)
    assert list(found.start) == [0, HOUR]
    assert list(found.mean) == [2, 5]


@pytest.mark.django_db
def test_no_numbers_give_no_buckets() -> None:
    assert len(buckets(stream(), Bucketing.DAY, "Europe/Berlin")) == 0


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["Europe/Kaiserslautern", "../../etc/passwd", "", "\0"])
def test_an_unknown_zone_is_invalid(name: str) -> None:
    with pytest.raises(Invalid):
        buckets(1, Bucketing.DAY, name)
