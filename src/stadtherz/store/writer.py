"""One thread per process that commits the readings of many callers together.

A commit costs a flush to disk whatever it holds (3-5 ms, 200-300 a second), so callers that come
while one commit runs share the next. A future resolves only after the commit. Inside a transaction
of the caller the readings join that transaction instead: a consumer that derives readings keeps
them exactly once, and they are durable when the transaction is.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db import Error, InterfaceError, OperationalError, close_old_connections, transaction

from stadtherz.base.errors import Invalid, TooLarge, Unavailable
from stadtherz.store import sealer, view
from stadtherz.store.batch import Batch
from stadtherz.store.checks import batch_of, batch_of_columns
from stadtherz.store.database import database, writing
from stadtherz.store.insert import Outcome, insert_batches
from stadtherz.store.log import announce, notify_log
from stadtherz.store.values import NewColumns, Reading, Receipt, Receipts

log = logging.getLogger(__name__)

LARGEST_BATCH = 50_000
"""Readings that one call may bring."""

_MOST_WAITING = 100_000  # readings; more callers have to wait
_LARGEST_GROUP = 20_000  # readings in one commit, so that nobody waits for seconds

# The connection or the disk has gone. Whether the commit went through is unknown, so only the
# caller can decide to try again: with keys that is safe.
_LOST = (OperationalError, InterfaceError, Unavailable)


@dataclass(frozen=True, slots=True)
class _Job:
    batch: Batch
    shape: Callable[[Receipts], Any]  # what the caller gets of the receipts
    future: Future[Any] = field(default_factory=Future)


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


def append_columns(columns: NewColumns) -> Receipts:
    """As `append` for many plain readings at once, without an object for each."""
    _check_size(len(columns))
    future: Future[Receipts] = _handed_in(_Job(batch_of_columns(columns), lambda r: r))
    return future.result()


def _check_size(number: int) -> None:
    if number > LARGEST_BATCH:
        raise TooLarge(f"a batch may hold {LARGEST_BATCH} readings, this one has {number}")


def _listed(receipts: Receipts) -> list[Receipt]:
    pairs = zip(receipts.ids.tolist(), receipts.duplicates.tolist(), strict=True)
    return [Receipt(key, duplicate) for key, duplicate in pairs]


def _handed_in(job: _Job) -> Future[Any]:
    job.future.set_running_or_notify_cancel()
    if not len(job.batch):
        job.future.set_result(job.shape(Receipts(np.empty(0, np.int64), np.empty(0, bool))))
    elif database().in_atomic_block:
        _write_within(job)
    else:
        _writer.put(job)
    return job.future


def start_writer() -> None:
    """Start the thread if it does not run; `submit` does so by itself."""
    _writer.start()


def stop_writer() -> None:
    """Commit what waits, end the threads and close their connections."""
    _writer.stop()
    sealer.stop()


def _write_within(job: _Job) -> None:
    with writing():
        (outcome,), _ = insert_batches([job.batch], view.current().copy())
        announce()
    transaction.on_commit(notify_log)
    _resolve(job, outcome)


def _resolve(job: _Job, outcome: Outcome) -> None:
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

    def put(self, job: _Job) -> None:
        self.start()
        with self._changed:
            self._changed.wait_for(
                lambda: not self._jobs or self._waiting + len(job.batch) <= _MOST_WAITING
            )
            self._jobs.append(job)
            self._waiting += len(job.batch)
            self._changed.notify_all()
        self.start()

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
                _write_group(group)
        finally:
            database().close()

    def _next_group(self) -> list[_Job]:
        """What waits now, up to a size; empty when it is time to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._stopping)
            group: list[_Job] = []
            size = 0
            while self._jobs and (not group or size + len(self._jobs[0].batch) <= _LARGEST_GROUP):
                job = self._jobs.popleft()
                size += len(job.batch)
                group.append(job)
            self._waiting -= size
            self._changed.notify_all()
            if not group:
                self._thread = None
            return group


def _write_group(jobs: Sequence[_Job]) -> None:
    """Commit the jobs together; if that fails, each alone, so that none pays for another."""
    try:
        close_old_connections()
        outcomes = _commit([job.batch for job in jobs])
    except Exception as error:  # noqa: BLE001 - a worker loop: somebody waits for each future
        _after_failure(jobs, error)
        return
    notify_log()
    for job, outcome in zip(jobs, outcomes, strict=True):
        _resolve(job, outcome)


def _commit(batches: Sequence[Batch]) -> list[Outcome]:
    view.current()  # what other processes did is learnt before anybody has to wait for it
    with writing():
        known = view.current()
        before = (known.end, known.stamp)
        outcomes, written = insert_batches(batches, known)
        announce()
    if written is not None:
        view.committed(before, written.batch, written.last, written.stamp)
        sealer.look(known)
    return outcomes


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
