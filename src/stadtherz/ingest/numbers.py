"""Numbers as devices write them: numbers, and texts of numbers with a point or a comma."""

import math
import re
from typing import Any

_POINT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_GROUPED_COMMA = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+", re.ASCII)  # 1.234,5
_GROUPED_POINT = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d+", re.ASCII)  # 1,234.5


def number_of(raw: Any) -> float | None:
    """The finite number, or None; truth values are none. A lone comma is that of the decimals.

    >>> number_of("12,5"), number_of("1.234,5"), number_of(7), number_of("dry")
    (12.5, 1234.5, 7.0, None)
    """
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        number = float(_pointed(raw.strip()) if isinstance(raw, str) else raw)
    except (OverflowError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _pointed(text: str) -> str:
    """With a decimal point and nothing between the thousands; raises ValueError for no number."""
    if _POINT.fullmatch(text):
        return text
    if _COMMA.fullmatch(text):
        return text.replace(",", ".")
    if _GROUPED_COMMA.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    if _GROUPED_POINT.fullmatch(text):
        return text.replace(",", "")
    raise ValueError(text)
