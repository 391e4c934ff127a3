"""Nobody can be reached, works at the gauge are silenced, and an SMS is answered on the phone."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from stadtherz.alerts.tests.served import Quiet, Served
from tests.journeys.looking import looked_at, signed_in
from tests.journeys.night import a_contact, a_list, opens, rises, saves, the_gauge_calls
from tests.product import Travelling, eventually

pytestmark = [pytest.mark.browser, pytest.mark.process]

FORM = {"path": "/sms", "body": {"to": "{to}", "text": "{text}"}}


class Provider(Served):
    """An SMS provider: what it was given, and what it answers."""

    def __init__(self) -> None:
        self.status, self.texts = 200, list[str]()
        provider = self

        class Handler(Quiet):
            def answer(self) -> None:
                given = json.loads(self.body())
                if provider.status < 300:
                    provider.texts.append(given["text"])
                self.says(provider.status)

        super().__init__(Handler)


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Travelling]:
    product = Travelling(tmp_path / "city")
    product.start()
    yield product
    product.kill()


def a_gateway(page: Page, provider: Provider) -> str:
    """The address to which the provider passes what people answer."""
    page.goto("/verwaltung/gateway/new/")
    page.get_by_role("link", name="SMS-Gateway (HTTP)").click()
    page.locator("[name=name]").fill("Anbieter")
    page.locator("[name=set_form]").fill(json.dumps(FORM))
    page.locator("[name=set_url]").fill(provider.url)
    saves(page)
    page.wait_for_url("**/verwaltung/gateway/")
    opens(page, "gateway", "Anbieter")
    return page.locator(".staff-mono").inner_text()


def test_what_nobody_hears_is_seen_and_what_is_silenced_is_told_later(
    browser: Browser, product: Travelling, provider: Provider, tmp_path: Path
) -> None:
    chief = signed_in(browser, product, account="admin")
    answers = a_gateway(chief, provider)
    page = signed_in(browser, product)
    a_contact(page, "Anna", "0151 23456789", channel="sms")
    a_list(page, "Bereitschaft", "Anna")
    the_gauge_calls(page, "Bereitschaft")

    provider.status = 503  # it takes nothing at present
    rises(product, 1, 40)
    rises(product, 2, 80)
    eventually(
        lambda: product.client("editor").get("/verwaltung/alert/board/").text.count("Vorwarnung"),
        what="the alarm",
    )
    product.goes_on(minutes=3)
    page.goto("/verwaltung/alert/board/")
    card = page.locator(".staff-alarm", has_text="Vorwarnung")
    expect(card).to_contain_text("Noch wurde niemand erreicht")
    expect(card.get_by_role("link", name="+4915123456789")).to_be_visible()
    looked_at(page, tmp_path, "nobody")

    provider.status = 200
    product.goes_on(minutes=20)
    eventually(lambda: provider.texts, what="the SMS")
    assert "Vorwarnung" in provider.texts[0]

    card.get_by_role("link", name="Kurve, Kommentare").click()
    page.get_by_text("Stumm schalten: eine Zeit lang").click()
    page.locator("#why-silence").fill("Brückenarbeiten")
    page.get_by_role("button", name="Stumm schalten", exact=True).click()
    expect(page.get_by_text("Stummgeschaltet: Bis")).to_be_visible()
    looked_at(page, tmp_path, "silenced")
    told = len(provider.texts)
    for number, level in enumerate((120, 60, 125, 62, 130), 3):  # it swings
        rises(product, number, level)
    page.goto("/verwaltung/alert/board/")
    expect(page.get_by_text("Grund: Brückenarbeiten").first).to_be_visible()
    looked_at(page, tmp_path, "board-silenced")
    page.wait_for_timeout(3000)  # long enough for a message too many
    # The all-clear goes to those who were told before; nothing else goes, however often it swings.
    assert all(text.startswith("Entwarnung") for text in provider.texts[told:])

    page.get_by_role("link", name="Zu dieser Pause").first.click()
    looked_at(page, tmp_path, "pause")
    page.get_by_role("button", name="Pause jetzt beenden").click()
    eventually(lambda: any("Weiterhin" in text for text in provider.texts), what="what is still so")
    (code,) = re.findall(r"OK \d+", provider.texts[-1])
    said = httpx.post(answers, data={"from": "+4915123456789", "text": f"{code} bin gleich da"})
    assert "übernommen" in said.text, said.text
    page.goto("/verwaltung/alert/board/")
    expect(page.get_by_text("Anna,").first).to_be_visible()
    looked_at(page, tmp_path, "board-taken")
    chief.context.close()
    page.context.close()
