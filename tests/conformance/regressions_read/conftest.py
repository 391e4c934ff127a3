"""Cities that all tests of a module read: made once, and put back after a test that changes them."""

from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from stadtherz.sensorthings.tests.client import Client, member
from stadtherz.store.public import create_organisation
from tests.conformance.regressions_read.atlas import settle


@pytest.fixture(scope="module")
def land(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Client]:
    """Somebody who may write into a database that is empty before and after the module."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield Client(member(create_organisation("town", "Town")))
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def db(land: Client) -> Iterator[None]:
    """Each test in a savepoint of its own, in the place of a database of its own."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def atlas(land: Client) -> Client:
    """The country of `atlas`."""
    return settle(land)
