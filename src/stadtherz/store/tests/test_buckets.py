"""Calendar buckets follow the clocks on the wall, through both changes of the year."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

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
from stadtherz.store.buckets import bucket, bucket_starts
from stadtherz.store.public import Bucketing, append, buckets
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
