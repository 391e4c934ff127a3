"""`$apply`: what is to be told of the Observations of each stretch of time, read from text.

    filter(phenomenonTime ge 2026-01-01T00:00:00Z and phenomenonTime lt 2027-01-01T00:00:00Z)
    /groupby((bucket(phenomenonTime,'hour','Europe/Berlin')),aggregate(result with average as mean))
    /filter(mean gt 20)

A small part of OData's data aggregation: either `filter` may be left out, and the first knows only
times; `bucket` is ours, for OData has no stretches of time. Groups are those of each Datastream in any
case; `groupby((Datastream/id),aggregate(...))` or `aggregate(...)` tells of all of the time. Of
results of several parts `result[0]` is one, in version 2.0 also by its name, `result/temp`.
"""

import re
from collections.abc import Iterator
from typing import Final

from stadtherz.base.errors import QuerySyntaxError
from stadtherz.base.time import Micros
from stadtherz.sensorthings.language.grammar import flattened, parse_filter, parts_of, way_of
from stadtherz.sensorthings.language.literals import check_told_zone, instant
from stadtherz.sensorthings.language.syntax import Aggregate, Apply, Constant, Name, Node, Operation
from stadtherz.sensorthings.language.tokens import split_outside
from stadtherz.store.public import Bucketing

_OPTION = "$apply"
_SHAPE = (
    "must be groupby((bucket(phenomenonTime,'hour')),aggregate(result with average as mean)), "
    "behind filter(...)/ if you like"
)
_BUCKET = re.compile(
    r"bucket\(\s*phenomenonTime\s*,\s*'(?P<width>[^']*)'\s*(?:,\s*'(?P<zone>[^']*)'\s*)?\)"
)
_TERM = re.compile(
    r"(?:result(?P<part>(?:\[\d{1,3}\]|/[\w\-]{1,60}){0,8})\s+with\s+(?P<function>\w+)|(?P<count>\$count))"
    r"\s+as\s+(?P<alias>\w{1,60})",
    re.ASCII,
)
FUNCTIONS: Final[dict[str, str]] = {
    "average": "mean",
    "min": "minimum",
    "max": "maximum",
    "sum": "total",
    "first": "first",
    "last": "last",
}
"""What stands behind `with`, and what the store calls it."""

_STREAM = tuple(
    f"{stream}/{key}" for stream in ("Datastream", "MultiDatastream") for key in ("id", "@iot.id")
)
_NAMES = frozenset({"phenomenonTime", "Datastream", "MultiDatastream"})
_MAX_TERMS = 20
_MICROSECOND = 1


def parse_apply(text: str, offset: int = 0) -> Apply:
    """The Apply of a text.

    Raises:
        QuerySyntaxError: with the position.
    """
    stages = split_outside(_OPTION, text, "/", offset)
    within = _filter(stages.pop(0)) if len(stages) > 1 and _is_filter(stages[0]) else None
    bounds = (None, None) if within is None else _bounds(within)
    having = _filter(stages.pop()) if len(stages) == 2 and _is_filter(stages[1]) else None
    if len(stages) != 1:
        raise QuerySyntaxError(_OPTION, _SHAPE, offset)
    (width, zone), terms = _grouped(*stages[0])
    return Apply(width, zone, tuple(_terms(*terms)), *bounds, having, within)


def _is_filter(stage: tuple[str, int]) -> bool:
    return stage[0].lstrip().startswith("filter(")


def _grouped(text: str, offset: int) -> tuple[tuple[Bucketing | None, str], tuple[str, int]]:
    """By which stretches of time, and the text of the aggregates."""
    if text.lstrip().startswith("aggregate("):
        return (None, "UTC"), _inside("aggregate", text, offset)
    inner, position = _inside("groupby", text, offset)
    parts = split_outside(_OPTION, inner, ",", position)
    if len(parts) != 2:
        raise QuerySyntaxError(_OPTION, _SHAPE, position)
    return _groups(*parts[0]), _inside("aggregate", *parts[1])


def _inside(name: str, text: str, offset: int) -> tuple[str, int]:
    """What stands in the parentheses behind the name, and where."""
    stripped = text.strip()
    if not stripped.startswith(f"{name}(") or not stripped.endswith(")"):
        raise QuerySyntaxError(_OPTION, _SHAPE, offset)
    begin = text.index("(") + 1
    return stripped[len(name) + 1 : -1], offset + begin


def _groups(text: str, offset: int) -> tuple[Bucketing | None, str]:
    """What the list of groups says of the time: `(Datastream/id,bucket(...))` and parts of it."""
    stripped = text.strip()
    if not (stripped.startswith("(") and stripped.endswith(")")):
        raise QuerySyntaxError(_OPTION, _SHAPE, offset)
    named = split_outside(_OPTION, stripped[1:-1], ",", offset)
    others = [part for part, _ in named if part.strip() not in _STREAM]
    if len(others) == 1 and len(named) <= 2:
        return _bucket(others[0], offset)
    if others or len(named) != 1:
        raise QuerySyntaxError(_OPTION, _SHAPE, offset)
    return None, "UTC"


def _bucket(text: str, offset: int) -> tuple[Bucketing, str]:
    found = _BUCKET.fullmatch(text.strip())
    if found is None:
        raise QuerySyntaxError(_OPTION, _SHAPE, offset)
    if found["width"] not in set(Bucketing):
        known = ", ".join(Bucketing)
        raise QuerySyntaxError(_OPTION, f"there is no bucket {found['width']!r}; {known}", offset)
    return Bucketing(found["width"]), found["zone"] or "UTC"


def _terms(text: str, offset: int) -> Iterator[Aggregate]:
    parts = split_outside(_OPTION, text, ",", offset)
    if len(parts) > _MAX_TERMS:
        raise QuerySyntaxError(_OPTION, f"more than {_MAX_TERMS} aggregates", offset)
    aliases = set()
    for part, position in parts:
        found = _TERM.fullmatch(part.strip())
        if found is None:
            reason = "an aggregate is `result with average as mean` or `$count as number`"
            raise QuerySyntaxError(_OPTION, reason, position)
        if found["alias"] in aliases or found["alias"] in _NAMES:
            raise QuerySyntaxError(_OPTION, f"{found['alias']!r} is taken", position)
        aliases.add(found["alias"])
        way = way_of(f"result{found['part'] or ''}")[1:]
        yield Aggregate(found["alias"], _function(found, position), way, position)


def _function(found: re.Match[str], position: int) -> str:
    if found["count"]:
        return "count"
    if found["function"] not in FUNCTIONS:
        known = ", ".join(FUNCTIONS)
        raise QuerySyntaxError(_OPTION, f"no {found['function']!r} is known; {known}", position)
    return FUNCTIONS[found["function"]]


# --- filter --------------------------------------------------------------------------------------


def check_zones(node: Node | None, option: str) -> None:
    """Raise QuerySyntaxError for a time in a condition on aggregates that does not tell its zone."""
    if isinstance(node, Constant):
        check_told_zone(node, option)
    elif node is not None:
        for part in parts_of(node):
            check_zones(part, option)


def _filter(stage: tuple[str, int]) -> Node:
    condition, position = _inside("filter", *stage)
    return parse_filter(condition, option=_OPTION, offset=position)


def _bounds(node: Node) -> tuple[Micros | None, Micros | None]:
    """From when, and from when no longer."""
    starts: list[Micros] = []
    ends: list[Micros] = []
    for part in (
        flattened(node) if isinstance(node, Operation) and node.operator == "and" else [node]
    ):
        operator, time = _bound(part)
        later = time + _MICROSECOND if operator in ("gt", "le") else time
        (starts if operator in ("ge", "gt") else ends).append(later)
    return max(starts, default=None), min(ends, default=None)


def _bound(node: Node) -> tuple[str, Micros]:
    match node:
        case Operation(
            operator="ge" | "gt" | "le" | "lt" as operator,
            left=Name(path=("phenomenonTime",)),
            right=Constant(kind="time" | "date" | "text", text=text),
        ):
            try:
                return operator, instant(text)
            except ValueError as error:
                raise QuerySyntaxError(_OPTION, str(error), node.right.position) from None
    reason = "this filter compares phenomenonTime with times (ge, gt, le, lt), joined by `and`"
    raise QuerySyntaxError(_OPTION, reason, node.position)
