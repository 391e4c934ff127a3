"""A network server that sends uplinks as fast as they are acknowledged; runs as its own process.

Reads {"host", "port", "token", "devices", "session", "count", "connections"} from standard input and
prints {"seconds", "refused", "p50_ms", "p99_ms"}. With "decoded" false the network has decoded nothing. Plain sockets, because a client library would cost
more than the server. Uplinks of the same session are repetitions, so each run needs its own.
"""

import asyncio
import base64
import json
import re
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def requests(order: dict[str, Any]) -> Iterator[bytes]:
    """Complete HTTP requests, one uplink of the next device each."""
    began = datetime.now(UTC)  # noqa: TID251 - a foreign network has its own clock
    devices = order["devices"]
    for number in range(order["count"]):
        turn, device = divmod(number, len(devices))
        at = (began + timedelta(milliseconds=number)).isoformat().replace("+00:00", "Z")
        decoded = order.get("decoded", True)
        document = uplink(devices[device], order["session"], turn, at, decoded=decoded)
        yield request(order, document)


def uplink(
    device: str, session: str, turn: int, at: str, *, decoded: bool, value: int = 0x0102
) -> dict[str, Any]:
    """A document of The Things Stack; the payload is `value`, the level is told in addition if `decoded`."""
    return {
        "end_device_ids": {
            "device_id": device.lower(),
            "application_ids": {"application_id": "bench"},
            "dev_eui": device,
        },
        "received_at": at,
        "uplink_message": {
            "session_key_id": session,
            "f_port": 2,
            "f_cnt": turn + 1,
            "frm_payload": base64.b64encode(value.to_bytes(2)).decode(),
            **({"decoded_payload": {"level_cm": 80 + turn % 40}} if decoded else {}),
            "received_at": at,
        },
    }


def request(order: dict[str, Any], document: dict[str, Any]) -> bytes:
    """A document as the network posts it."""
    body = json.dumps(document).encode()
    head = (
        f"POST /ingest/tts HTTP/1.1\r\nHost: {order['host']}:{order['port']}\r\n"
        f"Authorization: Bearer {order['token']}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def send_all(order: dict[str, Any]) -> dict[str, Any]:
    """Every connection sends its next request as soon as the last one is answered."""
    waiting = iter(list(requests(order)))
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    lines = [
        (await loop.create_connection(lambda: Line(waiting), order["host"], order["port"]))[1]
        for _ in range(order["connections"])
    ]
    await asyncio.gather(*(line.done for line in lines))
    seconds = time.perf_counter() - began
    answers = sorted(answer for line in lines for answer in line.answers)
    return {
        "seconds": seconds,
        "refused": sum(status >= 300 for _took, status in answers),
        "p50_ms": 1000 * answers[len(answers) // 2][0],
        "p99_ms": 1000 * answers[len(answers) * 99 // 100][0],
    }


class Line(asyncio.Protocol):
    """One connection that sends the next request as soon as the last one is answered."""

    def __init__(self, waiting: Iterator[bytes]) -> None:
        self._waiting = waiting
        self._held = b""
        self._began = 0.0
        self.answers: list[tuple[float, int]] = []  # seconds until the answer, status
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._go_on()

    def _go_on(self) -> None:
        request = next(self._waiting, None)
        if request is None:
            self._transport.close()
            self.done.set_result(None)
            return
        self._began = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, found, body = self._held.partition(b"\r\n\r\n")
        if not found or len(body) < int(_LENGTH.search(head)[1]):  # type: ignore[index]
            return
        self._held = b""
        self.answers.append((time.perf_counter() - self._began, int(head[9:12])))
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError("the server hung up"))


async def status_of(reader: asyncio.StreamReader) -> int:
    """The status of the next answer, all of which is read."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next(
        (
            int(line.split(":")[1])
            for line in head.split("\r\n")
            if line.startswith("content-length")
        ),
        0,
    )
    await reader.readexactly(length)
    return int(head.split(" ", 2)[1])


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        answer = asyncio.run(send_all(json.load(sys.stdin)))
    else:
        answer = uvloop.run(send_all(json.load(sys.stdin)))
    print(json.dumps(answer))
