"""What is known after a process died with a message in its hands, and what follows from it."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from stadtherz.alerts.models import Delivery
from stadtherz.alerts.outbox import deliveries, witness
from stadtherz.alerts.outbox.sender import _new_witness, _send_due
from stadtherz.alerts.outbox.witness import Fate, Witness, fate_of, forget_the_dead
from stadtherz.alerts.public import change
from stadtherz.alerts.tests.factories import Ward
from stadtherz.base import time

Status = Delivery.Status

_PROGRAM = """
import os, signal, sys
from pathlib import Path
from stadtherz.alerts.outbox.witness import Witness
witness = Witness(Path(sys.argv[1]))
if sys.argv[2]:
    witness.dot_goes_next(int(sys.argv[2]))
print(witness.name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def dead(folder: Path, delivery: int | None) -> str:
    """The name of a process that was killed, perhaps after noting a delivery."""
    source = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(folder), str(delivery or "")],
        env={"PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def test_a_living_process_speaks_for_itself(tmp_path: Path) -> None:
    mine = Witness(tmp_path)
    assert fate_of(tmp_path, mine.name, 7) is Fate.ALIVE
    mine.close()


def test_a_dead_process_leaves_the_last_delivery(tmp_path: Path) -> None:
    name = dead(tmp_path, 7)
    assert fate_of(tmp_path, name, 7) is Fate.SENT
    assert fate_of(tmp_path, name, 8) is Fate.NOT_SENT


def test_a_process_that_died_early_had_sent_nothing(tmp_path: Path) -> None:
    assert fate_of(tmp_path, dead(tmp_path, None), 7) is Fate.NOT_SENT


@pytest.mark.parametrize("name", ["another-boot.x", "x", f"{witness._boot()}.gone"])
def test_about_others_nothing_is_known(tmp_path: Path, name: str) -> None:
    assert fate_of(tmp_path, name, 7) is Fate.UNKNOWN


def test_only_the_files_of_the_dead_are_forgotten(tmp_path: Path) -> None:
    dead(tmp_path, 7)
    mine = Witness(tmp_path)
    forget_the_dead(tmp_path, lambda _name: False)
    assert [path.name for path in tmp_path.iterdir()] == [mine.name]
    mine.close()


def test_whose_word_is_still_waited_for_is_not_forgotten(tmp_path: Path) -> None:
    name = dead(tmp_path, 7)
    forget_the_dead(tmp_path, lambda asked: asked == name)
    assert fate_of(tmp_path, name, 7) is Fate.SENT


def in_the_hands_of(ward: Ward, folder: Path, *, noted: bool) -> Delivery:
    """A delivery whose process was killed between text and dot, or after the dot."""
    change(ward.goes(0, 1, observation=1))
    key = Delivery.objects.get().pk
    claimed = deliveries.claim(dead(folder, key if noted else None))
    assert claimed is not None
    deliveries.mark_handing_over(claimed, "<1@x>")
    return Delivery.objects.get()


def settle(folder: Path) -> None:
    """As another process does it."""
    witness = Witness(folder)
    deliveries.settle(folder, witness)
    witness.close()


def test_killed_before_the_dot_the_message_waits_again(ward: Ward, tmp_path: Path) -> None:
    in_the_hands_of(ward, tmp_path, noted=False)
    settle(tmp_path)
    assert Delivery.objects.get().status == Status.QUEUED
    assert deliveries.claim("me") is not None


def test_killed_after_the_dot_a_person_decides(ward: Ward, tmp_path: Path) -> None:
    in_the_hands_of(ward, tmp_path, noted=True)
    settle(tmp_path)
    assert Delivery.objects.get().status == Status.UNCERTAIN


def test_a_lease_of_the_dead_ends_at_once(ward: Ward, tmp_path: Path) -> None:
    change(ward.goes(0, 1, observation=1))
    deliveries.claim(dead(tmp_path, None))
    assert deliveries.claim("me") is None
    settle(tmp_path)
    assert deliveries.claim("me") is not None


def test_the_dead_are_looked_for_at_the_beginning_and_when_one_has_left_something(
    ward: Ward, settings: Any, tmp_path: Path
) -> None:
    settings.DATA = tmp_path
    folder = tmp_path / "delivery"
    folder.mkdir()
    dead(folder, None)
    mine = _new_witness()
    assert [path.name for path in folder.iterdir()] == [mine.name]
    died_idle = dead(folder, None)
    _send_due("email", mine, Event())
    assert {path.name for path in folder.iterdir()} == {mine.name, died_idle}
    in_the_hands_of(ward, folder, noted=True)
    _send_due("email", mine, Event())
    assert [path.name for path in folder.iterdir()] == [mine.name]
    mine.close()


def test_of_another_machine_nothing_is_assumed_for_a_while(ward: Ward, tmp_path: Path) -> None:
    in_the_hands_of(ward, tmp_path, noted=False)
    Delivery.objects.update(worker="another-boot.x")
    settle(tmp_path)
    assert Delivery.objects.get().status == Status.HANDING_OVER
    with time.stopped_at(time.now() + timedelta(minutes=6)):
        settle(tmp_path)
    assert Delivery.objects.get().status == Status.UNCERTAIN


def test_what_a_living_process_has_is_left_alone(ward: Ward, tmp_path: Path) -> None:
    alive = Witness(tmp_path)
    change(ward.goes(0, 1, observation=1))
    deliveries.claim(alive.name)
    settle(tmp_path)
    assert deliveries.claim("me") is None
    alive.close()
