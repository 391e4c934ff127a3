"""The benchmarks run and print every row. How fast is never tested: machines differ."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INGEST_ROWS = (
    "one caller, batches of 1 ",
    "one caller, batches of 100 ",
    "one caller, batches of 1000 ",
    "32 callers, one reading each",
    "webhook, 32 connections",
)
READ_ROWS = (
    "plain statement: newest 1,000 of a stream",
    "store: newest 1,000 of a stream",
    "store: latest of all streams",
    "store: a year by hour",
    "HTTP: newest 1,000 of a stream",
    "HTTP: dashboard, 1,000 Things",
)


@pytest.mark.process
@pytest.mark.parametrize(("module", "rows"), [("ingest", INGEST_ROWS), ("read", READ_ROWS)])
def test_a_benchmark_runs_and_prints_every_row(module: str, rows: tuple[str, ...]) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("STADTHERZ_", "DJANGO_"))}
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{module}", "--quick"],
        cwd=ROOT,
        env=kept | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        check=False,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    table = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert [row for row in rows if not any(row in line for line in table)] == []
    assert len(table) == len(rows) + 2
