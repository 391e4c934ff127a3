"""kill -9 while a reading is judged: started again, each change has happened exactly once."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stadtherz.alerts.public import AlertEvent, Delivery
from stadtherz.alerts.tests.processes import environment, eventually
from stadtherz.kit.testing import Town
from stadtherz.services.water.models import Gauge

PROGRAM = Path(__file__).with_name("reacting_process.py")

pytestmark = pytest.mark.process


@contextmanager
def reacting(dies: str = "") -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), dies],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def changes() -> list[str]:
    return list(AlertEvent.objects.values_list("change", flat=True))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_while_judging(town: Town, gauge: Gauge, moment: str) -> None:
    town.keep(gauge.datastream_id, 95)
    with reacting(moment) as doomed:
        assert doomed.wait(timeout=60) == -9
    assert changes() == []
    with reacting():
        assert eventually(lambda: changes() == ["raised"])
        town.keep(gauge.datastream_id, 80)
        assert eventually(lambda: changes() == ["raised", "cleared"])
    assert Delivery.objects.count() == 2


def test_killed_again_and_again(town: Town, gauge: Gauge) -> None:
    town.keep(gauge.datastream_id, 95)
    for moment in ("after", "before", "after"):
        with reacting(moment) as doomed:
            assert doomed.wait(timeout=60) == -9
    with reacting():
        assert eventually(lambda: changes() == ["raised"])
        assert not eventually(lambda: len(changes()) > 1, seconds=1)
    assert Delivery.objects.count() == 1


def test_two_processes_judge_a_reading_once(town: Town, gauge: Gauge) -> None:
    with reacting() as one, reacting() as other:
        for process in (one, other):
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for level in (95, 80, 130, 80):
            town.keep(gauge.datastream_id, level)
        assert eventually(lambda: len(changes()) == 4)
        assert not eventually(lambda: len(changes()) > 4, seconds=1)
    assert Delivery.objects.count() == 4
