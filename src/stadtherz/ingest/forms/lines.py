"""InfluxDB's line protocol, as Telegraf and many gateways push it: each line a reading.

`weather,station=mill level=82.5,wet=t 1764147600000000000` becomes
`{"measurement": "weather", "tags": {"station": "mill"}, "fields": {"level": 82.5, "wet": True},
"time": 1764147600000000000}`. A time may be in seconds or any thousandth of them (`times`).

Source: docs.influxdata.com, "Line protocol reference" (InfluxDB v2).
"""

import re
from typing import Any

from stadtherz.base.errors import Invalid
from stadtherz.ingest.decode import shown

_NAME = r"(?:\\.|[^\\,= \r\n])+"
_HEAD = rf"(?P<measurement>{_NAME})(?P<tags>(?:,{_NAME}={_NAME})*) +"
_TEXT = r'"(?:\\.|[^"\\])*"'
_FIELD = rf'{_NAME}=(?:{_TEXT}|[^,"\s]+)'
_LINE = re.compile(
    rf"{_HEAD}(?P<fields>{_FIELD}(?:,{_FIELD})*)(?: +(?P<time>\d{{1,19}}))? *(?:\r?\n|\Z)"
)
_BLANK = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*(?:#[^\n]*\Z)?")
_TAG = re.compile(rf",({_NAME})=({_NAME})")
_EACH_FIELD = re.compile(rf'({_NAME})=({_TEXT}|[^,"\s]+)')
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"(-?\d{1,19})[iu]", re.ASCII)
_TRUTH = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), False),
}
_SHOWN = 60
MOST_LINES = 1_000  # as many readings as a message may hold


def looks_like(text: str) -> bool:
    """Whether its first line is one; hardly anything else is.

    >>> looks_like("weather,station=mill level=82.5"), looks_like("a=1&b=2 x"), looks_like("{}")
    (True, False, False)
    """
    return _LINE.match(text, _after_blanks(text, 0)) is not None


def entries(text: str) -> list[dict[str, Any]]:
    """The readings, in order.

    Raises:
        Invalid: field `document`, naming the first line that is none; or if there are too many.
    """
    found: list[dict[str, Any]] = []
    place = _after_blanks(text, 0)
    while place < len(text):
        if len(found) == MOST_LINES:
            raise Invalid("document", f"has more than {MOST_LINES} lines")
        line = _LINE.match(text, place)
        if line is None:
            raise Invalid("document", _no_line(text, place))
        try:
            found.append(_entry(line))
        except ValueError as problem:
            raise Invalid("document", _no_line(text, place)) from problem
        place = _after_blanks(text, line.end())
    return found


def _after_blanks(text: str, place: int) -> int:
    blank = _BLANK.match(text, place)
    return place if blank is None else blank.end()


def _no_line(text: str, place: int) -> str:
    number = text.count("\n", 0, place) + 1
    line = text[place:].partition("\n")[0]
    return f"line {number} is not as InfluxDB's line protocol has it: {shown(line, _SHOWN)}"


def _entry(line: re.Match[str]) -> dict[str, Any]:
    tags = {_plain(name): _plain(value) for name, value in _TAG.findall(line["tags"])}
    fields = {_plain(name): _value(told) for name, told in _EACH_FIELD.findall(line["fields"])}
    entry: dict[str, Any] = {"measurement": _plain(line["measurement"])}
    if tags:
        entry["tags"] = tags
    entry["fields"] = fields
    if line["time"] is not None:
        entry["time"] = int(line["time"])
    return entry


def _value(told: str) -> float | int | bool | str:
    """Raises ValueError for what is no value."""
    if told.startswith('"'):
        return re.sub(r'\\(["\\])', r"\1", told[1:-1])
    if told in _TRUTH:
        return _TRUTH[told]
    if whole := _WHOLE.fullmatch(told):
        return int(whole[1])
    if _NUMBER.fullmatch(told):
        return float(told)
    raise ValueError(told)


def _plain(name: str) -> str:
    """Without the backslashes before commas, equals signs and spaces."""
    return re.sub(r"\\([,= \\])", r"\1", name)
