"""A citizen asks for warnings, confirms, is warned, changes the topics and leaves by the link in the warning."""

import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from stadtherz.base.time import iso, now, to_us
from tests.journeys.looking import looked_at, visit
from tests.product import LAUTER, Mailbox, Product, eventually, tts

pytestmark = [pytest.mark.browser, pytest.mark.process]

ADA, BELA = "ada@buerger.example", "bela@citizen.example"


def rises(product: Product, number: int, level: float) -> None:
    at = iso(to_us(now() - timedelta(seconds=5)))
    answer = product.uplink(tts(LAUTER, number, at, level_cm=level))
    assert answer.status_code in (200, 202), answer.text


def letters(mailbox: Mailbox, address: str) -> list[EmailMessage]:
    return [m for m in mailbox.messages if m["X-Envelope-To"] == address]


def text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def link(product: Product, message: EmailMessage) -> str:
    """The path of the subscriber's page, as it stands in a message."""
    (found,) = set(re.findall(r"https?://\S+/abo/\S+", text(message)))
    assert found.startswith(product.url)
    return str(found.removeprefix(product.url))


def known(product: Product, address: str) -> list[str]:
    """The tables of the city's file that have the address anywhere."""
    (file,) = product.data.glob("*.sqlite3")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        return [
            table
            for table in tables
            if any(address in repr(row) for row in db.execute(f'SELECT * FROM "{table}"'))
        ]


def asks(page: Page, address: str, *, place: str, button: str) -> None:
    page.locator("#email").fill(address)
    page.locator("input[name=topics][value=all]").uncheck()
    page.get_by_label(place, exact=True).check()
    page.get_by_role("button", name=button, exact=True).click()


def test_from_the_wish_to_the_last_message(
    browser: Browser, empty_city: Product, mailbox: Mailbox, tmp_path: Path
) -> None:
    page = visit(browser, empty_city, "/warnungen/")
    looked_at(page, tmp_path, "warnings")
    page.get_by_role("link", name="Warnungen per E-Mail").first.click()
    looked_at(page, tmp_path, "asks")
    asks(page, ADA, place="Pegel Lauterstraße", button="Abonnieren")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Postfach")
    looked_at(page, tmp_path, "asked")

    eventually(lambda: letters(mailbox, ADA), what="the question")
    page.goto(empty_city.url + link(empty_city, letters(mailbox, ADA)[0]))
    looked_at(page, tmp_path, "question")
    page.get_by_role("button", name="Ja, senden Sie mir Warnungen").click()
    expect(page.get_by_text("Gespeichert.")).to_be_visible()
    looked_at(page, tmp_path, "confirmed")

    rises(empty_city, 1, 40)
    rises(empty_city, 2, 120)
    eventually(lambda: len(letters(mailbox, ADA)) == 2, what="the warning")
    warning = letters(mailbox, ADA)[1]
    assert "Alarm" in warning["Subject"]

    page.goto(empty_city.url + link(empty_city, warning))
    expect(page.get_by_label("Pegel Lauterstraße", exact=True)).to_be_checked()
    page.get_by_label("Pegel Lauterstraße", exact=True).uncheck()
    page.get_by_role("button", name="Speichern").click()
    expect(page.get_by_text("Wählen Sie mindestens einen Ort")).to_be_visible()
    looked_at(page, tmp_path, "nothing-chosen")
    page.get_by_label("Pegel Eselsbach", exact=True).check()
    page.get_by_role("button", name="Speichern").click()
    expect(page.get_by_text("Gespeichert.")).to_be_visible()
    expect(page.get_by_label("Pegel Lauterstraße", exact=True)).not_to_be_checked()

    page.goto(empty_city.url + link(empty_city, warning))
    page.get_by_role("button", name="Abmelden und meine Adresse löschen").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("abgemeldet")
    looked_at(page, tmp_path, "left")
    assert known(empty_city, ADA) == []
    page.goto(empty_city.url + link(empty_city, warning))
    expect(page.get_by_role("heading", level=1)).to_contain_text("gibt es nicht mehr")
    looked_at(page, tmp_path, "gone")
    rises(empty_city, 3, 20)
    page.wait_for_timeout(3000)  # long enough for a message too many
    assert len(letters(mailbox, ADA)) == 2
    page.context.close()


def test_an_english_reader_leaves_with_the_button_of_the_mail_program(
    browser: Browser, empty_city: Product, mailbox: Mailbox, tmp_path: Path
) -> None:
    page = visit(browser, empty_city, "/en/warnungen/abo/")
    looked_at(page, tmp_path, "asks-english")
    asks(page, BELA, place="Pegel Lauterstraße", button="Subscribe")
    eventually(lambda: letters(mailbox, BELA), what="the question")
    page.goto(empty_city.url + link(empty_city, letters(mailbox, BELA)[0]))
    page.get_by_role("button", name="Yes, send me warnings").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    rises(empty_city, 1, 40)
    rises(empty_city, 2, 120)
    eventually(lambda: len(letters(mailbox, BELA)) == 2, what="the warning")
    warning = letters(mailbox, BELA)[1]
    assert "was reached" in text(warning)
    assert warning["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    at_once = warning["List-Unsubscribe"].strip("<>")
    answer = httpx.post(at_once, data={"List-Unsubscribe": "One-Click"}, timeout=60)
    assert answer.status_code == 200, answer.text
    assert known(empty_city, BELA) == []
    rises(empty_city, 3, 20)
    page.wait_for_timeout(3000)  # long enough for a message too many
    assert len(letters(mailbox, BELA)) == 2
    page.context.close()
