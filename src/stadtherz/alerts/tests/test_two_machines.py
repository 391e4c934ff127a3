"""Two machines on one PostgreSQL and one line to an SMS centre: one has it, and the other takes over."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.utils import timezone

from stadtherz.alerts.models import Delivery, Lease
from stadtherz.alerts.outbox import leases
from stadtherz.alerts.outbox.leases import MachineLease
from stadtherz.alerts.public import change
from stadtherz.alerts.tests import smsc
from stadtherz.alerts.tests.factories import Ward, make_ward_by_smpp
from stadtherz.alerts.tests.processes import eventually, sending
from stadtherz.alerts.tests.smsc import Centre
from stadtherz.store.public import on_sqlite

Status = Delivery.Status
SOON = 30  # seconds: a lease of twelve, and the rounds of a sender on a busy machine


@pytest.fixture
def postgresql(transactional_db: None) -> None:
    if on_sqlite():
        pytest.skip("SQLite has one machine")


@pytest.fixture
def centre() -> Iterator[Centre]:
    """It allows one line."""
    with smsc.running(most=1) as running:
        yield running


@pytest.fixture
def ward(postgresql: None, centre: Centre) -> Ward:
    return make_ward_by_smpp(centre.port)


def machine(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir(exist_ok=True)
    return made


def sent() -> int:
    return Delivery.objects.filter(status=Status.SENT).count()


@pytest.mark.process
def test_one_machine_has_the_line_and_the_other_takes_over(
    ward: Ward, centre: Centre, tmp_path: Path
) -> None:
    with sending(machine=machine(tmp_path, "a")) as first:
        assert eventually(lambda: len(centre.lines) == 1)
        with sending(machine=machine(tmp_path, "b")) as second:
            assert second.process.stdout.readline() == "ready\n"
            change(ward.goes(0, 1, observation=1))
            assert eventually(lambda: sent() == 1)
            assert not eventually(lambda: centre.asked > 1 or len(centre.binds) > 1, seconds=6)
            first.process.kill()
            first.wait_for_death()
            killed = time.monotonic()
            change(ward.goes(1, 0, observation=2))
            assert eventually(lambda: sent() == 2)
            assert time.monotonic() - killed < SOON
            assert not eventually(lambda: centre.asked > 2, seconds=1)
    assert (len(centre.taken), len(centre.binds)) == (2, 2)
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


@pytest.mark.process
@pytest.mark.parametrize("stage", ["asked", "taken"])
def test_killed_while_sending_the_other_machine_sends_nothing_twice(
    ward: Ward, centre: Centre, tmp_path: Path, stage: str
) -> None:
    """What nobody can know stays in doubt; the next message goes."""
    with sending(machine=machine(tmp_path, "a")) as doomed:
        assert eventually(lambda: len(centre.lines) == 1)
        with sending(machine=machine(tmp_path, "b")) as second:
            assert second.process.stdout.readline() == "ready\n"
            centre.kill_at(stage, doomed.pid)
            change(ward.goes(0, 1, observation=1))
            assert doomed.wait_for_death() == -9
            assert eventually(lambda: len(centre.lines) == 1, seconds=SOON)
            assert not eventually(lambda: centre.asked > 1, seconds=12)
    assert Delivery.objects.get().status in (Status.HANDING_OVER, Status.SENT, Status.UNCERTAIN)


@pytest.mark.process
def test_whoever_loses_the_lease_gives_the_line_away(
    ward: Ward, centre: Centre, tmp_path: Path
) -> None:
    with sending(machine=machine(tmp_path, "a")):
        assert eventually(lambda: len(centre.lines) == 1)
        Lease.objects.update(holder="another", until=timezone.now() + timedelta(minutes=5))
        assert eventually(lambda: not centre.lines, seconds=SOON)
        change(ward.goes(0, 1, observation=1))
        assert not eventually(lambda: centre.asked > 0, seconds=3)
    assert Delivery.objects.get().status == Status.QUEUED


@pytest.mark.process
def test_after_a_restart_of_the_same_machine_nobody_waits(
    ward: Ward, centre: Centre, tmp_path: Path
) -> None:
    with sending(machine=machine(tmp_path, "a")) as first:
        assert eventually(lambda: len(centre.lines) == 1)
        first.process.kill()
        first.wait_for_death()
    Lease.objects.update(until=timezone.now() + timedelta(minutes=5))
    with sending(machine=machine(tmp_path, "a")):
        assert eventually(lambda: len(centre.binds) == 2, seconds=SOON)


# --- the lease alone -----------------------------------------------------------------------------


def lapsed() -> None:
    Lease.objects.update(until=timezone.now() - timedelta(seconds=1))


def test_one_of_two_has_it_until_it_lapses(postgresql: None) -> None:
    one, other = MachineLease("x"), MachineLease("x")
    assert (one.ours(), other.ours(), one.ours()) == (True, False, True)
    lapsed()
    assert other.ours()
    one._renewed = time.monotonic() - 5
    assert not one.ours()


def test_what_is_given_back_is_free_at_once(postgresql: None) -> None:
    one, other = MachineLease("x"), MachineLease("x")
    assert one.ours()
    one.release()
    assert other.ours()
    one.release()  # which is not its own any more
    assert not MachineLease("x").ours()


def test_a_copy_of_a_machine_takes_it_once_and_then_has_it_alone(postgresql: None) -> None:
    one = MachineLease("x")
    assert one.ours()
    copy = MachineLease("x", one.holder)
    assert copy.ours()
    one._renewed = None
    assert not one.ours()
    assert copy.ours()


def test_it_is_renewed_before_it_lapses_and_given_up_before_others_may_take_it() -> None:
    assert 0 < leases._RENEWED < leases._SURE < leases.LASTS.total_seconds()


def test_without_a_database_it_is_sure_for_some_seconds_only(
    postgresql: None, monkeypatch: Any
) -> None:
    one = MachineLease("x")
    assert one.ours()

    def away(*_given: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(MachineLease, "_take", away)
    one._renewed = time.monotonic() - 5
    assert one.ours()
    one._renewed = time.monotonic() - 9
    assert not one.ours()


def test_many_at_once_one_gets_it(postgresql: None) -> None:
    def asks(lease: MachineLease) -> bool:
        try:
            return lease.ours()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as several:
        assert sum(several.map(asks, [MachineLease("x") for _ in range(8)])) == 1
