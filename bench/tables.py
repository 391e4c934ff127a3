"""How fast a table of measurements is imported, and how much memory that takes.

    python -m bench.tables [--rows 1000000]

The file is made here: a minute's series with decimal commas and German times in local time, one value a row. Beside it
stand what only reading the file costs, and reading it and putting each row into a table of plain rows. CPU time depends less on what
else the machine does. Each figure comes from a process of its own, so that peaks of memory are its own.
"""

import csv
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import click

from bench import timing

_HEAD = ("", "seconds", "CPU seconds", "rows a second of CPU", "peak memory MiB", "of it before")


@click.command()
@click.option("--rows", default=1_000_000, show_default=True)
@click.option("--quick", is_flag=True, help="Only show that it runs.")
@click.option("--part", default="", hidden=True)
@click.option("--file", "file_", type=click.Path(path_type=Path), hidden=True)
def main(*, rows: int, quick: bool, part: str, file_: Path | None) -> None:
    """Print the table of tables."""
    if part and file_ is not None:
        _measured(part, file_)
        return
    rows = 2_000 if quick else rows
    with tempfile.TemporaryDirectory(prefix="stadtherz-bench-") as folder:
        file = Path(folder) / "series.csv"
        _write(file, rows)
        told = []
        for name, words in _PARTS.items():
            said = _run(name, file, Path(folder) / "data")
            seconds, cpu, peak, before = (float(each) for each in said.split())
            figures = (f"{seconds:.1f}", f"{cpu:.1f}", timing.rate(rows / max(cpu, 0.001)))
            told.append((words, *figures, f"{peak:.0f}", f"{before:.0f}"))
    timing.show(f"A CSV file of {rows:,} rows", _HEAD, told)


_PARTS = {
    "read": "only read by Python's csv",
    "plain": "read, and inserted as plain rows (SQLite)",
    "check": "checked by the product",
    "import": "imported by the product",
    "again": "imported again: all there already",
}


def _run(part: str, file: Path, data: Path) -> str:
    environment = {**os.environ, "STADTHERZ_DATA": str(data)}
    command = [sys.executable, "-m", "bench.tables", "--part", part, "--file", str(file)]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.splitlines()[-1]


def _measured(part: str, file: Path) -> None:
    baseline = {"read": _read, "plain": _plain}.get(part)
    do = partial(baseline, file) if baseline is not None else _prepared(part, file)
    before = _peak()
    began, cpu = time.perf_counter(), time.process_time()
    do()
    click.echo(f"{time.perf_counter() - began} {time.process_time() - cpu} {_peak()} {before}")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _write(file: Path, rows: int) -> None:
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    with file.open("w", encoding="utf-8") as out:
        out.write("Zeit;Wasserstand [cm]\n")
        for number in range(rows):
            level = 100 + (number * 7_919 % 4_001) / 100
            text = f"{level:.2f}".replace(".", ",")
            out.write(f"{moment:%d.%m.%Y %H:%M};{text}\n")
            moment += timedelta(minutes=1)


def _read(file: Path) -> None:
    with file.open(encoding="utf-8", newline="") as text:
        for _row in csv.reader(text, delimiter=";"):
            pass


def _plain(file: Path) -> None:
    """What one writes in an afternoon: strptime, float, executemany."""
    database = sqlite3.connect(file.with_suffix(".sqlite3"))
    database.execute("CREATE TABLE reading (at INTEGER, value REAL)")
    with file.open(encoding="utf-8", newline="") as text:
        rows = csv.reader(text, delimiter=";")
        next(rows)
        parsed = (
            (
                datetime.strptime(when, "%d.%m.%Y %H:%M").replace(tzinfo=UTC).timestamp(),
                float(value.replace(",", ".")),
            )
            for when, value in rows
        )
        database.executemany("INSERT INTO reading VALUES (?, ?)", parsed)
    database.commit()


def _prepared(part: str, file: Path) -> Callable[[], None]:
    """What is measured: the run itself, after the file was taken and described."""
    from stadtherz.cli import instance  # noqa: PLC0415 - Django is loaded only for what needs it

    instance.choose(Path(os.environ["STADTHERZ_DATA"]))
    instance.load()
    instance.migrate()
    from stadtherz.ingest.public import tables  # noqa: PLC0415
    from stadtherz.store.public import create_organisation, organisations  # noqa: PLC0415

    owner = next((o.id for o in organisations()), None) or create_organisation("town", "Town")
    row = tables.take(owner, file.name, tables.blocks_of(file))
    rules = tables.recognise_rules(tables.file_of(row), tables.form_of(row.form), "Etc/GMT-1")
    new = {"thing": "Bach", "name": "Wasserstand", "unit": "cm"}
    target = {"source": "Wasserstand [cm]", "new": new}
    tables.set_rules(row, tables.rules_of({**tables.told(rules), "targets": [target]}))
    (tables.start_check if part == "check" else tables.start_import)(row)
    claimed = tables.claim(tables.name_of_holder(), row.pk)
    assert claimed is not None

    def work() -> None:
        tables.run(claimed)
        assert not claimed.problem, claimed.problem_sentence

    return work


if __name__ == "__main__":
    main()
