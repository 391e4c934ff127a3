"""What each delivery tells of its device: noted in a moment, written a little later and in groups.

Doors call `note` for every delivery after its commit, on whatever thread or event loop; it asks nothing and
waits for nothing. What waits here is lost in a crash, which no measurement is. The longer writing takes, the
longer is the wait for more: however much comes, all of it together takes little from the measurements.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import Error

from stadtherz.base.time import Micros
from stadtherz.ingest.devices import messages
from stadtherz.ingest.devices.messages import Message
from stadtherz.ingest.devices.seen import Seen
from stadtherz.ingest.health.sweeping import sweep_at_times
from stadtherz.ingest.health.writing import write
from stadtherz.ingest.intake import lanes, pipeline
from stadtherz.ingest.intake.pipeline import Plan
from stadtherz.store.public import Receipt, commit_lazily, exclusive

logger = logging.getLogger(__name__)

_SHARE = 0.05  # of the time is spent on writing …
_SHORTEST_S, _LONGEST_S = 1.0, 10.0  # … as far as these waits allow
_DEVICES_A_COMMIT = 100  # nobody else writes meanwhile on SQLite
_MOST_BYTES = 16 * 1024 * 1024  # of documents that wait; more are not kept


@dataclass(slots=True)
class Waiting:
    """What is to be written of one device: its signs of life, and its newest messages."""

    seen: list[Seen] = field(default_factory=list)
    messages: deque[Message] = field(default_factory=deque)


class _Pending:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, Waiting] = {}
        self._bytes = 0

    def add(self, devices: Collection[int], signs: Sequence[Seen], told: Message) -> bool:
        """True if this is the first one since the last `take`: then somebody has to come for it."""
        with self._lock:
            first = not self._waiting
            for device in devices:
                waiting = self._waiting.get(device)
                if waiting is None:
                    waiting = Waiting(messages=deque(maxlen=messages.most_kept()))
                    self._waiting[device] = waiting
                if self._bytes < _MOST_BYTES:
                    self._bytes += len(told.body)
                    waiting.messages.append(told)
            for seen in signs:
                self._waiting[seen.device].seen.append(seen)
        return first

    def take(self) -> dict[int, Waiting]:
        with self._lock:
            taken, self._waiting, self._bytes = self._waiting, {}, 0
        return taken


_pending = _Pending()
_writing = threading.Lock()
_wait = [_SHORTEST_S]  # seconds until what comes next is written


def note(received: Micros, body: bytes, plan: Plan, receipts: Sequence[Receipt]) -> None:
    """Remember a delivery for its devices, if it has any; it is written soon."""
    devices = _devices(plan)
    if not devices:
        return
    is_news = pipeline.is_news(receipts)
    told = messages.message(
        received,
        body,
        _outcome(plan, is_news=is_news),
        [(reading.datastream, reading.result) for reading in plan.readings],
        plan.seen[0].f_cnt if plan.seen else None,
    )
    signs = plan.seen if is_news else ()
    if _pending.add(devices, signs, told):
        lanes.health.submit(_flush_soon)


def _devices(plan: Plan) -> Collection[int]:
    """Nearly always one; a message form may find several in one message."""
    if plan.seen:
        return {seen.device for seen in plan.seen}
    if plan.refusal is None or plan.refusal.device is None:
        return ()
    return (plan.refusal.device,)


def _outcome(plan: Plan, *, is_news: bool) -> tuple[str, str, Mapping[str, object]]:
    if plan.refusal is not None:
        return messages.REFUSED, plan.refusal.reason.value, plan.refusal.facts
    if plan.event is not None:
        return messages.EVENT, plan.event, {}
    return messages.STORED if is_news else messages.DUPLICATE, "", {}


def _flush_soon() -> None:
    lanes.pause(_wait[0])
    commit_lazily()  # readings and refusals have commits of their own
    began = time.monotonic()
    flush()
    took = time.monotonic() - began
    _wait[0] = min(max(took / _SHARE, _SHORTEST_S), _LONGEST_S)


def flush() -> None:
    """Write what was noted until now; another thread's flush has ended, too, when this returns."""
    with _writing:
        taken = sorted(_pending.take().items())
        for start in range(0, len(taken), _DEVICES_A_COMMIT):
            _try_to_write(dict(taken[start : start + _DEVICES_A_COMMIT]))
        _try_to_sweep()


def _try_to_write(group: Mapping[int, Waiting]) -> None:
    try:
        with exclusive():
            write(group)
    except Error as problem:
        logger.warning("What was noted of %d devices was lost: %s", len(group), problem)


def _try_to_sweep() -> None:
    try:
        sweep_at_times()
    except Error as problem:
        logger.warning("Old messages of devices were not deleted: %s", problem)
