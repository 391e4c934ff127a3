"""A process that holds one of the benchmark's stores and does what it is told, a line at a time.

    python -m bench.store_worker FOLDER

Each line of its input is a JSON object with a `task` and its arguments; each line of its output is
the JSON answer. Several processes make it possible to compare stores, to begin with nothing in
memory, and to be killed.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
import numpy as np

FOLDER = Path(sys.argv[1]) if __name__ == "__main__" else Path()
if __name__ == "__main__":
    os.environ["STADTHERZ_DATA"] = str(FOLDER)
    os.environ["DJANGO_SETTINGS_MODULE"] = "stadtherz.project.settings"
    django.setup()

from django.core.management import call_command  # noqa: E402 - Django has to be set up first
from django.db import transaction  # noqa: E402

from bench import store_plain as plain  # noqa: E402
from bench import store_reads as reads  # noqa: E402
from bench import store_writes as writes  # noqa: E402
from bench.store_series import batches, fleet  # noqa: E402
from stadtherz.base.vocabulary import WATER_LEVEL  # noqa: E402
from stadtherz.project import template  # noqa: E402
from stadtherz.project.runtime import keep_what_is_loaded  # noqa: E402
from stadtherz.store.public import (  # noqa: E402
    NewStream,
    create_organisation,
    register_stream,
    seal,
    stop_writer,
)

_PLAN = "bench.json"


def _plan() -> dict[str, Any]:
    held: dict[str, Any] = json.loads((FOLDER / _PLAN).read_text())
    return held


def _scene() -> reads.Scene:
    plan = _plan()
    return reads.Scene(plan["streams"], plan["every_minute"], plan["end"], FOLDER)


_sources: list[writes.Source] = []


def _source() -> writes.Source:
    """One for the life of this process, so that no reading comes twice."""
    if not _sources:
        plan = _plan()
        town = fleet(np.array(plan["streams"]), plan["every_minute"], regular=plan["regular"])
        _sources.append(writes.Source.after(town))
    return _sources[0]


# --- tasks ---------------------------------------------------------------------------------------


def build(streams: int) -> dict[str, Any]:
    """An empty store with so many datastreams."""
    if plain.on_sqlite():
        template.install(FOLDER / "stadtherz.sqlite3")
    call_command("migrate", verbosity=0)
    with transaction.atomic():
        owner = create_organisation("bench", "Bench")
        ids = [register_stream(_stream(owner, number)) for number in range(streams)]
    return {"streams": ids, "empty": plain.store_size()}


def _stream(owner: int, number: int) -> NewStream:
    return NewStream(
        owner=owner,
        thing_name=f"Gauge {number}",
        thing_description="A made-up gauge",
        location=None,
        sensor_name="Ultrasound",
        sensor_description="A made-up sensor",
        observed=WATER_LEVEL,
        name=f"Level {number}",
        description="Water level",
    )


def fill(plan: dict[str, Any], *, raw: bool) -> dict[str, Any]:
    """Fill the store as planned; `raw`: as many plain rows, too. The plan is kept when all is done."""
    streams: list[int] = plan["streams"]
    parts = writes.whole_town(
        streams,
        plan["every_minute"],
        regular=plan["regular"],
        first=plan["first"],
        begin=plan["begin"],
        in_order=plan["in_order"],
    )
    told: dict[str, Any] = writes.fill(parts(plan["end"]))
    told |= plain.chunk_bytes() | {"size": plain.store_size() - plan["empty"]}
    if raw:
        plain.open_raw(FOLDER)
        told["raw"] = plain.fill(batches(parts(plan["end"]), 20_000), streams)
    (FOLDER / _PLAN).write_text(json.dumps(plan | {"told": told}))
    return told


def filled() -> dict[str, Any] | None:
    """What an earlier run told of filling this store, if one did."""
    return _plan() if (FOLDER / _PLAN).exists() else None


def ask(name: str, run: int, *, fresh: bool) -> dict[str, float]:
    return reads.asked_once(_scene(), name, run, fresh=fresh)


def ask_cold(run: int) -> dict[str, float]:
    return reads.asked_cold(_scene(), run)


def first() -> dict[str, float]:
    return reads.first_answer(_scene())


def drop() -> bool:
    return plain.drop_file_cache(FOLDER)


def ingest(size: int, times: int, *, keyed: bool = False) -> dict[str, Any]:
    told = writes.ingest(_source(), size, times, keyed=keyed)
    return {**told, "written_as": plain.written_as()}


def together(size: int, times: int, callers: int) -> dict[str, float]:
    return writes.together(_source(), size, times, callers)


def beside_sealing(size: int, times: int) -> dict[str, list[float]]:
    return writes.beside_sealing(_source(), size, times)


def full_log(size: int, times: int) -> dict[str, float]:
    return writes.full_log(_source(), size, times)


def seal_all() -> int:
    return seal()


def open_raw() -> None:
    plain.open_raw(FOLDER)


def memory() -> dict[str, float]:
    return plain.memory()


TASKS: dict[str, Callable[..., Any]] = {
    task.__name__: task
    for task in (
        *(build, fill, filled, ask, ask_cold, first, drop, open_raw),
        *(ingest, together, beside_sealing, full_log, seal_all, memory),
    )
}


def main() -> None:
    keep_what_is_loaded()  # as a server does
    for line in sys.stdin:
        order = json.loads(line)
        answer = TASKS[order.pop("task")](**order)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    stop_writer()


if __name__ == "__main__":
    main()
