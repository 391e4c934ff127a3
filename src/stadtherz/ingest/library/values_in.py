"""The values in what a codec gave or a message of JSON holds, however its maker arranged them: nested, in lists,
with units beside them, as texts and as states.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from stadtherz.ingest.forms.leaves import step
from stadtherz.ingest.forms.proposing import name_key, sensor_key
from stadtherz.ingest.library.proposals import Proposal, proposal, state
from stadtherz.ingest.library.vocabulary import unit_at
from stadtherz.ingest.values.numbers import number_of
from stadtherz.ingest.values.truths import truth_of
from stadtherz.ingest.values.written import quantity_of, unit_of

_DEEPEST = 8
_MOST = 60
_LONGEST_PATH = 200
_MOST_ENTRIES = 30
_UNIT_KEYS = ("unit", "units", "einheit", "uom", "ucum", "unitcode", "unit_of_measurement")
_VALUES = frozenset({"value", "v", "val", "wert", "messwert", "reading", "data", "result", "ergebnis", "measurementvalue", "current", "aktuell", "values"})  # fmt: skip
_SHARES = ("percent", "prozent", "pct", "level")  # of what, the object says
# Objects that say nothing of what is in them.
_NO_HOLDER = re.compile(
    r"|data|body|payload|params|object|decoded\w*|fields|measurements?|messages?|sensors?|values|readings?|telemetry|reported|state"
)
# Entries of a log: of another time than the message, so no values of it.
_LOGGED = re.compile(
    r"(.*\.)?(\w*(history|log|logs|historic|datalog|records)|by_minute|\[\"\d+\"\]|\d+)\[\d+\].*|(.*\.)?(history|historic|logs?|datalog)\.\d+(\..*)?|normalized_payload\W.*",
    re.IGNORECASE,
)
_STATE = re.compile(
    r"occup|parking|activity|park_?status|contact|door|window|gate|leak|motion|presence|pir|open|flood|magnet|valve|fire|full|overflow|tamper|alarm|water|smoke|switch|relay|gpio"
    r"|tür|fenster|belegt|bewegung|rauch|wasser|status_?parkplatz"
)
# Words that say of themselves what they are the state of.
_TELLING = frozenset(
    {
        "free",
        "occupied",
        "frei",
        "belegt",
        "besetzt",
        "vacant",
        "open",
        "opened",
        "closed",
        "leak",
        "leakage",
    }
)
_NO_STATE = re.compile(r"alarm_?(enable|config)|_flag|config|enabled?$|battery|low_")
_DAVIS = frozenset({"lsid", "data_structure_type"})
_DAVIS_UNITS = [
    (re.compile(r"(temp|dew_?point|wet_?bulb|heat_?index|wind_?chill|thsw?_?index|thw_?index)(_\w+)?"), "[degF]"),
    (re.compile(r"bar(_\w+)?"), "[in_i'Hg]"),
    (re.compile(r"rain_?rate_\w+_in"), "[in_i]/h"),
    (re.compile(r"rain_?rate_\w+_mm"), "mm/h"),
    (re.compile(r"rain\w*_in"), "[in_i]"),
    (re.compile(r"rain\w*_mm"), "mm"),
    (re.compile(r"rain\w*"), "1"),  # tips of the bucket
    (re.compile(r"wind_?(speed|run)\w*"), "[mi_i]/h"),
]  # fmt: skip
# What no department measures: what devices say of themselves, and of their messages.
_OF_ITSELF = re.compile(
    r"(payload|message|msg|uplink|frame|packet|backlog|backlog_msg|alarm_msg|history)_?(count(er)?|cnt|bytes|length|multiplier)|number_of_(readings|samples|entries|measurements|values)"
    r"|(gps_?|position_?)acc\w*|type|header|(sw|hw|fw)_?rev\w*|reason|length|hours|minutes|seconds|device_type\w*|spec_?version|(.*_)?(imsi|imei|iccid|apn|version|protocol|mode?|flags?|frame_counter|report_type|node_type|hdop|pdop|sats?|satellites|accuracy)(_\w+)?"
    r"|\w*(threshold|calibration|config)\w*|uplink|downlink|esp|sf|tmst|chain|network|gateway|nb_rep|ttl|datr|radius|wind_\w*level|heading\w*|mod|bytes|chksum|crc|rsrp|rsrq"
    r"|(lat|lon|long|lng)(gitude|itude)?(_?deg)?|(rssi|snr|lora_snr|signal)_\w+|lora_?(rssi|snr)|delay|size|date|datum|payload"
    r"|(.*_)?(id|seq(uence)?(_?n\w*)?|msg_?\w*|message_?\w*|nr|nummer|index|version|fw|hw|firmware|port|interval\w*|intervall|uptime|free_?heap|heap"
    r"|rssi|snr|lqi|channel|wifi_?\w*|runtime|timeout|status|state|err(or)?\w*|fehler\w*|code|freq\w*|timezone|tz|year|month|day|hour"
    r"|(esp\d*|chip|ls|tx|node|device|station|sensor|gateway|customer|lrr|lrc)_?(\d+_?)?(id|identifier|eui)|@?iot\.?_?id|nonce|lsid|tz_offset|data_structure_type|sensor_type|esp8266id"
    r"|(f_?|lrn_?f)?(port|cnt(_?(up|dn|down))?|count|opt_?len)|counter_up|sp_?fact|spreading(_?factor)?|spread_?factor|bandwidth|dr|data_?rate|dev_?addr(ess)?|device_addr|link_?quality|ram_\w+|fs_\w+|wakeup_period|location_\d+"
    r"|minute|second|signal|min_micro|max_micro|samples|coordinates?(_\d+)*|rtfreq|realtime|epoch|timestamp|ts|time|zeit\w*|unixtime|lat(itude)?|lon(gitude)?|lng|breite|laenge|länge|längengrad|breitengrad|alt(itude)?|höhe_nn)"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A value and what it could be; `likely` if somebody may want to keep it."""

    proposal: Proposal
    likely: bool


def values_of(
    content: Mapping[str, Any],
    *,
    without: frozenset[str] = frozenset(),
    units: Mapping[str, str] | None = None,
) -> list[Found]:
    """The numbers and states of a message, in its order; `without` are paths that mean something else.

    `units` are those (UCUM) of fields that something else tells.
    """
    found: list[Found] = []
    known = units or _normalized_units(content)
    for each in _numbers(content, "", "", _DEEPEST):
        if each.path in without or len(each.path) > _LONGEST_PATH:
            continue
        unit = known.get(each.path) or each.unit
        told = (
            state(each.path, _state_name(each), each.number)
            if each.is_state
            else proposal(each.path, each.name, each.number, unit, each.holder)
        )
        found.append(Found(told, _is_likely(each)))
        if len(found) == _MOST:
            break
    return found


def _normalized_units(content: Mapping[str, Any]) -> dict[str, str]:
    """Units of a message that The Things Stack delivers in its own vocabulary alone (`ingest/lorawan/tts.py`)."""
    if "normalized_payload" not in content:
        return {}
    return {each.path: unit_at(each.path) for each in _numbers(content, "", "", _DEEPEST)}


def _state_name(each: "_Number") -> str:
    """With what it is within, where it alone says nothing: `detected` in `motion`."""
    return each.name if _STATE.search(_plain(each.name)) else f"{each.holder} {each.name}".strip()


def _is_likely(each: "_Number") -> bool:
    plain = _plain(_state_name(each) if each.is_state else each.name)
    if each.is_state:
        tells = _STATE.search(plain) is not None or each.word in _TELLING
        return tells and not _NO_STATE.search(plain)
    if _LOGGED.fullmatch(each.path) or _is_moment(each.number):
        return False
    return not _OF_ITSELF.fullmatch(plain)


def _plain(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[\s\-]+", "_", name).lower()


def _is_moment(number: float) -> bool:
    """Whether it can only be a time: whole seconds or milliseconds of 2014 to 2039."""
    return any(1.4e9 * n <= number < 2.2e9 * n and number == int(number) for n in (1, 1_000))


def number_at(content: Mapping[str, Any], path: str) -> float | None:
    """The number that `path` leads to, as it would be stored."""
    found = _numbers(content, "", "", _DEEPEST)
    return next((each.number for each in found if each.path == path), None)


@dataclass(frozen=True, slots=True)
class _Number:
    path: str
    name: str
    number: float
    unit: str = ""  # UCUM
    holder: str = ""  # what the object is called that it stands in
    word: str = ""  # of a state

    @property
    def is_state(self) -> bool:
        return bool(self.word)


def _numbers(holder: Any, path: str, name: str, depth: int) -> Iterator[_Number]:
    if depth == 0:
        return
    if isinstance(holder, dict):
        yield from _of_object(holder, path, name, depth)
    elif isinstance(holder, list):
        yield from _of_list(holder, path, name, depth)
    elif path:
        yield from _of_value(holder, path, name)


def _of_value(value: Any, path: str, name: str) -> Iterator[_Number]:
    """A number, or a text of one with its unit behind it."""
    if (number := number_of(value)) is not None:
        yield _Number(path, name, number)
    elif (quantity := quantity_of(value)) is not None:
        yield _Number(path, name, quantity.number, quantity.unit)
    elif (truth := truth_of(value)) is not None:
        yield _Number(path, name, truth, word=str(value).lower())


def _of_object(holder: Mapping[str, Any], path: str, name: str, depth: int) -> Iterator[_Number]:
    """Its fields; one that is only called "value" is called as the object, and has its unit."""
    unit = next((unit_of(holder[key]) for key in holder if str(key).lower() in _UNIT_KEYS), "")
    if isinstance(told_of := holder.get("attributes"), dict) and "state" in holder:
        yield from _of_entity(holder, told_of, path)  # as Home Assistant tells of one
        return
    values = _VALUES - {"current"} if "Voltage" in holder else _VALUES
    columns = _columns(holder, values)
    for key, value in holder.items():
        told = str(key)
        if not told or '"' in told:
            continue
        if columns is not None and key == columns.values:
            yield from _of_columns(columns, value, path + step(told, first=not path))
            continue
        inner = path + step(told, first=not path)
        is_value = told.lower() in values
        called = name if is_value and name else told
        if name and told.lower() in _SHARES:
            called = f"{name} {told}"
        beside = unit if is_value else _unit_beside(holder, told)
        within = "" if is_value or _NO_HOLDER.fullmatch(name.lower()) else name
        for each in _numbers(value, inner, called, depth - 1):
            told_unit = each.unit or beside or _of_davis(holder, each.name)
            yield replace(each, unit=told_unit, holder=each.holder or within)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Lists of one length that stand for a table: what is called how, in which unit, and the field of its values."""

    values: str
    names: list[str]
    units: list[str]


def _columns(holder: Mapping[str, Any], value_keys: frozenset[str]) -> _Columns | None:
    """A table of columns, as in {"channel": ["power", "energy"], "unit": ["W", "Wh"], "value": [47, 602]}."""
    lists = {str(key): each for key, each in holder.items() if isinstance(each, list)}
    values = next((key for key in lists if key.lower() in value_keys), None)
    if values is None:
        return None
    alike = {key: each for key, each in lists.items() if len(each) == len(lists[values])}
    texts = {k: e for k, e in alike.items() if all(isinstance(one, str) for one in e)}
    units = next((each for key, each in texts.items() if key.lower() in _UNIT_KEYS), [])
    names = next((e for k, e in texts.items() if e is not units and len(set(e)) == len(e)), None)
    return None if not names else _Columns(values, names, units)


def _of_columns(columns: _Columns, values: list[Any], path: str) -> Iterator[_Number]:
    units = columns.units or [""] * len(values)
    for place, (name, unit, value) in enumerate(zip(columns.names, units, values, strict=True)):
        if place < _MOST_ENTRIES:
            for each in _of_value(value, f"{path}[{place}]", name):
                yield replace(each, unit=each.unit or unit_of(unit))


def _unit_beside(holder: Mapping[str, Any], name: str) -> str:
    """From `energy_unit` for `energy`."""
    told = (holder.get(f"{name}{end}") for end in ("_unit", "Unit", "_units", "_einheit"))
    return next((unit_of(each) for each in told if each is not None), "")


def _of_davis(holder: Mapping[str, Any], name: str) -> str:
    """The unit of a field of Davis' WeatherLink, whose numbers are American whatever the console shows."""
    if not holder.keys() >= _DAVIS:
        return ""
    return next((unit for shape, unit in _DAVIS_UNITS if shape.fullmatch(name)), "")


def _of_entity(
    holder: Mapping[str, Any], attributes: Mapping[str, Any], path: str
) -> Iterator[_Number]:
    name = attributes.get("device_class") or attributes.get("friendly_name") or "state"
    unit = unit_of(attributes.get("unit_of_measurement"))
    for each in _of_value(holder["state"], path + step("state", first=not path), str(name)):
        yield replace(each, unit=each.unit or unit)


def _of_list(holder: list[Any], path: str, name: str, depth: int) -> Iterator[_Number]:
    """Its entries: by their names where they have some, else by their places."""
    entries = holder[:_MOST_ENTRIES]
    if any(_is_sensecap(each) for each in entries):
        yield from _of_sensecap(entries, path, depth)
        return
    number = sensor_key(entries)
    key = number or name_key(entries)
    for place, entry in enumerate(entries):
        if key is not None and (label := _label(entry[key])):
            fields = {k: v for k, v in entry.items() if k != key or number}
            yield from _numbers(fields, f"{path}[{key}={label}]", label, depth - 1)
        else:
            called = f"{name} {place + 1}" if len(entries) > 1 else name
            yield from _numbers(entry, f"{path}[{place}]", called, depth - 1)


# What SenseCAP's decoders call the quantities of its sensors: name and unit (UCUM).
# Source: Seeed, "List of Measurement IDs" of the SenseCAP API.
_SENSECAP = {
    "4097": ("temperature", "Cel"), "4098": ("humidity", "%"), "4099": ("light", "lx"), "4100": ("co2", "[ppm]"),
    "4101": ("pressure", "Pa"), "4102": ("soil_temperature", "Cel"), "4103": ("soil_moisture", "%"),
    "4104": ("wind_direction", "deg"), "4105": ("wind_speed", "m/s"), "4106": ("ph", "[pH]"),
    "4113": ("rain_rate", "mm/h"),
}  # fmt: skip


def _is_sensecap(entry: Any) -> bool:
    return isinstance(entry, dict) and {"measurementId", "measurementValue"} <= entry.keys()


def _of_sensecap(entries: list[Any], path: str, depth: int) -> Iterator[_Number]:
    """Each measurement by its number; what else stands among them, such as the battery, by its type."""
    for entry in entries:
        if _is_sensecap(entry) and (told := _label(entry["measurementId"])):
            kind = entry.get("type")
            name, unit = _SENSECAP.get(told, (str(kind or f"measurement {told}"), ""))
            at = f"{path}[measurementId={told}].measurementValue"
            for each in _of_value(entry["measurementValue"], at, name):
                yield replace(each, unit=unit)
        elif isinstance(entry, dict) and (told := _label(entry.get("type", ""))):
            fields = {key: value for key, value in entry.items() if key != "type"}
            yield from _numbers(fields, f"{path}[type={told}]", "", depth - 1)


def _label(value: Any) -> str:
    """A name that a path can hold; empty for one that it cannot."""
    text = str(value)
    return text if re.fullmatch(r"[^\[\]=\"]{1,80}", text) else ""
