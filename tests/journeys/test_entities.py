"""Somebody opens the city's data in a browser: readable on phone and desk, light and dark."""

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.looking import DESK, PHONE, axe_violations, visit
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.process]

PATHS = [
    "/sta/v1.1",
    "/en/sta/v2.0",
    "/sta/v1.1/Datastreams",
    "/en/sta/v1.1/Observations",
    "/sta/v1.1/Things(1)",
    "/sta/v1.1/Datastreams(1)",
    "/en/sta/v2.0/Datastreams(1)",
    "/sta/v1.1/FeaturesOfInterest(1)",
    "/sta/v1.1/Things(999)",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("path", PATHS)
def test_an_address_of_the_interface_is_an_accessible_page(
    browser: Browser, city: Product, path: str, width: int, scheme: str
) -> None:
    page = visit(browser, city, path, width=width, color_scheme=scheme)
    page.wait_for_timeout(1500)
    assert axe_violations(page) == []
    complaints = page.complaints  # type: ignore[attr-defined]
    assert [each for each in complaints if "404" not in each] == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.context.close()


def test_from_the_interface_to_a_reading_by_links_alone(browser: Browser, city: Product) -> None:
    page = visit(browser, city, "/daten/", java_script_enabled=False)
    page.locator("main a code").click()
    page.get_by_role("link", name="Messreihen", exact=True).click()
    page.get_by_label("In Namen und Beschreibungen suchen").fill("wasserstand")
    page.get_by_role("button", name="Suchen").click()
    expect(page.locator("main")).to_contain_text("passen zu „wasserstand“")
    page.get_by_role("link", name="Pegel Lauterstraße: Wasserstand").click()
    expect(page.locator("h1")).to_have_text("Pegel Lauterstraße: Wasserstand")
    expect(page.locator("main svg.sh-plot")).to_be_visible()
    page.locator("#entity-readings a").first.click()
    expect(page.locator("main")).to_contain_text("in der Messreihe Pegel Lauterstraße")
    page.locator("a.sh-tool[hreflang=en]").click()
    expect(page.locator("main")).to_contain_text("in the series Pegel Lauterstraße")
    page.context.close()


def test_a_page_leads_on_through_a_long_list(browser: Browser, city: Product) -> None:
    page = visit(browser, city, "/en/sta/v1.1/Observations")
    first = page.locator("tbody a").first.get_attribute("href")
    for _ in range(3):
        page.get_by_role("link", name="Next page").click()
        page.wait_for_load_state()
    assert page.locator("tbody tr").count() == 25
    assert page.locator("tbody a").first.get_attribute("href") != first
    page.get_by_role("link", name="First page").click()
    expect(page.locator("main")).to_contain_text("entries")
    page.context.close()


def test_a_series_has_chart_map_and_live_values(browser: Browser, city: Product) -> None:
    page = visit(browser, city, "/sta/v1.1/Datastreams(1)")
    expect(page.locator("sh-chart svg").first).to_be_visible()
    expect(page.locator("sh-map canvas").first).to_be_visible()
    assert page.locator("sh-live").get_attribute("data-streams") == "1"
    page.context.close()


def test_programs_get_json_at_the_same_addresses(city: Product) -> None:
    address = f"{city.url}/sta/v1.1/Things(1)"
    for accept in (None, "*/*", "application/json"):
        headers = {"Accept": accept} if accept else {"Accept": ""}
        answer = httpx.get(address, headers=headers)
        assert answer.json()["@iot.id"] == 1
        assert "accept" in answer.headers["vary"].lower()
    page = httpx.get(address, headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    assert "accept" in page.headers["vary"].lower()
    assert "script-src 'self'" in page.headers["content-security-policy"]
