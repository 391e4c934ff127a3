"""InfluxDB's line protocol, as Telegraf and many gateways push it: each line a reading.

`weather,station=mill level=82.5,wet=t 1764147600000000000` becomes
`{"measurement": "weather", "tags": {"station": "mill"}, "fields": {"level": 82.5, "wet": True},
"time": 1764147600000000000}`. A time may be in seconds or any thousandth of them (`times`), or in what the
address tells; a line without one is from when it came. A line that is none spoils no other.

Source: docs.influxdata.com, "Line protocol reference" (InfluxDB v2).
"""

import re
from dataclasses import dataclass
from typing import Any

from stadtherz.base.errors import Invalid
from stadtherz.ingest.forms.times import NOW
from stadtherz.ingest.values.decode import shown

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
_LOOKED_AT = 20  # lines, for one that shows what the others should be
KIND = "influx"
"""What a message is announced as whose address says that it is nothing else."""
MOST_LINES = 1_000  # as many readings as a message may hold
_SECONDS = {"": 1, **dict.fromkeys(("ns", "n", "us", "u", "µ", "ms", "s"), 1), "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is none, by its number in the message."""

    number: int
    text: str

    @property
    def reason(self) -> str:
        return f"line {self.number} is not as InfluxDB's line protocol has it: {self.text}"


def looks_like(text: str) -> bool:
    """Whether one of its first lines is one; hardly anything else is.

    >>> looks_like("weather,station=mill level=82.5"), looks_like("a=1&b=2 x"), looks_like("{}")
    (True, False, False)
    """
    place = _after_blanks(text, 0)
    for _ in range(_LOOKED_AT):
        if _LINE.match(text, place) is not None:
            return True
        place = _next(text, place)
    return False


def entries(text: str, precision: str = "") -> list[dict[str, Any] | BadLine]:
    """The readings, in order, and the lines that are none.

    `precision` is what the address tells of the times: of minutes and hours they become seconds; all others tell
    themselves, by their size.
    Raises Invalid: field `document` if there are too many, `precision` if nobody knows it.
    """
    seconds = _SECONDS.get(precision)
    if seconds is None:
        raise Invalid("precision", "must be ns, us, ms, s, m or h")
    found: list[dict[str, Any] | BadLine] = []
    place = _after_blanks(text, 0)
    while place < len(text):
        if len(found) == MOST_LINES:
            raise Invalid("document", f"has more than {MOST_LINES} lines")
        line = _LINE.match(text, place)
        try:
            found.append(_bad(text, place) if line is None else _entry(line, seconds))
        except ValueError:
            found.append(_bad(text, place))
        place = _next(text, place) if line is None else _after_blanks(text, line.end())
    return found


def whole(text: str) -> list[dict[str, Any]]:
    """As `entries`, of lines that are all good; raises Invalid for the first that is not, naming it."""
    found = entries(text)
    for each in found:
        if isinstance(each, BadLine):
            raise Invalid("document", each.reason)
    return [each for each in found if isinstance(each, dict)]


def _after_blanks(text: str, place: int) -> int:
    blank = _BLANK.match(text, place)
    return place if blank is None else blank.end()


def _next(text: str, place: int) -> int:
    """Where the line after this one begins."""
    end = text.find("\n", place)
    return len(text) if end < 0 else _after_blanks(text, end + 1)


def _bad(text: str, place: int) -> BadLine:
    line = text[place : place + 10 * _SHOWN].partition("\n")[0]
    return BadLine(text.count("\n", 0, place) + 1, shown(line, _SHOWN))


def _entry(line: re.Match[str], seconds: int) -> dict[str, Any]:
    tags = {_plain(name): _plain(value) for name, value in _TAG.findall(line["tags"])}
    fields = {_plain(name): _value(told) for name, told in _EACH_FIELD.findall(line["fields"])}
    entry: dict[str, Any] = {"measurement": _plain(line["measurement"])}
    if tags:
        entry["tags"] = tags
    entry["fields"] = fields
    entry["time"] = NOW if line["time"] is None else int(line["time"]) * seconds
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
