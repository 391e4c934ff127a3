"""What a decoded example measures: a value's path, its property and unit, as far as its name tells.

Names are the makers': `temperature`, `TempC_SHT`, `water_level_cm`, `batV`. What the name does not tell
stays open, and staff complete it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from stadtherz.base.units import Unit
from stadtherz.base.vocabulary import DISCHARGE, KNOWN, WATER_TEMPERATURE, Observable
from stadtherz.ingest.units import SYMBOLS, Inconvertible, conversion

_DEEPEST = 4
_MOST = 60
_QUDT = "https://qudt.org/vocab/quantitykind/"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A datastream that a device could have."""

    path: str
    name: str
    unit: str  # UCUM; 1 where it has none or the name does not tell it
    definition: str
    example: float | None = None

    def told(self) -> dict[str, Any]:
        return asdict(self)


def observable(told: Mapping[str, Any]) -> Observable:
    """A kept proposal as an observed property."""
    ucum, definition = str(told["unit"]), str(told["definition"])
    unit = Unit(ucum, SYMBOLS.get(ucum, ucum) or "–", SYMBOLS.get(ucum, ucum))
    if definition in KNOWN:
        known = KNOWN[definition]
        return known if _fits(ucum, known.unit.ucum) else replace(known, unit=unit)
    # One property for one definition: "Soil temperature" is a datastream's name, not another property.
    is_quantity = definition.startswith(_QUDT)
    name = _readable(definition.removeprefix(_QUDT)) if is_quantity else str(told["name"])
    return Observable(re.sub(r"\W+", "_", name.lower()), name, name, definition, unit)


def _fits(ucum: str, known: str) -> bool:
    try:
        conversion(ucum, known)
    except Inconvertible:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Meaning:
    pattern: str
    name: str
    quantity: str
    unit: str


# The first that fits; patterns see the name in lower case with _ between its words.
_MEANINGS = [
    _Meaning(r"(bat(tery|terie)?|akku)(_?(level|soc|percent\w*|percentage|remaining|capacity|stand|ladung|prozent))?", "Battery level", "StateOfCharge", "%"),
    _Meaning(r"(bat(tery|terie)?|akku|vbat|v_bat)(_?(v|volt\w*|mv|status_v|spannung\w*))?", "Battery voltage", "Voltage", "V"),
    _Meaning(r".*(water|wasser|ground\w*)_?temp\w*", "Water temperature", WATER_TEMPERATURE.definition, "Cel"),
    _Meaning(r".*soil\w*_temp\w*|temp\w*_soil|.*boden_?temp\w*", "Soil temperature", "Temperature", "Cel"),
    _Meaning(r".*temp(erature|eratur|c|f|in)?\d?f?(_\w+)?|tmp|t(_?[cf])?|taupunkt\w*|dew_?point\w*", "Temperature", "Temperature", "Cel"),
    _Meaning(r".*(soil|water)\w*_?(moisture|content)\w*|.*moisture\w*|vwc|.*boden\w*feuchte\w*", "Soil moisture", "VolumeFraction", "%"),
    _Meaning(r".*(hum(idity)?(in)?\d?|rh|feuchte|feuchtigkeit)(_\w+)?", "Relative humidity", "RelativeHumidity", "%"),
    _Meaning(r"e?co2\w*", "Carbon dioxide", "AmountOfSubstanceFraction", "[ppm]"),
    _Meaning(r"t?voc\w*", "Volatile organic compounds", "AmountOfSubstanceFraction", "[ppb]"),
    _Meaning(r"no2(_\w+)?|stickstoffdioxid", "Nitrogen dioxide", "MassConcentration", "ug/m3"),
    _Meaning(r"o3(_\w+)?|ozone?", "Ozone", "MassConcentration", "ug/m3"),
    _Meaning(r"(.*_)?p2", "Particulate matter PM2.5", "MassConcentration", "ug/m3"),
    _Meaning(r"(.*_)?p1", "Particulate matter PM10", "MassConcentration", "ug/m3"),
    _Meaning(r"pm_?2_?\.?5\w*", "Particulate matter PM2.5", "MassConcentration", "ug/m3"),
    _Meaning(r"pm_?10\w*", "Particulate matter PM10", "MassConcentration", "ug/m3"),
    _Meaning(r".*(laeq|la_?max|la_?f|sound|noise|lärm|laerm|schall|lautstärke|lautstaerke)\w*", "Sound pressure level", "SoundPressureLevel", "dB[SPL]"),
    _Meaning(r"(?!.*(batter|akku)|bar_).*(water_?level|gauge|pegel|level|depth|wasserstand|füllstand|fuellstand|tiefe)\w*", "Level", "Height", "cm"),
    _Meaning(r".*(distance|dist|ultrasonic|abstand|entfernung)\w*", "Distance", "Distance", "mm"),
    _Meaning(r".*pressure\w*|barom\w*|bar_(sea|abs)\w*|.*druck(_\w+)?", "Pressure", "Pressure", "hPa"),
    _Meaning(r".*(rain|precip\w*)_?(rate|intensity)\w*|.*(niederschlag|regen)s?_?(intensit|rate)\w*", "Rate of precipitation", "Speed", "mm/h"),
    _Meaning(r".*(rain|precip|niederschlag|regen)\w*", "Precipitation", "Height", "mm"),
    _Meaning(r".*wind\w*(dir|direction|richtung)\w*", "Wind direction", "Angle", "deg"),
    _Meaning(r".*wind\w*", "Wind speed", "Speed", "m/s"),
    _Meaning(r".*(illumin\w*|lux|light(_intensity)?|luminosity\w*|helligkeit\w*|beleuchtungsst\w*)", "Illuminance", "Illuminance", "lx"),
    _Meaning(r".*(conductivity|ec|leitfähigkeit|leitfaehigkeit)(_\w+)?", "Conductivity", "Conductivity", "uS/cm"),
    _Meaning(r".*ph(_\w+)?", "pH", "PH", "[pH]"),
    _Meaning(r".*(people|visitor|person|pedestrian|vehicle|line_\d+_)\w*|.*count\w*|.*pulse\w*|.*(anzahl|zähler|zaehler|fahrzeuge|radfahrer|fahrräder|fahrraeder|personen|fußgänger|fussgaenger|besucher|impulse)\w*|frei|belegt|gesamt|free|available|occupied|vacant|capacity|kapazität|freie_\w+|belegte_\w+", "Count", "Count", "1"),
    _Meaning(r".*(discharge|durchfluss|abfluss)\w*", "Discharge", DISCHARGE.definition, "m3/s"),
    _Meaning(r".*(energy|energie|zählerstand|zaehlerstand|verbrauch)\w*", "Energy", "Energy", "kW.h"),
    _Meaning(r".*(power|leistung)\w*", "Power", "Power", "W"),
    _Meaning(r".*(voltage|volt|spannung)\w*|v(in|ext|dd|cc)?", "Voltage", "Voltage", "V"),
    _Meaning(r".*current\w*|strom(stärke|staerke)?(_\w+)?", "Electric current", "ElectricCurrent", "A"),
    _Meaning(r".*(volume|volumen|flow_total)\w*", "Volume", "Volume", "m3"),
]  # fmt: skip
# A unit that the maker wrote at the end of the name.
_ENDINGS = {"cm": "cm", "mm": "mm", "m": "m", "mv": "mV", "v": "V", "ma": "mA", "a": "A", "w": "W",
    "kwh": "kW.h", "wh": "W.h", "hpa": "hPa", "kpa": "kPa", "pa": "Pa", "bar": "bar", "mbar": "mbar",
    "celsius": "Cel", "degc": "Cel", "fahrenheit": "[degF]", "degf": "[degF]", "percent": "%", "ppm": "[ppm]", "ppb": "[ppb]", "lux": "lx",
    "db": "dB[SPL]", "dba": "dB[SPL]", "l": "L", "m3": "m3", "s": "s", "hz": "Hz", "deg": "deg",
    "kmh": "km/h", "kmph": "km/h", "mph": "[mi_i]/h", "ms": "m/s", "kn": "[kn_i]", "kts": "[kn_i]", "inhg": "[in_i'Hg]",
    "inch": "[in_i]", "ft": "[ft_i]", "grad": "deg", "prozent": "%", "m3h": "m3/h", "ls": "L/s"}  # fmt: skip

_FLOWS = {"_l_s": "L/s", "_l_min": "L/min", "_l_h": "L/h", "_m3_h": "m3/h", "_m3_s": "m3/s", "_m_s": "m/s", "_km_h": "km/h", "_ug_m3": "ug/m3",
    "_mg_m3": "mg/m3", "_mm_h": "mm/h", "_w_m2": "W/m2", "_us_cm": "uS/cm", "_mg_l": "mg/L"}  # fmt: skip
# Units that a name ends with without anything between, as weather stations write it; and of one letter.
_GLUED = [
    (re.compile(r".*temp(in)?\d?_?f|dew_?pointf|wind_?chillf|heat_?indexf|feels_?likef"), "[degF]"),
    (re.compile(r".*_temp\w*_c|temp\w*_?c"), "Cel"),
    (re.compile(r"t_?f"), "[degF]"),
    (re.compile(r"t_?c"), "Cel"),
    (re.compile(r".*mph(_\w+)?"), "[mi_i]/h"),
    (re.compile(r".*in_?hg"), "[in_i'Hg]"),
    (re.compile(r"barom\w*in|.*pressure_?in"), "[in_i'Hg]"),
    (re.compile(r"\w*rain_?rate_?in"), "[in_i]/h"),
    (re.compile(r"\w*rain\w*in"), "[in_i]"),
]  # fmt: skip


def proposals(data: Mapping[str, Any], units: Mapping[str, str] | None = None) -> list[Proposal]:
    """What the example's numbers could be; `units` are known ones by name."""
    found = []
    for path, name, number in _numbers(data, "", _DEEPEST):
        found.append(_proposal(path, name, number, (units or {}).get(name, "")))
        if len(found) == _MOST:
            break
    return found


def _numbers(holder: Any, path: str, depth: int) -> Iterator[tuple[str, str, float]]:
    """(path as `decode` reads it, last name, number) of every number."""
    if depth == 0 or not isinstance(holder, dict):
        return
    for name, value in holder.items():
        step = _step(path, str(name))
        if step is None or isinstance(value, bool):
            continue
        if isinstance(value, int | float):
            yield step, str(name), value
        else:
            yield from _numbers(value, step, depth - 1)


def _step(path: str, name: str) -> str | None:
    """One name further; None for a name that no path can hold."""
    if not name or '"' in name or len(path) + len(name) > 150:
        return None
    if re.search(r"[.\[\]=]", name) or (not path and name.startswith("bytes:")):
        return f'{path}["{name}"]'
    return f"{path}.{name}" if path else name


def _proposal(path: str, name: str, number: float, unit: str) -> Proposal:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[\s\-/()]+", "_", name).strip("_").lower()
    meaning = next((each for each in _MEANINGS if re.fullmatch(each.pattern, words)), None)
    ending = unit or _told_unit(words)
    if meaning is None:
        return Proposal(path, _readable(name), ending or "1", f"urn:x-stadtherz:{words}", number)
    if meaning.name == "Battery level" and (ending in ("V", "mV") or _is_volts(words, number)):
        meaning = _MEANINGS[1]
    definition = meaning.quantity if ":" in meaning.quantity else _QUDT + meaning.quantity
    usual = ending or _by_size(meaning.name, number) or meaning.unit
    return Proposal(path, meaning.name, usual, definition, number)


def _by_size(name: str, number: float) -> str:
    """Of what has no unit anywhere: air never weighs 20,000 hPa, and no sensor runs on 1,000 V."""
    if name == "Pressure" and 50_000 <= number < 120_000:
        return "Pa"
    if name == "Pressure" and 25 <= number < 33:
        return "[in_i'Hg]"
    return "mV" if name in ("Voltage", "Battery voltage") and number >= 1_000 else ""


def _told_unit(words: str) -> str:
    """The unit that a name tells, UCUM; empty if it tells none."""
    glued = next((unit for shape, unit in _GLUED if shape.fullmatch(words)), "")
    flow = next((unit for end, unit in _FLOWS.items() if words.endswith(end)), "")
    return glued or flow or _ENDINGS.get(words.rpartition("_")[2] if "_" in words else "", "")


def proposal(path: str, name: str, number: float, unit: str = "") -> Proposal:
    """What one number of this name could be; `unit` is UCUM where it is known."""
    return _proposal(path, name, number, unit)


def _is_volts(words: str, number: float) -> bool:
    """A "battery" of 3.6 is volts; only whole numbers are percent."""
    return words in ("bat", "battery") and 1 < number < 6 and number != int(number)


def _readable(name: str) -> str:
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|[_\s]+", " ", name).strip()
    return (text[:1].upper() + text[1:])[:100]
