"""Readings that are committed but not yet sealed, in memory and quickly found by datastream."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from stadtherz.store.readings.summaries import Summaries, of_readings
from stadtherz.store.sealed.batch import TAIL, Readings
from stadtherz.store.sealed.buckets import changes, places_of
from stadtherz.store.values import Int64

_SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")
_MANY = 2  # a segment is joined with the one before it unless that is so many times larger


@dataclass(slots=True)
class Segment:
    """Readings by (datastream, phenomenon start, id); they never change."""

    readings: Readings
    streams: Int64  # the column of the readings, contiguous for searching
    _summed: tuple[Summaries, Int64] | None = None
    _plain: bool | None = None  # whether all of them are

    @classmethod
    def of(cls, readings: Readings) -> "Segment":
        ordered = readings[np.argsort(readings["datastream"], kind="stable")]
        streams, starts = (
            np.ascontiguousarray(ordered[n]) for n in ("datastream", "phenomenon_start")
        )
        later = (streams[1:] > streams[:-1]) | (starts[1:] > starts[:-1])
        if not later.all():  # seldom: readings mostly arrive in the order in which they were taken
            ordered = ordered[np.lexsort((ordered["id"], starts, streams))]
        return cls(ordered, streams)

    def without(self, streams: Int64, upto: int) -> "Segment":
        """Without readings of these datastreams up to a position of the log."""
        kept = np.ones(len(self.readings), bool)
        first, behind = (np.searchsorted(self.streams, streams, side) for side in _SIDES)
        for a, b in zip(first.tolist(), behind.tolist(), strict=True):
            kept[a:b] = self.readings["position"][a:b] > upto
        if kept.all():
            return self
        left = _in_one_piece(kept)
        return Segment(self.readings[left], self.streams[left])

    def among(self, wanted: Int64) -> Readings:
        """Those of the datastreams, which ascend."""
        first, behind = (np.searchsorted(self.streams, wanted, side) for side in _SIDES)
        if len(wanted) == 1:  # nothing has to be copied then
            return self.readings[first[0] : behind[0]]
        return self.readings[places_of(first, behind - first)]

    def plain(self, wanted: Int64 | None) -> Readings:
        """The plain readings of these datastreams, which ascend, or of all."""
        if self._plain is None:
            self._plain = bool(self.readings["plain"].all())
        found = self.readings if wanted is None else self.among(wanted)
        return found if self._plain else found[found["plain"]]

    def summaries(self) -> tuple[Summaries, Int64]:
        """A summary of each datastream here, and the oldest log position among its readings."""
        if self._summed is None:
            oldest = np.minimum.reduceat(self.readings["position"], changes(self.streams))
            self._summed = of_readings(self.readings), oldest
        return self._summed


def _in_one_piece(kept: npt.NDArray[np.bool_]) -> slice | npt.NDArray[np.bool_]:
    """The mask as a slice if that says the same: nothing has to be copied then."""
    first, number = int(np.argmax(kept)), int(np.count_nonzero(kept))
    return slice(first, first + number) if kept[first : first + number].all() else kept


@dataclass(slots=True)
class Tail:
    """Grows at its end; what is new is sorted in when somebody reads."""

    _sorted: list[Segment] = field(default_factory=list)
    _fresh: list[Readings] = field(default_factory=list)
    size: int = 0

    def copy(self) -> "Tail":
        """An independent tail; the readings themselves are shared and never change."""
        return Tail(list(self._sorted), list(self._fresh), self.size)

    def add(self, readings: Readings) -> None:
        self._fresh.append(readings)
        self.size += len(readings)

    def drop(self, streams: Int64, upto: int) -> None:
        """Forget readings of these datastreams up to a position of the log."""
        left = [segment.without(streams, upto) for segment in self.settle()]
        self._sorted = [segment for segment in left if len(segment.readings)]
        self.size = sum(len(segment.readings) for segment in self._sorted)

    def settle(self) -> list[Segment]:
        """Sort in what is new."""
        if self._fresh:
            self._sorted.append(Segment.of(np.concatenate(self._fresh)))
            self._fresh = []
            while len(self._sorted) > 1 and _close(self._sorted[-2], self._sorted[-1]):
                last, before = self._sorted.pop(), self._sorted.pop()
                both = np.concatenate([before.readings, last.readings])
                self._sorted.append(Segment.of(both))
        return self._sorted

    def of(self, streams: Int64 | None) -> Readings:
        """Readings of these datastreams, or of all, by (datastream, phenomenon start, id)."""
        segments = self.settle()
        if streams is None:
            parts = [segment.readings for segment in segments]
        else:
            parts = [segment.among(streams) for segment in segments]
        parts = [part for part in parts if len(part)]
        if len(parts) < 2:
            return parts[0] if parts else np.empty(0, TAIL)
        return Segment.of(np.concatenate(parts)).readings

    def streams(self) -> Int64:
        """The datastreams that have readings here."""
        found = [np.unique(segment.streams) for segment in self.settle()]
        return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)


def _close(before: Segment, last: Segment) -> bool:
    return len(before.readings) <= _MANY * len(last.readings)
