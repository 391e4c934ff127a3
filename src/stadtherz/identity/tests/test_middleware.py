from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import Client

from stadtherz.base.visibility import ANONYMOUS, Visibility
from stadtherz.identity.middleware import VisibilityMiddleware
from stadtherz.identity.models import User
from stadtherz.identity.public import add_member, create_organisation, visibility_of_user

pytestmark = pytest.mark.django_db


def visibility_of(client: Client, user: Any) -> Visibility:
    request = HttpRequest()
    request.COOKIES = {name: morsel.value for name, morsel in client.cookies.items()}
    request.user = user
    VisibilityMiddleware(lambda _: HttpResponse())(request)
    seen = request.visibility
    assert type(seen) is Visibility
    return seen


def test_a_visitor_without_a_session_is_anonymous_and_costs_no_query(
    client: Client, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        assert visibility_of(client, User()) == ANONYMOUS


def test_a_member_of_staff_brings_their_visibility(client: Client) -> None:
    user = add_member(
        create_organisation("lautern", "Kaiserslautern"), "a@b.example", "editor"
    ).user
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert visibility_of(client, user) == visibility_of_user(user)


@pytest.mark.parametrize("path", ["/", "/pegel/", "/verwaltung/", "/konto/password/change/", "/no"])
def test_a_page_for_somebody_signed_in_is_kept_nowhere(client: Client, path: str) -> None:
    organisation = create_organisation("lautern", "Kaiserslautern")
    client.force_login(
        add_member(organisation, "a@b.example", "editor", password="lang-genug-7").user,
        backend="django.contrib.auth.backends.ModelBackend",
    )
    answer = client.get(path)
    assert answer["Cache-Control"] == "private, no-store"
    assert "Cookie" in answer["Vary"]


@pytest.mark.parametrize("path", ["/", "/pegel/nirgends/daten.csv"])
def test_a_page_for_everybody_is_not_shown_to_staff_by_a_cache(client: Client, path: str) -> None:
    assert "Cookie" in client.get(path)["Vary"]


def test_what_is_the_same_for_everybody_stays_public(client: Client) -> None:
    request = HttpRequest()
    request.COOKIES = {"sessionid": "x"}
    request.user = AnonymousUser()
    tile = HttpResponse(headers={"Cache-Control": "public, max-age=3600"})
    answer = VisibilityMiddleware(lambda _: tile)(request)
    assert answer["Cache-Control"] == "public, max-age=3600"
    assert "Vary" not in answer


def test_a_form_without_its_cookie_is_refused_in_words() -> None:
    answer = Client(enforce_csrf_checks=True).post("/konto/login/", {"login": "a@b.example"})
    assert answer.status_code == 403
    assert "Dieses Formular gilt nicht mehr" in answer.content.decode()
    assert "DEBUG" not in answer.content.decode()
