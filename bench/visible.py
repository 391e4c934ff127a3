"""How long it takes until a measurement can be seen: in SensorThings, and by those who listen.

    python -m bench.visible [--quick]

A network posts documents at a calm rate, each at its own time whether or not the ones before were answered.
In the sender's process, by one clock, from the moment a document is due: when it was acknowledged (on disk),
when a GET of its datastream shows it, and when the live stream of pages and the events of SensorThings told
it. STADTHERZ_ENGINE chooses an (empty) PostgreSQL database.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import click

from bench import timing, town
from bench.sensorthings_process import Processes
from bench.server import running
from bench.town import Town

WANTED_MS = 250
_WARM_S = 4
_FIRST = 1_000  # value of the measured documents; those before only warm up


@dataclass(frozen=True, slots=True)
class Size:
    """Devices, documents a second, and for how many seconds."""

    devices: int
    rate: int
    seconds: int


FULL = Size(devices=500, rate=500, seconds=20)
QUICK = Size(devices=5, rate=20, seconds=2)


@click.command()
@click.option("--quick", is_flag=True, help="Only show that it runs.")
@click.option("--rate", type=int, help="Documents a second.")
def main(*, quick: bool, rate: int | None) -> None:
    """Print how long it takes to be seen."""
    size = QUICK if quick else FULL
    place = town.build(size.devices, size.devices)
    town.hand_over()
    rate = rate or size.rate
    with running() as (url, pid):
        _send(place, url, size, rate, seconds=_WARM_S, first=1)
        server = Processes((pid,))
        before = server.seconds() or 0.0
        told = _send(place, url, size, rate, seconds=size.seconds, first=_FIRST)
        used = (server.seconds() or 0.0) - before
    if told["refused"]:
        raise SystemExit(f"{told['refused']} documents were refused")
    head = ("from arrival until", "seen", "p50 ms", "p99 ms", "ratio to the disk", "wanted p99")
    share = 100 * used / size.seconds
    title = f"Visible at {rate} documents a second, {share:.0f} % of a core"
    timing.show(title, head, [_row(what, told[what], told["on disk"]) for what in _SEEN])


_SEEN = ("on disk", "in SensorThings", "on live pages", "in SensorThings events")


def _row(what: str, times: dict[str, float], disk: dict[str, float]) -> tuple[str, ...]:
    ratio = timing.ratio(times["p99_ms"] / disk["p99_ms"])
    seen = timing.rate(times["number"])
    return what, seen, f"{times['p50_ms']:.0f}", f"{times['p99_ms']:.0f}", ratio, str(WANTED_MS)


def _send(
    place: Town, url: str, size: Size, rate: int, *, seconds: int, first: int
) -> dict[str, Any]:
    address = urlsplit(url)
    order = {
        "host": address.hostname,
        "port": address.port,
        "token": place.token,
        "devices": place.devices,
        "streams": place.streams,
        "first": first,
        "rate": rate,
        "seconds": seconds,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.visible_sender"],
        input=json.dumps(order).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


if __name__ == "__main__":
    main()
