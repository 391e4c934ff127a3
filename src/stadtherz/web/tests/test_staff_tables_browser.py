"""A clerk in a real browser, on a phone and at a desk: from the file to the report."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page, expect, sync_playwright

from stadtherz.identity.public import create_user
from stadtherz.ingest.public import TableImport, tables
from stadtherz.web.tests.staff_cast import Town, town
from stadtherz.web.tests.test_staff_browser import CHROMIUM, FLAGS, PASSWORD
from stadtherz.web.tests.test_staff_tables import CONTENT

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
SHOTS = os.environ.get("STADTHERZ_SCREENSHOTS", "")


# What sticks out of the screen and cannot be scrolled to.
TOO_WIDE = """() => [...document.querySelectorAll("main *")]
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility({contentVisibilityAuto: true}) && !e.closest(".staff-scroll"))
  .map((e) => e.outerHTML.slice(0, 120))"""


@pytest.fixture
def home() -> Town:
    made = town("lautern")
    create_user("root@stadtherz.example", PASSWORD, "Root", superuser=True)
    return made


@pytest.fixture
def working() -> Iterator[None]:
    tables.start()
    yield
    tables.stop()


def signed_in(play: Any, url: str, **options: Any) -> Page:
    browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    page = browser.new_page(base_url=url, locale="de-DE", **options)
    page.goto("/verwaltung/")
    page.locator("input[name=login]").fill("root@stadtherz.example")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main form button[type=submit], form button[type=submit]").first.click()
    page.wait_for_url("**/verwaltung/")
    found: Page = page
    return found


def looked_at(page: Page, name: str) -> None:
    """No page is wider than a phone, and axe finds nothing."""
    page.wait_for_load_state()
    for size in (PHONE, DESK):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{size['width']}.png", full_page=True)
        if size is PHONE:
            # The sidebar slides away, which takes a moment; what never fits ends the wait.
            page.wait_for_function(f"() => ({TOO_WIDE})().length === 0")
    found = Axe().run(
        page, context="main", options={"rules": {"color-contrast": {"enabled": True}}}
    )
    assert found.violations_count == 0, found.generate_report()


def test_a_clerk_imports_a_file(
    home: Town, live_server: Any, working: None, tmp_path: Path
) -> None:
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed")
    file = tmp_path / "Pegel Juli.csv"
    file.write_bytes(CONTENT.encode("cp1252"))
    complaints: list[str] = []
    with sync_playwright() as play:
        page = signed_in(play, live_server.url)
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.goto(reverse("table:add"))
        looked_at(page, "1-upload")
        page.locator("select[name=owner]").select_option(label="Lautern")
        page.locator("input[type=file]").set_input_files(file)
        page.get_by_role("button", name="Hochladen").click()
        expect(page.get_by_text("Mühlbach").first).to_be_visible()
        looked_at(page, "2-written")
        page.get_by_role("button", name="Weiter").click()
        page.wait_for_url("**/times/*/")
        looked_at(page, "3-times")
        page.get_by_role("button", name="Weiter").click()
        page.get_by_label("Geht nach").first.select_option(str(home.stream))
        page.get_by_label("Geht nach").nth(1).select_option("new")
        page.get_by_text("Neue Messreihe, Umrechnung").nth(1).click()
        looked_at(page, "4-targets")
        page.get_by_role("button", name="Zur Vorschau").click()
        expect(page.get_by_text("ist keine Zahl").first).to_be_visible()
        looked_at(page, "5-preview")
        page.get_by_role("button", name="Die ganze Datei prüfen").click()
        expect(page.get_by_text("23 Zeilen, 2 Messreihen")).to_be_visible(timeout=20_000)
        expect(page.get_by_role("button", name="Einlesen")).to_be_visible(timeout=20_000)
        looked_at(page, "6-checked")
        page.get_by_role("button", name="Einlesen").click()
        expect(page.get_by_text("Die Datei ist eingelesen.")).to_be_visible(timeout=20_000)
        looked_at(page, "7-done")
        with page.expect_download() as download:
            page.get_by_role("link", name="Bericht herunterladen").click()
        assert "defekt" in Path(download.value.path()).read_text(encoding="utf-8")
    assert TableImport.objects.get(pk__gt=home.table).state == TableImport.State.DONE
    assert not complaints, "\n".join(complaints)


def test_progress_is_seen_without_javascript(home: Town, live_server: Any, tmp_path: Path) -> None:
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed")
    row = tables.take(home.organisation, "t.csv", [CONTENT.encode()])
    form = tables.form_of(row.form)
    rules = tables.recognise_rules(tables.file_of(row), form, "UTC")
    target = {"source": "Pegel [cm]", "datastream": home.stream}
    tables.set_rules(row, tables.rules_of({**tables.told(rules), "targets": [target]}))
    tables.start_import(row)
    TableImport.objects.filter(pk=row.pk).update(rows_done=12)
    with sync_playwright() as play:
        page = signed_in(play, live_server.url, java_script_enabled=False)
        page.goto(reverse("table:inspect", args=[row.pk]))
        expect(page.get_by_text("bisher 12 Zeilen")).to_be_visible()
        tables.start()
        try:
            expect(page.get_by_text("Die Datei ist eingelesen.")).to_be_visible(timeout=20_000)
        finally:
            tables.stop()
