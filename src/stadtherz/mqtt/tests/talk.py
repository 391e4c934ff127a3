"""A client without a network: packets in, packets out, over a wire that is a list of bytes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connections

from stadtherz.base.errors import Unauthenticated
from stadtherz.base.visibility import ANONYMOUS, Visibility
from stadtherz.mqtt.clients.conversation import Conversation
from stadtherz.mqtt.clients.limits import Limits
from stadtherz.mqtt.meeting.hub import Hub
from stadtherz.mqtt.wire.decode import decode
from stadtherz.mqtt.wire.encode import encode
from stadtherz.mqtt.wire.fields import Frames
from stadtherz.mqtt.wire.packets import (
    V5,
    Connack,
    Connect,
    Packet,
    Publish,
    Suback,
    Subscribe,
    Wish,
)

ROOT = "http://city.example"
PATIENCE = 20.0


@dataclass
class People:
    """Whom the hub knows, by password; tests may change it while it runs."""

    known: dict[str, Visibility] = field(default_factory=dict)

    def who_is(self, _user: str, password: str, _address: str) -> Visibility:
        if not password:
            return ANONYMOUS
        if password not in self.known:
            raise Unauthenticated("unknown token")
        return self.known[password]


async def aside(work: Callable[..., Any], *arguments: Any) -> Any:
    """Do in a thread what asks the database, and give its connection back."""

    def run() -> Any:
        try:
            return work(*arguments)
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


@asynccontextmanager
async def running(
    people: People, limits: Limits | None = None, *, strangers: bool = True
) -> AsyncIterator[Hub]:
    hub = Hub(people.who_is, ROOT, limits, strangers=strangers)
    await hub.start()
    try:
        yield hub
    finally:
        await hub.stop()


class Talk:
    """One connection."""

    def __init__(self, hub: Hub, version: int = V5, address: str = "192.0.2.1") -> None:
        self.version = version
        self.address = address
        self._gone = asyncio.Event()
        self.reading = True
        self.received: asyncio.Queue[Packet] = asyncio.Queue()
        self._frames = Frames(10_000_000)
        self._next_id = 0
        self.conversation = Conversation(self, hub)
        self.welcome = hub.welcome(self.conversation)

    # --- what the conversation calls -----------------------------------------------------------

    def write(self, data: bytes) -> None:
        for first, body in self._frames.feed(data):
            self.received.put_nowait(decode(first, body, self.version))

    def close(self) -> None:
        self._gone.set()

    @property
    def closed(self) -> bool:
        return self._gone.is_set()

    def pause(self) -> None:
        self.reading = False

    def resume(self) -> None:
        self.reading = True

    # --- what a test says ----------------------------------------------------------------------

    def send(self, *packets: Packet) -> None:
        self.conversation.receive(b"".join(encode(packet, self.version) for packet in packets))

    def vanish(self) -> None:
        """The connection breaks."""
        self._gone.set()
        self.conversation.lost()

    async def hear(self, kind: type[Any]) -> Any:
        """The next packet, which must be of this kind."""
        async with asyncio.timeout(PATIENCE):
            packet = await self.received.get()
        assert isinstance(packet, kind), packet
        return packet

    async def is_closed(self) -> bool:
        """Whether the connection ends, sooner or later."""
        async with asyncio.timeout(PATIENCE):
            await self._gone.wait()
        return True

    async def hears_nothing(self, seconds: float = 0.3) -> bool:
        await asyncio.sleep(seconds)
        return self.received.empty()

    async def connect(
        self, client_id: str = "", password: str | None = None, **more: Any
    ) -> Connack:
        user = None if password is None else "sensor"
        secret = None if password is None else password.encode()
        clean = more.pop("clean", True)
        self.send(Connect(self.version, client_id, clean, 0, user, secret, **more))
        answer: Connack = await self.hear(Connack)
        return answer

    def next_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def publish(self, topic: str, payload: bytes, qos: int = 1, **more: Any) -> int:
        packet_id = more.pop("packet_id", None) or (self.next_id() if qos else 0)
        self.send(Publish(topic, payload, qos, packet_id=packet_id, **more))
        return packet_id

    async def subscribe(
        self, topic: str, qos: int = 1, *, handling: int = 2, **more: Any
    ) -> Suback:
        wish = Wish(topic, qos, handling=handling if self.version == V5 else 0)
        self.send(Subscribe(self.next_id(), (wish,), **more))
        answer: Suback = await self.hear(Suback)
        return answer


def scenario(
    people: People,
    story: Callable[[Hub], Any],
    limits: Limits | None = None,
    *,
    strangers: bool = True,
) -> Any:
    """Run a story with a hub of its own."""

    async def run() -> Any:
        async with running(people, limits, strangers=strangers) as hub:
            return await story(hub)

    return asyncio.run(run())
