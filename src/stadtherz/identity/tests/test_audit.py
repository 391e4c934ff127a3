from datetime import UTC, datetime

import pytest

from stadtherz.base.errors import Conflict
from stadtherz.base.visibility import SYSTEM, Scope, Visibility
from stadtherz.identity.models import AuditEntry
from stadtherz.identity.public import (
    actor_name,
    add_member,
    create_organisation,
    create_token,
    record,
    set_password,
)
from stadtherz.store import public as store

pytestmark = pytest.mark.django_db


@pytest.fixture
def town() -> int:
    return create_organisation("lautern", "Kaiserslautern")


def newest() -> AuditEntry:
    return AuditEntry.objects.latest("pk")


def test_an_entry_says_who_did_what_to_what(town: int) -> None:
    record(Visibility(actor="user:7", home=town), "update", "water.gauge", 3, {"name": "Lauter"})
    entry = newest()
    assert (entry.actor, entry.action, entry.entity, entry.key) == (
        "user:7",
        "update",
        "water.gauge",
        "3",
    )
    assert entry.organisation_id == town
    assert entry.changes == {"name": "Lauter"}


def test_secrets_are_left_out_at_any_depth() -> None:
    changes = {
        "password": "geheim",
        "api_token": "geheim",
        "inner": {"SecretKey": "geheim", "a": [1]},
    }
    record(SYSTEM, "update", "test", 1, changes)
    assert "geheim" not in str(newest().changes)
    assert newest().changes["inner"]["a"] == [1]


def test_values_become_plain_and_short() -> None:
    record(
        SYSTEM, "update", "test", 1, {"at": datetime(2026, 11, 26, tzinfo=UTC), "text": "x" * 9999}
    )
    assert newest().changes["at"].startswith("2026-11-26")
    assert len(newest().changes["text"]) < 2_100


def test_an_entry_can_be_neither_changed_nor_deleted() -> None:
    record(SYSTEM, "create", "test", 1)
    entry = newest()
    entry.actor = "jemand anders"
    for attempt in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(actor="x"),
        lambda: AuditEntry.objects.filter(pk=entry.pk).update(actor="x"),
    ):
        with pytest.raises(Conflict):
            attempt()
    entry.refresh_from_db()
    assert entry.actor == "system"


def test_an_entry_outlives_its_organisation() -> None:
    from stadtherz.identity.public import organisations

    town = create_organisation("kurz", "Kurz")
    organisations().filter(pk=town).delete()
    assert (
        AuditEntry.objects.get(entity="store.organisation", key=str(town)).organisation_id is None
    )


def test_what_a_client_changes_in_the_store_is_in_the_trail(town: int) -> None:
    writer = Visibility(
        actor="token:abc",
        organisations=frozenset({town}),
        writes=frozenset({town}),
        scopes=frozenset({Scope.READ, Scope.WRITE}),
        home=town,
    )
    thing = store.create("Thing", {"name": "Pegel", "description": "am Steg"}, writer)
    store.update("Thing", thing, {"name": "Pegel Nord"}, writer)
    store.delete("Thing", thing, writer)
    trail = AuditEntry.objects.filter(entity="Thing", key=str(thing)).order_by("pk")
    assert [entry.action for entry in trail] == ["create", "update", "delete"]
    assert trail[1].changes == {"name": "Pegel Nord"}
    assert [entry.organisation_id for entry in trail][:2] == [town, town]


def test_of_who_measures_only_the_names_of_what_changed_are_in_the_trail(town: int) -> None:
    values = {"role": "individual", "display_name": "Ada", "owner": town}
    key = store.create("Party", values, SYSTEM)
    store.update("Party", key, {"auth_id": "oidc:ada"}, SYSTEM)
    assert newest().changes == {"auth_id": "***"}
    assert "Ada" not in str(list(AuditEntry.objects.values_list("changes", flat=True)))


def test_neither_passwords_nor_tokens_are_in_the_trail(town: int) -> None:
    user = add_member(town, "ada@lautern.example", "editor").user
    set_password(user.email, "ein gutes Passwort")
    text = create_token("Netz", town, ["ingest"])
    trail = str(list(AuditEntry.objects.values_list("changes", "key")))
    assert "ein gutes Passwort" not in trail
    assert text not in trail
    assert text.split("_", 2)[2] not in trail


def test_a_name_leaves_the_trail_with_its_account(town: int) -> None:
    user = add_member(town, "ada@lautern.example", "editor", name="Ada").user
    actor = f"user:{user.pk}"
    assert actor_name(actor) == "Ada"
    user.delete()
    assert actor_name(actor) == actor
    assert actor_name("system") == "system"
