"""What a server's processes take, as Linux tells it."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_LOOK = 1.0  # seconds
_IDLE = 0.05  # of a core
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Processes:
    """Of no process nothing is known."""

    pids: tuple[int, ...]

    def seconds(self) -> float | None:
        """Processor time so far."""
        if not self.pids:
            return None
        return _TICK * sum(sum(_times(pid)) for pid in self.pids)

    def rest(self, most: float) -> None:
        """Wait, for so many seconds at most, until there is nothing left to do in the background."""
        until = time.monotonic() + most
        while self.pids and time.monotonic() < until:
            before = self.seconds() or 0.0
            time.sleep(_LOOK)
            if (self.seconds() or 0.0) - before < _IDLE * _LOOK:
                return

    def memory(self) -> float | None:
        """Megabytes of memory."""
        return self._megabytes("VmRSS")

    def most_memory(self) -> float | None:
        """The most there ever was; of several processes the sum."""
        return self._megabytes("VmHWM")

    def _megabytes(self, name: str) -> float | None:
        if not self.pids:
            return None
        return sum(_status(pid, name) for pid in self.pids) * 1024 / 1e6


def _times(pid: int) -> tuple[int, int]:
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return int(fields[11]), int(fields[12])


def _status(pid: int, name: str) -> int:
    lines = (_PROC / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
