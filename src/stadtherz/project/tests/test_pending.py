import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.recorder import MigrationRecorder

from stadtherz.project.pending import up_to_date

pytestmark = pytest.mark.django_db


def test_a_database_that_knows_every_migration_is_up_to_date() -> None:
    assert up_to_date()


@pytest.mark.parametrize("app", ["store", "wagtailcore"])
def test_a_migration_that_has_not_been_run_is_noticed(app: str) -> None:
    MigrationRecorder(connections[DEFAULT_DB_ALIAS]).record_unapplied(app, "0001_initial")
    assert not up_to_date()
