"""A city with one organisation that may write, and somebody who may only look."""

import pytest

from stadtherz.base.visibility import ANONYMOUS
from stadtherz.sensorthings.tests.client import Client, member
from stadtherz.store.public import create_organisation


@pytest.fixture
def town(db: None) -> int:
    return create_organisation("town", "Town")


@pytest.fixture
def api(town: int) -> Client:
    return Client(member(town))


@pytest.fixture
def visitor(db: None) -> Client:
    return Client(ANONYMOUS)
