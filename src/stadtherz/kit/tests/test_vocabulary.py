"""Standard names are read in one's own language; names that people gave stay."""

import pytest
from django.utils.translation import override

from stadtherz.base.vocabulary import KNOWN
from stadtherz.kit.public import in_words, series_in_words, spellings
from stadtherz.kit.vocabulary import _QUANTITIES, _TEXTS, _UNITS


@pytest.mark.parametrize(
    ("stored", "german", "english"),
    [
        ("Temperature", "Temperatur", "Temperature"),
        ("RelativeHumidity", "Luftfeuchte", "Relative humidity"),
        ("air_temperature", "Lufttemperatur", "Air temperature"),
        ("cubic metre per second", "Kubikmeter je Sekunde", "cubic metre per second"),
        ("Wasserstand", "Wasserstand", "Water level"),
        ("Temperatur am Steg", "Temperatur am Steg", "Temperatur am Steg"),
        ("", "", ""),
        ("–", "–", "–"),
    ],
)
def test_a_standard_name_is_said_in_the_readers_language(
    stored: str, german: str, english: str
) -> None:
    with override("de"):
        assert in_words(stored) == german
    with override("en"):
        assert in_words(stored) == english


def test_the_quantity_in_the_name_of_a_series_is_said_in_the_readers_language() -> None:
    with override("en"):
        assert series_in_words("Pegel Lauter: Wasserstand") == "Pegel Lauter: Water level"
        assert series_in_words("Wasserstand") == "Wasserstand"
    with override("de"):
        assert series_in_words("Gauge: RelativeHumidity") == "Gauge: Luftfeuchte"


@pytest.mark.parametrize(
    ("asked", "finds"),
    [
        ("Wasserstand", "water level"),
        ("water level", "wasserstand"),
        ("Luftfeuchte", "relativehumidity"),
        ("Luftdruck", "atmospheric_pressure"),
        ("zentimeter", "centimetre"),
    ],
)
def test_a_word_is_looked_for_in_every_language(asked: str, finds: str) -> None:
    assert any(each in finds for each in spellings(asked))


def test_wind_is_no_part_of_geschwindigkeit() -> None:
    assert "speed" not in spellings("wind")


def test_a_name_is_looked_for_as_it_is() -> None:
    assert spellings("Lauterstraße") == ("lauterstraße",)
    assert spellings("pH") == ("ph",)
    assert spellings("") == ("",)


def test_no_spelling_stands_there_that_another_finds() -> None:
    for asked in ("temperatur", "druck", "wasser", "e", "level"):
        found = spellings(asked)
        assert not [(a, b) for a in found for b in found if a != b and a in b]
        assert len(found) <= 8


@pytest.mark.parametrize("known", [*_QUANTITIES, *_TEXTS, *_UNITS])
def test_every_known_word_has_a_german_one(known: str) -> None:
    with override("de"):
        assert in_words(known) != known


@pytest.mark.parametrize("known", KNOWN.values(), ids=lambda known: known.key)
def test_what_the_product_itself_stores_is_known(known: object) -> None:
    with override("de"):
        for stored in (known.name, known.description, known.unit.name):  # type: ignore[attr-defined]
            assert in_words(stored) != stored
