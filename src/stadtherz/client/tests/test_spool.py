"""What waits survives a crash at any moment, and importing costs nothing."""

import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stadtherz.client import City
from stadtherz.client.spool import Spool

LINE = {"stream": "a", "at": "2026-01-01T00:00:00.000000Z", "value": 1.5}
NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "folder" / "readings.spool")


def test_importing_the_client_loads_neither_django_nor_anything_installed() -> None:
    script = (
        "import sys, stadtherz.client\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "print(sorted(loaded & {'django', 'numpy', 'orjson', 'wagtail', 'pandas', 'httpx'}))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"


def test_half_a_line_is_ignored_and_hides_no_other(spool: Spool) -> None:
    spool.append([LINE, {**LINE, "value": 2}])
    whole = spool.path.read_bytes()
    for end in range(len(whole)):
        spool.path.write_bytes(whole[:end])
        spool.append([{**LINE, "value": 3}])
        values = [each["value"] for each in spool.lines()]
        assert values[-1] == 3
        assert values[:-1] in ([], [1.5], [1.5, 2])


def test_what_is_delivered_leaves_in_one_step(spool: Spool) -> None:
    spool.append([LINE, {**LINE, "value": 2}])
    spool.keep_only([{**LINE, "value": 2}])
    assert [each["value"] for each in spool.lines()] == [2]
    spool.keep_only([])
    assert not spool
    assert spool.lines() == []


def test_others_may_not_read_what_waits(spool: Spool) -> None:
    spool.append([LINE])
    assert spool.path.stat().st_mode & 0o077 == 0


def test_without_a_server_a_reading_waits_and_nothing_is_raised(tmp_path: Path) -> None:
    city = City(NOWHERE, "sh_x", spool=tmp_path / "waiting")
    assert city.send("pegel-nord", 84.5) is False
    with city.batch() as batch:
        batch.send(17, 1)
        batch.send(17, "open")
    assert batch.acknowledged is False
    assert city.unsent == 3
    assert City(NOWHERE, "sh_x", spool=tmp_path / "waiting").unsent == 3


def test_what_was_measured_before_a_mistake_is_not_lost(tmp_path: Path) -> None:
    city = City(NOWHERE, spool=tmp_path / "waiting")
    with suppress(ZeroDivisionError), city.batch() as batch:
        batch.send(17, 1)
        batch.send(17, 1 / 0)
    assert city.unsent == 1


def test_what_is_no_measurement_says_so(tmp_path: Path) -> None:
    city = City(NOWHERE, spool=tmp_path / "waiting")
    with pytest.raises(ValueError, match="no measurement"):
        city.send(1, float("nan"))
    with pytest.raises(ValueError, match="time zone"):
        city.send(1, 2, at=datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="neither"):
        city.send(1.5, 2)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="address"):
        City("ftp://daten.example")
    assert city.unsent == 0


def test_two_readings_of_one_moment_have_two_times(tmp_path: Path) -> None:
    city = City(NOWHERE, spool=tmp_path / "waiting")
    with city.batch() as batch:
        for number in range(1000):
            batch.send(1, number)
    lines = Spool(tmp_path / "waiting").lines()
    assert len({each["at"] for each in lines}) == 1000
    now = datetime.now(UTC)
    assert abs((now - datetime.fromisoformat(lines[-1]["at"])).total_seconds()) < 300
