"""What residents see, and what they must not."""

import pytest
from django.test import Client

from stadtherz.base.time import DAY, HOUR, Period, now_us
from stadtherz.base.visibility import ANONYMOUS, SYSTEM
from stadtherz.kit.declaration import Severity
from stadtherz.kit.testing import Town, person
from stadtherz.services.water.models import Gauge
from stadtherz.services.water.tests.factories import make_gauge
from stadtherz.services.water.tiles import now as tiles_now
from stadtherz.store.public import Reading, append

PAGE = "/pegel/lauterstrasse/"


def get(path: str, client: Client | None = None) -> str:
    response = (client or Client()).get(path)
    assert response.status_code == 200
    return response.content.decode().replace("\N{NO-BREAK SPACE}", " ")


def test_the_sentence_comes_first(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, *(80 + n for n in range(15)))
    page = get(PAGE)
    assert "Die Lauter steht bei 94 cm und steigt schnell. Die Stufe „Vorwarnung“ ist seit" in page


def test_the_page_speaks_english_too(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 94)
    page = get("/en" + PAGE)
    assert "The Lauter stands at 94 cm." in page
    assert "The step “Early warning” was reached" in page


def test_the_steps_stand_in_a_table_with_their_state_in_words(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 94)
    page = get(PAGE)
    assert page.index("Alarm</th>") < page.index("Vorwarnung</th>")
    assert "nicht erreicht" in page
    assert ">erreicht<" in page


def test_source_licence_and_origin_are_named(town: Town, gauge: Gauge) -> None:
    page = get(PAGE)
    for text in ("Stadtwerke", "dl-de/by-2-0", "Aufgezeichnet am Dead Run"):
        assert text in page


def test_the_page_leads_to_the_data(town: Town, gauge: Gauge) -> None:
    page = get(PAGE)
    assert f'href="/sta/v1.1/Datastreams({gauge.datastream_id})"' in page
    assert 'href="/pegel/lauterstrasse/daten.csv?zeitraum=tag"' in page


def test_the_data_page_leads_to_all_gauges(town: Town, gauge: Gauge) -> None:
    assert '<a href="/pegel/">Messwerte aller Pegel</a>' in get("/daten/")


def test_a_gauge_without_readings_says_so(town: Town, gauge: Gauge) -> None:
    assert "Es gibt noch keine Messwerte." in get(PAGE)


def test_a_silent_gauge_says_so(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 130, at=now_us() - 2 * HOUR)
    page = get(PAGE)
    assert "Seit einiger Zeit kommen keine Messwerte." in page
    assert tiles_now(ANONYMOUS)[0].state is Severity.UNKNOWN


@pytest.mark.parametrize("span", ["tag", "woche", "monat", "unsinn", ""])
def test_every_span_is_a_plain_link(town: Town, gauge: Gauge, span: str) -> None:
    town.measure(gauge.datastream_id, 94, at=now_us())
    page = get(f"{PAGE}?zeitraum={span}")
    assert page.count('aria-current="true"') == 1


def test_a_month_shows_the_highest_reading_of_each_hour(town: Town, gauge: Gauge) -> None:
    moment = now_us() // HOUR * HOUR - HOUR
    town.measure(gauge.datastream_id, 150, 60, at=moment + HOUR // 2)
    assert "150 cm" in get(f"{PAGE}?zeitraum=monat")


def test_the_download_has_every_reading_and_the_licence(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 94.25, 95)
    response = Client().get(f"{PAGE}daten.csv")
    text = b"".join(response.streaming_content).decode()
    assert "# Lizenz: dl-de/by-2-0 https://www.govdata.de/dl-de/by-2-0\r\n" in text
    assert [line.partition(",")[2] for line in text.splitlines()[-2:]] == ["94.25", "95"]
    assert 'filename="lauterstrasse-tag.csv"' in response["Content-Disposition"]


def test_a_download_holds_only_its_span(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 11, at=now_us() - 3 * DAY)
    day = b"".join(Client().get(f"{PAGE}daten.csv").streaming_content)
    week = b"".join(Client().get(f"{PAGE}daten.csv?zeitraum=woche").streaming_content)
    assert (b",11\r\n" in day, b",11\r\n" in week) == (False, True)


def test_the_index_lists_every_gauge_with_its_state(town: Town, gauge: Gauge) -> None:
    make_gauge(town, "eselsbach")
    town.measure(gauge.datastream_id, 94)
    page = get("/pegel/")
    assert page.index("Pegel Eselsbach") < page.index("Pegel Lauterstrasse</a>")
    assert "Vorwarnung" in page
    assert "keine Messwerte" in page


def test_an_index_without_gauges_says_so(town: Town) -> None:
    assert "Hier gibt es noch keine Pegel." in get("/pegel/")


@pytest.mark.parametrize("path", [PAGE, PAGE + "daten.csv", "/en" + PAGE])
def test_a_gauge_that_is_not_public_does_not_exist_for_others(town: Town, path: str) -> None:
    make_gauge(town, access="organisation")
    assert Client().get(path).status_code == 404
    assert person("stranger", town.neighbour).get(path).status_code == 404
    assert person("viewer", town.organisation).get(path).status_code == 200


def test_a_gauge_that_is_not_public_is_in_no_list_tile_or_map(town: Town) -> None:
    gauge = make_gauge(town, access="organisation")
    town.measure(gauge.datastream_id, 130)
    assert "lauterstrasse" not in get("/pegel/").lower()
    assert list(tiles_now(ANONYMOUS)) == []
    assert len(tiles_now(SYSTEM)) == 1


def test_an_unknown_gauge_is_not_found(town: Town) -> None:
    assert Client().get("/pegel/nirgends/").status_code == 404


def test_the_tile_has_level_state_sparkline_and_place(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 80, 94)
    (tile,) = tiles_now(ANONYMOUS)
    assert (tile.value, tile.unit, tile.state) == ("94", "cm", Severity.WARNING)
    assert list(tile.spark) == [80, 94]
    assert tile.position == (7.77, 49.44)
    assert [step.value for step in tile.steps] == [90, 120]
    assert "Lauter" in tile.sentence


def test_the_most_serious_tile_comes_first(town: Town, gauge: Gauge) -> None:
    other = make_gauge(town, "eselsbach")
    town.measure(gauge.datastream_id, 130)
    town.measure(other.datastream_id, 60)
    assert [tile.state for tile in tiles_now(ANONYMOUS)] == [Severity.DANGER, Severity.OK]


def test_many_gauges_cost_no_more_queries(
    town: Town, gauge: Gauge, django_assert_max_num_queries: object
) -> None:
    for number in range(8):
        other = make_gauge(town, f"pegel-{number}")
        town.measure(other.datastream_id, 60)
    with django_assert_max_num_queries(16):  # type: ignore[operator]
        assert len(tiles_now(ANONYMOUS)) == 9


def test_groundwater_is_told_as_depth(town: Town) -> None:
    gauge = make_gauge(town, "volkspark", kind="groundwater", steps=())
    town.measure(gauge.datastream_id, 312)
    page = get("/pegel/volkspark/")
    assert "steht 312 cm unter Gelände." in page


def test_the_page_says_what_comes_next_and_where_one_is_warned(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 94)
    page = get(PAGE)
    assert "Die nächste Stufe „Alarm“ beginnt bei 120 cm: Bis dahin fehlen 26 cm." in page
    assert "noch 26 cm" in page
    assert "Notruf 112" in page


def test_the_highest_step_says_when_it_is_over(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 130)
    assert "„Alarm“ endet, sobald weniger als" in get(PAGE)


def test_a_silent_gauge_promises_nothing(town: Town, gauge: Gauge) -> None:
    town.measure(gauge.datastream_id, 94, at=now_us() - 2 * HOUR)
    page = get(PAGE)
    assert "Die nächste Stufe" not in page
    assert "noch 26 cm" not in page


def test_groundwater_warns_of_no_flood(town: Town) -> None:
    make_gauge(town, "volkspark", kind="groundwater", steps=())
    assert "Notruf" not in get("/pegel/volkspark/")


def test_a_gauge_without_readings_has_no_unit_on_its_tile(town: Town, gauge: Gauge) -> None:
    (tile,) = tiles_now(ANONYMOUS)
    assert (tile.value, tile.unit) == ("–", "")


def test_a_doubtful_reading_is_marked_in_chart_and_table(town: Town, gauge: Gauge) -> None:
    doubt = {"code": "jump", "flags": ["jump"], "pass": False, "change": 30, "minutes": 5}
    at = Period(now_us() - 600_000_000)
    append([Reading(gauge.datastream_id, at, 71.0, result_quality=doubt)])
    page = get(PAGE)
    assert "sh-plot__doubt" in page
    assert "Zweifelhaft: Er weicht um 30 vom Messwert 5 Minuten zuvor ab." in page
    assert "sh-plot__doubt" not in get(f"{PAGE}?zeitraum=woche")


def test_the_interval_is_told_in_german(town: Town, gauge: Gauge) -> None:
    Gauge.objects.update(interval_minutes=5)
    assert "alle 5 Minuten" in get(PAGE)
