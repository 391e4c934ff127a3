"""kill -9 at any moment loses nothing that was acknowledged and repeats no effect."""

import random
import time
from pathlib import Path

import pytest
from django.db import connections

from stadtherz.store.public import Selection, select
from stadtherz.stream.public import drain, register, unregister
from stadtherz.stream.tests.cast import datastream
from stadtherz.stream.tests.copying import copying
from tests.forked import forked

_VICTIM = Path(__file__).with_name("victim.py")


def run_and_kill(source: int, target: int, first: int, seconds: float) -> list[int]:
    """Start the victim, kill it a while after its first acknowledgement; what it acknowledged."""
    with forked(_VICTIM, source, target, first) as victim:
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
