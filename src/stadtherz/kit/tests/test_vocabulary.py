"""Standard names are read in one's own language; names that people gave stay."""

import pytest
from django.utils.translation import override

from stadtherz.base.vocabulary import KNOWN
from stadtherz.kit.public import in_words
from stadtherz.kit.vocabulary import _QUANTITIES, _TEXTS, _UNITS


@pytest.mark.parametrize(
    ("stored", "german", "english"),
    [
        ("Temperature", "Temperatur", "Temperature"),
        ("RelativeHumidity", "Luftfeuchte", "Relative humidity"),
        ("air_temperature", "Lufttemperatur", "Air temperature"),
        ("cubic metre per second", "Kubikmeter je Sekunde", "cubic metre per second"),
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


@pytest.mark.parametrize("known", [*_QUANTITIES, *_TEXTS, *_UNITS])
def test_every_known_word_has_a_german_one(known: str) -> None:
    with override("de"):
        assert in_words(known) != known


@pytest.mark.parametrize("known", KNOWN.values(), ids=lambda known: known.key)
def test_what_the_product_itself_stores_is_known(known: object) -> None:
    with override("de"):
        for stored in (known.name, known.description, known.unit.name):  # type: ignore[attr-defined]
            assert in_words(stored) != stored
