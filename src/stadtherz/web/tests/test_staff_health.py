"""A device's page says how it is, to those who may see the device."""

import os
from pathlib import Path

import pytest
from django.urls import reverse

from stadtherz.base.time import DAY, MINUTE, now_us
from stadtherz.ingest.public import Device, DeviceDay, DeviceHealth, DeviceMessages
from stadtherz.web.tests.staff_cast import Town, signed_in, town

pytestmark = pytest.mark.django_db


@pytest.fixture
def home() -> Town:
    """Its device is silent and will soon need a battery."""
    home, now = town("lautern"), now_us()
    Device.objects.filter(pk=home.device).update(last_seen=now - 5 * 60 * MINUTE, battery=25)
    DeviceHealth.objects.create(device_id=home.device, interval=15 * MINUTE, rssi=-97, snr=5.5)
    for back in range(30):
        DeviceDay.objects.create(
            device_id=home.device,
            day=(now // DAY - back) * DAY,
            battery=25 + back,
            battery_at=1,
            rssi=-97,
            received=96,
            lost=2,
            low=100 * (30 - back),
            high=100 * (30 - back) + 97,
        )
    _message(home, b'{"level": 94, "name": "<b>"}')
    return home


def _message(home: Town, body: bytes) -> None:
    from stadtherz.ingest.devices.messages import compressor, message, pack

    told = message(now_us(), body, ("stored", "", {}), [(home.stream, 94.0)], 7)
    DeviceMessages.objects.create(
        device_id=home.device, last_at=told.received, count=1, packed=pack([told], compressor())
    )


def page(email: str, home: Town) -> str:
    response = signed_in(email).get(reverse("device:inspect", args=[home.device]))
    return response.content.decode() if response.status_code == 200 else ""


def test_the_page_says_how_the_device_is_and_shows_its_course_and_messages(home: Town) -> None:
    text = page("viewer@lautern.example", home)
    assert "Meldet sich nicht seit" in text
    assert "alle 15 Minuten" in text
    assert "Die Batterie ist in etwa" in text
    assert text.count('<svg class="sh-plot"') == 3
    assert text.count("<table") >= 3
    assert "&quot;level&quot;: 94" in text
    assert "<b>" not in text
    assert "Wasserstand lautern" in text


def test_other_organisations_see_nothing_of_it(home: Town) -> None:
    town("pirmasens")
    assert page("administrator@pirmasens.example", home) == ""
    listed = signed_in("administrator@pirmasens.example").get(reverse("device:index"))
    assert "Sonde lautern" not in listed.content.decode()


@pytest.mark.parametrize(
    ("state", "there"),
    [("silent", True), ("battery", True), ("fine", False), ("late", False), ("forged", True)],
)
def test_the_list_is_cut_to_a_state(home: Town, state: str, there: bool) -> None:
    Device.objects.update(battery=15)
    client = signed_in("viewer@lautern.example")
    text = client.get(reverse("device:index_results"), {"state": state}).content.decode()
    assert ("Sonde lautern" in text) is there
    if there:
        assert "meldet sich nicht" in text


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_the_page_fits_a_phone_and_passes_axe(
    home: Town, live_server: object, width: int, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    from stadtherz.web.tests.test_staff_browser import CHROMIUM, FLAGS

    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed")
    client = signed_in("viewer@lautern.example")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(
            base_url=live_server.url,  # type: ignore[attr-defined]
            color_scheme=scheme,  # type: ignore[arg-type]
            locale="de-DE",
            viewport={"width": width, "height": 900},
        )
        cookie = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])  # type: ignore[attr-defined]
        shown = context.new_page()
        shown.goto(reverse("device:inspect", args=[home.device]))
        if shots := os.environ.get("STADTHERZ_SHOTS"):
            shown.screenshot(path=f"{shots}/device-{width}-{scheme}.png")
        shown.locator("summary").last.click()
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(shown, context=".staff-health")
        browser.close()
    assert found.violations_count == 0, found.generate_report()


def test_the_list_of_silent_devices_says_what_it_lists(home: Town) -> None:
    page = signed_in("viewer@lautern.example").get(reverse("silent:index")).content.decode()
    assert "<title>Stumme Geräte" in " ".join(page.split()).replace("<title> ", "<title>")


@pytest.mark.parametrize("query", ["", "?ordering=name", "?ordering=-last_seen", "?q=a"])
def test_a_device_that_has_never_sent_stands_first_among_the_silent_ones(
    home: Town, query: str
) -> None:
    quiet = Device.objects.get(pk=home.device)
    quiet.pk, quiet.dev_eui, quiet.name = None, "00000000000000AB", "Never a word"
    quiet.last_seen, quiet.registered = None, now_us() - 2 * DAY
    quiet.save()
    answer = signed_in("viewer@lautern.example").get(reverse("silent:index") + query)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "Es hat noch nie gesendet und ist seit" in text
    if not query:
        assert text.index("Never a word") < text.index("Meldet sich nicht seit")
