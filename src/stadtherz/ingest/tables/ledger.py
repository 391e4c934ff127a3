"""What is there already for the times of a portion, and what is therefore new, the same, or different.

An import recognises a value by its datastream and phenomenon time, whoever brought the one that is there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from stadtherz.base.expressions import And, Column, Compare, Kind, Literal
from stadtherz.store.public import NONE, Columns, Reading, Selection, reading_at, select

Int64 = npt.NDArray[np.int64]
Key = tuple[int, int]  # datastream (or place of a target), instant
_START = Column("phenomenon_start", Kind.TIME)


@dataclass(frozen=True, slots=True)
class Values:
    """Readings of a file as columns of equal length; `streams` are those of any numbering."""

    streams: Int64
    times: Int64
    values: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.times)

    def taken(self, places: Any) -> "Values":
        return Values(self.streams[places], self.times[places], self.values[places])


@dataclass(frozen=True, slots=True)
class Held:
    """A value that is there: the place in what was looked up, and the value."""

    place: int
    value: Any


@dataclass(slots=True)
class Judged:
    """Places of a portion by what they are; `changed` with what is there for them."""

    new: list[int] = field(default_factory=list)
    same: int = 0
    changed: list[tuple[int, Held]] = field(default_factory=list)


class Known(Protocol):
    """Where values are looked up."""

    def of(self, values: Values) -> dict[Key, list[Held]]:
        """What is held for the portion's datastreams and times."""
        ...


class InStore:
    """What the store holds. Must be asked in the transaction that writes."""

    def __init__(self) -> None:
        self._columns: Columns | None = None

    def of(self, values: Values) -> dict[Key, list[Held]]:
        streams = frozenset(stream for stream in np.unique(values.streams).tolist() if stream >= 0)
        if not streams:
            return {}
        bounds = And(
            (
                Compare("ge", _START, Literal(int(values.times.min()), Kind.TIME)),
                Compare("le", _START, Literal(int(values.times.max()), Kind.TIME)),
            )
        )
        found = self._columns = select(Selection(streams, bounds))
        if not len(found):
            return {}
        wanted = np.isin(found.phenomenon_start, values.times) & (found.phenomenon_end == NONE)
        held: dict[Key, list[Held]] = {}
        for place in np.flatnonzero(wanted).tolist():
            key = int(found.datastream[place]), int(found.phenomenon_start[place])
            held.setdefault(key, []).append(Held(place, found.result[place]))
        return held

    def correction(self, held: Held, value: float) -> tuple[int, Reading]:
        """The id of the reading that is there, and what it becomes."""
        assert self._columns is not None
        changed = reading_at(self._columns, held.place, result=value)
        return int(self._columns.id[held.place]), changed


class Remembered:
    """What a check of a file has seen so far: 24 bytes a reading, since nothing of it is stored."""

    def __init__(self) -> None:
        self._parts: list[Values] = []
        self._bounds: dict[int, tuple[int, int]] = {}

    def of(self, values: Values) -> dict[Key, list[Held]]:
        if not self._overlaps(values):
            return {}
        held: dict[Key, list[Held]] = {}
        for part in self._parts:  # what came last counts
            wanted = np.isin(part.times, values.times)
            for place in np.flatnonzero(wanted).tolist():
                key = int(part.streams[place]), int(part.times[place])
                held[key] = [Held(-1, float(part.values[place]))]
        return held

    def add(self, values: Values) -> None:
        if not len(values):
            return
        self._parts.append(values)
        for stream in np.unique(values.streams).tolist():
            own = values.times[values.streams == stream]
            low, high = self._bounds.get(stream, (int(own[0]), int(own[0])))
            self._bounds[stream] = min(low, int(own.min())), max(high, int(own.max()))

    def _overlaps(self, values: Values) -> bool:
        """Whether any of the times may have been seen; rows mostly come in order."""
        for stream in np.unique(values.streams).tolist():
            if (bounds := self._bounds.get(stream)) is None:
                continue
            own = values.times[values.streams == stream]
            if own.min() <= bounds[1] and own.max() >= bounds[0]:
                return True
        return False


def judge(values: Values, known: Sequence[Known], *, replace: bool) -> Judged:
    """What is new. Of several values for one time in the portion the first counts, or the last.

    With `replace` a place in `new` or `changed` is that of the value which is to be kept.
    """
    held: dict[Key, list[Held]] = {}
    for each in known:
        held |= each.of(values)
    if not held and _all_differ(values):
        return Judged(new=list(range(len(values))))
    return _one_by_one(values, held, replace=replace)


def _all_differ(values: Values) -> bool:
    order = np.lexsort((values.times, values.streams))
    streams, times = values.streams[order], values.times[order]
    return not bool(((streams[1:] == streams[:-1]) & (times[1:] == times[:-1])).any())


def _one_by_one(values: Values, held: dict[Key, list[Held]], *, replace: bool) -> Judged:
    judged = Judged()
    fresh: dict[Key, int] = {}  # of values that are new, their place in `judged.new`
    columns = (values.streams.tolist(), values.times.tolist(), values.values.tolist())
    for place, (stream, time, value) in enumerate(zip(*columns, strict=True)):
        key = (stream, time)
        there = held.get(key)
        if there is None:
            held[key] = [Held(-1 - place, value)]
            fresh[key] = len(judged.new)
            judged.new.append(place)
        elif any(each.value == value for each in there):
            judged.same += 1
        else:
            judged.changed.append((place, there[0]))
            if replace:
                held[key] = [Held(there[0].place, value)]
                if key in fresh:
                    judged.new[fresh[key]] = place
    return judged


def corrections(
    changed: Iterable[tuple[int, Held]], values: Values, stored: InStore
) -> dict[int, Reading]:
    """What the store is to replace; of several values for one reading the last."""
    return dict(
        stored.correction(held, float(values.values[place]))
        for place, held in changed
        if held.place >= 0
    )
