"""Cells as numbers, the way the file writes them: `1.234,5`, `1,234.5`, `1 234.5`."""

import math
import re
from collections.abc import Callable, Collection
from typing import Any, Final

MISSING: Final = "missing"
NOT_A_NUMBER: Final = "not_a_number"
ERROR_CODE: Final = "error_code"

_REMEMBERED = 50_000  # texts whose numbers are known: measurements repeat themselves
_SPACES = {" ": "[ \u00a0\u202f]", ".": r"\.", ",": ",", "'": "['’]"}


def pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    """What a number looks like."""
    groups = rf"\d{{1,3}}(?:{_SPACES[thousands]}\d{{3}})+|" if thousands else ""
    point = re.escape(decimal)
    return re.compile(
        rf"[+\-−]?(?:(?:{groups}\d+)(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d{{1,3}})?", re.ASCII
    )


def reader(
    decimal: str, thousands: str, missing: Collection[str], errors: Collection[str]
) -> Callable[[Any], float | str]:
    """What makes a number of a cell; else MISSING, ERROR_CODE or NOT_A_NUMBER.

    >>> reader(",", ".", ("-999",), ())("1.234,5")
    1234.5
    """
    parse = _parser(decimal, thousands)
    named = {text.strip().casefold(): MISSING for text in missing}
    named |= {text.strip().casefold(): ERROR_CODE for text in errors}
    numbered = {parse(text): kind for text, kind in named.items() if parse(text) is not None}
    known: dict[str, float | str] = {"": MISSING}

    def judged(text: str, number: float | None) -> float | str:
        kind = named.get(text.casefold()) or numbered.get(number)
        return kind or (NOT_A_NUMBER if number is None else number)

    def read(cell: Any) -> float | str:
        if type(cell) is not str:
            return _of_value(cell, numbered)
        found = known.get(cell)
        if found is None:
            text = cell.strip()
            found = judged(text, parse(text)) if text else MISSING
            if len(known) >= _REMEMBERED:
                known.clear()
            known[cell] = found
        return found

    return read


def _parser(decimal: str, thousands: str) -> Callable[[str], float | None]:
    looks = pattern(decimal, thousands)
    gone = {" ": " \u00a0\u202f", "'": "'’"}.get(thousands, thousands)
    table = str.maketrans({**dict.fromkeys(gone, ""), decimal: ".", "−": "-"})

    def parse(text: str) -> float | None:
        if looks.fullmatch(text) is None:
            return None
        number = float(text.translate(table))
        return number if math.isfinite(number) else None

    return parse


def _of_value(cell: Any, numbered: dict[float | None, str]) -> float | str:
    """A workbook's cell that is no text."""
    if cell is None:
        return MISSING
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return NOT_A_NUMBER
    try:
        number = float(cell)
    except OverflowError:
        return NOT_A_NUMBER
    if not math.isfinite(number):
        return NOT_A_NUMBER
    return numbered.get(number) or number
