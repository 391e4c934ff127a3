"""Who is decoded next: owners take turns, and codecs known to be slow have a line of their own.

Plain data structures; `pool` guards them with its lock. Times are seconds of a monotonic clock.
"""

from collections import OrderedDict, deque
from concurrent.futures import Future
from dataclasses import dataclass, field

from stadtherz.codecs.outcomes import Outcome
from stadtherz.codecs.process import Job

_SLOW_CPU = 0.05  # seconds; published codecs take a hundredth of it
_REMEMBERED_S = 60.0
_MOST_SUSPECTS = 1_000


@dataclass(frozen=True, slots=True)
class Ticket:
    """A job that waits for its turn."""

    job: Job
    since: float
    future: Future[Outcome] = field(default_factory=Future)


class Line:
    """Tickets, in turn of their owners."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: OrderedDict[object, deque[Ticket]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def full(self) -> bool:
        return self._count >= self._most

    def put(self, ticket: Ticket) -> None:
        self._waiting.setdefault(ticket.job.owner, deque()).append(ticket)
        self._count += 1

    def take(self, most: int) -> list[Ticket]:
        """The next ones, one of each owner in turn."""
        taken: list[Ticket] = []
        while self._waiting and len(taken) < most:
            owner, tickets = self._waiting.popitem(last=False)
            taken.append(tickets.popleft())
            if tickets:
                self._waiting[owner] = tickets
        self._count -= len(taken)
        return taken


class Suspects:
    """Codecs that took long a short while ago."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def judge(self, code: str, cpu: float, now: float) -> None:
        if cpu >= _SLOW_CPU:
            if len(self._until) >= _MOST_SUSPECTS:
                self._until.clear()
            self._until[code] = now + _REMEMBERED_S

    def __contains__(self, ticket: Ticket) -> bool:
        until = self._until.get(ticket.job.code)
        return until is not None and ticket.since < until
