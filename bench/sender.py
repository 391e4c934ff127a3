"""A network server that sends uplinks as fast as they are acknowledged; runs as its own process.

Reads {"host", "port", "token", "devices", "session", "count", "connections"} from standard input and
prints {"seconds", "refused", "p50_ms", "p99_ms"}. With "decoded" false the network has decoded nothing. Plain sockets, because a client library would cost
more than the server. Uplinks of the same session are repetitions, so each run needs its own.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any


def requests(order: dict[str, Any]) -> Iterator[bytes]:
    """Complete HTTP requests, one uplink of the next device each."""
    began = datetime.now(UTC)  # noqa: TID251 - a foreign network has its own clock
    devices = order["devices"]
    for number in range(order["count"]):
        turn, device = divmod(number, len(devices))
        at = (began + timedelta(milliseconds=number)).isoformat().replace("+00:00", "Z")
        decoded = order.get("decoded", True)
        body = json.dumps(
            _uplink(devices[device], order["session"], turn, at, decoded=decoded)
        ).encode()
        head = (
            f"POST /ingest/tts HTTP/1.1\r\nHost: {order['host']}:{order['port']}\r\n"
            f"Authorization: Bearer {order['token']}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


def _uplink(device: str, session: str, turn: int, at: str, *, decoded: bool) -> dict[str, Any]:
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
            "frm_payload": "AQI=",
            **({"decoded_payload": {"level_cm": 80 + turn % 40}} if decoded else {}),
            "received_at": at,
        },
    }


async def send_all(order: dict[str, Any]) -> dict[str, Any]:
    """Every connection sends its next request as soon as the last one is answered."""
    waiting = iter(list(requests(order)))
    began = time.perf_counter()
    lines = await asyncio.gather(*(_line(order, waiting) for _ in range(order["connections"])))
    seconds = time.perf_counter() - began
    answers = sorted(answer for line in lines for answer in line)
    return {
        "seconds": seconds,
        "refused": sum(status >= 300 for _took, status in answers),
        "p50_ms": 1000 * answers[len(answers) // 2][0],
        "p99_ms": 1000 * answers[len(answers) * 99 // 100][0],
    }


async def _line(order: dict[str, Any], waiting: Iterator[bytes]) -> list[tuple[float, int]]:
    """(seconds until the answer, status) of each request."""
    reader, writer = await asyncio.open_connection(order["host"], order["port"])
    answers = []
    for request in waiting:
        began = time.perf_counter()
        writer.write(request)
        status = await _status(reader)
        answers.append((time.perf_counter() - began, status))
    writer.close()
    return answers


async def _status(reader: asyncio.StreamReader) -> int:
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
    print(json.dumps(asyncio.run(send_all(json.load(sys.stdin)))))
