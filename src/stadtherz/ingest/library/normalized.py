"""The Things Stack's vocabulary of normalized payloads: what a value of such a name is, and in which unit.

Makers write beside an example's values the same ones in this vocabulary (`normalizedOutput`), so a field called `field2` that
equals `air.co2` is carbon dioxide in ppm. Source: The Things Industries, device repository, payload schema (names and units).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stadtherz.ingest.library.proposals import Proposal, proposal
from stadtherz.ingest.values.numbers import number_of

# Name as `proposals` knows it, and UCUM code.
VOCABULARY = {
    "battery": ("battery voltage", "V"),
    "temperature": ("temperature", "Cel"), "air.temperature": ("temperature", "Cel"), "leaf.temperature": ("leaf temperature", "Cel"),
    "air.relativeHumidity": ("humidity", "%"), "air.pressure": ("pressure", "hPa"), "air.co2": ("co2", "[ppm]"),
    "air.lightIntensity": ("illuminance", "lx"), "air.pm1_0": ("pm1", "ug/m3"), "air.pm2_5": ("pm2_5", "ug/m3"), "air.pm10": ("pm10", "ug/m3"),
    "air.tvoc": ("tvoc", "[ppb]"), "air.solarIrradiance": ("irradiance", "W/m2"), "air.iaqIndex": ("iaq index", "1"), "air.par": ("par", "umol/m2/s"),
    "soil.temperature": ("soil temperature", "Cel"), "soil.moisture": ("soil moisture", "%"), "soil.ec": ("ec", "dS/m"), "soil.pH": ("ph", "[pH]"),
    "soil.depth": ("soil depth", "cm"), "soil.n": ("soil nitrogen", "[ppm]"), "soil.p": ("soil phosphorus", "[ppm]"), "soil.k": ("soil potassium", "[ppm]"),
    "leaf.wetness": ("leaf wetness", "%"),
    "wind.speed": ("wind speed", "m/s"), "wind.direction": ("wind direction", "deg"),
    "rain.intensity": ("rain rate", "mm/h"), "rain.cumulative": ("rain", "mm"),
    "water.temperature.current": ("water temperature", "Cel"), "water.temperature.min": ("water temperature", "Cel"),
    "water.temperature.max": ("water temperature", "Cel"), "water.temperature.avg": ("water temperature", "Cel"),
    "water.level": ("water level", "m"), "water.ec": ("ec", "uS/cm"), "water.ph": ("ph", "[pH]"), "water.turbidity": ("turbidity", "[NTU]"),
    "water.dissolvedOxygen": ("dissolved oxygen", "mg/L"), "water.residualChlorine": ("residual chlorine", "mg/L"), "water.orp": ("redox potential", "mV"),
    "metering.water.total": ("volume", "L"), "metering.energy.total": ("energy", "W.h"),
    "tank.distance": ("distance", "m"), "tank.volume": ("volume", "L"), "pressure.gauge": ("pressure", "kPa"), "pressure.absolute": ("pressure", "kPa"),
    "pressure.differential": ("pressure", "Pa"), "power.voltage": ("voltage", "V"), "power.current": ("current", "A"), "power.active": ("power", "W"),
    "power.frequency": ("frequency", "Hz"), "analog.current": ("current", "mA"), "analog.voltage": ("voltage", "V"), "sound.level": ("sound", "dB[SPL]"),
    "tilt.angle": ("tilt", "deg"), "tilt.x": ("tilt x", "deg"), "tilt.y": ("tilt y", "deg"), "tilt.z": ("tilt z", "deg"),
    "people.in": ("people in", "1"), "people.out": ("people out", "1"), "people.present": ("people", "1"), "pulse.total": ("pulses", "1"),
    "pulse.count": ("pulses", "1"), "action.motion.count": ("motion count", "1"),
}  # fmt: skip
_DEEPEST = 4
_MOST_VOLTS = 20.0  # a "battery" above it is written in percent against the vocabulary


def meanings(values: Mapping[str, float], normalized: Any) -> dict[str, Proposal]:
    """What the values by path are, as far as exactly one of them equals a normalized one."""
    found: dict[str, Proposal] = {}
    for told, number in _leaves(normalized, "", _DEEPEST):
        alike = [path for path, value in values.items() if math.isclose(value, number)]
        if len(alike) == 1 and not (told == "battery" and number > _MOST_VOLTS):
            name, unit = VOCABULARY[told]
            found.setdefault(alike[0], proposal(alike[0], name, number, unit))
    return found


def unit_at(path: str) -> str:
    """The unit, UCUM, of a normalized value; empty for a path that the vocabulary does not have."""
    return VOCABULARY[path][1] if path in VOCABULARY else ""


def _leaves(holder: Any, path: str, depth: int) -> Iterator[tuple[str, float]]:
    """The numbers that the vocabulary knows, of one measurement or of several."""
    if depth == 0:
        return
    if isinstance(holder, Sequence) and not isinstance(holder, str):
        for each in holder[:1] if path else holder:
            yield from _leaves(each, path, depth)
    elif isinstance(holder, Mapping):
        for name, each in holder.items():
            yield from _leaves(each, f"{path}.{name}" if path else str(name), depth - 1)
    elif path in VOCABULARY and not isinstance(holder, bool):
        number = number_of(holder)
        if number is not None:
            yield path, number
