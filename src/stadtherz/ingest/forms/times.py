"""When a message says that it was measured: ISO 8601, 26.11.2026 08:00, 20261126080000, as mails write it
(`Thu, 26 Nov 2026 07:00:00 GMT`), or seconds since 1970 or thousandths of them: milliseconds, microseconds,
nanoseconds; also 11/26/2026 3:05 PM. Which of two numbers is the day in 11/10/2026 tells the moment at which the
message arrived, if it is within a day of one of both; else it is refused.

A time without a zone is one of the form's zone. Where clocks are set back the same time comes twice;
then it is the last of both that has been when the message arrived. So a station that sends every ten
minutes has both hours; a retry that arrives only in the second of them is taken for another reading,
unless the message has an identifier. Where clocks are set forward, a
time that no clock has shown counts as if they had not been.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

from stadtherz.base.time import DAY, EARLIEST, LATEST, SECOND, Micros, from_us, parse_instant, to_us
from stadtherz.ingest.documents.uplink import AHEAD

_ZONED = re.compile(r".*\d(Z|z|[+-]\d\d:?\d\d)", re.ASCII)
_NUMBER = re.compile(r"\d{1,19}(\.\d{1,9})?", re.ASCII)
_GERMAN = re.compile(
    r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d\d),?[ T]+(\d{1,2}:\d\d(?::\d\d)?)(?: Uhr)?", re.ASCII
)
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)T?(\d\d)(\d\d)(\d\d)(Z?)", re.ASCII)
_SLASHED = re.compile(r"(\d{4})/(\d\d)/(\d\d)([ T].*)", re.ASCII)
_TWO_NUMBERS = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}),?[ T]+(\d{1,2}:\d\d.*)", re.ASCII)
_HALVES = re.compile(
    r"(.*?)(\d{1,2})(:\d\d(?::\d\d(?:\.\d{1,9})?)?)?\s*([AaPp])\.?[Mm]\.?\s*(Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_MAIL = re.compile(
    r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (GMT|UTC|[+-]\d{4})"
)
NOW = "now"  # what weather stations send that have no clock
FIRST_S = 100_000_000  # March 1973: less is a clock that was never set, or no time
_FIRST_MS = 100_000_000_000  # as seconds this is the year 5138
_FIRST_US = 100_000_000_000_000  # as milliseconds that year again
_FIRST_NS = 100_000_000_000_000_000  # and as microseconds


class NoTime(ValueError):
    """What stands there is no time."""


def zone(name: str) -> ZoneInfo:
    """The zone, such as Europe/Berlin; raises ValueError for one that nobody knows."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError) as problem:
        raise ValueError(f"there is no time zone {name!r}") from problem


def instant(value: Any, where: ZoneInfo, received: Micros) -> Micros:
    """The moment that a value of a message means; raises NoTime."""
    try:
        found = _instant(value, where, received)
    except (ValueError, OverflowError) as problem:
        raise NoTime(str(problem)) from problem
    if not EARLIEST <= found <= LATEST:
        raise NoTime("out of the years that are kept")
    return found


def period(value: Any, where: ZoneInfo, received: Micros) -> tuple[Micros, Micros | None]:
    """Beginning and end of what a value means, the end None for a moment; raises NoTime.

    Intervals are those of SensorThings: two times with a slash between, or an object with `start` and `end`.
    """
    both = _both_ends(value)
    if both is None:
        return instant(value, where, received), None
    start, end = (instant(each, where, received) for each in both)
    if end < start:
        raise NoTime("it ends before it begins")
    return start, end


def _both_ends(value: Any) -> tuple[Any, Any] | None:
    if isinstance(value, dict):
        return (value["start"], value["end"]) if {"start", "end"} <= value.keys() else None
    parts = value.split("/") if isinstance(value, str) else []
    return (parts[0], parts[1]) if len(parts) == 2 and all(":" in each for each in parts) else None


def _instant(value: Any, where: ZoneInfo, received: Micros) -> Micros:
    if isinstance(value, str):
        text = _as_iso(_of_24_hours(value.strip()))
        if match := _TWO_NUMBERS.fullmatch(text):
            return _of_two_numbers(match, where, received)
        if text.lower() == NOW:
            return received
        if _NUMBER.fullmatch(text):
            return _since_1970(float(text) if "." in text else int(text))
        found = parse_instant(text)
        return found if _has_zone(text) else _local(found, where, received)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NoTime("neither text nor number")
    if isinstance(value, int) and _COMPACT.fullmatch(str(value)):
        return _instant(str(value), where, received)
    return _since_1970(value)


def _as_iso(text: str) -> str:
    """A time in one of the other writings, such as 26.11.2026 8:00, as ISO 8601; everything else as it is."""
    if match := _GERMAN.fullmatch(text):
        day, month, year, clock = match.groups()
        hours, _, rest = clock.partition(":")
        century = "20" if len(year) == 2 else ""
        return f"{century}{year}-{month:>02}-{day:>02}T{hours:>02}:{rest}"
    if match := _COMPACT.fullmatch(text):
        return "{}-{}-{}T{}:{}:{}{}".format(*match.groups())
    if match := _SLASHED.fullmatch(text):
        return "{}-{}-{}{}".format(*match.groups())
    if _MAIL.fullmatch(text):
        return parsedate_to_datetime(text).isoformat()
    return text


def _of_24_hours(text: str) -> str:
    """3:05 PM as 15:05; everything else as it is."""
    match = _HALVES.fullmatch(text)
    if match is None or not 1 <= int(match[2]) <= 12:
        return text
    before, hour, rest, half, behind = match.groups()
    return f"{before}{int(hour) % 12 + (12 if half in 'pP' else 0):02}{rest or ':00'}{behind or ''}"


def _of_two_numbers(match: re.Match[str], where: ZoneInfo, received: Micros) -> Micros:
    """The day that can be meant; of two the one at which the message arrived. Raises ValueError."""
    first, second, year, clock = match.groups()
    hours, _, rest = clock.partition(":")
    found: list[Micros] = []
    for month, day in {(first, second), (second, first)}:
        if int(month) <= 12:
            text = f"{year}-{month:>02}-{day:>02}T{hours:>02}:{rest}"
            found.append(_instant(text, where, received))
    near = [each for each in found if abs(each - received) <= DAY] if len(found) > 1 else found
    if len(near) != 1:
        raise NoTime("nobody knows which number is the day")
    return near[0]


def _has_zone(text: str) -> bool:
    """A day alone has none: its hyphens are no offset."""
    return _ZONED.fullmatch(text) is not None and ":" in text


def _since_1970(number: float) -> Micros:
    """Of seconds, milliseconds, microseconds or nanoseconds, told apart by their size."""
    if number >= _FIRST_NS:
        return round(number // 1_000)
    if number < FIRST_S:
        raise NoTime("no time since 1973")
    if number < _FIRST_MS:
        return round(number * SECOND)
    return round(number * 1_000 if number < _FIRST_US else number)


def _local(as_utc: Micros, where: ZoneInfo, received: Micros) -> Micros:
    """The moment at which clocks of the zone show what UTC shows at `as_utc`."""
    shown = from_us(as_utc).replace(tzinfo=None)
    first, second = (_moment(shown, where, fold) for fold in (0, 1))
    return second if first < second <= received + AHEAD else first


def _moment(shown: datetime, where: ZoneInfo, fold: int) -> Micros:
    return to_us(shown.replace(tzinfo=where, fold=fold).astimezone(UTC))
