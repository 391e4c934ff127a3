"""A second organisation beside the one of `api`."""

import pytest

from stadtherz.sensorthings.tests.client import Client, member
from stadtherz.store.public import create_organisation


@pytest.fixture
def other(db: None) -> Client:
    return Client(member(create_organisation("other", "Other")))
