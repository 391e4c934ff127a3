"""Devices enter themselves: by a link, from the board, as a citizen; and a browser shows what is pushed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from stadtherz.alerts.citizens.letters import write_letters
from stadtherz.alerts.models import Address, Channel, Contact, Delivery, Subscriber
from stadtherz.alerts.public import add_contact, device_link, send_due
from stadtherz.alerts.tests import mailserver
from stadtherz.alerts.tests import receiver as receivers
from stadtherz.alerts.tests.mailserver import MailServer
from stadtherz.alerts.tests.processes import eventually
from stadtherz.alerts.tests.receiver import Receiver
from stadtherz.alerts.tests.test_push import Phone
from stadtherz.base import time
from stadtherz.identity.public import create_user
from stadtherz.web.tests.staff_cast import Town
from stadtherz.web.tests.test_staff_browser import CHROMIUM, FLAGS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nobody_has_tried_before() -> None:
    cache.clear()


@pytest.fixture
def server(settings: Any) -> Iterator[Receiver]:
    """The push server of a browser's maker, within our network for once."""
    settings.STADTHERZ = {**settings.STADTHERZ, "call_private": True}
    with receivers.running() as running:
        yield running


@pytest.fixture
def mails(tmp_path: Path, settings: Any) -> Iterator[MailServer]:
    with mailserver.running(tmp_path / "mails") as running:
        settings.STADTHERZ = {**settings.STADTHERZ, "smtp": running.url}
        yield running


def contact(home: Town) -> int:
    return add_contact(owner=home.organisation, name="Erika", email="erika@lautern.example")


def given(phone: Phone) -> dict[str, str]:
    return {"subscription": orjson.dumps(phone.subscription).decode()}


def test_a_device_enters_itself_once_and_is_greeted(home: Town, server: Receiver) -> None:
    phone, link = Phone(f"{server.url}/1"), device_link(contact(home))
    agent = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) Gecko Firefox/130.0"}
    assert "Nachrichten auf diesem Gerät" in Client().get(link).content.decode()
    for _twice in range(2):
        answer = Client(enforce_csrf_checks=True).post(link, given(phone), headers=agent)
        assert answer.status_code == 201
    (kept,) = Address.objects.filter(channel=Channel.PUSH)
    assert (kept.contact.name, kept.shown) == ("Erika", "Firefox, Android")
    assert phone.read(server.requests[0])["body"] == "Dieses Gerät zeigt ab jetzt Ihre Alarme an."


def test_a_link_that_was_never_given_or_is_old_shows_nothing(home: Town) -> None:
    link = device_link(contact(home))
    assert Client().get(link[:-1] + ("a" if link[-1] != "a" else "b")).status_code == 404
    assert Client().post("/geraet/1~2~3", {"subscription": "{}"}).status_code == 404
    Contact.objects.update(active=False)
    assert Client().get(link).status_code == 404


def test_nonsense_is_refused_and_not_kept(home: Town, server: Receiver) -> None:
    link = device_link(contact(home))
    for wrong in ("", "x", "{}", "[]", "7" * 9_000, '{"endpoint":"https://10.0.0.1/"}'):
        answer = Client().post(link, {"subscription": wrong})
        assert answer.status_code == 422
        assert "Browser" in answer.json()["text"]
    assert not Address.objects.filter(channel=Channel.PUSH).exists()


def test_one_person_has_ten_devices_at_most(home: Town, server: Receiver) -> None:
    link = device_link(contact(home))
    codes = [
        Client().post(link, given(Phone(f"{server.url}/{number}"))).status_code
        for number in range(11)
    ]
    assert codes == [201] * 10 + [409]


def test_a_person_removes_a_device_that_is_theirs(home: Town, server: Receiver) -> None:
    who = contact(home)
    link = device_link(who)
    other = add_contact(owner=home.organisation, name="Otto", email="otto@lautern.example")
    Client().post(link, given(Phone(f"{server.url}/lost")))
    Client().post(device_link(other), given(Phone(f"{server.url}/theirs")))
    mine = Address.objects.get(contact=who, channel=Channel.PUSH)
    theirs = Address.objects.get(contact=other, channel=Channel.PUSH)
    assert f'value="{mine.pk}"' in Client().get(link).content.decode()
    for chosen in (theirs.pk, "x", "9" * 40, ""):
        Client().post(link, {"remove": chosen})
    assert Address.objects.filter(channel=Channel.PUSH).count() == 2
    for _twice in range(2):
        answer = Client().post(link, {"remove": mine.pk}, follow=True)
        assert "Das Gerät ist entfernt" in answer.content.decode()
    assert [each.pk for each in Address.objects.filter(channel=Channel.PUSH)] == [theirs.pk]


def test_what_was_owed_to_a_removed_device_goes_another_way(
    home: Town, server: Receiver, mails: MailServer
) -> None:
    who = contact(home)
    Address.objects.filter(contact=who).update(use=Address.Use.INSTEAD, sort_order=5)
    link = device_link(who)
    Client().post(link, given(Phone(f"{server.url}/lost")))
    device = Address.objects.get(channel=Channel.PUSH)
    Delivery.objects.filter(pk=home.delivery).update(
        contact=who, address=device, channel=Channel.PUSH, status="queued", subscriber=None
    )
    Client().post(link, {"remove": device.pk})
    send_due()
    send_due()
    assert len(mails.received()) == 1


def test_who_could_not_be_reached_any_more_keeps_the_last_device(
    home: Town, server: Receiver
) -> None:
    who = contact(home)
    link = device_link(who)
    Client().post(link, given(Phone(f"{server.url}/only")))
    Address.objects.filter(contact=who, channel=Channel.EMAIL).delete()
    answer = Client().post(link, {"remove": Address.objects.get(contact=who).pk})
    assert answer.status_code == 409
    assert "Nur über dieses Gerät" in answer.content.decode()
    assert Address.objects.filter(contact=who).count() == 1


def test_who_is_signed_in_finds_the_link_on_the_board(home: Town) -> None:
    create_user("erika@lautern.example", "long enough password", "Erika", superuser=True)
    contact(home)
    web = Client()
    web.login(email="erika@lautern.example", password="long enough password")
    assert "/geraet/" in web.get(reverse("alert:board")).content.decode()
    Contact.objects.all().delete()
    assert "/geraet/" not in web.get(reverse("alert:board")).content.decode()


def test_a_citizen_confirms_on_the_device_and_leaves_in_one_step(
    home: Town, server: Receiver, settings: Any
) -> None:
    phone = Phone(f"{server.url}/citizen")
    wanted = {**given(phone), "topics": "all", "least": "info"}
    answer = Client().post("/warnungen/abo/geraet/", wanted)
    assert answer.status_code == 201
    assert Subscriber.objects.get().confirmed_at is None
    write_letters(time.now_us())
    asked = phone.read(server.requests[0])
    path = asked["url"].removeprefix(settings.STADTHERZ["public_url"])
    assert "an dieses Gerät" in Client().get(path).content.decode()
    Client().post(path, {"act": "confirm"})
    assert Subscriber.objects.get().confirmed_at is not None
    Client().post(path, {"act": "leave"})
    assert not Subscriber.objects.exists()


def test_a_citizen_has_to_choose(home: Town, server: Receiver) -> None:
    answer = Client().post("/warnungen/abo/geraet/", given(Phone(f"{server.url}/x")))
    assert (answer.status_code, "mindestens einen Ort" in answer.json()["text"]) == (422, True)


def test_a_new_secret_is_shown_once_and_only_to_who_may_change(home: Town) -> None:
    create_user("root@stadtherz.example", "long enough password", "Root", superuser=True)
    hook = Address.objects.create(
        contact_id=contact(home), channel=Channel.WEBHOOK, address="https://control.example/"
    )
    url = reverse("contact:secret", args=[hook.contact_id, hook.pk])
    web = Client()
    web.login(email="root@stadtherz.example", password="long enough password")
    shown = web.post(url)
    assert "whsec_" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    page = web.get(reverse("contact:inspect", args=[hook.contact_id])).content.decode()
    assert ("whsec_" in page, "/geraet/" in page) == (False, True)
    assert "whsec_" not in Address.objects.get(pk=hook.pk).secret
    assert Client().post(url).status_code in (302, 403)


SUBSCRIBE = """
PushManager.prototype.subscribe = async function (options) {
  window.asked = new Uint8Array(options.applicationServerKey).length;
  return { toJSON: () => (%s) };
};
"""


SHOWN = """async () => {
  const kept = await (await navigator.serviceWorker.ready).getNotifications();
  return kept.map((each) => [each.title, each.body, each.actions?.length ?? 0]);
}"""


def _removes_and_enters_it_again(page: Page) -> None:
    """By the keyboard alone; the page is clean in both states."""
    page.get_by_role("button", name="Entfernen: ").press("Enter")
    expect(page.get_by_text("Das Gerät ist entfernt")).to_be_visible()
    expect(page.get_by_role("button", name="Entfernen: ")).to_have_count(0)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert not found.response["violations"], found.generate_report()
    page.get_by_role("button", name="Nachrichten auf diesem Gerät").click()
    expect(page.get_by_text("Eine erste Nachricht ist unterwegs")).to_be_visible()


class _Worker:
    """A page's service worker, by the browser's own tools."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.page = page
        self.told: list[dict[str, Any]] = []
        self.tools = context.new_cdp_session(page)
        for event in ("workerRegistrationUpdated", "workerVersionUpdated", "workerErrorReported"):
            self.tools.on(f"ServiceWorker.{event}", self.keep)
        self.tools.send("ServiceWorker.enable")

    def keep(self, told: dict[str, Any]) -> None:
        self.told.append(told)

    def registration(self) -> str | None:
        kept = [each for told in self.told for each in told.get("registrations", ())]
        gone = {each["registrationId"] for each in kept if each["isDeleted"]}
        ids = [each["registrationId"] for each in kept if each["registrationId"] not in gone]
        return ids[-1] if ids else None

    def shown(self) -> list[list[Any]]:
        # Not `wait_for_function`: it takes the promise of an asynchronous function for true at once.
        shown: list[list[Any]] = self.page.evaluate(SHOWN)
        return shown

    def pushed(self, origin: str, data: str) -> bool:
        """Repeated, since the tools do not say whether a worker took it; the tag makes one of all."""
        assert eventually(lambda: self.page.evaluate("true") and self.registration() is not None)
        asked = {"origin": origin, "registrationId": self.registration(), "data": data}
        for _ in range(6):
            self.tools.send("ServiceWorker.deliverPushMessage", asked)
            if eventually(lambda: bool(self.shown()), seconds=10):
                return True
            print(self.told)
        return False


@pytest.mark.browser
def test_in_a_browser_the_worker_is_kept_and_shows_what_comes(
    home: Town, server: Receiver, live_server: Any, settings: Any
) -> None:
    """Chromium's own push service cannot be reached from a test, so only that one answer is made up."""
    phone = Phone(f"{server.url}/browser")
    settings.STADTHERZ = {**settings.STADTHERZ, "public_url": live_server.url}
    who = contact(home)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(
            base_url=live_server.url, viewport={"width": 360, "height": 740}, locale="de-DE"
        )
        context.grant_permissions(["notifications"], origin=live_server.url)
        context.add_init_script(SUBSCRIBE % orjson.dumps(phone.subscription).decode())
        page = context.new_page()
        page.goto(device_link(who))
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
        assert not found.response["violations"], found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        page.get_by_role("button", name="Nachrichten auf diesem Gerät").click()
        expect(page.get_by_text("Eine erste Nachricht ist unterwegs")).to_be_visible()
        assert page.evaluate("window.asked") == 65
        assert eventually(lambda: bool(server.requests))
        content = phone.read(server.requests[0])
        page.reload()
        _removes_and_enters_it_again(page)

        page.wait_for_function("navigator.serviceWorker.controller !== null")
        worker = _Worker(context, page)
        data = orjson.dumps({**content, "take": {"title": "Ja", "url": "/"}}).decode()
        assert worker.pushed(live_server.url, data), worker.told
        assert worker.shown() == [[content["title"], content["body"], 1]]
        browser.close()
    assert Address.objects.filter(contact=who, channel=Channel.PUSH).exists()
