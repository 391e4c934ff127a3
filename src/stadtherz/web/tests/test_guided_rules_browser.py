"""In a real browser, on a phone and at a desk: a clerk makes a rule without a manual and switches it on."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect, sync_playwright

from stadtherz.alerts.public import Rule
from stadtherz.base.time import HOUR, Period, now_us
from stadtherz.identity.public import create_user
from stadtherz.store.public import Reading, append
from stadtherz.web.tests.staff_cast import town
from stadtherz.web.tests.test_staff_browser import PASSWORD
from stadtherz.web.tests.test_staff_duty_browser import DESK, looked_at
from stadtherz.web.tests.test_staff_tables_browser import signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def chosen(page: Page, stream: int) -> None:
    page.locator('a[href$="/rule/begin/"]').first.click()
    page.wait_for_url("**/rule/begin/")
    page.get_by_role("button", name="Weiter zur Grenze").click()
    expect(page.get_by_text("Wählen Sie eine Messstelle.")).to_be_visible()
    looked_at(page, "rule-begin")
    page.get_by_label("Nach Ort oder Messgröße suchen").fill("lautern wasser")
    page.get_by_role("button", name="Suchen").click()
    page.locator(f"#stream-{stream}").check()
    page.get_by_label("wenn der Wert auf eine Grenze steigt").check()
    page.get_by_role("button", name="Weiter zur Grenze").click()


def test_a_clerk_makes_a_rule_by_three_questions(live_server: Any) -> None:
    home = town("lautern")
    Rule.objects.all().delete()
    create_user("root@stadtherz.example", PASSWORD, "Root", superuser=True)
    levels = [90.0 if n in {100, 400} else 40.0 + n % 3 for n in range(600, 0, -1)]
    start = now_us() - 600 * HOUR
    append([Reading(home.stream, Period(start + n * HOUR), v) for n, v in enumerate(levels)])
    with sync_playwright() as play:
        page = signed_in(play, live_server.url, viewport=DESK, reduced_motion="reduce")
        page.goto(reverse("rule:index"))
        chosen(page, home.stream)
        expect(page.get_by_role("cell", name="etwa 2-mal")).to_be_visible()
        looked_at(page, "rule-guided")
        page.get_by_label("Warnung (cm)").fill("80")
        page.get_by_label("Gefahr: kommt auch in der Ruhezeit durch (cm)").fill("70")
        page.get_by_role("button", name="Ansehen, was sie getan hätte").press("Enter")
        expect(page.get_by_text("Eine schwerere Stufe braucht eine Grenze")).to_be_visible()
        looked_at(page, "rule-mistake")
        page.get_by_label("Gefahr: kommt auch in der Ruhezeit durch (cm)").fill("120")
        page.get_by_role("button", name="Ansehen, was sie getan hätte").press("Enter")
        expect(page.get_by_text("hätte diese Regel 2-mal gewarnt")).to_be_visible()
        looked_at(page, "rule-preview")
        page.get_by_role("button", name="Regel einschalten").press("Enter")
        expect(page.get_by_text("Die Regel ist eingeschaltet.").first).to_be_visible()
    assert Rule.objects.get().active
