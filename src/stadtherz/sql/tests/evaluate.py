"""What an expression means, said as plainly as possible: the oracle for every engine.

A row is a mapping of column names to Python values: times and durations in microseconds,
geometries as GeoJSON, JSON as it is.
"""

import math
import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cmp_to_key
from typing import Any
from zoneinfo import ZoneInfo

import shapely

from stadtherz.base.expressions import (
    Among,
    And,
    Call,
    Column,
    Compare,
    Expression,
    Kind,
    Literal,
    Lookup,
    Not,
    Or,
    Order,
)

Row = Mapping[str, Any]
FIRST = (datetime(1, 1, 1) - datetime(1970, 1, 1)) // timedelta(microseconds=1)
LAST = (datetime(9999, 12, 31, 23, 59, 59, 999_999) - datetime(1970, 1, 1)) // timedelta(
    microseconds=1
)
_OPERATORS = {n: getattr(operator, n) for n in ("eq", "ne", "gt", "ge", "lt", "le")}
_TYPES = ("null", "boolean", "number", "text", "composite")


def holds(expression: Expression, row: Row) -> bool:
    """Whether a filter lets the row through: null is no."""
    return value_of(expression, row) is True


def value_of(expression: Expression, row: Row) -> Any:
    match expression:
        case Literal(value, _):
            return value
        case Column(name, _, path):
            return _walk(row[name], path)
        case Lookup(column, table, _):
            return table.get(row[column.name])
        case Among(column, members):
            return row[column.name] in members
        case And(parts):
            return all(holds(part, row) for part in parts)
        case Or(parts):
            return any(holds(part, row) for part in parts)
        case Not(part):
            return not holds(part, row)
        case Compare():
            return _compare(expression, row)
        case Call():
            return _call(expression, row)


def _walk(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def type_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case _:
            return "composite"


def _compare(compare: Compare, row: Row) -> bool:
    left, right = value_of(compare.left, row), value_of(compare.right, row)
    equal = type_of(left) == type_of(right) != "composite" and left == right
    if compare.operator == "eq":
        return equal
    if compare.operator == "ne":
        return not equal
    if type_of(left) != type_of(right) or type_of(left) in ("null", "composite"):
        return False
    return bool(_OPERATORS[compare.operator](left, right))


# --- order ---------------------------------------------------------------------------------------


def ordered(rows: list[Row], order: list[Order]) -> list[Row]:
    """Rows sorted by type, then value; null first when ascending."""

    def compare(a: Row, b: Row) -> int:
        for term in order:
            x, y = _sorting(value_of(term.by, a)), _sorting(value_of(term.by, b))
            if x != y:
                return (1 if x > y else -1) * (-1 if term.descending else 1)
        return 0

    return sorted(rows, key=cmp_to_key(compare))


def _sorting(value: Any) -> tuple[int, Any]:
    kind = _TYPES.index(type_of(value))
    return (kind, value if kind in (1, 2, 3) else 0)


# --- functions -----------------------------------------------------------------------------------


def _call(call: Call, row: Row) -> Any:
    constants = {"now": None, "mindatetime": FIRST, "maxdatetime": LAST}
    if call.name in constants:
        return constants[call.name]
    wanted = _WANTED.get(call.name)
    values = [value_of(argument, row) for argument in call.arguments]
    if wanted is not None:
        values = [v if type_of(v) == wanted else None for v in values]
    if call.name == "substring":
        text = value_of(call.arguments[0], row)
        values[0] = text if isinstance(text, str) else None
    if None in values:
        return None
    kinds = tuple(getattr(argument, "kind", None) for argument in call.arguments)
    if call.name in ("add", "sub") and (Kind.TIME in kinds or Kind.DURATION in kinds):
        return _moved(call.name, kinds, *values)
    return _FUNCTIONS[call.name](*values)


def _moved(name: str, kinds: tuple[Any, ...], a: int, b: int) -> int | None:
    result = a + b if name == "add" else a - b
    if Kind.TIME in kinds and kinds != (Kind.TIME, Kind.TIME):
        return result if FIRST <= result <= LAST else None
    return result


def _moment(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)


def _mod(a: float, b: float) -> float | None:
    return None if b == 0 else a - b * math.trunc(a / b)


def _round(x: float) -> float:
    return math.floor(x + 0.5) if x >= 0 else math.ceil(x - 0.5)


def _substring(text: str, start: float, count: float | None = None) -> str:
    kept = text[max(0, math.floor(start)) :]
    return kept if count is None else kept[: max(0, math.floor(count))]


def _over(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(a: Any, b: Any, *more: Any) -> Any:
        answer = function(shapely.geometry.shape(a), shapely.geometry.shape(b), *more)
        return float(answer) if isinstance(answer, float) else bool(answer)

    return call


def _length(shape: Any) -> float:
    return shapely.geometry.shape(shape).length if "Line" in shape["type"] else 0.0


_WANTED = {
    **dict.fromkeys(
        ("add", "sub", "mul", "div", "mod", "neg", "round", "floor", "ceiling"), "number"
    ),
    **dict.fromkeys(("contains", "substringof", "startswith", "endswith", "length"), "text"),
    **dict.fromkeys(("indexof", "tolower", "toupper", "trim", "concat"), "text"),
}


def _minutes(us: int, zone: str) -> float:
    offset = _moment(us).astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return offset.total_seconds() / 60


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": lambda a, b: None if b == 0 else a / b,
    "mod": _mod,
    "neg": operator.neg,
    "round": _round,
    "floor": math.floor,
    "ceiling": math.ceil,
    "contains": lambda text, part: part in text,
    "substringof": lambda part, text: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "length": len,
    "indexof": str.find,
    "substring": _substring,
    "tolower": str.lower,
    "toupper": str.upper,
    "trim": lambda text: text.strip(" "),
    "concat": operator.add,
    "year": lambda us: _moment(us).year,
    "month": lambda us: _moment(us).month,
    "day": lambda us: _moment(us).day,
    "hour": lambda us: _moment(us).hour,
    "minute": lambda us: _moment(us).minute,
    "second": lambda us: _moment(us).second,
    "fractionalseconds": lambda us: _moment(us).microsecond / 1_000_000,
    "date": lambda us: us // 86_400_000_000 * 86_400_000_000,
    "time": lambda us: us % 86_400_000_000,
    "totaloffsetminutes": lambda us: 0,
    "local": lambda us, zone: us + int(_minutes(us, zone) * 60_000_000),
    "offset": _minutes,
    "geo.distance": _over(shapely.distance),
    "geo.length": _length,
    "geo.intersects": _over(shapely.intersects),
    "st_equals": _over(shapely.equals),
    "st_disjoint": _over(shapely.disjoint),
    "st_touches": _over(shapely.touches),
    "st_within": _over(shapely.within),
    "st_overlaps": _over(shapely.overlaps),
    "st_crosses": _over(shapely.crosses),
    "st_intersects": _over(shapely.intersects),
    "st_contains": _over(shapely.contains),
    "st_relate": _over(shapely.relate_pattern),
}
