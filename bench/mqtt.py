"""How fast published messages become durable, and how many clients hold the line.

    python -m bench.mqtt [--quick]

The sender is another process. Every message has quality 1 and is acknowledged after it is on disk; the
processor time is the server's. STADTHERZ_ENGINE chooses an (empty) PostgreSQL database.
"""

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import click

from bench import timing, town
from bench.sensorthings_process import Processes
from bench.server import running
from bench.town import Town
from stadtherz.identity.public import create_token
from stadtherz.store.public import streams


@dataclass(frozen=True, slots=True)
class Size:
    """How much work a run does."""

    gauges: int
    messages: int
    documents: int
    clients: int


FULL = Size(gauges=100, messages=100_000, documents=20_000, clients=2_000)
QUICK = Size(gauges=3, messages=60, documents=20, clients=5)


@dataclass(frozen=True, slots=True)
class Order:
    """What the sender is told; `connections` clients with at most `window` messages on their way."""

    port: int
    token: str
    topics: tuple[str, ...]
    payloads: tuple[str, ...]
    count: int = 0
    connections: int = 20
    window: int = 100
    hold: float = 0.0

    def sent(self) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in self.__slots__}
        done = subprocess.run(
            [sys.executable, "-m", "bench.mqtt_sender"],
            input=json.dumps({"host": "127.0.0.1", **fields}).encode(),
            capture_output=True,
            check=True,
        )
        told: dict[str, Any] = json.loads(done.stdout)
        if told["refused"]:
            raise SystemExit(f"{told['refused']} clients were refused")
        return told


@click.command()
@click.option("--quick", is_flag=True, help="Only show that it runs.")
def main(*, quick: bool) -> None:
    """Print the MQTT table."""
    size = QUICK if quick else FULL
    place = town.build(size.gauges, size.gauges)
    owner = streams(place.streams[:1])[place.streams[0]].owner
    token = create_token("bench", owner, ("ingest", "write"))
    town.hand_over()
    port = free_port()
    os.environ["STADTHERZ_MQTT"] = f"mqtt://127.0.0.1:{port}"
    with running() as (url, pid):
        assert urlsplit(url).hostname
        rows = _rows(Order(port, token, (), ()), place, size, Processes((pid,)))
    head = ("MQTT, quality 1, on disk", "a second", "p50", "p99", "server, µs each")
    timing.show(f"MQTT over {size.gauges} datastreams", head, rows)


def _rows(order: Order, place: Town, size: Size, server: Processes) -> list[tuple[str, ...]]:
    topics = tuple(f"v1.1/Datastreams({stream})/Observations" for stream in place.streams)
    results = tuple(json.dumps({"result": 80 + turn / 10}) for turn in range(400))
    plain = replace(order, topics=topics, payloads=results, count=size.messages)
    uplinks = tuple(_uplink(place, number) for number in range(size.documents))
    documents = replace(
        order, topics=("ingest/tts/up",), payloads=uplinks, count=size.documents, connections=1
    )
    return [
        _published("Observations, 20 clients", plain, server),
        _published("Observations, 1 client", replace(plain, connections=1, window=500), server),
        _published("documents of a network, 1 client", replace(documents, window=500), server),
        _connected(replace(plain, count=0, connections=size.clients, hold=2.0), server),
    ]


def _published(what: str, order: Order, server: Processes) -> tuple[str, ...]:
    before = server.seconds() or 0.0
    told = order.sent()
    used = (server.seconds() or 0.0) - before
    number = told["acknowledged"]
    each = f"{1e6 * used / number:.0f}"
    rate = timing.rate(number / told["seconds"])
    return what, rate, f"{told['p50_ms']:.0f} ms", f"{told['p99_ms']:.0f} ms", each


def _connected(order: Order, server: Processes) -> tuple[str, ...]:
    before = server.seconds() or 0.0
    told = order.sent()
    used = (server.seconds() or 0.0) - before
    took = f"{told['connected_s']:.1f} s in all"
    each = f"{1e6 * used / order.connections:.0f}"
    return f"{order.connections} clients connect", took, "", "", each


def _uplink(place: Town, number: int) -> str:
    turn, device = divmod(number, len(place.devices))
    eui = place.devices[device]
    return json.dumps(
        {
            "end_device_ids": {"device_id": eui.lower(), "dev_eui": eui},
            "received_at": "2026-01-01T00:00:00Z",
            "uplink_message": {
                "session_key_id": "bench",
                "f_port": 2,
                "f_cnt": turn + 1,
                "frm_payload": "AQI=",
                "decoded_payload": {"level_cm": 80 + turn % 40},
                "received_at": "2026-01-01T00:00:00Z",
            },
        }
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
