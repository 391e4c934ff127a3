"""From the unit of a payload's value to that of its datastream: a factor and an offset, worked out once.

Units are UCUM codes (https://ucum.org/ucum): `mm`, `Cel`, `[degF]`, `%`. The tables of units weigh 40 MB
and take a second to read, so they are loaded when the first two units differ, never for a reading.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from stadtherz.ingest.values.convertible import Conversion, Inconvertible, Obstacle

__all__ = ["SYMBOLS", "Conversion", "Inconvertible", "Obstacle", "code_of", "conversion"]

SYMBOLS = {"Cel": "°C", "[ppm]": "ppm", "[ppb]": "ppb", "ug/m3": "µg/m³", "m3": "m³", "deg": "°",
    "dB[SPL]": "dB", "uS/cm": "µS/cm", "m3/s": "m³/s", "kW.h": "kWh", "[pH]": "pH", "1": "", "[degF]": "°F", "[in_i]": "in", "[in_i]/h": "in/h", "[in_i'Hg]": "inHg",
    "[mi_i]/h": "mph", "[kn_i]": "kn", "[ft_i]": "ft", "m3/h": "m³/h", "W/m2": "W/m²", "um": "µm", "W.h": "Wh"}  # fmt: skip
"""What people read, where it is not the code itself."""

_CODES = {symbol: code for code, symbol in SYMBOLS.items() if symbol}


@lru_cache(maxsize=256)
def conversion(source: str, target: str) -> Conversion:
    """How a value in `source` becomes one in `target`, both UCUM codes. Raises Inconvertible.

    >>> conversion("mm", "cm")
    Conversion(factor=0.1, offset=0.0)
    """
    if source == target:
        return Conversion()
    from stadtherz.ingest.values.unit_tables import converted  # noqa: PLC0415 - only now, it is heavy

    start, one, two = (converted(value, source, target) for value in (0, 1, 2))
    if two - one != one - start:
        raise Inconvertible(Obstacle.NOT_LINEAR, source, target)
    try:
        return Conversion(float(one - start), float(start))
    except OverflowError as problem:
        raise Inconvertible(Obstacle.UNKNOWN, source, target) from problem


def code_of(unit_of_measurement: Mapping[str, Any] | None) -> str:
    """The UCUM code of a SensorThings unit: of its definition, else of its symbol; may be empty."""
    unit = unit_of_measurement or {}
    definition, symbol = str(unit.get("definition") or ""), str(unit.get("symbol") or "")
    if definition.startswith("ucum:"):
        return definition.removeprefix("ucum:")
    return _CODES.get(symbol, symbol)
