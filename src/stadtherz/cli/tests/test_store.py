"""`stadtherz store` on a city with a few readings, as its own process."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parents[3]
FILL = """
import sys
from pathlib import Path
from stadtherz.cli import instance
instance.choose(Path(sys.argv[1]))
instance.load()
from stadtherz.base.time import MINUTE, Period
from stadtherz.base.vocabulary import KNOWN
from stadtherz.store.public import NewStream, Reading, append, organisations, register_stream, stop_writer
stream = register_stream(NewStream(
    owner=organisations()[0].id, thing_name="mill", thing_description="mill", location=None,
    sensor_name="radar", sensor_description="radar", observed=next(iter(KNOWN.values())),
    name="Level at the mill", description="level",
))
append([Reading(stream, Period(minute * MINUTE), minute % 90 / 10) for minute in range(3000)])
stop_writer()
print(stream)
"""


def python(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        env={"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
        text=True,
    )


class City:
    """A data folder and the datastream in it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        made = python("-m", "stadtherz.cli.main", "init", "--city", "Eppishausen", "--data", data)  # type: ignore[arg-type]
        assert made.returncode == 0, made.stderr
        filled = python("-c", FILL, str(data))
        assert filled.returncode == 0, filled.stderr
        self.stream = filled.stdout.strip()

    def store(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return python("-m", "stadtherz.cli.main", "store", *arguments, "--data", str(self.data))

    def ask(self, text: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(self.data / "stadtherz.sqlite3")) as database, database:
            return database.execute(text, values).fetchall()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Sealed, two chunks."""
    city = City(tmp_path_factory.mktemp("city"))
    done = city.store("seal")
    assert done.stderr == "3,000 readings sealed\n"
    return city


@pytest.fixture
def damaged(city: City) -> Iterator[int]:
    """The chunk whose readings cannot be read."""
    ((key, data),) = city.ask("SELECT id, data FROM store_chunk ORDER BY t0 LIMIT 1")
    text = "UPDATE store_chunk SET data = ? WHERE id = ?"
    city.ask(text, data[:50] + b"damage" + data[56:], key)
    yield key
    city.ask(text, data, key)


def test_a_healthy_store_has_no_problems(city: City) -> None:
    done = city.store("check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "No problems found.\n", "")


def test_a_damaged_chunk_is_named_with_status_1(city: City, damaged: int) -> None:
    done = city.store("check")
    assert done.returncode == 1
    assert f"datastream {city.stream}, chunk {damaged}: its readings cannot be read" in done.stdout
    assert "only a backup from before has them" in done.stdout
    assert "1 found, 0 repaired." in done.stdout


def test_scripts_get_one_line_of_json(city: City, damaged: int) -> None:
    done = city.store("check", "--json")
    assert done.returncode == 1
    assert done.stdout.count("\n") == 1
    told = json.loads(done.stdout)
    assert told["remaining"] == 1
    assert told["problems"][0]["where"] == f"chunk {damaged}"
    assert told["problems"][0]["repaired"] is False


def test_repairing_puts_the_damaged_bytes_aside(tmp_path: Path) -> None:
    city = City(tmp_path / "city")
    city.store("seal")
    city.ask("UPDATE store_chunk SET data = substr(data, 1, 60) WHERE id = 1")
    done = city.store("check", "--repair")
    assert done.returncode == 0, done.stderr
    assert "repaired: datastream" in done.stdout
    assert (city.data / "damaged" / "chunk-1.bin").stat().st_size == 60
    assert city.store("check").returncode == 0


def test_sizes_for_people(city: City) -> None:
    done = city.store("stats")
    assert done.returncode == 0, done.stderr
    assert "Sealed readings   3,000, 1970-01-01 to 1970-01-03" in done.stdout
    assert "Level at the mill" in done.stdout
    assert "Level at the mill" not in city.store("stats", "--datastreams", "0").stdout


def test_sizes_for_scripts(city: City) -> None:
    told = json.loads(city.store("stats", "--json").stdout)
    assert told["sizes"]["readings"] == 3000
    assert told["sizes"]["bytes_per_reading"] < 5
    assert told["sizes"]["times_smaller_than_postgresql_rows"] > 20
    assert str(told["largest"][0]["datastream"]) == city.stream


def test_policies_are_set_and_lifted(city: City) -> None:
    done = city.store("keep", city.stream, "--raw-days", "730")
    assert done.stderr == "Readings are kept for 730 days, their hours for ever\n"
    assert city.ask("SELECT raw_days, hourly_days FROM store_policy") == [(730, None)]
    done = city.store("keep", city.stream, "--for-ever")
    assert done.stderr == "Everything is kept for ever\n"
    assert city.ask("SELECT * FROM store_policy") == []


def test_policies_that_make_no_sense_are_refused(city: City) -> None:
    both = city.store("keep", city.stream, "--raw-days", "5", "--for-ever")
    assert "--for-ever alone" in both.stderr
    assert city.store("keep", city.stream).returncode == 2
    shorter = city.store("keep", city.stream, "--raw-days", "9", "--hourly-days", "5")
    assert "hours must be kept at least as long" in shorter.stderr
    assert "Datastream 999" in city.store("keep", "999", "--raw-days", "9").stderr
