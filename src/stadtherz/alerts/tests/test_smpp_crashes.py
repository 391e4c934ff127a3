"""kill -9 at every step of the conversation with an SMS centre, and two processes with one account."""

from collections.abc import Iterator

import pytest

from stadtherz.alerts.models import Alert, Delivery
from stadtherz.alerts.public import change
from stadtherz.alerts.tests import smsc
from stadtherz.alerts.tests.factories import Ward, make_ward_by_smpp
from stadtherz.alerts.tests.processes import eventually, sending
from stadtherz.alerts.tests.smsc import Centre

Status = Delivery.Status

pytestmark = pytest.mark.process


@pytest.fixture
def centre() -> Iterator[Centre]:
    with smsc.running(most=1) as running:
        yield running


@pytest.fixture
def ward(transactional_db: None, centre: Centre) -> Ward:
    return make_ward_by_smpp(centre.port)


@pytest.mark.parametrize("stage", ["bound", "asked", "taken", "answered"])
def test_killed_while_sending_nobody_gets_it_twice(ward: Ward, centre: Centre, stage: str) -> None:
    with sending() as doomed:
        if stage != "bound":
            assert eventually(lambda: len(centre.lines) == 1)
        centre.kill_at(stage, doomed.pid)
        change(ward.goes(0, 1, observation=1))
        assert doomed.wait_for_death() == -9
    with sending():
        known = (Status.SENT,) if stage == "bound" else (Status.SENT, Status.UNCERTAIN)
        assert eventually(lambda: Delivery.objects.get().status in known)
        assert not eventually(lambda: centre.asked > 1, seconds=1)
    assert len(centre.taken) == 1


def test_killed_while_hearing_the_centre_tells_it_again(ward: Ward, centre: Centre) -> None:
    with sending() as doomed:
        change(ward.goes(0, 1, observation=1))
        assert eventually(lambda: Delivery.objects.get().status == Status.SENT)
        answer = b"ok %d" % Alert.objects.get().code
        doomed.process.kill()
        doomed.wait_for_death()
    with sending():
        assert eventually(lambda: len(centre.lines) == 1)
        assert centre.deliver(answer) == 0
        assert Alert.objects.get().acknowledged_by == "Wehr"


def test_of_two_processes_one_has_the_line_and_the_other_takes_over(
    ward: Ward, centre: Centre
) -> None:
    with sending() as first:
        assert eventually(lambda: len(centre.lines) == 1)
        with sending() as second:
            assert second.process.stdout.readline() == "ready\n"
            change(ward.goes(0, 1, observation=1))
            assert eventually(lambda: sent() == 1)
            assert len(centre.binds) == 1
            first.process.kill()
            first.wait_for_death()
            change(ward.goes(1, 0, observation=2))
            assert eventually(lambda: sent() == 2)
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}
    assert (len(centre.taken), len(centre.binds)) == (2, 2)


def sent() -> int:
    return Delivery.objects.filter(status=Status.SENT).count()
