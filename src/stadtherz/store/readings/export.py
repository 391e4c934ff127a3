"""Readings as a stream of bytes: CSV, Arrow or Parquet, one part of the readings at a time.

Whatever the number of readings, memory holds a part or, for Arrow and Parquet, a record batch of
about 64,000 readings. CSV is built from tables and joined lists, without a call for each reading.
"""

import io
import itertools
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from stadtherz.base.errors import Unavailable
from stadtherz.base.time import DAY, SECOND, iso, times_of_day
from stadtherz.store.values import NONE, Columns, Int64

_BATCH = 65_536  # readings in a record batch or a row group
_LINE = b"\r\n"
_MILLISECONDS = np.array([b"Z", *(b".%03dZ" % ms for ms in range(1, 1000))], dtype="S8")

CSV_HEADER = (
    *("@iot.id", "Datastream", "phenomenonTime", "resultTime", "result", "FeatureOfInterest"),
    *("validTime", "resultQuality", "parameters"),
)

Texts = list[bytes]
Fields = Iterable[bytes]


# --- CSV -----------------------------------------------------------------------------------------


def as_csv(parts: Iterable[Columns]) -> Iterator[bytes]:
    """CSV after RFC 4180 with one header line, in UTF-8; one piece of bytes for each part.

    Times are ISO 8601 in UTC, periods `start/end`. A result that is no number, and every
    resultQuality and parameters, is JSON; what is not there is empty.

    >>> b"".join(as_csv([]))[:19]
    b'@iot.id,Datastream,'
    """
    yield ",".join(CSV_HEADER).encode() + _LINE
    for part in parts:
        if len(part):
            yield _LINE.join([b",".join(row) for row in zip(*_fields(part), strict=True)]) + _LINE


def _fields(part: Columns) -> list[Texts]:
    fields = (
        _integers(part.id),
        _integers(part.datastream),
        _periods(part.phenomenon_start, part.phenomenon_end),
        _times(part.result_time),
        _results(part.result),
        _integers(part.feature),
        _periods(part.valid_start, part.valid_end),
        _documents(part.result_quality),
        _documents(part.parameters),
    )
    return [list(itertools.islice(field, len(part))) for field in fields]


def _integers(values: Int64) -> Fields:
    missing = values == NONE
    if missing.all():
        return itertools.repeat(b"")
    return _blank(_numbers(values), missing)


def _numbers(values: npt.NDArray[Any]) -> Texts:
    """JSON's text of each number."""
    text = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    return text[1:-1].split(b",")


def _blank(texts: Texts, missing: npt.NDArray[np.bool_]) -> Texts:
    for i in np.flatnonzero(missing).tolist():
        texts[i] = b""
    return texts


def _times(times: Int64) -> Fields:
    missing = times == NONE
    if missing.all():
        return itertools.repeat(b"")
    return _blank(_iso(np.where(missing, 0, times)), missing)


def _iso(times: Int64) -> Texts:
    """What `base.time.iso` makes of each, put together from tables of dates and of seconds."""
    days, within = np.divmod(times, DAY)
    seconds, fraction = np.divmod(within, SECOND)
    first = int(days.min())
    text = np.empty(len(times), dtype=[("date", "S10"), ("time", "S9"), ("rest", "S8")])
    if int(days.max()) - first < 1_000:
        text["date"] = _dates(first, int(days.max()))[days - first]
    else:
        known, back = np.unique(days, return_inverse=True)
        text["date"] = np.array([_date(day) for day in known.tolist()], dtype="S10")[back]
    text["time"] = _times_of_day()[seconds]
    text["rest"] = _fractions(fraction)
    texts: Texts = text.view("S27").tolist()
    return texts


def _fractions(fraction: Int64) -> npt.NDArray[np.bytes_]:
    milliseconds, rest = np.divmod(fraction, 1_000)
    texts = _MILLISECONDS[milliseconds]
    for i in np.flatnonzero(rest).tolist():
        texts[i] = b".%06dZ" % fraction[i]
    return texts


@cache
def _times_of_day() -> npt.NDArray[np.bytes_]:
    return np.frombuffer(times_of_day().encode(), "S9")


@lru_cache(maxsize=64)
def _dates(first: int, last: int) -> npt.NDArray[np.bytes_]:
    return np.array([_date(day) for day in range(first, last + 1)], dtype="S10")


def _date(day: int) -> str:
    return iso(day * DAY)[:10]


def _periods(starts: Int64, ends: Int64) -> Fields:
    with_end = np.flatnonzero(ends != NONE)
    if not len(with_end):
        return _times(starts)
    texts = list(itertools.islice(_times(starts), len(starts)))
    for i, end in zip(with_end.tolist(), _iso(ends[with_end]), strict=True):
        texts[i] += b"/" + end
    return texts


def _results(results: npt.NDArray[Any]) -> Fields:
    if results.dtype == np.float64:
        return _blank(_numbers(results), ~np.isfinite(results))
    return _documents(results)


def _documents(values: Iterable[Any] | None) -> Fields:
    if values is None:
        return itertools.repeat(b"")
    return [_quoted(_json(value)) for value in values]


def _json(value: Any) -> bytes:
    return b"" if value is None else orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def _quoted(text: bytes) -> bytes:
    if b'"' in text or b"," in text:  # JSON has no bare line breaks
        return b'"' + text.replace(b'"', b'""') + b'"'
    return text


# --- Arrow and Parquet ---------------------------------------------------------------------------


def as_arrow(parts: Iterable[Columns]) -> Iterator[bytes]:
    """The Arrow IPC stream format. Raises Unavailable, at once, where pyarrow is not installed."""
    arrow = _pyarrow()
    sink, schema = _Drain(), _schema(arrow)
    return _written(arrow, sink, parts, lambda: arrow.ipc.new_stream(sink, schema))


def as_parquet(parts: Iterable[Columns]) -> Iterator[bytes]:
    """One Parquet file, compressed with zstd. Raises Unavailable as `as_arrow` does."""
    arrow, parquet = _pyarrow(), import_module("pyarrow.parquet")
    sink, schema = _Drain(), _schema(arrow)

    def opened() -> Any:
        return parquet.ParquetWriter(sink, schema, compression="zstd")

    return _written(arrow, sink, parts, opened)


def _pyarrow() -> Any:
    try:
        return import_module("pyarrow")
    except ImportError:
        reason = "is not installed; get it with: pip install 'stadtherz[export]'"
        raise Unavailable("pyarrow", reason, retry=False) from None


def _written(arrow: Any, sink: "_Drain", parts: Iterable[Columns], opened: Any) -> Iterator[bytes]:
    with opened() as writer:
        for batch in _batches(arrow, parts):
            writer.write_batch(batch)
            yield from sink.drained()
    yield from sink.drained()


class _Drain(io.RawIOBase):
    """Takes what a writer writes until it is fetched; knows how much that was in all."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        self._position += len(self._pieces[-1])
        return len(self._pieces[-1])

    def drained(self) -> Iterator[bytes]:
        pieces, self._pieces = self._pieces, []
        if pieces:
            yield b"".join(pieces)


def _batches(arrow: Any, parts: Iterable[Columns]) -> Iterator[Any]:
    """Record batches of a good size: small parts share one, a large part fills several."""
    waiting: list[Any] = []
    number = 0
    for part in parts:
        waiting.append(_record_batch(arrow, part))
        number += len(part)
        if number >= _BATCH:
            yield from _together(arrow, waiting)
            waiting, number = [], 0
    if number:
        yield from _together(arrow, waiting)


def _together(arrow: Any, batches: list[Any]) -> Iterator[Any]:
    yield from arrow.Table.from_batches(batches).combine_chunks().to_batches(_BATCH)


def _schema(arrow: Any) -> Any:
    instant = arrow.timestamp("us", "UTC")
    return arrow.schema(
        [
            arrow.field("id", arrow.int64(), nullable=False),
            arrow.field("datastream", arrow.int64(), nullable=False),
            arrow.field("phenomenon_start", instant, nullable=False),
            ("phenomenon_end", instant),
            ("result_time", instant),
            ("result", arrow.float64()),
            ("result_json", arrow.string()),
            ("feature", arrow.int64()),
            ("valid_start", instant),
            ("valid_end", instant),
            ("result_quality", arrow.string()),
            ("parameters", arrow.string()),
        ]
    )


def _record_batch(arrow: Any, part: Columns) -> Any:
    schema = _schema(arrow)
    numbers, others = _told_apart(part.result)
    given: dict[str, Any] = {
        "result": arrow.array(numbers, arrow.float64(), from_pandas=True),
        "result_json": _strings(arrow, others, len(part)),
        "result_quality": _strings(arrow, part.result_quality, len(part)),
        "parameters": _strings(arrow, part.parameters, len(part)),
    }
    for field in schema:
        if field.name not in given:
            values = getattr(part, field.name)
            column = arrow.array(values, arrow.int64(), mask=values == NONE)
            given[field.name] = column.view(field.type)
    return arrow.record_batch([given[field.name] for field in schema], schema=schema)


def _told_apart(results: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float64], list[Any] | None]:
    """Numbers, NaN where there is none; and the other results, None where there is none."""
    if results.dtype == np.float64:
        return results, None
    number = [isinstance(value, int | float) and not isinstance(value, bool) for value in results]
    pairs = list(zip(results, number, strict=True))
    numbers = np.array([float(value) if is_number else np.nan for value, is_number in pairs])
    return numbers, [None if is_number else value for value, is_number in pairs]


def _strings(arrow: Any, values: Iterable[Any] | None, number: int) -> Any:
    if values is None:
        return arrow.nulls(number, arrow.string())
    texts = [None if value is None else _json(value).decode() for value in values]
    return arrow.array(texts, arrow.string())
