"""A made-up town: as many gauges as wanted, and readings that look like those of real ones."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.db import transaction

from bench.setup import DATA
from stadtherz.base.time import HOUR, MINUTE, Micros, Period, now_us
from stadtherz.base.vocabulary import WATER_LEVEL
from stadtherz.identity.public import create_organisation, create_token
from stadtherz.ingest.public import NewField, register_device
from stadtherz.kit.public import consumers
from stadtherz.store.public import NewStream, Reading, append, register_stream, stop_writer
from stadtherz.stream.public import consumers_at_end

__all__ = ["DATA", "Town", "build", "fill", "hand_over", "readings", "year_of_hours"]

NETWORK = "tts"
STEP = 15 * MINUTE
_LARGEST_FILL = 20_000  # readings a call, so that memory stays small
_SPREAD = random.Random(7)  # the same town in every run


@dataclass(frozen=True, slots=True)
class Town:
    """The town's datastreams, the devices of some of them, and a token of its network."""

    streams: tuple[int, ...]
    devices: tuple[str, ...]
    token: str


def build(gauges: int, devices: int = 0) -> Town:
    """Things, datastreams and devices in one transaction."""
    with transaction.atomic():
        owner = create_organisation("bench", "Bench")
        streams = tuple(register_stream(_gauge(owner, number)) for number in range(gauges))
        euis = tuple(f"70B3D57E{number:08X}" for number in range(devices))
        for eui, stream in zip(euis, streams, strict=False):
            field = NewField("level_cm", stream, minimum=-1000, maximum=10_000)
            register_device(owner, NETWORK, eui, f"Gauge {eui}", fields=(field,))
        token = create_token("bench", owner, ("ingest",), network=NETWORK)
    return Town(streams, euis, token)


def _gauge(owner: int, number: int) -> NewStream:
    place = [7.72 + 0.1 * _SPREAD.random(), 49.42 + 0.03 * _SPREAD.random()]
    return NewStream(
        owner=owner,
        thing_name=f"Gauge {number}",
        thing_description="A made-up gauge",
        location={"type": "Point", "coordinates": place},
        sensor_name="Ultrasound",
        sensor_description="A made-up sensor",
        observed=WATER_LEVEL,
        name=f"Level {number}",
        description="Water level",
    )


def readings(town: Town, start: Micros) -> Iterator[Reading]:
    """Endless readings, one of each datastream in turn, a quarter of an hour apart."""
    step = 0
    while True:
        time = start + step * STEP
        for number, stream in enumerate(town.streams):
            yield Reading(stream, Period(time), _level(step, number), result_time=time)
        step += 1


def year_of_hours(stream: int) -> Iterator[Reading]:
    """A reading an hour in the year that ends now."""
    start = now_us() // HOUR * HOUR - 365 * 24 * HOUR
    for hour in range(365 * 24):
        time = start + hour * HOUR
        yield Reading(stream, Period(time), _level(hour, stream), result_time=time)


def _level(step: int, number: int) -> float:
    """Tides, a little noise, one decimal: what a level sensor says."""
    return round(80 + 20 * math.sin(step / 40 + number) + _SPREAD.gauss(0, 0.5), 1)


def fill(source: Iterator[Reading], count: int) -> None:
    """Append the next `count` readings of the source, or all it has."""
    left = count
    while left > 0 and (batch := list(islice(source, min(left, _LARGEST_FILL)))):
        append(batch)
        left -= len(batch)


def hand_over() -> None:
    """Let go of the database before the server starts; services skip this history, as after an import."""
    stop_writer()
    consumers_at_end(consumer.name for consumer in consumers())
