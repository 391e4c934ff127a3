"""What people see at SensorThings addresses: readable, complete, and no more than they may see."""

import re
from typing import Any

import pytest
from django.test import Client

from stadtherz.base.time import HOUR, Period, now_us
from stadtherz.base.visibility import ANONYMOUS, SYSTEM
from stadtherz.sensorthings.public import is_for_people
from stadtherz.sensorthings.tests import bodies
from stadtherz.sensorthings.tests.client import Client as SensorThings
from stadtherz.sensorthings.tests.client import operator
from stadtherz.store.public import (
    Reading,
    append,
    create_dataset,
    create_organisation,
    update,
    update_dataset,
)
from stadtherz.web.entities import values
from stadtherz.web.tests.web_cast import stream

pytestmark = pytest.mark.django_db

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def get(path: str, status: int = 200) -> str:
    answer = Client().get(path)
    assert answer.status_code == status, answer.content.decode()[:500]
    return answer.content.decode()


def main(path: str) -> str:
    """The words of a page's own part."""
    inner = get(path).partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", inner).split())


@pytest.fixture
def level() -> int:
    """A series with a course of readings, the newest of which is 42.5 cm."""
    found = stream()
    end = now_us()
    append([Reading(found, Period(end - i * HOUR), 42.5 + i) for i in range(6)])
    return found


def key_of(entity: str) -> int:
    """The id of the only entity of that kind."""
    return int(re.findall(rf"{entity}\((\d+)\)", get(f"/sta/v1.1/{entity}"))[0])


KNOWN_OF_IT = {"source": "Messdienst", "Farbe": "rot"}
KINDS = (
    "Things",
    "Locations",
    "HistoricalLocations",
    "Datastreams",
    "Sensors",
    "ObservedProperties",
    "Observations",
)


@pytest.mark.parametrize("version", ["v1.1", "v2.0"])
@pytest.mark.parametrize("language", ["", "/en"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_set_and_entity_has_a_page_in_both_languages(
    level: int, language: str, version: str, kind: str
) -> None:
    for path in (f"/{kind}", f"/{kind}({key_of(kind)})"):
        page = get(f"{language}/sta/{version}{path}")
        assert f'<html lang="{"en" if language else "de"}">' in page
        assert page.count("<h1") == 1
        assert not re.search(
            r"\sstyle=|\son\w+=|<style|<script(?![^>]*(src|application/json))", page
        )


def test_a_series_tells_its_newest_reading_and_what_belongs_to_it(level: int) -> None:
    words = main(f"/sta/v1.1/Datastreams({level})")
    for wanted in ("42,5", "cm", "gerade eben", "Mill", "Radar", "47,5", "Werte als Tabelle"):
        assert wanted in words, wanted
    page = get(f"/sta/v1.1/Datastreams({level})")
    for link in (
        f"Things({key_of('Things')})",
        f"/Datastreams({level})/Observations?$orderby=phenomenonTime%20desc&amp;$resultFormat=CSV",
        f"/sta/v1.1/Datastreams({level})?$resultFormat=JSON",
    ):
        assert link in page, link
    assert f'data-streams="{level}"' in page


def test_a_doubtful_reading_says_why_in_the_table_and_on_its_page() -> None:
    flagged = {"code": "frozen", "flags": ["frozen"], "pass": False, "hours": 7}
    found = stream()
    append([Reading(found, Period(now_us()), 42.5, result_quality=flagged)])
    sentence = "Zweifelhaft: Der Wert hat sich seit 7 Stunden nicht bewegt."
    for path in (f"Datastreams({found})", f"Observations({key_of('Observations')})"):
        assert sentence in main(f"/sta/v1.1/{path}"), path


def test_a_reading_without_flags_is_not_called_doubtful(level: int) -> None:
    assert "Zweifelhaft" not in main(f"/sta/v1.1/Datastreams({level})")


def test_a_measuring_point_is_on_the_map_and_in_the_list(level: int) -> None:
    page = get(f"/sta/v1.1/Things({key_of('Things')})")
    assert 'data-longitude="7.77" data-latitude="49.44"' in page
    assert "49,4400° Nord, 7,7700° Ost" in page
    assert "eine Messreihe aufgezeichnet" in page


def test_a_link_from_entity_to_entity_leads_to_its_page(level: int) -> None:
    page = get(f"/en/sta/v1.1/Datastreams({level})/Thing")
    canonical = f"/en/sta/v1.1/Things({key_of('Things')})"
    assert re.search(rf'rel="canonical" href="[^"]*{re.escape(canonical)}"', page)


def test_addresses_with_options_for_programs_are_readable_too(level: int) -> None:
    path = "/sta/v1.1/Datastreams?$expand=Observations($top=1;$orderby=phenomenonTime%20desc)"
    assert "42,5" in main(path)
    assert "42,5" not in main("/sta/v1.1/Observations?$filter=result%20gt%2043")


def test_a_standard_quantity_is_said_in_the_readers_language(level: int) -> None:
    key = key_of("ObservedProperties")
    for path in ("/ObservedProperties", f"/ObservedProperties({key})", f"/Datastreams({level})"):
        german, english = main(f"/sta/v1.1{path}"), main(f"/en/sta/v1.1{path}")
        assert "Wasserstand" in german, path
        assert "Water level" not in german, path
        assert "Water level" in english, path
    assert "Zentimeter (cm)" in main(f"/sta/v1.1/Datastreams({level})")
    assert "Höhe des Wasserspiegels" in main("/sta/v1.1/ObservedProperties")


def test_programs_get_quantities_as_they_are_stored(level: int) -> None:
    (stored,) = SensorThings(ANONYMOUS).get("/ObservedProperties", accept_language="de").value
    assert stored["name"] == "Water level"


def test_a_name_that_people_gave_stays_as_they_wrote_it(level: int) -> None:
    update("Datastream", level, {"name": "Water level"}, SYSTEM)
    update("Thing", key_of("Things"), {"description": "Mill", "properties": KNOWN_OF_IT}, SYSTEM)
    assert "Water level" in main(f"/sta/v1.1/Datastreams({level})")
    page = main(f"/sta/v1.1/Things({key_of('Things')})")
    assert "Quelle Messdienst" in page
    assert "Farbe rot" in page


def test_a_description_that_only_repeats_the_name_is_left_out(level: int) -> None:
    update("Thing", key_of("Things"), {"description": "Mill"}, SYSTEM)
    page = get(f"/sta/v1.1/Things({key_of('Things')})").partition("<main")[2]
    assert "<p>Mill</p>" not in page


# --- lists ---------------------------------------------------------------------------------------


def test_a_search_finds_by_name_and_description(level: int) -> None:
    assert "Ein Eintrag passt zu „mill“" in main("/sta/v1.1/Things?q=mill")
    assert "0 Einträge passen" in main("/sta/v1.1/Things?q=nothing")
    assert "0 Einträge passen" in main("/sta/v1.1/Things?q=%25")  # no wildcard
    assert "0 Einträge passen" in main("/sta/v1.1/Things?q=it's%20%3Cb%3E")
    assert "<b>" not in get("/sta/v1.1/Things?q=%3Cb%3E")


def test_a_search_finds_what_is_stored_in_the_other_language(level: int) -> None:
    """Names of quantities are stored in English; people who named a series wrote German."""
    assert "Ein Eintrag passt zu „Wasserstand“" in main(
        "/sta/v1.1/ObservedProperties?q=Wasserstand"
    )
    assert "Ein Eintrag passt" in main("/sta/v1.1/ObservedProperties?q=Water+level")
    update("Datastream", level, {"name": "Mill: Wasserstand", "description": "-"}, SYSTEM)
    assert "One entry matches" in main("/en/sta/v1.1/Datastreams?q=water+level+MILL")
    assert "Mill: Water level" in main(f"/en/sta/v1.1/Datastreams({level})")
    assert "Mill: Wasserstand" in main(f"/sta/v1.1/Datastreams({level})")


def test_pages_of_a_list_follow_each_other_with_what_was_searched_for(level: int) -> None:
    path = f"/sta/v1.1/Datastreams({level})/Observations?$top=4"
    first = get(path)
    (following,) = re.findall(r'href="([^"]+)" rel="next"', first)
    second = get(following.replace("&amp;", "&"))
    seen = [re.findall(r"/Observations\((\d+)\)", page) for page in (first, second)]
    assert [len(set(keys)) for keys in seen] == [4, 2]
    assert not set(seen[0]) & set(seen[1])
    assert "rel=" not in second.partition("Seiten der Liste")[2].partition("</nav>")[0]
    assert "Erste Seite" in second
    assert "q=mill" in get("/sta/v1.1/Things?q=mill&$skip=1")


# --- who sees what -------------------------------------------------------------------------------


def test_what_one_may_not_see_has_no_page(level: int) -> None:
    thing, observation = key_of("Things"), key_of("Observations")
    update("Thing", thing, {"access": "organisation"}, SYSTEM)
    for path in (
        f"/Things({thing})",
        f"/Datastreams({level})",
        f"/Datastreams({level})/Observations",
        f"/Observations({observation})",
    ):
        assert "Mill" not in get(f"/sta/v1.1{path}", 404)
    for path in ("/Things", "/Datastreams", "/Observations", ""):
        assert "Mill" not in get(f"/sta/v1.1{path}")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/Nothing", 404),
        ("/Things(99)", 404),
        ("/Things('a')", 404),
        ("/Things()", 400),
        ("/Things?$filter=nonsense", 400),
        ("/Things?$top=-1", 400),
        ("/Things?$skiptoken=x", 400),
        ("/Things(1)/name", 404),
        ("/Things/$count", 404),
        ("/" + "Things(1)/" * 30, 413),
    ],
)
def test_a_mistake_is_explained_and_never_ours(path: str, status: int) -> None:
    assert "<h1" in get(f"/sta/v1.1{path}", status)


def test_what_people_wrote_is_text_and_not_code(level: int) -> None:
    thing = key_of("Things")
    evil = "<script>alert(1)</script>"
    values = {
        "name": evil,
        "description": evil,
        "properties": {evil: evil, "link": "javascript:alert(1)", "deep": {"a": [evil]}},
    }
    update("Thing", thing, values, SYSTEM)
    for path in (f"/Things({thing})", "/Things", f"/Datastreams({level})", "/Datastreams"):
        page = get(f"/sta/v1.1{path}")
        assert "<script>alert" not in page
        assert 'href="javascript' not in page


# --- which requests get a page -------------------------------------------------------------------


def _asked(path: str, accept: str | None = BROWSER, method: str = "GET", **headers: str) -> bool:
    path, _, query = path.partition("?")
    given = {**({"accept": accept} if accept is not None else {}), **headers}
    scope: dict[str, Any] = {
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    return is_for_people(scope)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/sta/v1.1", True),
        ("/sta/v2.0/", True),
        ("/sta/v1.1/Things", True),
        ("/sta/v1.1/Things(1)/Datastreams", True),
        ("/sta/v1.1/Things?$filter=id%20gt%201&$expand=Locations", True),
        ("/sta/v1.1/Nothing", True),
        ("/sta/v1.1/Things?$resultFormat=CSV", False),
        ("/sta/v1.1/Things?%24resultFormat=JSON", False),
        ("/sta/v2.0/Things?$format=application/json", False),
        ("/sta/v1.1/Observations?$apply=x", False),
        ("/sta/v1.1/Things(1)/name", False),
        ("/sta/v1.1/Things(1)/name/$value", False),
        ("/sta/v1.1/Things/$count", False),
        ("/sta/v1.1/Things/$ref", False),
        ("/sta/v1.1/openapi.json", False),
        ("/sta/v2.0/$metadata", False),
        ("/sta/v3", False),
        ("/stations", False),
    ],
)
def test_a_browser_gets_pages_where_there_are_any(path: str, expected: bool) -> None:
    assert _asked(path) is expected


def test_programs_get_what_they_always_got() -> None:
    for accept in (
        None,
        "*/*",
        "application/json",
        "application/json, text/html",
        "text/event-stream",
    ):
        assert not _asked("/sta/v1.1/Things", accept)
    assert not _asked("/sta/v1.1/Things", authorization="Bearer x")
    assert not _asked("/sta/v1.1/Things", method="POST")
    assert _asked("/sta/v1.1/Things", method="HEAD")


def test_caches_keep_pages_and_json_apart(level: int) -> None:
    vary = Client().get("/sta/v1.1/Things").headers["Vary"]
    assert {"Accept", "Cookie", "Accept-Language"} <= set(vary.split(", "))


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (76.8096, "76,81"),
        (20.0, "20"),
        (0.2113, "0,211"),
        (1234.567, "1.234,6"),
        (-3, "−3"),
        (0, "0"),
        (1e300, None),
        (True, "ja"),
        ("high", "high"),
        (None, "–"),
        (["a", "b"], "a, b"),
        ({"state": "ok"}, '{"state":"ok"}'),
        ([1, {"a": 2}], '[1,{"a":2}]'),
    ],
)
def test_any_value_is_shown_in_few_words(value: Any, text: str | None) -> None:
    shown = values.text_of(value)
    assert shown == text if text is not None else shown


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("2026-01-02T11:00:00Z", "2. Januar 2026, 12:00 Uhr"),
        ("2026-01-02T11:00:00Z/2026-01-02T12:00:00Z", "2. Januar 2026, 12:00 Uhr bis 2. Januar 2026, 13:00 Uhr"),
        ({"start": "2026-01-02T11:00:00Z"}, "2. Januar 2026, 12:00 Uhr"),
        ({"start": "2026-01-02T11:00:00Z", "end": "2026-01-02T11:00:00Z"}, "2. Januar 2026, 12:00 Uhr"),
        ("nonsense", "nonsense"),
        (None, "–"),
    ],
)  # fmt: skip
def test_times_are_on_the_city_s_clock(time: Any, text: str) -> None:
    assert values.period(time).replace("\N{NO-BREAK SPACE}", " ") == text


def test_places_are_told_whatever_they_are() -> None:
    square = [[[7.0, 49.0], [8.0, 49.0], [8.0, 50.0], [7.0, 49.0]]]
    assert values.place({"type": "Point", "coordinates": [-7.5, -49.25]}) == (
        "49,2500° Süd, 7,5000° West"
    )
    assert values.place({"type": "Polygon", "coordinates": square}).startswith(
        "Polygon um 49,5000°"
    )
    assert values.place({"strange": 1}) == '{"strange":1}'
    assert values.place("here") == "here"


def test_a_reading_of_a_combined_series_is_told_with_it(level: int) -> None:
    """On its own page, in the list of all readings and on the page of what was observed."""
    api = SensorThings(operator(create_organisation("weather", "Weather")))
    body = bodies.multi_datastream("Weather")
    (thing,) = api.get("/Things").ids
    combined = api.post(f"/Things({thing})/MultiDatastreams", body).key
    reading = api.post(
        f"/MultiDatastreams({combined})/Observations", bodies.observation([21.5, True])
    ).key
    page = get(f"/sta/v1.1/Observations({reading})")
    assert f"/sta/v1.1/MultiDatastreams({combined})" in page
    assert "Weather" in main(f"/sta/v1.1/Observations({reading})")
    assert "7.77" in page
    feature = api.get(f"/Observations({reading})/FeatureOfInterest").json["@iot.id"]
    about = get(f"/sta/v1.1/FeaturesOfInterest({feature})")
    assert f"/sta/v1.1/MultiDatastreams({combined})" in about
    listed = main("/sta/v1.1/Observations?$orderby=phenomenonTime")
    assert "Weather" in listed


# --- data sets ------------------------------------------------------------------------------------


@pytest.fixture
def other() -> int:
    """A series that is in no data set."""
    return stream(town="anderswo")


@pytest.fixture
def rivers(level: int) -> str:
    """A data set with one series."""
    told = {
        "slug": "rivers",
        "title": "Unsere Flüsse",
        "licence": "CC BY 4.0",
        "datastreams": [level],
    }
    return create_dataset({**told, "owner": create_organisation("wsa", "Wasseramt")}, SYSTEM)


@pytest.mark.parametrize("version", ["v1.1", "v2.0"])
def test_a_data_set_has_pages_of_its_own_with_nothing_beside_it(
    level: int, other: int, rivers: str, version: str
) -> None:
    root = f"/datasets/rivers/sta/{version}"
    words = main(root)
    for wanted in ("Unsere Flüsse", "Wasseramt", "CC BY 4.0"):
        assert wanted in words, wanted
    listed = get(f"{root}/Datastreams")
    assert f"{root}/Datastreams({level})" in listed
    assert f"Datastreams({other})" not in listed
    assert f"Datastreams({other})" in get(f"/sta/{version}/Datastreams")
    series = get(f"{root}/Datastreams({level})")
    assert f'href="{root}/Things(' in series
    assert "42,5" in main(f"{root}/Datastreams({level})")


def test_what_is_not_in_a_data_set_has_no_page_there(other: int, rivers: str) -> None:
    get(f"/datasets/rivers/sta/v1.1/Datastreams({other})", 404)
    get("/datasets/lakes/sta/v1.1", 404)
    update_dataset(rivers, {"access": "organisation"}, SYSTEM)
    get("/datasets/rivers/sta/v1.1", 404)
    assert "Unsere Flüsse" not in main("/daten/")


def test_the_data_page_leads_to_data_sets_and_their_short_address_to_the_page(rivers: str) -> None:
    assert 'href="/datasets/rivers/sta/v1.1"' in get("/daten/")
    assert 'href="/en/datasets/rivers/sta/v1.1"' in get("/en/daten/")
    assert Client().get("/datasets/rivers")["Location"] == "/datasets/rivers/sta/v1.1"


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/datasets", False),
        ("/datasets/rivers", True),
        ("/datasets/rivers/sta/v1.1/Things(1)", True),
        ("/datasets/rivers/sta/v1.1/Things(1)/name", False),
        ("/datasets/rivers/sta/v1.1/openapi.json", False),
    ],
)
def test_a_browser_gets_pages_of_data_sets_and_programs_json(path: str, page: bool) -> None:
    scope: dict[str, Any] = {"method": "GET", "path": path, "query_string": b""}
    assert is_for_people(scope | {"headers": [(b"accept", BROWSER.encode())]}) is page
    assert not is_for_people(scope | {"headers": [(b"accept", b"application/json")]})
