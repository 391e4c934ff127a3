"""A stream to be alarmed about, people to tell, and a mail server of our own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stadtherz.alerts.rules import engine
from stadtherz.alerts.tests import mailserver
from stadtherz.alerts.tests.factories import Ward, make_ward
from stadtherz.stream.public import register, unregister


@pytest.fixture
def ward(transactional_db: None) -> Ward:
    return make_ward()


@pytest.fixture
def mails(tmp_path: Path, settings: object) -> Iterator[mailserver.MailServer]:
    with mailserver.running(tmp_path / "mails") as server:
        settings.STADTHERZ = {**settings.STADTHERZ, "smtp": server.url}  # type: ignore[attr-defined]
        yield server


@pytest.fixture
def judging(transactional_db: None) -> Iterator[None]:
    """Rules judge what is in the log, as soon as it is drained."""
    consumer = engine.consumer()
    register(consumer)
    yield
    unregister(consumer.name)
