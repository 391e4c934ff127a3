"""A codec breaks and is mended; a device breaks and another takes its place: nothing of the history is lost."""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from stadtherz.base.time import iso, now, to_us
from tests.journeys.looking import looked_at, signed_in, visit
from tests.product import LAUTER, Product, tts

pytestmark = [pytest.mark.browser, pytest.mark.process]

METER, NEW_GAUGE = "A84041000181C001", "70B3D57ED00600F1"
GOOD = """function decodeUplink(input) {
  return { data: { level_cm: input.bytes[0] + 256 * input.bytes[1] } };
}"""
BROKEN = GOOD.replace("input.bytes[0] + 256", "input.payload.bytes[0] + 256")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("devices")).start()
    yield product
    product.kill()


def minutes_ago(minutes: float) -> str:
    return iso(to_us(now() - timedelta(minutes=minutes)))


def raw(number: int, level: int, ago: float) -> dict[str, Any]:
    """An uplink that its network does not decode."""
    body = tts(METER, number, minutes_ago(ago))
    message = body["uplink_message"]
    del message["decoded_payload"]
    message["frm_payload"] = b64encode(level.to_bytes(2, "little")).decode()
    return body


def saves(page: Page) -> None:
    page.locator("main form button[type=submit]").last.click()


def results(product: Product, series: str) -> list[float]:
    """All readings of a series, in the order of their times."""
    found = product.api().get(
        "Observations",
        params={
            "$filter": f"Datastream/name eq '{series}'",
            "$orderby": "phenomenonTime",
            "$select": "result",
        },
    )
    return [each["result"] for each in found.json()["value"]]


def connects_the_meter(page: Page) -> None:
    page.goto("/verwaltung/codec/new/")
    page.locator("[name=name]").fill("Pegelsonde")
    page.locator("[name=kind]").select_option("javascript")
    page.locator("[name=text]").fill(GOOD)
    saves(page)
    page.wait_for_url("**/verwaltung/codec/")
    page.goto("/verwaltung/device/connect/")
    page.locator("textarea[name=sample]").fill(json.dumps(raw(1, 100, 60)))
    page.get_by_role("button", name="Diese Nachricht lesen").click()
    page.get_by_role("button", name="Weiter zu Name und Ort").click()
    page.locator("#id_name").fill("Pegel Mühlbach")
    page.get_by_role("button", name="Weiter zu den Messwerten").click()
    page.locator("[name=codec]").select_option(label="Pegelsonde")
    page.get_by_role("button", name="Nachricht damit lesen").click()
    expect(page.get_by_text("zurzeit 100")).to_be_visible()
    page.locator("fieldset input[name$=-name]").first.fill("Wasserstand")
    page.get_by_role("button", name="Weiter zur Probe").click()
    page.get_by_role("button", name="Gerät jetzt anschließen").click()
    expect(page.get_by_role("heading", name="Pegel Mühlbach ist angeschlossen")).to_be_visible()


def changes_the_codec(page: Page, text: str) -> None:
    page.goto("/verwaltung/codec/")
    page.get_by_role("link", name="Pegelsonde").first.click()
    page.locator("[name=text]").fill(text)


def test_what_a_broken_codec_refused_is_stored_when_it_is_mended(
    browser: Browser, product: Product, tmp_path: Path
) -> None:
    page = signed_in(browser, product)
    connects_the_meter(page)
    assert product.uplink(raw(2, 110, 50)).json()["stored"] == 1
    changes_the_codec(page, BROKEN)
    looked_at(page, tmp_path, "codec")
    saves(page)
    page.wait_for_url("**/verwaltung/codec/")
    for number, level in ((3, 120), (4, 130), (5, 140)):
        answer = product.uplink(raw(number, level, 50 - 10 * (number - 2)))
        assert answer.status_code == 422, answer.text

    page.goto("/verwaltung/refused/")
    looked_at(page, tmp_path, "refused-list")
    page.locator("#listing-results td a").first.click()
    expect(page.get_by_text("Pegelsonde").first).to_be_visible()
    expect(page.locator("pre.staff-document").first).to_contain_text(METER)
    looked_at(page, tmp_path, "refused")
    page.get_by_role("button", name="Nachricht nachholen").click()
    expect(page.get_by_text("Wieder abgewiesen").first).to_be_visible()
    looked_at(page, tmp_path, "refused-again")
    page.get_by_role("link", name="Zum Gerät").click()
    expect(page.get_by_text("3 Nachrichten konnten nicht vollständig").first).to_be_visible()
    expect(page.get_by_text("aber Nachrichten von ihm werden abgewiesen")).to_be_visible()
    expect(page.get_by_text("Alles in Ordnung")).to_have_count(0)
    looked_at(page, tmp_path, "device-broken")

    changes_the_codec(page, GOOD)
    saves(page)
    page.wait_for_url("**/verwaltung/codec/")
    page.goto("/verwaltung/refused/")
    page.locator("#listing-results td a").first.click()
    page.get_by_role("button", name="Alle 3 dieses Geräts nachholen").click()
    expect(page.get_by_text("3 sind jetzt gespeichert")).to_be_visible()
    looked_at(page, tmp_path, "replayed")
    assert results(product, "Pegel Mühlbach: Wasserstand") == [110, 120, 130, 140]
    page.goto("/verwaltung/device/?q=Mühlbach")
    page.locator("td.title a").first.click()
    page.goto(page.url.replace("/edit/", "/inspect/"))
    expect(page.get_by_text("keine Nachricht wurde abgewiesen")).to_be_visible()
    expect(page.get_by_text("Alles in Ordnung")).to_be_visible()
    looked_at(page, tmp_path, "device-mended")
    assert page.complaints == []  # type: ignore[attr-defined]
    page.context.close()


def test_readings_of_the_new_device_go_on_in_the_series_of_the_broken_one(
    browser: Browser, product: Product, tmp_path: Path
) -> None:
    for number, ago in ((1, 30), (2, 25)):
        at = minutes_ago(ago)
        assert product.uplink(tts(LAUTER, number, at, level_cm=40 + number)).status_code < 300
    page = signed_in(browser, product)
    page.goto("/verwaltung/device/?q=Lauterstraße")
    page.locator("td.title a").first.click()
    page.goto(page.url.replace("/edit/", "/inspect/"))
    old = page.url
    sticker = page.locator("p.staff-mono").inner_text()
    page.get_by_role("link", name="Defektes Gerät austauschen").click()
    page.get_by_role("button", name="Gerät austauschen").click()
    looked_at(page, tmp_path, "swap-mistake")
    page.locator("[name=dev_eui]").fill(LAUTER)
    page.get_by_role("button", name="Gerät austauschen").click()
    expect(page.get_by_text("Ein Gerät mit dieser EUI ist schon angeschlossen")).to_be_visible()
    page.locator("[name=dev_eui]").fill(NEW_GAUGE)
    page.locator("[name=note]").fill("Batterie ausgelaufen")
    page.get_by_role("button", name="Gerät austauschen").click()
    expect(page.get_by_text("Ab jetzt misst das neue Gerät")).to_be_visible()
    expect(page.get_by_text("Dieses Gerät kam an die Stelle von")).to_be_visible()
    looked_at(page, tmp_path, "new-device")
    assert product.uplink(tts(NEW_GAUGE, 1, minutes_ago(0), level_cm=43)).status_code < 300
    assert results(product, "Pegel Lauterstraße: Wasserstand") == [41, 42, 43]
    page.reload()
    expect(page.get_by_text("43 cm").first).to_be_attached()
    page.get_by_role("link", name="Diesen Aufkleber drucken").click()
    expect(page.get_by_text(NEW_GAUGE)).to_be_visible()
    looked_at(page, tmp_path, "new-sticker")

    page.goto(old)
    expect(page.get_by_text("An die Stelle dieses Geräts kam ein anderes")).to_be_visible()
    expect(page.get_by_text("Batterie ausgelaufen")).to_be_visible()
    looked_at(page, tmp_path, "old-device")
    citizen = visit(browser, product, sticker.removeprefix(product.url))
    expect(citizen.get_by_role("heading", level=1)).to_contain_text("Pegel Lauterstraße")
    citizen.goto(product.url + "/pegel/lauterstrasse/")
    expect(citizen.get_by_text("43 cm").first).to_be_visible()
    looked_at(citizen, tmp_path, "gauge")
    citizen.context.close()
    assert page.complaints == []  # type: ignore[attr-defined]
    page.context.close()
