"""Numbers as devices write them: numbers, and texts of numbers with a point or a comma."""

import math
import re
from typing import Any

_POINT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_GROUPED_COMMA = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+", re.ASCII)  # 1.234,5
_GROUPED_POINT = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d+", re.ASCII)  # 1,234.5
_GROUPED_TWICE = re.compile(r"[+-]?\d{1,3}((\.\d{3}){2,}|(,\d{3}){2,})", re.ASCII)  # 1.234.567
_SPACED = re.compile(
    r"[+-]?\d{1,3}([ '’\u00a0\u202f]\d{3})+([.,]\d+)?", re.ASCII
)  # 1 234,5 and 1'234.5


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
    return _unwritten(text)


def _unwritten(text: str) -> str:
    if _COMMA.fullmatch(text):
        return text.replace(",", ".")
    if _GROUPED_COMMA.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    if _GROUPED_POINT.fullmatch(text):
        return text.replace(",", "")
    if _GROUPED_TWICE.fullmatch(text):
        return re.sub(r"[.,]", "", text)
    if _SPACED.fullmatch(text):
        return re.sub(r"[ '’\u00a0\u202f]", "", text).replace(",", ".")
    if text.startswith("−"):  # as word processors write it
        return _pointed(f"-{text[1:]}")
    raise ValueError(text)
