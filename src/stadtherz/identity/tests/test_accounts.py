import pytest
from django.contrib.auth import authenticate

from stadtherz.base.errors import Conflict, Invalid, NotFound
from stadtherz.identity.models import Membership, User
from stadtherz.identity.public import (
    add_member,
    create_organisation,
    create_token,
    create_user,
    set_password,
)

pytestmark = pytest.mark.django_db
PASSWORD = "ein gutes Passwort"


@pytest.fixture
def town() -> int:
    return create_organisation("lautern", "Kaiserslautern")


def test_a_user_signs_in_with_the_address_in_any_case(town: int) -> None:
    key = create_user("Ada@Lautern.example", PASSWORD, "Ada", "lautern", "editor")
    user = authenticate(username="ADA@lautern.EXAMPLE", password=PASSWORD)
    assert user is not None
    assert user.pk == key
    assert Membership.objects.get(user_id=key).role == "editor"


def test_an_address_is_given_once(town: int) -> None:
    create_user("ada@lautern.example", PASSWORD)
    with pytest.raises(Conflict):
        create_user("ADA@lautern.example", PASSWORD, "Andere", town)
    assert User.objects.count() == 1


@pytest.mark.parametrize("weak", ["kurz", "password123", ""])
def test_a_weak_password_is_refused(weak: str) -> None:
    with pytest.raises(Invalid, match="password"):
        create_user("ada@lautern.example", weak)
    assert not User.objects.exists()


def test_an_unknown_role_or_organisation_is_refused(town: int) -> None:
    with pytest.raises(Invalid, match="role"):
        create_user("ada@lautern.example", PASSWORD, "Ada", town, "king")
    with pytest.raises(NotFound):
        create_user("ada@lautern.example", PASSWORD, "Ada", "atlantis")
    assert not User.objects.exists()


def test_an_organisation_has_its_short_name_alone(town: int) -> None:
    with pytest.raises(Conflict):
        create_organisation("lautern", "Noch eins")


def test_a_new_password_replaces_the_old_one() -> None:
    create_user("ada@lautern.example", PASSWORD)
    set_password("Ada@lautern.example", "ein neues Passwort")
    assert authenticate(username="ada@lautern.example", password=PASSWORD) is None
    assert authenticate(username="ada@lautern.example", password="ein neues Passwort")
    with pytest.raises(NotFound):
        set_password("niemand@lautern.example", PASSWORD)


def test_somebody_who_has_an_account_keeps_it_when_another_town_adds_them(town: int) -> None:
    other = create_organisation("pirmasens", "Pirmasens")
    create_user("ada@lautern.example", PASSWORD, "Ada", town, "editor")
    add_member(other, "ada@lautern.example", "viewer", name="Böse", password="ein fremdes Passwort")
    user = User.objects.get()
    assert user.name == "Ada"
    assert user.check_password(PASSWORD)
    assert user.memberships.count() == 2


def test_a_new_member_without_a_password_cannot_sign_in_yet(town: int) -> None:
    member = add_member(town, "neu@lautern.example", "viewer")
    assert not member.user.has_usable_password()
    with pytest.raises(Conflict):
        add_member(town, "neu@lautern.example", "editor")


def test_a_token_belongs_to_an_organisation_that_exists() -> None:
    with pytest.raises(NotFound):
        create_token("Netz", "atlantis", ["ingest"])


def test_the_back_office_opens_with_a_membership_and_closes_with_it(town: int) -> None:
    user = User.objects.create_user("ada@lautern.example")
    assert not user.has_perm("wagtailadmin.access_admin")
    member = add_member(town, user.email, "viewer")
    assert User.objects.get().has_perm("wagtailadmin.access_admin")
    member.delete()
    assert not User.objects.get().has_perm("wagtailadmin.access_admin")


def test_groups_follow_a_change_of_role_and_leave_other_groups_alone(town: int) -> None:
    member = add_member(town, "ada@lautern.example", "viewer")
    other = member.user.groups.create(name="Chor")
    member.role = "editor"
    member.save()
    names = set(member.user.groups.values_list("name", flat=True))
    assert names == {"role: editor", other.name}
