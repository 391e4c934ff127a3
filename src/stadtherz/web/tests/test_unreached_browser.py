"""In a real browser, on a phone and at a desk: nobody was reached, few readings, and the figures."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect, sync_playwright

from stadtherz.alerts.public import Alert
from stadtherz.base.time import HOUR, MINUTE, Period, now_us
from stadtherz.identity.public import create_user
from stadtherz.store.public import Reading, append
from stadtherz.web.tests.staff_cast import Town, town
from stadtherz.web.tests.test_alarm_board import called, quiet
from stadtherz.web.tests.test_staff_browser import PASSWORD
from stadtherz.web.tests.test_staff_duty_browser import DESK, PHONE, looked_at
from stadtherz.web.tests.test_staff_tables_browser import signed_in
from stadtherz.web.tests.warning_cast import goes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def home() -> Town:
    made = quiet(town("lautern"))
    create_user("root@stadtherz.example", PASSWORD, "Root", superuser=True)
    return made


@pytest.fixture
def alert(home: Town) -> Alert:
    """From a single reading, and nobody was reached."""
    at = now_us() - 10 * MINUTE
    append([Reading(home.stream, Period(at), 120.0)])
    goes(home.stream, 0, 2, at=at, public=False)
    found = Alert.objects.get()
    called(home, found, anna="failed", ben="uncertain")
    return found


# What of a list a phone does not show without pushing it aside.
ASIDE = """() => [...document.querySelectorAll("#listing-results :is(td, th, a)")]
  .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1)
  .map((e) => e.outerHTML.slice(0, 120))"""


def sticks_out(page: Page) -> list[str]:
    """Tables that have to be pushed aside."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('.staff-wide')].filter(e => e.scrollWidth > e.clientWidth)"
        ".map(e => e.textContent.slice(0, 60))"
    )
    return found


def test_an_alarm_that_reached_nobody_says_so_and_shows_its_one_reading(
    alert: Alert, live_server: Any
) -> None:
    with sync_playwright() as play:
        page = signed_in(play, live_server.url, viewport=DESK, reduced_motion="reduce")
        page.goto(live_server.url + reverse("alert:board"))
        expect(page.get_by_text("Vielleicht wurde niemand erreicht")).to_be_visible()
        expect(page.get_by_role("link", name="+49151234567")).to_have_attribute(
            "href", "tel:+49151234567"
        )
        looked_at(page, "unreached-board")
        page.goto(live_server.url + reverse("alert:inspect", args=[alert.pk]))
        expect(page.locator("circle.sh-plot__dot")).to_have_count(1)
        looked_at(page, "unreached-alert")
        page.goto(live_server.url + reverse("alert:index"))
        expect(page.get_by_text("niemand erreicht")).to_be_visible()
        looked_at(page, "unreached-history")


def test_figures_are_read_from_top_to_bottom_on_a_phone(
    home: Town, alert: Alert, live_server: Any
) -> None:
    Alert.objects.update(acknowledged_at=alert.opened_at + 5 * MINUTE)
    with sync_playwright() as play:
        page = signed_in(play, live_server.url, viewport=PHONE, reduced_motion="reduce")
        page.goto(live_server.url + reverse("alert:statistics"))
        assert sticks_out(page) == []
        label = page.locator("td[data-label='Fehlalarme, von den beurteilten']").first
        assert "Fehlalarme" in label.evaluate("e => getComputedStyle(e, '::before').content")
        looked_at(page, "alarm-figures")


LISTS = ("alert", "rule", "delivery", "contact", "device", "refused", "codec", "datastream")


def test_lists_are_read_from_top_to_bottom_on_a_phone(
    home: Town, alert: Alert, live_server: Any
) -> None:
    """Each value stands beside its column's name, what can be sorted by stays in reach."""
    with sync_playwright() as play:
        page = signed_in(play, live_server.url, viewport=PHONE, reduced_motion="reduce")
        for name in LISTS:
            page.goto(live_server.url + reverse(f"{name}:index"))
            cells = page.locator("#listing-results td[data-label]:not(:empty)")
            assert cells.count(), name
            label = cells.first.evaluate("e => getComputedStyle(e, '::before').content")
            assert label.strip('"') == cells.first.get_attribute("data-label")
            assert page.evaluate(ASIDE) == [], name
            expect(page.locator("#listing-results thead a").first).to_be_in_viewport()
        looked_at(page, "list")


def test_a_datastream_with_one_reading_has_a_picture(home: Town, live_server: Any) -> None:
    append([Reading(home.stream, Period(now_us() - HOUR), 42.0)])
    with sync_playwright() as play:
        page = signed_in(play, live_server.url, viewport=DESK, reduced_motion="reduce")
        path = f"/Datastreams({home.stream})"
        address = reverse("web:entities", kwargs={"version": "1.1", "path": path})
        page.goto(live_server.url + address)
        expect(page.locator(".sh-chart__drawing svg")).to_be_visible()
        looked_at(page, "one-reading")
