"""The data of the SensorThings benchmark, made here and sent through the standard's own doors.

One datastream is long, one has a year of hours, and all others a few readings: the town of a
dashboard. Nothing but SensorThings 1.1 is used, so that any server can be filled.
"""

import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from bench.sensorthings_line import Line, Request, Server, load

END = datetime(2026, 11, 1, tzinfo=UTC)
YEAR = 365 * 24
FEW = 10
_ROWS = 10_000  # in one request
_NOISE = random.Random(7)  # the same readings in every run
_COMPONENTS = ["phenomenonTime", "resultTime", "result"]


@dataclass(frozen=True, slots=True)
class Stream:
    """A datastream: its id as the server writes it, and its address below the service root."""

    key: Any
    path: str


@dataclass(frozen=True, slots=True)
class World:
    """`long` holds `readings` of them a minute apart, `hours` one for each hour of a year."""

    long: Stream
    hours: Stream
    streams: tuple[Stream, ...]
    readings: int


def build(server: Server, things: int, readings: int) -> World:
    """Create the Things and send their readings."""
    line = server.line()
    streams = tuple(_create(server, line, number) for number in range(max(things, 2)))
    world = World(streams[0], streams[1], streams, readings)
    fill(server, rows_of(world.long, readings, timedelta(minutes=1)))
    fill(server, rows_of(world.hours, YEAR, timedelta(hours=1)))
    few = [row for s in streams[2:] for row in rows_of(s, FEW, timedelta(minutes=10))]
    fill(server, iter(few))
    return world


def _create(server: Server, line: Line, number: int) -> Stream:
    reply = line.ask(Request("/Things", json.dumps(_thing(number)).encode()))
    if reply.status != 201:
        raise click.ClickException(f"no Thing was made ({reply.status}): {reply.body[:300]!r}")
    address = _below(reply.headers["location"])
    (stream,) = json.loads(line.get(f"{address}/Datastreams").body)["value"]
    return Stream(stream["@iot.id"], _below(stream["@iot.selfLink"]))


def _below(address: str) -> str:
    """The path of an entity below the service root, whatever the server takes for its own name."""
    return "/" + address.rpartition("/")[2]


def _thing(number: int) -> dict[str, Any]:
    place = [7.72 + 0.1 * _NOISE.random(), 49.42 + 0.03 * _NOISE.random()]
    return {
        "name": f"Gauge {number}",
        "description": "A made-up gauge",
        "properties": {"number": number},
        "Locations": [
            {
                "name": f"Place {number}",
                "description": "Where it stands",
                "encodingType": "application/geo+json",
                "location": {"type": "Point", "coordinates": place},
            }
        ],
        "Datastreams": [
            {
                "name": f"Level {number}",
                "description": "Water level",
                "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
                "unitOfMeasurement": {
                    "name": "centimetre",
                    "symbol": "cm",
                    "definition": "ucum:cm",
                },
                "Sensor": {
                    "name": "Ultrasound",
                    "description": "A made-up sensor",
                    "encodingType": "text/html",
                    "metadata": "https://example.org/sensor",
                },
                "ObservedProperty": {
                    "name": "Water level",
                    "definition": "https://example.org/level",
                    "description": "Above zero",
                },
            }
        ],
    }


Row = tuple[Any, list[Any]]


def rows_of(stream: Stream, count: int, step: timedelta) -> Iterator[Row]:
    """(datastream, row) of readings that end shortly before `END`."""
    start = END - count * step
    for number in range(count):
        time = start + number * step
        yield stream.key, [_iso(time), _iso(time + timedelta(milliseconds=850)), level(number)]


def level(number: int) -> float:
    """Tides, a little noise, one decimal: what a level sensor says."""
    return round(80 + 20 * math.sin(number / 40) + _NOISE.gauss(0, 0.5), 1)


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def fill(server: Server, rows: Iterator[Row]) -> None:
    """Send the rows one request after another."""
    while part := [row for _, row in zip(range(_ROWS), rows, strict=False)]:
        load(server, [bulk(part)], clients=1)


def bulk(rows: Sequence[Row]) -> Request:
    """One CreateObservations of all the rows."""
    groups: dict[Any, list[list[Any]]] = {}
    for key, row in rows:
        groups.setdefault(key, []).append(row)
    document = [
        {
            "Datastream": {"@iot.id": key},
            "components": _COMPONENTS,
            "dataArray@iot.count": len(listed),
            "dataArray": listed,
        }
        for key, listed in groups.items()
    ]
    return Request("/CreateObservations", json.dumps(document).encode())


def later(world: World, count: int, *, many: int) -> Iterator[list[Row]]:
    """Batches of `many` readings each, newer than all there are, of each datastream in turn."""
    for batch in range(count):
        time = END + timedelta(seconds=batch)
        streams = (world.streams[(batch * many + i) % len(world.streams)] for i in range(many))
        yield [
            (s.key, [_iso(time + timedelta(microseconds=1000 * i)), _iso(time), level(batch + i)])
            for i, s in enumerate(streams)
        ]


def single(world: World, number: int) -> Request:
    """One Observation by a POST of its own."""
    stream = world.streams[number % len(world.streams)]
    time = _iso(END + timedelta(days=1, seconds=number))
    body = {"phenomenonTime": time, "resultTime": time, "result": level(number)}
    return Request(f"{stream.path}/Observations", json.dumps(body).encode())
