"""kill -9 in the middle of deliveries: what was acknowledged is there, and nothing twice."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from stadtherz.ingest.tests.factories import Town, readings, tts
from tests.forked import Forked

PROGRAM = Path(__file__).with_name("door_process.py")

pytestmark = pytest.mark.process


class Process:
    """One run of the door."""

    def __init__(self, organisation: int) -> None:
        self._process = Forked(PROGRAM, organisation)
        port = int(self._process.stdout.readline())
        headers = {"Authorization": "Bearer town"}
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30, trust_env=False
        )

    def post(self, document: dict[str, Any]) -> list[int] | None:
        """The observations of an acknowledged delivery; None if nobody acknowledged it."""
        try:
            answer = self._client.post("/ingest/tts", json=document)
        except httpx.TransportError:
            return None
        return answer.json()["observations"] if answer.status_code == 200 else None

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self._process.end()
        self._client.close()


@contextmanager
def running(town: Town) -> Iterator[Process]:
    process = Process(town.organisation)
    try:
        yield process
    finally:
        process.end()


def deliver_until_killed(
    process: Process, documents: Sequence[dict[str, Any]], acknowledgements: int
) -> dict[int, list[int]]:
    """Deliver from many threads and kill after some were acknowledged; what was, by its place."""
    told: dict[int, list[int]] = {}

    def deliver(place: int) -> None:
        ids = process.post(documents[place])
        if ids is not None:
            told[place] = ids
        if len(told) >= acknowledgements:
            process.kill()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(deliver, range(len(documents))))
    return told


@pytest.mark.parametrize("acknowledgements", [1, 25])
def test_a_killed_door_has_kept_all_it_acknowledged_and_retries_store_nothing_twice(
    transactional_db: None, town: Town, acknowledgements: int
) -> None:
    documents = [tts(number, level_cm=number, discharge=number) for number in range(80)]
    with running(town) as doomed:
        told = deliver_until_killed(doomed, documents, acknowledgements)
    assert acknowledgements <= len(told) < len(documents)
    kept = readings(town.level, town.discharge)
    assert {each for ids in told.values() for each in ids} <= set(kept.id.tolist())
    with running(town) as again, ThreadPoolExecutor(8) as pool:
        repeated = list(pool.map(again.post, documents))
    assert all(repeated[place] == ids for place, ids in told.items())
    assert sorted(readings(town.level).result.tolist()) == list(range(80))
    assert sorted(readings(town.discharge).result.tolist()) == list(range(80))
