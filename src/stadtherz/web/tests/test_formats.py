"""Numbers and times as Germans and English speakers read them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from stadtherz.base.time import DAY, HOUR, MINUTE, stopped_at, to_us
from stadtherz.web import formats

SUMMER = datetime(2026, 7, 1, 10, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "digits", "german", "english"),
    [
        (1234.56, 1, "1.234,6", "1,234.6"),
        (0, 0, "0", "0"),
        (-0.04, 1, "0,0", "0.0"),
        (-7.25, 1, "−7,2", "−7.2"),
        (None, 0, "–", "–"),
        (float("nan"), 2, "–", "–"),
        (float("inf"), 0, "–", "–"),
    ],
)
def test_numbers_have_the_languages_separators(
    value: float | None, digits: int, german: str, english: str
) -> None:
    with override("de"):
        assert formats.number(value, digits) == german
    with override("en"):
        assert formats.number(value, digits) == english


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(0, 4))
def test_every_float_has_a_text(value: float, digits: int) -> None:
    with override("de"):
        assert formats.number(value, digits)


def test_a_unit_stays_with_its_number() -> None:
    with override("de"):
        assert formats.measure(94, "cm") == "94\u00a0cm"
        assert formats.measure(None, "cm") == "–"
        assert formats.measure(3, "") == "3"


@pytest.mark.parametrize(
    ("back", "text"),
    [
        (10 * MINUTE // 60, "gerade eben"),
        (2 * MINUTE, "vor 2 Minuten"),
        (3 * HOUR, "vor 3 Stunden"),
        (2 * DAY, "vor 2 Tagen"),
    ],
)
def test_ages_are_told_in_words(back: int, text: str) -> None:
    with stopped_at(SUMMER), override("de"):
        assert formats.age(to_us(SUMMER) - back) == text


def test_what_never_happened_has_no_age() -> None:
    with override("de"):
        assert formats.age(None) == formats.when(None) == "noch nie"


def test_today_is_called_today() -> None:
    with stopped_at(SUMMER), override("de"):
        assert formats.when(to_us(SUMMER)) == "heute, 12:05\xa0Uhr"
        yesterday = to_us(SUMMER - timedelta(days=1))
        assert formats.when(yesterday) == "30. Juni 2026, 12:05\xa0Uhr"
    with stopped_at(SUMMER), override("en"):
        assert formats.when(to_us(SUMMER)) == "today, 12:05"


def test_the_time_zone_has_the_name_people_know() -> None:
    winter = to_us(SUMMER) + 180 * DAY
    with override("de"):
        assert [formats.zone_name(t) for t in (to_us(SUMMER), winter)] == ["MESZ", "MEZ"]
    with override("en"):
        assert formats.zone_name(winter) == "CET"
