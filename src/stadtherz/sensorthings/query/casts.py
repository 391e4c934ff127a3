"""`cast(value, Edm.Type)` (OData 4.01 part 2 §5.1.1.10.1): a value as one of another primitive type.

Numbers become whole ones by rounding; what cannot be cast is null. Values whose type is known only at
run time (properties, results) are cast by what each of them is.
"""

from collections.abc import Callable, Mapping

from stadtherz.base.errors import Invalid
from stadtherz.base.expressions import Call, Column, Expression, Kind, Literal, Lookup
from stadtherz.base.functions import COALESCE
from stadtherz.sensorthings.query.trees import kind_of

_WHOLE = {
    "Edm.Byte": (0, 2**8 - 1),
    "Edm.SByte": (-(2**7), 2**7 - 1),
    "Edm.Int16": (-(2**15), 2**15 - 1),
    "Edm.Int32": (-(2**31), 2**31 - 1),
    "Edm.Int64": (-(2**63), 2**63 - 1024),  # the largest double below 2**63
}
_FROM_JSON = frozenset({Kind.TEXT, Kind.NUMBER, Kind.BOOLEAN})
_READ: Mapping[tuple[Kind, Kind], str] = {
    (Kind.NUMBER, Kind.TEXT): "number_text",
    (Kind.BOOLEAN, Kind.TEXT): "boolean_text",
    (Kind.TIME, Kind.TEXT): "time_text",
    (Kind.TEXT, Kind.NUMBER): "text_number",
    (Kind.TEXT, Kind.BOOLEAN): "text_boolean",
    (Kind.TEXT, Kind.TIME): "text_time",
}


def cast(value: Expression, name: str) -> Expression:
    """The value as one of the type of that name.

    Raises:
        Invalid: for a type that is none, and one that values of this kind never have.
    """
    if name in _WHOLE:
        low, high = (Literal(float(bound), Kind.NUMBER) for bound in _WHOLE[name])
        return Call("whole", (_as(value, Kind.NUMBER, name), low, high), Kind.NUMBER)
    if name not in _TYPES:
        known = ", ".join(sorted([*_TYPES, *_WHOLE]))
        raise Invalid("cast", f"{name[:40]!r} is no type that can be cast to; these are: {known}")
    return _TYPES[name](value, name)


def as_time(value: Expression) -> Expression:
    """The time that a text in JSON names; without a zone it is in UTC, as the days are that begin there.

    Null for whatever names none.
    """
    text = _part(value, Kind.TEXT)
    zoned = Call("concat", (text, Literal("Z", Kind.TEXT)), Kind.TEXT)
    ways = [Call("text_time", (each,), Kind.TIME) for each in (text, zoned)]
    return Call(COALESCE, (*ways, Call("text_date", (text,), Kind.TIME)), Kind.TIME)


def _to(kind: Kind) -> Callable[[Expression, str], Expression]:
    return lambda value, name: _as(value, kind, name)


def _as(value: Expression, kind: Kind, name: str) -> Expression:
    own = kind_of(value)
    if own is Kind.NULL:
        return Literal(None, kind)
    if own is kind:
        return value
    if own is Kind.JSON and kind in {*_FROM_JSON, Kind.TIME}:
        return _from_json(value, kind)
    if (own, kind) not in _READ:
        raise Invalid("cast", f"a {own} cannot be cast to {name}")
    return Call(_READ[own, kind], (value,), kind)


def _from_json(value: Expression, kind: Kind) -> Expression:
    assert isinstance(value, Column | Lookup), "only these have a type of their own"
    ways = [
        Call(_READ[own, kind], (_part(value, own),), kind)
        for own in (Kind.NUMBER, Kind.BOOLEAN, Kind.TEXT)
        if (own, kind) in _READ
    ]
    if kind in _FROM_JSON:
        ways.insert(0, _part(value, kind))
    return ways[0] if len(ways) == 1 else Call(COALESCE, tuple(ways), kind)


def _part(value: Expression, kind: Kind) -> Call:
    """The value where it is of a kind."""
    return Call(f"json_{kind}", (value,), kind)


def _date(value: Expression, name: str) -> Expression:
    if kind_of(value) in (Kind.TEXT, Kind.JSON):
        text = _part(value, Kind.TEXT) if kind_of(value) is Kind.JSON else value
        return Call("text_date", (text,), Kind.TIME)
    return Call("date", (_as(value, Kind.TIME, name),), Kind.TIME)


def _single(value: Expression, name: str) -> Expression:
    return Call("single", (_as(value, Kind.NUMBER, name),), Kind.NUMBER)


def _time_of_day(value: Expression, name: str) -> Expression:
    if kind_of(value) is Kind.TIME:
        return Call("time", (value,), Kind.DURATION)
    return _as(value, Kind.DURATION, name)


_TYPES: Mapping[str, Callable[[Expression, str], Expression]] = {
    "Edm.String": _to(Kind.TEXT),
    "Edm.Boolean": _to(Kind.BOOLEAN),
    "Edm.Double": _to(Kind.NUMBER),
    "Edm.Decimal": _to(Kind.NUMBER),
    "Edm.Single": _single,
    "Edm.DateTimeOffset": _to(Kind.TIME),
    "Edm.Date": _date,
    "Edm.TimeOfDay": _time_of_day,
    "Edm.Duration": _to(Kind.DURATION),
}
