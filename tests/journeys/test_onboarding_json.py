"""A clerk connects devices without LoRaWAN in a real browser; then they deliver, each as it can."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.looking import looked_at, signed_in
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.process]

MESSAGE = {
    "station": {"serial": "WS-7"},
    "measured": "2026-11-20T07:00:00Z",
    "values": [
        {"name": "temp", "value": 50, "unit": "°F"},
        {"name": "humidity", "value": "81,5", "unit": "%"},
    ],
    "raw": "04d2ff00",
}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("clerk")).start()
    yield product
    product.kill()


def every_text_is_copied(page: Page) -> None:
    """Each button takes exactly the text beside it, says so, and is found by keyboard; without leave to
    write to the clipboard it selects the text for a person to copy."""
    texts = page.locator("sh-copy:visible")
    assert texts.count() >= 3
    for each in texts.all():
        button = each.get_by_role("button")
        button.press("Enter")
        expect(button).to_have_text("Kopiert")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == each.locator("code").text_content()
    page.context.clear_permissions()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')) }")
    last = texts.last
    last.get_by_role("button").click()
    assert page.evaluate("String(getSelection())") == last.locator("code").inner_text()


def test_a_clerk_connects_a_weather_station_and_it_delivers_by_its_address(
    browser: Browser, product: Product, tmp_path: Path
) -> None:
    page = signed_in(browser, product, permissions=["clipboard-read", "clipboard-write"])
    page.goto("/verwaltung/device/connect/")
    page.locator("textarea[name=sample]").fill(orjson.dumps(MESSAGE).decode())
    page.get_by_role("button", name="Diese Nachricht lesen").click()
    expect(page.get_by_text("Verstanden: eine Nachricht vom Gerät „WS-7“")).to_be_visible()
    looked_at(page, tmp_path, "message")
    page.get_by_role("button", name="Weiter zu Name und Ort").click()
    page.locator("#id_name").fill("Wetter an der Mühle")
    page.locator("#id_longitude").fill("7,7689")
    page.locator("#id_latitude").fill("49,4447")
    page.get_by_text("Es steht an einer Station").click()
    looked_at(page, tmp_path, "place")
    page.get_by_role("button", name="Weiter zu den Messwerten").click()
    expect(page.get_by_text("zurzeit 50 °F")).to_be_visible()
    looked_at(page, tmp_path, "values")
    page.get_by_role("button", name="Weiter zur Probe").click()
    expect(page.get_by_text("Temperatur 10 °C")).to_be_visible()
    looked_at(page, tmp_path, "test")
    page.get_by_role("button", name="Gerät jetzt anschließen").click()
    expect(page.get_by_role("heading", name="Was am Gerät einzutragen ist")).to_be_visible()
    page.get_by_role("button", name="Zugangsschlüssel für dieses Gerät anlegen").click()
    expect(page.get_by_text("nur dieses eine Mal gezeigt")).to_be_visible()
    page.get_by_text("Es kennt nur eine Adresse").click()
    page.get_by_text("Es sendet über MQTT").click()
    looked_at(page, tmp_path, "doors")
    token = page.locator("#token-text").input_value()
    address = page.locator("dd code", has_text=f"/ingest/json/{token}/").inner_text()
    every_text_is_copied(page)
    assert page.complaints == []  # type: ignore[attr-defined]
    page.context.close()

    path = address[address.index("/ingest") :]
    answer = httpx.post(product.url + path, json=MESSAGE)
    assert answer.json()["stored"] == 2, answer.text
    other = httpx.post(product.url + path, json=MESSAGE | {"station": {"serial": "WS-8"}})
    assert (other.status_code, other.json()["error"]) == (403, "other_device")
    basic = httpx.post(
        product.url + path.replace(f"{token}/", ""), json=MESSAGE, auth=("any", token)
    )
    assert basic.json()["duplicates"] == 2, basic.text
    reading = httpx.get(f"{product.url}/sta/v1.1/Observations?token={token}")
    assert reading.status_code == 200  # as everybody: no other door takes a token from an address


def test_what_nobody_has_described_waits_and_the_wizard_works_without_javascript(
    browser: Browser, product: Product, tmp_path: Path
) -> None:
    token = product.facts["ingest"]["tts"]["token"]
    body = {"id": "counter-9", "ts": 1795158000, "fahrzeuge": 12}
    answer = httpx.post(
        f"{product.url}/ingest/json/counters",
        json=body,
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 404
    page = signed_in(browser, product, java_script_enabled=False)
    page.goto("/verwaltung/device/connect/")
    expect(page.get_by_text("/ingest/json/counters").first).to_be_visible()
    page.get_by_role("button", name="Diese Nachrichten beschreiben").first.click()
    expect(page.get_by_text("vom Gerät „counter-9“")).to_be_visible()
    page.get_by_role("button", name="Weiter zu Name und Ort").click()
    page.locator("#id_name").fill("Zählstelle")
    page.get_by_role("button", name="Weiter zu den Messwerten").click()
    page.get_by_role("button", name="Weiter zur Probe").click()
    page.get_by_role("button", name="Gerät jetzt anschließen").click()
    expect(page.get_by_role("heading", name="Zählstelle ist angeschlossen")).to_be_visible()
    page.context.close()
    found = product.api().get(
        "Observations", params={"$filter": "Datastream/Thing/name eq 'Zählstelle'"}
    )
    assert [each["result"] for each in found.json()["value"]] == [12]
