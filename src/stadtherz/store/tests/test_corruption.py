"""Bytes that rot on the disk: the error says which readings are lost, all others answer."""

import random
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import connections

from stadtherz.base.errors import Unavailable
from stadtherz.base.expressions import And, Column, Compare, Kind, Literal, Order
from stadtherz.base.time import DAY, MINUTE, iso, parse_instant
from stadtherz.store.care.check import check
from stadtherz.store.public import (
    Bucketing,
    Selection,
    append,
    buckets,
    by_id,
    count,
    extents,
    latest,
    scan,
    seal,
    select,
    tend,
)
from stadtherz.store.readings import view
from stadtherz.store.sealed.chunks import decoded
from stadtherz.store.tests.factories import reading, stream, town

pytestmark = pytest.mark.django_db
START = parse_instant("2026-03-01T00:00:00Z")
NUMBER = 5_000
TIME = Column("phenomenon_start", Kind.TIME)


@pytest.fixture
def levels() -> tuple[int, int]:
    """Two datastreams of three chunks each; that of the first in the middle will be damaged."""
    owner = town()
    both = stream(owner, name="damaged"), stream(owner, name="sound")
    for level in both:
        append([reading(level, START + i * MINUTE, i * 7 % 1_000 / 8) for i in range(NUMBER)])
    seal()
    return both


Damage = Callable[[bytearray], None]


def damage(level: int, harm: Damage, column: str = "data") -> tuple[int, int]:
    """Change the bytes of the datastream's second chunk; its first and last instant."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            f"SELECT id, t0, t1, {column} FROM store_chunk WHERE datastream = %s ORDER BY t0",
            [level],
        )
        key, first, last, held = cursor.fetchall()[1]
        data = bytearray(held)
        harm(data)
        cursor.execute(f"UPDATE store_chunk SET {column} = %s WHERE id = %s", [bytes(data), key])
    view.forget()
    decoded.clear()
    return first, last


def flip(data: bytearray) -> None:
    """One bit, wherever it is."""
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def cut(data: bytearray) -> None:
    del data[random.randrange(len(data)) :]


def lengthen(data: bytearray) -> None:
    data += b"more"


def between(level: int, first: int, last: int) -> Selection:
    bounds = (
        Compare("ge", TIME, Literal(first, Kind.TIME)),
        Compare("le", TIME, Literal(last, Kind.TIME)),
    )
    return Selection(frozenset([level]), And(bounds))


@pytest.mark.parametrize("harm", [flip, cut, lengthen])
def test_the_error_names_the_readings_and_the_way_out(
    levels: tuple[int, int], harm: Damage
) -> None:
    first, last = damage(levels[0], harm)
    with pytest.raises(Unavailable) as caught:
        select(between(levels[0], first, last))
    message = str(caught.value)
    assert f"datastream {levels[0]}" in message
    assert iso(first) in message
    assert iso(last) in message
    assert "stadtherz store check" in message
    assert not caught.value.retry


def test_no_bit_of_a_chunk_may_change_unnoticed(levels: tuple[int, int]) -> None:
    for _ in range(30):
        first, last = damage(levels[0], mark := Flip())
        with pytest.raises(Unavailable):
            select(between(levels[0], first, last))
        damage(levels[0], mark)
    assert count(between(levels[0], first, last)) > 2_000


class Flip:
    """Flips one bit, and with the second call back again."""

    def __init__(self) -> None:
        self.place = random.random()

    def __call__(self, data: bytearray) -> None:
        bit = int(self.place * len(data) * 8)
        data[bit // 8] ^= 1 << bit % 8


def test_other_datastreams_answer(levels: tuple[int, int]) -> None:
    damage(levels[0], flip)
    sound = frozenset([levels[1]])
    assert len(select(Selection(sound))) == NUMBER
    assert sum(len(part) for part in scan(Selection(sound))) == NUMBER
    assert buckets(levels[1], Bucketing.DAY, "UTC").count.sum() == NUMBER


def test_other_times_of_the_datastream_answer(levels: tuple[int, int]) -> None:
    first, last = damage(levels[0], flip)
    before = select(between(levels[0], START, first - 1))
    behind = select(between(levels[0], last + 1, START + DAY * 30))
    assert (len(before), len(behind)) == (
        (first - START) // MINUTE,
        NUMBER - 1 - (last - START) // MINUTE,
    )
    assert len(by_id(before.id[:5].tolist())) == 5


def test_the_newest_readings_do_not_need_a_damaged_older_chunk(levels: tuple[int, int]) -> None:
    damage(levels[0], flip)
    newest = Selection(frozenset([levels[0]]), order=(Order(TIME, descending=True),), limit=100)
    assert len(select(newest)) == 100


def test_what_needs_no_readings_answers(levels: tuple[int, int]) -> None:
    damage(levels[0], flip)
    assert count(Selection(frozenset([levels[0]]))) == NUMBER
    assert extents(levels)[levels[0]].count == NUMBER
    assert list(latest(levels).datastream) == sorted(levels)


def test_new_readings_are_kept_beside_damaged_ones(levels: tuple[int, int]) -> None:
    first, last = damage(levels[0], flip)
    append([reading(levels[0], START + 30 * DAY, 1), reading(levels[1], first, 2)])
    seal()
    assert select(between(levels[0], last + 1, START + 40 * DAY)).result[-1] == 1
    assert len(select(Selection(frozenset([levels[1]])))) == NUMBER + 1


def test_late_readings_for_a_damaged_time_are_not_lost(levels: tuple[int, int]) -> None:
    first, last = damage(levels[0], flip)
    append([reading(levels[0], first + 1, 1), reading(levels[1], first + 1, 2)])
    with suppress(Unavailable):
        seal()
    with pytest.raises(Unavailable, match="damaged"):
        select(between(levels[0], first, last))
    assert len(select(Selection(frozenset([levels[1]])))) == NUMBER + 1
    check(repair=True)
    seal()
    assert select(between(levels[0], first, last)).result.tolist() == [1]


def test_the_check_finds_the_damage(levels: tuple[int, int]) -> None:
    assert check() == []
    damage(levels[0], flip)
    problems = check()
    assert [problem.datastream for problem in problems] == [levels[0]]


def test_sealing_and_tending_go_on_beside_a_damaged_chunk(levels: tuple[int, int]) -> None:
    broken, sound = levels
    damage(broken, lambda data: data.__setitem__(60, data[60] ^ 1))
    first = START + 2_100 * MINUTE + 1  # into the damaged chunk
    late = append([reading(level, first, 5.0) for level in levels])
    seal()
    tend()
    assert by_id([receipt.id for receipt in late]).result.tolist() == [5.0, 5.0]
    assert count(Selection(streams=frozenset({sound}))) == NUMBER + 1
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM store_log WHERE kind = 1")
        assert cursor.fetchone() == (0,)  # the log was cut, too
