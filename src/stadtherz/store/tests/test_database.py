"""Waiting for one's turn to write."""

import os
import threading
import time

import pytest
from django.db import connection, transaction

from stadtherz.store.database import ID_RANGE, _Turns, _turns, members
from stadtherz.store.models import Organisation
from stadtherz.store.public import commit_lazily, exclusive, on_sqlite
from stadtherz.store.tests.factories import town


def test_threads_get_their_turn_in_the_order_they_came() -> None:
    turns, order = _Turns(), []

    def work(number: int) -> None:
        with turns.take():
            order.append(number)

    with turns.take():
        threads = [threading.Thread(target=work, args=(i,)) for i in range(5)]
        for i, thread in enumerate(threads):
            thread.start()
            while turns._issued < i + 2:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == list(range(5))


def test_a_failure_passes_the_turn_on() -> None:
    turns = _Turns()
    with pytest.raises(ValueError, match="mine"), turns.take():
        raise ValueError("mine")
    with turns.take():
        pass


@pytest.mark.django_db(transaction=True)
def test_a_turn_within_a_transaction_waits_for_nobody() -> None:
    with exclusive(), transaction.atomic(), exclusive():
        town()
    town("another")


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    "postgresql" in os.environ.get("STADTHERZ_ENGINE", ""), reason="PostgreSQL has many writers"
)
def test_a_single_statement_that_writes_stands_in_the_queue_and_one_that_reads_does_not() -> None:
    town()
    seen: list[int] = []

    def look_and_write() -> None:
        seen.append(Organisation.objects.count())
        seen.append(Organisation.objects.update(slug="later"))
        connection.close()

    thread = threading.Thread(target=look_and_write)
    with exclusive():
        before = _turns._issued
        thread.start()
        while _turns._issued == before:
            time.sleep(0.001)
        assert seen == [1]
    thread.join()
    assert seen == [1, 1]


@pytest.mark.django_db(transaction=True)
def test_lazy_commits_are_this_threads_own() -> None:
    def setting() -> str:
        text = "PRAGMA synchronous" if on_sqlite() else "SHOW synchronous_commit"
        with connection.cursor() as cursor:
            cursor.execute(text)
            return str(cursor.fetchone()[0])

    def lazily() -> None:
        commit_lazily()
        found.append(setting())
        connection.close()

    found: list[str] = []
    thread = threading.Thread(target=lazily)
    thread.start()
    thread.join()
    before = setting()
    with exclusive():
        commit_lazily()  # for a transaction that has begun it is too late
    assert setting() == before
    assert found == (["1"] if on_sqlite() else ["off"])


@pytest.mark.django_db
def test_ids_that_cannot_be_are_left_out() -> None:
    assert members("id", [5, 2**63, -1]).parameters == (5,)
    assert ID_RANGE.stop == 2**63
