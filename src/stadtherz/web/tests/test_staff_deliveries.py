"""The list of messages is cut by alert and by person, and names nobody the reader may not know."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from stadtherz.alerts.public import Contact, Delivery, add_contact
from stadtherz.identity.public import add_member, create_user
from stadtherz.web.tests.staff_cast import Town, town

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "long enough password"


@pytest.fixture
def clerk(home: Town) -> Client:
    add_member(home.organisation, "clerk@lautern.example", "editor", password=PASSWORD)
    web = Client()
    web.login(email="clerk@lautern.example", password=PASSWORD)
    return web


def rows(web: Client, **asked: object) -> list[int]:
    """The messages that the list leads to."""
    page = web.get(reverse("delivery:index"), asked).content.decode()
    pattern = reverse("delivery:inspect", args=[77]).replace("77", r"(\d+)")
    return sorted({int(each) for each in re.findall(pattern, page)})


def message(home: Town) -> Delivery:
    return Delivery.objects.get(pk=home.delivery)


def test_by_person(home: Town, clerk: Client) -> None:
    mine = message(home)
    other = add_contact(owner=home.organisation, name="Otto", email="otto@lautern.example")
    assert rows(clerk, contact=mine.contact_id) == [mine.pk]
    assert rows(clerk, contact=other) == []


def test_by_alert(home: Town, clerk: Client) -> None:
    mine = message(home)
    alert = mine.event.alert_id
    assert rows(clerk, alert=alert) == [mine.pk]
    page = clerk.get(reverse("alert:inspect", args=[alert])).content.decode()
    assert f"{reverse('delivery:index')}?alert={alert}" in page


def test_a_message_whose_way_is_blocked_counts_on_the_start_page(home: Town, clerk: Client) -> None:
    figure = "<strong>1</strong> Nachrichten, die vielleicht nicht ankamen"
    waiting = Delivery.objects.filter(pk=home.delivery)
    waiting.update(status=Delivery.Status.QUEUED, error="")
    assert figure not in start_page(clerk)
    waiting.update(error="No mail server is set (STADTHERZ_SMTP_URL).")
    assert figure in start_page(clerk)


def test_what_is_urgent_stands_first_on_the_start_page(clerk: Client) -> None:
    page = start_page(clerk)
    assert page.index("offene Alarme") < page.index("Listen ohne Probealarm")


def start_page(web: Client) -> str:
    return " ".join(web.get("/verwaltung/").content.decode().split())


def test_the_page_of_a_contact_leads_to_their_messages(home: Town, clerk: Client) -> None:
    who = message(home).contact_id
    page = clerk.get(reverse("contact:inspect", args=[who])).content.decode()
    assert f"{reverse('delivery:index')}?contact={who}" in page


def test_the_choices_are_the_readers_own(home: Town, clerk: Client) -> None:
    away = message(town("speyer"))
    Contact.objects.filter(pk=away.contact_id).update(name="Fremde Person")
    page = clerk.get(reverse("delivery:index")).content.decode()
    assert "Fremde Person" not in page
    for asked in ({"contact": away.contact_id}, {"alert": away.event.alert_id}, {"alert": "x"}):
        assert away.pk not in rows(clerk, **asked)


def test_a_reminder_of_test_alarms_names_its_reader(home: Town, clerk: Client) -> None:
    user = create_user("chef@lautern.example", PASSWORD, "Frau Sommer")
    Delivery.objects.filter(pk=home.delivery).update(user_id=user, contact=None, address=None)
    assert "Frau Sommer" in clerk.get(reverse("delivery:index")).content.decode()
