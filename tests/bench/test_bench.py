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
CODEC_ROWS = (
    "pool, codec of 0.2 kB",
    "pool, codec of 4.4 kB",
    "pool, codec of 21.7 kB",
    "webhook, decoded by a codec of 4 kB",
    "webhook, decoded by the network",
)
READ_ROWS = (
    "plain statement: newest 1,000 of a stream",
    "store: newest 1,000 of a stream",
    "store: latest of all streams",
    "store: a year by hour",
    "HTTP: newest 1,000 of a stream",
    "HTTP: dashboard, 1,000 Things",
)
STORE_ROWS = (
    "readings filled",
    "filled and sealed, bulk",
    "bytes a reading, all tables and indexes",
    "bytes a reading, packed columns alone",
    "bytes a reading, roll-ups",
    "bytes a reading, regular times",
    "newest 1,000 of a minute stream, again",
    "newest 1,000 of a minute stream, first time",
    "newest 1,000 of a seldom stream, first time",
    "latest of all streams",
    "a year by hour, from roll-ups",
    "a year by hour, without roll-ups",
    "all streams, one day by hour",
    "predicate, all streams, 2 days: count",
    "predicate, all streams, 2 days: page of 100",
    "predicate, all streams, 30 days: count",
    "predicate that half fulfil, 30 days: count",
    "predicate, all streams, 30 days: page of 100",
    "predicate, all streams, 30 days: newest 100",
    "newest 1,000 of a minute stream, cold file cache",
    "1 caller, batches of 1,000, sealing included",
    "1 caller, batches of 1,000, sealing left out",
    "1 caller, batches of 1,000 with keys, sealing included",
    "1 caller, batches of 1,000 with keys, sealing left out",
    "32 callers, batches of 1,000, sealing left out",
    "1 caller, one reading each",
    "32 callers, one reading each",
    "bytes written a reading, sealing included",
    "a single append without sealing, median",
    "a single append without sealing, 99 %",
    "a single append without sealing, longest",
    "a single append beside sealing, median",
    "a single append beside sealing, 99 %",
    "a single append beside sealing, longest",
    "start after kill -9 with a full log, process to first answer",
    "of that, the store: latest of all",
    "of that, the store: newest 1,000 of a stream",
    "the same start with a cold file cache",
    "newest 1,000 of a minute stream, with a full log",
    "latest of all streams, with a full log",
    "memory at the end of the fill",
    "memory at most in the fill",
    "memory after all questions",
)
SENSORTHINGS_ROWS = (
    "memory when empty",
    "newest 1,000 of a datastream",
    "the same, one client",
    "newest 1,000 as dataArray",
    "the same as dataArray, one client",
    "1,000 Things with place and newest reading",
    "a week of one datastream where result > 95",
    "the same over all datastreams",
    "hourly means of a year",
    "newest reading of all datastreams",
    "one Thing",
    "single posts, 16 clients",
    "CreateObservations, readings",
    "memory at most",
)
MQTT_ROWS = (
    "Observations, 20 clients",
    "Observations, 1 client",
    "documents of a network, 1 client",
    "5 clients connect",
)
TABLE_ROWS = (
    "only read by Python's csv",
    "read, and inserted as plain rows (SQLite)",
    "checked by the product",
    "imported by the product",
    "imported again: all there already",
)
VISIBLE_ROWS = ("on disk", "in SensorThings", "on live pages", "in SensorThings events")
KILLS_ROWS = (
    "webhook, decoded by a codec",
    "MQTT documents, decoded by a codec",
    "MQTT Observations",
)
ALERT_ROWS = (
    "readings, 10 rules, 1 in 20 crosses",
    "readings, 40 rules, 1 in 20 crosses",
    "readings, 40 rules, 1 in 5 crosses",
    "one warning queued for 20",
)
RECIPIENT_ROWS = (
    "the warning is raised",
    "all 20 are queued",
    "who has to act is told after",
    "mails leave",
)
BENCHMARKS = [
    ("ingest", INGEST_ROWS),
    ("codecs", CODEC_ROWS),
    ("read", READ_ROWS),
    ("store", STORE_ROWS),
    ("sensorthings", SENSORTHINGS_ROWS),
    ("mqtt", MQTT_ROWS),
    ("visible", VISIBLE_ROWS),
    ("kills", KILLS_ROWS),
    ("tables", TABLE_ROWS),
    ("alerts", ALERT_ROWS),
    ("recipients", RECIPIENT_ROWS),
    ("warned", ("answered (on disk)", "handed to SMTP", "handed to the SMS gateway")),
]


@pytest.mark.process
@pytest.mark.parametrize(("module", "rows"), BENCHMARKS)
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
