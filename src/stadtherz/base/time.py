"""Instants as whole microseconds since 1970-01-01T00:00:00Z, and their ISO 8601 text.

Microseconds in an int are what the store keeps and compares; `datetime` appears only where people
or Django want one. Formatting times is the largest avoidable cost of an answer, hence the tables.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

Micros = int
SECOND: Micros = 1_000_000
MINUTE: Micros = 60 * SECOND
HOUR: Micros = 60 * MINUTE
DAY: Micros = 24 * HOUR

EARLIEST: Micros = -62_135_596_800 * SECOND  # 0001-01-01, the first day datetime knows
LATEST: Micros = 253_402_300_800 * SECOND - 1  # the end of 9999

_DURATION = re.compile(
    r"(?P<sign>[+-])?P(?:(?P<days>\d{1,7}(?:\.\d+)?)D)?"
    r"(?:T(?:(?P<hours>\d{1,9}(?:\.\d+)?)H)?(?:(?P<minutes>\d{1,9}(?:\.\d+)?)M)?"
    r"(?:(?P<seconds>\d{1,12}(?:\.\d+)?)S)?)?",
    re.ASCII,
)
_DURATION_PARTS = {"days": DAY, "hours": HOUR, "minutes": MINUTE, "seconds": SECOND}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_stopped: list[datetime] = []


def now() -> datetime:
    """The present instant, in UTC. The only place of the product that asks the clock."""
    return _stopped[-1] if _stopped else datetime.now(UTC)  # noqa: TID251 - this is that place


def now_us() -> Micros:
    return to_us(now())


@contextmanager
def stopped_at(moment: datetime) -> Iterator[None]:
    """Stop the product's clock; for tests and for replaying history."""
    _stopped.append(moment.astimezone(UTC))
    try:
        yield
    finally:
        _stopped.pop()


def to_us(moment: datetime) -> Micros:
    """An aware datetime as microseconds, without the rounding of `timestamp()`."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


def from_us(us: Micros) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


@dataclass(frozen=True, slots=True)
class Period:
    """An instant (`end` is None) or an interval from `start` to `end`, both in microseconds."""

    start: Micros
    end: Micros | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise ValueError("a period must not end before it starts")

    @property
    def last(self) -> Micros:
        return self.start if self.end is None else self.end


_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?)?"
    r"(Z|z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?",
    re.ASCII,
)


def parse_instant(text: str) -> Micros:
    """ISO 8601 text to microseconds; nanoseconds are cut, a missing offset means UTC.

    A day may end at 24:00:00; a leap second is the first one of the next day.

    >>> parse_instant("1970-01-01T01:00:01.5+01:00")
    1500000
    """
    match = _ISO.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not an ISO 8601 time such as 2026-11-26T07:00:00Z")
    year, month, day, hours, minutes, seconds, fraction, offset = match.groups()
    hour, minute, second = int(hours or 0), int(minutes or 0), int(seconds or 0)
    micros = int((fraction or "0").ljust(6, "0")[:6])
    beyond = 0
    if second == 60:
        second, beyond = 59, SECOND
    elif hour == 24 and not (minute or second or micros):
        hour, beyond = 23, HOUR
    moment = datetime(int(year), int(month), int(day), hour, minute, second, tzinfo=UTC)
    found = to_us(moment) + beyond - _offset_us(offset)
    if beyond == SECOND and found % DAY:
        raise ValueError(f"{text!r} has a leap second where there is none")
    return _in_our_years(found + micros, text)


_ZONE = re.compile(r"(?:[Zz]|[Tt ]\S*[+-]\d\d:?\d\d)$", re.ASCII)


def check_zone(text: str) -> None:
    """Raise ValueError for a time, or a start or end, that does not say in which zone it is."""
    for part in text.split("/"):
        if not part.startswith("P") and _ZONE.search(part.strip()) is None:
            raise ValueError(f"{part!r} needs a zone at its end, such as Z or +01:00")


def _in_our_years(us: Micros, text: str) -> Micros:
    """An offset may lead before the first year or behind the last, where no text can say when it was."""
    if not EARLIEST <= us <= LATEST:
        raise ValueError(f"{text!r} is in UTC outside the years 1 to 9999")
    return us


def _offset_us(offset: str | None) -> Micros:
    if offset is None or offset in "Zz":
        return 0
    sign = -1 if offset[0] == "-" else 1
    return sign * (int(offset[1:3]) * HOUR + int(offset[-2:]) * MINUTE)


def parse_duration(text: str) -> Micros:
    """An ISO 8601 duration without years and months, whose length depends on the calendar.

    >>> parse_duration("PT1H") == 3_600_000_000
    True
    """
    match = _DURATION.fullmatch(text)
    if match is None or not any(match[part] for part in _DURATION_PARTS):
        raise ValueError(f"{text[:40]!r} is not a duration such as PT1H or P2DT30M")
    total = sum(round(float(match[part] or 0) * us) for part, us in _DURATION_PARTS.items())
    return -total if match["sign"] == "-" else total


def parse_period(text: str) -> Period:
    """An instant, or an interval `start/end`, one of which may say how long it is (ISO 8601 §4.4)."""
    start, slash, end = text.partition("/")
    if slash and end.startswith("P"):
        begin = parse_instant(start)
        return Period(begin, _in_our_years(begin + parse_duration(end), text))
    if slash and start.startswith("P"):
        over = parse_instant(end)
        return Period(_in_our_years(over - parse_duration(start), text), over)
    return Period(parse_instant(start), parse_instant(end) if slash else None)


_MINUTE_OF_DAY = [f"T{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60)]
_SECOND_OF_MINUTE = [f"{second:02}" for second in range(60)]


def times_of_day() -> str:
    """Every second of a day one after the other, nine characters each, for tables of those who format many.

    >>> times_of_day()[9:18]
    'T00:00:01'
    """
    return "".join([minute + second for minute in _MINUTE_OF_DAY for second in _SECOND_OF_MINUTE])


@lru_cache(maxsize=4096)
def _date_text(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%d").rjust(10, "0")


def iso(us: Micros) -> str:
    """Microseconds as ISO 8601 in UTC, with a fraction only where there is one.

    >>> iso(1500000)
    '1970-01-01T00:00:01.500Z'
    """
    seconds, fraction = divmod(us, SECOND)
    minutes, second = divmod(seconds, 60)
    day, minute = divmod(minutes, 1440)
    text = _date_text(day) + _MINUTE_OF_DAY[minute] + _SECOND_OF_MINUTE[second]
    if not fraction:
        return text + "Z"
    digits = f"{fraction:06}"
    return f"{text}.{digits[:3] if digits.endswith('000') else digits}Z"
