"""A reading that is doubtful is marked on the gauge's page: by a shape in the chart, by words beside it."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from stadtherz.base.time import iso, now, to_us
from tests.journeys.looking import DESK, looked_at
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.process]


def test_a_doubtful_reading_is_seen_and_read(browser: Browser, tmp_path: Path) -> None:
    product = Product(tmp_path / "city").start()
    try:
        api = product.api(product.facts["admin_token"])
        found = api.get("Datastreams", params={"$filter": "contains(name,'Lauterstra')"}).json()
        link = f"Datastreams({found['value'][0]['@iot.id']})/Observations"
        doubt = {"code": "jump", "flags": ["jump"], "pass": False, "change": 30, "minutes": 5}
        for minutes, level in ((30, 40), (20, 41), (10, 71), (5, 42)):
            at = iso(to_us(now() - timedelta(minutes=minutes)))
            row = {"phenomenonTime": at, "result": level}
            made = api.post(link, json=row | ({"resultQuality": doubt} if level == 71 else {}))
            assert made.status_code == 201, made.text
        page = browser.new_context(
            base_url=product.url, locale="de-DE", viewport={"width": DESK, "height": 900}
        ).new_page()
        page.goto("/pegel/lauterstrasse/")
        expect(page.get_by_text("1 Messwert ist zweifelhaft").first).to_be_visible()
        page.get_by_text("Werte als Tabelle").click()
        expect(page.get_by_text("Zweifelhaft:").first).to_be_visible()
        looked_at(page, tmp_path, "gauge")
    finally:
        product.kill()
