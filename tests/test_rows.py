"""What tests put back instead of making it again is what they would have made."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection, transaction

from stadtherz.sensorthings.tests.bodies import datastream, location, observation, thing
from stadtherz.sensorthings.tests.client import Client, member
from stadtherz.store.public import create_organisation
from tests.rows import Rows, Shelf, added, emptied_by_a_flush, kept, put_back


def make_station() -> int:
    """Rows in models' tables and in those of readings, with places, times, JSON and nothing."""
    town = create_organisation("town", "Town")
    readings = [
        observation(value, "2026-01-01T06:00:00Z", parameters={"a\tb": "\\N\n"})
        for value in (1, "x")
    ]
    body = thing(
        "T", Locations=[location("L")], Datastreams=[datastream("D", Observations=readings)]
    )
    assert Client(member(town)).post("/Things", body).status == 201
    return town


def delete(rows: Rows) -> None:
    with connection.cursor() as cursor:
        for table in rows:
            cursor.execute(f"DELETE FROM {table}")


def first_rows() -> tuple[set[object], ...]:
    """What `post_migrate` makes, without ids."""
    return (
        set(ContentType.objects.values_list("app_label", "model")),
        set(Permission.objects.values_list("content_type__model", "codename", "name")),
        set(Group.objects.values_list("name", "permissions__codename")),
    )


def held() -> dict[str, set[object]]:
    """All rows by table; in which order a table gives them is its own affair."""
    return {table: {columns, *rows} for table, (columns, rows) in kept().items()}


@pytest.mark.django_db
def test_rows_come_back_as_they_were() -> None:
    before = kept()
    make_station()
    after = held()
    rows = added(before, kept())
    assert {"store_thing", "store_row"} <= set(rows)
    delete(rows)
    assert held() != after
    put_back(rows)
    assert held() == after


@pytest.mark.django_db
def test_a_set_up_that_changes_other_rows_is_not_kept() -> None:
    create_organisation("town", "Town")
    before = kept()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE store_organisation SET name = 'City'")
    with pytest.raises(AssertionError, match="store_organisation lost rows"):
        added(before, kept())


@pytest.mark.django_db
def test_a_set_up_is_made_once_and_then_put_back() -> None:
    shelf = Shelf()
    before = transaction.savepoint()
    town = shelf.fetch("station", make_station)
    there = held()
    transaction.savepoint_rollback(before)
    assert held() != there
    assert shelf.fetch("station", lambda: pytest.fail("made again")) == town
    assert held() == there


@pytest.mark.django_db(transaction=True)
def test_a_flush_leaves_what_the_signal_makes_and_nothing_else() -> None:
    call_command("flush", verbosity=0, interactive=False)
    make_station()
    call_command("flush", verbosity=0, interactive=False)
    quick, tables = first_rows(), set(kept())
    call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)
    assert kept(emptied_by_a_flush()) == {}
    ContentType.objects.clear_cache()
    emit_post_migrate_signal(0, False, "default")
    assert (quick, tables) == (first_rows(), set(kept()))
    ContentType.objects.clear_cache()
