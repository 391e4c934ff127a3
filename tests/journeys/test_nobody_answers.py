"""Nobody answers at night: from the forms to the message that reaches the second person, on a moved clock."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from stadtherz.base.time import iso, to_us
from tests.journeys.looking import PHONE, looked_at, signed_in, visit
from tests.product import LAUTER, Mailbox, Travelling, eventually, tts

pytestmark = [pytest.mark.browser, pytest.mark.process]

BERLIN = ZoneInfo("Europe/Berlin")
ANNA, BEN, CARLA = ("anna@wehr.example", "ben@wehr.example", "carla@rathaus.example")


@pytest.fixture
def product(tmp_path: Path, mailbox: Mailbox) -> Iterator[Travelling]:
    product = Travelling(tmp_path / "city", environment={"STADTHERZ_SMTP_URL": mailbox.url})
    product.start()
    yield product
    product.kill()


def rises(product: Travelling, number: int, level: float) -> None:
    at = iso(to_us(product.now() - timedelta(seconds=5)))
    answer = product.uplink(tts(LAUTER, number, at, level_cm=level))
    assert answer.status_code in (200, 202), answer.text


def to_clock(product: Travelling, hour: int) -> None:
    """The next time at which the city's clocks show this hour."""
    here = product.now().astimezone(BERLIN)
    there = here.replace(hour=hour, minute=0, second=30, microsecond=0)
    product.goes_on(seconds=((there - here) % timedelta(days=1)).total_seconds())


def reached(mailbox: Mailbox, address: str) -> list[str]:
    """The subjects that came to somebody."""
    return [str(m["Subject"]) for m in mailbox.messages if m["X-Envelope-To"] == address]


def saves(page: Page) -> None:
    page.locator("main form button[type=submit]").last.click()


def a_contact(page: Page, name: str, address: str, **quiet: str) -> None:
    page.goto("/verwaltung/contact/new/")
    page.locator("input[name=name]").fill(name)
    page.locator("[name=addresses-0-address]").fill(address)
    for field, value in quiet.items():
        page.locator(f"[name={field}]").fill(value)
    saves(page)
    page.wait_for_url("**/verwaltung/contact/")


def a_roster(page: Page, looks: Path, first_day: str, *people: str) -> None:
    """The turns of a day each."""
    page.goto("/verwaltung/roster/new/")
    page.locator("input[name=name]").fill("Rufbereitschaft")
    for place, person in enumerate(people):
        page.locator("#id_members-ADD").click()
        page.locator(f"[name=members-{place}-contact]").select_option(label=person)
    page.locator("[name=turn_days]").fill("1")
    page.locator("[name=first_day]").fill(first_day)
    page.locator("[name=hand_over]").fill("08:00")
    looked_at(page, looks, "roster-form")
    saves(page)
    page.wait_for_url("**/verwaltung/roster/")


def a_list(page: Page, name: str, *, next_list: str = "", **chosen: str) -> None:
    page.goto("/verwaltung/contactlist/new/")
    page.locator("input[name=name]").fill(name)
    for each in chosen.values():
        page.get_by_label(each, exact=True).check()
    if next_list:
        page.locator("[name=remind_minutes]").fill("10")
        page.locator("[name=escalate_minutes]").fill("15")
        page.locator("[name=escalate_to]").select_option(label=next_list)
    saves(page)
    page.wait_for_url("**/verwaltung/contactlist/")


def the_gauge_calls(page: Page, recipients: str) -> None:
    page.goto("/verwaltung/gauge/")
    page.get_by_role("link", name="Pegel Lauterstraße").first.click()
    page.locator("[name=recipients]").select_option(label=recipients)
    saves(page)
    page.wait_for_url("**/verwaltung/gauge/")


def test_the_second_person_is_called_and_the_duty_is_handed_over(
    browser: Browser, product: Travelling, mailbox: Mailbox, tmp_path: Path
) -> None:
    to_clock(product, 21)  # the duty of today began at 8
    page = signed_in(browser, product)
    today = product.now().astimezone(BERLIN).date()
    a_contact(page, "Anna", ANNA)
    a_contact(page, "Ben", BEN, quiet_from="22:00", quiet_until="06:00")
    a_contact(page, "Carla", CARLA, quiet_from="22:00", quiet_until="06:00")
    a_roster(page, tmp_path, today.isoformat(), "Anna", "Ben")
    page.get_by_role("link", name="Rufbereitschaft").first.click()
    page.goto(page.url.replace("/edit/", "/inspect/"))
    expect(page.get_by_text("Anna hat Bereitschaft bis")).to_be_visible()
    looked_at(page, tmp_path, "roster")
    a_list(page, "Leitung", contact="Carla")
    a_list(page, "Bereitschaft", next_list="Leitung", roster="Rufbereitschaft")
    page.get_by_role("link", name="Bereitschaft", exact=True).first.click()
    page.goto(page.url.replace("/edit/", "/inspect/"))
    expect(
        page.get_by_text("Nach 15 Minuten ohne Antwort die Liste „Leitung“: Carla.")
    ).to_be_visible()
    looked_at(page, tmp_path, "list")
    the_gauge_calls(page, "Bereitschaft")

    to_clock(product, 23)
    rises(product, 1, 40)
    rises(product, 2, 80)  # a warning, which waits while Carla sleeps
    eventually(lambda: reached(mailbox, ANNA), what="the first call")
    product.goes_on(minutes=11)
    eventually(lambda: len(reached(mailbox, ANNA)) == 2, what="the reminder")
    assert reached(mailbox, ANNA)[1].startswith("Erinnerung")
    product.goes_on(minutes=5)
    page.goto("/verwaltung/alert/board/")
    page.locator(".staff-alarm h2 a").click()
    expect(page.get_by_text("Carla").first).to_be_visible()
    assert reached(mailbox, CARLA) == []
    looked_at(page, tmp_path, "alert-waits")

    rises(product, 3, 120)  # danger comes through
    eventually(lambda: reached(mailbox, CARLA), what="the call of the second list")
    looked_at(page, tmp_path, "alert-danger")
    to_clock(product, 8)
    eventually(
        lambda: any(subject.startswith("Bereitschaft") for subject in reached(mailbox, BEN)),
        what="the hand-over",
    )

    (letter,) = [m for m in mailbox.messages if m["X-Envelope-To"] == BEN][:1]
    body = letter.get_body(("plain",))
    assert body is not None
    (link,) = set(re.findall(r"https?://\S+/q/\S+", body.get_content()))
    phone = visit(browser, product, link.removeprefix(product.url), width=PHONE)
    looked_at(phone, tmp_path, "answer")
    phone.get_by_role("button", name="Ich übernehme").click()
    expect(phone.get_by_text("Sie haben")).to_be_visible()
    looked_at(phone, tmp_path, "answered")
    page.goto("/verwaltung/alert/board/")
    expect(page.get_by_text("Ben,")).to_be_visible()
    eventually(lambda: any("bernommen" in s for s in reached(mailbox, ANNA)), what="word to Anna")
    phone.context.close()
    page.context.close()
