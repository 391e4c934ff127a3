"""What a message form could say about a message that nobody has described yet: guesses for a person to check.

Names of fields tell most of it, in English and German; what they do not tell is left open.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from stadtherz.base.time import MINUTE, Micros
from stadtherz.ingest.forms import payloads, senml, times
from stadtherz.ingest.forms.arranged import TABLE, tables
from stadtherz.ingest.forms.expressions import LONGEST, Message, as_text, parse_readings
from stadtherz.ingest.forms.leaves import leaves, lists
from stadtherz.ingest.forms.reading import Address, Misfit, entries_of
from stadtherz.ingest.forms.senml import SENML
from stadtherz.ingest.values import decode
from stadtherz.ingest.values.numbers import number_of

_MOST_LEAVES = 200
_MOST_LISTS = 20
_AHEAD: Micros = 14 * 60 * MINUTE  # a clock that shows the time of another zone
_UTC = re.compile(r".*(utc|gmt|zulu).*")

# The first that fits is the likeliest; patterns see a name in lower case with nothing but letters and digits.
_DEVICE = [
    r"(dev(ice)?|gerät|geraet|sensor|station|stations|node|thing|client|logger|zähler|zaehler|counter|meter|messstelle|esp8266|esp32|chip)"
    r"(s?(id|eui|nr|nummer|no|num|number|kennung|serial|serialnumber|key))|(iothub)?connectiondeviceid|wirelessdeviceid|coreid",
    r"serial(number|no|nr)?|seriennummer|seriennr|sn|serno|imei|mac(addr(ess)?)?|deveui|uid|uuid|kennung|eui"
    r"|(parking|spot|gauge|pegel|site|container|bin|asset|room|location|standort|lamp|light|unit|anlage|objekt|parkplatz|parkhaus)(s?(id|nr|nummer|number))",
    r"id|dev|device|gerät|geraet|sensor|station|messstelle|node|name|topic|identifier|bezeichnung|src|source|sender|absender",
    r".*(deviceid|stationid|sensorid|stationsnummer|serial)",
]  # fmt: skip
_TIME = [
    r"(measured|measurement|phenomenon|observation|sample|sampling|mess|reading|observed)(time(stamp)?|zeit(punkt|stempel)?|at)?|dateobserved|timeinstant",
    r"timestamp\w*|timeiso|datetime|dateutc|zeitstempel|zeitpunkt|messzeit(punkt)?|time|ts|tst|txtime|zeit|at|when|epoch|unixtime|datumzeit|datumuhrzeit",
    r"date|datum|created(at)?|received(at)?|reported(at)?|lastseen|sent(at)?|t|dt",
    r".*(timestamp|time|zeit|utc|epoch)",
]  # fmt: skip
_DAY, _CLOCK = re.compile(r"date|datum|tag|day"), re.compile(r"time|uhrzeit|zeit|clock")
# Levels of a topic that name a program or what it tells, and no device.
_NO_DEVICE = re.compile(
    r"v\d+(\.\d+)?|api|devices?|things?|\$aws|shadow|update|gateway|attributes|owntracks|measurements?|values?|data|json|zigbee2mqtt|shellies|tasmota|homeassistant|esphome|tele|stat|cmnd|sensors?|state|status|info|events?|rpc|telemetry|up|uplink|spbv1.?0|[nd](data|birth|death|cmd)"
)
_NAME_KEYS = re.compile(r"(sensor|field|channel|measurement|parameter|param|kanal|messgröße|messgroesse|quantity|value|reading|)"
    r"(name|n|key|type|typ|kind|label|field|id|variable|code|parameter|channel|kanal|sensor|bezeichnung|quantity|messgröße|measurementid|measurand)")  # fmt: skip
_PAYLOAD = re.compile(r"(frm|raw|up)?(payload|data)(hex|raw|data|bytes|base64|b64)?|bytes|hex|pdu")
_VALUE_KEYS = re.compile(r"value|v|val|wert|messwert|reading|data|result|ergebnis|measurementvalue")


@dataclass(frozen=True, slots=True)
class Shape:
    """Where in a message its parts stand, as the fields of a message form of these names."""

    device: str = ""
    time: str = ""
    time_zone: str = "UTC"
    message_id: str = ""
    readings: str = ""
    payload: str = ""
    payload_kind: str = "hex"

    def told(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that an expression finds in this message."""

    expression: str
    value: Any


def proposed_shape(message: Message, received: Micros, zone: str) -> Shape:
    """The likeliest form of a message; `zone` is that of times that name none."""
    found = _readings(message, received)
    beside = entry_of(message, found, received)
    time = next(iter(time_choices(beside, received)), Choice("", None)).expression
    device = next(iter(device_choices(beside, without=time)), Choice("", None)).expression
    told_zone = "UTC" if _UTC.fullmatch(_plain(time)) else zone
    payload, kind = _payload(beside)
    message_id = "id" if _is_event(beside.content) else ""
    return Shape(device, time, told_zone, message_id, found, payload, kind)


def entry_of(message: Message, readings: str, received: Micros) -> Message:
    """The message as its first reading sees it: its own fields and what stands beside the list."""
    if not readings and not isinstance(message.content, list):
        return message
    told = Address("", tuple(message.topic), query=message.query)
    way = parse_readings(readings) if readings else None
    try:
        entries, beside = entries_of(way, told, message.content, received)
    except Misfit:
        return message
    first = next((each for each in entries if isinstance(each, dict)), {})
    return Message({**beside, **first}, message.topic, message.query)


def device_choices(message: Message, *, without: str = "") -> list[Choice]:
    """What could name the device, the likeliest first."""
    found = [
        Choice(path, value)
        for path, value in _named(message)
        if path != without and _is_identifier(path, value)
    ]
    found = [each for each in found if not _of_a_part(each.expression, message.content)]
    ranked = sorted(found, key=lambda each: _rank(each.expression, _DEVICE))
    named = [each for each in ranked if _rank(each.expression, _DEVICE)[0] < len(_DEVICE)]
    if _is_rpc(message.content):
        named.sort(key=lambda each: each.expression != "src")
    if _is_telegraf(message.content):
        named = [each for each in named if each.expression != "name"]
    if _is_event(message.content):
        named = _of_event(named, found)
    rest = [each for each in ranked if each not in named and isinstance(each.value, str)]
    if not isinstance(message.content, dict | list):
        return _of_value_alone(message.topic)
    return [*named, *_of_topic(message.topic), *rest]


def time_choices(message: Message, received: Micros) -> list[Choice]:
    """What could be when it was measured, the likeliest first; a day and a time of day are put together."""
    found = [
        Choice(path, value)
        for path, value in (*_intervals(message.content), *_named(message))
        if (_rank(path, _TIME)[0] < len(_TIME) or _looks_like_time(value))
        and _is_time(value, received)
    ]
    apart = _day_and_clock(message, received)
    return [*apart, *sorted(found, key=lambda each: _rank(each.expression, _TIME))]


def list_choices(content: Any) -> list[str]:
    """Where lists of readings could stand, as expressions of a form."""
    if senml.looks_like(content):
        return [SENML]
    found = [path for path, _rows in lists(content, _MOST_LISTS)]
    found += [TABLE + path for path in tables(content)]
    return [each for each in found if len(each) <= LONGEST]


def payload_choices(content: Any) -> list[tuple[Choice, str]]:
    """Texts that could be bytes, each with how they are written: hex or base64."""
    found = []
    for path, value in leaves(content, _MOST_LEAVES):
        kind = _bytes_kind(value, named=_PAYLOAD.fullmatch(_last(path)) is not None)
        if kind and len(path) <= LONGEST:
            found.append((Choice(path, value), kind))
    return found


def _payload(message: Message) -> tuple[str, str]:
    """Where the bytes of a radio stand that no network server here knows, and how they are written."""
    if payloads.port_of(message.content) is None and not _is_sigfox(message.content):
        return "", "hex"
    found = (
        (choice.expression, kind)
        for choice, kind in payload_choices(message.content)
        if _PAYLOAD.fullmatch(_last(choice.expression))
    )
    return next(found, ("", "hex"))


def _is_sigfox(content: Any) -> bool:
    return isinstance(content, dict) and {"device", "seqNumber", "data"} <= content.keys()


def name_key(rows: Sequence[Any]) -> str | None:
    """The field that tells the entries of a list apart by name, as in [{"name": "level", "value": 3}, …].

    None where the entries are readings, or nothing names them.
    """
    entries = [row for row in rows if isinstance(row, dict)]
    if not entries or len(entries) != len(rows):
        return None
    if not any(_VALUE_KEYS.fullmatch(_plain(key)) for key in entries[0]):
        return None
    for key in entries[0]:
        named = [as_text(row.get(key)) for row in entries]
        if _NAME_KEYS.fullmatch(_plain(key)) and None not in named and len(set(named)) == len(rows):
            return str(key)
    return None


def sensor_key(rows: Sequence[Any]) -> str | None:
    """The field that tells the sensors of one station apart by number (Davis), whose order may change."""
    told = [as_text(row.get("lsid")) if isinstance(row, dict) else None for row in rows]
    return "lsid" if rows and None not in told and len(set(told)) == len(told) else None


def _is_rpc(content: Any) -> bool:
    """As Shelly's second generation calls: not every message of a device has more of it than its source."""
    return isinstance(content, dict) and {"src", "method", "params"} <= content.keys()


def _is_telegraf(content: Any) -> bool:
    """Of its JSON, where the name is that of all measurements of a kind, and tags tell whose they are."""
    return isinstance(content, dict) and {"fields", "tags", "name"} <= content.keys()


def _is_event(content: Any) -> bool:
    """Of CloudEvents or Azure's Event Grid: its id is that of the event."""
    told = content.keys() if isinstance(content, dict) else ()
    return "specversion" in told or {"eventType", "subject", "data"} <= set(told)


def _of_event(named: list[Choice], found: list[Choice]) -> list[Choice]:
    """What tells a device for certain, then what the event is about and from."""
    about = [each for name in ("subject", "source") for each in found if each.expression == name]
    sure = [each for each in named if _rank(each.expression, _DEVICE)[0] == 0]
    rest = [each for each in named if each not in (*sure, *about) and each.expression != "id"]
    return [*sure, *about, *rest]


def _of_a_part(path: str, content: Any) -> bool:
    """Whether what stands there names a value in a list of named ones, or a chip within an object of its own."""
    if path.endswith(".Id") and isinstance(content, dict) and "TempUnit" in content:
        return True  # Tasmota's probes: the device is in the topic
    before, bracket, _ = path.rpartition("[")
    if not bracket or "[" in before:
        return False
    rows = decode.value(before, decoded=content, payload=b"") if before else content
    return isinstance(rows, list) and name_key(rows) is not None


def _is_notification(content: Any) -> bool:
    """Of a context broker (NGSI-v2, NGSI-LD): each of `data` is an entity."""
    if not isinstance(content, dict) or "subscriptionId" not in content:
        return False
    data = content.get("data")
    return isinstance(data, list) and all(isinstance(e, dict) and "id" in e for e in data)


def _readings(message: Message, received: Micros) -> str:
    """Where the list of readings stands: its entries have times of their own, and no names."""
    content = message.content
    if senml.looks_like(content):
        return SENML
    if _is_notification(content):
        return "data"
    arranged = [TABLE + path for path in tables(content) if len(path) <= LONGEST - len(TABLE)]
    if isinstance(content, list):
        return "".join(arranged[:1])
    for path, rows in lists(content, _MOST_LISTS):
        if "[" in path or name_key(rows) is not None:
            continue
        if all(any(_rank(key, _TIME)[0] < len(_TIME) for key in row) for row in rows):
            return path
    timed = (each for each in arranged if time_choices(entry_of(message, each, received), received))
    return next(timed, "")


def _intervals(content: Any) -> list[tuple[str, Any]]:
    """Objects with a beginning and an end, as SensorThings 2.0 tells times."""
    fields = content.items() if isinstance(content, dict) else ()
    return [(name, v) for name, v in fields if isinstance(v, dict) and {"start", "end"} <= v.keys()]


def _named(message: Message) -> Iterable[tuple[str, Any]]:
    """Values with an expression for each: of the content, then of the address."""
    for path, value in leaves(message.content, _MOST_LEAVES):
        if len(path) <= LONGEST:
            yield path, value
    for name, text in message.query.items():
        if re.fullmatch(r"[^\s\"+]{1,100}", name):
            yield f"query:{name}", text


def _of_topic(topic: Sequence[str]) -> list[Choice]:
    """Levels of a topic; those with digits are likelier to name one of many."""
    levels = [Choice(f"topic:{place}", level) for place, level in enumerate(topic, 1) if level]
    if topic and topic[0].lower() == "spbv1.0":  # Sparkplug: the last level is the device
        levels.reverse()
    return sorted(levels, key=_of_level)


def _of_value_alone(topic: Sequence[str]) -> list[Choice]:
    """Levels of a topic that has a value alone: its last one names the value, so that before it is likelier the device."""
    told = [level for level in topic if level and not _NO_DEVICE.fullmatch(level.lower())]
    last = told[-1] if len(told) > 1 else ""
    choices = [Choice(f"topic:{n}", level) for n, level in enumerate(topic, 1) if level]

    def rank(choice: Choice) -> tuple[bool, bool, bool, int]:
        text, level = str(choice.value), int(choice.expression[6:])
        has_number = len(text) > 2 and any(c.isdigit() for c in text)
        place = level if has_number else -level
        return text not in told, text == last, not has_number, place

    return sorted(choices, key=rank)


def _of_level(choice: Choice) -> tuple[bool, bool]:
    text = str(choice.value).lower()
    return _NO_DEVICE.fullmatch(text) is not None, not any(c.isdigit() for c in text)


def _rank(path: str, patterns: Sequence[str]) -> tuple[int, int]:
    """How well the last name of a path fits, and how deep it stands; smaller is better."""
    last = _plain(re.split(r"[.\[:]", path.rstrip('"]'))[-1])
    fit = next((n for n, each in enumerate(patterns) if re.fullmatch(each, last)), len(patterns))
    return fit, path.count(".") + 2 * path.count("[")


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _is_identifier(path: str, value: Any) -> bool:
    text = as_text(value)
    if text is None or not 0 < len(text) <= 100 or not text.isprintable():
        return False
    return not (isinstance(value, str) and "." in text and number_of(text) is not None)


def _is_time(value: Any, received: Micros) -> bool:
    try:
        found, _ends = times.period(value, times.zone("UTC"), received)
    except times.NoTime:
        return False
    return found <= received + _AHEAD


def _looks_like_time(value: Any) -> bool:
    """Whether it can be nothing but a day with a time of day, whatever it is called."""
    return isinstance(value, str) and ":" in value and sum(c.isdigit() for c in value) >= 11


def _day_and_clock(message: Message, received: Micros) -> list[Choice]:
    """`datum` and `uhrzeit` as one expression, where neither is a whole time."""
    named = [(path, value) for path, value in _named(message) if isinstance(value, str)]
    days = [
        p for p in named if _DAY.fullmatch(_last(p[0])) and re.fullmatch(r"[\d./\-]{8,10}", p[1])
    ]
    clocks = [
        p
        for p in named
        if _CLOCK.fullmatch(_last(p[0]))
        and re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?(\s*[AaPp]\.?[Mm]\.?)?", p[1])
    ]
    if not days or not clocks:
        return []
    value = f"{days[0][1]} {clocks[0][1]}"
    expression = f'{days[0][0]} + " " + {clocks[0][0]}'
    return [Choice(expression, value)] if _is_time(value, received) else []


def _last(path: str) -> str:
    return _plain(re.split(r"[.\[:]", path.rstrip('"]'))[-1])


def _bytes_kind(value: Any, *, named: bool) -> str:
    """How bytes are written; what is called a payload may look like a number."""
    if not isinstance(value, str) or len(value) < (2 if named else 4):
        return ""
    if re.fullmatch(r"(0x)?([0-9a-fA-F]{2}[ :-]?)+", value) and re.search(r"\d", value):
        return "" if value.isdecimal() and len(value) < 8 and not named else "hex"
    padded = len(value) % 4 == 0 and re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", value)
    looks = value.endswith("=") or (len(value) >= 8 and re.search(r"[A-Z].*[a-z]|[a-z].*[A-Z]|[+/]", value) and re.search(r"\d", value))  # fmt: skip
    return "base64" if padded and looks else ""
