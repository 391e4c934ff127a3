"""A file that can say, after a process has died, whether the end of a message was on its way.

A commit before the dot would do, but takes milliseconds in which kill -9 may strike: then the record
says "perhaps" about a message that was never sent. Writing eight bytes into an open file takes a few
microseconds, and what is written survives the process (not the machine). So each sending process holds
one locked file; the lock falls with the process, and whoever gets it reads the last words.
"""

import fcntl
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NONE = bytes(8)


class Fate(StrEnum):
    """What became of a delivery that a process had in its hands."""

    ALIVE = "alive"  # ask the process itself
    NOT_SENT = "not sent"  # it died before the dot
    SENT = "sent"  # it died after writing down that the dot goes next
    UNKNOWN = "unknown"  # another machine, or this one before it was started again


class Witness:
    """This process's own file; `name` goes into the rows that it works on."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = f"{_boot()}.{uuid.uuid4().hex}"
        self._path = folder / self.name
        hidden = folder / f"new.{self.name}"
        self._file = os.open(hidden, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        os.pwrite(self._file, _NONE, 0)
        hidden.rename(self._path)  # nobody ever sees it unlocked

    @property
    def last(self) -> int:
        """The delivery whose dot went last, 0 for none."""
        return int.from_bytes(os.pread(self._file, 8, 0))

    def dot_goes_next(self, delivery: int) -> None:
        os.pwrite(self._file, delivery.to_bytes(8), 0)

    def close(self) -> None:
        """At an orderly end nothing is open, so there is nothing to witness."""
        self._path.unlink(missing_ok=True)
        os.close(self._file)


def fate_of(folder: Path, name: str, delivery: int) -> Fate:
    """What the process called `name` can say, or has left behind, about a delivery."""
    if name.partition(".")[0] != _boot():
        return Fate.UNKNOWN
    try:
        with _locked(folder / name) as file:
            last = os.pread(file, 8, 0)
    except FileNotFoundError:
        return Fate.UNKNOWN
    except BlockingIOError:
        return Fate.ALIVE
    return Fate.SENT if last == delivery.to_bytes(8) else Fate.NOT_SENT


def forget_the_dead(folder: Path, still_asked: Callable[[str], bool]) -> None:
    """Delete the files of processes that have died, unless rows still wait for what one of them says."""
    for path in folder.glob("*.*"):
        if path.name.startswith("new."):
            continue
        try:
            with _locked(path):
                if not still_asked(path.name):
                    path.unlink()
        except (FileNotFoundError, BlockingIOError):
            continue


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The open file, if nobody alive holds it; else BlockingIOError."""
    file = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file
    finally:
        os.close(file)


def _boot() -> str:
    """Identifies the machine and its start; where that is unknown, nobody's word counts."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return uuid.uuid4().hex
