"""What every test may rely on: a data folder of its own and a clock that can be stopped."""

import os
import tempfile
from collections.abc import Iterator

import pytest

os.environ.setdefault("STADTHERZ_DATA", tempfile.mkdtemp(prefix="stadtherz-test-"))
os.environ.setdefault("STADTHERZ_SECRET_KEY", "only-for-tests-" + "x" * 40)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """End the threads that still hold a connection before the test database goes."""
    yield
    from stadtherz.store.public import stop_writer  # noqa: PLC0415 - needs Django to be set up
    from stadtherz.stream.public import stop_dispatcher  # noqa: PLC0415

    stop_dispatcher()
    stop_writer()
