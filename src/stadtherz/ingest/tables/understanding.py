"""Rows as readings: where their cells go, and why some do not."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from stadtherz.ingest.tables import numbers, times
from stadtherz.ingest.tables.limits import MOST_SERIES
from stadtherz.ingest.tables.reading import (
    Row,
    column_names,
    data_rows,
    epoch_of,
    shown,
)
from stadtherz.ingest.tables.reasons import BadTable
from stadtherz.ingest.tables.rules import MANY_SERIES, Long, Rules, Target, TimeFormat
from stadtherz.ingest.tables.times import Clock

AT_ONCE = 10_000
"""Readings, or rows, that are handed on together."""

_SHOWN = 60  # characters of a cell in a report


@dataclass(frozen=True, slots=True)
class Problem:
    """What a report tells of a row: its line, the column, the cell, and why."""

    row: int
    column: str
    value: str
    code: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Portion:
    """What some rows amount to. `targets` are places in `Rules.targets`; the lists are of one length."""

    rows: int = 0
    lines: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    missing: int = 0
    problems: list[Problem] = field(default_factory=list)

    def full(self) -> bool:
        return self.rows >= AT_ONCE or len(self.values) >= AT_ONCE or len(self.problems) >= AT_ONCE


class Understanding:
    """One file under its rules. Raises BadTable if the file lacks what the rules name."""

    def __init__(
        self, path: Path, rules: Rules, *, state: dict[str, list[Any]] | None = None
    ) -> None:
        self.path, self.rules = path, rules
        self.names = column_names(path, rules.form)
        self._number = numbers.reader(
            rules.form.decimal, rules.form.thousands, rules.missing, rules.errors
        )
        self.clock = Clock(rules.times, self._places(), epoch=self._epoch(), state=state)
        self._time_name = rules.times.column
        self._take: Callable[[int, Sequence[Any], Portion], None]
        if rules.long is None:
            self._columns = [(n, self._place(t.source), t) for n, t in enumerate(rules.targets)]
            self._take = self._wide
        else:
            self._series = [self._place(name) for name in rules.long.series]
            self._value = self._place(rules.long.value)
            self._known = {target.source: n for n, target in enumerate(rules.targets)}
            self._take = self._long

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise BadTable("no_column", column=name)
        return self.names.index(name)

    def _places(self) -> tuple[int, int | None, int | None]:
        told = self.rules.times
        try:
            times.zone_of(told.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
            raise BadTable("no_zone", zone=told.zone) from problem
        second = self._place(told.second) if told.second else None
        return self._place(told.column), second, self._place(told.season) if told.season else None

    def _epoch(self) -> Any:
        if self.rules.form.kind == "xlsx" and self.rules.times.format == TimeFormat.EXCEL:
            return epoch_of(self.path)
        return None

    def portions(self, after: int = 0) -> Iterator[Portion]:
        """The whole file, some rows at a time, without the first `after` rows."""
        portion = Portion()
        for count, (line, cells) in enumerate(data_rows(self.path, self.rules.form)):
            if count < after:
                continue
            self.take(line, cells, portion)
            if portion.full():
                yield portion
                portion = Portion()
        if portion.rows:
            yield portion

    def take(self, line: int, cells: Sequence[Any], portion: Portion) -> None:
        """One row."""
        portion.rows += 1
        if len(cells) > len(self.names) and any(cells[len(self.names) :]):
            portion.problems.append(Problem(line, "", _cut(cells[-1]), "too_many_cells"))
            return
        self._take(line, cells, portion)

    def _wide(self, line: int, cells: Sequence[Any], portion: Portion) -> None:
        instant = self._instant(line, cells, portion)
        if instant is None:
            return
        for number, place, target in self._columns:
            self._keep(line, cells, place, (number, target), instant, portion)

    def _long(self, line: int, cells: Sequence[Any], portion: Portion) -> None:
        series = series_of(cells, self._series)
        number = self._known.get(series)
        if number is None:
            assert self.rules.long is not None
            column = MANY_SERIES.join(self.rules.long.series)
            portion.problems.append(Problem(line, column, _cut(series), "unknown_series"))
            return
        instant = self._instant(line, cells, portion, series)
        if instant is not None:
            target = self.rules.targets[number]
            self._keep(line, cells, self._value, (number, target), instant, portion)

    def _instant(
        self, line: int, cells: Sequence[Any], portion: Portion, series: str = ""
    ) -> int | None:
        found = self.clock.instant(cells, series)
        if isinstance(found, int):
            if self.clock.note:
                self._note(line, cells, self.clock.note, series, portion)
            return found
        portion.problems.append(Problem(line, self._time_name, self._told_time(cells), found))
        return None

    def _note(
        self, line: int, cells: Sequence[Any], code: str, series: str, portion: Portion
    ) -> None:
        facts = {"taken": self.clock.fold(series)} if code == times.DOUBLE_TAKEN else {}
        portion.problems.append(Problem(line, self._time_name, self._told_time(cells), code, facts))

    def _told_time(self, cells: Sequence[Any]) -> str:
        told = self.rules.times
        names = [name for name in (told.column, told.second) if name]
        places = [self.names.index(name) for name in names]
        return " ".join(_cut(cells[place]) for place in places if place < len(cells))

    def _keep(
        self,
        line: int,
        cells: Sequence[Any],
        place: int,
        target: tuple[int, Target],
        instant: int,
        portion: Portion,
    ) -> None:
        number, rule = target
        value = self._number(cells[place]) if place < len(cells) else numbers.MISSING
        if isinstance(value, str):
            if value == numbers.MISSING:
                portion.missing += 1
            else:
                problem = Problem(line, self.names[place], _cut(cells[place]), value)
                portion.problems.append(problem)
            return
        if rule.factor != 1.0 or rule.offset:
            result = converted(value, rule)
            if result is None:
                problem = Problem(line, self.names[place], _cut(cells[place]), "too_large_number")
                portion.problems.append(problem)
                return
            value = result
        portion.lines.append(line)
        portion.targets.append(number)
        portion.times.append(instant)
        portion.values.append(value)


def converted(value: float, rule: Target) -> float | None:
    """value * factor + offset, without the noise of binary fractions; None beyond what a number can be."""
    result = float(f"{value * rule.factor + rule.offset:.12g}")
    return result if abs(result) != float("inf") else None


def series_of(cells: Sequence[Any], places: Sequence[int]) -> str:
    """The text that names a row's series in a long table."""
    if len(places) == 1 and places[0] < len(cells):
        return shown(cells[places[0]]).strip()
    return MANY_SERIES.join(shown(cells[p]).strip() if p < len(cells) else "" for p in places)


def series_in(path: Path, rules: Rules, long: Long, *, most_rows: int) -> list[str]:
    """The texts that name series in the first rows of a long table, sorted."""
    names = column_names(path, rules.form)
    for name in long.series:
        if name not in names:
            raise BadTable("no_column", column=name)
    places = [names.index(name) for name in long.series]
    found: set[str] = set()
    rows: Iterator[Row] = data_rows(path, rules.form)
    for count, (_line, cells) in enumerate(rows):
        if count >= most_rows:
            break
        found.add(series_of(cells, places))
        if len(found) > MOST_SERIES:
            raise BadTable("too_many_series", limit=MOST_SERIES)
    return sorted(found - {""})


def _cut(cell: Any) -> str:
    text = shown(cell)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
