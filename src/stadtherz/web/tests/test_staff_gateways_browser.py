"""In a real browser, on a phone and at a desk: whoever runs the city sets up a gateway and tries it."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect, sync_playwright

from stadtherz.alerts.tests.test_gateway_health import Provider
from stadtherz.identity.public import create_user
from stadtherz.web.tests.staff_cast import town
from stadtherz.web.tests.test_staff_browser import PASSWORD
from stadtherz.web.tests.test_staff_duty_browser import DESK, looked_at
from stadtherz.web.tests.test_staff_tables_browser import signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_gateway_is_set_up_tried_and_found_dead(live_server: Any) -> None:
    town("lautern")
    create_user("root@stadtherz.example", PASSWORD, "Root", superuser=True)
    provider = Provider()
    with sync_playwright() as play:
        page = signed_in(play, live_server.url, viewport=DESK, reduced_motion="reduce")
        page.goto(reverse("gateway:add"))
        looked_at(page, "gateway-kinds")
        page.get_by_role("link", name="SMS-Gateway (HTTP)").click()
        page.locator("[name=name]").fill("Anbieter")
        page.locator("[name=set_form]").fill('{"path": "/sms", "body": {"to": "{to}"}}')
        page.locator("[name=set_url]").fill("http://anbieter.example")
        page.locator("main form button[type=submit]").last.click()
        expect(page.get_by_text("Das passt nicht:")).to_be_visible()
        looked_at(page, "gateway-mistake")
        page.locator("[name=set_url]").fill(provider.url)
        page.locator("main form button[type=submit]").last.click()
        page.wait_for_url("**/verwaltung/gateway/")
        expect(page.get_by_text("noch nicht ausprobiert")).to_be_visible()
        inspect = page.locator("a[href*='/gateway/inspect/']").first.get_attribute("href")
        page.goto(inspect or "")
        page.get_by_label("Ausprobieren: eine Telefonnummer").fill("0151 23456789")
        page.get_by_role("button", name="Testnachricht senden").press("Enter")
        expect(page.get_by_text("Das Gateway hat es angenommen").first).to_be_visible()
        looked_at(page, "gateway-fine")
        provider.close()
        page.get_by_label("Ausprobieren: eine Telefonnummer").fill("0151 23456789")
        page.get_by_role("button", name="Testnachricht senden").press("Enter")
        expect(page.get_by_text("nimmt keine Nachrichten an seit")).to_be_visible()
        looked_at(page, "gateway-dead")
        page.goto(reverse("gateway:index"))
        looked_at(page, "gateways")
    assert provider.bodies == ['{"to": "+4915123456789"}']
