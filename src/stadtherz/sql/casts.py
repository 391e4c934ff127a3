"""`cast` from one primitive type to another (OData 4.01 part 2 §5.1.1.10.1), and lists, in Python.

What has no answer is None. The patterns say which texts name a value; PostgreSQL uses them, too.
"""

import math
import re
import struct
from collections.abc import Callable
from typing import Any

import orjson

from stadtherz.base.time import SECOND, iso, parse_instant

NUMBER = r"^[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?$"
INSTANT = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
    r"(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$"
)
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
WHOLE = 9e18
"""Whole numbers below are written without an exponent."""

SMALLEST = 2.2250738585072014e-308  # engines disagree about what is smaller
SMALLEST_SINGLE, LARGEST_SINGLE = 1.2e-38, 3.4028234663852886e38


def _number_text(value: float) -> str:
    """As in answers: `6` and `6.5`."""
    if value == math.trunc(value) and abs(value) < WHOLE:
        return str(int(value))
    return repr(float(value))


def _time_text(us: int) -> str:
    """As in answers, which always show milliseconds."""
    text = iso(us)
    return text if us % SECOND else text[:-1] + ".000Z"


def _text_number(text: str) -> float | None:
    if re.search(NUMBER, text) is None or "\n" in text:
        return None
    value = float(text)
    if not math.isfinite(value) or abs(value) < SMALLEST:
        return 0.0 if re.search("[1-9]", re.split("[eE]", text)[0]) is None else None
    return value


def _text_boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text)


def _of_pattern(pattern: str) -> Callable[[str], int | None]:
    def read(text: str) -> int | None:
        found = re.search(pattern, text) is not None and "\n" not in text
        return parse_instant(text) if found else None

    return read


def _whole(value: float, low: float, high: float) -> float | None:
    rounded = math.copysign(math.floor(abs(value) + 0.5), value) + 0.0
    return rounded if low <= rounded <= high else None


def _single(value: float) -> float | None:
    if value and not SMALLEST_SINGLE <= abs(value) <= LARGEST_SINGLE:
        return None
    found: float = struct.unpack("f", struct.pack("f", value))[0]
    return found


def _list_has(kinds: tuple[type, ...]) -> Callable[[str, Any], bool]:
    def has(document: str, value: Any) -> bool:
        held = orjson.loads(document)
        if not isinstance(held, list):
            return False
        return any(type(each) in kinds and each == value for each in held)

    return has


CASTS: dict[str, Callable[..., Any]] = {
    "number_text": _number_text,
    "boolean_text": lambda value: "true" if value else "false",
    "time_text": _time_text,
    "text_number": _text_number,
    "text_boolean": _text_boolean,
    "text_time": _of_pattern(INSTANT),
    "text_date": _of_pattern(DATE),
    "whole": _whole,
    "single": _single,
    "list_has_text": _list_has((str,)),
    "list_has_number": _list_has((int, float)),
}
