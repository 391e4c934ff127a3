"""The sentences people read, word for word, in both languages."""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.utils.translation import override

from stadtherz.base import time
from stadtherz.services.water import sentence
from stadtherz.services.water.trend import Direction, Trend

LAUTER = SimpleNamespace(article="die", water_body="Lauter", kind="level")
GROUND = SimpleNamespace(article="das", water_body="Grundwasser", kind="groundwater")
NOON = datetime(2026, 11, 26, 11, tzinfo=UTC)  # 12 o'clock in Kaiserslautern


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    with time.stopped_at(NOON):
        yield


def plain(text: str) -> str:
    """Without the spaces that keep a number with its unit."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("direction", "german", "english"),
    [
        (
            Direction.RISING,
            "Die Lauter steht bei 94 cm und steigt.",
            "The Lauter stands at 94 cm and is rising.",
        ),
        (
            Direction.FALLING,
            "Die Lauter steht bei 94 cm und fällt.",
            "The Lauter stands at 94 cm and is falling.",
        ),
        (
            Direction.STEADY,
            "Die Lauter steht bei 94 cm und ändert sich kaum.",
            "The Lauter stands at 94 cm and hardly changes.",
        ),
        (None, "Die Lauter steht bei 94 cm.", "The Lauter stands at 94 cm."),
    ],
)
def test_level_and_trend_are_one_sentence(
    direction: Direction | None, german: str, english: str
) -> None:
    known = None if direction is None else Trend(direction, 12)
    with override("de"):
        assert plain(sentence.stands(LAUTER, 93.6, known)) == german
    with override("en"):
        assert plain(sentence.stands(LAUTER, 93.6, known)) == english


def test_a_growing_depth_is_a_falling_water_table() -> None:
    with override("de"):
        text = plain(sentence.stands(GROUND, 312, Trend(Direction.RISING, 0.2)))
    assert text == "Das Grundwasser steht 312 cm unter Gelände und sinkt."


def test_a_step_reached_today_is_told_by_its_time() -> None:
    with override("de"):
        text = plain(sentence.reached("Vorwarnung", time.to_us(NOON) - time.HOUR))
    assert text == "Die Stufe „Vorwarnung“ ist seit 11:00 Uhr erreicht."


def test_a_step_reached_before_today_is_told_by_its_day() -> None:
    with override("de"):
        text = plain(sentence.reached("Alarm", time.to_us(NOON) - 2 * time.DAY))
    assert text == "Die Stufe „Alarm“ ist seit dem 24. November 2026, 12:00 Uhr, erreicht."


@pytest.mark.parametrize(
    ("trend", "german"),
    [
        (Trend(Direction.RISING, 12.4, 11.6), "steigt, 12 cm in der letzten Stunde"),
        (
            Trend(Direction.RISING, 138, 40, fast=True),
            "steigt schnell, 40 cm in der letzten Stunde",
        ),
        (Trend(Direction.FALLING, -2.4, -0.6), "fällt, 0,6 cm in der letzten Stunde"),
        (Trend(Direction.FALLING, -30, None, fast=True), "fällt schnell"),
        (Trend(Direction.STEADY, 0.2, 0.2), "ändert sich kaum"),
        (None, "noch nicht bekannt"),
    ],
)
def test_the_trend_tells_what_was_measured(trend: Trend | None, german: str) -> None:
    with override("de"):
        assert plain(sentence.trend_text(LAUTER, trend)) == german


def test_water_that_has_just_turned_is_not_told_with_the_rise_before() -> None:
    with override("de"):
        assert sentence.trend_text(LAUTER, Trend(Direction.FALLING, -6, 40)) == "fällt"


def test_the_trend_of_groundwater_is_that_of_the_water_not_of_the_depth() -> None:
    known = Trend(Direction.RISING, 0.25, 6.0)
    with override("de"):
        text = plain(sentence.trend_text(GROUND, known))
    assert text == "fällt, 6,0 cm in den letzten 24 Stunden"


def test_a_fast_rise_is_called_fast() -> None:
    with override("de"):
        text = plain(sentence.stands(LAUTER, 77, Trend(Direction.RISING, 138, fast=True)))
    assert text == "Die Lauter steht bei 77 cm und steigt schnell."


def test_what_comes_next_is_told_in_centimetres() -> None:
    with override("de"):
        assert plain(sentence.next_step("Alarm", 100, 77)) == (
            "Die nächste Stufe „Alarm“ beginnt bei 100 cm: Bis dahin fehlen 23 cm."
        )
        assert plain(sentence.over_below("Alarm", 95)) == (
            "„Alarm“ endet, sobald weniger als 95 cm gemessen werden."
        )


def test_silence_says_what_was_last_known() -> None:
    with override("de"):
        text = plain(sentence.silent(LAUTER, 94, time.to_us(NOON) - time.DAY))
    assert text.startswith("Seit einiger Zeit kommen keine Messwerte. Der letzte war 94 cm")


def test_the_groundwater_has_no_german_name_in_english() -> None:
    with override("en"):
        assert sentence.water(GROUND) == "The groundwater"
        assert sentence.water(LAUTER) == "The Lauter"
