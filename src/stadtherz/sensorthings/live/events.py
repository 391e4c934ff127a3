"""`Accept: text/event-stream`: an endless answer that tells the changes of a query (`watch`)."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.db import close_old_connections, transaction

from stadtherz.base.negotiation import preferred
from stadtherz.sensorthings.headers.origin import header
from stadtherz.sensorthings.live.watch import Heard, LogWatch, StateWatch, block
from stadtherz.store.public import entity_changed
from stadtherz.stream.public import EVENT_HEADERS, Connections, endless, growth, nudge, nudges

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Write = Callable[[bytes], Awaitable[None]]
Watch = LogWatch | StateWatch

MEDIA = "text/event-stream"
THREADS = 2
"""Looks of all readers share these: much to tell makes them later, and never the others slower."""

MOST_CONNECTIONS = 2_000
MOST_PER_ADDRESS = 20
PING_SECONDS = 20.0
_LONGEST_REST = 10.0  # seconds between two looks


def wanted(scope: Scope) -> bool:
    """Whether the request asks for changes. A wildcard does not: nobody expects an endless answer.

    Who takes a page as gladly gets the page: so ask pages that refresh themselves.
    """
    accept = header(scope, b"accept")
    if scope["method"] != "GET" or MEDIA not in accept:
        return False
    return preferred(accept, ("application/json", "text/html", MEDIA)) == MEDIA


@dataclass(frozen=True, slots=True)
class Telling:
    """One answer: how its watch is opened, and how an error is put into status and sentence."""

    open_watch: Callable[[], Watch]
    refusal: Callable[[Exception], tuple[int, str]]
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Door:
    """Where readers of changes come in, each with a place of his own."""

    executor: Executor = field(
        default_factory=lambda: ThreadPoolExecutor(THREADS, thread_name_prefix="sta-events")
    )
    connections: Connections = field(
        default_factory=lambda: Connections(MOST_CONNECTIONS, MOST_PER_ADDRESS)
    )

    async def answer(self, telling: Telling, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell changes until the reader goes.

        Raises what is wrong with the request, as long as nothing has been sent.
        """
        last = header(scope, b"last-event-id").strip()
        client = scope.get("client")
        with self.connections.place(client[0] if client else ""):

            def begin() -> tuple[Watch, Heard]:
                watch = telling.open_watch()
                return watch, watch.begin(last)

            watch, first = await self._work(begin)

            async def follow(write: Write) -> None:
                waiting = growth() if watch.hears_readings else nudges()
                async with waiting as woken:
                    await self._follow(watch, first, woken, telling, write)

            own = {name for name, _ in EVENT_HEADERS}
            more = [(name.encode(), value.encode()) for name, value in telling.headers]
            headers = [*EVENT_HEADERS, *(pair for pair in more if pair[0] not in own)]
            await endless([follow], receive, send, headers)

    async def _follow(
        self, watch: Watch, heard: Heard, woken: asyncio.Event, telling: Telling, write: Write
    ) -> None:
        told = 0.0
        while True:
            if heard.blocks:
                await write(b"".join(heard.blocks))
                told = time.monotonic()
            elif time.monotonic() - told >= PING_SECONDS - 1:
                await write(b": still here\n" + block(place=watch.place))
                told = time.monotonic()
            if not heard.more:
                with suppress(TimeoutError):
                    async with asyncio.timeout(watch.patience):
                        await woken.wait()
            woken.clear()
            began = time.monotonic()
            try:
                heard = await self._work(watch.look)
            except Exception as error:  # noqa: BLE001 - the reader is told by the translator
                status, sentence = telling.refusal(error)
                await write(block({"code": status, "message": sentence}, event="closed"))
                return
            took = time.monotonic() - began
            await asyncio.sleep(min(max(watch.rest, watch.calm * took), _LONGEST_REST))

    async def _work(self, work: Callable[[], Any]) -> Any:
        def with_fresh_connection() -> Any:
            close_old_connections()
            return work()

        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, with_fresh_connection)


def _changed(**_: object) -> None:
    """An entity was changed in this process; others are found out by looking again."""
    transaction.on_commit(nudge)


entity_changed.connect(_changed, dispatch_uid="sensorthings-events")
