"""MQTT clients that send as fast as they are acknowledged, or only hold the line; as their own process.

Reads {"host", "port", "token", "topics", "payloads", "count", "connections", "window", "hold"} from
standard input and prints {"seconds", "connected_s", "refused", "p50_ms", "p99_ms"}. Plain sockets,
because a client library would cost more than the server.
"""

import asyncio
import json
import sys
import time
from collections import deque
from typing import Any, cast

_CONNACK, _PUBACK, _PINGRESP = 0x20, 0x40, 0xD0


class Client(asyncio.Protocol):
    """One connection with at most `window` messages on their way."""

    def __init__(self, order: dict[str, Any], number: int) -> None:
        self._order = order
        self._number = number
        self._sent = deque[float]()
        self._left = 0
        self._next_id = 0
        self._held = b""
        self.took: list[float] = []
        self.refused = 0
        self.connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        token = self._order["token"].encode()
        name = f"bench-{self._number}".encode()
        body = b"\0\4MQTT\4\xc2\0\0" + text(name) + text(b"bench") + text(token)
        self._write(packet(0x10, body))

    def _write(self, data: bytes) -> None:
        self._transport.write(data)

    def begin(self, count: int) -> None:
        """Send so many messages."""
        self._left = count
        topics = self._order["topics"]
        self._topic = text(topics[self._number % len(topics)].encode())
        self._payloads = [each.encode() for each in self._order["payloads"]]
        self._go_on()

    def _message(self) -> bytes:
        """The next PUBLISH."""
        packet_id = self._next_id % 0xFFFF + 1
        payload = self._payloads[self._next_id % len(self._payloads)]
        self._next_id += 1
        length = len(self._topic) + 2 + len(payload)
        return b"\x32" + varint(length) + self._topic + packet_id.to_bytes(2) + payload

    def _go_on(self) -> None:
        number = min(self._order["window"] - len(self._sent), self._left)
        if number <= 0:
            if not self._left and not self._sent and not self.done.done():
                self.done.set_result(None)
            return
        now, parts = time.perf_counter(), []
        for _ in range(number):
            parts.append(self._message())
            self._sent.append(now)
        self._left -= number
        self._write(b"".join(parts))

    def data_received(self, data: bytes) -> None:
        data, now = self._held + data, time.perf_counter()
        place = 0
        while place + 2 <= len(data) and place + 2 + data[place + 1] <= len(data):
            kind = data[place]
            if kind == _PUBACK:
                self.took.append(now - self._sent.popleft())
            elif kind == _CONNACK:
                self.refused += data[place + 3]
                self.connected.set_result(None)
            place += 2 + data[place + 1]
        self._held = data[place:]
        if self._left or self.took:
            self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        for waiting in (self.connected, self.done):
            if not waiting.done():
                self.refused += 1
                waiting.set_result(None)

    def close(self) -> None:
        self._transport.close()


def text(value: bytes) -> bytes:
    return len(value).to_bytes(2) + value


def varint(value: int) -> bytes:
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*parts, value))


def packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + varint(len(body)) + body


async def run(order: dict[str, Any]) -> dict[str, Any]:
    """Connect all clients at once, then let each send its share, or hold for a while."""
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    made = await asyncio.gather(
        *(_connect(loop, order, number) for number in range(order["connections"]))
    )
    await asyncio.gather(*(client.connected for client in made))
    connected = time.perf_counter() - began
    await asyncio.sleep(order["hold"])
    began = time.perf_counter()
    for client in made:
        client.begin(order["count"] // order["connections"])
    await asyncio.gather(*(client.done for client in made))
    seconds = time.perf_counter() - began
    took = sorted(each for client in made for each in client.took) or [0.0]
    for client in made:
        client.close()
    return {
        "connected_s": connected,
        "seconds": seconds,
        "refused": sum(client.refused for client in made),
        "acknowledged": sum(len(client.took) for client in made),
        "p50_ms": 1000 * took[len(took) // 2],
        "p99_ms": 1000 * took[len(took) * 99 // 100],
    }


async def _connect(loop: asyncio.AbstractEventLoop, order: dict[str, Any], number: int) -> Client:
    _, client = await loop.create_connection(
        lambda: Client(order, number), order["host"], order["port"]
    )
    return client


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        answer = asyncio.run(run(json.load(sys.stdin)))
    else:
        answer = uvloop.run(run(json.load(sys.stdin)))
    print(json.dumps(answer))
