"""Servers for messages to devices in the back office: a key that never comes out, nor goes elsewhere."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from stadtherz.identity.public import AuditEntry
from stadtherz.ingest.public import DownlinkServer
from stadtherz.web.tests.staff_cast import Town, form_of, signed_in

pytestmark = pytest.mark.django_db

SECRET = "unglaublich-geheim"


@pytest.fixture
def administrator(home: Town) -> Client:
    return signed_in("administrator@lautern.example")


def form(home: Town, **more: Any) -> dict[str, Any]:
    values = {"owner": home.organisation, "network": "tts", "webhook": "stadtherz", "active": "on"}
    return {**values, "url": "https://eu1.example/", "key": SECRET, **more}


def test_a_key_is_in_no_page_and_no_trail(home: Town, administrator: Client) -> None:
    assert administrator.post(reverse("downlinkserver:add"), form(home)).status_code == 302
    made = DownlinkServer.objects.get(network="tts")
    assert made.url == "https://eu1.example"
    for view in ("edit", "inspect", "history"):
        url = reverse(f"downlinkserver:{view}", args=[made.pk])
        page = administrator.get(url).content.decode()
        assert SECRET not in page
        assert made.secret not in page
    trail = AuditEntry.objects.filter(entity="ingest.downlinkserver", key=str(made.pk))
    assert SECRET not in str([each.changes for each in trail])


@pytest.mark.parametrize(
    "changed", [{"url": "https://elsewhere.example"}, {"network": "loriot", "application": "A"}]
)
def test_a_kept_key_is_not_sent_to_another_address(
    home: Town, administrator: Client, changed: dict[str, str]
) -> None:
    DownlinkServer.objects.all().delete()
    administrator.post(reverse("downlinkserver:add"), form(home))
    made = DownlinkServer.objects.get()
    url = reverse("downlinkserver:edit", args=[made.pk])
    answer = administrator.post(url, form_of(administrator, url) | changed)
    assert "nicht ungefragt an eine andere Adresse" in answer.content.decode()
    made.refresh_from_db()
    assert made.url == "https://eu1.example"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"webhook": ""}, "The Things Stack braucht"),
        ({"key": ""}, "verlangt einen Schlüssel"),
        ({"url": "eu1 example"}, "Schreiben Sie zum Beispiel"),
        ({"network": "loriot"}, "LORIOT braucht"),
    ],
)
def test_what_a_network_needs_is_said_at_the_field(
    home: Town, administrator: Client, changed: dict[str, str], told: str
) -> None:
    DownlinkServer.objects.all().delete()
    answer = administrator.post(reverse("downlinkserver:add"), form(home, **changed))
    assert told in answer.content.decode()


def test_a_server_of_thingpark_says_whether_signatures_are_looked_at(
    home: Town, administrator: Client
) -> None:
    DownlinkServer.objects.all().delete()
    values = form(home, network="actility", webhook="", key="")
    assert administrator.post(reverse("downlinkserver:add"), values).status_code == 302
    made = DownlinkServer.objects.get()
    url = reverse("downlinkserver:inspect", args=[made.pk])
    assert "prüft niemand, ob eine Nachricht von ThingPark stammt" in page_of(administrator, url)
    made.keep_key(SECRET)
    made.save()
    assert "nur mit der Signatur von ThingPark angenommen" in page_of(administrator, url)


def page_of(client: Client, url: str) -> str:
    return str(client.get(url).content.decode())
