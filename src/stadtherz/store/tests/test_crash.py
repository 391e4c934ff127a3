"""A process dies at any moment: what it acknowledged is there, once; what was deleted stays away.

`STADTHERZ_CRASHES=1000 pytest src/stadtherz/store/tests/test_crash.py` kills at every write.
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stadtherz.store.tests.oracle.nursery import ENGINE, Nursery, database_of_its_own, prepare, said
from stadtherz.store.tests.oracle.story import Story

CRASHES = int(os.environ.get("STADTHERZ_CRASHES", "60"))
STEPS = 25
CALLS = ("pwrite64", "fdatasync", "ftruncate", "unlink")
on_postgresql = ENGINE.startswith("postgres")
traced = pytest.mark.skipif(
    on_postgresql or shutil.which("strace") is None,
    reason="kills SQLite's process at its system calls; apt-get install strace",
)


def check_everything(nursery: Nursery, folder: Path) -> None:
    """Read what a killed worker left; append again what is uncertain; read again."""
    story = Story().hear(said(folder))
    story.check(nursery.ask(folder, "read")[-1])
    story.check(nursery.ask(folder, "read")[-1])
    repeated = story.repeatable()
    story.check_again(nursery.ask(folder, "again", json.dumps(repeated)))


# --- killed at a system call ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an empty store, to be copied."""
    folder = tmp_path_factory.mktemp("home")
    prepare(folder)
    return folder


@pytest.fixture(scope="module")
def nursery(home: Path) -> Iterator[Nursery]:
    nursery = Nursery(home)
    yield nursery
    nursery.close()


def traced_child(nursery: Nursery, folder: Path, seed: int, *options: str) -> str:
    """Let a worker tell its story under strace; what strace wrote."""
    child = nursery.child(folder, "work", str(seed), str(STEPS), stopped=True, wait=False)
    pid, trace = child["pid"], folder / "trace"
    wait_until(lambda: state_of(pid) == "T")
    command = ["strace", "-f", "-q", "-o", str(trace), "-p", str(pid), *options]
    tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    wait_until(lambda: "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text())
    os.kill(pid, signal.SIGCONT)
    try:
        tracer.wait(60)
    except subprocess.TimeoutExpired:
        os.kill(pid, signal.SIGKILL)
        raise
    return trace.read_text()


def wait_until(happened: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if happened():
            return
        time.sleep(0.005)
    raise TimeoutError


def state_of(pid: int) -> str:
    """A letter: T is stopped, Z is dead."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def boundaries(trace: str) -> list[tuple[str, int]]:
    """Each system call that one of the threads made, with its number in the thread."""
    calls = re.findall(rf"^(\d+) +({'|'.join(CALLS)})\(", trace, re.MULTILINE)
    most = Counter[str]()
    for (_, call), number in Counter(calls).items():
        most[call] = max(most[call], number)
    return [(call, n) for call, number in most.items() for n in range(1, number + 1)]


@traced
def test_a_process_may_die_at_every_write(nursery: Nursery, home: Path, tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    whole = shutil.copytree(home, tmp_path / "whole")
    trace = traced_child(nursery, whole, seed, "-e", f"trace={','.join(CALLS)}")
    places = boundaries(trace)
    random.Random(seed).shuffle(places)
    assert len(places) > STEPS
    check_everything(nursery, whole)
    for call, number in places[:CRASHES]:
        folder = shutil.copytree(home, tmp_path / "killed")
        print(f"seed {seed}: killed before {call} number {number}")  # shown if it fails
        inject = f"inject={call}:signal=KILL:when={number}"
        traced_child(nursery, folder, seed, "-e", f"trace={call}", "-e", inject)
        check_everything(nursery, folder)
        shutil.rmtree(folder)


# --- a log that was cut --------------------------------------------------------------------------


@dataclass
class Cut:
    """A store whose write-ahead log can be cut, and what was acknowledged at which length."""

    lines: list[dict[str, Any]]
    log: bytes
    ends: list[tuple[int, int]]  # lines up to an acknowledgement, bytes of the log then


@pytest.fixture(scope="module")
def killed(
    nursery: Nursery, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Cut]:
    folder = shutil.copytree(home, tmp_path_factory.mktemp("cut") / "killed")
    before = (folder / "stadtherz.sqlite3").read_bytes()
    assert nursery.child(folder, "work", str(random.randrange(10**6)), str(STEPS))["status"] == 0
    assert (folder / "stadtherz.sqlite3").read_bytes() == before, "all changes are in the log"
    lines = said(folder)
    ends = [(i + 1, line["log"]) for i, line in enumerate(lines) if "log" in line]
    return folder, Cut(lines, (folder / "stadtherz.sqlite3-wal").read_bytes(), ends)


def left(killed: tuple[Path, Cut], log: bytes, folder: Path) -> Path:
    """The store as it is after a power cut that left this much of the log."""
    folder.mkdir()
    shutil.copy(killed[0] / "stadtherz.sqlite3", folder)
    (folder / "stadtherz.sqlite3-wal").write_bytes(log)
    return folder


@pytest.mark.skipif(on_postgresql, reason="PostgreSQL's log is its own")
def test_a_cut_log_keeps_what_was_acknowledged(
    nursery: Nursery, killed: tuple[Path, Cut], tmp_path: Path
) -> None:
    cut = killed[1]
    for turn in range(CRASHES // 2):
        place = random.randrange(len(cut.ends))
        acknowledged, end = cut.ends[place]
        until = next((e for _, e in cut.ends[place + 1 :] if e > end), len(cut.log))
        length = random.randint(end, until)
        garbage = random.randbytes(random.choice([0, 1, 24, 5_000]))
        print(f"acknowledged at {end}, cut at {length}, {len(garbage)} bytes of garbage")
        folder = left(killed, cut.log[:length] + garbage, tmp_path / str(turn))
        (answer,) = nursery.ask(folder, "read")
        check_prefix(cut, answer, acknowledged)


@pytest.mark.skipif(on_postgresql, reason="PostgreSQL's log is its own")
def test_a_log_cut_too_short_gives_an_earlier_state(
    nursery: Nursery, killed: tuple[Path, Cut], tmp_path: Path
) -> None:
    cut = killed[1]
    for turn in range(CRASHES // 4):
        length = random.randrange(len(cut.log))
        print(f"cut at {length}")
        folder = left(killed, cut.log[:length], tmp_path / str(turn))
        (answer,) = nursery.ask(folder, "read")
        check_prefix(cut, answer, 0)


def check_prefix(cut: Cut, answer: dict[str, Any], least: int) -> None:
    """What was read is what was there after some of the lines, `least` of them or more."""
    reasons = []
    for end in range(least, len(cut.lines) + 1):
        try:
            Story().hear(cut.lines[:end]).check(answer)
        except AssertionError as reason:
            reasons.append(str(reason).splitlines()[0])
        else:
            return
    raise AssertionError(reasons[:3])


# --- killed at any moment, many threads, both engines --------------------------------------------


@pytest.fixture
def shared(home: Path, tmp_path: Path) -> Iterator[tuple[Nursery, Path]]:
    """A store on the engine under test, on PostgreSQL a database of its own."""
    folder = shutil.copytree(home, tmp_path / "shared")
    with database_of_its_own() as engine:
        nursery = Nursery(folder, engine)
        if on_postgresql:
            nursery.ask(folder, "prepare")
        yield nursery, folder
        nursery.close()


def test_a_process_with_many_writers_may_die_at_any_moment(shared: tuple[Nursery, Path]) -> None:
    nursery, folder = shared
    story = Story()
    for turn in range(max(CRASHES // 10, 3)):
        (folder / "output").unlink(missing_ok=True)
        first = str(turn * 10_000_000)
        child = nursery.child(folder, "write", "4", first, wait=False)
        time.sleep(random.uniform(0.05, 0.8))
        os.kill(child["pid"], signal.SIGKILL)
        wait_for_the_end(child["pid"])
        story.hear(said(folder))
        story.check(nursery.ask(folder, "read")[-1])
        story.check_again(nursery.ask(folder, "again", json.dumps(story.repeatable())))
    assert len(story.certain) > 0


def wait_for_the_end(pid: int) -> None:
    """Until the process is gone, and with it what PostgreSQL was still doing for it."""
    wait_until(lambda: state_of(pid) == "Z")
    if on_postgresql:
        time.sleep(0.2)
