"""What needs nothing from the database goes from the event loop to the writer, without a thread."""

from typing import Any

import pytest

from stadtherz.base.errors import Unavailable
from stadtherz.ingest.devices import remembered
from stadtherz.ingest.doors import at_once, http
from stadtherz.ingest.intake import lanes
from stadtherz.ingest.models import Device
from stadtherz.ingest.refused.models import RefusedUplink
from stadtherz.ingest.tests.factories import Door, Town, readings, results, tts
from stadtherz.store.public import Reading


@pytest.fixture
def known(town: Town, door: Door, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The device has been heard; who asks the database about it from now on is listed."""
    door.post(tts(0, level_cm=0))
    asked: list[Any] = []
    submit = lanes.work.submit

    def noted(job: Any, *args: Any) -> Any:
        if job is http._begin:
            asked.append(args)
        return submit(job, *args)

    monkeypatch.setattr(lanes.work, "submit", noted)
    return asked


def test_uplinks_of_a_known_device_ask_nothing(town: Town, door: Door, known: list[Any]) -> None:
    answers = door.post_all([tts(number, level_cm=number) for number in range(1, 30)])
    assert [answer.json()["stored"] for answer in answers] == [1] * 29
    assert sorted(results(town.level)) == list(range(30))
    assert known == []


def test_repetitions_are_told_as_such(town: Town, door: Door, known: list[Any]) -> None:
    answers = door.post_all([tts(1, level_cm=1, discharge=7)] * 3)
    assert sum(answer.json()["stored"] for answer in answers) == 2
    assert len({tuple(answer.json()["observations"]) for answer in answers}) == 1
    assert known == []


def test_an_implausible_value_is_kept_with_its_reason(
    town: Town, door: Door, known: list[Any]
) -> None:
    assert door.post(tts(1, level_cm=9999, discharge=3)).status_code == 422
    assert results(town.discharge) == [3]
    assert RefusedUplink.objects.get().reason == "impossible_value"
    assert known == []


def test_a_device_that_was_switched_off_is_refused_at_once(
    town: Town, door: Door, known: list[Any]
) -> None:
    for device in Device.objects.all():
        device.active = False
        device.save()
    assert door.post(tts(1, level_cm=1)).status_code != 200
    assert results(town.level) == [0]
    assert len(known) == 1, "the cache was emptied, so the database was asked"


def test_what_was_known_too_long_ago_is_asked_again(
    town: Town, door: Door, known: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "FRESH", 0)
    assert door.post(tts(1, level_cm=1)).status_code == 200
    assert len(known) == 1


@pytest.mark.parametrize("token", [None, "unknown"])
def test_strangers_go_the_long_way(door: Door, known: list[Any], token: str | None) -> None:
    assert door.post(tts(1, level_cm=1), token=token).status_code == 401


def test_a_large_document_does_not_hold_up_the_event_loop(
    town: Town, door: Door, known: list[Any]
) -> None:
    document = tts(1, level_cm=1)
    document["padding"] = "x" * at_once.LARGEST
    assert door.post(document).json()["stored"] == 1
    assert len(known) == 1


def test_a_full_queue_lets_them_wait_in_threads(
    town: Town, door: Door, known: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_once, "submit_at_once", lambda _: None)
    assert door.post(tts(1, level_cm=1)).json()["stored"] == 1
    assert len(known) == 1


def test_without_a_store_the_network_hears_so_and_the_document_is_kept(
    town: Town, door: Door, known: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: list[Reading]) -> None:
        raise Unavailable("store", "is away", retry=True)

    monkeypatch.setattr(at_once, "submit_at_once", away)
    assert door.post(tts(1, level_cm=1)).status_code == 503
    lanes.stop()
    assert RefusedUplink.objects.get().reason == "store_unavailable"
    assert len(readings(town.level)) == 1
