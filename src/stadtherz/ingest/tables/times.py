"""Cells as instants: in the form of the file, in its time zone, and in autumn's double hour.

A time that cannot be told for certain is never guessed: it is refused, or taken by the rule that was
chosen and noted.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from stadtherz.base.time import DAY, EARLIEST, HOUR, LATEST, MINUTE, SECOND, Micros, to_us
from stadtherz.ingest.tables.rules import Double, TimeFormat, Times

NO_TIME = "no_time"
BAD_TIME = "bad_time"
GAP = "gap"  # the clocks were put forward
DOUBLE = "double"  # comes twice, and nothing tells which one it is
DOUBLE_TAKEN = "double_taken"  # a note: comes twice, taken by the rule
DOUBLE_ONCE = "double_once"  # a note: the double hour came only once

_STEP = 15 * MINUTE  # offsets of zones change at such times
_REMEMBERED = 20_000
_SUMMER = frozenset(
    {
        "mesz",
        "cest",
        "sommerzeit",
        "sommer",
        "s",
        "sz",
        "dst",
        "a",
        "1",
        "true",
        "wahr",
        "ja",
        "bst",
    }
)
_WINTER = frozenset(
    {"mez", "cet", "winterzeit", "winter", "w", "wz", "normalzeit", "n", "b", "0", "false", "falsch",
     "nein", "gmt", ""}
)  # fmt: skip
_NAMED = {"Z": 0, "UTC": 0, "GMT": 0, "MEZ": 1, "CET": 1, "MESZ": 2, "CEST": 2}

_DATES = {
    TimeFormat.ISO: re.compile(r"(?P<y>\d{4})[-/.](?P<m>\d\d?)[-/.](?P<d>\d\d?)", re.ASCII),
    TimeFormat.GERMAN: re.compile(r"(?P<d>\d\d?)\.(?P<m>\d\d?)\.(?P<y>\d{4}|\d\d)", re.ASCII),
    TimeFormat.DAY_FIRST: re.compile(
        r"(?P<d>\d\d?)[/-](?P<m>\d\d?)[/-](?P<y>\d{4}|\d\d)", re.ASCII
    ),
    TimeFormat.MONTH_FIRST: re.compile(
        r"(?P<m>\d\d?)[/-](?P<d>\d\d?)[/-](?P<y>\d{4}|\d\d)", re.ASCII
    ),
    TimeFormat.COMPACT: re.compile(r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)", re.ASCII),
}
_CLOCK = re.compile(
    r"(?P<h>\d\d?)(?P<which>[AaBb]?)(?::|\.|h)?(?P<m>\d\d)(?:[:.]?(?P<s>\d\d)(?:[.,](?P<f>\d{1,9}))?)?"
    r"(?:\s*Uhr|\s*(?P<half>[AaPp])\.?[Mm]\.?)?\s*(?P<o>Z|[+-]\d\d(?::?\d\d)?|UTC|GMT|MESZ|MEZ|CEST|CET)?",
    re.ASCII,
)


_HOUR = re.compile(r"(\d\d?)\s*([AaPp]\.?[Mm]\.?)", re.ASCII)  # 3 PM


class Written(NamedTuple):
    """A time as it is written: wall clock in microseconds as if it were UTC.

    `offset` is there where the cell itself says how far it is from UTC; `fold` where it says which of the two it is.
    """

    wall: Micros
    offset: Micros | None = None
    fold: int | None = None


@dataclass(slots=True)
class Before:
    """The row before, of the same series: what the order of rows tells."""

    wall: Micros
    fold: int | None = None  # of a row in the double hour
    backwards: bool = False  # whether the rows came into it from its end


class Clock:
    """Makes instants of the cells of one file, row by row.

    `places` are those of the date, the time of day (or None) and the column of summer time (or None).
    `state` goes on where an interrupted import was.
    """

    def __init__(
        self,
        times: Times,
        places: tuple[int, int | None, int | None],
        *,
        epoch: datetime | None = None,
        state: dict[str, list[Any]] | None = None,
    ) -> None:
        self._rule = times.double
        self._at, self._second, self._season = places
        self._written = parser(times.format, epoch)
        self._zone = zone_of(times.zone)
        self._offsets: dict[int, tuple[int, Micros, Micros]] = {}
        self._before = {name: Before(*held) for name, held in (state or {}).items()}
        self.note = ""

    @property
    def state(self) -> dict[str, list[Any]]:
        """As plain values, to go on later."""
        return {
            name: [before.wall, before.fold, before.backwards]
            for name, before in self._before.items()
        }

    def fold(self, series: str = "") -> int | None:
        """Of the row that was read last: 0 the first of the double hour, 1 the second."""
        before = self._before.get(series)
        return None if before is None else before.fold

    def instant(self, cells: Sequence[Any], series: str = "") -> Micros | str:
        """The instant of a row, or why there is none. `note` says what has to be told besides."""
        self.note = ""
        try:
            first = cells[self._at]
            second = None if self._second is None else cells[self._second]
        except IndexError:
            return NO_TIME
        if first in ("", None):
            return NO_TIME
        written = self._written(first, second)
        if written is None:
            return BAD_TIME
        if written.offset is not None:
            return _possible(written.wall - written.offset)
        return self._of_wall(written, cells, series)

    def _of_wall(self, written: Written, cells: Sequence[Any], series: str) -> Micros | str:
        wall = written.wall
        kind, summer, standard = self._offset(wall)
        before = self._before.get(series)
        if kind == _ONE:
            if before is None:
                self._before[series] = before = Before(wall)
            elif before.fold is not None:
                self._leave(before, wall)
                before.fold = None
            before.wall = wall
            return _possible(wall - summer)
        if kind == _NONE:
            return GAP
        fold = written.fold if written.fold is not None else self._fold(before, wall, cells)
        if fold is None:
            return DOUBLE
        self._before[series] = Before(wall, fold, _is_backwards(before, wall))
        return wall - (standard if fold else summer)

    def _leave(self, before: Before, wall: Micros) -> None:
        """Behind the double hour: whether it came twice."""
        once = 0 if wall > before.wall else 1
        if self._rule == Double.ORDER and before.fold == once:
            self.note = DOUBLE_ONCE

    def _fold(self, before: Before | None, wall: Micros, cells: Sequence[Any]) -> int | None:
        match self._rule:
            case Double.FIRST | Double.SECOND:
                self.note = DOUBLE_TAKEN
                return int(self._rule == Double.SECOND)
            case Double.COLUMN:
                return self._told(cells)
            case Double.REFUSE:
                return None
        fold = fold_by_order(before, wall)
        self.note = DOUBLE_TAKEN if fold is not None else ""
        return fold

    def _told(self, cells: Sequence[Any]) -> int | None:
        if self._season is None or self._season >= len(cells):
            return None
        cell = cells[self._season]
        text = str(cell).strip().casefold() if cell is not None else ""
        if text in _SUMMER:
            return 0
        return 1 if text in _WINTER else None

    def _offset(self, wall: Micros) -> tuple[int, Micros, Micros]:
        step = wall // _STEP
        found = self._offsets.get(step)
        if found is None:
            if len(self._offsets) >= _REMEMBERED:
                self._offsets.clear()
            found = self._offsets[step] = offsets(self._zone, step * _STEP)
        return found


def fold_by_order(before: Before | None, wall: Micros) -> int | None:
    """0 for the first of the two hours, 1 for the second, None if the row before does not tell.

    Rows may run forwards or backwards. Who comes into the double hour from afar may have missed one of them.
    """
    if before is None or abs(wall - before.wall) > HOUR:
        return None
    if before.fold is None:
        return 0 if wall > before.wall else 1
    if before.backwards:  # a step forwards is the clock that was put back, seen from behind
        return 0 if wall >= before.wall else before.fold
    return 1 if wall <= before.wall else before.fold


def _is_backwards(before: Before | None, wall: Micros) -> bool:
    if before is None:
        return False
    return before.backwards if before.fold is not None else wall < before.wall


_ONE, _TWO, _NONE = 1, 2, 0


def offsets(zone: ZoneInfo, wall: Micros) -> tuple[int, Micros, Micros]:
    """How often the wall clock shows this, and its offsets in summer and standard time."""
    if not EARLIEST + DAY < wall < LATEST - DAY:
        return _ONE, 0, 0
    moment = datetime(1970, 1, 1) + timedelta(microseconds=wall)  # noqa: DTZ001 - a wall clock
    first, second = (
        _micros(moment.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta())
        for fold in (0, 1)
    )
    if first == second:
        return _ONE, first, first
    return (_TWO if first > second else _NONE), first, second


def _micros(delta: timedelta) -> Micros:
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


def _possible(instant: Micros) -> Micros | str:
    return instant if EARLIEST <= instant <= LATEST else BAD_TIME


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    return ZoneInfo(name)


# --- as written ----------------------------------------------------------------------------------


def parser(form: TimeFormat, epoch: datetime | None = None) -> Callable[[Any, Any], Written | None]:
    """What reads a date's cell and that of the time of day (None if there is none)."""
    if form in (TimeFormat.SECONDS, TimeFormat.MILLISECONDS):
        unit = SECOND if form == TimeFormat.SECONDS else SECOND // 1000
        return lambda first, second: _since_1970(first, unit)
    days = _remembering(lambda text: _day(text, _DATES.get(form, _DATES[TimeFormat.ISO])))
    clocks = _remembering(_clock)

    def read(first: Any, second: Any) -> Written | None:
        if type(first) is not str:
            return _of_cells(first, second, form, epoch, clocks, days)
        text = first.strip()
        if second is None:
            return _of_text(text, form, days, clocks)
        day = days(text)
        return _together(day, _of_clock(second, clocks))

    return read


def _remembering(work: Callable[[str], Any]) -> Callable[[str], Any]:
    """Dates and times of day come again and again."""
    known: dict[str, Any] = {}

    def asked(text: str) -> Any:
        found = known.get(text)
        if found is None:
            if len(known) >= _REMEMBERED:
                known.clear()
            found = known[text] = work(text)
        return found

    return asked


def _of_text(text: str, form: TimeFormat, days: Any, clocks: Any) -> Written | None:
    """Date and time in one cell."""
    split = 10
    if form == TimeFormat.COMPACT:
        split = 8
    elif len(text) <= split or text[split] not in " T":
        split = next((n for n, sign in enumerate(text) if sign in " T"), len(text))
    day = days(text[:split].rstrip(","))
    rest = text[split:].lstrip("T :")
    return _together(day, clocks(rest) if rest else Written(0))


def _together(day: Micros | None, clock: Written | None) -> Written | None:
    if day is None or clock is None:
        return None
    wall, offset, fold = clock
    return Written(day + wall, offset, fold)


def _day(text: str, pattern: re.Pattern[str]) -> Micros | None:
    found = pattern.fullmatch(text)
    if found is None:
        return None
    year = int(found["y"])
    if len(found["y"]) == 2:
        year += 2000 if year < 70 else 1900
    try:
        return to_us(datetime(year, int(found["m"]), int(found["d"]), tzinfo=UTC))
    except ValueError:
        return None


def _clock(text: str) -> Written | None:
    """A time of day; the day may end at 24:00."""
    hour_alone = _HOUR.fullmatch(text.strip())
    found = _CLOCK.fullmatch(hour_alone.expand(r"\1:00 \2") if hour_alone else text.strip())
    if found is None:
        return None
    hour, minute, second = (int(found[name] or 0) for name in "hms")
    if found["half"]:
        hour = of_twelve(hour, found["half"])
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and (minute or second)):
        return None
    wall = hour * HOUR + minute * MINUTE + second * SECOND
    wall += int((found["f"] or "0").ljust(6, "0")[:6])
    which = found["which"].lower()
    return Written(wall, _offset_of(found["o"]), "ab".index(which) if which else None)


def of_twelve(hour: int, half: str) -> int:
    """The hour of a day whose halves have twelve each, of which 12 is the first; 99 for one that they do not have.

    >>> of_twelve(12, "am"), of_twelve(3, "PM"), of_twelve(15, "PM")
    (0, 15, 99)
    """
    if not 1 <= hour <= 12:
        return 99
    return hour % 12 + (12 if half[:1] in "pP" else 0)


def _offset_of(text: str | None) -> Micros | None:
    if not text:
        return None
    if text in _NAMED:
        return _NAMED[text] * HOUR
    sign = -1 if text[0] == "-" else 1
    minutes = text[3:].lstrip(":")
    return sign * (int(text[1:3]) * HOUR + int(minutes or 0) * MINUTE)


def _since_1970(cell: Any, unit: Micros) -> Written | None:
    if isinstance(cell, bool):
        return None
    try:
        number = float(str(cell).strip().replace(",", "."))
        return Written(round(number * unit), 0)
    except (ValueError, OverflowError):
        return None


def _of_cells(
    first: Any, second: Any, form: TimeFormat, epoch: datetime | None, clocks: Any, days: Any
) -> Written | None:
    """The date's cell of a workbook that is no text."""
    if isinstance(first, datetime):
        day: Micros | None = to_us(first.replace(tzinfo=UTC))
    elif isinstance(first, date):
        day = to_us(datetime(first.year, first.month, first.day, tzinfo=UTC))
    elif isinstance(first, bool) or not isinstance(first, int | float):
        return None
    elif form == TimeFormat.COMPACT:
        return _of_text(str(int(first)), form, days, clocks)
    else:
        day = _serial(first, epoch)
    if second is None or day is None:
        return None if day is None else Written(day)
    return _together(day, _of_clock(second, clocks))


_FIRST_DAY = 366  # a smaller number is a value of another column, not a day of 1900


def _serial(number: float, epoch: datetime | None) -> Micros | None:
    """A workbook's number of days, to the millisecond: that is as far as its numbers reach."""
    begin = epoch or datetime(1899, 12, 30)  # noqa: DTZ001 - a wall clock
    try:
        moment = begin + timedelta(milliseconds=round(number * 86_400_000))
    except (OverflowError, ValueError):
        return None
    return to_us(moment.replace(tzinfo=UTC)) if number >= _FIRST_DAY else None


def _of_clock(cell: Any, clocks: Any) -> Written | None:
    """The cell of the time of day: text, a time, or a part of a day."""
    if isinstance(cell, str):
        found: Written | None = clocks(cell) if cell.strip() else None
        return found
    if isinstance(cell, datetime):
        cell = cell.time()
    if isinstance(cell, time):
        return Written(
            cell.hour * HOUR + cell.minute * MINUTE + cell.second * SECOND + cell.microsecond
        )
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not 0 <= cell <= 1:
        return None
    return Written(round(cell * 86_400_000) * 1000)
