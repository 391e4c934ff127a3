"""In a real browser, on a phone and at a desk: a message that may not have arrived is sent again."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect, sync_playwright

from stadtherz.alerts.public import Delivery
from stadtherz.identity.public import create_user
from stadtherz.web.tests.staff_cast import town
from stadtherz.web.tests.test_staff_browser import PASSWORD
from stadtherz.web.tests.test_staff_duty_browser import DESK, looked_at
from stadtherz.web.tests.test_staff_tables_browser import signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_message_that_may_not_have_arrived_is_found_and_sent_again(live_server: Any) -> None:
    home = town("lautern")
    create_user("root@stadtherz.example", PASSWORD, "Root", superuser=True)
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
