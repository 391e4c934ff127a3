"""A town with one gauge, a door it may use, and no thread left over after the test."""

from collections.abc import Iterator

import pytest

from stadtherz.ingest import devices, public
from stadtherz.ingest.tests.factories import Door, Town, make_town
from stadtherz.store.public import stop_writer


@pytest.fixture
def town(transactional_db: None) -> Iterator[Town]:
    devices.forget()
    yield make_town()
    public.stop()
    stop_writer()


@pytest.fixture
def door(town: Town) -> Door:
    door = Door()
    door.let_in(town)
    return door
