from typing import Any

import pytest
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
