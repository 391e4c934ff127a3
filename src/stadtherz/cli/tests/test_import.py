"""`stadtherz import` in a process of its own: it tells, reports, and survives being killed."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.product import Product

pytestmark = pytest.mark.process

ROWS = 40_000


@pytest.fixture
def product(tmp_path: Path) -> Product:
    product = Product(tmp_path / "city")
    product.run("init", "--city", "Bachstadt")
    return product


def mapping(folder: Path) -> Path:
    """As a file, so that nobody needs the back office."""
    rules = {
        "form": {"delimiter": ";", "decimal": ","},
        "times": {"column": "Zeit", "format": "german", "zone": "Etc/GMT-1"},
        "targets": [{"source": "Pegel", "new": {"thing": "Bach", "name": "Pegel", "unit": "cm"}}],
    }
    path = folder / "bach.json"
    path.write_text(json.dumps(rules))
    return path


def series(folder: Path, rows: int) -> Path:
    path = folder / "bach.csv"
    with path.open("w") as out:
        out.write("Zeit;Pegel\n")
        for n in range(rows):
            day, minute = divmod(n, 1_440)
            date = f"{1 + day % 28:02}.{1 + day // 28 % 12:02}.{2020 + day // 336}"
            out.write(f"{date} {minute // 60:02}:{minute % 60:02};{n % 700},5\n")
        out.write("heute;1\n")
    return path


def arguments(tmp_path: Path, file: Path, *more: str) -> list[str]:
    return [
        "import",
        str(file),
        "--mapping",
        str(mapping(tmp_path)),
        "--organisation",
        "bachstadt",
        *more,
    ]


def test_killed_in_the_middle_it_goes_on_and_repeats_nothing(
    product: Product, tmp_path: Path
) -> None:
    file = series(tmp_path, ROWS)
    began = killed(product, arguments(tmp_path, file))
    assert began < ROWS
    told: Any = json.loads(product.run(*arguments(tmp_path, file, "--json")))
    assert told["state"] == "done"
    assert (told["new"], told["same"], told["rows"]) == (ROWS, 0, ROWS + 1)
    report = tmp_path / "report.csv"
    again = product.run(*arguments(tmp_path, file, "--dry-run", "--report", str(report)))
    assert f"{ROWS:,} values that were there already" in again
    assert "0 new values" in again
    assert "heute" in report.read_text(encoding="utf-8")


def killed(product: Product, command: list[str]) -> int:
    """Start it, kill it as soon as it told that rows are done; the last number it told."""
    with subprocess.Popen(
        [*product.command(), *command, "--data", str(product.data)],
        env=product.full_environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stderr is not None
        line = ""
        while " rows" not in line:
            line = process.stderr.readline()
            assert line or process.poll() is None, "it ended before it was killed"
        os.kill(process.pid, signal.SIGKILL)
    return int(line.split(" rows")[0].strip().replace(",", ""))
