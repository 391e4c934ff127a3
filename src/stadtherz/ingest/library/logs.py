"""Logs in what a codec gives: values of other times, which belong into the datastream of the value of their name.

Devices send them to make up for uplinks that were lost, or collect several readings in one message. Some give nothing but such a
list, each entry of which says what it measures, too.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stadtherz.base.time import SECOND, Micros
from stadtherz.ingest.devices.register import NewField
from stadtherz.ingest.forms.leaves import inside, step
from stadtherz.ingest.quality.clock import instants
from stadtherz.ingest.values.numbers import number_of
from stadtherz.ingest.values.written import unit_of

_LOG = re.compile(r"(.*[._])?(history|historic|data_?log|logs?|records|entries)", re.IGNORECASE)
_TIME = re.compile(
    r"time(_?stamp)?|ts|date(_?time)?|(recorded|measured)_?(at|time)|utc", re.IGNORECASE
)
_LABEL = re.compile(
    r"label|name|variable|parameter|measure(ment)?|quantity|type|channel", re.IGNORECASE
)
_VALUE = re.compile(r"value|val|v", re.IGNORECASE)
_WRITABLE = re.compile(r"[^\[\]=\"]{1,80}")
_MOST_LABELS = 30
_DEEPEST = 4
_EARLIEST: Micros = 1_000_000_000 * SECOND  # 2001: no count of anything else


def with_logs(
    proposals: Sequence[Mapping[str, Any]], examples: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The proposals, each with the path of its value in a log, `log`, and that of its time there, `log_time`."""
    logged: dict[str, tuple[str, str]] = {}
    for data in examples:
        for name, path, time in _entries(data, "", _DEEPEST):
            logged.setdefault(name, (path, time))
    return [{**each, **_log(each["path"], logged)} for each in proposals]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A value in a list of values that say what they are and when it was: its path in every entry, and its time's."""

    path: str
    name: str
    number: float
    unit: str  # UCUM
    time: str
    holder: str


def labelled(data: Mapping[str, Any]) -> list[Labelled]:
    """The values of lists such as [{"label": "temperature", "value": 25, "date": …}, …], each label once."""
    found: dict[str, Labelled] = {}
    for each in _labelled(data, "", _DEEPEST):
        if len(found) < _MOST_LABELS:
            found.setdefault(each.path, each)
    return list(found.values())


def _labelled(holder: Any, path: str, depth: int) -> Iterator[Labelled]:
    if not isinstance(holder, dict) or depth == 0:
        return
    for inner, value in inside(path, holder):
        yield from _labelled(value, inner, depth - 1)
        for entry in value if isinstance(value, list) else ():
            if isinstance(entry, dict) and (told := _of_entry(inner, entry)) is not None:
                yield told


def _of_entry(path: str, entry: Mapping[str, Any]) -> Labelled | None:
    times = [name for name in entry if _is_time(name, entry[name])]
    labels = [n for n in entry if _LABEL.fullmatch(n) and isinstance(entry[n], str)]
    values = [n for n in entry if _VALUE.fullmatch(n)]
    if len(times) != 1 or len(labels) != 1 or len(values) != 1:
        return None
    label, number = str(entry[labels[0]]), number_of(entry[values[0]])
    if number is None or not _WRITABLE.fullmatch(label):
        return None
    return Labelled(
        path=f"{path}[*][{labels[0]}={label}]{step(values[0], first=False)}",
        name=label,
        number=number,
        unit=unit_of(entry.get("unit")),
        time=f"{path}[*]{step(times[0], first=False)}",
        holder=path,
    )


def log_field(told: Mapping[str, Any], field: NewField) -> list[NewField]:
    """The field of a proposal's log, beside that of the value alone."""
    path, time = told.get("log"), told.get("log_time")
    if not (isinstance(path, str) and isinstance(time, str)):
        return []
    return [replace(field, path=path, time_path=time)]


def _log(path: str, logged: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    found = logged.get(path)
    return {} if found is None else {"log": found[0], "log_time": found[1]}


def _entries(holder: Any, path: str, depth: int) -> Iterator[tuple[str, str, str]]:
    """(name of the value, its path in every entry, path of the time there)."""
    if not isinstance(holder, dict) or depth == 0:
        return
    for inner, value in inside(path, holder):
        if isinstance(value, dict):
            yield from _entries(value, inner, depth - 1)
        elif _LOG.fullmatch(inner) and isinstance(value, list) and value:
            yield from _of_log(inner, value[0])


def _of_log(path: str, entry: Any) -> Iterator[tuple[str, str, str]]:
    times = [] if not isinstance(entry, dict) else [n for n in entry if _is_time(n, entry[n])]
    if len(times) != 1 or '"' in times[0]:
        return
    time = f"{path}[*]{step(times[0], first=False)}"
    for inner, _ in inside("", entry):
        if inner != times[0]:
            plain = inner if inner.startswith("[") else f".{inner}"
            yield inner, f"{path}[*]{plain}", time


def _is_time(name: str, value: Any) -> bool:
    at = instants([value], "", latest=0)[0] if _TIME.fullmatch(name) else None
    return at is not None and at > _EARLIEST
