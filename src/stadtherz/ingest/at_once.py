"""Deliveries that need nothing from the database: what most webhooks are.

Their sender's token is believed and their device known, so they are read on the event loop, and no thread
waits for their codec or their commit. What is handed in during one turn of the loop goes to the writer
together, and comes back together. Whatever is unusual goes the way of all deliveries (`http`).
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

from stadtherz.base.errors import Invalid
from stadtherz.codecs.public import Outcome
from stadtherz.ingest import devices, pipeline
from stadtherz.ingest.pipeline import Delivery, Plan, Undecoded
from stadtherz.store.public import Reading, Receipt, submit_at_once

LARGEST = 16 * 1024
"""Bytes of a document that is read on the event loop."""

T = TypeVar("T")
Waiting = list[tuple[Sequence[Reading], "asyncio.Future[Sequence[Receipt] | None]"]]


class ShortWay:
    """Where the deliveries of one event loop meet."""

    def __init__(self) -> None:
        self._waiting: Waiting = []
        self._decoded: _Homecomers[Outcome] = _Homecomers()

    async def committed(self, delivery: Delivery) -> tuple[Plan, Sequence[Receipt]] | None:
        """What came of a delivery, once its readings are on disk; None if this is not its way.

        Raises what `store.submit` does for want of a database.
        """
        plan = await self._plan(delivery)
        if plan is None or not plan.readings:
            return None if plan is None else (plan, ())
        receipts = await self._keep(plan.readings)
        return None if receipts is None else (plan, receipts)

    async def _plan(self, delivery: Delivery) -> Plan | None:
        if len(delivery.body) > LARGEST or pipeline.refusal_at_the_door(delivery) is not None:
            return None
        try:
            plan = pipeline.look(delivery, lookup=pipeline.AT_ONCE)
        except devices.NotKnown:
            return None
        if not isinstance(plan, Undecoded):
            return plan
        return pipeline.measure(plan, await self._decoded.wait(pipeline.decode_payload(plan)))

    async def _keep(self, readings: Sequence[Reading]) -> Sequence[Receipt] | None:
        loop = asyncio.get_running_loop()
        told: asyncio.Future[Sequence[Receipt] | None] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._hand_in, loop)
        self._waiting.append((readings, told))
        return await told

    def _hand_in(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            submitted = submit_at_once([reading for each, _ in waiting for reading in each])
        except Invalid:  # each by itself finds whose fault it is
            submitted = None
        if submitted is None:
            for _, told in waiting:
                _settle(told, lambda: None)
            return

        def come_back(outcome: Future[list[Receipt]]) -> None:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                loop.call_soon_threadsafe(_tell, waiting, outcome)

        submitted.add_done_callback(come_back)


def _tell(waiting: Waiting, outcome: Future[list[Receipt]]) -> None:
    begin = 0
    for readings, told in waiting:
        end = begin + len(readings)
        _settle(told, partial(_own, outcome, begin, end))
        begin = end


def _own(outcome: Future[list[Receipt]], begin: int, end: int) -> Sequence[Receipt]:
    return outcome.result()[begin:end]


def _settle(told: "asyncio.Future[T]", outcome: Callable[[], T]) -> None:
    if told.done():  # its sender has gone
        return
    try:
        told.set_result(outcome())
    except Exception as problem:  # noqa: BLE001 - whoever waits is told
        told.set_exception(problem)


class _Homecomers(Generic[T]):
    """Outcomes that other threads bring to the loop: of those that come together, one wakes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._back: list[tuple[asyncio.Future[T], Future[T]]] = []

    async def wait(self, future: Future[T]) -> T:
        loop = asyncio.get_running_loop()
        told: asyncio.Future[T] = loop.create_future()

        def come_back(outcome: Future[T]) -> None:
            with self._lock:
                self._back.append((told, outcome))
                is_first = len(self._back) == 1
            if is_first:
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(self._tell)

        future.add_done_callback(come_back)
        return await told

    def _tell(self) -> None:
        with self._lock:
            back, self._back = self._back, []
        for told, outcome in back:
            _settle(told, outcome.result)
