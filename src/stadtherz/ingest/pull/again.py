"""The last days of a datastream once more, compared with what was copied: what was corrected or removed there.

SensorThings tells nobody what has changed, so a bounded time is looked at again, once a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stadtherz.base.errors import Invalid
from stadtherz.base.expressions import Column, Compare, Kind, Literal
from stadtherz.base.time import DAY, Micros, Period, iso, now_us
from stadtherz.ingest.pull.models import PulledStream, PullSource
from stadtherz.ingest.pull.pages import key_in_path, pages, question
from stadtherz.ingest.pull.readings import PAGE, SELECT, StreamPull
from stadtherz.ingest.pull.web import Json, Origin
from stadtherz.ingest.pull.words import Problem, PullProblem
from stadtherz.store.public import (
    NONE,
    Columns,
    Reading,
    Selection,
    append,
    by_id,
    correct_all,
    delete_readings,
    select,
)

EVERY: Micros = DAY
_FEW = 10  # may vanish at once
_SHARE = 0.5  # of what is held; if more is missing, the answer is rather incomplete


@dataclass(frozen=True, slots=True)
class Compared:
    """How many readings came late, were corrected, and were removed."""

    new: int = 0
    corrected: int = 0
    removed: int = 0


def is_due(source: PullSource, stream: PulledStream) -> bool:
    """Whether the last days of this datastream are to be looked at again."""
    return bool(source.again_days) and stream.again_at + EVERY <= now_us()


def put_off(stream: PulledStream) -> None:
    """Not again before tomorrow."""
    stream.again_at = now_us()
    stream.save(update_fields=["again_at"])


def look_again(source: PullSource, stream: PulledStream, origin: Origin) -> Compared:
    """Take over what is otherwise there by now. Raises PullProblem."""
    since = now_us() - source.again_days * DAY
    held_before = select(Selection(streams=frozenset({stream.datastream_id}), where=_from(since)))
    pull = StreamPull(stream, origin)
    seen: list[int] = []
    new = corrected = newest = 0
    for rows in pages(origin, _question(stream, pull, since)):
        readings = _readings(pull, rows)
        came, changed, ids = _taken_over(readings)
        new, corrected = new + came, corrected + changed
        seen += ids
        newest = max([newest, *(each.phenomenon_time.start for each in readings)])
    removed = 0
    if source.remove and seen:
        removed = _removed(held_before, seen, newest, origin)
    put_off(stream)
    return Compared(new, corrected, removed)


def _question(stream: PulledStream, pull: StreamPull, since: Micros) -> str:
    return question(
        f"/Datastreams({key_in_path(pull.outer)})/Observations",
        select=SELECT,
        filter=f"phenomenonTime ge {iso(since)}",
        orderby="phenomenonTime asc",
        top=str(PAGE),
    )


def _readings(pull: StreamPull, rows: Sequence[Json]) -> list[Reading]:
    found = (pull.reading_of(row) for row in rows)
    return [reading for reading in found if reading is not None]


def _taken_over(readings: Sequence[Reading]) -> tuple[int, int, list[int]]:
    """How many were new and how many otherwise; the ids of all that are here. What cannot be kept is left out."""
    receipts = []
    for reading in readings:
        try:
            receipts.append((reading, append([reading])[0]))
        except Invalid:
            continue
    known = {receipt.id: reading for reading, receipt in receipts if receipt.duplicate}
    changed = {key: known[key] for key, told in _held(by_id(known)) if told != _told(known[key])}
    if changed:
        correct_all(changed)
    new = sum(not receipt.duplicate for _reading, receipt in receipts)
    return new, len(changed), [receipt.id for _reading, receipt in receipts]


def _told(reading: Reading) -> tuple[Any, ...]:
    """What counts of a reading, for comparing."""
    valid = reading.valid_time
    return (
        *_ends(reading.phenomenon_time),
        reading.result,
        NONE if reading.result_time is None else reading.result_time,
        *((NONE, NONE) if valid is None else _ends(valid)),
        reading.result_quality,
        reading.parameters,
    )


def _ends(period: Period) -> tuple[int, int]:
    return period.start, NONE if period.end is None else period.end


def _held(columns: Columns) -> list[tuple[int, tuple[Any, ...]]]:
    nothing = [None] * len(columns)
    rows = zip(
        columns.phenomenon_start.tolist(),
        columns.phenomenon_end.tolist(),
        columns.result.tolist(),
        columns.result_time.tolist(),
        columns.valid_start.tolist(),
        columns.valid_end.tolist(),
        columns.result_quality or nothing,
        columns.parameters or nothing,
        strict=True,
    )
    return list(zip(columns.id.tolist(), rows, strict=True))


def _removed(held: Columns, seen: Sequence[int], newest: Micros, origin: Origin) -> int:
    """Delete what the other server had and has no more, unless that is suspiciously much."""
    gone = held.id[~np.isin(held.id, seen) & (held.phenomenon_start <= newest)]
    if len(gone) > max(_FEW, len(held) * _SHARE):
        raise PullProblem(Problem.VANISHED, host=origin.host, count=len(gone))
    return delete_readings(gone.tolist()) if len(gone) else 0


def _from(since: Micros) -> Compare:
    return Compare("ge", Column("phenomenon_start", Kind.TIME), Literal(since, Kind.TIME))
