"""kill -9 at any moment loses nothing that was acknowledged and repeats no effect."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connections

from stadtherz.store.public import Selection, select
from stadtherz.stream.public import drain, register, unregister
from stadtherz.stream.tests.cast import datastream
from stadtherz.stream.tests.copying import copying

_SOURCES = Path(__file__).parents[3]


def engine() -> str:
    """The test database's address, as the product's setting has it."""
    s = connections["default"].settings_dict
    if connections["default"].vendor == "sqlite":
        return f"sqlite://{s['NAME']}"
    return f"postgresql://{s['USER']}:{s['PASSWORD']}@{s['HOST']}:{s['PORT']}/{s['NAME']}"


def run_and_kill(source: int, target: int, first: int, seconds: float) -> list[int]:
    """Start the victim, kill it a while after its first acknowledgement; what it acknowledged."""
    path = os.pathsep.join([str(_SOURCES), os.environ.get("PYTHONPATH", "")])
    victim = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "stadtherz.stream.tests.victim",
            str(source),
            str(target),
            str(first),
        ],
        env={**os.environ, "STADTHERZ_ENGINE": engine(), "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert victim.stdout is not None
    with victim:
        lines = [victim.stdout.readline()]
        time.sleep(seconds)
        victim.kill()
        lines += victim.stdout.readlines()
    return [int(line) for line in lines if line.endswith("\n")]


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_a_kill_loses_nothing_acknowledged_and_repeats_no_effect() -> None:
    source, target = datastream("source"), datastream("target")
    connections.close_all()
    dice = random.Random(26)
    acknowledged: list[int] = []
    for _ in range(4):
        first = acknowledged[-1] + 1 if acknowledged else 0
        acknowledged += run_and_kill(source, target, first, dice.uniform(0, 0.6))
    register(copying(source, target))
    drain()
    unregister("copying")
    kept = [int(n) for n in select(Selection(frozenset({source}))).result]
    copied = [int(n) for n in select(Selection(frozenset({target}))).result]
    assert set(acknowledged) <= set(kept)
    assert len(set(kept)) == len(kept)
    assert copied == kept
