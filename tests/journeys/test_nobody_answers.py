"""Nobody answers at night: from the forms to the message that reaches the second person, on a moved clock."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.looking import PHONE, looked_at, signed_in, visit
from tests.journeys.night import (
    a_contact,
    a_list,
    answer_path_in,
    letters,
    opens,
    reached,
    rises,
    saves,
    the_gauge_calls,
)
from tests.product import Mailbox, Travelling, eventually

pytestmark = [pytest.mark.browser, pytest.mark.process]

BERLIN = ZoneInfo("Europe/Berlin")
ANNA, BEN, CARLA = ("anna@wehr.example", "ben@wehr.example", "carla@rathaus.example")


@pytest.fixture
def product(tmp_path: Path, mailbox: Mailbox) -> Iterator[Travelling]:
    product = Travelling(tmp_path / "city", environment={"STADTHERZ_SMTP_URL": mailbox.url})
    product.start()
    yield product
    product.kill()


def to_clock(product: Travelling, hour: int) -> None:
    """The next time at which the city's clocks show this hour."""
    here = product.now().astimezone(BERLIN)
    there = here.replace(hour=hour, minute=0, second=30, microsecond=0)
    product.goes_on(seconds=((there - here) % timedelta(days=1)).total_seconds())


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
    opens(page, "roster", "Rufbereitschaft")
    expect(page.get_by_text("Anna hat Bereitschaft bis")).to_be_visible()
    looked_at(page, tmp_path, "roster")
    a_list(page, "Leitung", "Carla")
    a_list(page, "Bereitschaft", "Rufbereitschaft", next_list="Leitung")
    opens(page, "contactlist", "Bereitschaft")
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

    path = answer_path_in(product, letters(mailbox, BEN)[0])
    phone = visit(browser, product, path, width=PHONE)
    looked_at(phone, tmp_path, "answer")
    phone.get_by_role("button", name="Ich übernehme").click()
    expect(phone.get_by_text("Sie haben")).to_be_visible()
    looked_at(phone, tmp_path, "answered")
    page.goto("/verwaltung/alert/board/")
    expect(page.get_by_text("Ben,")).to_be_visible()
    eventually(lambda: any("bernommen" in s for s in reached(mailbox, ANNA)), what="word to Anna")
    phone.context.close()
    page.context.close()
