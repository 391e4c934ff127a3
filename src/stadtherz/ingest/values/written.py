"""Values as devices write them for people: a number with its unit behind it, `3,4 m` or `21 °C`.

The units are those of everyday devices. Each has its UCUM code and how it becomes the unit that its kind
is counted in, so that no tables are loaded for a reading (`unit_tables` has all of UCUM).
"""

import re
from dataclasses import dataclass
from typing import Any

from stadtherz.ingest.values.convertible import Conversion, Inconvertible, Obstacle
from stadtherz.ingest.values.numbers import number_of
from stadtherz.ingest.values.units import SYMBOLS

_QUANTITY = re.compile(
    r"([+\-−]?[\d.,][\d.,'’\u00a0\u202f ]*?(?:[eE][+-]?\d{1,3})?)(\s*)((?:[^\W\d_]|[°%\"\[]).{0,19})"
)

# Kind, factor and offset: value * factor + offset is in the first unit of the kind.
_SCALES: dict[str, tuple[str, float, float]] = {
    "Cel": ("temperature", 1, 0), "K": ("temperature", 1, -273.15), "[degF]": ("temperature", 5 / 9, -160 / 9),
    "m": ("length", 1, 0), "dm": ("length", 1e-1, 0), "cm": ("length", 1e-2, 0), "mm": ("length", 1e-3, 0),
    "um": ("length", 1e-6, 0), "km": ("length", 1e3, 0), "[in_i]": ("length", 0.0254, 0), "[ft_i]": ("length", 0.3048, 0),
    "m/s": ("speed", 1, 0), "km/h": ("speed", 1 / 3.6, 0), "[mi_i]/h": ("speed", 0.44704, 0), "[kn_i]": ("speed", 1852 / 3600, 0),
    "Pa": ("pressure", 1, 0), "hPa": ("pressure", 1e2, 0), "mbar": ("pressure", 1e2, 0), "kPa": ("pressure", 1e3, 0), "MPa": ("pressure", 1e6, 0),
    "bar": ("pressure", 1e5, 0), "[in_i'Hg]": ("pressure", 3386.3788, 0),
    "%": ("share", 1e-2, 0), "1": ("share", 1, 0), "[ppm]": ("share", 1e-6, 0), "[ppb]": ("share", 1e-9, 0),
    "V": ("voltage", 1, 0), "mV": ("voltage", 1e-3, 0), "A": ("current", 1, 0), "mA": ("current", 1e-3, 0),
    "W": ("power", 1, 0), "kW": ("power", 1e3, 0), "mW": ("power", 1e-3, 0), "MW": ("power", 1e6, 0),
    "W.h": ("energy", 1, 0), "kW.h": ("energy", 1e3, 0), "MW.h": ("energy", 1e6, 0), "J": ("energy", 1 / 3600, 0),
    "L": ("volume", 1e-3, 0), "mL": ("volume", 1e-6, 0), "m3": ("volume", 1, 0),
    "L/s": ("flow", 1e-3, 0), "L/min": ("flow", 1e-3 / 60, 0), "L/h": ("flow", 1e-3 / 3600, 0),
    "m3/h": ("flow", 1 / 3600, 0), "m3/s": ("flow", 1, 0),
    "ug/m3": ("density", 1e-6, 0), "mg/m3": ("density", 1e-3, 0), "mg/L": ("density", 1, 0), "g/L": ("density", 1e3, 0),
    "s": ("time", 1, 0), "ms": ("time", 1e-3, 0), "min": ("time", 60, 0), "h": ("time", 3600, 0), "d": ("time", 86400, 0),
    "Hz": ("frequency", 1, 0), "kHz": ("frequency", 1e3, 0), "MHz": ("frequency", 1e6, 0),
    "g": ("mass", 1e-3, 0), "kg": ("mass", 1, 0), "t": ("mass", 1e3, 0),
    "uS/cm": ("conductivity", 1e-4, 0), "mS/cm": ("conductivity", 1e-1, 0), "S/m": ("conductivity", 1, 0),
    "mm/h": ("rate of rain", 1, 0), "deg": ("angle", 1, 0), "lx": ("illuminance", 1, 0), "W/m2": ("irradiance", 1, 0),
    "dB[SPL]": ("sound", 1, 0), "dB": ("ratio of levels", 1, 0), "dB[mW]": ("level of power", 1, 0), "[pH]": ("acidity", 1, 0),
    "Ohm": ("resistance", 1, 0), "kOhm": ("resistance", 1e3, 0), "[NTU]": ("turbidity", 1, 0),
}  # fmt: skip
# As people and devices write them. Large and small letters count where they tell units apart (mW, MW).
_WRITTEN = {
    **{code: code for code in _SCALES if "[" not in code and code != "1"},
    **{symbol: code for code, symbol in SYMBOLS.items() if symbol and code in _SCALES},
    "c": "Cel", "°c": "Cel", "celsius": "Cel", "degc": "Cel", "grad celsius": "Cel", "grad c": "Cel",
    "f": "[degF]", "°f": "[degF]", "degf": "[degF]", "fahrenheit": "[degF]", "°k": "K", "kelvin": "K", "%rh": "%", "% rh": "%", "%rf": "%", "% rf": "%", "r.h.": "%",
    "percent": "%", "prozent": "%", "meter": "m", "zentimeter": "cm", "millimeter": "mm", "müm": "mm", "m ü. nhn": "m", "mnn": "m",
    "kmh": "km/h", "kph": "km/h", "mph": "[mi_i]/h", "kn": "[kn_i]", "kt": "[kn_i]", "kts": "[kn_i]", "ms-1": "m/s", "m s-1": "m/s",
    "lux": "lx", "volt": "V", "ampere": "A", "watt": "W", "kwh": "kW.h", "wh": "W.h", "mwh": "MW.h", "liter": "L", "litre": "L", "ml": "mL",
    "m³": "m3", "cbm": "m3", "qm³": "m3", "l/s": "L/s", "l/min": "L/min", "l/h": "L/h", "m³/h": "m3/h", "m³/s": "m3/s", "cbm/s": "m3/s", "m3s": "m3/s",
    "ppm": "[ppm]", "ppb": "[ppb]", "µg/m3": "ug/m3", "µg/m³": "ug/m3", "μg/m³": "ug/m3", "μg/m3": "ug/m3", "ug/m³": "ug/m3", "mg/m³": "mg/m3", "mg/l": "mg/L",
    "dba": "dB[SPL]", "db(a)": "dB[SPL]", "db": "dB[SPL]", "dbm": "dB[mW]", "sek": "s", "sec": "s", "std": "h", "minuten": "min", "tage": "d",
    "l/m²": "mm", "l/m2": "mm", "w/m²": "W/m2", "in": "[in_i]", "inch": "[in_i]", "\"": "[in_i]", "ft": "[ft_i]", "inhg": "[in_i'Hg]", "µs/cm": "uS/cm", "μs/cm": "uS/cm",
    "µm": "um", "μm": "um", "°": "deg", "grad": "deg", "ph": "[pH]", "ω": "Ohm", "kω": "kOhm", "ohm": "Ohm", "ntu": "[NTU]", "fnu": "[NTU]", "hertz": "Hz", "m3/m3": "1", "m³/m³": "1", "vol%": "%", "vol-%": "%",
}  # fmt: skip
# As trade writes them (UN/CEFACT Recommendation 20), and context brokers therefore.
_TRADE = {
    "CEL": "Cel", "FAH": "[degF]", "KEL": "K", "MTR": "m", "CMT": "cm", "MMT": "mm", "KMT": "km", "MTS": "m/s", "KMH": "km/h",
    "PAL": "Pa", "A97": "hPa", "MBR": "mbar", "KPA": "kPa", "P1": "%", "C62": "1", "DD": "deg", "LTR": "L", "MTQ": "m3",
    "GP": "mg/m3", "GQ": "ug/m3", "VLT": "V", "2Z": "mV", "AMP": "A", "4K": "mA", "WTT": "W", "KWT": "kW", "WHR": "W.h", "KWH": "kW.h",
    "LUX": "lx", "2N": "dB", "MQH": "m3/h", "MQS": "m3/s", "G51": "L/s", "D54": "W/m2", "HTZ": "Hz",
}  # fmt: skip
_POWERS = re.compile(r"(\S{1,6})[⋅·*. ]([^\W\d]{1,4})⁻([¹²³])")
_RAISED = str.maketrans("²³", "23")
_ANYHOW = {text.lower(): code for text, code in reversed(_WRITTEN.items())}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and the UCUM code of its unit, empty where nobody here knows what is `written`."""

    number: float
    unit: str
    written: str


def unit_of(text: Any) -> str:
    """The UCUM code of a unit as devices write it; empty for one that is not known."""
    if not isinstance(text, str):
        return ""
    if text in _SCALES or text in _TRADE:
        return _TRADE.get(text, text)
    plain = _with_slash(" ".join(text.strip().strip("[]()").split()))
    return _WRITTEN.get(plain) or _ANYHOW.get(plain.lower(), "")


def _with_slash(unit: str) -> str:
    """`W⋅m⁻²` as `W/m2`."""
    match = _POWERS.fullmatch(unit)
    if match is None:
        return unit
    power = {"¹": "", "²": "2", "³": "3"}[match[3]]
    return f"{match[1].translate(_RAISED)}/{match[2]}{power}"


def is_convertible(code: str) -> bool:
    """Whether a value in this unit, UCUM, can be turned into another of its kind here."""
    return code in _SCALES


def quantity_of(raw: Any) -> Quantity | None:
    """The number and unit of a text that has both.

    >>> quantity_of("3,4 m"), quantity_of("21.5"), quantity_of("dry")
    (Quantity(number=3.4, unit='m', written='m'), None, None)
    """
    match = _QUANTITY.fullmatch(raw.strip()) if isinstance(raw, str) and len(raw) <= 60 else None
    if match is None or (number := number_of(match[1])) is None:
        return None
    unit = unit_of(match[3])
    return Quantity(number, unit, match[3]) if unit or match[2] else None  # 12ab is no quantity


def between(source: str, target: str) -> Conversion:
    """How a value in one of these units becomes one in another. Raises Inconvertible.

    >>> between("cm", "m")
    Conversion(factor=0.01, offset=0.0)
    """
    if source == target:
        return Conversion()
    if source not in _SCALES or target not in _SCALES:
        raise Inconvertible(Obstacle.UNKNOWN, source, target)
    (kind, factor, offset), (wanted, divisor, less) = _SCALES[source], _SCALES[target]
    if kind != wanted:
        raise Inconvertible(Obstacle.OTHER_KIND, source, target)
    return Conversion(factor / divisor, (offset - less) / divisor)


def in_unit(quantity: Quantity, expected: str) -> float:
    """Its number in the unit that is expected, UCUM. Raises Inconvertible.

    Of what is counted the words behind the number are no unit: "12 cars".
    """
    if expected == "1" and not quantity.unit:
        return quantity.number
    if not quantity.unit:
        raise Inconvertible(Obstacle.UNKNOWN, quantity.written, expected)
    way = between(quantity.unit, expected)
    return quantity.number * way.factor + way.offset
