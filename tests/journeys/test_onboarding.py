"""A clerk connects a device in a real browser; then its network delivers, and everybody sees it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from stadtherz.base.time import iso, now, to_us
from tests.journeys.looking import looked_at, signed_in
from tests.product import Product, eventually

pytestmark = [pytest.mark.browser, pytest.mark.process]

RECORDED = Path("src/stadtherz/ingest/tests/recorded/tts3-up.json")
EUI = "0004A30B001C0530"
NAME = "Wetter am Rathaus"


def document(number: int = 0, **decoded: float) -> dict[str, Any]:
    """The recorded message; numbered ones are of now."""
    body: dict[str, Any] = json.loads(RECORDED.read_text())["body"]
    if number:
        at = iso(to_us(now() - timedelta(seconds=10)))
        body["uplink_message"] |= {"f_cnt": number, "received_at": at, "decoded_payload": decoded}
        body["received_at"] = at
    return body


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("clerk")).start()
    yield product
    product.kill()


def test_a_clerk_connects_a_device_and_everybody_sees_it_measure(
    browser: Browser, product: Product, tmp_path: Path
) -> None:
    page = signed_in(browser, product)
    page.goto("/verwaltung/device/")
    page.get_by_role("link", name="Gerät anschließen").first.click()
    page.get_by_text("Sie kam über MQTT").click()
    looked_at(page, tmp_path, "start")
    page.locator("textarea[name=sample]").fill(json.dumps(document()))
    page.get_by_role("button", name="Diese Nachricht lesen").click()

    expect(page.get_by_text("Erkannt: eine Nachricht aus The Things Stack")).to_be_visible()
    expect(page.locator("#id_dev_eui")).to_have_value(EUI)
    looked_at(page, tmp_path, "device")
    page.get_by_role("button", name="Weiter zu Name und Ort").click()

    page.locator("#id_name").fill(NAME)
    page.locator("#id_longitude").fill("7,7689")
    page.locator("#id_latitude").fill("49,4447")
    page.locator("#id_description").click()
    expect(page.locator("sh-pick canvas")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("img", name="Gewählter Ort")).to_be_visible()
    looked_at(page, tmp_path, "place")
    page.get_by_role("region", name="Karte zum Wählen des Ortes").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(600)
    page.get_by_role("button", name="Mitte der Karte übernehmen").press("Enter")
    longitude = float(page.locator("#id_longitude").input_value().replace(",", "."))
    assert 7.7689 < longitude < 7.8
    page.get_by_role("button", name="Weiter zu den Messwerten").click()

    expect(page.get_by_text("zurzeit 1 °C")).to_be_visible()
    looked_at(page, tmp_path, "values")
    page.locator("fieldset input[name$=-name]").first.fill("Lufttemperatur")
    page.get_by_role("button", name="Weiter zur Probe").click()

    expect(page.get_by_text("Lufttemperatur 1 °C")).to_be_visible()
    looked_at(page, tmp_path, "test")
    page.get_by_role("button", name="Gerät jetzt anschließen").click()

    expect(page.get_by_role("heading", name=f"{NAME} ist angeschlossen")).to_be_visible()
    looked_at(page, tmp_path, "done")
    answer = product.uplink(document(7, temperature=21.5, luminosity=400))
    assert answer.json()["stored"] == 2, answer.text
    with page.expect_navigation():
        page.get_by_role("link", name=f"Daten: {NAME}: Lufttemperatur").click()
    expect(page.get_by_text("21,5").first).to_be_visible()
    found = product.api().get(
        "Observations",
        params={"$filter": f"Datastream/name eq '{NAME}: Lufttemperatur'", "$select": "result"},
    )
    assert [each["result"] for each in found.json()["value"]] == [21.5]
    assert page.complaints == []  # type: ignore[attr-defined]
    page.context.close()


def test_an_unknown_device_that_sends_is_seen_by_the_waiting_page(
    browser: Browser, product: Product, tmp_path: Path
) -> None:
    """Without a message at first: the page shows it as soon as it has come."""
    page = signed_in(browser, product)
    page.goto("/verwaltung/device/connect/")
    page.get_by_role("button", name="Ohne Nachricht beginnen").click()
    page.locator("#id_network").select_option("tts")
    page.locator("#id_dev_eui").fill(f"LW:D0:1122334455667788:{'A1' * 8}:AABB1122")
    page.get_by_role("button", name="Weiter zu Name und Ort").click()
    page.locator("#id_name").fill("Zähler am Markt")
    page.get_by_role("button", name="Weiter zu den Messwerten").click()
    page.locator("#id_path").fill("visitors_count")
    page.get_by_role("button", name="Diesen Wert hinzufügen").click()
    page.get_by_role("button", name="Weiter zur Probe").click()
    expect(page.get_by_text("Wir warten auf die erste Nachricht")).to_be_visible()
    looked_at(page, tmp_path, "waiting")
    body = document(1, visitors_count=12)
    body["end_device_ids"]["dev_eui"] = "A1" * 8
    assert product.uplink(body).status_code == 404
    expect(page.get_by_text("Anzahl 12")).to_be_visible(timeout=15_000)
    page.get_by_role("button", name="Gerät jetzt anschließen").click()
    expect(page.get_by_role("heading", name="Zähler am Markt ist angeschlossen")).to_be_visible()
    eventually(
        lambda: (
            product.api()
            .get("Observations", params={"$filter": "Datastream/name eq 'Zähler am Markt: Anzahl'"})
            .json()["value"]
        ),
        what="the message that came before the device was connected",
    )
    page.context.close()


def test_lists_swaps_and_stickers_are_pages_for_everybody(
    browser: Browser, product: Product, tmp_path: Path
) -> None:
    page = signed_in(browser, product)
    page.goto("/verwaltung/device/connect/lists/")
    looked_at(page, tmp_path, "lists")
    rows = "Name;Netz;EUI;Gerätetyp\nA;tts;A84041000181A2B3;no/such\nB;sigfox;1;no/such\n"
    page.locator("input[type=file]").set_input_files(
        files=[{"name": "Geräte.csv", "mimeType": "text/csv", "buffer": rows.encode()}]
    )
    page.get_by_role("button", name="Liste ansehen").click()
    expect(page.get_by_text("2 Zeilen werden ausgelassen")).to_be_visible()
    looked_at(page, tmp_path, "list")
    page.goto("/verwaltung/device/connect/lists/")
    expect(page.get_by_role("link", name="Geräte.csv")).to_be_visible()
    looked_at(page, tmp_path, "lists-handed-in")
    page.goto("/verwaltung/device/stickers/?q=Pegel")
    looked_at(page, tmp_path, "stickers")
    page.get_by_role("button", name="Bogen anzeigen").click()
    expect(page.get_by_role("img", name="QR-Code").first).to_be_visible()
    looked_at(page, tmp_path, "sheet")
    page.go_back()
    page.goto("/verwaltung/device/")
    page.locator("td.title a").first.click()
    page.goto(page.url.replace("/edit/", "/inspect/"))
    looked_at(page, tmp_path, "inspect")
    page.get_by_role("link", name="Defektes Gerät austauschen").click()
    page.wait_for_url("**/swap/**")
    looked_at(page, tmp_path, "swap")
    assert page.complaints == []  # type: ignore[attr-defined]
    page.context.close()


def test_the_wizard_works_without_javascript(browser: Browser, product: Product) -> None:
    page = signed_in(browser, product, java_script_enabled=False)
    page.goto("/verwaltung/device/connect/")
    body = document()
    body["end_device_ids"]["dev_eui"] = "B2" * 8
    page.locator("textarea[name=sample]").fill(json.dumps(body))
    page.get_by_role("button", name="Diese Nachricht lesen").click()
    page.get_by_role("button", name="Weiter zu Name und Ort").click()
    page.locator("#id_name").fill("Wetter am Markt")
    page.get_by_role("button", name="Weiter zu den Messwerten").click()
    page.get_by_role("button", name="Weiter zur Probe").click()
    page.get_by_role("button", name="Gerät jetzt anschließen").click()
    expect(page.get_by_role("heading", name="Wetter am Markt ist angeschlossen")).to_be_visible()
    page.context.close()
