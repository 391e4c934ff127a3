"""Readings in: durable, once, all or none, many callers in one commit."""

import logging
import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext

from stadtherz.base.errors import Invalid, TooLarge, Unavailable
from stadtherz.base.time import LATEST, Period
from stadtherz.store.database import run, writing
from stadtherz.store.public import Reading, Receipt, append, organisations, stop_writer, submit
from stadtherz.store.tests.factories import reading, results, stream
from stadtherz.store.writing import writer
from stadtherz.store.writing.writer import LARGEST_BATCH

alone = pytest.mark.django_db(transaction=True)
within = pytest.mark.django_db


@alone
def test_a_reading_is_there_when_append_returns() -> None:
    level = stream()
    (receipt,) = append([reading(level, 5, 42)])
    assert not receipt.duplicate
    assert results() == [42]


@alone
def test_receipts_come_in_the_order_of_the_readings() -> None:
    level = stream()
    receipts = append([reading(level, at, at, key=str(at)) for at in (3, 1, 2)])
    assert [r.id for r in receipts] == sorted(r.id for r in receipts)
    assert results() == [3, 1, 2]


@alone
def test_a_repeated_key_changes_nothing() -> None:
    level, other = stream(), stream(stream_owner(), name="Other")
    (first,) = append([reading(level, 5, 1, key="uplink 7")])
    again = append([reading(level, 6, 2, key="uplink 7"), reading(other, 6, 3, key="uplink 7")])
    assert again[0] == Receipt(first.id, duplicate=True)
    assert not again[1].duplicate
    assert results() == [1, 3]


def stream_owner() -> int:
    return organisations()[0].id


@alone
def test_a_key_repeated_within_a_batch_is_a_repetition() -> None:
    level = stream()
    receipts = append([reading(level, 1, 1, key="a"), reading(level, 2, 2, key="a")])
    assert receipts[1] == Receipt(receipts[0].id, duplicate=True)
    assert results() == [1]


@within
def test_without_a_key_every_reading_is_new() -> None:
    level = stream()
    append([reading(level), reading(level)])
    assert results() == [1, 1]


@alone
def test_an_unknown_datastream_refuses_the_whole_batch() -> None:
    level = stream()
    with pytest.raises(Invalid, match="no datastream 999"):
        append([reading(level), reading(999)])
    assert results() == []


@alone
def test_a_bad_batch_hurts_nobody_else() -> None:
    level = stream()
    futures = [submit([reading(level if i % 3 else 999, i, i)]) for i in range(30)]
    wait(futures)
    assert [isinstance(f.exception(), Invalid) for f in futures] == [i % 3 == 0 for i in range(30)]
    assert results() == [i for i in range(30) if i % 3]


@within
def test_an_unknown_feature_is_invalid() -> None:
    with pytest.raises(Invalid, match="no feature 999"):
        append([reading(stream(), feature=999)])


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("result", {"result": math.nan}),
        ("result", {"result": math.inf}),
        ("result", {"result": 10**400}),
        ("result", {"result": {"a": [math.nan]}}),
        ("result", {"result": "a\0b"}),
        ("result", {"result": {"a\0": 1}}),
        ("result", {"result": "\ud800"}),
        ("result", {"result": {1, 2}}),
        ("parameters", {"parameters": {"a": -math.inf}}),
        ("resultQuality", {"result_quality": ["\0"]}),
        ("resultTime", {"result_time": LATEST + 1}),
        ("phenomenonTime", {"phenomenon_time": Period(LATEST + 1)}),
        ("validTime", {"valid_time": Period(0, LATEST + 1)}),
        ("key", {"key": "\0"}),
        ("key", {"key": "x" * 501}),
        ("Datastream", {"datastream": 2**63}),
        ("Datastream", {"datastream": -1}),
        ("FeatureOfInterest", {"feature": 2**70}),
    ],
)
def test_what_cannot_be_kept_is_named(field: str, changes: dict[str, Any]) -> None:
    values = {"datastream": 1, "phenomenon_time": Period(0), "result": 1, **changes}
    with pytest.raises(Invalid) as caught:
        submit([Reading(**values)])
    assert caught.value.field == field


def test_deeply_nested_json_is_invalid() -> None:
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    with pytest.raises(Invalid, match="nested"):
        submit([reading(1, 0, deep)])


def test_a_batch_has_a_limit() -> None:
    with pytest.raises(TooLarge):
        submit([reading(1)] * (LARGEST_BATCH + 1))


@alone
def test_an_empty_batch_is_fine() -> None:
    assert append([]) == []


@alone
def test_many_callers_share_commits_and_all_get_their_receipts() -> None:
    level = stream()
    with ThreadPoolExecutor(8) as pool:
        batches = list(pool.map(lambda i: append([reading(level, i, i, key=str(i))]), range(200)))
    ids = [receipt.id for batch in batches for receipt in batch]
    assert len(set(ids)) == 200
    assert sorted(results()) == list(range(200))


@alone
def test_the_same_key_from_many_callers_is_kept_once() -> None:
    level = stream()
    futures = [submit([reading(level, 1, i, key="same")]) for i in range(50)]
    receipts = [future.result()[0] for future in futures]
    assert len({receipt.id for receipt in receipts}) == 1
    assert sum(not receipt.duplicate for receipt in receipts) == 1


@alone
def test_the_writer_starts_again_after_a_stop() -> None:
    level = stream()
    append([reading(level, 1, 1)])
    stop_writer()
    assert not any(thread.name == "store-writer" for thread in threading.enumerate())
    append([reading(level, 2, 2)])
    assert results() == [1, 2]


@alone
def test_what_was_submitted_before_a_stop_is_written() -> None:
    level = stream()
    futures = [submit([reading(level, i, i)]) for i in range(20)]
    stop_writer()
    assert all(future.done() for future in futures)
    assert len(results()) == 20


@alone
def test_readings_join_the_transaction_of_their_caller() -> None:
    level = stream()

    with transaction.atomic():
        append([reading(level, 1, 1)])
        assert results() == [1]
        transaction.set_rollback(True)
    assert results() == []


@within
def test_a_thousand_readings_take_few_statements() -> None:
    level = stream()
    connection = connections["default"]
    with CaptureQueriesContext(connection) as queries:
        append([reading(level, i, i) for i in range(1000)])
    assert len(queries) < 15


@within
def test_any_json_result_comes_back_as_it_was() -> None:
    level = stream()
    kept: list[Any] = ["text", True, None, {"a": [1, None, "ü"]}, [], 1.5, -0.1, 1e300, 7]
    append([reading(level, i, value) for i, value in enumerate(kept)])
    assert results() == kept


# Makes the database itself refuse one text, which no check of ours foresees.
_REFUSAL = {
    "sqlite": [
        "CREATE TRIGGER refuse BEFORE INSERT ON store_row WHEN NEW.result = '\"666\"' "
        "BEGIN SELECT RAISE(ABORT, 'refused'); END"
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'refused'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON store_row FOR EACH ROW "
        "WHEN (NEW.result = '\"666\"'::jsonb) EXECUTE FUNCTION refuse()",
    ],
}


@pytest.fixture
def refusal() -> Iterator[None]:
    connection = connections["default"]
    with connection.cursor() as cursor:
        for statement in _REFUSAL[connection.vendor]:
            cursor.execute(statement)
    yield
    table = " ON store_row" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER refuse{table}")


@alone
@pytest.mark.usefixtures("refusal")
def test_a_batch_that_the_database_refuses_hurts_nobody_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL)
    level = stream()
    futures = [submit([reading(level, i, "666" if i == 7 else i)]) for i in range(20)]
    wait(futures)
    assert [i for i, future in enumerate(futures) if future.exception()] == [7]
    assert isinstance(futures[7].exception(), Unavailable)
    assert sorted(results()) == [i for i in range(20) if i != 7]


@alone
def test_a_connection_that_broke_between_two_commits_is_replaced() -> None:
    level = stream()
    append([reading(level, 1, 1)])
    if connections["default"].vendor == "postgresql":
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
    append([reading(level, 2, 2)])
    assert results() == [1, 2]


@alone
def test_a_caller_that_gives_up_disturbs_nobody() -> None:
    level = stream()
    futures = [submit([reading(level, i, i)]) for i in range(20)]
    for future in futures[::2]:
        future.cancel()
    wait(futures)
    assert len(results()) == 20


@alone
def test_callers_wait_while_the_queue_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_MOST_WAITING", 10)
    level = stream()
    with ThreadPoolExecutor(6) as pool:
        with writing():  # the writer cannot commit meanwhile
            calls = [pool.submit(submit, [reading(level, i, i)] * 4) for i in range(6)]
            done, waiting = wait(calls, timeout=1)
            assert 0 < len(done) < 6
            assert not any(call.result().done() for call in done)
        assert all(call.result().result() for call in calls)
    assert len(results()) == 24
    assert waiting
