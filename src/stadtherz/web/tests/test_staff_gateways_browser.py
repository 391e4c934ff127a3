"""In a real browser, on a phone and at a desk: a gateway is set up and tried, and a message is sent again."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect, sync_playwright

from stadtherz.alerts.public import Delivery, Gateway
from stadtherz.alerts.tests.test_gateway_health import Provider
from stadtherz.identity.public import create_user
from stadtherz.web.tests.staff_cast import Town, town
from stadtherz.web.tests.test_staff_browser import PASSWORD
from stadtherz.web.tests.test_staff_duty_browser import DESK, looked_at, saves
from stadtherz.web.tests.test_staff_tables_browser import signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OWN = '{"path": "/sms", "body": {"to": "{to}", "text": "{text}"}}'


@pytest.fixture
def home() -> Town:
    made = town("lautern")
    create_user("root@stadtherz.example", PASSWORD, "Root", superuser=True)
    return made


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


def test_a_gateway_is_set_up_and_tried(home: Town, provider: Provider, live_server: Any) -> None:
    with sync_playwright() as play:
        page = signed_in(play, live_server.url, viewport=DESK, reduced_motion="reduce")
        page.goto(reverse("gateway:add"))
        looked_at(page, "gateway-kinds")
        page.locator("main a[href*='kind=http']").click()
        page.locator("[name=name]").fill("Anbieter")
        page.locator("[name=set_form]").fill(OWN)
        page.locator("[name=set_url]").fill("http://anbieter.example")
        saves(page)
        expect(page.locator(".w-field__errors").first).to_be_visible()
        looked_at(page, "gateway-mistake")
        page.locator("[name=set_url]").fill(provider.url)
        saves(page)
        page.wait_for_url("**/verwaltung/gateway/")
        expect(page.get_by_text("noch nicht ausprobiert")).to_be_visible()
        looked_at(page, "gateways")

        page.goto(reverse("gateway:inspect", args=[Gateway.objects.get(name="Anbieter").pk]))
        page.get_by_label("Telefonnummer").fill("0151 23456789")
        page.get_by_role("button", name="Testnachricht").press("Enter")
        expect(page.get_by_text("in Ordnung")).to_be_visible()
        looked_at(page, "gateway")
        provider.status = 503
        page.get_by_label("Telefonnummer").fill("0151 23456789")
        page.get_by_role("button", name="Testnachricht").click()
        expect(page.get_by_text("nimmt keine Nachrichten an seit").first).to_be_visible()
        looked_at(page, "gateway-down")
        page.context.close()
    assert len(provider.bodies) == 2


def test_a_message_that_failed_is_found_and_sent_again(home: Town, live_server: Any) -> None:
    Delivery.objects.filter(pk=home.delivery).update(
        status=Delivery.Status.UNCERTAIN, gateway="Anbieter", channel="sms", parts=2
    )
    with sync_playwright() as play:
        page = signed_in(play, live_server.url, viewport=DESK, reduced_motion="reduce")
        page.goto(f"{reverse('delivery:index')}?status=uncertain&gateway=Anbieter")
        looked_at(page, "deliveries")
        page.goto(reverse("delivery:inspect", args=[home.delivery]))
        expect(page.get_by_text("Anbieter").first).to_be_visible()
        looked_at(page, "delivery")
        page.locator("form[action*='/again/'] button").click()
        expect(page.locator("form[action*='/again/']")).to_have_count(0)
        page.context.close()
    assert Delivery.objects.get(pk=home.delivery).status == Delivery.Status.QUEUED
