"""Real measurements of other rivers, packaged with their licence (recordings/SOURCES.md)."""

import csv
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from stadtherz.base.time import MINUTE, Micros, parse_instant


@dataclass(frozen=True, slots=True)
class Source:
    """Where a recording comes from, in the words a page shows."""

    text: str
    measured_at: str
    licence: str
    licence_url: str
    attribution: str


_USGS = {
    "text": "U.S. Geological Survey",
    "licence": "Public Domain",
    "licence_url": "https://www.usgs.gov/information-policies-and-instructions/copyrights-and-credits",
    "attribution": "U.S. Geological Survey, public domain",
}
DEAD_RUN = Source(measured_at="Dead Run, Franklintown, Maryland (USGS 01589330), 06/2018", **_USGS)
GROUNDWATER = Source(measured_at="USGS 394008077005601, Maryland, 01/2018", **_USGS)


@dataclass(frozen=True, slots=True)
class Row:
    """One recorded moment: microseconds since the recording began, and what was measured."""

    offset: Micros
    values: Mapping[str, float]


@cache
def rows(name: str) -> tuple[Row, ...]:
    """All rows of a packaged recording, in order of time."""
    packed = (resources.files(__package__) / "recordings" / f"{name}.csv.gz").read_bytes()
    lines = csv.DictReader(gzip.decompress(packed).decode().splitlines())
    moments = [(parse_instant(line.pop("time")), line) for line in lines]
    began = moments[0][0]
    return tuple(
        Row(moment - began, {key: float(value) for key, value in line.items()})
        for moment, line in moments
    )


@dataclass(frozen=True, slots=True)
class Station:
    """A device of the demo city and the part of a recording it plays.

    Rows before `live_from` are its history; from there on they come as uplinks, `step` apart.
    """

    key: str
    name: str
    network: str  # "tts" or "chirpstack": whose documents it sends
    dev_eui: str
    recording: str
    source: Source
    place: str
    longitude: float
    latitude: float
    fields: Mapping[str, str]  # payload field -> datastream key
    live_from: int
    step: Micros

    def row(self, number: int) -> Row:
        """The row after `number` live uplinks; the recording begins again at its end."""
        recording = rows(self.recording)
        return recording[(self.live_from + number) % len(recording)]


STATIONS = (
    Station(
        key="lauter",
        name="Pegel Lauterstraße",
        network="tts",
        dev_eui="70B3D57ED0060001",
        recording="dead-run-2018-06",
        source=DEAD_RUN,
        place="Lauterstraße",
        longitude=7.7668,
        latitude=49.4487,
        fields={"level_cm": "lauter.level", "discharge_m3s": "lauter.discharge"},
        live_from=2930,  # the next row rises over the pre-warning step of a real flash flood
        step=5 * MINUTE,
    ),
    Station(
        key="eselsbach",
        name="Pegel Eselsbach",
        network="chirpstack",
        dev_eui="70B3D57ED0060002",
        recording="dead-run-2018-06",
        source=DEAD_RUN,
        place="Gartenschau",
        longitude=7.7508,
        latitude=49.4490,
        fields={"level_cm": "eselsbach.level"},
        live_from=5640,
        step=5 * MINUTE,
    ),
    Station(
        key="volkspark",
        name="Grundwasser Volkspark",
        network="tts",
        dev_eui="70B3D57ED0060003",
        recording="groundwater-2018-01",
        source=GROUNDWATER,
        place="Volkspark",
        longitude=7.7905,
        latitude=49.4437,
        fields={"depth_cm": "volkspark.groundwater"},
        live_from=1100,
        step=30 * MINUTE,
    ),
)
NEIGHBOUR = Station(
    key="neighbour",
    name="Pegel Otterbach (intern)",
    network="tts",
    dev_eui="70B3D57ED0060004",
    recording="dead-run-2018-06",
    source=DEAD_RUN,
    place="Otterbach",
    longitude=7.7345,
    latitude=49.4560,
    fields={"level_cm": "neighbour.level"},
    live_from=3500,
    step=5 * MINUTE,
)
