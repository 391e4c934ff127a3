"""What journeys of alarms have in common: forms of people and lists, readings, and who was reached."""

import re
from datetime import timedelta
from email.message import EmailMessage

from playwright.sync_api import Page

from stadtherz.base.time import iso, to_us
from tests.product import LAUTER, Mailbox, Travelling, tts


def rises(product: Travelling, number: int, level: float) -> None:
    """The water of the Lauter is at this level now."""
    at = iso(to_us(product.now() - timedelta(seconds=5)))
    answer = product.uplink(tts(LAUTER, number, at, level_cm=level))
    assert answer.status_code in (200, 202), answer.text


def letters(mailbox: Mailbox, address: str) -> list[EmailMessage]:
    return [m for m in mailbox.messages if m["X-Envelope-To"] == address]


def reached(mailbox: Mailbox, address: str) -> list[str]:
    """The subjects that came to somebody."""
    return [str(m["Subject"]) for m in letters(mailbox, address)]


def answer_path_in(product: Travelling, letter: EmailMessage) -> str:
    """The path of the page with the one large button, as it stands in a letter."""
    body = letter.get_body(("plain",))
    assert body is not None
    (found,) = set(re.findall(r"https?://\S+/q/\S+", str(body.get_content())))
    return str(found.removeprefix(product.url))


def saves(page: Page) -> None:
    page.locator("main form button[type=submit]").last.click()


def a_contact(page: Page, name: str, address: str, *, channel: str = "email", **quiet: str) -> None:
    page.goto("/verwaltung/contact/new/")
    page.locator("input[name=name]").fill(name)
    page.locator("[name=addresses-0-channel]").select_option(channel)
    page.locator("[name=addresses-0-address]").fill(address)
    for field, value in quiet.items():
        page.locator(f"[name={field}]").fill(value)
    saves(page)
    page.wait_for_url("**/verwaltung/contact/")


def a_list(page: Page, name: str, *chosen: str, next_list: str = "") -> None:
    """People and rosters that are called together; after a quarter of an hour the next list."""
    page.goto("/verwaltung/contactlist/new/")
    page.locator("input[name=name]").fill(name)
    for each in chosen:
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


def opens(page: Page, kind: str, name: str) -> None:
    """The page of a row of a list of the back office."""
    page.goto(f"/verwaltung/{kind}/")
    page.get_by_role("link", name=name, exact=True).first.click()
    page.goto(page.url.replace("/edit/", "/inspect/"))
