"""What goes to PostgreSQL, in how many messages, and that nothing is said less than before."""

import re
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from django.db import (
    Error,
    OperationalError,
    ProgrammingError,
    close_old_connections,
    connection,
    transaction,
)
from django.test.utils import CaptureQueriesContext

from stadtherz.base.errors import TooLarge
from stadtherz.base.visibility import SYSTEM
from stadtherz.sql.public import Sql
from stadtherz.store.arrivals.offers import Kept, offer
from stadtherz.store.database import rows_of, rows_of_each, run, run_at_last, snapshot
from stadtherz.store.models import Organisation
from stadtherz.store.public import patience, require, supposing
from stadtherz.store.tests.factories import reading, stream, town
from stadtherz.store.writing import writer

pytestmark = [
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite is called, not sent to"),
    pytest.mark.django_db(transaction=True),
]
Spoken = Callable[[], list[str]]
_SHORT, _LONG = 0.05, "SELECT pg_sleep(0.3)"
_READ_ONLY = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


@pytest.fixture
def spoken() -> Iterator[Spoken]:
    """What was sent since it was last asked for, a message each, as the driver's own library tells it."""
    rows_of(Sql("SELECT 1"))
    with tempfile.TemporaryFile() as told:
        connection.connection.pgconn.trace(told.fileno())

        def since() -> list[str]:
            nonlocal seen
            told.seek(seen)
            lines = told.read().decode()
            seen = told.tell()
            return re.findall(r'\tQuery\t "(.*?)"$', lines, re.DOTALL | re.MULTILINE)

        seen = 0
        yield since
        if connection.connection is not None:
            connection.connection.pgconn.untrace()


def asked(text: str) -> Any:
    return rows_of(Sql(text))[0][0]


def elsewhere(text: str) -> Any:
    """The answer to somebody else."""
    other = connection.copy()
    with closing(other), other.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchone()[0]


def end_this_connection() -> None:
    """Somebody ends it on the server, while nobody asks anything."""
    pid = asked("SELECT pg_backend_pid()")
    assert elsewhere(f"SELECT pg_terminate_backend({pid}, 10000)")


# --- messages ------------------------------------------------------------------------------------


def test_a_transaction_begins_with_its_first_statement(spoken: Spoken) -> None:
    with transaction.atomic():
        asked("SELECT 1")
        asked("SELECT 2")
    assert spoken() == ["BEGIN; SELECT 1", "SELECT 2", "COMMIT"]


def test_a_transaction_in_which_nothing_is_said_is_none(spoken: Spoken) -> None:
    with transaction.atomic():
        pass
    assert spoken() == []


def test_a_snapshot_begins_with_its_first_statement(spoken: Spoken) -> None:
    with snapshot():
        asked("SELECT 1")
    assert spoken() == [f"{_READ_ONLY}; SELECT 1", "COMMIT"]


def test_a_snapshot_in_which_nothing_is_said_leaves_nothing_to_the_next_statement(
    spoken: Spoken,
) -> None:
    with snapshot():
        pass
    asked("SELECT 1")
    assert spoken() == ["SELECT 1"]


def test_questions_that_follow_one_another_say_their_limit_once(spoken: Spoken) -> None:
    for _ in range(3):
        with patience(30):
            asked("SELECT 1")
    assert spoken() == ["SET SESSION statement_timeout = 30000; SELECT 1", *["SELECT 1"] * 2]


def test_a_connection_in_use_is_not_asked_whether_it_is_there(spoken: Spoken) -> None:
    for _ in range(3):
        close_old_connections()
        asked("SELECT 1 + 1")
    assert spoken() == ["SELECT 1 + 1"] * 3


def test_a_connection_that_rested_is_asked_whether_it_is_there(
    spoken: Spoken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stadtherz.store.postgresql.base.ASKED_EVERY_S", -1)
    close_old_connections()
    asked("SELECT 1 + 1")
    assert spoken() == ["SELECT 1", "SELECT 1 + 1"]


def test_readings_that_come_together_take_two_messages_to_be_on_disk(spoken: Spoken) -> None:
    level = stream()

    def commit(at: int) -> list[Kept | None]:
        asked_for = [offer(reading(level, at + i, 5), SYSTEM, places=False) for i in range(3)]
        (kept,) = writer._commit([writer._Job(asked_for, lambda outcome: outcome)])
        return list(kept)

    commit(0)
    spoken()
    assert None not in commit(10)
    first, second = spoken()
    assert first.startswith("BEGIN; SELECT pg_advisory_xact_lock_shared(")
    assert second.startswith("INSERT INTO store_log")
    assert second.endswith("; COMMIT")
    assert elsewhere("SELECT sum(number) FROM store_log") == 6


def test_what_may_come_last_comes_before_whatever_is_asked_and_with_the_end() -> None:
    with transaction.atomic():
        town()
        run_at_last("UPDATE store_organisation SET slug = %s", ("100%-mine",))
        assert rows_of(Sql("SELECT slug, %s FROM store_organisation", (5,))) == [("100%-mine", 5)]
        run_at_last("UPDATE store_organisation SET slug = %s", ("last",))
    assert elsewhere("SELECT slug FROM store_organisation") == "last"


def test_what_comes_last_and_fails_leaves_nothing_of_its_transaction() -> None:
    @transaction.atomic
    def fail_at_last() -> None:
        town()
        run_at_last("SELECT 1 / 0")

    with pytest.raises(Error):
        fail_at_last()
    assert not Organisation.objects.exists()
    with suppress(ValueError), transaction.atomic():
        run_at_last("CREATE TABLE left_behind (n bigint)")
        raise ValueError
    assert asked("SELECT to_regclass('left_behind')") is None


def test_several_questions_are_one_message(spoken: Spoken) -> None:
    found = rows_of_each(
        [Sql("SELECT %s::int", (1,)), Sql("SELECT 2 WHERE false"), Sql("SELECT 3")]
    )
    assert found == [[(1,)], [], [(3,)]]
    assert len(spoken()) == 1


# --- plans -------------------------------------------------------------------------------------------

_SLUGS = "SELECT slug FROM store_organisation WHERE id > %s AND slug LIKE 'l%%'"


def slugs(above: int = 0) -> list[Any]:
    return [slug for (slug,) in rows_of(Sql(_SLUGS, (above,)), often=True)]


def test_what_is_asked_often_is_planned_once(spoken: Spoken) -> None:
    town()
    spoken()
    assert slugs() == slugs() == ["lautern"]
    plan, again = spoken()
    assert plan.startswith("PREPARE ")
    assert plan.endswith(f" WHERE id > $1 AND slug LIKE 'l%'; {again}")
    assert again.startswith("EXECUTE ")


def test_a_plan_outlives_the_transaction_that_was_rolled_back() -> None:
    town()
    with suppress(ValueError), transaction.atomic():
        assert slugs() == ["lautern"]
        raise ValueError
    assert slugs() == ["lautern"]


def test_after_a_failure_it_is_planned_anew_and_the_old_plan_is_gone(spoken: Spoken) -> None:
    town()
    slugs()
    with suppress(Error), transaction.atomic():
        run("DEALLOCATE ALL")
        slugs()
    fail()
    assert slugs() == ["lautern"]
    assert asked("SELECT count(*) FROM pg_prepared_statements") == 1


def test_a_table_that_has_another_form_is_planned_for_anew() -> None:
    run("CREATE TABLE changing AS SELECT 1 AS n")
    whole = Sql("SELECT * FROM changing")
    rows_of(whole, often=True)
    run("ALTER TABLE changing ADD m int")
    with pytest.raises(Error):
        rows_of(whole, often=True)
    assert rows_of(whole, often=True) == [(1, None)]
    run("DROP TABLE changing")


def test_a_new_connection_has_plans_of_its_own() -> None:
    town()
    slugs()
    end_this_connection()
    close_old_connections()
    assert slugs() == ["lautern"]


def test_the_server_keeps_only_so_many_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stadtherz.store.postgresql.base.MOST_PLANS", 3)
    for number in range(8):
        assert rows_of(Sql(f"SELECT {number}"), often=True) == [(number,)]
    assert asked("SELECT count(*) FROM pg_prepared_statements") == 3
    for number in (7, 0, 6):
        assert rows_of(Sql(f"SELECT {number}"), often=True) == [(number,)]


def test_a_number_beyond_all_ids_is_compared_as_before() -> None:
    town()
    assert slugs(2**70) == []


def test_a_plan_that_was_not_asked_for_in_time_is_made_with_the_next_statement() -> None:
    town()
    with suppress(TooLarge), patience(-1):
        slugs()
    assert asked("SELECT 1") == 1
    assert slugs() == ["lautern"]


# --- what is supposed ----------------------------------------------------------------------------------


def none_there(rows: list[tuple[Any, ...]]) -> None:
    if rows:
        raise LookupError


_ANYBODY = Sql("SELECT id FROM store_organisation WHERE id > %s", (0,))


def test_what_is_required_goes_with_the_next_statement(spoken: Spoken) -> None:
    with supposing(), snapshot():
        require(_ANYBODY, none_there)
        assert asked("SELECT 1") == 1
    told, _ = spoken()
    assert told.startswith(f"{_READ_ONLY}; PREPARE ")
    assert told.endswith("; SELECT 1")


def test_who_requires_what_is_not_so_gets_no_answer() -> None:
    def ask(text: str) -> Any:
        with supposing():
            require(_ANYBODY, none_there)
            return rows_of(Sql(text, (1,)))

    assert ask("SELECT %s, 'a%%'") == [(1, "a%")]
    town()
    with pytest.raises(LookupError):
        ask("SELECT %s")
    assert asked("SELECT 1") == 1


def test_what_is_required_and_nothing_comes_after_is_looked_at_in_the_end() -> None:
    def suppose() -> None:
        with supposing():
            require(_ANYBODY, none_there)

    suppose()
    town()
    with pytest.raises(LookupError):
        suppose()


def test_what_is_required_is_looked_at_on_the_next_connection_if_one_is_lost() -> None:
    def suppose() -> None:
        with supposing():
            require(_ANYBODY, none_there)
            connection.close()
            asked("SELECT 1")

    suppose()
    town()
    with pytest.raises(LookupError):
        suppose()


def test_a_question_that_failed_requires_nothing_of_the_next_one() -> None:
    town()
    with suppress(ValueError), supposing():
        require(_ANYBODY, none_there)
        raise ValueError
    with supposing():
        assert asked("SELECT 1") == 1


def test_who_does_not_suppose_is_told_at_once() -> None:
    town()
    with pytest.raises(LookupError):
        require(_ANYBODY, none_there)


# --- transactions ----------------------------------------------------------------------------------


def test_what_is_rolled_back_was_never_there() -> None:
    with suppress(ValueError), transaction.atomic():
        town()
        raise ValueError
    assert not Organisation.objects.exists()


def test_a_part_is_rolled_back_alone_also_the_first_one() -> None:
    with transaction.atomic():
        with suppress(ValueError), transaction.atomic():
            town("gone")
            raise ValueError
        town("kept")
        with suppress(Error), transaction.atomic():
            run("SELECT 1 / 0")
    assert [each.slug for each in Organisation.objects.all()] == ["kept"]


def test_a_failed_first_statement_leaves_no_transaction_behind() -> None:
    for text in ("SELECT 1 / 0", "SELECT nothing that is SQL"):
        with pytest.raises(Error), transaction.atomic():
            run(text)
        assert asked("SELECT 1") == 1
        town(text.replace(" ", "-").replace("/", "by").lower()[:20])
    assert elsewhere("SELECT count(*) FROM store_organisation") == 2


def test_without_autocommit_each_transaction_begins_anew(spoken: Spoken) -> None:
    transaction.set_autocommit(False)
    asked("SELECT 1")
    transaction.commit()
    asked("SELECT 2")
    with pytest.raises(ProgrammingError):
        transaction.set_autocommit(True)
    transaction.rollback()
    transaction.set_autocommit(True)
    assert spoken() == ["BEGIN; SELECT 1", "COMMIT", "BEGIN; SELECT 2", "ROLLBACK"]


def test_many_at_once_and_rows_in_pieces_belong_to_the_transaction_they_are_the_first_of() -> None:
    run("CREATE TEMPORARY TABLE numbered (n bigint)")

    def many() -> None:
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO numbered VALUES (%s)", [(1,), (2,)])

    def copied() -> None:
        with connection.cursor() as cursor, cursor.copy("COPY numbered FROM STDIN") as copy:
            copy.write_row((3,))

    for first in (many, copied):
        with suppress(ValueError), transaction.atomic():
            first()
            raise ValueError
    assert asked("SELECT count(*) FROM numbered") == 0
    town()
    with transaction.atomic():
        assert [each.slug for each in Organisation.objects.iterator(chunk_size=1)]
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_cursors WHERE is_holdable")
            assert cursor.fetchone() == (0,)


def test_who_counts_statements_is_told_of_each_once() -> None:
    with CaptureQueriesContext(connection) as seen, transaction.atomic():
        asked("SELECT 1")
        asked("SELECT 2")
    sent = [each["sql"] for each in seen.captured_queries]
    assert sent == ["BEGIN", "BEGIN; SELECT 1", "SELECT 2", "COMMIT"]


# --- limits ------------------------------------------------------------------------------------------


def ask_too_much(*before: Callable[[], object]) -> None:
    """In a question that may not last."""
    with patience(_SHORT):
        for step in before:
            step()
        asked("SELECT pg_sleep(20)")


def fail() -> None:
    with suppress(Error):
        run("SELECT 1 / 0")


def test_the_first_statement_and_every_other_has_its_limit() -> None:
    with pytest.raises(TooLarge):
        ask_too_much()
    with pytest.raises(TooLarge):
        ask_too_much(lambda: asked("SELECT 1"))


def test_work_that_follows_a_question_may_take_long() -> None:
    with patience(_SHORT):
        asked("SELECT 1")
    asked(_LONG)
    with patience(_SHORT):
        asked("SELECT 1")
    with transaction.atomic():
        asked(_LONG)
    with pytest.raises(TooLarge), patience(_SHORT):
        asked("SELECT pg_sleep(20)")
    asked(_LONG)


def test_within_a_transaction_a_question_is_limited_and_what_follows_is_not() -> None:
    with transaction.atomic():
        town()
        with patience(_SHORT):
            asked("SELECT 1")
        asked(_LONG)
        with pytest.raises(TooLarge), patience(_SHORT), transaction.atomic():
            asked("SELECT pg_sleep(20)")
        asked(_LONG)
    asked(_LONG)
    assert Organisation.objects.count() == 1


def test_a_transaction_within_a_question_is_limited_from_its_first_statement() -> None:
    with pytest.raises(TooLarge), patience(_SHORT), transaction.atomic():
        asked("SELECT pg_sleep(20)")
    with pytest.raises(TooLarge), patience(_SHORT), snapshot():
        asked("SELECT pg_sleep(20)")


def test_a_part_that_is_rolled_back_takes_no_limit_away() -> None:
    def in_part() -> None:
        with suppress(ValueError), transaction.atomic():
            raise ValueError

    with pytest.raises(TooLarge), transaction.atomic():
        ask_too_much(in_part)


def test_what_is_rolled_back_first_of_all_takes_no_limit_away() -> None:
    def roll_back() -> None:
        transaction.savepoint_rollback(before)

    with transaction.atomic():
        before = transaction.savepoint()
        with pytest.raises(TooLarge):
            ask_too_much(roll_back)
        roll_back()


def test_a_question_within_a_question_leaves_the_limit_of_the_other() -> None:
    def ask_at_leisure() -> None:
        with patience(20):
            asked("SELECT 1")

    with pytest.raises(TooLarge):
        ask_too_much(ask_at_leisure)


def test_a_statement_that_fails_takes_no_limit_away() -> None:
    with pytest.raises(TooLarge):
        ask_too_much(fail)
    fail()
    asked(_LONG)


def test_a_new_connection_has_the_limit_of_the_question() -> None:
    with pytest.raises(TooLarge):
        ask_too_much(lambda: asked("SELECT 1"), connection.close)


# --- connections that are lost -------------------------------------------------------------------------


def test_a_connection_that_the_server_ended_is_replaced_before_anybody_asks() -> None:
    end_this_connection()
    close_old_connections()
    assert asked("SELECT 1") == 1


def test_a_connection_that_broke_without_a_word_is_replaced_before_anybody_asks() -> None:
    asked("SELECT 1")
    with socket.socket(fileno=connection.connection.pgconn.socket) as broken:
        broken.shutdown(socket.SHUT_RDWR)
        broken.detach()
    close_old_connections()
    assert asked("SELECT 1") == 1


def test_a_connection_that_is_lost_in_a_transaction_is_told_and_the_next_one_works() -> None:
    @transaction.atomic
    def lose_it() -> None:
        end_this_connection()
        asked("SELECT 1")

    with pytest.raises(OperationalError):
        lose_it()
    close_old_connections()
    with transaction.atomic():
        assert asked("SELECT 1") == 1
