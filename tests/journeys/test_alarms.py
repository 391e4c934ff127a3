"""A flood at night: the public is warned without reloading, and somebody takes it on with a phone."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from stadtherz.base.time import iso, now, to_us
from tests.journeys.looking import PHONE, axe_violations, looked_at, signed_in, visit
from tests.product import LAUTER, Product, eventually, tts

pytestmark = [pytest.mark.browser, pytest.mark.process]


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    product = Product(tmp_path / "city").start()
    yield product
    product.kill()


def rise(product: Product, number: int, level: float) -> None:
    at = iso(to_us(now() - timedelta(seconds=5)))
    answer = product.uplink(tts(LAUTER, number, at, level_cm=level))
    assert answer.status_code in (200, 202), answer.text


def test_everybody_is_warned_without_reloading_and_may_hide_it(
    browser: Browser, product: Product, tmp_path: Path
) -> None:
    rise(product, 1, 40)
    page = visit(browser, product, "/impressum/")
    expect(page.locator("sh-banner")).to_have_count(0)
    page.evaluate("window.stayed = true")
    page.wait_for_timeout(1500)  # the line of news is open
    rise(product, 2, 120)
    banner = page.locator("sh-banner")
    expect(banner).to_contain_text("Gefahr: Alarm", timeout=20_000)
    assert page.evaluate("window.stayed")
    page.screenshot(path=tmp_path / "banner.png")
    for width, scheme in ((PHONE, "dark"), (1400, "light")):
        warned = visit(browser, product, "/warnungen/", width=width, color_scheme=scheme)
        warned.wait_for_timeout(1500)
        assert axe_violations(warned) == []
        assert warned.complaints == []  # type: ignore[attr-defined]
        assert warned.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        warned.screenshot(path=tmp_path / f"warnings-{width}.png", full_page=True)
        warned.context.close()
    assert axe_violations(page) == []
    banner.get_by_role("button", name="Diese Warnung ausblenden").click()
    expect(banner).to_be_hidden()
    page.reload()
    expect(page.locator("sh-banner")).to_be_hidden()
    rise(product, 3, 40)
    expect(page.locator("sh-banner")).to_have_count(0, timeout=20_000)
    rise(product, 4, 80)
    expect(page.locator("sh-banner")).to_be_visible(timeout=20_000)
    assert page.complaints == []  # type: ignore[attr-defined]
    page.context.close()


def test_the_warning_stands_there_without_scripts(browser: Browser, product: Product) -> None:
    rise(product, 1, 120)
    eventually(lambda: "Gefahr: Alarm" in product.client().get("/").text, what="the warning")
    page = visit(browser, product, "/", java_script_enabled=False)
    expect(page.locator("sh-banner")).to_contain_text("Gefahr: Alarm", timeout=20_000)
    expect(page.get_by_role("button", name="Diese Warnung ausblenden")).to_be_hidden()
    page.context.close()


def test_an_alarm_is_taken_on_with_a_phone_at_night(
    browser: Browser, product: Product, tmp_path: Path
) -> None:
    rise(product, 1, 40)
    page = signed_in(
        browser, product, viewport={"width": PHONE, "height": 740}, color_scheme="dark"
    )
    page.goto("/verwaltung/alert/board/")
    expect(page.get_by_text("Alles in Ordnung")).to_be_visible()
    page.wait_for_timeout(1500)
    rise(product, 2, 120)
    card = page.locator(".staff-alarm")
    expect(card).to_contain_text("Gefahr", timeout=20_000)
    expect(page.locator("sh-alarm [role=status]")).to_contain_text("Neuer Alarm: Alarm")
    button = page.get_by_role("button", name="Ich übernehme")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 48
    page.screenshot(path=tmp_path / "board-phone.png", full_page=True)
    sound = page.get_by_role("button", name="Ton, wenn etwas Neues kommt")
    expect(sound).to_have_attribute("aria-pressed", "false")
    sound.click()
    expect(sound).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(sound).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Bemerkung").fill("Bin unterwegs")
    button.click()
    expect(page.locator(".messages")).to_contain_text("Sie haben übernommen.")
    expect(button).to_have_count(0)
    looked_at(page, tmp_path, "board")
    page.locator(".staff-alarm h2 a").click()
    expect(page.get_by_text("Bin unterwegs")).to_be_visible()
    looked_at(page, tmp_path, "alert")
    page.goto("/verwaltung/alert/statistics/")
    expect(page.get_by_text("1 Alarm in den letzten zwölf Monaten.")).to_be_visible()
    looked_at(page, tmp_path, "figures")
    assert page.complaints == []  # type: ignore[attr-defined]
    page.context.close()


def test_a_rule_is_set_up_by_keyboard(browser: Browser, product: Product, tmp_path: Path) -> None:
    rise(product, 1, 42)
    page = signed_in(browser, product)
    page.goto("/verwaltung/rule/new/")
    looked_at(page, tmp_path, "rule-form")
    page.locator("#id_name_de").focus()
    page.keyboard.type("Hochwasser am Radweg")
    stream = page.locator("#id_datastream")
    stream.focus()
    page.keyboard.type("Pegel Lauter")
    chosen = stream.locator("option:checked")
    expect(chosen).to_contain_text("jetzt 42")
    for field, text in (("name_de", "Radweg nass"), ("limit", "70"), ("hysteresis", "5")):
        page.locator(f"#id_steps-0-{field}").fill("")
        page.locator(f"#id_steps-0-{field}").focus()
        page.keyboard.type(text)
    november = page.locator("#id_steps-0-months input[value='11']")
    november.focus()
    page.keyboard.press("Space")
    expect(november).to_be_checked()
    page.locator("#id_steps-0-limit").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/verwaltung/rule/preview/**")
    expect(page.get_by_text("Hochwasser am Radweg – ausgeschaltet")).to_be_visible()
    looked_at(page, tmp_path, "rule-preview")
    assert page.complaints == []  # type: ignore[attr-defined]
    page.context.close()
