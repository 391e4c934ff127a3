"""MQTT over websockets (MQTT 5.0 §6), as a bare ASGI application at `/mqtt`.

Cookies mean nothing here: any page on the web can make a browser open a websocket with them.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from stadtherz.mqtt.clients.conversation import Conversation
from stadtherz.mqtt.meeting.hub import Hub

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SUBPROTOCOL = "mqtt"
PATH = "/mqtt"
_HIGH_WATER = 256 * 1024
_NORMAL, _NO_TEXT, _BUSY = 1000, 1003, 1013


class WebWire:
    """Bytes between a websocket and a conversation. A message may hold any part of the stream."""

    def __init__(self, address: str, send: Send) -> None:
        self._address = address
        self._send = send
        self._out: deque[bytes] = deque()
        self._size = 0
        self._news = asyncio.Event()
        self._reading = asyncio.Event()
        self._reading.set()
        self._closing = False
        self.conversation: Conversation | None = None

    @property
    def address(self) -> str:
        return self._address

    def write(self, data: bytes) -> None:
        if self._closing:
            return
        self._out.append(data)
        self._size += len(data)
        self._news.set()
        if self._size > _HIGH_WATER and self.conversation is not None:
            self.conversation.stuck()

    def close(self) -> None:
        self._closing = True
        self._news.set()
        self._reading.set()

    def pause(self) -> None:
        self._reading.clear()

    def resume(self) -> None:
        self._reading.set()

    async def send_all(self) -> None:
        """Send what is written, until it is closed."""
        while self._out or not self._closing:
            while self._out:
                data = b"".join(self._out)
                self._out.clear()
                await self._send({"type": "websocket.send", "bytes": data})
                self._taken(len(data))
            if not self._closing:
                await self._news.wait()
                self._news.clear()
        await self._send({"type": "websocket.close", "code": _NORMAL})

    def _taken(self, size: int) -> None:
        was_stuck = self._size > _HIGH_WATER
        self._size -= size
        if was_stuck and self.conversation is not None and not self.conversation.ended:
            self.conversation.unstuck()

    async def receive_all(self, receive: Receive) -> None:
        """Hand over what comes, until the client goes."""
        assert self.conversation is not None
        while not self._closing:
            await self._reading.wait()
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            data = message.get("bytes")
            if data is None:  # a text frame: no MQTT (§6.0)
                return
            self.conversation.receive(data)


async def serve(hub: Hub | None, scope: Scope, receive: Receive, send: Send) -> None:
    """One websocket, from its opening to its end; none where MQTT is switched off."""
    await receive()  # websocket.connect
    if hub is None or scope["path"].rstrip("/") != PATH:
        await send({"type": "websocket.close", "code": _NORMAL})
        return
    client = scope.get("client")
    wire = WebWire(str(client[0]) if client else "", send)
    conversation = wire.conversation = Conversation(wire, hub)
    if SUBPROTOCOL not in scope.get("subprotocols", ()) or not hub.welcome(conversation):
        await send({"type": "websocket.close", "code": _BUSY})
        return
    await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
    tasks = {
        asyncio.create_task(wire.receive_all(receive)),
        asyncio.create_task(wire.send_all()),
    }
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        conversation.lost()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, Exception):
                await task
