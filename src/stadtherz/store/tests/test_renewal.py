"""A newer format: old chunks are read as they are and written again in the background."""

import pytest
from django.db import connections

from stadtherz.base.time import MINUTE, parse_instant
from stadtherz.store.care.check import check
from stadtherz.store.public import Selection, append, latest, scan, seal, tend
from stadtherz.store.sealed import chunk
from stadtherz.store.tests.factories import reading, stream, town

pytestmark = pytest.mark.django_db
START = parse_instant("2026-03-01T00:00:00Z")


def read_2(data: bytes) -> chunk.Layout:
    return chunk.FORMATS[1](data)


def versions(level: int) -> list[int]:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT data FROM store_chunk WHERE datastream = %s ORDER BY t0", [level])
        return [bytes(row[0])[0] for row in cursor.fetchall()]


def told(level: int) -> list[tuple[int, int, float]]:
    parts = scan(Selection(streams=frozenset({level})))
    return [
        row
        for part in parts
        for row in zip(part.id, part.phenomenon_start, part.result, strict=True)
    ]


def fill(level: int, first: int, number: int) -> None:
    append([reading(level, START + i * MINUTE, i % 50 / 4) for i in range(first, first + number)])
    seal()


def test_all_chunks_are_written_again_once(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = town()
    levels = [stream(owner, name=f"level {number}") for number in range(40)]
    for level in levels:
        fill(level, 0, 300)
    tend()
    before, newest = {level: told(level) for level in levels}, latest(levels).id.tolist()
    monkeypatch.setattr(chunk, "FORMAT", 2)
    monkeypatch.setitem(chunk.FORMATS, 2, read_2)
    assert {level: told(level) for level in levels} == before
    tend()
    assert {version for level in levels for version in versions(level)} == {2}
    assert {level: told(level) for level in levels} == before
    assert latest(levels).id.tolist() == newest
    assert check() == []


def test_what_was_renewed_is_not_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    level = stream(town())
    fill(level, 0, 10)
    tend()
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT value FROM store_state WHERE name = 'format'")
        assert cursor.fetchall() == [(chunk.FORMAT,)]
    monkeypatch.setattr(chunk, "FORMAT", 0)
    fill(level, 10, 10)
    monkeypatch.undo()
    tend()
    assert 0 in versions(level)  # nobody looked, since nobody writes old versions
