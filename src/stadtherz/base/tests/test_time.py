from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.time import (
    EARLIEST,
    LATEST,
    Period,
    from_us,
    iso,
    now,
    parse_instant,
    parse_period,
    stopped_at,
    times_of_day,
    to_us,
)

instants = st.integers(EARLIEST, LATEST)


@given(instants)
def test_iso_text_reads_back_as_the_same_instant(us: int) -> None:
    assert parse_instant(iso(us)) == us


@given(st.integers(0, 86_399))
def test_the_times_of_a_day_are_those_of_its_seconds(second: int) -> None:
    hours, minutes, seconds = second // 3600, second // 60 % 60, second % 60
    assert times_of_day()[9 * second :][:9] == f"T{hours:02}:{minutes:02}:{seconds:02}"


@given(st.datetimes(min_value=datetime(1, 1, 2), timezones=st.just(UTC)))
def test_datetimes_survive_the_way_through_microseconds(moment: datetime) -> None:
    assert from_us(to_us(moment)) == moment
    assert iso(to_us(moment)).startswith(
        moment.strftime("%m-%dT%H:%M:%S").join([f"{moment.year:04}-", ""])
    )


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("2026-11-26T08:00:00+01:00", "2026-11-26T07:00:00Z"),
        ("2026-11-26T07:00:00.123456789Z", "2026-11-26T07:00:00.123456Z"),
        ("2026-11-26 07:00", "2026-11-26T07:00:00Z"),
        ("2026-11-26", "2026-11-26T00:00:00Z"),
        ("2026-11-26T07:00:00-0330", "2026-11-26T10:30:00Z"),
    ],
)
def test_the_forms_of_iso_8601_that_networks_send_are_read(text: str, same_as: str) -> None:
    assert parse_instant(text) == parse_instant(same_as)


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01T00:00:00Z", "2026-11-26T25:00:00Z", "١٩٧٠-01-01"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_instant(text)


@given(instants, instants)
def test_a_period_never_ends_before_it_starts(one: int, other: int) -> None:
    start, end = sorted((one, other))
    assert parse_period(f"{iso(start)}/{iso(end)}") == Period(start, end)
    if start != end:
        with pytest.raises(ValueError, match="before it starts"):
            Period(end, start)


def test_the_clock_can_be_stopped() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    with stopped_at(moment):
        assert now() == moment
    assert now() != moment
