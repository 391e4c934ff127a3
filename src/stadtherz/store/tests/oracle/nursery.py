"""Short lives of the worker of `crash_worker.py`, as many as a test wants."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from stadtherz.store.tests import crash_worker


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


def prepare(home: Path) -> None:
    """An empty store in SQLite."""
    subprocess.run(command("prepare"), env=environment(home), check=True, stdout=subprocess.DEVNULL)


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
