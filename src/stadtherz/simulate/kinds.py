"""The kinds of devices a simulated city has: what each measures, and the bytes it says it in.

One speaks Cayenne LPP, one a plain row of bytes, one needs a script, and one is decoded by its
network, so that every way of the pipeline is used.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stadtherz.base.time import MINUTE, Micros
from stadtherz.base.units import DEGREE_CELSIUS, PERCENT, Unit
from stadtherz.base.vocabulary import BATTERY, WATER_LEVEL, Observable
from stadtherz.simulate import values

Values = Mapping[str, float]
Measure = Callable[[int, int, Micros, Micros], Values]

_BYTE_MAP = """\
# a gauge: level in tenths of a centimetre, battery in percent
level_cm 0 u16be *0.1 cm
battery  2 u8 %
"""

_SCRIPT = """\
// A counter of bicycles: two bytes the number since the last message, one byte the battery.
function decodeUplink(input) {
  var bytes = input.bytes;
  if (bytes.length < 3) return { errors: ["three bytes are expected"] };
  var number = (bytes[0] << 8) | bytes[1];
  if (number === 0xffff) return { errors: ["the counter reports a fault"] };
  return { data: { bicycles: number, battery: bytes[2] } };
}
"""

_AIR_TEMPERATURE = Observable(
    "air_temperature",
    "Air temperature",
    "Temperature of the air two metres above the ground",
    "http://vocab.nerc.ac.uk/standard_name/air_temperature/",
    DEGREE_CELSIUS,
)
_HUMIDITY = Observable(
    "relative_humidity",
    "Relative humidity",
    "Water vapour in the air as a share of what it could hold",
    "http://vocab.nerc.ac.uk/standard_name/relative_humidity/",
    PERCENT,
)
_BICYCLES = Observable(
    "bicycles",
    "Bicycles",
    "Bicycles that passed since the last message",
    "https://qudt.org/vocab/quantitykind/Count",
    Unit("1", "one", ""),
)
_PM10 = Observable(
    "pm10",
    "PM10",
    "Mass of particles up to 10 micrometres in the air",
    "http://vocab.nerc.ac.uk/standard_name/mass_concentration_of_pm10_ambient_aerosol_particles_in_air/",
    Unit("ug/m3", "microgram per cubic metre", "µg/m³"),
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One value of the payload: where it stands once decoded, and within which limits it is possible."""

    path: str
    observed: Observable
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Coding:
    """How the product is to read the bytes: a codec's kind, its name and its text."""

    kind: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Kind:
    """`fault` are the values, by path, that a broken sensor of this kind reports."""

    key: str
    label: str  # the beginning of the devices' names; data, in the language of the city
    description: str
    f_port: int
    interval: Micros
    quantities: tuple[Quantity, ...]
    measure: Measure
    pack: Callable[[Values], bytes]
    fault: Values
    coding: Coding | None  # None: the network decodes


def _climate(city: int, place: int, at: Micros, _interval: Micros) -> Values:
    return {
        "temperature_1": round(values.temperature(city, place, at), 1),
        "relative_humidity_2": round(values.humidity(city, place, at) * 2) / 2,
    }


def _gauge(city: int, place: int, at: Micros, _interval: Micros) -> Values:
    return {
        "level_cm": round(values.level(city, place, at), 1),
        "battery": round(values.battery(place, at)),
    }


def _counter(city: int, place: int, at: Micros, interval: Micros) -> Values:
    return {
        "bicycles": values.bicycles(city, place, at, interval),
        "battery": round(values.battery(place, at)),
    }


def _air(city: int, place: int, at: Micros, _interval: Micros) -> Values:
    return {
        "pm10": round(values.fine_dust(city, place, at), 1),
        "temperature": round(values.temperature(city, place, at), 1),
    }


def _pack_climate(told: Values) -> bytes:
    tenths, halves = round(told["temperature_1"] * 10), round(told["relative_humidity_2"] * 2)
    return struct.pack(">BBhBBB", 1, 103, tenths, 2, 104, halves)


def _pack_gauge(told: Values) -> bytes:
    return struct.pack(">HB", min(0xFFFF, round(told["level_cm"] * 10)), int(told["battery"]))


def _pack_counter(told: Values) -> bytes:
    return struct.pack(">HB", min(0xFFFF, int(told["bicycles"])), int(told["battery"]))


def _pack_air(told: Values) -> bytes:
    return struct.pack(">hh", round(told["pm10"] * 10), round(told["temperature"] * 10))


KINDS: tuple[Kind, ...] = (
    Kind(
        key="climate",
        label="Klima",
        description="Simulated climate sensor; sends Cayenne LPP",
        f_port=2,
        interval=10 * MINUTE,
        quantities=(
            Quantity("temperature_1", _AIR_TEMPERATURE, -45, 60),
            Quantity("relative_humidity_2", _HUMIDITY, 0, 100),
        ),
        measure=_climate,
        pack=_pack_climate,
        fault={"temperature_1": 3276.7},
        coding=Coding("cayenne", "Simulator: climate (Cayenne LPP)", ""),
    ),
    Kind(
        key="gauge",
        label="Pegel",
        description="Simulated water gauge; sends a row of bytes",
        f_port=1,
        interval=10 * MINUTE,
        quantities=(
            Quantity("level_cm", WATER_LEVEL, -50, 1000),
            Quantity("battery", BATTERY, 0, 100),
        ),
        measure=_gauge,
        pack=_pack_gauge,
        fault={"level_cm": 6553.5},
        coding=Coding("bytes", "Simulator: gauge (byte map)", _BYTE_MAP),
    ),
    Kind(
        key="counter",
        label="Radzählung",
        description="Simulated counter of bicycles; its bytes need a script",
        f_port=10,
        interval=15 * MINUTE,
        quantities=(
            Quantity("bicycles", _BICYCLES, 0, 10_000),
            Quantity("battery", BATTERY, 0, 100),
        ),
        measure=_counter,
        pack=_pack_counter,
        fault={"bicycles": 65_535},
        coding=Coding("javascript", "Simulator: counter (JavaScript)", _SCRIPT),
    ),
    Kind(
        key="air",
        label="Luftgüte",
        description="Simulated air quality sensor; its network decodes",
        f_port=3,
        interval=5 * MINUTE,
        quantities=(
            Quantity("pm10", _PM10, 0, 1000),
            Quantity("temperature", _AIR_TEMPERATURE, -45, 60),
        ),
        measure=_air,
        pack=_pack_air,
        fault={"pm10": -999.0},
        coding=None,
    ),
)
