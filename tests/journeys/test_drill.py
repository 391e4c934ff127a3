"""A test alarm walks the whole chain, with everybody's answer; a month later staff are asked for the next."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.looking import DESK, PHONE, looked_at, signed_in, visit
from tests.journeys.night import a_contact, a_list, answer_path_in, letters, opens, reached
from tests.product import Mailbox, Travelling, eventually

pytestmark = [pytest.mark.browser, pytest.mark.process]

ANNA, CARLA = "anna@wehr.example", "carla@rathaus.example"


@pytest.fixture
def product(tmp_path: Path, mailbox: Mailbox) -> Iterator[Travelling]:
    product = Travelling(tmp_path / "city", environment={"STADTHERZ_SMTP_URL": mailbox.url})
    product.start()
    yield product
    product.kill()


def answers(browser: Browser, product: Travelling, mailbox: Mailbox, address: str) -> None:
    """Opens the link of the newest message on a phone and presses the button."""
    path = answer_path_in(product, letters(mailbox, address)[-1])
    phone = visit(browser, product, path, width=PHONE)
    phone.get_by_role("button", name="Der Probealarm ist bei mir angekommen").click()
    expect(phone.get_by_text("Ihre Antwort auf den Probealarm ist angekommen")).to_be_visible()
    phone.context.close()


def test_a_test_alarm_walks_the_whole_chain(
    browser: Browser, product: Travelling, mailbox: Mailbox, tmp_path: Path
) -> None:
    clerk = product.facts["accounts"]["editor"]["email"]
    page = signed_in(browser, product)
    a_contact(page, "Anna", ANNA)
    a_contact(page, "Umweltamt", clerk)
    a_contact(page, "Carla", CARLA)
    a_list(page, "Leitung", "Carla")
    a_list(page, "Bereitschaft", "Anna", "Umweltamt", next_list="Leitung")
    opens(page, "contactlist", "Bereitschaft")
    page.get_by_role("button", name="Probealarm starten").click()
    expect(page.get_by_text("0 von 2 Personen haben geantwortet")).to_be_visible()
    eventually(lambda: reached(mailbox, ANNA), what="the test alarm")
    assert reached(mailbox, ANNA)[0].startswith("PROBEALARM")

    page.goto("/verwaltung/alert/board/")
    expect(page.get_by_text("Kein Alarm ist offen. Ein Probealarm läuft.")).to_be_visible()
    looked_at(page, tmp_path, "board")
    button = page.get_by_role("button", name="Der Probealarm ist bei mir angekommen")
    page.set_viewport_size({"width": PHONE, "height": 740})
    assert button.evaluate("e => e.scrollWidth <= e.clientWidth")  # all of it is read
    button.click()
    page.set_viewport_size({"width": DESK, "height": 900})
    expect(page.get_by_text("Ihre Antwort auf den Probealarm ist angekommen")).to_be_visible()
    answers(browser, product, mailbox, ANNA)
    product.goes_on(minutes=16)
    eventually(lambda: reached(mailbox, CARLA), what="the message to the next list")
    page.get_by_role("link", name="Wer geantwortet hat").click()
    expect(page.get_by_text("Ohne Antwort: Carla.")).to_be_visible()
    looked_at(page, tmp_path, "result")
    answers(browser, product, mailbox, CARLA)
    page.reload()
    expect(page.get_by_text("Der Probealarm ist vorbei.")).to_be_visible()
    expect(page.get_by_text("3 von 3 Personen haben geantwortet")).to_be_visible()
    looked_at(page, tmp_path, "result-over")

    page.goto("/verwaltung/alert/statistics/")
    expect(page.get_by_text("in den letzten zwölf Monaten keinen Alarm")).to_be_visible()
    looked_at(page, tmp_path, "figures")
    citizen = visit(browser, product, "/warnungen/")
    expect(citizen.get_by_text("Es gilt keine Warnung.")).to_be_visible()
    citizen.context.close()
    assert page.complaints == []  # type: ignore[attr-defined]
    page.context.close()

    product.end()
    product.goes_on(days=32)
    product.start()
    eventually(lambda: "Zeit für einen Probealarm" in reached(mailbox, clerk), what="the reminder")
    page = signed_in(browser, product)
    page.get_by_role("link", name="Listen ohne Probealarm in diesem Monat").click()
    expect(page.get_by_role("link", name="Bereitschaft", exact=True)).to_be_visible()
    page.goto("/verwaltung/alert/board/")
    expect(page.get_by_text("Alles in Ordnung: Kein Alarm ist offen.")).to_be_visible()
    page.context.close()
