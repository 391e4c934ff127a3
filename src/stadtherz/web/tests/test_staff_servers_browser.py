"""Servers for messages to devices, and sources that are pulled, on a phone and at a desk, light and dark."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page, expect, sync_playwright

from stadtherz.base.time import now_us
from stadtherz.identity.public import create_user
from stadtherz.ingest.public import DownlinkServer, PullSource
from stadtherz.web.tests.staff_cast import Town, town
from stadtherz.web.tests.test_staff_browser import CHROMIUM, PASSWORD
from stadtherz.web.tests.test_staff_tables_browser import SHOTS, signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


STILL = """() => Promise.allSettled(document.getAnimations()
  .filter((each) => each.effect.getComputedTiming().endTime !== Infinity).map((each) => each.finished))"""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the browser's loop is in this thread
    made = town("lautern")
    create_user("root@stadtherz.example", PASSWORD, "Root", superuser=True)
    return made


@pytest.fixture(params=["light", "dark"])
def page(request: Any, home: Town, live_server: Any) -> Iterator[Page]:
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed")
    with sync_playwright() as play:
        yield signed_in(play, live_server.url, color_scheme=request.param)


def look(page: Page, name: str) -> None:
    """Nothing is wider than the screen, and axe finds nothing."""
    for width, height in ((360, 1900), (1280, 1500)):
        page.set_viewport_size({"width": width, "height": height})
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{scheme(page)}-{width}.png")
        # The menu makes room when it has heard of the new size, and what appears fades in.
        page.wait_for_function("most => document.documentElement.scrollWidth <= most", arg=width)
        page.evaluate(STILL)
        found = Axe().run(page, context="main")
        assert found.violations_count == 0, found.generate_report()


def scheme(page: Page) -> str:
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    return "dark" if dark else "light"


def test_a_server_for_messages_to_devices_is_set_up(page: Page, home: Town) -> None:
    DownlinkServer.objects.all().delete()
    page.goto(reverse("downlinkserver:add"))
    look(page, "server-add")
    page.locator("select[name=network]").select_option("tts")
    page.locator("input[name=url]").fill("eu1 cloud")
    with page.expect_navigation():
        page.get_by_role("button", name="Erstellen").first.click()
    look(page, "server-mistakes")
    page.locator("input[name=url]").fill("https://eu1.cloud.thethings.network")
    page.locator("select[name=owner]").select_option(label="Lautern")
    page.locator("input[name=key]").fill("NNSXS.X")
    page.locator("input[name=webhook]").fill("stadtherz")
    page.get_by_role("button", name="Erstellen").first.click()
    expect(page.get_by_text("https://eu1.cloud.thethings.network").first).to_be_visible()
    DownlinkServer.objects.update(
        problem="credentials", facts={"host": "eu1.cloud.thethings.network"}, problem_at=now_us()
    )
    page.goto(reverse("downlinkserver:index"))
    look(page, "server-list")
    page.goto(reverse("downlinkserver:inspect", args=[DownlinkServer.objects.get().pk]))
    expect(page.get_by_text("nimmt den Schlüssel nicht an")).to_be_visible()
    expect(page.get_by_text("ja", exact=True)).to_be_visible()
    look(page, "server-page")


def test_a_source_is_set_up(page: Page, home: Town) -> None:
    PullSource.objects.all().delete()
    page.goto(reverse("pullsource:add"))
    look(page, "source-add")
    page.locator("input[name=url]").fill("frost example")
    with page.expect_navigation():
        page.get_by_role("button", name="Erstellen").first.click()
    look(page, "source-mistakes")
    page.locator("input[name=name]").fill("Landesamt")
    page.locator("select[name=owner]").select_option(label="Lautern")
    page.locator("input[name=url]").fill("https://frost.example/v1.1")
    page.get_by_role("button", name="Erstellen").first.click()
    expect(page.get_by_text("Landesamt").first).to_be_visible()
    PullSource.objects.update(
        problem="no_answer",
        facts={"host": "frost.example", "told": "timed out"},
        problem_at=now_us(),
    )
    page.goto(reverse("pullsource:index"))
    look(page, "source-list")
    page.goto(reverse("pullsource:inspect", args=[PullSource.objects.get().pk]))
    look(page, "source-page")
