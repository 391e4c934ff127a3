"""Many ISO 8601 texts as microseconds at once: what `base.time` reads one by one.

Texts of the same length are looked at as a table of characters, so that a text costs a fraction of a
microsecond. Only the common forms are read in this way; whoever gets None reads one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stadtherz.base.time import EARLIEST, HOUR, LATEST, MINUTE, SECOND
from stadtherz.store.public import NONE

Int64 = npt.NDArray[np.int64]
_Characters = npt.NDArray[np.uint8]
_Mask = npt.NDArray[np.bool_]

_SECONDS = 19  # the length of 2026-11-26T07:00:00
_OFFSET = 6  # of +01:00
_SEPARATORS = ((4, b"-"), (7, b"-"), (10, b"T "), (13, b":"), (16, b":"))


def parse_instants(texts: Sequence[str | None]) -> Int64 | None:
    """The texts as microseconds, NONE for None; None if any of them is of no common form."""
    there = [text for text in texts if text is not None]
    if len(there) == len(texts) and len(set(map(len, there))) == 1:  # nearly always
        read = _parse("".join(there), len(there[0]))
        if read is not None:
            return read
    found = np.full(len(texts), NONE, np.int64)
    alike: dict[tuple[int, bool], list[int]] = {}
    for place, text in enumerate(texts):
        if text is not None:
            alike.setdefault((len(text), text.endswith("Z")), []).append(place)
    for (length, _), places in alike.items():
        read = _parse("".join(texts[place] or "" for place in places), length)
        if read is None:
            return None
        found[places] = read
    return found


def parse_periods(texts: Sequence[str | None]) -> tuple[Int64, Int64] | None:
    """Starts and ends of instants and of intervals `start/end`; an instant's end is NONE."""
    with_end = [place for place, text in enumerate(texts) if text is not None and "/" in text]
    begins = list(texts)
    ends: list[str | None] = [None] * len(texts)
    for place in with_end:
        begins[place], _, ends[place] = str(texts[place]).partition("/")
    start, end = parse_instants(begins), parse_instants(ends)
    if start is None or end is None or (end[with_end] < start[with_end]).any():
        return None
    return start, end


def _parse(joined: str, length: int) -> Int64 | None:
    if length <= _SECONDS or not joined.isascii():
        return None
    table = np.frombuffer(joined.encode(), np.uint8).reshape(-1, length)
    zone = _zone(table[:, _SECONDS:])
    if zone is None or not _separated(table):
        return None
    digits = _Digits(table)
    moment = _moment(digits)
    fraction = _fraction(table[:, _SECONDS : length - zone.width], digits)
    found: Int64 = moment + fraction - zone.offset
    digits.expect((found >= EARLIEST) & (found <= LATEST))
    return found if digits.sound else None


def _separated(table: _Characters) -> bool:
    return all(
        np.isin(table[:, place], np.frombuffer(marks, np.uint8)).all()
        for place, marks in _SEPARATORS
    )


class _Digits:
    """Reads numbers and remembers whether all of them were numbers in their range."""

    def __init__(self, table: _Characters) -> None:
        self._table = table
        self.sound = True

    def number(self, place: int, width: int, least: int, most: int) -> Int64:
        value = self.read(self._table[:, place : place + width])
        self.expect((value >= least) & (value <= most))
        return value

    def read(self, characters: _Characters) -> Int64:
        digits = characters - ord("0")  # what is less becomes large
        self.expect(digits <= 9)
        value = np.zeros(len(digits), np.int64)
        for column in digits.T:
            value = value * 10 + column
        return value

    def expect(self, condition: npt.NDArray[Any]) -> None:
        self.sound = self.sound and bool(condition.all())


def _moment(digits: _Digits) -> Int64:
    year = digits.number(0, 4, 1, 9999)
    month = digits.number(5, 2, 1, 12)
    day = digits.number(8, 2, 1, 31)
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    first = months.astype("datetime64[D]").astype(np.int64)
    following = (months + 1).astype("datetime64[D]").astype(np.int64)
    digits.expect(first + day <= following)
    hour = digits.number(11, 2, 0, 23)
    minute = digits.number(14, 2, 0, 59)
    second = digits.number(17, 2, 0, 59)
    minutes: Int64 = ((first + day - 1) * 24 + hour) * 60 + minute
    return minutes * MINUTE + second * SECOND


def _fraction(rest: _Characters, digits: _Digits) -> Int64:
    """Up to nanoseconds, which are cut; `rest` is empty or begins with a point."""
    width = rest.shape[1] - 1
    if width < 0:
        return np.zeros(len(rest), np.int64)
    digits.expect(rest[:, 0] == ord("."))
    digits.expect(np.full(1, 0 < width <= 9))
    value = digits.read(rest[:, 1:7])
    digits.read(rest[:, 7:])
    scale: int = 10 ** max(0, 6 - width)
    return value * scale


@dataclass(frozen=True, slots=True)
class _Zone:
    width: int
    offset: Int64 | int


def _zone(rest: _Characters) -> _Zone | None:
    """`Z`, or an offset such as +01:00, the same way in all."""
    if (rest[:, -1] == ord("Z")).all():
        return _Zone(1, 0)
    if rest.shape[1] < _OFFSET:
        return None
    told = rest[:, -_OFFSET:]
    digits = _Digits(told)
    ahead, behind = told[:, 0] == ord("+"), told[:, 0] == ord("-")
    hours, minutes = digits.number(1, 2, 0, 23), digits.number(4, 2, 0, 59)
    digits.expect((ahead | behind) & (told[:, 3] == ord(":")))
    offset = (hours * HOUR + minutes * MINUTE) * np.where(behind, -1, 1)
    return _Zone(_OFFSET, offset) if digits.sound else None
