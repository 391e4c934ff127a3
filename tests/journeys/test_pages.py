"""What people see: in a real browser, on a phone and a desk, light and dark, with and without scripts."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from stadtherz.base.time import iso, now, to_us
from tests.journeys.looking import DESK, PHONE, axe_violations, visit
from tests.product import LAUTER, Product, eventually, tts

pytestmark = [pytest.mark.browser, pytest.mark.process]

PAGES = [
    "/",
    "/en/",
    "/pegel/",
    "/pegel/lauterstrasse/",
    "/en/pegel/lauterstrasse/",
    "/konto/login/",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_and_keeps_to_itself(
    browser: Browser, city: Product, path: str, width: int, scheme: str
) -> None:
    page = visit(browser, city, path, width=width, color_scheme=scheme)
    page.wait_for_timeout(1500)
    assert axe_violations(page) == []
    assert page.complaints == []  # type: ignore[attr-defined]
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0
    page.context.close()


@pytest.mark.parametrize("path", ["/", "/pegel/", "/pegel/lauterstrasse/"])
def test_a_page_tells_everything_without_javascript(
    browser: Browser, city: Product, path: str
) -> None:
    page = visit(browser, city, path, java_script_enabled=False)
    expect(page.locator("h1")).to_be_visible()
    expect(page.get_by_text("cm").first).to_be_visible()
    page.context.close()


def test_the_gauge_page_says_what_it_must(browser: Browser, city: Product) -> None:
    page = visit(browser, city, "/pegel/lauterstrasse/")
    text = page.locator("main").inner_text()
    for wanted in ("cm", "Vorwarn", "Alarm", "Public Domain", "Dead Run", "CSV"):
        assert wanted in text, wanted
    expect(page.locator("sh-chart svg").first).to_be_visible()
    expect(page.locator("sh-map canvas").first).to_be_visible()
    assert page.locator("main table").count() >= 2
    page.context.close()


@pytest.mark.parametrize("path", ["/", "/pegel/lauterstrasse/"])
def test_a_new_reading_appears_without_reload(browser: Browser, city: Product, path: str) -> None:
    page = visit(browser, city, path)
    page.evaluate("window.stayed = true")
    page.wait_for_timeout(1000)
    at = iso(to_us(now() + timedelta(seconds=1)))
    value = 123.0 if path == "/" else 124.0
    answer = city.uplink(tts(LAUTER, 500_000 + int(value), at, level_cm=value))
    assert answer.status_code in (200, 202), answer.text
    eventually(lambda: f"{value:.0f}" in page.locator("main").inner_text(), what="the new level")
    assert page.evaluate("window.stayed")
    page.context.close()


def test_a_page_says_that_its_server_is_away_and_comes_back(
    browser: Browser, city: Product
) -> None:
    page = visit(browser, city, "/daten/")  # a page without live values, to set the clock first
    page.clock.install()
    page.route("**/live?*", lambda route: route.abort())
    page.goto(city.url + "/pegel/", wait_until="load")
    notice = page.locator("sh-live")
    expect(notice).to_be_empty()
    page.clock.fast_forward(20_000)
    expect(notice).to_contain_text("Die Verbindung zum Server ist unterbrochen.")
    page.unroute("**/live?*")
    page.clock.fast_forward(120_000)
    page.clock.run_for(5_000)
    expect(notice).to_be_empty()
    page.context.close()


@pytest.mark.parametrize("path", ["/", "/pegel/", "/pegel/lauterstrasse/"])
def test_enlarged_text_stays_on_the_page(browser: Browser, city: Product, path: str) -> None:
    page = visit(browser, city, path, width=768)
    page.evaluate(
        """() => {
            const larger = new CSSStyleSheet();
            larger.replaceSync("html { font-size: 200% }");
            document.adoptedStyleSheets = [larger];
        }"""
    )
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    for box in ("sh-tile", "sh-card"):
        wide = f"[...document.querySelectorAll('.{box}')].filter(e => e.scrollWidth > e.clientWidth + 1)"
        assert page.evaluate(f"{wide}.length") == 0, box
    page.context.close()


def test_the_keyboard_reaches_content_and_pins(browser: Browser, city: Product) -> None:
    page = visit(browser, city, "/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    focusable = page.locator("sh-map a, sh-map button")
    eventually(lambda: focusable.count() > 0, what="pins in the tab order")
    page.context.close()


def test_staff_find_gauges_devices_refused_uplinks_and_alerts(
    browser: Browser, city: Product
) -> None:
    page = visit(browser, city, "/konto/login/")
    account = city.facts["accounts"]["editor"]
    page.get_by_label("E-Mail").fill(account["email"])
    page.get_by_label("Passwort").first.fill(account["password"])
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/verwaltung/")
    for path in ("gauge/", "device/", "refused/", "alert/"):
        page.goto(f"{city.url}/verwaltung/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.complaints == []  # type: ignore[attr-defined]
    page.context.close()
