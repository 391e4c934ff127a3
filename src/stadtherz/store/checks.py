"""What may enter the store: plain JSON, text without NUL, times between the years 1 and 9999."""

import math
from typing import Any

import orjson

from stadtherz.base.errors import Invalid
from stadtherz.base.time import EARLIEST, LATEST, Micros, Period
from stadtherz.store.database import ID_RANGE
from stadtherz.store.values import Reading

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


Row = tuple[Any, ...]
"""A reading as the table has it: the columns of `tables.py` without the id."""

ROW_COLUMNS = (
    "datastream",
    "phenomenon_start",
    "phenomenon_end",
    "result_time",
    "number",
    "result",
    "feature",
    "valid_start",
    "valid_end",
    "result_quality",
    "parameters",
    "key",
)


def row_of(reading: Reading) -> Row:
    """The reading as a row, if nothing is wrong with it."""
    check_period("phenomenonTime", reading.phenomenon_time)
    check_instant("resultTime", reading.result_time)
    _check_id("Datastream", reading.datastream)
    _check_id("FeatureOfInterest", reading.feature)
    valid = reading.valid_time
    if valid is not None:
        check_period("validTime", valid)
    number, result = split_result(reading.result)
    return (
        reading.datastream,
        reading.phenomenon_time.start,
        reading.phenomenon_time.end,
        reading.result_time,
        number,
        result,
        reading.feature,
        valid.start if valid else None,
        valid.end if valid else None,
        _optional("resultQuality", reading.result_quality),
        _optional("parameters", reading.parameters),
        None if reading.key is None else _check_key(reading.key),
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
        return number, None
    return None, json_text("result", result)


def _optional(field: str, value: Any) -> str | None:
    return None if value is None else json_text(field, value)
