"""What a decoded example measures: a value's path, its property and unit, as far as its name tells.

Names are the makers': `temperature`, `TempC_SHT`, `water_level_cm`, `batV`. What the name does not tell
stays open, and staff complete it.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from stadtherz.base.units import Unit
from stadtherz.base.vocabulary import DISCHARGE, KNOWN, WATER_TEMPERATURE, Observable
from stadtherz.ingest.values.units import SYMBOLS, Inconvertible, conversion
from stadtherz.ingest.values.written import unit_of

_IN_BRACKETS = re.compile(r"(.*\S)\s*[\[(]([^\[\]()]{1,12})[\])]")
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
    _Meaning(r"(bat(t(ery|erie)?)?|(\w+_)?batt(ery|erie)|akku)(_?(level|soc|perc(ent\w*)?|pct|percentage|remaining|capacity|stand|ladung|prozent))?", "Battery level", "StateOfCharge", "%"),
    _Meaning(r"(bat(t(ery|erie)?)?|(\w+_)?batt(ery|erie)?|akku|vbat|v_bat)(_?(v|vp|volt\w*|mv|status_v|spannung\w*))?", "Battery voltage", "Voltage", "V"),
    _Meaning(r".*(snow|schnee)_?(depth|height|level|höhe|hoehe)?(_\w+)?", "Snow depth", "Height", "cm"),
    _Meaning(r".*(water|wasser|ground\w*)_?temp\w*", "Water temperature", WATER_TEMPERATURE.definition, "Cel"),
    _Meaning(r".*soil\w*_temp\w*|temp\w*_soil|.*boden_?temp\w*", "Soil temperature", "Temperature", "Cel"),
    _Meaning(r".*temp(eratures?|eratur|c|f|in)?\d?f?(_\w+)?|tmp|t(_?[cf])?|taupunkt\w*|dew_?(point|pt)\w*|pt_?1000?(_\w+)?", "Temperature", "Temperature", "Cel"),
    _Meaning(r".*(soil|water)\w*_?(moisture|content)\w*|.*moisture\w*|vwc|water_soil|.*boden\w*feuchte\w*", "Soil moisture", "VolumeFraction", "%"),
    _Meaning(r"(.*(humi?(dity)?(in)?\d?|feuchte|feuchtigkeit)|(.*_)?rh)(_\w+)?", "Relative humidity", "RelativeHumidity", "%"),
    _Meaning(r"e?co2\w*", "Carbon dioxide", "AmountOfSubstanceFraction", "[ppm]"),
    _Meaning(r"t?voc\w*", "Volatile organic compounds", "AmountOfSubstanceFraction", "[ppb]"),
    _Meaning(r"(.*_)?co(_(ppm|mg_m3|concentration|level))?|kohlenmonoxid", "Carbon monoxide", "AmountOfSubstanceFraction", "[ppm]"),
    _Meaning(r"nh3(_\w+)?|ammonia\w*|ammoniak", "Ammonia", "AmountOfSubstanceFraction", "[ppm]"),
    _Meaning(r"h2s(_\w+)?|schwefelwasserstoff", "Hydrogen sulfide", "AmountOfSubstanceFraction", "[ppm]"),
    _Meaning(r"ch4(_\w+)?|methan\w*", "Methane", "AmountOfSubstanceFraction", "[ppm]"),
    _Meaning(r"hcho(_\w+)?|formaldehyd\w*", "Formaldehyde", "MassConcentration", "mg/m3"),
    _Meaning(r"so2(_\w+)?|schwefeldioxid", "Sulfur dioxide", "MassConcentration", "ug/m3"),
    _Meaning(r"no2(_\w+)?|stickstoffdioxid", "Nitrogen dioxide", "MassConcentration", "ug/m3"),
    _Meaning(r"o3(_\w+)?|ozone?", "Ozone", "MassConcentration", "ug/m3"),
    _Meaning(r"(?!(volt|amp|watt|power|curr|u|i|energy)\w*_)(.*_)?p2", "Particulate matter PM2.5", "MassConcentration", "ug/m3"),
    _Meaning(r"(?!(volt|amp|watt|power|curr|u|i|energy)\w*_)(.*_)?p1", "Particulate matter PM10", "MassConcentration", "ug/m3"),
    _Meaning(r"pm_?2_?\.?5\w*", "Particulate matter PM2.5", "MassConcentration", "ug/m3"),
    _Meaning(r"pm_?1(_0)?(_(mean|avg|ug_m3|concentration))?", "Particulate matter PM1", "MassConcentration", "ug/m3"),
    _Meaning(r"pm_?10\w*", "Particulate matter PM10", "MassConcentration", "ug/m3"),
    _Meaning(r".*(laeq|la_?max|la_?f|sound|noise|lärm|laerm|schall|lautstärke|lautstaerke)\w*", "Sound pressure level", "SoundPressureLevel", "dB[SPL]"),
    _Meaning(r"(.*_)?fill(ing)?(_?(level|ratio|rate|percent\w*|degree|state))?(_percent|_pct)?|.*(füllgrad|fuellgrad)\w*", "Fill level", "urn:x-stadtherz:fill_level", "%"),
    _Meaning(r"(?!.*(batter|akku|light|signal|wind|sound|noise|power|activity|alarm|speed|link|fan|rain|_at_depth)|bar_).*(water_?level|gauge|pegel|level|deep|depth|wasserstand|füllstand|fuellstand|tiefe)\w*", "Level", "Height", "cm"),
    _Meaning(r".*(distance|dist|ultrasonic|abstand|entfernung)\w*", "Distance", "Distance", "mm"),
    _Meaning(r".*pressure\w*|barom\w*|bar_(sea|abs)\w*|.*druck(_\w+)?", "Pressure", "Pressure", "hPa"),
    _Meaning(r".*(rain|precip\w*)_?(rate|intensity)\w*|.*(niederschlag|regen)s?_?(intensit|rate)\w*", "Rate of precipitation", "Speed", "mm/h"),
    _Meaning(r".*(rain|precip|niederschlag|regen)\w*", "Precipitation", "Height", "mm"),
    _Meaning(r".*wind\w*(dir|direction|richtung)\w*", "Wind direction", "Angle", "deg"),
    _Meaning(r".*wind\w*|.*gust\w*", "Wind speed", "Speed", "m/s"),
    _Meaning(r".*(solar|global)_?(radiation|strahlung|irradiance)\w*|(.*_)?irradiance", "Solar radiation", "Irradiance", "W/m2"),
    _Meaning(r"uv(_?i(ndex)?)?", "UV index", "urn:x-stadtherz:uv_index", "1"),
    _Meaning(r".*(illumin\w*|lux|light(_intensity)?|luminosity\w*|helligkeit\w*|beleuchtungsst\w*)", "Illuminance", "Illuminance", "lx"),
    _Meaning(r".*(turbidity|trübung|truebung)\w*", "Turbidity", "urn:x-stadtherz:turbidity", "[NTU]"),
    _Meaning(r"(.*_)?(dissolved_?oxygen|do_mg_l|sauerstoffgehalt)(_\w+)?", "Dissolved oxygen", "MassConcentration", "mg/L"),
    _Meaning(r"(.*_)?(orp|redox\w*)(_\w+)?", "Redox potential", "Voltage", "mV"),
    _Meaning(r".*(conduct\w*|(^|_)ec|leitfähigkeit|leitfaehigkeit)(_\w+)?", "Conductivity", "Conductivity", "uS/cm"),
    _Meaning(r"(.*_)?ph(_\w+)?", "pH", "PH", "[pH]"),
    _Meaning(r".*(people|visitor|person|pedestrian|vehicle|line_\d+_)\w*|(.*_)?total_(in|out)|.*number_of_\w+|.*count\w*|.*pulse\w*|(ltr|rtl|left_to_right|right_to_left)(_(sum|total|count))?|.*(anzahl|zähler|zaehler|fahrzeuge|radfahrer|fahrräder|fahrraeder|personen|fußgänger|fussgaenger|besucher|impulse)\w*|frei|belegt|gesamt|free|available|occupied|vacant|capacity|kapazität|freie_\w+|belegte_\w+", "Count", "Count", "1"),
    _Meaning(r"(?!.*(volumetric|flow_?rate)).*(volume|volumen|flow_total)\w*|(.*_)?water_(total|consumption)", "Volume", "Volume", "m3"),
    _Meaning(r".*(discharge|durchfluss|abfluss)\w*", "Discharge", DISCHARGE.definition, "m3/s"),
    _Meaning(r"(.*_)?power_?factor(_\w+)?|cos_?phi\w*|leistungsfaktor\w*", "Power factor", "PowerFactor", "1"),
    _Meaning(r"(.*_)?(angle|winkel|tilt|pitch|roll|inclination|neigung)(_?[xyz]|_\w+)?", "Angle", "Angle", "deg"),
    _Meaning(r"k?wh(_\w+)?|.*(energy|energie|zählerstand|zaehlerstand|verbrauch)\w*", "Energy", "Energy", "kW.h"),
    _Meaning(r".*(power|leistung)\w*", "Power", "Power", "W"),
    _Meaning(r".*(voltage|volt|spannung)\w*|v(_?(in|ext|dd|cc|ain|rms)\d?)?(_\w+)?", "Voltage", "Voltage", "V"),
    _Meaning(r"(?!.*(volume|value|count|energy|time|state|status|valve|position|speed|level|mode|profile|version|interval|setpoint|day|month|hour|date|year))(.*_)?current\w*|i_?rms(_\w+)?|amp(ere|s)?(_\w+)?|strom(stärke|staerke)?(_\w+)?", "Electric current", "ElectricCurrent", "A"),
]  # fmt: skip
# A unit that the maker wrote at the end of the name.
_ENDINGS = {"cm": "cm", "mm": "mm", "m": "m", "mv": "mV", "v": "V", "ma": "mA", "a": "A", "w": "W",
    "kwh": "kW.h", "wh": "W.h", "mwh": "MW.h", "mpa": "MPa", "hpa": "hPa", "kpa": "kPa", "pa": "Pa", "bar": "bar", "mbar": "mbar",
    "celsius": "Cel", "degc": "Cel", "fahrenheit": "[degF]", "degf": "[degF]", "percent": "%", "ppm": "[ppm]", "ppb": "[ppb]", "lux": "lx",
    "db": "dB[SPL]", "dba": "dB[SPL]", "l": "L", "m3": "m3", "s": "s", "hz": "Hz", "deg": "deg",
    "liter": "L", "liters": "L", "litre": "L", "litres": "L", "ml": "mL", "kelvin": "K", "ntu": "[NTU]", "fnu": "[NTU]", "celcius": "Cel",
    "volts": "V", "watts": "W", "amps": "A", "meter": "m", "meters": "m", "degrees": "deg",
    "kmh": "km/h", "kmph": "km/h", "mph": "[mi_i]/h", "ms": "m/s", "kn": "[kn_i]", "kts": "[kn_i]", "inhg": "[in_i'Hg]",
    "inch": "[in_i]", "ft": "[ft_i]", "grad": "deg", "prozent": "%", "m3h": "m3/h", "ls": "L/s"}  # fmt: skip

_FLOWS = {"_l_s": "L/s", "_l_min": "L/min", "_l_h": "L/h", "_m3_h": "m3/h", "_m3_s": "m3/s", "_m_s": "m/s", "_km_h": "km/h", "_ug_m3": "ug/m3",
    "_mg_m3": "mg/m3", "_mm_h": "mm/h", "_w_m2": "W/m2", "_us_cm": "uS/cm", "_mg_l": "mg/L"}  # fmt: skip
# Units that a name ends with without anything between, as weather stations write it; and of one letter.
_GLUED = [
    (re.compile(r".*temp(erature)?_f"), "[degF]"),
    (re.compile(r".*temp(erature)?_k"), "K"),
    (re.compile(r"wh(_\w+)?"), "W.h"),
    (re.compile(r"kwh(_\w+)?"), "kW.h"),
    (re.compile(r".*temp(in)?\d?_?f|dew_?(point|pt)_?f|wind_?chillf|heat_?indexf|feels_?likef"), "[degF]"),
    (re.compile(r".*_temp\w*_c|temp\w*_?c"), "Cel"),
    (re.compile(r"t_?f"), "[degF]"),
    (re.compile(r"t_?c"), "Cel"),
    (re.compile(r"(?!.*kmph).*mph(_\w+)?|maxdailygust"), "[mi_i]/h"),
    (re.compile(r"aenergy_total"), "W.h"),
    (re.compile(r".*in_?hg"), "[in_i'Hg]"),
    (re.compile(r"barom\w*in|.*pressure_?in"), "[in_i'Hg]"),
    (re.compile(r"\w*rain_?rate_?in"), "[in_i]/h"),
    (re.compile(r"\w*rain\w*in"), "[in_i]"),
]  # fmt: skip


# What is counted in a unit, where nothing else tells it.
_QUANTITIES = {"m3": "Volume", "L": "Volume", "mL": "Volume", "kW.h": "Energy", "W.h": "Energy", "MW.h": "Energy", "Cel": "Temperature", "[degF]": "Temperature",
    "Pa": "Pressure", "hPa": "Pressure", "kPa": "Pressure", "MPa": "Pressure", "bar": "Pressure", "mbar": "Pressure", "V": "Voltage", "mV": "Voltage",
    "A": "ElectricCurrent", "mA": "ElectricCurrent", "W": "Power", "kW": "Power", "m/s": "Speed", "km/h": "Speed", "[mi_i]/h": "Speed", "Hz": "Frequency",
    "L/s": "VolumeFlowRate", "L/min": "VolumeFlowRate", "L/h": "VolumeFlowRate", "m3/h": "VolumeFlowRate", "ug/m3": "MassConcentration",
    "mg/m3": "MassConcentration", "mg/L": "MassConcentration", "[ppm]": "AmountOfSubstanceFraction", "[ppb]": "AmountOfSubstanceFraction", "lx": "Illuminance",
    "W/m2": "Irradiance", "uS/cm": "Conductivity", "mS/cm": "Conductivity", "deg": "Angle"}  # fmt: skip
_FILLED = next(each for each in _MEANINGS if each.name == "Fill level")


def proposal(path: str, name: str, number: float, unit: str = "", holder: str = "") -> Proposal:
    """What one number of this name could be; `unit` is UCUM where it is known.

    `holder` is what the object around it is called: a `speed` within `wind` is that of the wind.
    """
    told = _IN_BRACKETS.fullmatch(name)
    if told and not unit and (unit := unit_of(told[2])):
        name = told[1]
    words = _words(name)
    meaning = _meaning(words, _words(holder) if holder else "")
    ending = unit or _told_unit(words)
    if meaning is None:
        return Proposal(
            path,
            _readable(name),
            ending or "1",
            _by_unit(ending) or f"urn:x-stadtherz:{words}",
            number,
        )
    if meaning.name == "Battery level" and (ending in ("V", "mV") or _is_volts(words, number)):
        meaning = _MEANINGS[1]
    if meaning.name == "Level" and ending == "%":
        meaning = _FILLED
    definition = meaning.quantity if ":" in meaning.quantity else _QUDT + meaning.quantity
    if ending and not _fits(ending, meaning.unit):
        is_letter = not unit and len(words.rpartition("_")[2]) == 1  # counter_a counts no amperes
        ending = "" if is_letter else ending
        definition = (_by_unit(ending) if ending else "") or definition
        if ending and meaning.name == "Count":  # an "energy counter" counts energy
            return Proposal(path, _readable(name), ending, definition, number)
    usual = ending or _by_size(meaning, words, number) or meaning.unit
    return Proposal(path, meaning.name, usual, definition, number)


def _by_unit(unit: str) -> str:
    """What is measured in a unit, as a definition; empty where that may be anything."""
    return _QUDT + _QUANTITIES[unit] if unit in _QUANTITIES else ""


def state(path: str, name: str, now: float) -> Proposal:
    """One that is either 1 or 0, such as a door that is open."""
    return Proposal(path, _readable(name), "1", f"urn:x-stadtherz:{_words(name)}", now)


def _words(name: str) -> str:
    """In lower case with _ between its words; pH is one word, and so are kWh and mA."""
    told = re.sub(r"pH(?![a-z])", "ph", name)
    told = re.sub(r"(?<=[a-z])(?=[A-Z])|[\s\-/()]+", "_", told)
    return re.sub(r"(^|_)(k|m)_(?=(wh|a|v|w|hz|pa)(_|$))", r"\1\2", told.strip("_").lower())


def _meaning(words: str, holder: str) -> "_Meaning | None":
    if words.endswith("_raw"):  # as a converter counts it, before it means anything
        return None
    alone = _first(words)
    if holder and (alone is None or alone.name == "Temperature"):
        both = _first(f"{holder}_{words}")
        if alone is None or (both is not None and both.name.endswith("temperature")):
            return both
    return alone


def _first(words: str) -> "_Meaning | None":
    return next((each for each in _MEANINGS if re.fullmatch(each.pattern, words)), None)


def _by_size(meaning: _Meaning, words: str, number: float) -> str:
    """Of what has no unit anywhere: air never weighs 20,000 hPa, and no sensor runs on 1,000 V."""
    if meaning.name == "Pressure":
        return _of_air(words, number)
    if meaning.unit == "%" and (0 < number < 1 or number < 0):
        return (
            "1"  # 0.54 is a share; hardly anything has half a percent, and nothing less than none
        )
    return "mV" if meaning.name in ("Voltage", "Battery voltage") and number >= 1_000 else ""


def _of_air(words: str, number: float) -> str:
    if 50_000 <= number < 120_000:
        return "Pa"
    if 25 <= number < 33:
        return "[in_i'Hg]"
    is_air = re.fullmatch(r"((air|atmospheric|barometric|ambient)_)?pressure|luftdruck", words)
    return "kPa" if is_air and 60 <= number < 110 else ""


def _told_unit(words: str) -> str:
    """The unit that a name tells, UCUM; empty if it tells none."""
    glued = next((unit for shape, unit in _GLUED if shape.fullmatch(words)), "")
    flow = next((unit for end, unit in _FLOWS.items() if words.endswith(end)), "")
    return glued or flow or _ENDINGS.get(words.rpartition("_")[2] if "_" in words else "", "")


def _is_volts(words: str, number: float) -> bool:
    """A "battery" of 3.6 is volts, and one of 3600 thousandths of them; only whole numbers are percent."""
    if number > 255:
        return re.search("perc|pct|prozent|soc", words) is None
    is_open = words in ("bat", "batt", "battery", "vbat") or words.endswith("_battery")
    return is_open and 1 < number < 15 and number != int(number)


def _readable(name: str) -> str:
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|[_\s]+", " ", name).strip()
    text = re.sub(r"\b([km]) (?=(Wh|A|V|W|Hz|Pa)\b)", r"\1", text)
    return (text[:1].upper() + text[1:])[:100]
