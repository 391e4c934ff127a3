"""The shell's own pages: whole and readable without JavaScript, in both languages."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from stadtherz.base.time import MINUTE, Period, now_us
from stadtherz.kit import registry
from stadtherz.kit.declaration import Dataset, Maturity, Service, Severity, Tiles
from stadtherz.store.public import Reading, append
from stadtherz.web.legal import paragraphs
from stadtherz.web.start import licence
from stadtherz.web.tests.web_cast import stream, tile

pytestmark = pytest.mark.django_db

PAGES = ["/", "/daten/", "/impressum/", "/datenschutz/", "/barrierefreiheit/"]


def get(path: str) -> str:
    answer = Client().get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


@pytest.fixture
def city(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A city with one service, whose tiles the test decides."""
    tiles: list[Any] = []
    service = Service(
        key="test",
        name="Test",
        summary="",
        prefix="test",
        icon="water",
        maturity=Maturity.TRIAL,
        datasets=(Dataset("test.all", "Alle Werte", licence="dl-de/by-2-0"),),
        tiles=(Tiles("now", lambda _visibility: tiles),),
    )
    monkeypatch.setattr(registry, "services", lambda: (service,))
    return tiles


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_every_page_answers_in_both_languages(prefix: str, path: str) -> None:
    page = get(prefix + path)
    assert f'<html lang="{"en" if prefix else "de"}">' in page
    assert page.count("<h1") == 1
    assert 'href="#main"' in page


@pytest.mark.parametrize("path", PAGES)
def test_no_page_sets_a_cookie_or_carries_inline_code(path: str) -> None:
    answer = Client().get(path)
    page = answer.content.decode()
    assert not answer.cookies
    assert not re.search(r"\sstyle=|\son\w+=|<style", page)
    scripts = re.findall(r"<script([^>]*)>", page)
    assert all("src=" in script or 'type="application/json"' in script for script in scripts)


def test_the_start_page_shows_a_tile_whole(city: list[Any]) -> None:
    city.append(tile(spark=[1, 2, 3], state=Severity.WARNING, sentence="Die Lauter steigt."))
    page = get("/")
    for part in (
        "Pegel Mühle",
        "<strong>42</strong>",
        "normal",
        "sh-spark__line",
        "Die Lauter steigt.",
    ):
        assert part in page


def test_a_data_set_leads_to_the_words_of_its_licence(city: list[Any]) -> None:
    page = get("/daten/")
    assert "Alle Werte, Lizenz:" in page
    assert 'href="https://www.govdata.de/dl-de/by-2-0"' in page
    assert "Datenlizenz Deutschland – Namensnennung – Version 2.0" in page


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("CC0", ""),
        ("https://licence.example/", "https://licence.example/"),
        ("https://www.govdata.de/dl-de/zero-2-0", "https://www.govdata.de/dl-de/zero-2-0"),
        ("javascript:alert(1)", ""),
    ],
)
def test_only_an_address_of_the_web_becomes_a_link(written: str, url: str) -> None:
    assert licence(written)[1] == url


def test_serious_tiles_come_first(city: list[Any]) -> None:
    city += [tile(title="Ruhig"), tile(title="Schlimm", state=Severity.DANGER)]
    page = get("/")
    assert page.index("Schlimm") < page.index("Ruhig")


def test_places_stand_in_a_list_with_their_coordinates(city: list[Any]) -> None:
    city.append(tile(position=(7.77, 49.44)))
    page = get("/")
    assert 'data-longitude="7.77" data-latitude="49.44"' in page


def test_the_featured_chart_has_picture_table_and_numbers(city: list[Any]) -> None:
    level = stream()
    append([Reading(level, Period(now_us() - i * 60 * MINUTE), 40.0 + i) for i in range(5)])
    city.append(tile(streams=(level,)))
    page = get("/")
    assert 'class="sh-plot"' in page
    assert "<details" in page
    assert '<script type="application/json">' in page
    assert f'data-streams="{level}"' in page


def test_the_page_says_how_fresh_the_data_are(city: list[Any]) -> None:
    fresh, silent = stream(), stream(town="otterbach")
    append([Reading(fresh, Period(now_us() - 2 * MINUTE), 1.0)])
    append([Reading(silent, Period(now_us() - 24 * 60 * MINUTE), 1.0)])
    page = get("/")
    assert "vor 2 Minuten" in page
    assert "1 von 2 Messreihen sind aktuell" in page


def test_hidden_streams_are_not_even_counted(city: list[Any]) -> None:
    append([Reading(stream(access="organisation"), Period(now_us()), 1.0)])
    assert "Messreihe" not in get("/")


def test_words_of_people_cannot_become_markup(city: list[Any]) -> None:
    city.append(tile(title="<script>alert(1)</script>", place="<b>", position=(7.7, 49.4)))
    page = get("/")
    assert "<script>alert" not in page
    assert "<b>" not in page


def test_the_menu_leads_to_the_other_language_of_the_same_page() -> None:
    assert 'href="/en/impressum/"' in get("/impressum/")
    assert 'href="/impressum/"' in get("/en/impressum/")


def test_the_operators_own_imprint_replaces_ours(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "imprint.de.txt").write_text(
        "## Stadt\n\nRathaus <1>\n", encoding="utf-8"
    )
    page = get("/impressum/")
    assert "<h2>Stadt</h2>" in page
    assert "Rathaus &lt;1&gt;" in page
    assert "noch nicht hinterlegt" not in page


def test_text_is_split_at_empty_lines() -> None:
    split = paragraphs("## Wir\r\n\r\nEins\nzwei\n\n\n\nDrei")
    assert [(p.text, p.heading) for p in split] == [
        ("Wir", True),
        ("Eins\nzwei", False),
        ("Drei", False),
    ]
