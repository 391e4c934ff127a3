"""Cayenne LPP: payloads that say themselves what they hold (channel, type, value, and so on).

A type is the number of an IPSO object less 3200. A value is called by its type and channel:
`temperature_1`; a place is `gps_1` with latitude, longitude and altitude.
"""

from dataclasses import dataclass
from typing import Any

from stadtherz.codecs.outcomes import Decoded, Failed, Fault, Outcome


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    size: int  # bytes of each part
    factor: float = 1.0
    signed: bool = False
    unit: str = ""  # UCUM
    parts: tuple[str, ...] = ()
    factors: tuple[float, ...] = ()


_XYZ = ("x", "y", "z")
_KINDS = {
    0: _Kind("digital_in", 1),
    1: _Kind("digital_out", 1),
    2: _Kind("analog_in", 2, 0.01, signed=True),
    3: _Kind("analog_out", 2, 0.01, signed=True),
    100: _Kind("generic", 4),
    101: _Kind("luminosity", 2, unit="lx"),
    102: _Kind("presence", 1),
    103: _Kind("temperature", 2, 0.1, signed=True, unit="Cel"),
    104: _Kind("relative_humidity", 1, 0.5, unit="%"),
    113: _Kind("accelerometer", 2, 0.001, signed=True, unit="[g]", parts=_XYZ),
    115: _Kind("barometric_pressure", 2, 0.1, unit="hPa"),
    116: _Kind("voltage", 2, 0.01, unit="V"),
    117: _Kind("current", 2, 0.001, unit="A"),
    118: _Kind("frequency", 4, unit="Hz"),
    120: _Kind("percentage", 1, unit="%"),
    121: _Kind("altitude", 2, signed=True, unit="m"),
    125: _Kind("concentration", 2, unit="[ppm]"),
    128: _Kind("power", 2, unit="W"),
    130: _Kind("distance", 4, 0.001, unit="m"),
    131: _Kind("energy", 4, 0.001, unit="kW.h"),
    132: _Kind("direction", 2, unit="deg"),
    133: _Kind("unix_time", 4, unit="s"),
    134: _Kind("gyrometer", 2, 0.01, signed=True, unit="deg/s", parts=_XYZ),
    135: _Kind("colour", 1, parts=("r", "g", "b")),
    136: _Kind(
        "gps",
        3,
        signed=True,
        parts=("latitude", "longitude", "altitude"),
        factors=(0.0001, 0.0001, 0.01),
    ),
    142: _Kind("switch", 1),
}
_UNITS = {kind.name: kind.unit for kind in _KINDS.values() if kind.unit}
_DIGITS = 6


def decode(payload: bytes) -> Outcome:
    """All values of the payload, or the place at which it is no Cayenne LPP."""
    data: dict[str, Any] = {}
    at = 0
    while at < len(payload):
        if at + 2 > len(payload):
            return Failed(Fault.TOO_SHORT, f"byte {at}")
        channel, kind = payload[at], _KINDS.get(payload[at + 1])
        if kind is None:
            return Failed(Fault.UNREADABLE, f"type {payload[at + 1]} at byte {at + 1}")
        at += 2
        end = at + kind.size * (len(kind.parts) or 1)
        if end > len(payload):
            return Failed(Fault.TOO_SHORT, f"{kind.name}_{channel}")
        data[f"{kind.name}_{channel}"] = _value(kind, payload[at:end])
        at = end
    return Decoded(data) if data else Failed(Fault.TOO_SHORT, "0 bytes")


def _value(kind: _Kind, part: bytes) -> float | dict[str, float]:
    if not kind.parts:
        return _number(part, kind.factor, signed=kind.signed)
    factors = kind.factors or (kind.factor,) * len(kind.parts)
    return {
        name: _number(part[place * kind.size :][: kind.size], factor, signed=kind.signed)
        for place, (name, factor) in enumerate(zip(kind.parts, factors, strict=True))
    }


def _number(part: bytes, factor: float, *, signed: bool) -> float:
    raw = int.from_bytes(part, "big", signed=signed)
    return raw if factor == 1 else round(raw * factor, _DIGITS)


def unit_of(name: str) -> str:
    """The unit (UCUM) of a value by its name, such as temperature_1; empty if it has none."""
    return _UNITS.get(name.rpartition("_")[0], "")
