"""One thread per process that commits the readings of many callers together.

A commit costs a flush to disk whatever it holds (3-5 ms, 200-300 a second), so callers that come
while one commit runs share the next. A future resolves only after the commit. Inside a transaction
of the caller the readings join that transaction instead: a consumer that derives readings keeps
them exactly once, and they are durable when the transaction is.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from django.db import Error, InterfaceError, OperationalError, transaction

from stadtherz.base.errors import Invalid, TooLarge, Unavailable
from stadtherz.base.hurry import give_way
from stadtherz.sql.public import Sql
from stadtherz.store.arrivals import offers
from stadtherz.store.arrivals.checks import batch_of, batch_of_columns
from stadtherz.store.arrivals.log import notify_log
from stadtherz.store.arrivals.offers import Kept, Offer
from stadtherz.store.database import database, rows_of_each, writing
from stadtherz.store.readings import view
from stadtherz.store.readings.view import View
from stadtherz.store.sealed.batch import Batch
from stadtherz.store.values import NewColumns, Reading, Receipt, Receipts
from stadtherz.store.writing import sealer
from stadtherz.store.writing.insert import Written, insert_batches

R = TypeVar("R")
log = logging.getLogger(__name__)

LARGEST_BATCH = 50_000
"""Readings that one call may bring."""

_MOST_WAITING = 100_000  # readings; more callers have to wait
_LARGEST_GROUP = 20_000  # readings in one commit, so that nobody waits for seconds
_SHORT = 1.0  # seconds in which other processes do not write much

# The connection or the disk has gone. Whether the commit went through is unknown, so only the
# caller can decide to try again: with keys that is safe.
_LOST = (OperationalError, InterfaceError, Unavailable)


@dataclass(frozen=True, slots=True)
class _Job:
    """Readings to be kept, or offers of readings."""

    readings: Batch | Sequence[Offer]
    shape: Callable[[Any], Any]  # what the caller gets of what became of them
    future: Future[Any] = field(default_factory=Future)

    def __len__(self) -> int:
        return len(self.readings)


def append(readings: Sequence[Reading]) -> list[Receipt]:
    """Keep the readings, all or none, and return when they are on disk.

    The receipts are in the order of the readings. Raises Invalid for a value that cannot be kept
    or an unknown datastream or feature, TooLarge for more than LARGEST_BATCH readings.
    """
    return submit(readings).result()


def submit(readings: Sequence[Reading]) -> Future[list[Receipt]]:
    """As `append`, but the future resolves after the commit; waits only while the queue is full.

    The future cannot be cancelled. What is wrong with a reading itself is raised here and now.
    """
    _check_size(len(readings))
    return _handed_in(_Job(batch_of(readings), _listed))


def submit_at_once(readings: Sequence[Reading]) -> Future[list[Receipt]] | None:
    """As `submit`, but never waits: None while the queue is full."""
    _check_size(len(readings))
    job = _Job(batch_of(readings), _listed)
    return job.future if _take(job, patient=False) else None


def append_columns(columns: NewColumns) -> Receipts:
    """As `append` for many plain readings at once, without an object for each."""
    _check_size(len(columns))
    future: Future[Receipts] = _handed_in(_Job(batch_of_columns(columns), lambda r: r))
    return future.result()


def submit_offers(offered: Sequence[Offer]) -> Future[list[Kept | None]]:
    """Keep those of the offers that their callers may make; the future resolves after the commit.

    None stands where an offer was declined, since its datastream or feature is not there for the
    caller, belongs to others, or has no place to make a feature from. Never waits: while the queue
    is full, all are declined.
    """
    job = _Job(offered, lambda kept: kept)
    if not (offered and _take(job, patient=False)):
        job.future.set_result([None] * len(offered))
    return job.future


def _check_size(number: int) -> None:
    if number > LARGEST_BATCH:
        raise TooLarge(f"a batch may hold {LARGEST_BATCH} readings, this one has {number}")


def _listed(receipts: Receipts) -> list[Receipt]:
    pairs = zip(receipts.ids.tolist(), receipts.duplicates.tolist(), strict=True)
    return [Receipt(key, duplicate) for key, duplicate in pairs]


def _handed_in(job: _Job) -> Future[Any]:
    _take(job, patient=True)
    return job.future


def _take(job: _Job, *, patient: bool) -> bool:
    """See to the job; False if there is no room for it and it is not patient."""
    job.future.set_running_or_notify_cancel()
    if not len(job):
        job.future.set_result(job.shape(Receipts(np.empty(0, np.int64), np.empty(0, bool))))
    elif database().in_atomic_block:
        _write_within(job)
    else:
        return _writer.put(job, patient=patient)
    return True


def start_writer() -> None:
    """Start the thread if it does not run; `submit` does so by itself."""
    _writer.start()


def stop_writer() -> None:
    """Commit what waits, end the threads and close their connections."""
    _writer.stop()
    sealer.stop()


def _write_within(job: _Job) -> None:
    with writing():
        known = view.current().copy()
        (outcome,), _ = _insert([job], known, rows_of_each(offers.questions(_offered([job]))))
    transaction.on_commit(notify_log)
    _resolve(job, outcome)


def _offered(jobs: Sequence[_Job]) -> list[Offer]:
    return [each for job in jobs if not isinstance(job.readings, Batch) for each in job.readings]


def _insert(
    jobs: Sequence[_Job], known: View, answers: offers.Answers, *, at_last: bool = False
) -> tuple[list[Any], Written | None]:
    """What becomes of each job, within the transaction: Receipts or Invalid, or that of its offers."""
    batches = [job.readings for job in jobs if isinstance(job.readings, Batch)]
    if len(batches) == len(jobs):
        return insert_batches(batches, known, at_last=at_last)
    judged = offers.judged(_offered(jobs), answers)
    outcomes, written = insert_batches([*batches, judged.batch], known, at_last=at_last)
    told, others = iter(judged.told(outcomes[-1])), iter(outcomes)
    return [
        next(others) if isinstance(job.readings, Batch) else list(islice(told, len(job)))
        for job in jobs
    ], written


def _resolve(job: _Job, outcome: Any) -> None:
    if isinstance(outcome, Invalid):
        job.future.set_exception(outcome)
    else:
        job.future.set_result(job.shape(outcome))


class _Writer:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._jobs: deque[_Job] = deque()
        self._waiting = 0
        self._stopping = False
        self._thread: threading.Thread | None = None

    def put(self, job: _Job, *, patient: bool) -> bool:
        """Take the job; while the queue is full wait, or refuse it if it is not patient."""
        self.start()
        with self._changed:
            if not (patient or self._has_room(job)):
                return False
            self._changed.wait_for(lambda: self._has_room(job))
            self._jobs.append(job)
            self._waiting += len(job)
            self._changed.notify_all()
        self.start()
        return True

    def _has_room(self, job: _Job) -> bool:
        return not self._jobs or self._waiting + len(job) <= _MOST_WAITING

    def start(self) -> None:
        with self._changed:
            if self._thread is None or not self._thread.is_alive():
                self._stopping = False
                self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        with self._changed:
            thread, self._stopping = self._thread, True
            self._changed.notify_all()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        try:
            while group := self._next_group():
                give_way()
                _write_group(group)
        finally:
            database().close()

    def _next_group(self) -> list[_Job]:
        """What waits now, up to a size; empty when it is time to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._stopping)
            group: list[_Job] = []
            size = 0
            while self._jobs and (not group or size + len(self._jobs[0]) <= _LARGEST_GROUP):
                job = self._jobs.popleft()
                size += len(job)
                group.append(job)
            self._waiting -= size
            self._changed.notify_all()
            if not group:
                self._thread = None
            return group


def _write_group(jobs: Sequence[_Job]) -> None:
    """Commit the jobs together; if that fails, each alone, so that none pays for another."""
    try:
        outcomes = _commit(jobs)
    except Exception as error:  # noqa: BLE001 - a worker loop: somebody waits for each future
        _after_failure(jobs, error)
        return
    notify_log()
    for job, outcome in zip(jobs, outcomes, strict=True):
        _resolve(job, outcome)


def _commit(jobs: Sequence[_Job]) -> list[Any]:
    if time.monotonic() - _alone[0] > _SHORT:
        _at_first(view.current)  # what other processes did, before anybody has to wait for it
    asked = offers.questions(_offered(jobs))
    with ExitStack() as stack:
        known, answers = _at_first(lambda: _begun(stack, asked))
        before = (known.end, known.stamp)
        outcomes, written = _insert(jobs, known, answers, at_last=True)
    if written is not None:
        followed = view.committed(before, written.batch, written.last, written.stamp)
        _alone[0] = time.monotonic() if followed else -math.inf
        sealer.look(known)
    return outcomes


def _begun(stack: ExitStack, asked: Sequence[Sql]) -> tuple[View, offers.Answers]:
    """What is known at the beginning of a transaction, and the answers to what is asked there.

    The stack ends the transaction, if it has begun.
    """
    with ExitStack() as mine:
        mine.enter_context(writing(from_first=True))
        newest, *answers = rows_of_each([view.NEWEST_ROW, *asked])
        known = view.current(newest)
        stack.enter_context(mine.pop_all())
    return known, answers


_alone = [-math.inf]
"""When a commit of ours was the last thing that had happened to the log."""


def _at_first(step: Callable[[], R]) -> R:
    """Do it with a new connection if the old one has broken: nothing has been tried yet.

    To see it fail costs less than Django's own look at the connection before each transaction.
    """
    try:
        return step()
    except (OperationalError, InterfaceError):
        database().close()
        return step()


def _after_failure(jobs: Sequence[_Job], error: Exception) -> None:
    if len(jobs) > 1 and not isinstance(error, _LOST):
        log.warning("A group of %d batches failed, trying each alone: %s", len(jobs), error)
        for job in jobs:
            _write_group([job])
        return
    log.error("%d batches of readings failed: %s", len(jobs), error)
    for job in jobs:
        job.future.set_exception(_failure(error))


def _failure(error: Exception) -> Exception:
    if not isinstance(error, Error):
        return error
    failure = Unavailable("database", str(error), retry=True)
    failure.__cause__ = error
    return failure


_writer = _Writer()
