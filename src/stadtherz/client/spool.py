"""Readings that the server could not be told yet: a file of JSON lines, written through to the disk.

A line is whole or, after a crash in the middle of writing, ignored. What was delivered leaves the file by
a replacement in one step; if a crash comes before, it is sent again, which the server recognises.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Line = dict[str, Any]


class Spool:
    """One file, which several processes may use at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone with the file among all processes."""
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def __bool__(self) -> bool:
        try:
            return self.path.stat().st_size > 0
        except FileNotFoundError:
            return False

    def lines(self) -> list[Line]:
        try:
            told = self.path.read_bytes()
        except FileNotFoundError:
            return []
        return [line for each in told.splitlines() if (line := _line(each)) is not None]

    def append(self, lines: Sequence[Line]) -> None:
        """On the disk when it returns. Call it `locked`."""
        _append(self.path, lines)

    def keep_only(self, lines: Sequence[Line]) -> None:
        """Replace what the file holds. Call it `locked`."""
        if not lines:
            self.path.unlink(missing_ok=True)
            return
        fresh = self.path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        _append(fresh, lines)
        fresh.replace(self.path)

    def set_aside(self, lines: Sequence[Line]) -> None:
        """Keep what the server does not want beside the file, for people to look at. Call it `locked`."""
        _append(self.path.with_suffix(".refused"), lines)


def _line(data: bytes) -> Line | None:
    try:
        told = json.loads(data)
    except ValueError:
        return None
    return told if isinstance(told, dict) and {"stream", "at", "value"} <= told.keys() else None


def _append(path: Path, lines: Sequence[Line]) -> None:
    """Begins with an empty line, should a crash have left half of one."""
    text = "".join(f"\n{json.dumps(line, allow_nan=False)}" for line in lines) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, text.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
