"""The functions a filter may call: those of `base.functions`, and four that the plan itself resolves."""

import re

from stadtherz.base.expressions import Call, Expression, Kind
from stadtherz.base.functions import FUNCTIONS, Signature

INTERVAL = "interval"
"""Makes a time of two; the plan computes it."""

CAST = "cast"
"""Takes a type besides a value."""

_ZONE_COMES_SECOND = (
    *("year", "month", "day", "hour", "minute", "second", "fractionalseconds"),
    *("date", "time", "totaloffsetminutes"),
)
"""23-019 tells these the zone, too; without one they are in UTC."""

_OURS = frozenset(
    {"local", "offset", "number_text", "boolean_text", "time_text", "text_number", "text_boolean"}
    | {"text_time", "text_date", "whole", "single", "list_has_text", "list_has_number"}
    | {"list_some", "whole_div"}
)
"""What others are made of."""

_OFFSET = re.compile(r"T.*([+-])(\d\d):?(\d\d)$", re.ASCII)

SIGNATURES: dict[str, Signature] = {
    **{name: signature for name, signature in FUNCTIONS.items() if name not in _OURS},
    **{
        name: Signature(FUNCTIONS[name].gives, (Kind.TIME, Kind.TEXT), optional=1)
        for name in _ZONE_COMES_SECOND
    },
    "substringof": Signature(Kind.BOOLEAN, (Kind.TEXT, Kind.TEXT)),  # `contains`, the part first
    "now": Signature(Kind.TIME, ()),
    "mindatetime": Signature(Kind.TIME, ()),
    "maxdatetime": Signature(Kind.TIME, ()),
}


def offset_of(text: str) -> int:
    """The minutes by which the clocks are ahead of UTC that a time such as `…T07:00:00+01:00` is told by.

    >>> offset_of("2026-11-26T07:00:00-03:30")
    -210
    """
    found = _OFFSET.search(text)
    if found is None:
        return 0
    sign, hours, minutes = found.groups()
    ahead = int(hours) * 60 + int(minutes)
    return -ahead if sign == "-" else ahead


def in_zone(name: str, time: Expression, zone: Expression) -> Expression:
    """A function of a time as the clocks of a zone show it."""
    gives = SIGNATURES[name].gives
    if name == "totaloffsetminutes":
        return Call("offset", (time, zone), gives)
    return Call(name, (Call("local", (time, zone), Kind.TIME),), gives)
