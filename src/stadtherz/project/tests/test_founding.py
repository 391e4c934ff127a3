"""The first people and tokens of a city."""

import pytest

from stadtherz.base.visibility import Scope
from stadtherz.identity.public import ApiToken, User, organisations, visibility_of_user
from stadtherz.project.founding import found, new_password, slug_of


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Eppishausen", "eppishausen"),
        ("Bad Münstereifel", "bad-muenstereifel"),
        ("Groß-Gerau (Kreis)", "gross-gerau-kreis"),
        ("東京", "stadt"),
    ],
)
def test_a_short_name_for_addresses_comes_from_the_city(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_passwords_can_be_read_aloud_and_differ() -> None:
    made = {new_password() for _ in range(50)}
    assert len(made) == 50
    assert not set("".join(made)) & set("0o1il")


@pytest.mark.django_db
def test_a_new_city_has_an_operator_and_a_token_for_each_use() -> None:
    known = found(city="Eppishausen", email="rathaus@eppishausen.example")
    account = known.accounts["admin"]
    user = User.objects.get(email="rathaus@eppishausen.example")
    assert user.check_password(account.password)
    assert visibility_of_user(user).everything
    scopes = {token.name: token.scopes for token in ApiToken.objects.all()}
    assert scopes == {"admin": sorted(Scope), "LoRaWAN": ["ingest"]}


@pytest.mark.django_db
def test_an_interrupted_founding_is_simply_repeated() -> None:
    found(city="Eppishausen", email="rathaus@eppishausen.example")
    known = found(city="Eppishausen", email="rathaus@eppishausen.example")
    assert organisations().count() == 1
    assert User.objects.get().check_password(known.accounts["admin"].password)
