"""A question that takes too long is stopped, and the next one is answered."""

import math

import pytest
from django.db import connection

from stadtherz.base.errors import TooLarge
from stadtherz.sql.public import Sql
from stadtherz.store.database import rows_of, snapshot
from stadtherz.store.public import patience
from stadtherz.store.tests.factories import town as make_town

ENDLESS = """WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted)
             SELECT count(*) FROM counted"""
NUMBERS = "WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted) SELECT n FROM counted"


def asked(text: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(text)
        (found,) = cursor.fetchone()
    return int(found)


@pytest.mark.django_db(transaction=True)
def test_what_never_ends_is_stopped() -> None:
    with pytest.raises(TooLarge, match=r"longer than 0\.2 s"), patience(0.2):
        asked(ENDLESS)
    assert asked("SELECT 1") == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_is_begun_any_more_when_the_time_is_over() -> None:
    with pytest.raises(TooLarge), patience(-1):
        asked("SELECT 1")
    assert asked("SELECT 1") == 1


@pytest.mark.django_db(transaction=True)
def test_when_the_time_is_over_a_snapshot_ends_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ask_too_late() -> None:
        with patience(1_000), snapshot():
            asked("SELECT 1")
            monkeypatch.setattr("stadtherz.store.patience.time.monotonic", lambda: math.inf)
            asked("SELECT 1")

    with pytest.raises(TooLarge):
        ask_too_late()
    monkeypatch.undo()
    make_town()
    with snapshot():
        assert asked("SELECT count(*) FROM store_organisation") == 1


@pytest.mark.django_db
def test_within_a_transaction_it_is_so_for_its_block_alone() -> None:
    with patience(0.001):
        pass
    assert asked(f"SELECT count(*) FROM ({NUMBERS} LIMIT 100000) AS c") == 100000


@pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL sends all rows at once")
@pytest.mark.django_db(transaction=True)
def test_rows_that_never_end_are_stopped_while_they_are_fetched() -> None:
    with pytest.raises(TooLarge), patience(0.2):
        rows_of(Sql(NUMBERS))
