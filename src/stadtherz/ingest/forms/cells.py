"""What tables and series in a message have in common: how they call names, units and times."""

import re
from typing import Any

NAMES = ("name", "key", "field", "id", "label", "code", "title", "column")
UNITS = ("unit", "units", "einheit", "uom", "u")
TIMES = re.compile(r".*(time|zeit|date|datum|stamp|utc|epoch).*|ts|t|at", re.IGNORECASE | re.ASCII)


def is_value(text: str) -> bool:
    """A number or a time names no column."""
    return text.strip()[:1].isdigit() or text.strip()[:1] in "+-,"


def with_unit(cell: Any, unit: str) -> Any:
    """The unit (UCUM) goes behind numbers, where `written` reads it."""
    if not unit or isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return cell
    return f"{cell} {unit}" if not isinstance(cell, str) or is_value(cell) else cell
