"""The back office in a real browser: it works under a policy without a single exception."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect, sync_playwright

from stadtherz.identity.public import create_user
from stadtherz.web.tests.staff_cast import Town, town

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CHROMIUM = os.environ.get("STADTHERZ_CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    "--no-sandbox --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
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
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/verwaltung/")
        page.locator("input[name=login]").fill("root@stadtherz.example")
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("main form button[type=submit]").click()
        page.wait_for_url("**/verwaltung/")
        yield page
        browser.close()
    assert not complaints, "\n".join(complaints)


def test_lists_forms_filters_and_menus_work(page: Page, home: Town) -> None:
    page.goto(reverse("device:index"))
    page.screenshot(path="/tmp/idtest/index.png")
    page.goto(reverse("device:add"))
    page.screenshot(path="/tmp/idtest/add.png")
    page.goto(reverse("device:edit", args=[home.device]))
    page.goto(reverse("device:inspect", args=[home.device]))
    page.goto(reverse("refused:inspect", args=[home.refused]))
    page.screenshot(path="/tmp/idtest/refused.png")
    page.goto(reverse("audit:index"))
    page.goto("/verwaltung/")
    page.screenshot(path="/tmp/idtest/home.png")
