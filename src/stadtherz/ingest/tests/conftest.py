"""A town with one gauge, a door it may use, and no thread left over after the test."""

from collections.abc import Iterator

import pytest

from stadtherz.ingest import public
from stadtherz.ingest.devices import finding
from stadtherz.ingest.tests.factories import Door, Town, make_town
from stadtherz.store.public import stop_writer


@pytest.fixture
def town(db: None) -> Town:
    finding.forget()
    return make_town()


@pytest.fixture
def door(transactional_db: None, town: Town) -> Iterator[Door]:
    """For what really comes in: threads of the door see only what is committed."""
    door = Door()
    door.let_in(town)
    yield door
    public.stop()
    stop_writer()
