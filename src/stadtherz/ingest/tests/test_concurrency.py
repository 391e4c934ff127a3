"""Many deliveries at once: each uplink becomes one observation, whatever the order."""

import threading
from concurrent.futures import Future

import pytest
from django.db import OperationalError

from stadtherz.base.time import Period, now_us
from stadtherz.ingest.doors import at_once, http
from stadtherz.ingest.intake import lanes, pipeline
from stadtherz.ingest.refused import keeping
from stadtherz.ingest.refused.models import RefusedUplink
from stadtherz.ingest.tests.factories import Door, Town, readings, results, tts
from stadtherz.store.public import Reading, Receipt, submit


def test_different_uplinks_at_once_are_all_stored(town: Town, door: Door) -> None:
    answers = door.post_all([tts(number, level_cm=number) for number in range(60)])
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(results(town.level)) == list(range(60))


def test_the_same_uplinks_at_once_are_stored_once(town: Town, door: Door) -> None:
    documents = [tts(number, level_cm=number, discharge=1) for number in range(5)]
    answers = door.post_all(documents * 12)
    assert {answer.status_code for answer in answers} == {200}
    assert sum(answer.json()["stored"] for answer in answers) == 10
    assert sum(answer.json()["duplicates"] for answer in answers) == 110
    assert len(readings(town.level, town.discharge)) == 10
    ids = {tuple(answer.json()["observations"]) for answer in answers}
    assert len(ids) == 5


def test_good_and_bad_at_once_do_not_hinder_one_another(town: Town, door: Door) -> None:
    documents: list[object] = []
    for number in range(10):
        documents += [
            tts(number, level_cm=number),
            tts(100 + number, level_cm=9999),
            b"%d" % number,
        ]
    codes = [answer.status_code for answer in door.post_all(documents)]
    assert codes == [200, 422, 400] * 10
    assert len(readings(town.level)) == 10
    assert RefusedUplink.objects.count() == 20


def test_when_the_store_does_not_answer_the_network_hears_so_and_nothing_is_lost(
    town: Town, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "PATIENCE_S", 0.0)
    answer = door.post(tts(1, level_cm=5))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    lanes.stop()
    submit([Reading(town.discharge, Period(now_us()), 1)]).result()  # what waited is written by now
    assert RefusedUplink.objects.get().reason == "store_unavailable"
    monkeypatch.undo()
    assert door.post(tts(1, level_cm=5)).status_code == 200
    assert results(town.level) == [5]


def test_when_nothing_can_be_kept_either_the_answer_still_comes_and_the_log_tells(
    town: Town, door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(pipeline, "PATIENCE_S", 0.0)
    monkeypatch.setattr(keeping, "keep", broken)
    assert door.post(tts(1, level_cm=5)).status_code == 503
    lanes.stop()
    assert "could not even be kept: database or disk is full" in caplog.text


def test_a_slow_rescue_holds_up_no_answer(
    town: Town, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    monkeypatch.setattr(pipeline, "PATIENCE_S", 0.0)
    never: Future[list[Receipt]] = Future()  # a store that has no time at all
    monkeypatch.setattr(at_once, "submit_at_once", lambda _readings: never)
    monkeypatch.setattr(http, "_RESCUE_PATIENCE_S", 0.01)
    monkeypatch.setattr(keeping, "keep", lambda *_: released.wait(60))
    answers = door.post_all([tts(number, level_cm=5) for number in range(20)])
    assert {answer.status_code for answer in answers} == {503}
    assert not released.is_set()
    released.set()


def test_documents_that_wait_to_be_rescued_are_bounded(
    town: Town, door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pipeline, "PATIENCE_S", 0.0)
    monkeypatch.setattr(http, "_MOST_RESCUES", 0)
    assert door.post(tts(1, level_cm=5)).status_code == 503
    assert "could not even be kept" in caplog.text
