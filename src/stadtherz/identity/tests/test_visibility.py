"""Who a session or token is, and what it reaches."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from stadtherz.base.errors import Unauthenticated
from stadtherz.base.time import now, stopped_at
from stadtherz.base.visibility import ANONYMOUS, AccessLevel, Scope
from stadtherz.identity.models import ApiToken, GroupMembership, User
from stadtherz.identity.public import (
    Role,
    access_groups,
    add_member,
    administered_by,
    create_organisation,
    create_token,
    revoke,
    visibility_at_once,
    visibility_of_scope,
    visibility_of_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_tries_yet() -> None:
    cache.clear()


@pytest.fixture
def town() -> int:
    return create_organisation("lautern", "Kaiserslautern")


def member(town: int, role: str = "viewer", email: str = "ada@lautern.example") -> User:
    return add_member(town, email, role).user


def scope(method: str = "GET", **headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "method": method,
        "scheme": "https",
        "path": "/sta/v1.1/Things",
        "headers": [(b"host", b"stadt.example"), *pairs],
        "client": ("192.0.2.1", 4711),
    }


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


# --- people --------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
def test_every_role_reads_its_organisation_and_only_that(town: int, role: str) -> None:
    other = create_organisation("pirmasens", "Pirmasens")
    seen = visibility_of_user(member(town, role))
    assert seen.may_read(access=AccessLevel.ORGANISATION, owner=town, group=None)
    assert not seen.may_read(access=AccessLevel.ORGANISATION, owner=other, group=None)


@pytest.mark.parametrize(
    ("role", "writes"),
    [
        ("viewer", False),
        ("moderator", False),
        ("editor", True),
        ("data_steward", True),
        ("operator", True),
        ("administrator", True),
    ],
)
def test_editors_and_above_write(town: int, role: str, writes: bool) -> None:
    seen = visibility_of_user(member(town, role))
    assert seen.may_write(town) is writes
    assert seen.allows(Scope.WRITE) is writes
    assert not seen.allows(Scope.ADMIN)


def test_an_editor_here_and_viewer_there_writes_only_here(town: int) -> None:
    other = create_organisation("aachen", "Aachen")  # comes first by name
    user = member(town, "editor")
    add_member(other, user.email, "viewer")
    seen = visibility_of_user(user)
    assert seen.organisations == {town, other}
    assert seen.writes == {town}
    assert seen.home == town


def test_a_superuser_reaches_everything(town: int) -> None:
    seen = visibility_of_user(User.objects.create_superuser("root@stadtherz.example"))
    assert seen.everything
    assert seen.may_write(town)
    assert seen.allows(Scope.ADMIN)


def test_a_named_group_is_read_by_its_members(town: int) -> None:
    group = access_groups().create(name="Hochwasser", organisation_id=town)
    user = member(create_organisation("pirmasens", "Pirmasens"))
    before = visibility_of_user(user)
    GroupMembership.objects.create(user=user, group_id=group.pk)
    level = {"access": AccessLevel.GROUP, "owner": town, "group": group.pk}
    assert not before.may_read(**level)
    assert visibility_of_user(user).may_read(**level)


def test_the_deactivated_and_the_unknown_are_anonymous(town: int) -> None:
    user = member(town, "administrator")
    user.is_active = False
    assert visibility_of_user(user) == ANONYMOUS
    assert visibility_of_user(AnonymousUser()) == ANONYMOUS
    assert administered_by(user) == frozenset()


def test_only_administrators_look_after_members(town: int) -> None:
    assert administered_by(member(town, "administrator", "a@lautern.example")) == {town}
    assert administered_by(member(town, "operator", "o@lautern.example")) == frozenset()


# --- tokens --------------------------------------------------------------------------------------


def test_a_bearer_token_is_its_organisation(town: int) -> None:
    text = create_token("Dienst", town, ["write"])
    seen = visibility_of_scope(scope(authorization=f"Bearer {text}"))
    assert seen.home == town
    assert seen.organisations == seen.writes == {town}
    assert seen.actor.startswith("token:")
    assert text not in repr(seen)


def test_a_token_may_be_the_password_of_basic_with_any_name(town: int) -> None:
    text = create_token("Dienst", town, ["read"])
    for name in ("", "egal", "jemand@lautern.example"):
        assert visibility_of_scope(scope(authorization=basic(name, text))).organisations == {town}


def test_an_ingest_token_reads_only_what_is_public_and_writes_nothing(town: int) -> None:
    text = create_token("Netz", town, ["ingest"])
    seen = visibility_of_scope(scope(authorization=f"Bearer {text}"))
    assert seen.allows(Scope.INGEST)
    assert not seen.may_write(town)
    assert not seen.may_read(access=AccessLevel.ORGANISATION, owner=town, group=None)
    assert seen.may_read(access=AccessLevel.PUBLIC, owner=town, group=None)


def test_a_reading_token_neither_writes_nor_ingests(town: int) -> None:
    text = create_token("Auswertung", town, ["read"])
    seen = visibility_of_scope(scope(authorization=f"bearer {text}"))
    assert seen.may_read(access=AccessLevel.ORGANISATION, owner=town, group=None)
    assert not seen.may_write(town)
    assert not seen.allows(Scope.INGEST)


def test_even_an_admin_token_stays_in_its_organisation(town: int) -> None:
    other = create_organisation("pirmasens", "Pirmasens")
    text = create_token("Alles", town, ["admin"])
    seen = visibility_of_scope(scope(authorization=f"Bearer {text}"))
    assert seen.may_write(town)
    assert not seen.may_write(other)
    assert not seen.may_read(access=AccessLevel.ORGANISATION, owner=other, group=None)
    assert not seen.everything


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer sh_x", "Basic", "Basic %%%", "Basic " + "A" * 9, "Digest x", " "],
)
def test_a_credential_that_cannot_be_read_is_refused_not_ignored(header: str) -> None:
    with pytest.raises(Unauthenticated):
        visibility_of_scope(scope(authorization=header))


@given(st.binary(max_size=60))
def test_no_header_brings_the_door_down(value: bytes) -> None:
    with pytest.raises(Unauthenticated):
        visibility_of_scope({**scope(), "headers": [(b"authorization", value)]})


def test_a_password_is_no_token(town: int) -> None:
    user = member(town, "administrator")
    user.set_password("ein gutes Passwort")
    user.save()
    with pytest.raises(Unauthenticated):
        visibility_of_scope(scope(authorization=basic(user.email, "ein gutes Passwort")))


# --- sessions ------------------------------------------------------------------------------------


def cookie_of(user: User) -> tuple[Client, str]:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client, f"sessionid={client.cookies['sessionid'].value}"


def test_no_credentials_are_anonymous() -> None:
    assert visibility_of_scope(scope()) == ANONYMOUS
    assert visibility_of_scope(scope(cookie="sessionid=gibtsnicht; a=b")) == ANONYMOUS


def test_a_session_is_its_person(town: int) -> None:
    user = member(town, "editor")
    _, cookie = cookie_of(user)
    assert visibility_of_scope(scope(cookie=cookie)) == visibility_of_user(user)


def test_the_cookie_of_somebody_who_signed_out_grants_nothing(town: int) -> None:
    client, cookie = cookie_of(member(town, "editor"))
    client.logout()
    assert visibility_of_scope(scope(cookie=cookie)) == ANONYMOUS


def test_the_cookie_of_a_deactivated_account_grants_nothing(town: int) -> None:
    user = member(town, "editor")
    _, cookie = cookie_of(user)
    user.is_active = False
    user.save()
    assert visibility_of_scope(scope(cookie=cookie)) == ANONYMOUS


def test_a_new_password_ends_the_sessions_of_the_old_one(town: int) -> None:
    user = member(town, "editor")
    _, cookie = cookie_of(user)
    user.set_password("ein anderes Passwort")
    user.save()
    assert visibility_of_scope(scope(cookie=cookie)) == ANONYMOUS


def test_a_cookie_changes_nothing_unless_our_own_page_sent_it(town: int) -> None:
    """A foreign page can make the browser send our cookie, but not our origin (CSRF)."""
    user = member(town, "editor")
    _, cookie = cookie_of(user)
    for stranger in ({}, {"origin": "https://boese.example"}, {"origin": "null"}):
        assert visibility_of_scope(scope("POST", cookie=cookie, **stranger)) == ANONYMOUS
    ours = scope("POST", cookie=cookie, origin="https://stadt.example")
    assert visibility_of_scope(ours) == visibility_of_user(user)


def test_a_wrong_token_is_not_rescued_by_a_good_cookie(town: int) -> None:
    _, cookie = cookie_of(member(town, "editor"))
    with pytest.raises(Unauthenticated):
        visibility_of_scope(scope(cookie=cookie, authorization="Bearer sh_falsch"))


# --- at once -------------------------------------------------------------------------------------


def test_a_token_that_was_just_looked_up_is_known_at_once(
    town: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    asked = scope("POST", authorization=f"Bearer {create_token('Netz', town, ['write'])}")
    assert visibility_at_once(asked) is None
    known = visibility_of_scope(asked)
    with django_assert_num_queries(0):
        assert visibility_at_once(asked) == known


def test_a_token_is_not_known_at_once_any_more_when_it_has_been_changed_or_revoked(
    town: int,
) -> None:
    asked = scope("POST", authorization=f"Bearer {create_token('Netz', town, ['write'])}")
    token = ApiToken.objects.get()
    for change in (token.save, lambda: revoke(token)):
        visibility_of_scope(asked)
        change()
        assert visibility_at_once(asked) is None


def test_a_token_whose_use_has_to_be_noted_is_asked_about(town: int) -> None:
    asked = scope("POST", authorization=f"Bearer {create_token('Netz', town, ['write'])}")
    visibility_of_scope(asked)
    with stopped_at(now() + timedelta(hours=2)):
        assert visibility_at_once(asked) is None


@pytest.mark.parametrize("given", ["", "Bearer sh_1", "Basic ?", "Digest x", "Bearer \u00fc"])
def test_whoever_shows_no_good_token_is_not_known_at_once(given: str) -> None:
    assert visibility_at_once(scope("POST", authorization=given)) is None


def test_nobody_is_known_at_once_by_a_session() -> None:
    assert visibility_at_once(scope("POST", cookie="sessionid=x")) is None
