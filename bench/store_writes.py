"""Filling a store, and how fast and how steadily readings become durable."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice

import numpy as np
from django.db import connections

from bench import store_plain as plain
from bench import timing
from bench.store_series import START, Fleet, Part, at_once, batches, fleet, readings
from stadtherz.base.time import DAY, MINUTE, Micros
from stadtherz.store.public import NewColumns, append_columns, latest, seal, tend

_FILL = 26_000  # readings a batch
_SEAL = 5  # batches, just too few for the background to begin by itself
_MONTH = 31 * DAY
_IN_ORDER = 14 * DAY

Figures = dict[str, float]


def keep(part: Part, *, keyed: bool = False) -> object:
    """Hand the readings to the store; returns when they are on disk."""
    if not keyed:
        return append_columns(NewColumns(part.stream, part.time, part.number))
    keys = [f"{time:x}" for time in part.time.tolist()]
    columns = NewColumns(part.stream, part.time, part.number, result_time=part.time, keys=keys)
    return append_columns(columns)


# --- filling -------------------------------------------------------------------------------------


def history(whole: Fleet, begin: Micros, end: Micros, *, in_order: bool) -> Iterator[Part]:
    """The readings of a time: a past imported stream by stream for each month, then all in turn.

    An import costs the store one encoding a chunk; what arrives in order costs it several, as in
    operation, and leaves the newest chunks as they look in operation.
    """
    switch = begin if in_order else max(begin, end - _IN_ORDER)
    for month in range(begin, switch, _MONTH):
        behind = min(month + _MONTH, switch)
        for number in range(len(whole.stream)):
            yield from readings(whole.take(slice(number, number + 1)), month, behind, block=_MONTH)
    yield from readings(whole, switch, end)


def fill(parts: Iterator[Part]) -> Figures:
    """Append and seal all of the readings; seconds and bytes for the whole."""
    number = 0
    appending = sealing = tending = 0.0
    before = plain.written()
    source = batches(parts, _FILL)
    while some := list(islice(source, _SEAL)):
        for part in some:
            appending += timing.seconds(partial(keep, part))
            number += len(part)
        sealing += timing.seconds(seal)
        tending += timing.seconds(tend)
    return {
        "readings": number,
        "appending": appending,
        "sealing": sealing,
        "tending": tending,
        "written": (plain.written() - before) / max(number, 1),
        **plain.memory(),
    }


def whole_town(
    streams: Sequence[int],
    every_minute: int,
    *,
    regular: bool,
    first: Micros,
    begin: Micros,
    in_order: bool,
) -> Callable[[Micros], Iterator[Part]]:
    """The town's readings from `begin` on; the first stream speaks from `first` on."""
    town = fleet(np.array(streams), every_minute, regular=regular)
    one = town.take(slice(0, 1))

    def until(end: Micros) -> Iterator[Part]:
        alone = history(one, first, begin, in_order=False)
        return chain(alone, history(town, begin, end, in_order=in_order))

    return until


# --- ingest --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Source:
    """Readings that come after all there are: each batch of other streams than the one before."""

    town: Fleet
    clock: Micros
    _place: int = field(default=0)

    @classmethod
    def after(cls, town: Fleet) -> "Source":
        held = latest(town.stream.tolist()).phenomenon_start
        newest = int(held.max()) if len(held) else START
        return cls(town, newest // MINUTE * MINUTE + MINUTE)

    def take(self, number: int) -> Part:
        if self._place + number > len(self.town.stream):
            self._place = 0
            self.clock += MINUTE
        places = slice(self._place, self._place + number)
        self._place += number
        return at_once(self.town, self.clock, places)


def ingest(source: Source, size: int, times: int, *, keyed: bool = False) -> Figures:
    """The store and plain rows in turn, batch by batch; then everything is sealed."""
    took = {"ours": 0.0, "raw": 0.0, "written": 0.0, "raw_written": 0.0}
    seal()
    for _ in range(times):
        part = source.take(size)
        rows = plain.rows_of(part)
        _measure(took, "ours", "written", partial(keep, part, keyed=keyed))
        _measure(took, "raw", "raw_written", partial(plain.insert, rows))
    took["appending"] = took["ours"]
    _measure(took, "ours", "written", seal)
    _measure(took, "ours", "written", tend)
    return took | {"readings": times * size}


def _measure(took: Figures, seconds: str, written: str, work: Callable[[], object]) -> None:
    before = plain.written()
    took[seconds] += timing.seconds(work)
    took[written] += plain.written() - before


def together(source: Source, size: int, times: int, callers: int) -> Figures:
    """Many callers at the same time, a batch each."""
    parts = [source.take(size) for _ in range(times)]
    with ThreadPoolExecutor(callers) as pool:
        ours = timing.seconds(lambda: list(pool.map(keep, parts)))
    raw = sum(timing.seconds(partial(plain.insert, plain.rows_of(part))) for part in parts)
    seal()
    return {"ours": ours, "raw": raw, "readings": size * times}


# --- beside the sealing --------------------------------------------------------------------------


def beside_sealing(source: Source, size: int, times: int) -> dict[str, list[float]]:
    """Milliseconds of single readings, to the store and to plain rows, without and beside a seal."""
    seal()
    quiet = _singles(source, lambda: iter(range(times)))
    for _ in range(times):
        keep(source.take(size))
    sealing = threading.Thread(target=_seal_here)
    sealing.start()
    beside = _singles(source, lambda: iter(sealing.is_alive, False))
    sealing.join()
    return {
        "quiet": quiet[0],
        "quiet_raw": quiet[1],
        "beside": beside[0],
        "beside_raw": beside[1],
    }


def _seal_here() -> None:
    try:
        seal()
    finally:
        connections.close_all()


def _singles(source: Source, turns: Callable[[], Iterator[object]]) -> tuple[list[float], ...]:
    ours: list[float] = []
    raw: list[float] = []
    for _ in turns():
        part = source.take(1)
        rows = plain.rows_of(part)
        ours.append(1000 * timing.seconds(partial(keep, part)))
        raw.append(1000 * timing.seconds(partial(plain.insert, rows)))
        time.sleep(0.001)
    return ours, raw


def full_log(source: Source, size: int, times: int) -> Figures:
    """Readings that nobody seals: what a crash leaves behind at worst."""
    seal()
    for _ in range(times):
        keep(source.take(size))
    return {"readings": size * times, "commits": times}
