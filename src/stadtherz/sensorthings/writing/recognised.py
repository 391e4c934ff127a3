"""Readings that may be there already: recognised within their datastream by the time of the phenomenon."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from stadtherz.base.errors import Invalid, NotFound
from stadtherz.base.expressions import Among, Column, Kind
from stadtherz.base.time import Period
from stadtherz.sensorthings.query import readings
from stadtherz.sensorthings.writing.write import reading_of
from stadtherz.store import public as store
from stadtherz.store.public import NONE, Reading, Receipt, Selection

_START = Column("phenomenon_start", Kind.TIME)
_AT_ONCE = 5_000  # readings looked for by one statement

Moment = tuple[int, int, int | None]
"""A datastream, and the start and the end of a phenomenon time."""
_Held = dict[Moment, list[readings.Reading]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The id of each reading, NONE where it could not be kept; and whether any is new."""

    ids: list[int]
    new: bool


def key(reading: Reading) -> str:
    """By which the store notices what comes twice at once."""
    time = reading.phenomenon_time
    return f"phenomenonTime {time.start}/{time.end}"


def says(held: readings.Reading, wanted: Reading) -> bool:
    """Whether the reading that is held says what is wanted; true is not 1."""
    now = reading_of(held["datastream"], held, default=Period(held["phenomenon_start"]))
    alike = isinstance(now.result, bool) == isinstance(wanted.result, bool)
    return alike and now == replace(wanted, key=None)


def put(wanted: Sequence[Reading]) -> Outcome:
    """Keep the readings, or change those that are there; of several for one moment the last counts.

    What is wrong with one is the matter of this one; so is a moment of which there are several already.
    """
    moments = [_moment(reading) for reading in wanted]
    last = dict(zip(moments, wanted, strict=True))
    held = _held(last)
    ids, repeated = _kept({moment: r for moment, r in last.items() if moment not in held})
    new = any(ids[moment] != NONE for moment in ids.keys() - repeated)
    for again in repeated:  # the same came at the same time, or was kept with another time
        held[again] = readings.readings_of(store.by_id([ids[again]]))
    ids |= {moment: found[0]["id"] if len(found) == 1 else NONE for moment, found in held.items()}
    _correct({m: found[0] for m, found in held.items() if len(found) == 1}, last, ids)
    return Outcome([ids[moment] for moment in moments], new)


def _moment(reading: Reading) -> Moment:
    time = reading.phenomenon_time
    return reading.datastream, time.start, time.end


def _held(wanted: Mapping[Moment, Reading]) -> _Held:
    """What is there of these moments."""
    held: _Held = {}
    for stream, starts in _starts(wanted):
        among = Selection(streams=frozenset({stream}), where=Among(_START, starts))
        for found in readings.readings_of(store.select(among)):
            moment = (stream, found["phenomenon_start"], found["phenomenon_end"])
            if moment in wanted:
                held.setdefault(moment, []).append(found)
    return held


def _starts(wanted: Mapping[Moment, Reading]) -> Iterator[tuple[int, frozenset[int]]]:
    by_stream: dict[int, set[int]] = {}
    for stream, start, _ in wanted:
        by_stream.setdefault(stream, set()).add(start)
    for stream, starts in by_stream.items():
        ordered = sorted(starts)
        for begin in range(0, len(ordered), _AT_ONCE):
            yield stream, frozenset(ordered[begin : begin + _AT_ONCE])


def _kept(wanted: Mapping[Moment, Reading]) -> tuple[dict[Moment, int], set[Moment]]:
    """Ids of new readings, and of which of them the key was known already."""
    keyed = {moment: replace(reading, key=key(reading)) for moment, reading in wanted.items()}
    receipts: list[Receipt | None]
    try:
        receipts = [*store.append(list(keyed.values()))]
    except Invalid:
        receipts = [_kept_alone(reading) for reading in keyed.values()]
    told = dict(zip(keyed, receipts, strict=True))
    ids = {moment: NONE if receipt is None else receipt.id for moment, receipt in told.items()}
    return ids, {moment for moment, receipt in told.items() if receipt and receipt.duplicate}


def _kept_alone(reading: Reading) -> Receipt | None:
    try:
        return store.append([reading])[0]
    except Invalid:
        return None


def _correct(
    held: Mapping[Moment, readings.Reading],
    wanted: Mapping[Moment, Reading],
    ids: dict[Moment, int],
) -> None:
    """Let what is held say what is wanted; `ids` forget what cannot be kept."""
    changed = {m: wanted[m] for m, found in held.items() if not says(found, wanted[m])}
    try:
        if changed:
            store.correct_all({held[m]["id"]: reading for m, reading in changed.items()})
    except (Invalid, NotFound):  # a value, or somebody has deleted one of them
        for moment, reading in changed.items():
            try:
                store.correct(held[moment]["id"], reading)
            except (Invalid, NotFound):
                ids[moment] = NONE
