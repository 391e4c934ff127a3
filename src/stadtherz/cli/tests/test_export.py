"""`stadtherz export` on a city with a few readings, as its own process."""

import csv
import io
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SOURCE = Path(__file__).parents[3]
FILL = """
import sys
from pathlib import Path
from stadtherz.cli import instance
instance.choose(Path(sys.argv[1]))
instance.load()
from stadtherz.base.time import HOUR, Period
from stadtherz.base.vocabulary import KNOWN
from stadtherz.store.public import NewStream, Reading, append, organisations, register_stream
for name in ("first", "second"):
    stream = register_stream(NewStream(
        owner=organisations()[0].id, thing_name=name, thing_description=name, location=None,
        sensor_name=name, sensor_description=name, observed=next(iter(KNOWN.values())),
        name=name, description=name,
    ))
    append([Reading(stream, Period(hour * HOUR), hour / 2) for hour in range(int(sys.argv[2]))])
    print(stream)
append([Reading(stream, Period(9 * HOUR), "closed, for now")])
"""


def run(*arguments: str, blocked: str = "") -> "subprocess.CompletedProcess[bytes]":
    """A Python process; `blocked` names a package that it shall not find."""
    block = f"import sys; sys.modules[{blocked!r}] = None\n" if blocked else ""
    script = f"{block}from stadtherz.cli.main import main\nmain()"
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The data folder and its two datastreams."""
    data = tmp_path_factory.mktemp("city")
    made = run("init", "--city", "Eppishausen", "--data", str(data))
    assert made.returncode == 0, made.stderr
    return data, fill(data, hours=5)


def fill(data: Path, *, hours: int) -> list[str]:
    """Two more datastreams with a reading each hour, and the ids of these."""
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(data), str(hours)],
        env={"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


City = tuple[Path, list[str]]


def export(city: City, *arguments: str, blocked: str = "") -> "subprocess.CompletedProcess[bytes]":
    return run("export", *arguments, "--data", str(city[0]), blocked=blocked)


def lines_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode(), newline="")))


def test_everything_goes_to_standard_output_as_csv(city: City) -> None:
    done = export(city)
    assert done.returncode == 0, done.stderr
    lines = lines_of(done.stdout)
    assert [line["Datastream"] for line in lines] == [city[1][0]] * 5 + [city[1][1]] * 6
    assert lines[1]["phenomenonTime"] == "1970-01-01T01:00:00Z"
    assert [line["result"] for line in lines[5:]] == [
        *("0.0", "0.5", "1.0", "1.5", "2.0"),
        '"closed, for now"',
    ]
    assert done.stderr.decode().startswith("11 readings, ")


def test_datastreams_and_times_choose_the_readings(city: City) -> None:
    done = export(
        city, "--datastream", city[1][1],
        "--from", "1970-01-01T01:00Z", "--to", "1970-01-01T04:00+01:00",
    )  # fmt: skip
    lines = lines_of(done.stdout)
    assert {line["Datastream"] for line in lines} == {city[1][1]}
    assert [line["result"] for line in lines] == ["0.5", "1.0"]


def test_the_name_of_the_file_says_the_format(city: City, tmp_path: Path) -> None:
    for name in ("all.parquet", "all.arrow", "all.csv", "all.txt"):
        done = export(city, "--output", str(tmp_path / name))
        assert done.returncode == 0, done.stderr
        assert name in done.stderr.decode()
    assert pq.read_table(tmp_path / "all.parquet").num_rows == 11
    assert pa.ipc.open_stream((tmp_path / "all.arrow").read_bytes()).read_all().num_rows == 11
    assert (tmp_path / "all.csv").read_bytes() == (tmp_path / "all.txt").read_bytes()
    assert len(list(tmp_path.iterdir())) == 4


def test_a_format_that_is_asked_for_wins(city: City, tmp_path: Path) -> None:
    target = tmp_path / "all.csv"
    assert export(city, "--format", "parquet", "--output", str(target)).returncode == 0
    assert pq.read_table(target).num_rows == 11


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("--datastream", "4711"), "--datastream"),
        (("--datastream", "0"), "--datastream"),
        (("--datastream", str(1 << 70)), "--datastream"),
        (("--from", "yesterday"), "--from"),
        (("--to", "2026-13-01"), "--to"),
        (("--from", "2026-01-02", "--to", "2026-01-01"), "--to"),
        (("--format", "xlsx"), "--format"),
        (("--output", "/no/such/folder/all.csv"), "--output"),
        (("--output", "/"), "--output"),
    ],
)
def test_a_mistake_names_its_option(city: City, arguments: tuple[str, ...], option: str) -> None:
    done = export(city, *arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    assert option in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_without_pyarrow_the_error_says_what_to_install(city: City, tmp_path: Path) -> None:
    done = export(city, "--output", str(tmp_path / "all.parquet"), blocked="pyarrow")
    assert done.returncode == 2
    assert "stadtherz[export]" in done.stderr.decode()
    assert not list(tmp_path.iterdir())
    assert export(city, blocked="pyarrow").returncode == 0


def test_an_export_that_fails_leaves_the_former_file_alone(city: City, tmp_path: Path) -> None:
    data = shutil.copytree(city[0], tmp_path / "large")
    fill(data, hours=5_000)
    target = tmp_path / "all.csv"
    target.write_text("the former export")
    script = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write past the limit fails, as on a full disk
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from stadtherz.cli.main import main
main(["export", "--data", {str(data)!r}, "--output", {str(target)!r}])
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 2
    assert "--output" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"large", "all.csv"}
    assert target.read_text() == "the former export"


def test_a_pipe_is_written_to_and_stays_a_pipe(city: City, tmp_path: Path) -> None:
    """A file renamed over a pipe or a device would destroy it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    assert export(city, "--output", str(pipe)).returncode == 0
    text, _ = reader.communicate(timeout=30)
    assert len(lines_of(text)) == 11
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_reader_who_has_seen_enough_gets_no_traceback(city: City) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "stadtherz.cli.main", "export", "--data", str(city[0])],
        env={"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin"},
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")
