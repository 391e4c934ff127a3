"""A healthy store has no problems; whatever is damaged is found, named, and mended where possible."""

import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from django.db import connections

from stadtherz.base.errors import Unavailable
from stadtherz.base.time import DAY, HOUR, MINUTE, SECOND, Period
from stadtherz.sql.public import Sql
from stadtherz.store.care.check import Problem, check
from stadtherz.store.care.inspection import heaps, same_hours
from stadtherz.store.care.measures import POSTGRESQL_ROW, stats
from stadtherz.store.database import rows_of, run
from stadtherz.store.public import (
    Bucketing,
    Reading,
    Selection,
    append,
    buckets,
    correct,
    count,
    delete_readings,
    extents,
    latest,
    move_cursor,
    register_stream,
    seal,
    select,
    stop_writer,
    tend,
)
from stadtherz.store.readings import view
from stadtherz.store.sealed.chunks import decoded
from stadtherz.store.sealed.rollup import hours_of, unroll
from stadtherz.store.tests.factories import new_stream, reading, stream, town
from stadtherz.store.writing.policies import Policy, set_policy

pytestmark = pytest.mark.django_db
_MANY = 5_000  # minutes


@pytest.fixture
def level() -> int:
    return stream()


@pytest.fixture
def sealed(level: int) -> int:
    """A datastream with three chunks and a text."""
    append([reading(level, i * MINUTE, i % 100 / 10, key=f"k{i}") for i in range(_MANY)])
    append([reading(level, 7, "closed")])
    seal()
    return level


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "damaged"


def forget() -> None:
    """Be a process that has just started."""
    view.forget()
    decoded.clear()


def chunk(stream: int, place: int = 0, names: str = "id") -> Any:
    text = f"SELECT {names} FROM store_chunk WHERE datastream = %s ORDER BY t0, id"
    row = rows_of(Sql(text, (stream,)))[place]
    return row[0] if len(row) == 1 else row


def damage(table: str, key: Any, **values: Any) -> None:
    name = {"log": "last", "stream": "datastream"}.get(table, "id")
    settings = ", ".join(f"{column} = %s" for column in values)
    run(f"UPDATE store_{table} SET {settings} WHERE {name} = %s", (*values.values(), key))
    forget()


def flipped(data: bytes, place: int = 100) -> bytes:
    changed = bytearray(data)
    changed[place % len(changed)] ^= 0x55
    return bytes(changed)


def only(problems: list[Problem]) -> Problem:
    (problem,) = problems
    return problem


def mended(folder: Path) -> list[Problem]:
    """The problems that were found and mended; afterwards there are none."""
    found = check(repair=True, folder=folder)
    assert all(problem.repaired for problem in found), found
    forget()
    assert check() == []
    return found


# --- healthy -------------------------------------------------------------------------------------


def test_a_store_without_readings_is_healthy() -> None:
    assert check() == []


def test_a_store_in_use_is_healthy(sealed: int) -> None:
    other = register_stream(new_stream(town("other"), name="other"))
    append([reading(other, i, float(i)) for i in range(50)])
    append([reading(sealed, i * HOUR, 5.0, result_time=i) for i in range(50)])
    assert check() == []
    seal()
    append([Reading(sealed, Period(DAY * 9, DAY * 10), 4.0, result_time=5)])
    correct(int(select(Selection(frozenset({sealed}), limit=1)).id[0]), reading(sealed, 5, 99.0))
    delete_readings(select(Selection(frozenset({sealed}), skip=70, limit=9)).id.tolist())
    assert check() == []
    tend()
    assert check(repair=True) == []


def test_a_reading_that_a_correction_moved_is_no_problem(sealed: int) -> None:
    other = register_stream(new_stream(town("other"), name="other"))
    newest = int(latest([sealed]).id[0])
    correct(newest, reading(other, 5, 1.0))
    assert check() == []


def test_thinned_readings_are_no_problem(sealed: int) -> None:
    set_policy(sealed, Policy(raw_days=1))
    tend()
    assert chunk(sealed, 0, "n") == 0
    assert check() == []


def test_progress_tells_datastreams(sealed: int) -> None:
    heard: list[tuple[int, int]] = []
    check(progress=lambda done, of: heard.append((done, of)))
    assert heard == [(0, 1), (1, 1)]


# --- chunks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [("low", -5.0), ("t0", 17), ("last", 3), ("n", 5), ("id_max", 9), ("result_nulls", 2)],
)
def test_wrong_statistics_are_made_anew(
    sealed: int, folder: Path, column: str, value: float
) -> None:
    true = chunk(sealed, 1, column)
    damage("chunk", chunk(sealed, 1), **{column: value})
    found = check()
    assert f"its statistics are wrong: {column}" in [problem.what for problem in found]
    assert {problem.datastream for problem in found} == {sealed}
    mended(folder)
    assert chunk(sealed, 1, column) == true
    assert count(Selection()) == _MANY + 1


def test_a_wrong_checksum_is_made_anew(sealed: int, folder: Path) -> None:
    damage("chunk", chunk(sealed), checksum=1)
    problem = only(check())
    assert problem.what == "the row's checksum is wrong"
    assert problem.where == f"chunk {chunk(sealed)}"
    assert "--repair" in problem.advice
    mended(folder)


def test_a_damaged_rollup_is_made_anew(sealed: int, folder: Path) -> None:
    rollup = bytes(chunk(sealed, 0, "rollup"))
    damage("chunk", chunk(sealed), rollup=flipped(rollup, 40))
    assert "roll-up" in only(check()).what
    mended(folder)
    assert bytes(chunk(sealed, 0, "rollup")) == rollup


def test_damaged_readings_are_named_and_their_hours_kept(sealed: int, folder: Path) -> None:
    before = buckets(sealed, Bucketing.DAY, "UTC").total.sum()
    data = flipped(bytes(chunk(sealed, 1, "data")))
    key, number = chunk(sealed, 1, "id, n")
    damage("chunk", key, data=data)
    with pytest.raises(Unavailable, match="stadtherz store check"):
        select(Selection())
    problem = only(check())
    assert problem.datastream == sealed
    assert "cannot be read" in problem.what
    assert "1970-01-02T" in problem.advice
    assert "backup" in problem.advice
    assert len(mended(folder)) == 1
    assert (folder / f"chunk-{key}.bin").read_bytes() == data
    assert count(Selection()) == _MANY + 1 - number == len(select(Selection()))
    assert buckets(sealed, Bucketing.DAY, "UTC").total.sum() == pytest.approx(before)


def test_without_sound_hours_a_damaged_chunk_goes(sealed: int, folder: Path) -> None:
    data = flipped(bytes(chunk(sealed, -1, "data")))
    damage("chunk", chunk(sealed, -1), data=data, rollup=b"nothing of this kind")
    mended(folder)
    assert chunk(sealed, -1, "n") > 0
    assert latest([sealed]).phenomenon_start[0] == chunk(sealed, -1, "t1")


def test_lost_data_are_found(sealed: int, folder: Path) -> None:
    damage("chunk", chunk(sealed), data=None)
    assert "there are none" in only(check()).what
    mended(folder)


def test_damaged_hours_of_thinned_readings_are_told_but_kept(sealed: int, folder: Path) -> None:
    set_policy(sealed, Policy(raw_days=1))
    tend()
    rollup = bytes(chunk(sealed, 0, "rollup"))
    damage("chunk", chunk(sealed), rollup=flipped(rollup, -1))
    problem = only(check(repair=True, folder=folder))
    assert not problem.repaired
    assert "checksum of its hours" in problem.what
    damage("chunk", chunk(sealed), rollup=rollup[:-1])
    assert "hours cannot be read" in only(mended(folder)).what


def test_chunks_that_overlap_become_one(sealed: int, folder: Path) -> None:
    columns = (
        "datastream, t0, t1, last, n, id_min, id_max, low, high, result_first, result_last, "
        "result_nulls, feature_min, feature_max, checksum, sealed_at, rollup, data"
    )
    run(
        f"INSERT INTO store_chunk ({columns}) SELECT {columns} FROM store_chunk WHERE id = %s",
        (chunk(sealed, 1),),
    )
    forget()
    assert "they overlap in time" in [problem.what for problem in check()]
    mended(folder)
    assert count(Selection()) == _MANY + 1 == len(set(select(Selection()).id.tolist()))


def test_a_chunk_under_another_datastream_comes_back(sealed: int, folder: Path) -> None:
    other = register_stream(new_stream(town("other"), name="other"))
    damage("chunk", chunk(sealed, 1), datastream=other)
    found = check()
    assert f"its readings belong to datastream {sealed}" in " ".join(p.what for p in found)
    mended(folder)
    assert len(select(Selection(frozenset({sealed})))) == _MANY + 1
    assert extents([other]) == {}


def test_a_chunk_under_no_datastream_comes_back(sealed: int, folder: Path) -> None:
    damage("chunk", chunk(sealed, 1), datastream=999)
    mended(folder)
    assert len(select(Selection(frozenset({sealed})))) == _MANY + 1


def test_chunks_in_heaps_share_time() -> None:
    assert heaps([]) == []


def test_hours_differ_by_more_than_rounding_only() -> None:
    starts = np.arange(100) * MINUTE
    one, other = hours_of(starts, np.full(100, 0.1)), hours_of(starts, np.full(100, 0.2))
    assert same_hours(one, one)
    assert not same_hours(one, other)
    assert not same_hours(one, one[:1])


# --- summaries, rows, keys, what is gone ---------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [{"count": 7}, {"newest": 5}, {"newest_number": 5.5}, {"phenomenon_last": 1}],
)
def test_a_wrong_summary_is_made_anew(sealed: int, folder: Path, wrong: dict[str, Any]) -> None:
    append([reading(sealed, -MINUTE, 3.0)])  # not sealed yet
    damage("stream", sealed, **wrong)
    problem = only(check())
    assert (problem.datastream, problem.where) == (sealed, "summary")
    assert next(iter(wrong)) in problem.what
    mended(folder)
    found = extents([sealed])[sealed]
    assert found.phenomenon == Period(-MINUTE, (_MANY - 1) * MINUTE)


def test_a_missing_summary_is_made_anew_and_no_id_is_given_twice(sealed: int, folder: Path) -> None:
    run("DELETE FROM store_stream")
    forget()
    assert "next_sequence" in only(check()).what
    mended(folder)
    (receipt,) = append([reading(sealed, 9 * DAY, 1.0)])
    assert receipt.id == (sealed << 32) + _MANY + 2


def test_what_a_datastream_left_behind_is_removed(sealed: int, folder: Path) -> None:
    set_policy(sealed, Policy(raw_days=900))
    append([reading(sealed, 5, 5.0)])
    with connections["default"].constraint_checks_disabled():
        run("DELETE FROM store_observed WHERE datastream_id = %s", (sealed,))
        run("DELETE FROM store_datastream WHERE id = %s", (sealed,))
    forget()
    problem = only(check())
    assert problem.what == (
        "it is gone, but left chunks, rows, a summary, a policy, unsealed readings"
    )
    mended(folder)
    for table in ("chunk", "row", "stream", "policy"):
        assert rows_of(Sql(f"SELECT 1 FROM store_{table}")) == []


def test_keys_that_do_not_ascend_are_sorted(sealed: int, folder: Path) -> None:
    (key, digests, ids) = rows_of(Sql("SELECT id, digests, ids FROM store_key"))[0]
    swapped = (np.frombuffer(bytes(part), np.int64)[::-1].tobytes() for part in (digests, ids))
    damage("key", key, **dict(zip(("digests", "ids"), swapped, strict=True)))
    assert only(check()).what == "its keys do not ascend"
    mended(folder)
    assert append([reading(sealed, 5 * MINUTE, 0.5, key="k5")])[0].duplicate


def test_keys_of_the_wrong_length_are_put_aside(sealed: int, folder: Path) -> None:
    key = rows_of(Sql("SELECT id FROM store_key"))[0][0]
    damage("key", key, number=3)
    assert only(mended(folder)).where == f"keys {key}"
    assert (folder / f"keys-{key}.bin").stat().st_size == 16 * _MANY


# --- the log -------------------------------------------------------------------------------------


def log_row(place: int, kind: int = 1) -> Any:
    text = "SELECT last FROM store_log WHERE kind = %s ORDER BY last"
    return rows_of(Sql(text, (kind,)))[place][0]


def test_a_damaged_row_of_what_is_sealed_costs_no_reading(sealed: int, folder: Path) -> None:
    damage("log", log_row(0), payload=b"\x01\x01\x00")
    assert "cannot be read" in only(check()).what
    mended(folder)
    assert count(Selection()) == _MANY + 1
    assert (folder / f"log-{_MANY}.bin").read_bytes() == b"\x01\x01\x00"


def test_a_damaged_row_of_what_is_not_sealed_is_told_and_stops_nobody(
    sealed: int, folder: Path
) -> None:
    append([reading(sealed, 5, 1.0)])
    damage("log", log_row(-1), payload=b"\x01\x01\x00")
    problem = check()[0]
    assert "1 readings that were not sealed yet are lost" in problem.advice
    mended(folder)
    append([reading(sealed, 6, 2.0)])
    assert len(select(Selection())) == _MANY + 2


def test_a_damaged_event_is_found(sealed: int, folder: Path) -> None:
    damage("log", log_row(-1, 2), payload=orjson.dumps({"streams": []}))
    assert "no event" in only(check()).what
    mended(folder)


def test_a_gap_in_the_log_is_told(level: int, folder: Path) -> None:
    for i in range(3):
        append([reading(level, i, 1.0)])
    run("DELETE FROM store_log WHERE last = %s", (log_row(1),))
    forget()
    problem = check(repair=True, folder=folder)[0]
    assert problem.what == "positions 2 to 3 do not follow each other"
    assert not problem.repaired


def test_a_log_that_lost_its_beginning_is_told(level: int) -> None:
    for i in range(3):
        append([reading(level, i, 1.0)])
    run("DELETE FROM store_log WHERE last = %s", (log_row(0),))
    forget()
    assert "begins behind position 1" in check()[0].what


def test_more_cannot_be_sealed_than_there_is(sealed: int, folder: Path) -> None:
    run("UPDATE store_state SET value = value + 1000 WHERE name = 'sealed'")
    forget()
    assert "count as sealed" in only(check()).what
    mended(folder)
    append([reading(sealed, 5 * SECOND, 5.0)])
    forget()
    assert count(Selection()) == _MANY + 2


# --- beside others -------------------------------------------------------------------------------


@pytest.fixture
def committed(transactional_db: None) -> Iterator[int]:
    yield stream()
    stop_writer()


@pytest.mark.django_db(transaction=True)
def test_a_check_beside_writers_and_sealing_finds_nothing(committed: int) -> None:
    done = threading.Event()

    def write() -> None:
        try:
            for i in range(40):
                append([reading(committed, (i * 100 + j) * MINUTE, 1.5) for j in range(100)])
                if i % 5 == 4:
                    seal()
        finally:
            done.set()
            connections.close_all()

    writer = threading.Thread(target=write)
    writer.start()
    found = check()
    while not done.is_set():
        found += check()
    writer.join()
    assert found == []


def test_a_running_server_learns_of_repairs(sealed: int, folder: Path) -> None:
    select(Selection())
    server = view.current().copy()
    server.look_at_chunks()
    key, number = chunk(sealed, 1, "id, n")
    damage("chunk", key, data=flipped(bytes(chunk(sealed, 1, "data"))))
    check(repair=True, folder=folder)
    view._views[0] = server
    assert len(select(Selection())) == _MANY + 1 - number == count(Selection())
    assert extents([sealed])[sealed].count == _MANY + 1 - number
    view.forget()


# --- sizes ---------------------------------------------------------------------------------------


def test_sizes_of_the_store(sealed: int) -> None:
    append([reading(sealed, -DAY, 1.0)])
    move_cursor("slow", 10)
    told = stats()
    assert (told.sizes.readings, told.sizes.rows, told.sizes.chunks) == (_MANY, 1, 3)
    assert told.sizes.fill == 2_048
    assert told.sizes.small == 0
    assert (told.sizes.oldest, told.sizes.newest) == (0, (_MANY - 1) * MINUTE)
    assert told.sizes.data + told.sizes.rollups < 3 * _MANY
    ratio = told.sizes.times_smaller(POSTGRESQL_ROW)
    assert ratio is not None
    assert ratio > 30
    assert (told.log.unsealed, told.log.oldest_unsealed) == (1, -DAY)
    assert (told.log.slowest, told.log.behind) == ("slow", told.log.end - 10)
    assert told.keys == _MANY
    assert told.rows_bytes > 24
    assert told.database > 100_000


def test_the_largest_datastreams_come_first(sealed: int) -> None:
    other = register_stream(new_stream(town("other"), name="other"))
    append([reading(other, i, 1.0) for i in range(10)])
    seal()
    assert [one.datastream for one in stats().largest] == [sealed, other]
    (largest,) = stats(1).largest
    assert largest.name == "Level"
    assert largest.sizes.readings == _MANY
    assert largest.sizes.rows == 1


def test_sizes_of_an_empty_store() -> None:
    told = stats()
    assert told.sizes.bytes_per_reading is None
    assert told.largest == []
    assert told.log.oldest_unsealed is None


def test_hours_left_are_those_of_the_readings(sealed: int) -> None:
    hours = unroll(bytes(chunk(sealed, 0, "rollup")))
    assert int(hours.count.sum()) == chunk(sealed, 0, "n")


# --- any damage ----------------------------------------------------------------------------------

_BLOBS = (
    *(("chunk", "data"), ("chunk", "rollup"), ("chunk", "low"), ("chunk", "t0"), ("chunk", "n")),
    *(("log", "payload"), ("key", "digests"), ("stream", "newest_start"), ("stream", "count")),
)


@pytest.mark.parametrize("seed", range(int(os.environ.get("STADTHERZ_DAMAGES", "20"))))
def test_after_a_repair_nothing_is_wrong_whatever_was_damaged(
    sealed: int, folder: Path, seed: int
) -> None:
    draw = random.Random(seed)
    append([reading(sealed, i * HOUR, i / 7) for i in range(200)])
    for table, column in draw.sample(_BLOBS, 2):
        key = {"log": "last", "stream": "datastream"}.get(table, "id")
        rows = rows_of(Sql(f"SELECT {key}, {column} FROM store_{table}"))
        place, value = draw.choice(rows)
        if isinstance(value, int | float):
            new = type(value)(draw.choice([0, 5, -(2**30)]))
        else:
            new = flipped(bytes(value), draw.randrange(len(value)))
        damage(table, place, **{column: new})
    check(repair=True, folder=folder)
    forget()
    left = check()
    assert [problem for problem in left if "positions" not in problem.what] == []
    select(Selection())
    append([reading(sealed, 90 * DAY, 1.0)])
    seal()
    assert latest([sealed]).phenomenon_start[0] == 90 * DAY
