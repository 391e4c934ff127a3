"""What became of the messages: counted while they are sent, told at the end."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

_MOST_TIMES = 50_000  # beyond, a fair sample stands for all


@dataclass(slots=True)
class Tally:
    """Filled by the doors' threads. `acknowledged` means the server has it on disk."""

    sent: int = 0
    acknowledged: int = 0
    refused: int = 0
    unanswered: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    _answered: int = 0
    _times: list[float] = field(default_factory=list)
    _random: Random = field(default_factory=lambda: Random(0))  # noqa: S311 - picks a sample
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count_sent(self) -> None:
        with self._lock:
            self.sent += 1

    def count_acknowledged(self, seconds: float) -> None:
        with self._lock:
            self.acknowledged += 1
            self._note(seconds)

    def count_refused(self, reason: str, seconds: float) -> None:
        with self._lock:
            self.refused += 1
            self.reasons[reason] += 1
            self._note(seconds)

    def count_unanswered(self, reason: str) -> None:
        with self._lock:
            self.unanswered += 1
            self.reasons[reason] += 1

    def _note(self, seconds: float) -> None:
        self._answered += 1
        if len(self._times) < _MOST_TIMES:
            self._times.append(seconds)
        elif (place := self._random.randrange(self._answered)) < _MOST_TIMES:
            self._times[place] = seconds

    def milliseconds(self, share: float) -> float | None:
        """The answer time that so large a share of the answers kept to; None without answers."""
        with self._lock:
            times = sorted(self._times)
        if not times:
            return None
        return round(1000 * times[min(len(times) - 1, int(share * len(times)))], 1)

    def facts(self) -> dict[str, Any]:
        return {
            "sent": self.sent,
            "acknowledged": self.acknowledged,
            "refused": self.refused,
            "unanswered": self.unanswered,
            "reasons": dict(self.reasons.most_common()),
            "p50_ms": self.milliseconds(0.50),
            "p99_ms": self.milliseconds(0.99),
        }
