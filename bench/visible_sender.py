"""A network that posts at a rate, and three readers who note when they see what it posted; as one process.

Reads {"host", "port", "token", "devices", "streams", "first", "rate", "seconds"} from standard input and
prints, for each way of seeing, {"number", "p50_ms", "p99_ms"}, and how many documents were "refused".
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bench.sender import request, status_of, uplink

_CONNECTIONS = 64
_STREAMS_A_PAGE = 200
_LOOKERS = 2
_AFTER_S = 2.0  # what is told late is heard, too
_SEQUENCE_BITS = 32  # an id of ours tells its datastream
_LIMIT = 30_000  # values are two bytes


@dataclass
class Watch:
    """When each document was due, and who has seen it."""

    order: dict[str, Any]
    due: dict[tuple[int, int], float] = field(default_factory=dict)  # by datastream and value
    seen: dict[str, list[float]] = field(default_factory=dict)
    newest: dict[int, int] = field(default_factory=dict)  # value, by datastream
    refused: int = 0

    def note(self, what: str, due: float) -> None:
        self.seen.setdefault(what, []).append(1000 * (time.perf_counter() - due))

    def told(self, what: str, heard: dict[int, int], stream: int, value: int) -> None:
        """A reader heard a value: all up to it that he had not heard are seen by now."""
        for each in range(heard.get(stream, 0) + 1, value + 1):
            due = self.due.get((stream, each))
            if due is not None:
                self.note(what, due)
        heard[stream] = max(heard.get(stream, 0), value)


async def send(watch: Watch) -> None:
    """Each document at its time, over whatever connection is free."""
    order = watch.order
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(_CONNECTIONS):
        free.put_nowait(await asyncio.open_connection(order["host"], order["port"]))
    began = time.perf_counter()
    under_way = []
    for number in range(order["rate"] * order["seconds"]):
        due = began + number / order["rate"]
        if (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        under_way.append(asyncio.create_task(_post(watch, free, number, due)))
    await asyncio.gather(*under_way)
    await asyncio.sleep(_AFTER_S)


async def _post(watch: Watch, free: asyncio.Queue[Any], number: int, due: float) -> None:
    order = watch.order
    turn, place = divmod(number, len(order["devices"]))
    stream, value = order["streams"][place], order["first"] + turn
    watch.due[stream, value] = due
    watch.newest[stream] = value
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")  # noqa: TID251 - a network's clock
    document = uplink(order["devices"][place], "visible", value, at, decoded=False)
    document["uplink_message"]["decoded_payload"] = {"level_cm": value / 10}
    reader, writer = line = await free.get()
    writer.write(request(order, document))
    status = await status_of(reader)
    watch.note("on disk", due)
    watch.refused += status != 200
    free.put_nowait(line)


async def look(watch: Watch, number: int) -> None:
    """Ask for a datastream's newest reading again and again until it is what was sent last."""
    streams = watch.order["streams"]
    reader, writer = await asyncio.open_connection(watch.order["host"], watch.order["port"])
    place = number
    while True:
        place = (place + 7 * _LOOKERS) % len(streams)
        stream = streams[place]
        known = watch.newest.get(stream, 0)
        while watch.newest.get(stream, 0) == known:  # noqa: ASYNC110 - it is told by no event
            await asyncio.sleep(0.001)
        value = watch.newest[stream]
        while await _newest(watch, reader, writer, stream) < value:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        watch.note("in SensorThings", watch.due[stream, value])


async def _newest(
    watch: Watch, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stream: int
) -> int:
    query = "$orderby=@iot.id%20desc&$top=1&$select=result"
    writer.write(_get(watch, f"/sta/v1.1/Datastreams({stream})/Observations?{query}"))
    found = json.loads(await _body(reader))["value"]
    return round(10 * found[0]["result"]) if found else 0


def _get(watch: Watch, path: str, accept: str = "application/json") -> bytes:
    host = f"{watch.order['host']}:{watch.order['port']}"
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\n\r\n".encode()


async def _body(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    (length,) = (
        int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length")
    )
    return await reader.readexactly(length)


async def listen(
    watch: Watch, what: str, path: str, read: Callable[[Any], tuple[int, int] | None]
) -> None:
    """Follow an endless answer."""
    heard: dict[int, int] = {}
    async for data in _events(watch, path):
        if (news := read(data)) is not None:
            watch.told(what, heard, *news)


async def _events(watch: Watch, path: str) -> AsyncIterator[Any]:
    reader, writer = await asyncio.open_connection(
        watch.order["host"], watch.order["port"], limit=2**22
    )
    writer.write(_get(watch, path, "text/event-stream"))
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head:
        raise SystemExit(f"{path} was answered with {head[:100]!r}")
    while line := await reader.readline():
        if line.startswith(b"data:"):
            yield json.loads(line[5:])


def _of_page(event: Any) -> tuple[int, int] | None:
    return event["stream"], round(10 * event["result"])


def _of_events(event: Any) -> tuple[int, int] | None:
    if "result" not in event:
        return None
    return event["@iot.id"] >> _SEQUENCE_BITS, round(10 * event["result"])


async def run(order: dict[str, Any]) -> dict[str, Any]:
    """Post everything, and what was seen of it."""
    if order["rate"] * order["seconds"] // len(order["devices"]) > _LIMIT:
        raise SystemExit("too many documents of each device")
    watch = Watch(order)
    streams = [str(each) for each in order["streams"]]
    pages = [
        listen(watch, "on live pages", f"/live?streams={','.join(some)}", _of_page)
        for some in (
            streams[i : i + _STREAMS_A_PAGE] for i in range(0, len(streams), _STREAMS_A_PAGE)
        )
    ]
    readers = [
        *pages,
        listen(
            watch,
            "in SensorThings events",
            "/sta/v1.1/Observations?$select=result,@iot.id",
            _of_events,
        ),
        *(look(watch, number) for number in range(_LOOKERS)),
    ]
    tasks = [asyncio.create_task(reader) for reader in readers]
    await asyncio.sleep(0.5)  # they listen by now
    await send(watch)
    for task in tasks:
        if task.done():
            task.result()
        task.cancel()
    return {"refused": watch.refused, **{what: _told(times) for what, times in watch.seen.items()}}


def _told(times: list[float]) -> dict[str, float]:
    times = sorted(times)
    middle, late = times[len(times) // 2], times[len(times) * 99 // 100]
    return {"number": len(times), "p50_ms": middle, "p99_ms": late}


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        answer = asyncio.run(run(json.load(sys.stdin)))
    else:
        answer = uvloop.run(run(json.load(sys.stdin)))
    print(json.dumps(answer))
