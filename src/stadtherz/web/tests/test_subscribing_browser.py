"""In a real browser: a citizen confirms, changes and ends their warnings with the keyboard alone.

A browser names no origin for a form on a page that hides its address even from its own site, and such a
form is refused: what a client without a browser sends does not show that.
"""

from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse
from playwright.sync_api import expect, sync_playwright

from stadtherz.alerts.models import Subscriber
from stadtherz.alerts.public import citizens
from stadtherz.web.tests.staff_cast import town
from stadtherz.web.tests.test_staff_browser import CHROMIUM, FLAGS
from stadtherz.web.tests.test_staff_duty_browser import PHONE, looked_at

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def path() -> str:
    cache.clear()
    town("lautern")
    citizens.subscribe("buerger@web.example", language="de", wishes=[citizens.Wish()])
    return reverse("web:subscription", args=[citizens.token_of(Subscriber.objects.get())])


def test_a_citizen_confirms_changes_and_leaves_with_the_keyboard(
    path: str, live_server: Any
) -> None:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(base_url=live_server.url, locale="de-DE", viewport=PHONE)
        page.goto(path)
        looked_at(page, "subscription-asked")
        page.get_by_role("button", name="Ja, senden Sie mir Warnungen").press("Enter")
        expect(page.get_by_text("Gespeichert. Sie erhalten")).to_be_visible()
        looked_at(page, "subscription")
        page.get_by_role("radio", name="nur Gefahr").press("Space")
        page.get_by_role("button", name="Speichern").press("Enter")
        expect(page.get_by_role("radio", name="nur Gefahr")).to_be_checked()
        page.get_by_role("button", name="Abmelden und meine Adresse löschen").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("abgemeldet")
        looked_at(page, "subscription-left")
        browser.close()
    assert not Subscriber.objects.exists()
