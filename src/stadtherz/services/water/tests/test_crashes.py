"""kill -9 while a reading is judged: started again, each change has happened exactly once."""

from pathlib import Path

import pytest

from stadtherz.alerts.public import AlertEvent, Delivery
from stadtherz.alerts.tests.processes import eventually
from stadtherz.kit.testing import Town
from stadtherz.services.water.models import Gauge
from tests.forked import forked

PROGRAM = Path(__file__).with_name("reacting_process.py")

pytestmark = pytest.mark.process


def changes() -> list[str]:
    return list(AlertEvent.objects.values_list("change", flat=True))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_while_judging(town: Town, gauge: Gauge, moment: str) -> None:
    town.keep(gauge.datastream_id, 95)
    with forked(PROGRAM, moment) as doomed:
        assert doomed.wait(timeout=60) == -9
    assert changes() == []
    with forked(PROGRAM):
        assert eventually(lambda: changes() == ["raised"])
        town.keep(gauge.datastream_id, 80)
        assert eventually(lambda: changes() == ["raised", "cleared"])
    assert Delivery.objects.count() == 2


def test_killed_again_and_again(town: Town, gauge: Gauge) -> None:
    town.keep(gauge.datastream_id, 95)
    for moment in ("after", "before", "after"):
        with forked(PROGRAM, moment) as doomed:
            assert doomed.wait(timeout=60) == -9
    with forked(PROGRAM):
        assert eventually(lambda: changes() == ["raised"])
        assert not eventually(lambda: len(changes()) > 1, seconds=1)
    assert Delivery.objects.count() == 1


def test_two_processes_judge_a_reading_once(town: Town, gauge: Gauge) -> None:
    with forked(PROGRAM) as one, forked(PROGRAM) as other:
        for process in (one, other):
            assert process.stdout.readline() == "ready\n"
        for level in (95, 80, 130, 80):
            town.keep(gauge.datastream_id, level)
        assert eventually(lambda: len(changes()) == 4)
        assert not eventually(lambda: len(changes()) > 4, seconds=1)
    assert Delivery.objects.count() == 4
