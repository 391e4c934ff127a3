"""Django knows the declared permissions, and the declared roles have them."""

from dataclasses import replace

import pytest
from django.contrib.auth.models import Permission as DjangoPermission

from stadtherz.identity.public import User
from stadtherz.kit import permissions
from stadtherz.kit.declaration import Permission, Service
from stadtherz.kit.testing import Town, person
from stadtherz.kit.tests.services import SOUND


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> list[Service]:
    known = [SOUND]
    monkeypatch.setattr(permissions, "services", lambda: tuple(known))
    permissions.sync_permissions()
    return known


def has(role: str, key: str = "sound.edit") -> bool:
    town = Town.found()
    person(role, town.organisation)  # type: ignore[arg-type]
    return User.objects.get(email__startswith=role).has_perm(key)


@pytest.mark.parametrize(
    ("role", "may"),
    [("editor", True), ("administrator", True), ("viewer", False), ("citizen", False)],
)
def test_a_role_has_what_the_declaration_gives_it(
    declared: list[Service], role: str, may: bool
) -> None:
    assert has(role) is may


def test_syncing_twice_changes_nothing(declared: list[Service]) -> None:
    before = DjangoPermission.objects.count()
    permissions.sync_permissions()
    assert DjangoPermission.objects.count() == before


def test_a_role_taken_away_loses_the_permission(declared: list[Service]) -> None:
    fewer = Permission("sound.edit", "Edit", roles=("administrator",))
    declared[0] = replace(SOUND, permissions=(fewer,))
    permissions.sync_permissions()
    assert not has("editor")


def test_a_permission_declared_no_more_is_gone(declared: list[Service]) -> None:
    declared[0] = replace(SOUND, permissions=())
    permissions.sync_permissions()
    assert not DjangoPermission.objects.filter(content_type__app_label="sound").exists()
