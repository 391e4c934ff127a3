"""Times in every form that offices and machines write, and the two hours that clocks make difficult."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.time import HOUR, MINUTE, iso, parse_instant, to_us
from stadtherz.ingest.tables.rules import Double, TimeFormat, Times
from stadtherz.ingest.tables.times import Clock

BERLIN = "Europe/Berlin"


def clock(form: TimeFormat = TimeFormat.ISO, zone: str = BERLIN, **rules: Any) -> Clock:
    season = 1 if rules.get("double") == Double.COLUMN else None
    return Clock(Times("time", form, zone, **rules), (0, None, season))


def told(made: Clock, *cells: Any) -> list[str]:
    """Each cell as an instant, or why there is none."""
    found = [made.instant([cell]) for cell in cells]
    return [iso(each) if isinstance(each, int) else each for each in found]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (TimeFormat.ISO, "2026-12-31 14:30"),
        (TimeFormat.ISO, "2026-12-31T14:30:00"),
        (TimeFormat.ISO, "2026-12-31T13:30:00Z"),
        (TimeFormat.ISO, "2026-12-31T14:30:00.000+01:00"),
        (TimeFormat.GERMAN, "31.12.2026 14:30"),
        (TimeFormat.GERMAN, "31.12.26, 14:30 Uhr"),
        (TimeFormat.GERMAN, "31.12.2026 15:30 MESZ"),
        (TimeFormat.DAY_FIRST, "31/12/2026 14:30:00"),
        (TimeFormat.MONTH_FIRST, "12/31/2026 14:30"),
        (TimeFormat.MONTH_FIRST, "12/31/2026 2:30:00 PM"),
        (TimeFormat.MONTH_FIRST, "12/31/2026 02:30pm"),
        (TimeFormat.DAY_FIRST, "31/12/2026 2:30 p.m."),
        (TimeFormat.ISO, "2026-12-31 1:30 PM UTC"),
        (TimeFormat.COMPACT, "202612311430"),
        (TimeFormat.COMPACT, "20261231T143000"),
        (TimeFormat.SECONDS, "1798723800"),
        (TimeFormat.SECONDS, 1798723800),
        (TimeFormat.MILLISECONDS, "1798723800000"),
        (TimeFormat.EXCEL, 46387.604166666664),
        (TimeFormat.EXCEL, datetime(2026, 12, 31, 14, 30)),
    ],
)
def test_the_same_time_in_every_form(form: TimeFormat, text: Any) -> None:
    assert told(clock(form), text) == ["2026-12-31T13:30:00Z"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("12:05 AM", "00:05"), ("12:05 PM", "12:05"), ("3 PM", "15:00"), ("11:59:30 pm", "23:59:30")],
)
def test_a_day_has_two_halves_of_twelve_hours(text: str, shown: str) -> None:
    made = clock(TimeFormat.MONTH_FIRST)
    assert told(made, f"12/31/2026 {text}") == told(made, f"12/31/2026 {shown}")


@pytest.mark.parametrize("text", ["0:05 AM", "13:05 PM", "24:00 PM", "3:05 XM", "PM"])
def test_neither_half_has_other_hours(text: str) -> None:
    assert told(clock(TimeFormat.MONTH_FIRST), f"12/31/2026 {text}") == ["bad_time"]


def test_a_day_may_end_at_24_hours() -> None:
    assert told(clock(TimeFormat.GERMAN), "30.12.2026 24:00") == ["2026-12-30T23:00:00Z"]


@pytest.mark.parametrize(
    "text", ["31.02.2026 10:00", "2026-12-31", "31.12.2026 25:00", "heute", 1.5]
)
def test_what_is_no_such_time_is_said(text: Any) -> None:
    assert told(clock(TimeFormat.GERMAN), text) == ["bad_time"]


def test_a_day_without_a_time_begins_at_midnight() -> None:
    assert told(clock(TimeFormat.GERMAN), "01.07.2026") == ["2026-06-30T22:00:00Z"]


@pytest.mark.parametrize("second", ["14:30", "1430", "14.30 Uhr", time(14, 30), 0.6041666666666666])
def test_date_and_time_of_day_in_two_columns(second: Any) -> None:
    made = Clock(Times("d", TimeFormat.GERMAN, "UTC", second="t"), (0, 1, None))
    for first in ("31.12.2026", date(2026, 12, 31)):
        assert made.instant([first, second]) == parse_instant("2026-12-31T14:30:00Z")


def test_workbooks_of_1904_count_from_another_day() -> None:
    made = Clock(Times("d", TimeFormat.EXCEL, "UTC"), (0, None, None), epoch=datetime(1904, 1, 1))
    assert made.instant([44925.5]) == parse_instant("2026-12-31T12:00:00Z")


# --- the two hours -------------------------------------------------------------------------------


def test_a_time_that_never_was_is_refused() -> None:
    cells = ("2026-03-29 01:45", "2026-03-29 02:00", "2026-03-29 02:59", "2026-03-29 03:00")
    assert told(clock(), *cells) == [
        "2026-03-29T00:45:00Z",
        "gap",
        "gap",
        "2026-03-29T01:00:00Z",
    ]


def test_standard_time_all_the_year_has_neither_hour() -> None:
    cells = ("2026-03-29 02:00", "2026-10-25 02:30")
    assert told(clock(zone="Etc/GMT-1"), *cells) == ["2026-03-29T01:00:00Z", "2026-10-25T01:30:00Z"]


def in_autumn(step: timedelta) -> list[datetime]:
    begin = datetime(2026, 10, 24, 22, tzinfo=UTC)
    return [begin + n * step for n in range(timedelta(hours=6) // step)]


@pytest.mark.parametrize("minutes", [5, 10, 15, 30, 60])
@pytest.mark.parametrize("backwards", [False, True])
def test_the_order_of_rows_tells_the_two_hours_apart(minutes: int, backwards: bool) -> None:
    moments = in_autumn(timedelta(minutes=minutes))[:: -1 if backwards else 1]
    made = clock()
    for moment in moments:
        text = f"{moment.astimezone(ZoneInfo(BERLIN)):%Y-%m-%d %H:%M}"
        assert made.instant([text]) == to_us(moment), text


def test_an_import_that_goes_on_in_the_double_hour_knows_where_it_was() -> None:
    made = clock()
    for moment in in_autumn(timedelta(minutes=10)):
        text = f"{moment.astimezone(ZoneInfo(BERLIN)):%Y-%m-%d %H:%M}"
        assert made.instant([text]) == to_us(moment)
        made = Clock(Times("time", TimeFormat.ISO, BERLIN), (0, None, None), state=made.state)


def test_what_the_rule_decided_is_noted() -> None:
    made = clock()
    made.instant(["2026-10-25 01:45"])
    made.instant(["2026-10-25 02:00"])
    assert made.note == "double_taken"
    assert made.fold() == 0
    made.instant(["2026-10-25 03:00"])
    assert made.note == "double_once"


@pytest.mark.parametrize(
    "before", [None, "2026-10-24 12:00", "2026-10-25 00:30", "2026-10-26 02:30"]
)
def test_rows_that_come_from_afar_do_not_tell_which_hour_it_is(before: str | None) -> None:
    made = clock()
    if before:
        made.instant([before])
    assert told(made, "2026-10-25 02:30") == ["double"]


@pytest.mark.parametrize(
    ("double", "instant"),
    [
        (Double.FIRST, "2026-10-25T00:30:00Z"),
        (Double.SECOND, "2026-10-25T01:30:00Z"),
        (Double.REFUSE, "double"),
    ],
)
def test_a_rule_may_decide_without_the_order(double: Double, instant: str) -> None:
    assert told(clock(double=double), "2026-10-25 02:30") == [instant]


@pytest.mark.parametrize(
    ("season", "instant"),
    [
        ("MESZ", "2026-10-25T00:30:00Z"),
        ("S", "2026-10-25T00:30:00Z"),
        (True, "2026-10-25T00:30:00Z"),
        ("MEZ", "2026-10-25T01:30:00Z"),
        (0, "2026-10-25T01:30:00Z"),
        ("?", "double"),
    ],
)
def test_a_column_may_tell_summer_time(season: Any, instant: str) -> None:
    found = clock(double=Double.COLUMN, season="s").instant(["2026-10-25 02:30", season])
    assert (iso(found) if isinstance(found, int) else found) == instant


def test_2a_and_2b_are_understood() -> None:
    cells = ("25.10.2026 2A:30", "25.10.2026 2B:30")
    assert told(clock(TimeFormat.GERMAN), *cells) == [
        "2026-10-25T00:30:00Z",
        "2026-10-25T01:30:00Z",
    ]


@given(
    st.integers(to_us(datetime(1985, 1, 1, tzinfo=UTC)) // MINUTE, 2_000_000_000 // 60),
    st.sampled_from([BERLIN, "Europe/London", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_a_wall_clock_never_becomes_a_wrong_instant(minute: int, zone: str) -> None:
    """Python's own reckoning agrees, or it is one of the two hours and is refused."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    wall = moment.astimezone(ZoneInfo(zone))
    found = clock(zone=zone, double=Double.REFUSE).instant([f"{wall:%Y-%m-%d %H:%M}"])
    assert found in (to_us(moment), "double")
    if found == "double":
        other = wall.replace(fold=1 - wall.fold).astimezone(UTC)
        assert 0 < abs(to_us(other) - to_us(moment)) <= HOUR
