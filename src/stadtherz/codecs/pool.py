"""A few workers for all codecs: started when needed, given up when they overrun, replaced by and by.

Two workers take what is quick. A codec that took long lately goes to a third one, where it delays
only its like: so whatever its maker or a device does, it holds up the others once, and no longer than
its limit.
"""

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from stadtherz.codecs.limits import LIMITS, Limits
from stadtherz.codecs.lines import Line, Suspects, Ticket
from stadtherz.codecs.outcomes import Failed, Fault, Outcome
from stadtherz.codecs.process import Job, Lost, Worker

logger = logging.getLogger(__name__)

QUICK_WORKERS = 2
_MOST_WAITING = 5_000
_MOST_SLOW = 50
_AT_ONCE = 16  # jobs a worker is handed together, so that it does not wait for our threads
_PATIENCE_S = 5.0  # of a job in its line: the network gives up soon after
_DECODES = 20_000  # of a worker, then comes another


@dataclass(slots=True)
class _Lane:
    """A line and the worker of each thread that serves it."""

    line: Line
    at_once: int
    threads: int
    idle: int = 0  # of those that run
    running: list[threading.Thread] = field(default_factory=list)


class Pool:
    """Decodes in worker processes; nothing runs before the first `submit` nor after `stop`."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._news = threading.Condition()
        self._suspects = Suspects()
        self._quick = _Lane(Line(_MOST_WAITING), _AT_ONCE, QUICK_WORKERS)
        self._slow = _Lane(Line(_MOST_SLOW), 1, 1)
        self._ending = False

    def submit(self, job: Job) -> Future[Outcome]:
        """What becomes of a job; never raises, and never blocks."""
        return self.submit_all([job])[0]

    def submit_all(self, jobs: Iterable[Job]) -> list[Future[Outcome]]:
        """As `submit`, for jobs that come together: they cross the threads and the pipes together, too."""
        now = time.monotonic()
        tickets = [Ticket(job, now) for job in jobs]
        self._put_all(tickets)
        return [ticket.future for ticket in tickets]

    def stop(self) -> None:
        """Finish what is quick and let the workers end; the next `submit` starts again."""
        with self._news:
            self._ending = True
            self._news.notify_all()
            threads = [*self._quick.running, *self._slow.running]
        for thread in threads:
            thread.join()
        with self._news:
            self._ending = False
            for lane in (self._quick, self._slow):
                lane.running.clear()
                if lane.line:  # somebody came while the threads ended
                    self._start(lane)

    def _put_all(self, tickets: Iterable[Ticket]) -> None:
        with self._news:
            for ticket in tickets:
                self._put(ticket)
            self._news.notify_all()

    def _put(self, ticket: Ticket) -> None:
        lane = self._slow if ticket in self._suspects else self._quick
        if lane.line.full:
            _settle([ticket], Failed(Fault.BUSY))
            return
        lane.line.put(ticket)
        if len(lane.running) < min(lane.threads, len(lane.line)):
            self._start(lane)

    def _start(self, lane: _Lane) -> None:
        thread = threading.Thread(target=self._serve, args=(lane,), name="codecs", daemon=True)
        lane.running.append(thread)
        thread.start()

    def _serve(self, lane: _Lane) -> None:
        worker: Worker | None = None
        while tickets := self._next(lane):
            worker = self._decode(worker, tickets)
            if worker is not None and worker.decodes >= _DECODES:
                worker.stop()
                worker = None
        if worker is not None:
            worker.stop()

    def _next(self, lane: _Lane) -> list[Ticket]:
        """The next tickets that are ready; none when the pool ends."""
        with self._news:
            lane.idle += 1
            try:
                while True:
                    share = -(-len(lane.line) // lane.idle)
                    tickets = lane.line.take(min(lane.at_once, share))
                    if ready := [ticket for ticket in tickets if self._is_ready(lane, ticket)]:
                        return ready
                    if not tickets:
                        if self._ending:
                            return []
                        self._news.wait()
            finally:
                lane.idle -= 1

    def _is_ready(self, lane: _Lane, ticket: Ticket) -> bool:
        """Whether its time has not passed, and its codec has not turned out slow meanwhile."""
        late = time.monotonic() - ticket.since > _PATIENCE_S
        if late or (self._ending and lane is self._slow):
            _settle([ticket], Failed(Fault.BUSY))
            return False
        if lane is self._quick and ticket in self._suspects:
            self._put(ticket)
            self._news.notify_all()
            return False
        return True

    def _decode(self, worker: Worker | None, tickets: Sequence[Ticket]) -> Worker | None:
        """The worker that is still there afterwards."""
        try:
            worker = worker or Worker(self._limits)
        except (OSError, Lost) as problem:
            logger.error("a codec worker does not start: %r", problem)
            _settle(tickets, Failed(Fault.UNAVAILABLE))
            return None
        done = 0
        try:
            for ticket, answer in zip(
                tickets, worker.answers([each.job for each in tickets]), strict=True
            ):
                self._judge(ticket, answer.cpu)
                done += 1
                _settle([ticket], answer.outcome)
        except Lost:
            left = tickets[done:]
            if len(left) > 1 and worker.may_have_ended_later(left[0].job):
                return self._decode_singly(left)
            self._judge(left[0], self._limits.patience)
            _settle(left[:1], Failed(Fault.KILLED))
            self._put_all(left[1:])
            return None
        return worker

    def _decode_singly(self, tickets: Sequence[Ticket]) -> Worker | None:
        """A worker ended at one of these: each by itself finds at which."""
        worker: Worker | None = None
        for place, ticket in enumerate(tickets, 1):
            worker = self._decode(worker, [ticket])
            if worker is None:
                self._put_all(tickets[place:])
                break
        return worker

    def _judge(self, ticket: Ticket, cpu: float) -> None:
        with self._news:
            self._suspects.judge(ticket.job.code, cpu, time.monotonic())


def _settle(tickets: Sequence[Ticket], outcome: Outcome) -> None:
    for ticket in tickets:
        if ticket.future.set_running_or_notify_cancel():
            ticket.future.set_result(outcome)


_pool = Pool()
submit = _pool.submit
submit_all = _pool.submit_all
stop = _pool.stop
