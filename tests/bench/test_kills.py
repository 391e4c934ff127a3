"""Ten times kill -9 of the real process under load, by webhook and MQTT, on the engine of this run."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.bench.test_bench import ROOT

pytestmark = pytest.mark.process


@pytest.fixture
def engine() -> Iterator[dict[str, str]]:
    """Nothing for SQLite; else an empty database beside the one of the tests."""
    told = os.environ.get("STADTHERZ_ENGINE", "")
    if not told.startswith("postgresql"):
        yield {}
        return
    server, name = told.rpartition("/")[0], f"kills_{os.getpid()}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        yield {"STADTHERZ_ENGINE": f"{server}/{name}"}
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def test_ten_kills_under_load_lose_nothing_double_nothing_and_keep_the_order(
    engine: dict[str, str],
) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("STADTHERZ_", "DJANGO_"))}
    done = subprocess.run(
        [sys.executable, "-m", "bench.kills"],
        cwd=ROOT,
        env=kept | engine | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        check=False,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("| ")][2:]
    assert len(rows) == 3
    for _door, acknowledged, again, *wrong in rows:
        assert int(acknowledged.replace(",", "")) > 100
        assert int(again.replace(",", "")) > 10  # the kills came while messages were on their way
        assert [each.strip() for each in wrong] == ["0", "0", "0"]
