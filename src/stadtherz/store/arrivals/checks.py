"""What may enter the store: plain JSON, text without NUL, times between the years 1 and 9999."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from stadtherz.base.errors import Invalid
from stadtherz.base.time import EARLIEST, LATEST, Micros, Period
from stadtherz.store.database import ID_RANGE
from stadtherz.store.readings.keys import digest
from stadtherz.store.sealed.batch import TAIL, Batch, Extra, blank
from stadtherz.store.values import NONE, NewColumns, Reading, or_none

LONGEST_KEY = 500
"""Characters of a reading's key; it stands in an index."""

_DEEPEST = 60


def check_text(field: str, text: str) -> str:
    """The text itself, if both engines can keep it."""
    if "\0" in text:
        raise Invalid(field, "must not contain the NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid(field, "is not valid Unicode") from None
    return text


def check_plain(field: str, value: Any, depth: int = 0) -> None:
    """Refuse what JSON, or one of the engines, cannot express."""
    if depth > _DEEPEST:
        raise Invalid(field, f"must not be nested deeper than {_DEEPEST} levels")
    if isinstance(value, str):
        check_text(field, value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise Invalid(field, "must be a finite number")
    elif isinstance(value, dict):
        for key, item in value.items():
            check_plain(field, key, depth + 1)
            check_plain(field, item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            check_plain(field, item, depth + 1)


def json_text(field: str, value: Any) -> str:
    """The value as JSON text, or Invalid."""
    check_plain(field, value)
    try:
        return orjson.dumps(value).decode()
    except (TypeError, orjson.JSONEncodeError) as error:
        raise Invalid(field, f"cannot be kept as JSON: {error}") from None


def check_period(field: str, period: Period) -> None:
    for instant in (period.start, period.last):
        check_instant(field, instant)


def check_instant(field: str, instant: Micros | None) -> None:
    if instant is not None and not EARLIEST <= instant <= LATEST:
        raise Invalid(field, "must lie in the years 1 to 9999")


def batch_of(readings: Sequence[Reading]) -> Batch:
    """The readings as a batch without ids, if nothing is wrong with any of them."""
    rows = []
    extras: dict[int, Extra] = {}
    for place, reading in enumerate(readings):
        row, extra = checked(reading)
        rows.append(row)
        if extra is not None:
            extras[place] = extra
    return Batch(np.array(rows, TAIL), extras)


def checked(reading: Reading) -> tuple[tuple[Any, ...], Extra | None]:
    """A reading as a row of TAIL, and what there is beside a plain number."""
    check_period("phenomenonTime", reading.phenomenon_time)
    check_instant("resultTime", reading.result_time)
    _check_id("Datastream", reading.datastream)
    _check_id("FeatureOfInterest", reading.feature)
    number, extra = _result(reading)
    row = (
        0,  # the writer gives ids
        reading.phenomenon_time.start,
        math.nan if number is None else number,
        reading.datastream,
        or_none(reading.phenomenon_time.end),
        or_none(reading.result_time),
        or_none(reading.feature),
        0 if reading.key is None else digest(reading.datastream, _check_key(reading.key)),
        0,
        extra is None,
    )
    return row, extra


def _result(reading: Reading) -> tuple[float | None, Extra | None]:
    number, document = split_result(reading.result)
    valid, quality, parameters = reading.valid_time, reading.result_quality, reading.parameters
    if document is None and valid is None and quality is None and parameters is None:
        return number, None
    if valid is not None:
        check_period("validTime", valid)
    extra = Extra(
        number,
        document,
        valid.start if valid else None,
        valid.end if valid else None,
        _optional("resultQuality", quality),
        _optional("parameters", parameters),
    )
    return number, extra


def batch_of_columns(new: NewColumns) -> Batch:
    """The columns as a batch without ids, if nothing is wrong with any reading."""
    readings = blank(len(new))
    for name in (
        "datastream",
        "phenomenon_start",
        "result",
        "phenomenon_end",
        "result_time",
        "feature",
    ):
        column = getattr(new, name)
        if column is not None:
            readings[name] = column
    if not np.isfinite(readings["result"]).all():
        raise Invalid("result", "must be a finite number")
    if (readings["datastream"] < 0).any():
        raise Invalid("Datastream", "there is none with a negative id")
    for field, name, optional in _TIMES:
        times = readings[name]
        wrong = (times < EARLIEST) | (times > LATEST)
        if (wrong & (times != NONE) if optional else wrong).any():
            raise Invalid(field, "must lie in the years 1 to 9999")
    ends = readings["phenomenon_end"]
    if ((ends != NONE) & (ends < readings["phenomenon_start"])).any():
        raise Invalid("phenomenonTime", "must not end before it starts")
    if new.keys is not None:
        streams = readings["datastream"].tolist()
        readings["key"] = [
            0 if key is None else digest(stream, _check_key(key))
            for stream, key in zip(streams, new.keys, strict=True)
        ]
    return Batch(readings, {})


_TIMES = (
    ("phenomenonTime", "phenomenon_start", False),
    ("phenomenonTime", "phenomenon_end", True),
    ("resultTime", "result_time", True),
)


def _check_id(field: str, key: int | None) -> None:
    if key is not None and key not in ID_RANGE:
        raise Invalid(field, f"there is none with the id {key}")


def _check_key(key: str) -> str:
    if len(key) > LONGEST_KEY:
        raise Invalid("key", f"must not be longer than {LONGEST_KEY} characters")
    return check_text("key", key)


def split_result(result: Any) -> tuple[float | None, str | None]:
    """A result as (number, JSON text); exactly one of them is there."""
    if isinstance(result, int | float) and not isinstance(result, bool):
        try:
            number = float(result)
        except OverflowError:
            raise Invalid("result", "is too large a number") from None
        if not math.isfinite(number):
            raise Invalid("result", "must be a finite number")
        if isinstance(result, int) and int(number) != result:
            raise Invalid(
                "result",
                "whole numbers beyond 9007199254740992 cannot all be kept exactly (RFC 7493 §2.2), "
                f'and this one cannot; send it as a text, "{result}", or rounded, {number!r}',
            )
        return number, None
    return None, json_text("result", result)


def _optional(field: str, value: Any) -> str | None:
    return None if value is None else json_text(field, value)
