"""Columns of readings as JSON texts, and rows put together from them, without a call for each reading.

A column is one text for all rows (`bytes`), a list of texts, or, where all texts are equally long, a
table of characters with a row for each. Ids and times nearly always are, and tables that meet in a
row become one (`layout`), so that few pieces are left to be joined. Times are the largest part of an
answer; they come out of tables of dates, of the seconds of a day and of milliseconds.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from stadtherz.base.time import DAY, SECOND, iso, times_of_day
from stadtherz.store.public import NONE

Texts = list[bytes]
Table = npt.NDArray[np.uint8]
Column = bytes | Texts | Table
Int64 = npt.NDArray[np.int64]

NULL = b"null"
_FEW_DAYS = 1_000


def _table(texts: Texts) -> npt.NDArray[np.void]:
    """Texts of equal length, to be looked up by number."""
    return np.frombuffer(b"".join(texts), f"V{len(texts[0])}")


_TIME_OF_DAY = np.frombuffer(times_of_day().encode(), "V9")
_MILLISECONDS = _table([b".%03d" % ms for ms in range(1000)])
_MICROSECONDS = _table([b"%03d" % us for us in range(1000)])
_INSTANT = np.dtype([("date", "V11"), ("time", "V9"), ("milliseconds", "V4"), ("end", "V2")])
_FINE_INSTANT = np.dtype(
    [("date", "V11"), ("time", "V9"), ("milliseconds", "V4"), ("microseconds", "V3"), ("end", "V2")]
)
_END = np.void(b'Z"')


def listed(column: Column, size: int) -> Texts:
    """The column as a list."""
    if isinstance(column, bytes):
        return [column] * size
    return column if isinstance(column, list) else _rows(column)


def _rows(table: Table) -> Texts:
    rows: Texts = np.ascontiguousarray(table).view(f"V{table.shape[1]}").ravel().tolist()
    return rows


# --- numbers and documents -----------------------------------------------------------------------


def integers(values: Int64) -> Column:
    """JSON numbers; null where there is none."""
    if not len(values):
        return []
    if len(values) == 1:  # an entity by itself needs no table
        only = int(values[0])
        return NULL if only == NONE else b"%d" % only
    text = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    least, most = int(values.min()), int(values.max())
    if least >= 0 and len(str(least)) == len(str(most)):
        return np.frombuffer(text, np.uint8, len(text) - 1, 1).reshape(len(values), -1)[:, :-1]
    texts = text[1:-1].split(b",")
    return _blanked(texts, values == NONE) if least == NONE else texts


def _blanked(texts: Texts, missing: npt.NDArray[np.bool_]) -> Texts:
    for i in np.flatnonzero(missing).tolist():
        texts[i] = NULL
    return texts


def results(values: npt.NDArray[Any]) -> Texts:
    """Any JSON value; a whole number is shown without a fraction: `6`, as it was sent."""
    if values.dtype != np.float64:
        return documents(values.tolist())
    whole = values + 0.0  # without it zero could be negative
    text = orjson.dumps(np.ascontiguousarray(whole), option=orjson.OPT_SERIALIZE_NUMPY)
    return (text[1:-1] + b",").replace(b".0,", b",")[:-1].split(b",")


def documents(values: Sequence[Any]) -> Texts:
    """Any JSON value; numbers as `results` shows them."""
    return [NULL if value is None else _document(value) for value in values]


def _document(value: Any) -> bytes:
    text = orjson.dumps(value)
    return text.removesuffix(b".0") if isinstance(value, float) else text


# --- times ---------------------------------------------------------------------------------------


def instants(times: Int64) -> Column:
    """Quoted ISO 8601 in UTC, always with milliseconds: the official test suite compares texts."""
    missing = times == NONE
    if not missing.any():
        return _iso(times)
    if missing.all():
        return NULL
    return _blanked(listed(_iso(np.where(missing, 0, times)), len(times)), missing)


def periods(starts: Int64, ends: Int64) -> Column:
    """An instant where there is no end, else `start/end`."""
    with_end = np.flatnonzero(ends != NONE)
    if not len(with_end):
        return instants(starts)
    if len(with_end) == len(starts):
        begins, behind = instants(starts), _iso(ends)
        if isinstance(begins, np.ndarray) and isinstance(behind, np.ndarray):
            return _joined([begins[:, :-1], b"/", behind[:, 1:]], len(starts))
    texts = listed(instants(starts), len(starts))
    for i, end in zip(with_end.tolist(), listed(_iso(ends[with_end]), 0), strict=True):
        texts[i] = texts[i][:-1] + b"/" + end[1:]
    return texts


def moments(starts: Int64, ends: Int64) -> Texts:
    """Objects with a start, and with an end where there is one."""
    begins = listed(instants(starts), len(starts))
    texts = [NULL if begin == NULL else b'{"start":' + begin + b"}" for begin in begins]
    with_end = np.flatnonzero(ends != NONE)
    for i, end in zip(with_end.tolist(), listed(_iso(ends[with_end]), 0), strict=True):
        texts[i] = texts[i][:-1] + b',"end":' + end + b"}"
    return texts


def intervals(starts: Int64, ends: Int64) -> Column:
    """Objects that always have an end, which of an instant is its start."""
    if (starts == NONE).all():
        return NULL
    return moments(starts, np.where(ends == NONE, starts, ends))


def _iso(times: Int64) -> Column:
    if not len(times):
        return []
    days, within = np.divmod(times, DAY)
    seconds, fraction = np.divmod(within, SECOND)
    milliseconds, microseconds = np.divmod(fraction, 1_000)
    finer = microseconds != 0
    some_finer = bool(finer.any())
    text = np.empty(len(times), _FINE_INSTANT if some_finer else _INSTANT)
    text["date"] = _dates_of(days)
    text["time"] = _TIME_OF_DAY.take(seconds)
    text["milliseconds"] = _MILLISECONDS.take(milliseconds)
    text["end"] = _END
    if some_finer:
        text["microseconds"] = _MICROSECONDS.take(microseconds)
    table = text.view(np.uint8).reshape(len(times), -1)
    return _shortened(table, finer) if some_finer and not finer.all() else table


def _shortened(table: Table, finer: npt.NDArray[np.bool_]) -> Texts:
    """Without microseconds where these are zero."""
    texts = _rows(table)
    for i in np.flatnonzero(~finer).tolist():
        texts[i] = texts[i][:24] + b'Z"'
    return texts


def _dates_of(days: Int64) -> npt.NDArray[np.void]:
    first, last = int(days.min()), int(days.max())
    if last - first < _FEW_DAYS:
        return _dates(first, last).take(days - first)
    known, back = np.unique(days, return_inverse=True)
    return _table([_date(day) for day in known.tolist()]).take(back)


@lru_cache(maxsize=64)
def _dates(first: int, last: int) -> npt.NDArray[np.void]:
    return _table([_date(day) for day in range(first, last + 1)])


def _date(day: int) -> bytes:
    return b'"' + iso(day * DAY)[:10].encode()


# --- rows ----------------------------------------------------------------------------------------


def layout(columns: Sequence[Column], size: int, *, between: bytes = b",") -> Texts:
    """`size` rows in pieces, each made of one text of every column."""
    if not size:
        return []
    columns = [*columns, between]
    parts = _together(columns, size)
    width = len(parts)
    pieces: Texts = [b""] * (width * size)
    for place, part in enumerate(parts):
        pieces[place::width] = listed(part, size)
    pieces[-1] = pieces[-1][: -len(between)]
    return pieces


def rows(columns: Sequence[Column], size: int) -> Texts:
    """`size` rows, each one text."""
    parts = [listed(part, size) for part in _together(columns, size)]
    return parts[0] if len(parts) == 1 else list(map(b"".join, zip(*parts, strict=True)))


def _together(columns: Sequence[Column], size: int) -> list[Column]:
    """Lists as they are; what stands between two of them as one column."""
    parts: list[Column] = []
    meeting: list[bytes | Table] = []
    for column in columns:
        if not isinstance(column, list):
            meeting.append(column)
            continue
        if meeting:
            parts.append(_joined(meeting, size))
            meeting = []
        parts.append(column)
    return [*parts, _joined(meeting, size)] if meeting else parts


def _joined(parts: Sequence[bytes | Table], size: int) -> bytes | Table:
    if all(isinstance(part, bytes) for part in parts):
        return b"".join(parts)  # type: ignore[arg-type]  # as the line above says
    row = b"".join(part if isinstance(part, bytes) else bytes(part.shape[1]) for part in parts)
    joined = np.empty((size, len(row)), np.uint8)
    joined[:] = np.frombuffer(row, np.uint8)
    end = 0
    for part in parts:
        begin, end = end, end + (len(part) if isinstance(part, bytes) else part.shape[1])
        if not isinstance(part, bytes):
            joined[:, begin:end] = part
    return joined
