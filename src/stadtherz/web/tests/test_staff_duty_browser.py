"""In a real browser, on a phone and at a desk: a clerk sets up who is called, and somebody is called."""

import os
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page, expect, sync_playwright

from stadtherz.alerts.public import Alert, Contact, ContactList, Delivery, link_for
from stadtherz.identity.public import create_user
from stadtherz.web.tests.staff_cast import Town, town
from stadtherz.web.tests.test_staff_browser import CHROMIUM, FLAGS, PASSWORD
from stadtherz.web.tests.test_staff_tables_browser import signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
# What fades in has no colours of its own yet: nothing may be on its way any more.
STILL = "() => document.getAnimations().every(each => each.playState === 'finished')"
SHOTS = os.environ.get("STADTHERZ_SCREENSHOTS", "")


@pytest.fixture
def home() -> Town:
    made = town("lautern")
    create_user("root@stadtherz.example", PASSWORD, "Root", superuser=True)
    return made


def looked_at(page: Page, name: str) -> None:
    """Light and dark, on a phone and at a desk: axe finds nothing and nothing sticks out."""
    for size, scheme in ((PHONE, "dark"), (DESK, "light")):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.wait_for_function(STILL)
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
        assert not found.response["violations"], found.generate_report()
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{name} at {size['width']}"
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{scheme}-{size['width']}.png", full_page=True)
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="light")


def saves(page: Page) -> None:
    page.locator(
        "main form button[type=submit].action-save, main form button[type=submit]"
    ).last.click()


def test_a_clerk_sets_up_who_is_called_and_tries_it_out(home: Town, live_server: Any) -> None:
    with sync_playwright() as play:
        page = signed_in(play, live_server.url, viewport=DESK, reduced_motion="reduce")
        complaints: list[str] = []
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))

        page.goto(reverse("contact:add"))
        page.locator("input[name=name]").fill("Erika Meyer")
        page.locator("[name=owner]").select_option(str(home.organisation))
        page.locator("[name=addresses-0-channel]").select_option("sms")
        page.locator("[name=addresses-0-address]").fill("12")
        saves(page)
        expect(page.get_by_text("Das ist keine Telefonnummer wie")).to_be_visible()
        looked_at(page, "contact")
        page.locator("[name=addresses-0-address]").fill("0151 23456789")
        saves(page)
        page.wait_for_url("**/verwaltung/contact/")

        page.goto(reverse("roster:edit", args=[home.roster]))
        looked_at(page, "roster-form")
        page.goto(reverse("roster:inspect", args=[home.roster]))
        expect(page.get_by_text("Wehr lautern hat Bereitschaft")).to_be_visible()
        looked_at(page, "roster")
        page.get_by_role("link", name="Tauschen").first.click()
        page.locator("[name=contact]").select_option(label="Erika Meyer")
        looked_at(page, "swap")
        page.get_by_role("button", name="Dienst tauschen").click()
        expect(page.get_by_text("Erika Meyer hat Bereitschaft bis")).to_be_visible()
        expect(page.get_by_role("cell", name="Erika Meyer (getauscht)")).to_be_visible()
        looked_at(page, "swapped")

        page.goto(reverse("contactlist:edit", args=[home.contactlist]))
        looked_at(page, "list-form")
        page.get_by_label("Erika Meyer").check()
        page.locator("[name=remind_minutes]").fill("5")
        saves(page)
        page.wait_for_url("**/verwaltung/contactlist/")
        looked_at(page, "lists")
        page.goto(reverse("contactlist:inspect", args=[home.contactlist]))
        expect(page.get_by_text("Sofort: Erika Meyer und Wehr lautern.")).to_be_visible()
        looked_at(page, "list")

        page.goto(reverse("drill:inspect", args=[home.drill]))
        page.get_by_role("button", name="Probealarm jetzt beenden").press("Enter")
        expect(page.get_by_text("Der Probealarm ist vorbei").first).to_be_visible()
        page.goto(reverse("contactlist:inspect", args=[home.contactlist]))
        page.get_by_role("button", name="Probealarm starten").press("Enter")
        expect(page.get_by_text("0 von 2 Personen haben geantwortet")).to_be_visible()
        looked_at(page, "drill")

        page.goto(reverse("pause:index"))
        looked_at(page, "pauses")
        page.goto(reverse("pause:add"))
        looked_at(page, "pause-form")
        page.goto(reverse("pause:inspect", args=[home.pause]))
        looked_at(page, "pause")
        page.get_by_role("button", name="Pause jetzt beenden").click()
        expect(page.get_by_text("Die Pause ist beendet")).to_be_visible()
        assert complaints == []
        page.context.close()


@pytest.mark.parametrize("script", [True, False])
def test_somebody_takes_it_on_from_a_phone_without_signing_in(
    home: Town, live_server: Any, *, script: bool
) -> None:
    path = link_for(Delivery.objects.get(pk=home.delivery))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(
            base_url=live_server.url, viewport=PHONE, java_script_enabled=script
        )
        page.goto(path)
        button = page.get_by_role("button", name="Der Probealarm ist bei mir angekommen")
        expect(page.get_by_role("heading", name="PROBEALARM: Liste lautern")).to_be_visible()
        box = button.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= PHONE["height"]  # to be seen without scrolling
        assert (box["height"], box["width"]) >= (60, 300)
        if script:
            looked_at(page, "answer")
        button.press("Enter")
        expect(page.get_by_text("Ihre Antwort auf den Probealarm ist angekommen")).to_be_visible()
        if script:
            looked_at(page, "answered")
        browser.close()
    assert Alert.objects.get(pk=home.alert).cleared_at is not None
    assert ContactList.objects.get(pk=home.contactlist).contacts.get() == Contact.objects.get()
