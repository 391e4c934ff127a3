"""What a Thing can be told (17-079r1 §8.2): the description of its parameters, and Tasks held against it.

A description is a DataRecord of SWE Common in JSON. Its lists have the names of version 2.0 (`field`,
`value`, `interval`, as 17-011r2 writes them) or of 3.0 (`fields`, `values`, `intervals`); both are read.
"""

import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from stadtherz.base.errors import Invalid
from stadtherz.base.patterns import Pattern
from stadtherz.base.time import parse_instant

Component = dict[str, Any]

MAX_DEPTH = 8
MAX_FIELDS = 200
_CONSTRAINT = "constraint"
_PARTS = {"DataRecord": "field", "Vector": "coordinate", "DataChoice": "item"}
_ARRAYS = frozenset({"DataArray", "Matrix"})
_TEXTS = frozenset({"Category", "Text"})
_NUMBERS = frozenset({"Quantity", "Count"})
_RANGES = frozenset({"QuantityRange", "CountRange", "CategoryRange", "TimeRange"})
_TYPES = _TEXTS | _NUMBERS | _RANGES | _ARRAYS | frozenset({*_PARTS, "Boolean", "Time", "Geometry"})
_NAME = re.compile(r"[^\W\d][\w.-]*")
_ENDLESS = {"-INF": -math.inf, "-Infinity": -math.inf, "INF": math.inf, "Infinity": math.inf}
_PARAMETERS = "taskingParameters"


def listed(holder: Mapping[str, Any], name: str) -> Any:
    """What a component has under the name of version 2.0 or 3.0, which is its plural."""
    return holder.get(name, holder.get(f"{name}s"))


def _parts(component: Component) -> list[Component]:
    return list(listed(component, _PARTS[component["type"]]))


def _kind(component: Component) -> str:
    """The type; a time that is measured in a unit is a number."""
    kind: str = component["type"]
    uom = component.get("uom")
    measured = kind.startswith("Time") and isinstance(uom, dict) and "code" in uom
    return kind.replace("Time", "Quantity") if measured else kind


# --- descriptions --------------------------------------------------------------------------------


def check_description(document: Any, where: str) -> None:
    """Raise Invalid, naming the place, for what is no DataRecord by which Tasks could be judged."""
    if not isinstance(document, dict) or document.get("type") != "DataRecord":
        raise Invalid(where, "must be a SWE Common DataRecord: an object with its type and fields")
    _check_component(document, where, 0)


def _check_component(component: Any, where: str, depth: int) -> None:
    if not isinstance(component, dict):
        raise Invalid(where, "must be a SWE Common component: an object with a type")
    kind = component.get("type")
    if not isinstance(kind, str) or kind not in _TYPES or depth > MAX_DEPTH:
        raise Invalid(f"{where}/type", f"must be one of {', '.join(sorted(_TYPES))}")
    if not isinstance(component.get("optional", False), bool):
        raise Invalid(f"{where}/optional", "must be true or false")
    if kind in _ARRAYS:
        _check_component(component.get("elementType"), f"{where}/elementType", depth + 1)
    elif kind in _PARTS:
        _check_parts(component, where, depth)
    elif _CONSTRAINT in component:
        _check_constraint(component, f"{where}/{_CONSTRAINT}")


def _check_parts(component: Component, where: str, depth: int) -> None:
    name = _PARTS[component["type"]]
    parts = listed(component, name)
    if not isinstance(parts, list) or len(parts) > MAX_FIELDS:
        raise Invalid(f"{where}/{name}", f"must be a list of at most {MAX_FIELDS} components")
    names = set()
    for place, part in enumerate(parts):
        at = f"{where}/{name}/{place}"
        _check_component(part, at, depth + 1)
        own = part.get("name")
        if not isinstance(own, str) or not _NAME.fullmatch(own) or own in names:
            raise Invalid(
                f"{at}/name", "must be a name that no other has: letters, digits, _ and -"
            )
        names.add(own)


def _check_constraint(component: Component, where: str) -> None:
    constraint = component[_CONSTRAINT]
    if not isinstance(constraint, dict):
        raise Invalid(where, "must be an object")
    kind = _kind(component)
    limit = _limit(kind)
    for value in _values(constraint, where):
        limit(value, f"{where}/value")
    for low, high in _intervals(constraint, where):
        if limit(low, f"{where}/interval") > limit(high, f"{where}/interval"):
            raise Invalid(f"{where}/interval", "must hold the smaller one first")
    if kind in _TEXTS and "pattern" in constraint:
        _pattern(constraint["pattern"], f"{where}/pattern")


def _values(constraint: Component, where: str) -> list[Any]:
    values = listed(constraint, "value")
    if values is None:
        return []
    if not isinstance(values, list) or not values:
        raise Invalid(f"{where}/value", "must be a list of what is allowed")
    return values


def _intervals(constraint: Component, where: str) -> list[list[Any]]:
    """Pairs; one alone may stand without a list around it."""
    intervals = listed(constraint, "interval")
    if intervals is None:
        return []
    if isinstance(intervals, list) and not any(isinstance(each, list) for each in intervals):
        intervals = [intervals]
    pairs = isinstance(intervals, list) and all(
        isinstance(each, list) and len(each) == 2 for each in intervals
    )
    if not pairs:
        raise Invalid(f"{where}/interval", "must be a list of pairs: the smallest and the largest")
    return list(intervals)


def _pattern(text: Any, where: str) -> Pattern:
    if not isinstance(text, str):
        raise Invalid(where, "must be a text")
    try:
        return _compiled(text)
    except ValueError as error:
        raise Invalid(where, str(error)) from None


@lru_cache(maxsize=200)
def _compiled(text: str) -> Pattern:
    return Pattern(text)


# --- values --------------------------------------------------------------------------------------


def check_values(description: Component, values: Any, where: str = _PARAMETERS) -> None:
    """Raise Invalid, naming the parameter, for what the description does not allow."""
    if not any(isinstance(nil, dict) and nil.get("value") == values for nil in _nils(description)):
        _CHECKS[description["type"]](description, values, where)


def parameter_names(description: Component) -> frozenset[str]:
    """What a Task of this description may say something about."""
    return frozenset(part["name"] for part in _parts(description))


def _nils(component: Component) -> list[Any]:
    found = listed(component, "nilValue")
    return found if isinstance(found, list) else []


def _check_record(component: Component, value: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise Invalid(where, "must be an object with a value for each parameter")
    named = {part["name"]: part for part in _parts(component)}
    for name in value:
        if name not in named:
            known = ", ".join(named) or "none"
            raise Invalid(f"{where}/{name[:60]}", f"is no parameter here; there are: {known}")
    for name, part in named.items():
        if value.get(name) is not None:
            check_values(part, value[name], f"{where}/{name}")
        elif not part.get("optional"):
            missing = "must not be null" if name in value else "is missing"
            raise Invalid(f"{where}/{name}", missing)


def _check_choice(component: Component, value: Any, where: str) -> None:
    named = {part["name"]: part for part in _parts(component)}
    if not isinstance(value, dict) or len(value) != 1 or not value.keys() <= named.keys():
        raise Invalid(where, f"must be an object with one of {', '.join(named)}")
    ((name, held),) = value.items()
    check_values(named[name], held, f"{where}/{name}")


def _check_vector(component: Component, value: Any, where: str) -> None:
    parts = _parts(component)
    if isinstance(value, list) and len(value) == len(parts):
        value = {part["name"]: each for part, each in zip(parts, value, strict=True)}
    _check_record(component, value, where)


def _check_array(component: Component, value: Any, where: str) -> None:
    if not isinstance(value, list):
        raise Invalid(where, "must be a list")
    for place, each in enumerate(value):
        check_values(component["elementType"], each, f"{where}/{place}")


def _check_geometry(component: Component, value: Any, where: str) -> None:
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise Invalid(where, "must be a GeoJSON geometry")


def _check_flag(component: Component, value: Any, where: str) -> None:
    if not isinstance(value, bool):
        raise Invalid(where, "must be true or false")


def _check_range(component: Component, value: Any, where: str) -> None:
    if not isinstance(value, list) or len(value) != 2:
        raise Invalid(where, "must be a list of two: from and to")
    simple = {**component, "type": component["type"].removesuffix("Range")}
    for each in value:
        check_values(simple, each, where)
    limit = _limit(_kind(simple))
    if simple["type"] != "Category" and limit(value[0], where) > limit(value[1], where):
        raise Invalid(where, "must hold the smaller one first")


def _check_simple(component: Component, value: Any, where: str) -> None:
    kind = _kind(component)
    found = _single(kind)(value, where)
    constraint = component.get(_CONSTRAINT)
    if isinstance(constraint, dict):
        _check_allowed(kind, constraint, found, where)


def _check_allowed(kind: str, constraint: Component, found: Any, where: str) -> None:
    """One of the values or within one of the intervals, and in the form of the pattern."""
    limit = _limit(kind)
    values, intervals = _values(constraint, where), _intervals(constraint, where)
    allowed = any(limit(value, where) == found for value in values) or any(
        limit(low, where) <= found <= limit(high, where) for low, high in intervals
    )
    if (values or intervals) and not allowed:
        raise Invalid(where, f"must be {_told(values, intervals)}")
    if kind not in _TEXTS or "pattern" not in constraint:
        return
    if not _pattern(constraint["pattern"], where).matches(found):
        raise Invalid(where, f"must be of the form {constraint['pattern']}")


def _told(values: list[Any], intervals: list[list[Any]]) -> str:
    within = [f"from {low} to {high}" for low, high in intervals]
    ones = [f"one of {', '.join(map(str, values))}"] if values else []
    return " or ".join([*ones, *within])[:500]


# --- single values -------------------------------------------------------------------------------

_Reads = Callable[[Any, str], Any]


def _number(value: Any, where: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid(where, "must be a number")
    return value


def _whole(value: Any, where: str) -> int | float:
    if not float(_number(value, where)).is_integer():
        raise Invalid(where, "must be a whole number")
    return _number(value, where)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise Invalid(where, "must be a text")
    return value


def _time(value: Any, where: str) -> int:
    try:
        return parse_instant(_text(value, where))
    except ValueError:
        raise Invalid(where, "must be a time such as 2026-01-31T12:00:00Z") from None


def _bound(value: Any, where: str) -> int | float:
    """A number of a constraint, which may have no end."""
    return (
        _ENDLESS[value] if isinstance(value, str) and value in _ENDLESS else _number(value, where)
    )


def _single(kind: str) -> _Reads:
    """How a value of a simple kind is read."""
    return {"Quantity": _number, "Count": _whole, "Time": _time}.get(kind, _text)


def _limit(kind: str) -> _Reads:
    """How a value of a constraint of such a kind is read."""
    kind = kind.removesuffix("Range")
    return _bound if kind in _NUMBERS else _single(kind)


_CHECKS: dict[str, Callable[[Component, Any, str], None]] = {
    **dict.fromkeys(_TEXTS | _NUMBERS | {"Time"}, _check_simple),
    **dict.fromkeys(_RANGES, _check_range),
    **dict.fromkeys(_ARRAYS, _check_array),
    "DataRecord": _check_record,
    "DataChoice": _check_choice,
    "Vector": _check_vector,
    "Boolean": _check_flag,
    "Geometry": _check_geometry,
}
