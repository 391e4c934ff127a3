"""Who reads within a transaction waits for those who move readings, and holds up nobody meanwhile."""

import threading

import pytest
from django.db import connection, connections, transaction

from stadtherz.sql.public import Sql
from stadtherz.store.database import moving, rows_of
from stadtherz.store.readings import view

_WAITING = Sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite has one writer, and readers never wait"
)
@pytest.mark.django_db(transaction=True)
def test_a_reader_that_waits_for_a_mover_does_not_hold_what_the_mover_needs() -> None:
    moves, ended = threading.Event(), threading.Event()

    def move() -> None:
        with moving():
            moves.set()
            while not rows_of(_WAITING):
                pass
            view.current()
        connections.close_all()
        ended.set()

    def read() -> None:
        moves.wait()
        with transaction.atomic(), view.reading():
            pass
        connections.close_all()

    threads = [threading.Thread(target=each, daemon=True) for each in (move, read)]
    for thread in threads:
        thread.start()
    assert ended.wait(60), "the two wait for each other"
    for thread in threads:
        thread.join()
