"""Sources in the back office: a sentence on how each is, a button to fetch, and a token that never comes out."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from stadtherz.base.time import now_us
from stadtherz.identity.public import AuditEntry
from stadtherz.ingest.public import PullSource
from stadtherz.web.tests.staff_cast import Town, form_of, signed_in

pytestmark = pytest.mark.django_db

SECRET = "unglaublich-geheim"


@pytest.fixture
def administrator(home: Town) -> Client:
    return signed_in("administrator@lautern.example")


def form(home: Town, **more: Any) -> dict[str, Any]:
    values = {"name": "Neu", "owner": home.organisation, "url": "https://a.example/v1.1/"}
    return {
        **values,
        "every": 15,
        "again_days": 3,
        "access": "public",
        "active": "on",
        "token": SECRET,
        **more,
    }


def test_a_new_source_is_due_at_once(home: Town, administrator: Client) -> None:
    answer = administrator.post(reverse("pullsource:add"), form(home))
    assert answer.status_code == 302
    made = PullSource.objects.get(name="Neu")
    assert (made.url, made.next_due) == ("https://a.example/v1.1", 0)


def test_a_token_is_in_no_page_and_no_trail(home: Town, administrator: Client) -> None:
    administrator.post(reverse("pullsource:add"), form(home))
    made = PullSource.objects.get(name="Neu")
    for view in ("edit", "inspect", "history"):
        page = administrator.get(reverse(f"pullsource:{view}", args=[made.pk])).content.decode()
        assert SECRET not in page
        assert made.secret not in page
    entry = AuditEntry.objects.get(entity="ingest.pullsource", action="create", key=made.pk)
    assert entry.changes["token"] == "***"


def test_an_empty_token_stays_and_is_not_sent_to_another_address(
    home: Town, administrator: Client
) -> None:
    url = reverse("pullsource:edit", args=[home.source])
    before = PullSource.objects.get(pk=home.source).secret
    administrator.post(url, form_of(administrator, url) | {"name": "Anders"})
    assert PullSource.objects.get(pk=home.source, name="Anders").secret == before
    moved = form_of(administrator, url) | {"url": "https://elsewhere.example"}
    assert "token" in administrator.post(url, moved).context["form"].errors
    administrator.post(url, moved | {"token": SECRET})
    assert PullSource.objects.get(pk=home.source).url == "https://elsewhere.example"


@pytest.mark.parametrize(("field", "value"), [("url", "a example"), ("every", 0), ("access", "x")])
def test_what_cannot_be_right_is_named(
    home: Town, administrator: Client, field: str, value: object
) -> None:
    answer = administrator.post(reverse("pullsource:add"), form(home, **{field: value}))
    assert field in answer.context["form"].errors


def test_how_it_is_is_told_in_words(home: Town, administrator: Client) -> None:
    url = reverse("pullsource:inspect", args=[home.source])
    with override("de"):
        assert "noch nichts vollständig geholt" in administrator.get(url).content.decode()
        PullSource.objects.filter(pk=home.source).update(
            ok_at=now_us(),
            streams=3,
            readings=1234,
            problem="no_answer",
            facts={"host": "a.example", "told": "refused"},
            problem_at=now_us(),
        )
        page = administrator.get(url).content.decode()
        assert "Messwerte übernommen, aus 3 Messreihen" in page
        assert "a.example antwortet nicht: refused" in page
        assert (
            "a.example antwortet" in administrator.get(reverse("pullsource:index")).content.decode()
        )


def test_the_button_has_it_fetched_and_only_for_administrators(
    home: Town, administrator: Client
) -> None:
    PullSource.objects.filter(pk=home.source).update(next_due=now_us() * 2, failures=3)
    url = reverse("pullsource:fetch", args=[home.source])
    assert signed_in("editor@lautern.example").post(url).status_code == 302
    assert PullSource.objects.get(pk=home.source).failures == 3
    assert administrator.post(url).status_code == 302
    assert PullSource.objects.get(pk=home.source).next_due == 0
    assert administrator.get(url).status_code == 405
