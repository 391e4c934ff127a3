"""MQTT over TCP and TLS: one protocol object for each connection."""

import asyncio
import socket
from typing import cast

from stadtherz.base.errors import Invalid
from stadtherz.mqtt.clients.conversation import Conversation
from stadtherz.mqtt.doors.addresses import SETTING, Certificate, Listening
from stadtherz.mqtt.meeting.hub import Hub

_HIGH_WATER = 256 * 1024  # bytes that a client has not taken; beyond, it is stuck
_BACKLOG = 2_048


class TcpWire(asyncio.Protocol):
    """Bytes between a socket and a conversation."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._transport: asyncio.Transport | None = None
        self._conversation: Conversation | None = None
        self._address = ""

    # --- what asyncio calls ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_HIGH_WATER)
        peer = self._transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""
        conversation = Conversation(self, self._hub)
        if not self._hub.welcome(conversation):
            self._transport.abort()
            return
        self._conversation = conversation
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, data: bytes) -> None:
        if self._conversation is not None:
            self._conversation.receive(bytes(data))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._conversation is not None:
            self._conversation.lost()

    def pause_writing(self) -> None:
        if self._conversation is not None:
            self._conversation.stuck()

    def resume_writing(self) -> None:
        if self._conversation is not None:
            self._conversation.unstuck()

    # --- what the conversation calls -------------------------------------------------------------

    @property
    def address(self) -> str:
        return self._address

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """After what was written; whoever does not take it is cut off by the stopping transport."""
        if self._transport is None:
            return
        if self._transport.get_write_buffer_size() > _HIGH_WATER:
            self._transport.abort()
        else:
            self._transport.close()

    def pause(self) -> None:
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def resume(self) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing() and not transport.is_reading():
            transport.resume_reading()


async def listen(hub: Hub, listening: Listening, certificate: Certificate | None) -> asyncio.Server:
    """A server that accepts connections at the address. Raises Invalid where that cannot be."""
    if listening.tls and certificate is None:
        raise Invalid(f"{SETTING}_CERTIFICATE", "is missing; mqtts:// needs it")
    try:
        return await _server(hub, listening, certificate)
    except OSError as problem:
        raise Invalid(
            SETTING, f"cannot listen on {listening.host}:{listening.port} ({problem.strerror})"
        ) from problem


async def _server(
    hub: Hub, listening: Listening, certificate: Certificate | None
) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    where = (listening.host, listening.port)
    if not listening.tls or certificate is None:
        return await loop.create_server(lambda: TcpWire(hub), *where, backlog=_BACKLOG)
    return await loop.create_server(
        lambda: TcpWire(hub),
        *where,
        backlog=_BACKLOG,
        ssl=certificate.context,
        ssl_handshake_timeout=hub.limits.connect,
    )
