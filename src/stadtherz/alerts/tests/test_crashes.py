"""kill -9 at every step of the conversation with a real mail server: one warning, one all-clear."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from stadtherz.alerts.models import Delivery
from stadtherz.alerts.public import change
from stadtherz.alerts.tests.factories import Ward
from stadtherz.alerts.tests.mailserver import STAGES, MailServer
from stadtherz.alerts.tests.processes import Sender, eventually, sending

WARNING = "de Vorwarnung: Pegel Lauterstraße"
ALL_CLEAR = "de normal: Pegel Lauterstraße"

pytestmark = pytest.mark.process


@contextmanager
def doomed_at(mails: MailServer, stage: str) -> Iterator[Sender]:
    """A sending process that is killed there; "body": between the text and the dot, which nobody else sees."""
    with sending(mails, dies="before dot_goes_next" if stage == "body" else "") as doomed:
        if stage != "body":
            mails.kill_at(stage, doomed.pid)
        yield doomed


@pytest.mark.parametrize("stage", [*STAGES, "body"])
def test_killed_while_sending_the_warning(ward: Ward, mails: MailServer, stage: str) -> None:
    with doomed_at(mails, stage) as doomed:
        change(ward.goes(0, 1, observation=1))
        assert doomed.wait_for_death() == -9
    with sending(mails):
        assert eventually(lambda: mails.subjects() == [WARNING])
        change(ward.goes(1, 0, observation=2))
        assert eventually(lambda: len(mails.received()) == 2)
    assert mails.subjects() == [WARNING, ALL_CLEAR]


@pytest.mark.parametrize("stage", ["data", "body", "accepted"])
def test_killed_while_sending_the_all_clear(ward: Ward, mails: MailServer, stage: str) -> None:
    with sending(mails):
        change(ward.goes(0, 1, observation=1))
        assert eventually(lambda: mails.subjects() == [WARNING])
    with doomed_at(mails, stage) as doomed:
        change(ward.goes(1, 0, observation=2))
        assert doomed.wait_for_death() == -9
    with sending(mails):
        assert eventually(lambda: mails.subjects() == [WARNING, ALL_CLEAR])
        assert not eventually(lambda: len(mails.received()) > 2, seconds=1)


def test_killed_before_the_answer_it_is_not_repeated(ward: Ward, mails: MailServer) -> None:
    with sending(mails) as doomed:
        mails.kill_at("accepted", doomed.pid)
        change(ward.goes(0, 1, observation=1))
        doomed.wait_for_death()
    with sending(mails):
        assert eventually(lambda: Delivery.objects.get().status == Delivery.Status.UNCERTAIN)
        assert not eventually(lambda: len(mails.received()) > 1, seconds=1)
