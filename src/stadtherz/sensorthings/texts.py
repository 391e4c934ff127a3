"""Columns of readings as lists of JSON texts, one for each reading and no call for each.

A page of readings is put together from such lists (`layout`). Times are the largest part of it, so
they come out of tables of dates, of the seconds of a day and of milliseconds.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from stadtherz.base.time import DAY, SECOND, iso
from stadtherz.store.public import NONE

Texts = list[bytes]
Int64 = npt.NDArray[np.int64]

NULL = b"null"
_TIME_OF_DAY = np.array([iso(second * SECOND)[10:19] for second in range(86_400)], dtype="S9")
_MILLISECONDS = np.array([b".%03d" % ms for ms in range(1000)], dtype="S4")
_REST = np.array([b'Z"', *(b'%03dZ"' % us for us in range(1, 1000))], dtype="S5")  # finer than that
_ISO = np.dtype([("date", "S11"), ("time", "S9"), ("milliseconds", "S4"), ("rest", "S5")])
_FEW_DAYS = 1_000


def numbers(values: npt.NDArray[Any]) -> Texts:
    """JSON numbers; a whole one is shown without a fraction: `6`, as it was sent."""
    if not len(values):
        return []
    if values.dtype == np.float64:
        values = values + 0.0  # without it zero could be negative
    text = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    if values.dtype == np.float64:
        text = (text[:-1] + b",").replace(b".0,", b",")
    return text[1:-1].split(b",")


def documents(values: Sequence[Any]) -> Texts:
    """Any JSON value; numbers as `numbers` shows them."""
    return [NULL if value is None else _document(value) for value in values]


def _document(value: Any) -> bytes:
    text = orjson.dumps(value)
    return text.removesuffix(b".0") if isinstance(value, float) else text


def results(values: npt.NDArray[Any]) -> Texts:
    return numbers(values) if values.dtype == np.float64 else documents(values.tolist())


def instants(times: Int64) -> Texts:
    """Quoted ISO 8601 in UTC, always with milliseconds: the official test suite compares texts."""
    missing = times == NONE
    if not missing.any():
        return _iso(times)
    if missing.all():
        return [NULL] * len(times)
    texts = _iso(np.where(missing, 0, times))
    for i in np.flatnonzero(missing).tolist():
        texts[i] = NULL
    return texts


def periods(starts: Int64, ends: Int64) -> Texts:
    """An instant where there is no end, else `start/end`."""
    texts = instants(starts)
    with_end = np.flatnonzero(ends != NONE)
    if len(with_end):
        for i, end in zip(with_end.tolist(), _iso(ends[with_end]), strict=True):
            texts[i] = texts[i][:-1] + b"/" + end[1:]
    return texts


def _iso(times: Int64) -> Texts:
    if not len(times):
        return []
    days, within = np.divmod(times, DAY)
    seconds, fraction = np.divmod(within, SECOND)
    first, last = int(days.min()), int(days.max())
    text = np.empty(len(times), dtype=_ISO)
    if last - first < _FEW_DAYS:
        text["date"] = _dates(first, last)[days - first]
    else:
        known, back = np.unique(days, return_inverse=True)
        text["date"] = np.array([_date(day) for day in known.tolist()], dtype="S11")[back]
    text["time"] = _TIME_OF_DAY[seconds]
    milliseconds, rest = np.divmod(fraction, 1_000)
    text["milliseconds"] = _MILLISECONDS[milliseconds]
    text["rest"] = _REST[rest]
    texts: Texts = text.view(f"S{_ISO.itemsize}").tolist()
    return texts


@lru_cache(maxsize=64)
def _dates(first: int, last: int) -> npt.NDArray[np.bytes_]:
    return np.array([_date(day) for day in range(first, last + 1)], dtype="S11")


def _date(day: int) -> str:
    return '"' + iso(day * DAY)[:10]


# --- put together --------------------------------------------------------------------------------


def layout(columns: Sequence[bytes | Texts], size: int) -> bytes:
    """`size` rows, each made of one text of every column; what is bytes is the same in every row."""
    width = len(columns)
    pieces: Texts = [b""] * (width * size)
    for place, column in enumerate(columns):
        pieces[place::width] = [column] * size if isinstance(column, bytes) else column
    return b"".join(pieces)
