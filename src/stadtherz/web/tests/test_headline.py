"""The first sentence of the day: calm when all is well, plain when it is not."""

import pytest
from django.utils.translation import override

from stadtherz.kit.declaration import Severity, Tile
from stadtherz.web.headline import Headline, headline
from stadtherz.web.tests.web_cast import tile

OK, UNKNOWN = tile(), tile(state=Severity.UNKNOWN)
WARNING = tile(state=Severity.WARNING, sentence="Die Lauter steigt.")
DANGER = tile(state=Severity.DANGER, sentence="Der Eselsbach tritt über die Ufer.")


def told(*tiles: Tile) -> Headline:
    with override("de"):
        return headline(tiles)


def test_nothing_measured_is_said_kindly() -> None:
    assert told().title == "Hier wird noch nichts gemessen."


@pytest.mark.parametrize(
    ("tiles", "title"),
    [
        ((OK, OK), "Heute läuft alles rund."),
        ((OK, OK, WARNING), "Heute läuft fast alles rund."),
        ((OK, WARNING, WARNING), "Heute ist einiges ungewöhnlich."),
        ((OK, OK, OK, DANGER), "Heute ist Vorsicht geboten."),
        ((UNKNOWN, UNKNOWN), "Im Moment gibt es keine aktuellen Messwerte."),
    ],
)
def test_the_title_fits_the_day(tiles: tuple[Tile, ...], title: str) -> None:
    assert told(*tiles).title == title


def test_danger_comes_first() -> None:
    sentence = told(WARNING, OK, OK, DANGER).sentence
    assert sentence == "Der Eselsbach tritt über die Ufer. Die Lauter steigt."


def test_a_tile_without_a_sentence_is_named_with_its_state() -> None:
    plain = tile(state=Severity.WARNING, state_text="Vorwarnung")
    assert told(OK, OK, plain).sentence == "Pegel Mühle: Vorwarnung."


def test_many_warnings_are_counted_not_listed() -> None:
    sentence = told(*[WARNING] * 5).sentence
    assert sentence.count("Lauter") == 3
    assert "2 weitere Messwerte sind ungewöhnlich." in sentence


def test_silent_places_are_not_called_smooth_without_a_word() -> None:
    assert told(OK, OK, UNKNOWN).sentence == "Eine von 3 Messstellen meldet sich gerade nicht."
