"""No space left: writers are refused in plain words, readers go on, and with space all goes on."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.backends.signals import connection_created

from stadtherz.base.errors import Unavailable
from stadtherz.store.public import (
    Reading,
    Selection,
    append,
    count,
    delete_readings,
    latest,
    seal,
    select,
    stop_writer,
)
from stadtherz.store.tests.factories import reading, stream
from stadtherz.store.tests.oracle.nursery import command, environment, prepare
from stadtherz.store.tests.oracle.story import Story

on_sqlite = pytest.mark.skipif(
    os.environ.get("STADTHERZ_ENGINE", "").startswith("postgres"),
    reason="PostgreSQL's disk is its own",
)
alone = pytest.mark.django_db(transaction=True)
pytestmark = [on_sqlite, alone]
_TEXT = "x" * 3_000
Limit = Callable[[int | None], None]


@pytest.fixture
def spare_pages(transactional_db: None) -> Iterator[Limit]:
    """Let the database grow by so many pages and no further; None takes the limit away."""
    stop_writer()  # its next connection is seen here
    with connections["default"].cursor() as cursor:
        cursor.execute("VACUUM")  # nothing is free
    seen: list[Any] = [connections["default"]]
    limits = [2**30]

    def on_connect(connection: Any, **_: Any) -> None:
        seen.append(connection)
        _limit(connection, limits[0])

    def limit(pages: int | None) -> None:
        with connections["default"].cursor() as cursor:
            size = cursor.execute("PRAGMA page_count").fetchone()[0]
        limits[0] = 2**30 if pages is None else size + pages
        for connection in seen:
            _limit(connection, limits[0])

    connection_created.connect(on_connect)
    yield limit
    connection_created.disconnect(on_connect)
    limit(None)


def _limit(connection: Any, pages: int) -> None:
    if connection.connection is not None:
        connection.connection.execute(f"PRAGMA max_page_count = {pages}")


def batch(level: int, first: int) -> list[Reading]:
    """Readings that take some pages."""
    return [reading(level, i, f"{i} {_TEXT}", key=str(i)) for i in range(first, first + 20)]


def refusal(level: int, first: int) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        append(batch(level, first))
    return caught.value


def test_writers_hear_that_there_is_no_space(spare_pages: Limit) -> None:
    level = stream()
    spare_pages(3)
    refused = refusal(level, 0)
    assert "full" in str(refused)
    assert refused.retry


def test_readers_go_on_while_the_disk_is_full(spare_pages: Limit) -> None:
    level = stream()
    append(batch(level, 0))
    append([reading(level, 100, 5)])
    spare_pages(3)
    refusal(level, 20)
    assert count(Selection()) == 21
    assert len(select(Selection(frozenset([level])))) == 21
    assert list(latest([level]).result) == [5]


def test_writing_goes_on_when_there_is_space_again(spare_pages: Limit) -> None:
    level = stream()
    spare_pages(3)
    refusal(level, 0)
    refusal(level, 0)
    spare_pages(None)
    assert not any(receipt.duplicate for receipt in append(batch(level, 0)))
    assert all(receipt.duplicate for receipt in append(batch(level, 0)))
    assert select(Selection()).phenomenon_start.tolist() == list(range(20))


def test_what_does_not_fit_hurts_none_that_fits(spare_pages: Limit) -> None:
    level = stream()
    append([reading(level, 0, 0)])
    spare_pages(3)
    refusal(level, 100)
    append([reading(level, 1, 1)])
    assert select(Selection()).result.tolist() == [0, 1]


def test_sealing_waits_for_space_and_loses_nothing(spare_pages: Limit) -> None:
    level = stream()
    values = [(i * 7_919) % 10_007 / 7 for i in range(6_000)]
    append([reading(level, i * i, value) for i, value in enumerate(values)])
    spare_pages(0)
    with pytest.raises(Unavailable, match="full"):
        seal()
    assert select(Selection()).result.tolist() == values
    spare_pages(None)
    seal()
    assert select(Selection()).result.tolist() == values


def test_deleting_is_refused_as_a_whole(spare_pages: Limit) -> None:
    level = stream()
    values = [(i * 7_919) % 10_007 / 7 for i in range(6_000)]
    receipts = append([reading(level, i * i, value) for i, value in enumerate(values)])
    spare_pages(0)
    with pytest.raises(Unavailable, match="full"):
        delete_readings([receipts[5].id, receipts[9].id])
    assert select(Selection()).result.tolist() == values
    spare_pages(None)
    assert delete_readings([receipts[5].id, receipts[9].id]) == 2
    assert count(Selection()) == 5_998


# --- a real disk ---------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of eight megabytes, most of it taken by a file called ballast."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not permitted")
    prepare(tmp_path)
    (tmp_path / "ballast").write_bytes(bytes(6 * 2**20))
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_real_disk_fills_up_and_is_cleared(disk: Path) -> None:
    worker = subprocess.Popen(
        command("fill", "30"),
        env=environment(disk),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    lines: list[dict[str, Any]] = []
    while "done" not in (line := json.loads(worker.stdout.readline())):
        lines.append(line)
        if "refused" in line:
            (disk / "ballast").unlink()
            worker.stdin.write("\n")
            worker.stdin.flush()
    worker.communicate()
    (refused,) = (line for line in lines if "refused" in line)
    assert "full" in refused["refused"]
    kept = sum(
        len(line["appended"]) for line in lines[: lines.index(refused)] if "appended" in line
    )
    assert refused["readable"] == kept
    attempts = [line for line in lines if "appending" in line]
    repeated = [line for i, line in enumerate(attempts) if line not in attempts[:i]]
    answers = [line for line in lines if "appended" in line]
    story = Story().hear([*repeated, *answers])
    read = subprocess.run(command("read"), env=environment(disk), check=True, capture_output=True)
    story.check(json.loads(read.stdout))
    assert len(story.certain) == 60_000
