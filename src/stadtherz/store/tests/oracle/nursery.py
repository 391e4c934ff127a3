"""Short lives of the worker of `crash_worker.py`, as many as a test wants."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from stadtherz.store.tests import crash_worker

ENGINE = os.environ.get("STADTHERZ_ENGINE", "")


def environment(home: Path, engine: str = "") -> dict[str, str]:
    return {
        **os.environ,
        "STADTHERZ_DATA": str(home),
        "STADTHERZ_ENGINE": engine,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }


def command(*verb: str) -> list[str]:
    """What runs a verb in a process of its own."""
    return [sys.executable, crash_worker.__file__, *verb]


def prepare(home: Path, engine: str = "") -> None:
    """An empty store, in SQLite unless the engine says otherwise."""
    ready = environment(home, engine)
    subprocess.run(command("prepare"), env=ready, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def database_of_its_own() -> Iterator[str]:
    """The address of a new database on the PostgreSQL server under test; empty where that is SQLite."""
    if not ENGINE.startswith("postgres"):
        yield ""
        return
    server = urlsplit(ENGINE)
    name = f"crash_{os.getpid()}"
    with psycopg.connect(server._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield server._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Life:
    """A process that does its verb once for each line, and between them nothing."""

    def __init__(self, home: Path, engine: str, *verb: str) -> None:
        self._process = subprocess.Popen(
            command(*verb),
            env=environment(home, engine),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def go_on(self) -> list[dict[str, Any]]:
        """What it says about its next step."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        lines: list[dict[str, Any]] = []
        while not (lines and "done" in lines[-1]):
            lines.append(json.loads(self._process.stdout.readline()))
        return lines

    def end(self) -> None:
        self._process.communicate()


class Nursery:
    """A process that forks children which become the worker: each is as good as a new process."""

    def __init__(self, home: Path, engine: str = "") -> None:
        self.process = subprocess.Popen(
            command("serve"),
            env=environment(home, engine),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def child(
        self, folder: Path, *verb: str, stopped: bool = False, wait: bool = True
    ) -> dict[str, Any]:
        """Let a child do the verb in the folder; what it says is added to `output` there."""
        order = {
            "folder": str(folder),
            "output": str(folder / "output"),
            "verb": verb,
            "stopped": stopped,
            "wait": wait,
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def ask(self, folder: Path, *verb: str) -> list[dict[str, Any]]:
        """What a child says that must succeed."""
        (folder / "output").unlink(missing_ok=True)
        assert self.child(folder, *verb)["status"] == 0, verb
        return said(folder)

    def close(self) -> None:
        self.process.communicate()


def said(folder: Path) -> list[dict[str, Any]]:
    """The lines of a child; the last one may be cut off."""
    output = folder / "output"
    lines = output.read_text().splitlines() if output.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]
