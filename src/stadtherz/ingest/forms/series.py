"""Readings that a message arranges as series: for each name its moments with their values.

`[{"name": "level", "unit": "cm", "data": [[1764147600, 82], …]}, …]` becomes a list of objects such as
`{"time": 1764147600, "level": "82 cm", "rain": 0.4}`: what several series have of one moment stands
together. The moments may be pairs, in either order, objects with a time and a value, or two lists.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stadtherz.ingest.forms.cells import NAMES, TIMES, UNITS, is_value, with_unit
from stadtherz.ingest.forms.times import FIRST_S
from stadtherz.ingest.values.written import unit_of

TIME = "time"
_MOST_SERIES = 200
_UNITS = frozenset(UNITS)
_NAMES = (*NAMES, "parameter", "metric", "target", "quantity", "measurement", "channel", "sensor", "kanal",
    "messgröße", "variable")  # fmt: skip
_VALUES = ("value", "v", "val", "wert", "messwert", "y", "result")

Point = tuple[Any, Any]  # a time as it was sent, and a value


def rows_of(told: Any) -> list[dict[str, Any]] | None:
    """The readings by moment, in the order in which they come; None if these are no series."""
    if not isinstance(told, list) or not 0 < len(told) <= _MOST_SERIES:
        return None
    rows: dict[tuple[Any, int], dict[str, Any]] = {}
    seen: set[str] = set()
    for each in told:
        if not isinstance(each, dict):
            return None
        name, points = _name(each), _points(each)
        if name is None or name in seen or points is None:
            return None
        seen.add(name)
        _add(rows, name, _unit(each), points)
    return list(rows.values())


def _add(
    rows: dict[tuple[Any, int], dict[str, Any]], name: str, unit: str, points: Sequence[Point]
) -> None:
    """A second value of one moment is a reading of its own."""
    for time, value in points:
        if value is None or value == "":
            continue
        turn = 0
        while name in (row := rows.setdefault((time, turn), {TIME: time})):
            turn += 1
        row[name] = with_unit(value, unit)


def _name(told: Mapping[str, Any]) -> str | None:
    found = (told[key] for key in told if str(key).lower() in _NAMES and isinstance(told[key], str))
    name = next((each.strip() for each in found if each.strip()), None)
    return None if name is None or name.lower() == TIME or '"' in name or is_value(name) else name


def _unit(told: Mapping[str, Any]) -> str:
    return next((unit_of(told[key]) for key in told if str(key).lower() in _UNITS), "")


def _points(told: Mapping[str, Any]) -> list[Point] | None:
    """Its moments; None unless exactly one of its fields, or two of them together, can be them.

    Beside a list of names it is a table of its own (`arranged`).
    """
    lists = {str(name): each for name, each in told.items() if isinstance(each, list) and each}
    if any(all(map(_is_name, each)) for each in lists.values()):
        return None
    found = [points for each in lists.values() if (points := _pairs(each) or _objects(each))]
    found += _side_by_side(lists)
    return found[0] if len(found) == 1 else None


def _pairs(told: list[Any]) -> list[Point] | None:
    if not all(isinstance(each, list) and len(each) == 2 for each in told):
        return None
    for first, second in ((0, 1), (1, 0)):
        if all(_is_time(each[first]) for each in told):
            return [(each[first], each[second]) for each in told]
    return None


def _objects(told: list[Any]) -> list[Point] | None:
    if not all(isinstance(each, dict) for each in told):
        return None
    time = next((key for key in told[0] if TIMES.fullmatch(key)), None)
    value = next((key for key in told[0] if key.lower() in _VALUES), None)
    if time is None or value is None or not all(_is_time(each.get(time)) for each in told):
        return None
    return [(each[time], each.get(value)) for each in told]


def _side_by_side(lists: Mapping[str, list[Any]]) -> Iterator[list[Point]]:
    """A list of times and a list of values that are equally long."""
    times = [
        name for name, each in lists.items() if TIMES.fullmatch(name) and all(map(_is_time, each))
    ]
    for time in times:
        for name, each in lists.items():
            if name not in times and len(each) == len(lists[time]) and all(map(_is_plain, each)):
                yield list(zip(lists[time], each, strict=True))


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and not is_value(value)


def _is_plain(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _is_time(value: Any) -> bool:
    if isinstance(value, str):
        return is_value(value) and (len(value) >= 8)
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= FIRST_S
