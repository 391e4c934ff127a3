import time
from datetime import timedelta

import pytest
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from stadtherz.base.errors import Invalid, Unauthenticated
from stadtherz.base.time import now, stopped_at
from stadtherz.identity.models import ApiToken
from stadtherz.identity.public import create_organisation
from stadtherz.identity.tokens import find_token, issue_token, revoke

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_tries_yet() -> None:
    cache.clear()


@pytest.fixture
def town() -> int:
    return create_organisation("lautern", "Kaiserslautern")


def test_a_token_is_found_by_its_text(town: int) -> None:
    token, text = issue_token("Netz", town, ["ingest"])
    assert find_token(text) == token


def test_the_text_of_a_token_is_kept_nowhere(town: int) -> None:
    token, text = issue_token("Netz", town, ["ingest"])
    secret = text.removeprefix(f"sh_{token.prefix}_")
    row = ApiToken.objects.filter(pk=token.pk).values().get()
    assert not any(secret in str(value) for value in row.values())


def test_one_wrong_character_is_refused(town: int) -> None:
    _, text = issue_token("Netz", town, ["ingest"])
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    with pytest.raises(Unauthenticated):
        find_token(wrong)


@given(st.text(max_size=200))
def test_any_other_text_is_refused_without_an_accident(text: str) -> None:
    with pytest.raises(Unauthenticated):
        find_token(text)


def test_a_revoked_token_is_refused(town: int) -> None:
    token, text = issue_token("Netz", town, ["ingest"])
    revoke(token)
    with pytest.raises(Unauthenticated):
        find_token(text)


def test_revoking_twice_keeps_the_first_time(town: int) -> None:
    token, _ = issue_token("Netz", town, ["ingest"])
    revoke(token)
    first = token.revoked
    revoke(token)
    assert token.revoked == first


def test_a_token_works_until_it_expires(town: int) -> None:
    ends = now() + timedelta(days=1)
    _, text = issue_token("Netz", town, ["ingest"], expires=ends)
    assert find_token(text)
    with stopped_at(ends), pytest.raises(Unauthenticated):
        find_token(text)


def test_the_last_use_is_kept_by_the_hour(town: int) -> None:
    token, text = issue_token("Netz", town, ["ingest"])
    start = now()
    for minutes in (0, 30, 59, 61):
        with stopped_at(start + timedelta(minutes=minutes)):
            find_token(text)
    token.refresh_from_db()
    assert token.last_used == start + timedelta(minutes=61)


def test_many_wrong_tries_for_one_token_are_cut_short_for_that_sender_only(town: int) -> None:
    _, text = issue_token("Netz", town, ["ingest"])
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    for _try in range(30):
        with pytest.raises(Unauthenticated):
            find_token(wrong, client="192.0.2.1")
    with pytest.raises(Unauthenticated, match="minute"):
        find_token(text, client="192.0.2.1")
    assert find_token(text, client="192.0.2.2")


def test_unknown_or_no_scopes_are_invalid(town: int) -> None:
    with pytest.raises(Invalid, match="everything"):
        issue_token("Netz", town, ["everything"])
    with pytest.raises(Invalid):
        issue_token("Netz", town, [])


def test_a_token_that_was_just_used_is_refused_as_soon_as_it_is_revoked_or_gone(town: int) -> None:
    revoked, text = issue_token("Netz", town, ["ingest"])
    find_token(text)
    revoke(revoked)
    deleted, other = issue_token("Netz", town, ["ingest"])
    find_token(other)
    deleted.delete()
    for each in (text, other):
        with pytest.raises(Unauthenticated):
            find_token(each)


def test_a_token_that_was_just_used_is_refused_when_it_expires(town: int) -> None:
    _, text = issue_token("Netz", town, ["ingest"], expires=now() + timedelta(hours=1))
    find_token(text)
    with stopped_at(now() + timedelta(hours=2)), pytest.raises(Unauthenticated):
        find_token(text)


def test_a_token_in_constant_use_is_looked_up_once_a_second(
    town: int, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, text = issue_token("Netz", town, ["ingest"])
    find_token(text)
    with django_assert_num_queries(0):
        find_token(text)
    ApiToken.objects.filter(pk=token.pk).update(revoked=now())  # another process: no signal comes
    later = time.monotonic() + 1.1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    with pytest.raises(Unauthenticated):
        find_token(text)
