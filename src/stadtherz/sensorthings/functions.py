"""The functions a filter may call: those of `base.functions`, and four that the plan itself resolves."""

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
)
"""What others are made of."""

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


def in_zone(name: str, time: Expression, zone: Expression) -> Expression:
    """A function of a time as the clocks of a zone show it."""
    gives = SIGNATURES[name].gives
    if name == "totaloffsetminutes":
        return Call("offset", (time, zone), gives)
    return Call(name, (Call("local", (time, zone), Kind.TIME),), gives)
