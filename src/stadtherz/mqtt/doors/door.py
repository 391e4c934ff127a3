"""Everything that belongs to MQTT in one process: the hub, its listeners and the websocket."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stadtherz.base.errors import Invalid
from stadtherz.mqtt.clients.limits import Limits
from stadtherz.mqtt.doors import websocket
from stadtherz.mqtt.doors.addresses import Certificate, Listening, endpoints
from stadtherz.mqtt.doors.listener import listen
from stadtherz.mqtt.doors.websocket import Receive, Scope, Send
from stadtherz.mqtt.meeting.hub import Hub, WhoIs
from stadtherz.sensorthings.public import announce_mqtt

log = logging.getLogger(__name__)

_RENEWAL = 60.0  # seconds between looks at the certificate


@dataclass(frozen=True, slots=True)
class Settings:
    """`root`: the city's address, without a path; `name`: its host name, as clients reach MQTT.

    `strangers`: who shows no token may hear what is public.
    """

    root: str
    name: str
    listening: Sequence[Listening] = ()
    certificate: Path | None = None
    key: Path | None = None
    strangers: bool = True
    limits: Limits = field(default_factory=Limits)


class Door:
    """Started and stopped on the event loop; closed in between, it refuses.

    `endpoints` are where it listens besides the websocket, as clients reach it.
    """

    def __init__(self) -> None:
        self.hub: Hub | None = None
        self.ports: list[int] = []
        self.endpoints: list[str] = []
        self.certificate: Certificate | None = None
        self._servers: list[asyncio.Server] = []
        self._renewal: asyncio.Task[None] | None = None

    async def start(self, who_is: WhoIs, settings: Settings) -> None:
        """Raises Invalid where a setting cannot be followed."""
        if settings.certificate is not None:
            self.certificate = Certificate(settings.certificate, settings.key)
        self.hub = Hub(who_is, settings.root, settings.limits, strangers=settings.strangers)
        await self.hub.start()
        try:
            for each in settings.listening:
                server = await listen(self.hub, each, self.certificate)
                self._servers.append(server)
                self.ports.append(server.sockets[0].getsockname()[1])
        except Invalid:
            await self.stop()
            raise
        self.endpoints = endpoints(settings.listening, self.ports, settings.name)
        announce_mqtt(self.endpoints)
        if self.certificate is not None:
            self._renewal = asyncio.create_task(_renew(self.certificate))

    async def stop(self) -> None:
        """Take no more, finish what is under way, and tell everybody to come back."""
        if self._renewal is not None:
            self._renewal.cancel()
        for server in self._servers:
            server.close()
        if self.hub is not None:
            await self.hub.stop()
        self.hub, self._servers, self.ports, self.endpoints = None, [], [], []
        announce_mqtt([])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await websocket.serve(self.hub, scope, receive, send)

    def rights_changed(self) -> None:
        """From any thread: somebody's rights may be different from now on."""
        if self.hub is not None:
            self.hub.rights_changed()


async def _renew(certificate: Certificate) -> None:
    while True:
        await asyncio.sleep(_RENEWAL)
        try:
            certificate.refresh()
        except Invalid as problem:
            log.warning("The old certificate stays in use: %s", problem)
