"""News for live pages: readings as they are committed, without memory.

One thread follows the log and hands every slice to the listeners of this process. A listener that
is too slow loses the oldest slices, never anybody else's; pages read the present state anyway.
Whoever must not miss anything is only woken (`growth`) and reads the log himself.
"""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.db import Error, close_old_connections, connections

from stadtherz.base.hurry import give_way
from stadtherz.store.public import Columns, LogSlice, log_after, log_end, wait_for_log

log = logging.getLogger(__name__)

_BACKLOG = 64  # slices a listener may lag behind
_SLICE = 1000  # readings
_LOOK = 0.5  # seconds
_BREATH = 0.1  # seconds after news: what is committed meanwhile goes out together
_PATIENCE = 10.0  # seconds a page waits for the tail's first look at the database


class _Waker:
    """Wakes somebody who reads the log himself, as far as he has come."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.event = asyncio.Event()

    def hear(self, _piece: LogSlice | None = None) -> None:
        try:
            self._loop.call_soon_threadsafe(self.event.set)
        except RuntimeError:  # its loop has been closed, and it with it
            _tail.leave(self)


class _Listener:
    """The queue of one live page, filled from the tail's thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Columns] = asyncio.Queue(_BACKLOG)

    def hear(self, piece: LogSlice) -> None:
        if not len(piece.columns):
            return
        try:
            self._loop.call_soon_threadsafe(self._put, piece.columns)
        except RuntimeError:  # its loop has been closed, and it with it
            _tail.leave(self)

    def _put(self, columns: Columns) -> None:
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(columns)

    async def __aiter__(self) -> AsyncIterator[Columns]:
        while True:
            yield await self._queue.get()


class _Tail:
    """The thread that follows the log while anybody listens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: set[_Listener | _Waker] = set()
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()

    def join(self, listener: _Listener | _Waker) -> None:
        """Add a listener and return when the tail follows: nothing committed later is missed."""
        with self._lock:
            self._listeners.add(listener)
            if self._thread is None:
                self._ready.clear()
                self._thread = threading.Thread(target=self._run, name="stream-tail", daemon=True)
                self._thread.start()
        self._ready.wait(_PATIENCE)

    def leave(self, listener: _Listener | _Waker) -> None:
        """Remove a listener; after the last one the thread ends within a moment."""
        with self._lock:
            self._listeners.discard(listener)

    def _run(self) -> None:
        position: int | None = None
        try:
            while self._goes_on():
                position = self._follow(position)
        finally:
            connections.close_all()
            with self._lock:
                if self._thread is threading.current_thread():  # a fault: the next page starts anew
                    self._thread = None

    def _goes_on(self) -> bool:
        with self._lock:
            if not self._listeners:
                self._thread = None
            return self._thread is not None

    def _follow(self, position: int | None) -> int | None:
        """Hand over what is new behind the position and say where to go on."""
        close_old_connections()
        try:
            if position is None:
                position = log_end()
                self._ready.set()
            wait_for_log(position, _LOOK)
            give_way()
            piece = log_after(position, _SLICE)
        except Error as error:
            log.warning("The log cannot be followed: %s", error)
            time.sleep(_LOOK)
            return position
        if piece.position != position:
            with self._lock:
                listeners = list(self._listeners)
            for listener in listeners:
                listener.hear(piece)
            time.sleep(_BREATH)
        return piece.position


_tail = _Tail()


@asynccontextmanager
async def listen() -> AsyncIterator[AsyncIterator[Columns]]:
    """Readings of all datastreams from now on, as an endless iterator; the caller filters.

    async with listen() as news:
        async for columns in news: ...
    """
    listener = _Listener()
    await asyncio.to_thread(_tail.join, listener)
    try:
        yield aiter(listener)
    finally:
        _tail.leave(listener)


_wakers: set[_Waker] = set()


@asynccontextmanager
async def growth() -> AsyncIterator[asyncio.Event]:
    """An event that is set whenever the log has grown, or somebody calls `nudge`; the caller clears it.

    For those who follow the log from a place of their own and miss nothing.
    """
    async with _waker() as waker:
        await asyncio.to_thread(_tail.join, waker)
        try:
            yield waker.event
        finally:
            _tail.leave(waker)


@asynccontextmanager
async def nudges() -> AsyncIterator[asyncio.Event]:
    """As `growth` for those who do not care for readings."""
    async with _waker() as waker:
        yield waker.event


@asynccontextmanager
async def _waker() -> AsyncIterator[_Waker]:
    waker = _Waker()
    _wakers.add(waker)
    try:
        yield waker
    finally:
        _wakers.discard(waker)


_hearers: dict[str, set[_Waker]] = {}


@asynccontextmanager
async def bell(name: str) -> AsyncIterator[asyncio.Event]:
    """An event that is set whenever `ring` is called with this name; the caller clears it."""
    waker = _Waker()
    _hearers.setdefault(name, set()).add(waker)
    try:
        yield waker.event
    finally:
        _hearers[name].discard(waker)


def ring(name: str) -> None:
    """Wake the open pages of this process that wait for news of this name; no content, no memory."""
    for waker in tuple(_hearers.get(name, ())):
        waker.hear()


def nudge() -> None:
    """Wake them for something that the log does not tell."""
    for waker in tuple(_wakers):
        waker.hear()
