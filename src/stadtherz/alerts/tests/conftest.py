"""A stream to be alarmed about, people to tell, and a mail server of our own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stadtherz.alerts.tests import mailserver
from stadtherz.alerts.tests.factories import Ward, make_ward


@pytest.fixture
def ward(transactional_db: None) -> Ward:
    return make_ward()


@pytest.fixture
def mails(tmp_path: Path, settings: object) -> Iterator[mailserver.MailServer]:
    with mailserver.running(tmp_path / "mails") as server:
        settings.STADTHERZ = {**settings.STADTHERZ, "smtp": server.url}  # type: ignore[attr-defined]
        yield server
