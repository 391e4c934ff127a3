"""The back office in a real browser: it works under a policy without a single exception."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import NoReverseMatch, reverse
from playwright.sync_api import ConsoleMessage, Page, expect, sync_playwright

from stadtherz.identity.public import create_user
from stadtherz.web.tests.staff_cast import Town, town

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CHROMIUM = os.environ.get("STADTHERZ_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "ein gutes Passwort"


@pytest.fixture
def home() -> Town:
    made = town("lautern")
    create_user("root@stadtherz.example", PASSWORD, "Root", superuser=True)
    return made


@pytest.fixture
def page(home: Town, live_server: Any) -> Iterator[Page]:
    """A signed-in browser that fails the test on any complaint of the console."""
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed")
    complaints: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(base_url=live_server.url, locale="de-DE")
        page.on("console", lambda m: complaints.append(m.text) if _complains(m) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/verwaltung/")
        page.locator("input[name=login]").fill("root@stadtherz.example")
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("main form button[type=submit]").click()
        page.wait_for_url("**/verwaltung/")
        yield page
        browser.close()
    assert not complaints, "\n".join(complaints)


def _complains(message: ConsoleMessage) -> bool:
    """The live stream is served beside Django, by what this server lacks (tests/journeys has it)."""
    return message.type == "error" and "/live?" not in message.location["url"]


def test_every_kind_of_page_opens_without_a_complaint(page: Page, home: Town) -> None:
    for url in (
        "/verwaltung/",
        reverse("device:add"),
        reverse("device:edit", args=[home.device]),
        reverse("device:history", args=[home.device]),
        reverse("device:usage", args=[home.device]),
        reverse("device:delete", args=[home.device]),
        reverse("refused:inspect", args=[home.refused]),
        reverse("connection:index"),
        reverse("connection:add"),
        reverse("connection:inspect", args=[home.connection]),
        reverse("downlinkserver:index"),
        reverse("downlinkserver:add"),
        reverse("downlinkserver:inspect", args=[home.downlink_server]),
        reverse("pullsource:index"),
        reverse("pullsource:add"),
        reverse("pullsource:inspect", args=[home.source]),
        reverse("audit:index"),
        reverse("token:add"),
        "/konto/password/change/",
    ):
        response = page.goto(url)
        assert response is not None
        assert response.status == 200, url
        expect(page.locator("main h1, main h2").first).to_be_visible()


def test_the_menu_opens_and_leads_to_a_list(page: Page) -> None:
    page.get_by_role("button", name=re.compile("Daten|Data")).click()
    page.get_by_role("link", name=re.compile("^(Geräte|Devices)$")).click()
    page.wait_for_url("**/verwaltung/device/")
    expect(page.get_by_text("Sonde lautern")).to_be_visible()


def test_the_menu_of_a_row_opens(page: Page, home: Town) -> None:
    page.goto(reverse("device:index"))
    page.locator("td.title [data-w-dropdown-target=toggle]").first.click()
    page.locator(f"a[href='{reverse('device:delete', args=[home.device])}']").click()
    page.wait_for_url("**/verwaltung/device/delete/**")


def test_typing_searches_and_a_filter_narrows_without_reload(page: Page, home: Town) -> None:
    page.goto(reverse("device:index"))
    page.locator("#id_q").fill("gibtsnicht")
    expect(page.get_by_text("Sonde lautern")).to_have_count(0)
    page.locator("#id_q").fill("Sonde")
    expect(page.get_by_text("Sonde lautern")).to_be_visible()
    page.locator("[data-controller~=w-drilldown], .w-filter-button").first.click()
    expect(page.locator("[name=network]").first).to_be_attached()


def test_a_form_saves_and_says_so(page: Page, home: Town) -> None:
    page.goto(reverse("device:edit", args=[home.device]))
    page.locator("input[name=name]").fill("Sonde am Steg")
    page.locator("button[type=submit].action-save, form button[type=submit]").last.click()
    page.wait_for_url("**/verwaltung/device/")
    expect(page.locator(".messages")).to_contain_text("Sonde am Steg")


def test_a_row_is_added_in_an_inline_panel(page: Page) -> None:
    """Wagtail starts these panels by an inline script; ours is a file."""
    try:
        url = reverse("gauge:add")
    except NoReverseMatch:
        pytest.skip("no service with an inline panel is switched on")
    page.goto(url)
    page.locator("#id_steps-ADD").click()
    expect(page.locator("#id_steps-0-level")).to_be_visible()


def test_a_new_token_is_shown(page: Page, home: Town) -> None:
    page.goto(reverse("token:add"))
    page.locator("input[name=name]").fill("Netz")
    page.locator("select[name=organisation]").select_option(str(home.organisation))
    page.locator("input[name=scopes][value=ingest]").check()
    page.locator("form button[type=submit]").last.click()
    expect(page.locator("#token-text")).to_have_value(re.compile("^sh_"))


def test_the_button_of_the_sidebar_signs_out(page: Page) -> None:
    page.locator(".sidebar-footer button").first.click()
    page.get_by_role("button", name="Abmelden").click()
    page.goto("/verwaltung/")
    page.wait_for_url("**/konto/login/**")
