"""What others do while a sealing is under way, between its small transactions."""

from collections.abc import Callable

import pytest

from stadtherz.base.time import MINUTE, Period, parse_instant
from stadtherz.store.care.check import check
from stadtherz.store.models import Datastream
from stadtherz.store.public import Reading, Selection, append, count, extents, scan, seal
from stadtherz.store.tests.factories import reading, stream, town
from stadtherz.store.writing import seal as sealing
from stadtherz.store.writing.changes import correct, delete_of, delete_readings

pytestmark = pytest.mark.django_db
START = parse_instant("2026-03-01T00:00:00Z")


@pytest.fixture
def levels(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Four datastreams, each of which is sealed in a transaction of its own; the third has nothing."""
    monkeypatch.setattr(sealing, "_AT_ONCE", 1)
    owner = town()
    found = [stream(owner, name=f"level {number}") for number in range(4)]
    for level in (found[0], found[1], found[3]):
        fill(level, 0)
    return found


def fill(level: int, first: int) -> list[int]:
    readings = [reading(level, START + i * MINUTE, float(i)) for i in range(first, first + 20)]
    return [receipt.id for receipt in append(readings)]


def sealed_meanwhile(change: Callable[[], object], when: int) -> int:
    """Seal, and do something before the transaction of that number."""
    turns = iter(range(100))

    def until() -> bool:
        if next(turns) == when:
            change()
        return False

    return seal(until)


def told(level: int) -> list[float]:
    return [value for part in scan(Selection(streams=frozenset({level}))) for value in part.result]


@pytest.mark.parametrize("when", [0, 1, 2])
def test_a_datastream_deleted_meanwhile_stays_deleted(levels: list[int], when: int) -> None:
    gone = levels[3]
    sealed_meanwhile(lambda: delete_of(Datastream.objects.get(pk=gone)), when)
    Datastream.objects.filter(pk=gone).delete()
    assert count(Selection()) == 40
    assert gone not in extents(levels)
    assert check() == []


@pytest.mark.parametrize("when", [0, 1, 2])
def test_readings_that_come_meanwhile_wait_for_the_next_sealing(
    levels: list[int], when: int
) -> None:
    def more() -> None:
        for level in levels:
            fill(level, 20)
        delete_readings(fill(levels[0], 40))  # and an event, so that all is looked at anew

    sealed_meanwhile(more, when)
    for _ in range(2):
        assert [len(told(level)) for level in levels] == [40, 40, 20, 40]
        assert told(levels[2]) == [float(i) for i in range(20, 40)]
        assert check() == []
        seal()


@pytest.mark.parametrize("when", [0, 1, 2])
def test_a_correction_meanwhile_is_sealed(levels: list[int], when: int) -> None:
    level = levels[3]
    (key,) = [receipt.id for receipt in append([reading(level, START + 99 * MINUTE, 1.0)])]
    new = Reading(datastream=level, phenomenon_time=Period(START + 99 * MINUTE), result=2.0)
    sealed_meanwhile(lambda: correct(key, new), when)
    assert told(level) == [*map(float, range(20)), 2.0]
    assert extents([level])[level].count == 21
    assert check() == []
