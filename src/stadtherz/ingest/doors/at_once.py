"""Deliveries that need nothing from the database: what most webhooks are.

Their sender's token is believed and their device known, so they are read on the event loop, and no thread
waits for their codec or their commit. What is handed in during one turn of the loop goes to the writer
together, and comes back together. Whatever is unusual goes the way of all deliveries (`http`).
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TypeVar

from stadtherz.base.errors import Invalid
from stadtherz.codecs.public import Outcome
from stadtherz.ingest.devices.remembered import NotKnown
from stadtherz.ingest.intake import pipeline
from stadtherz.ingest.intake.pipeline import Delivery, Plan, Undecoded
from stadtherz.store.public import Receipt, submit_at_once

LARGEST = 16 * 1024
"""Bytes of a document that is read on the event loop."""

_TICK_S = 1.0  # somebody who waits too long is told within it

T = TypeVar("T")
Committed = tuple[Plan, Sequence[Receipt]]
Told = asyncio.Future[Committed | None]
Waiting = list[tuple[Plan, Told]]


class ShortWay:
    """Where the deliveries of one event loop meet. Each waits once, for all that is done about it."""

    def __init__(self) -> None:
        self._undecoded: list[tuple[Undecoded, Told]] = []
        self._waiting: Waiting = []
        self._decoded = _Homecomers(self._measure)
        self._patience = _Patience()

    async def committed(self, delivery: Delivery) -> Committed | None:
        """What came of a delivery, once its readings are on disk; None if this is not its way.

        Raises what `store.submit` does for want of a database, and TimeoutError.
        """
        plan = _plan(delivery)
        if plan is None or (isinstance(plan, Plan) and not plan.readings):
            return None if plan is None else (plan, ())
        loop = asyncio.get_running_loop()
        told: Told = loop.create_future()
        self._patience.watch(told, loop)
        if isinstance(plan, Plan):
            self._keep(plan, told, loop)
        else:
            self._decode(plan, told, loop)
        return await told

    def _decode(self, plan: Undecoded, told: Told, loop: asyncio.AbstractEventLoop) -> None:
        if not self._undecoded:
            loop.call_soon(self._hand_to_codecs, loop)
        self._undecoded.append((plan, told))

    def _hand_to_codecs(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting, self._undecoded = self._undecoded, []
        decoding = pipeline.decode_payloads([plan for plan, _ in waiting])
        for (plan, told), future in zip(waiting, decoding, strict=True):
            self._decoded.await_one(plan, told, future, loop)

    def _measure(
        self, plan: Undecoded, told: Told, outcome: Outcome, loop: asyncio.AbstractEventLoop
    ) -> None:
        try:
            measured = pipeline.measure(plan, outcome)
        except Exception as problem:  # noqa: BLE001 - whoever waits is told
            _settle(told, partial(_raise, problem))
            return
        if measured.readings:
            self._keep(measured, told, loop)
        else:
            _settle(told, lambda: (measured, ()))

    def _keep(self, plan: Plan, told: Told, loop: asyncio.AbstractEventLoop) -> None:
        if not self._waiting:
            loop.call_soon(self._hand_in, loop)
        self._waiting.append((plan, told))

    def _hand_in(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            submitted = submit_at_once(
                [reading for plan, _ in waiting for reading in plan.readings]
            )
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


def _plan(delivery: Delivery) -> Plan | Undecoded | None:
    if len(delivery.body) > LARGEST or pipeline.refusal_at_the_door(delivery) is not None:
        return None
    try:
        return pipeline.look(delivery, lookup=pipeline.AT_ONCE)
    except NotKnown:
        return None


def _tell(waiting: Waiting, outcome: Future[list[Receipt]]) -> None:
    begin = 0
    for plan, told in waiting:
        end = begin + len(plan.readings)
        _settle(told, partial(_own, plan, outcome, begin, end))
        begin = end


def _own(plan: Plan, outcome: Future[list[Receipt]], begin: int, end: int) -> Committed:
    return plan, outcome.result()[begin:end]


def _raise(problem: Exception) -> None:
    raise problem


def _settle(told: "asyncio.Future[T]", outcome: Callable[[], T]) -> None:
    if told.done():  # its sender has gone
        return
    try:
        told.set_result(outcome())
    except Exception as problem:  # noqa: BLE001 - whoever waits is told
        told.set_exception(problem)


class _Homecomers:
    """Outcomes that other threads bring to the loop: of those that come together, one wakes it."""

    def __init__(
        self, welcome: Callable[[Undecoded, Told, Outcome, asyncio.AbstractEventLoop], None]
    ) -> None:
        self._welcome = welcome
        self._lock = threading.Lock()
        self._back: list[tuple[Undecoded, Told, Future[Outcome]]] = []

    def await_one(
        self,
        plan: Undecoded,
        told: Told,
        future: Future[Outcome],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        def come_back(outcome: Future[Outcome]) -> None:
            with self._lock:
                self._back.append((plan, told, outcome))
                is_first = len(self._back) == 1
            if is_first:
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(self._tell, loop)

        future.add_done_callback(come_back)

    def _tell(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            back, self._back = self._back, []
        for plan, told, outcome in back:
            self._welcome(plan, told, outcome.result(), loop)


class _Patience:
    """Ends what takes too long, by one timer for all: one for each would cost more than it watches."""

    def __init__(self) -> None:
        self._open: deque[tuple[float, Told]] = deque()

    def watch(self, told: Told, loop: asyncio.AbstractEventLoop) -> None:
        if not self._open:
            loop.call_later(_TICK_S, self._look, loop)
        self._open.append((loop.time() + pipeline.PATIENCE_S, told))

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        while self._open and (self._open[0][1].done() or self._open[0][0] <= now):
            _, told = self._open.popleft()
            if not told.done():
                told.set_exception(TimeoutError())
        if self._open:
            loop.call_later(_TICK_S, self._look, loop)
