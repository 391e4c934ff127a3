"""How fast payloads are decoded by JavaScript codecs: in the pool alone, and from webhook to disk.

    python -m bench.codecs [--quick]

Codecs of three sizes are made up here: published ones have 4 kB in the median, few more than 20. Beside the time
stands the CPU that a payload costs, which depends less on what else the machine does.
"""

import os
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from bench import timing, town
from bench.posting import posted
from bench.server import running
from bench.town import Town
from stadtherz.codecs.public import Decoded, Job, stop, submit
from stadtherz.ingest.public import Device, register_codec

CONNECTIONS = 64
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Size:
    decodes: int
    devices: int
    uplinks: int


FULL = Size(decodes=3_000, devices=100, uplinks=6_000)
QUICK = Size(decodes=30, devices=3, uplinks=30)


def codec(functions: int) -> str:
    """A codec with as many helpers; each has some 150 characters, as makers' have."""
    helpers = "\n".join(
        f"function read{number}(bytes, at) {{ var raw = (bytes[at] << 8) | bytes[at + 1];"
        f" if (raw > 0x7fff) {{ raw = raw - 0x10000; }} return {{value: raw / 10, part: {number}}}; }}"
        for number in range(functions)
    )
    call = (
        "function decodeUplink(input) { return {data: {level_cm: read0(input.bytes, 0).value}}; }"
    )
    return f"{helpers}\n{call}"


@click.command()
@click.option("--quick", is_flag=True, help="Only show that it runs.")
def main(*, quick: bool) -> None:
    """Print the table of codecs."""
    size = QUICK if quick else FULL
    rows = [_pool(size, codec(functions)) for functions in (1, 28, 140)]
    stop()
    place = town.build(size.devices, size.devices)
    give_codec(codec(28))
    town.hand_over()
    rows.append(_webhook(place, size, decoded=False))
    rows.append(_webhook(place, size, decoded=True))
    head = ("payloads", "a second", "CPU ms each, server", "CPU ms each, workers", "p99 ms")
    timing.show("Codecs", head, rows)


def _pool(size: Size, text: str) -> tuple[str, ...]:
    """Two workers, as many jobs as they take."""
    jobs = [
        Job(text, bytes((number % 256, 7)), 1, 0, owner=number % 50)
        for number in range(size.decodes)
    ]
    submit(jobs[0]).result()
    own, began = time.process_time(), time.perf_counter()
    answers = []
    for start in range(0, len(jobs), _AT_ONCE):  # as many as wait at a busy door
        waiting = [submit(job) for job in jobs[start : start + _AT_ONCE]]
        answers.extend(future.result() for future in waiting)
    took = time.perf_counter() - began
    own = time.process_time() - own
    if not all(isinstance(answer, Decoded) for answer in answers):
        raise SystemExit("a payload was not decoded")
    each = 1000 * own / len(jobs)
    return (
        f"pool, codec of {len(text) / 1000:.1f} kB",
        timing.rate(len(jobs) / took),
        f"{each:.2f}",
        "",
        "",
    )


def give_codec(text: str) -> None:
    for device in Device.objects.all():
        device.codec_id = register_codec(device.owner_id, "bench", text)
        device.save()


def _webhook(place: Town, size: Size, *, decoded: bool) -> tuple[str, ...]:
    """Documents from another process, each acknowledged after it is on disk."""
    with running() as (url, pid):
        send = partial(posted, place, url, connections=CONNECTIONS, decoded=decoded)
        send(count=len(place.devices), session="warm")
        workers = _children(pid)
        before = cpu_seconds(pid), sum(map(cpu_seconds, workers))
        told = send(count=size.uplinks, session=f"bench {decoded}")
        spent = cpu_seconds(pid) - before[0], sum(map(cpu_seconds, workers)) - before[1]
    each = [f"{1000 * part / size.uplinks:.2f}" for part in spent]
    what = "decoded by the network" if decoded else "decoded by a codec of 4 kB"
    rate = timing.rate(size.uplinks / told["seconds"])
    return f"webhook, {what}, {CONNECTIONS} connections", rate, *each, f"{told['p99_ms']:.0f}"


def cpu_seconds(pid: int) -> float:
    """What a process has computed so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    """Workers are started by threads, so they are the children of these."""
    files = Path(f"/proc/{pid}/task").glob("*/children")
    found = [each for file in files for each in file.read_text().split()]
    return sorted({int(each) for each in found})


if __name__ == "__main__":
    main()
