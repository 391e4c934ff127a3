"""A process that only reads sees what another one does, as soon as that is done.

It follows the log from what it saw before: readings that are not sealed, sealings, corrections,
deletions and tidying up. `STADTHERZ_STEPS=1000` tells a longer story.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stadtherz.store.tests.oracle.nursery import Life, database_of_its_own, prepare
from stadtherz.store.tests.oracle.story import Story

STEPS = int(os.environ.get("STADTHERZ_STEPS", "25"))


@pytest.fixture
def lives(tmp_path: Path) -> Iterator[tuple[Life, Life]]:
    """One process that writes and one that reads, over the same store."""
    with database_of_its_own() as engine:
        prepare(tmp_path, engine)
        both = Life(tmp_path, engine, "obey", "1"), Life(tmp_path, engine, "watch")
        yield both
        for life in both:
            life.end()


def test_a_process_that_only_reads_sees_what_another_one_does(lives: tuple[Life, Life]) -> None:
    writer, reader = lives
    story = Story()
    for _ in range(STEPS):
        story.hear(writer.go_on())
        story.check(reader.go_on()[0])
    assert story.certain
    assert story.deleted
