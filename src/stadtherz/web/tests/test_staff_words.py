"""What staff read: words instead of codes, times of the city's clock, a start page that helps."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from wagtail.admin.icons import get_icons

from stadtherz.identity.public import ApiToken, AuditEntry, issue_token
from stadtherz.web.staff.people import actor_text, changes_text
from stadtherz.web.staff.views import date_column
from stadtherz.web.tests.staff_cast import Town, signed_in

pytestmark = pytest.mark.django_db


def page(client: Client, name: str, *args: object) -> str:
    return client.get(reverse(name, args=args)).content.decode()


def test_the_start_page_says_where_to_go(home: Town) -> None:
    text = page(signed_in("administrator@lautern.example"), "wagtailadmin_home")
    assert "<title>" in text
    assert "Dashboard" not in text.partition("</title>")[0]
    for name in ("device:connect", "member:add", "web:start"):
        assert f'href="{reverse(name)}"' in text


def test_the_start_page_offers_only_what_one_may(home: Town) -> None:
    text = page(signed_in("viewer@lautern.example"), "wagtailadmin_home")
    assert f'href="{reverse("device:connect")}"' not in text
    assert f'href="{reverse("member:add")}"' not in text
    assert f'href="{reverse("device:index")}"' in text


def test_a_token_tells_in_words_what_it_may(home: Town) -> None:
    issue_token("Netz", home.organisation, ["ingest"])
    text = page(signed_in("administrator@lautern.example"), "token:index")
    assert "Messwerte einliefern" in text
    assert ApiToken.objects.filter(name="Netz").exists()


def test_the_trail_names_fields_as_forms_do() -> None:
    entry = AuditEntry(
        entity="ingest.device", changes={"name": "Neu", "unknown": "<b>"}, actor="system"
    )
    with override("de"):
        assert changes_text(entry) == "Name: Neu<br>unknown: &lt;b&gt;<br>"
        assert actor_text(entry) == "Das System"


def test_a_time_is_told_by_the_citys_clock(home: Town) -> None:
    client = signed_in("administrator@lautern.example")
    client.post(
        reverse("device:add"),
        {"name": "Neu", "owner": home.organisation, "network": "tts", "dev_eui": "ab" * 8},
    )
    entry = AuditEntry.objects.latest("pk")
    with override("de"):
        expected = date_column("at", "").get_value(entry)
        assert expected in page(client, "audit:inspect", entry.pk)


def test_our_icons_are_in_the_back_offices_sprite() -> None:
    sprite = get_icons()
    assert 'id="icon-sh-water"' in sprite
    assert 'id="icon-sh-place"' in sprite


def test_a_wrong_address_stays_in_our_words(home: Town) -> None:
    answer = signed_in("viewer@lautern.example").get("/verwaltung/nirgends/")
    text = answer.content.decode()
    assert answer.status_code == 404
    assert 'id="main"' in text
    assert "Wagtail" not in text.partition("<main")[2].partition("</main>")[0]
