"""The measurements of one datastream, from the last seen one on.

They are asked for in the order of their ids, in which servers give them out; the last few are asked for
again each time, since of two that were stored at once the lower id may have become visible later. What
comes twice is recognised by its id. Where ids are no numbers, the order is that of the phenomenon's time, and what is
delivered late there is not seen here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from stadtherz.base.errors import Invalid
from stadtherz.base.time import Micros, Period, iso, parse_instant, parse_period
from stadtherz.ingest.pull.models import PulledStream
from stadtherz.ingest.pull.pages import id_of, key_in_path, pages, question
from stadtherz.ingest.pull.web import Json, Origin
from stadtherz.ingest.pull.words import Problem, PullProblem
from stadtherz.store.public import Reading, append, exclusive, feature_for

PAGE = 1_000
_AGAIN = 100  # ids that are asked for once more
SELECT = "id,phenomenonTime,resultTime,result,resultQuality,validTime,parameters"


@dataclass(frozen=True, slots=True)
class Step:
    """What a page brought: new readings, and those that could not be kept."""

    new: int
    skipped: int


class StreamPull:
    """Copies a datastream; raises PullProblem."""

    def __init__(self, stream: PulledStream, origin: Origin) -> None:
        self._stream, self._origin = stream, origin
        self._feature = feature_for(stream.datastream_id)
        self.outer: int | str = orjson.loads(stream.outer)
        self._pages: set[int | str] = set()

    def steps(self) -> Iterator[Step]:
        """One Step a page, each durable with its cursor before it is given."""
        while True:
            try:
                for rows in pages(self._origin, self._question()):
                    self._check_progress(rows)
                    for begin in range(0, len(rows), PAGE):
                        yield self._keep(rows[begin : begin + PAGE])
            except _NoNumbers:
                self._stream.by_time, self._stream.cursor = True, None
                self._stream.save(update_fields=["by_time", "cursor"])
                self._pages.clear()
                continue
            return

    def _check_progress(self, rows: Sequence[Json]) -> None:
        """No page begins as one before, wherever its link led."""
        if rows:
            first = id_of(rows[0], self._origin)
            if first in self._pages:
                raise PullProblem(Problem.LOOP, host=self._origin.host)
            self._pages.add(first)

    def _question(self) -> str:
        cursor, by_time = self._stream.cursor, self._stream.by_time
        wanted = ""
        if cursor is not None:
            wanted = f"phenomenonTime ge {cursor}" if by_time else f"id gt {cursor - _AGAIN}"
        return question(
            f"/Datastreams({key_in_path(self.outer)})/Observations",
            select=SELECT,
            filter=wanted,
            orderby="phenomenonTime asc" if by_time else "id asc",
            top=str(PAGE),
        )

    def _keep(self, rows: Sequence[Json]) -> Step:
        cursor = self._cursor(rows)
        found = [self.reading_of(row) for row in rows]
        readings = [reading for reading in found if reading is not None]
        skipped = len(found) - len(readings)
        try:
            new = self._commit(readings, cursor)
        except Invalid:  # one of them cannot be kept: each by itself
            outcomes = [self._alone(reading) for reading in readings]
            skipped += outcomes.count(None)
            new = sum(filter(None, outcomes)) + self._commit((), cursor)
        return Step(new, skipped)

    def _commit(self, readings: Sequence[Reading], cursor: Any) -> int:
        """How many were new; they and the cursor are on disk together."""
        with exclusive():
            receipts = append(readings)
            self._stream.cursor = cursor
            self._stream.save(update_fields=["cursor"])
        return sum(not receipt.duplicate for receipt in receipts)

    def _alone(self, reading: Reading) -> int | None:
        try:
            return int(not append([reading])[0].duplicate)
        except Invalid:
            return None

    def _cursor(self, rows: Sequence[Json]) -> Any:
        """The last id, or the last time, that was seen with these rows."""
        before = self._stream.cursor
        if self._stream.by_time:
            times = [when.start for row in rows if (when := _period(row.get("phenomenonTime")))]
            known = [] if before is None else [parse_instant(before)]
            return iso(max([*times, *known])) if times or known else None
        keys = [id_of(row, self._origin) for row in rows]
        numbers = [key for key in keys if isinstance(key, int)]
        if len(numbers) < len(keys):
            raise _NoNumbers
        if numbers != sorted(numbers):
            raise PullProblem(
                Problem.NOT_SENSORTHINGS, host=self._origin.host, told="$orderby=id is ignored"
            )
        return max(numbers) if before is None else max(*numbers, before)

    def reading_of(self, row: Json) -> Reading | None:
        """None for what is no measurement at all."""
        when = _period(row.get("phenomenonTime"))
        if when is None or "result" not in row:
            return None
        parameters = row.get("parameters")
        return Reading(
            datastream=self._stream.datastream_id,
            feature=self._feature,
            phenomenon_time=when,
            result=row["result"],
            result_time=_instant(row.get("resultTime")),
            result_quality=row.get("resultQuality"),
            valid_time=_period(row.get("validTime")),
            parameters=parameters if isinstance(parameters, dict) else None,
            key=f"pull:{self._stream.source_id}:{id_of(row, self._origin)}",
        )


class _NoNumbers(Exception):
    """Identifiers of measurements that cannot be compared with `gt`."""


def _period(told: Any) -> Period | None:
    if not isinstance(told, str):
        return None
    try:
        return parse_period(told)
    except (ValueError, OverflowError):
        return None


def _instant(told: Any) -> Micros | None:
    when = _period(told)
    return None if when is None else when.last
