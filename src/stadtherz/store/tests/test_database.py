"""Waiting for one's turn to write."""

import threading
import time

import pytest
from django.db import transaction

from stadtherz.store.database import ID_RANGE, _Turns, members
from stadtherz.store.public import exclusive
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


@pytest.mark.django_db
def test_ids_that_cannot_be_are_left_out() -> None:
    assert members("id", [5, 2**63, -1]).parameters == (5,)
    assert ID_RANGE.stop == 2**63
