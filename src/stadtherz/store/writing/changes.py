"""Corrections and deletions: sealed readings are exchanged with their chunk, once and for all.

What is still in the log is sealed first, so there is one place to change. The log then tells every
process which chunks vanished and which readings are no longer what they were.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from django.dispatch import Signal

from stadtherz.base.errors import NotFound
from stadtherz.base.expressions import Column, Compare, Kind, Literal
from stadtherz.base.time import Period
from stadtherz.store.arrivals.checks import batch_of
from stadtherz.store.database import ID_RANGE, database, moving, run
from stadtherz.store.models import Datastream, FeatureOfInterest
from stadtherz.store.readings import areas, grouped, rows, sightings, view
from stadtherz.store.readings.reads import count, sealed_with, select
from stadtherz.store.readings.view import ascending, reading
from stadtherz.store.sealed import chunks
from stadtherz.store.sealed.batch import Batch, Extra, stream_of, take
from stadtherz.store.sealed.block import Block, Sheaf
from stadtherz.store.tables import TABLES
from stadtherz.store.values import NONE, Columns, Int64, Reading, Selection
from stadtherz.store.writing.exchange import Change, Exchange
from stadtherz.store.writing.insert import check_references
from stadtherz.store.writing.seal import exchange_for, seal_within

_SLICE = 50_000  # readings deleted in one transaction

readings_corrected = Signal()
"""Readings, by their ids `keys`, have other values from now on; sent in the transaction that does it."""


def correct(key: int, changed: Reading) -> None:
    """Replace the reading with this id, keeping the id and its place in the log.

    Its key goes on counting in the datastream where it arrived. Raises NotFound if the reading
    does not exist, Invalid for a value that cannot be kept.
    """
    correct_all({key: changed})


def correct_all(changed: Mapping[int, Reading]) -> None:
    """As `correct` for many readings by their ids, all or none."""
    batch = batch_of(list(changed.values()))
    with moving():
        change = Change(view.current().copy())
        check_references(batch, change.now)
        if _take_away(_known_range(changed), change) < len(changed):
            missing = changed.keys() - set(change.ids)
            raise NotFound(f"Observation {min(missing)}")
        batch.readings["id"] = list(changed)
        _put(batch, change)
        _settle(change)
        readings_corrected.send(sender=None, keys=list(changed))


def delete_readings(ids: Iterable[int]) -> int:
    """Delete readings by id and say how many there were."""
    wanted = _known_range(ids)
    deleted = 0
    for begin in range(0, len(wanted), _SLICE):
        with moving():
            change = Change(view.current().copy())
            number = _take_away(wanted[begin : begin + _SLICE], change)
            if number:
                grouped.forget(np.array(change.ids, np.int64))
                _settle(change)
        deleted += number
    return deleted


def _settle(change: Change) -> None:
    now = change.now
    left = areas.renew(change.streams, now.look_at_chunks(), now.unsealed(change.streams))
    sightings.keep(left)
    change.settle()


def renew_areas(feature: int) -> None:
    """A feature of interest is elsewhere, and with it what its datastreams observe."""
    streams = streams_at(feature)
    with reading(sealed=True) as known:
        areas.renew(streams, known.look_at_chunks(), known.unsealed(streams))


def hold_area(stream: int) -> None:
    """Somebody has given a datastream an area; it takes in what is observed."""
    with reading(sealed=True) as known:
        areas.renew([stream], known.look_at_chunks(), known.unsealed([stream]), wider=True)


def delete_where(selection: Selection) -> int:
    """Delete the readings that fulfil the selection's condition and say how many there were."""
    deleted = 0
    while True:
        found = select(replace(selection, order=(), skip=0, limit=_SLICE))
        deleted += delete_readings(found.id.tolist())
        if len(found) < _SLICE:
            return deleted


def _known_range(ids: Iterable[int]) -> Int64:
    return np.unique(np.array([key for key in ids if key in ID_RANGE], np.int64))


def _take_away(ids: Int64, change: Change) -> int:
    """Remove the readings wherever they are; how many there were."""
    if not len(ids):
        return 0
    now = change.now
    others = rows.with_ids(ids.tolist())
    seal_within(ascending([*stream_of(ids).tolist(), *others.datastream.tolist()]), now)
    rows.remove(others.id.tolist())
    change.streams.update(others.datastream.tolist())
    change.ids += others.id.tolist()
    exchange = Exchange([], [])
    directory = now.look_at_chunks()
    for key, chunk, places in sealed_with(directory, ids):
        block = chunk.block()
        change.ids += block.id[places].tolist()
        change.streams.add(block.datastream)
        _without(key, block, places, exchange)
    change.exchange(exchange)
    return len(change.ids)


def _without(key: int, block: Block, places: Int64, exchange: Exchange) -> None:
    kept = np.ones(len(block), bool)
    kept[places] = False
    exchange.removed.append(key)
    if kept.any():
        exchange.rows.append(chunks.row_of(block.take(kept)))


def _put(batch: Batch, change: Change) -> None:
    """Put readings, whose ids are known, where they belong."""
    names = ("id", "phenomenon_start", "datastream")
    batch = take(batch, np.lexsort([batch.readings[name] for name in names]))
    readings = batch.readings
    streams = np.unique(readings["datastream"])
    change.streams.update(streams.tolist())
    apart = ~readings["plain"] | (stream_of(readings["id"]) != readings["datastream"])
    if apart.any():
        seal_within(np.unique(readings["datastream"][apart]), change.now)
        rows.insert(_with_extras(take(batch, np.flatnonzero(apart))))
    if not apart.all():
        found = change.now.look_at_chunks().of(streams)
        change.exchange(exchange_for(Sheaf.of(readings[~apart]), found))


def _with_extras(batch: Batch) -> Batch:
    """A plain reading that has moved is kept as one that is not."""
    results = batch.readings["result"].tolist()
    plain = {place: Extra(number, *[None] * 5) for place, number in enumerate(results)}
    return Batch(batch.readings, plain | batch.extras)


# --- datastreams and features that are deleted -----------------------------------------------------


def delete_of(entity: Datastream | FeatureOfInterest) -> None:
    """Delete all readings of a datastream, or those taken at a feature of interest."""
    if isinstance(entity, FeatureOfInterest):
        delete_where(Selection(where=_at(entity.pk)))
        return
    with moving():
        change = Change(view.current().copy())
        grouped.forget_stream(entity.pk)
        change.remove_stream(entity.pk)
        change.settle([entity.pk])


def _at(feature: int) -> Compare:
    return Compare("eq", Column("feature", Kind.NUMBER), Literal(feature, Kind.NUMBER))


def streams_at(feature: int) -> list[int]:
    """The datastreams with readings at this feature of interest."""
    with reading(sealed=True) as known:
        found = known.look_at_chunks().stats
        possible = (found.feature_min <= feature) & (feature <= found.feature_max)
        unsealed = known.unsealed(None)
        streams = set(found.datastream[possible].tolist())
        streams |= set(unsealed["datastream"][unsealed["feature"] == feature].tolist())
    held = {s for s in streams if count(Selection(frozenset({s}), _at(feature)))}
    return sorted(held | rows.streams_at(feature))


def forget_orphans() -> None:
    """Delete all readings if there is no datastream left."""
    if "store_chunk" not in database().introspection.table_names():
        return
    with moving():
        for table in TABLES:
            run(f"DELETE FROM store_{table} WHERE NOT EXISTS (SELECT 1 FROM store_datastream)")


def reading_at(columns: Columns, i: int, **changes: Any) -> Reading:
    """Row `i` of the columns as a Reading, for corrections."""

    def time(values: Any) -> int | None:
        return None if values[i] == NONE else int(values[i])

    start, valid = int(columns.phenomenon_start[i]), time(columns.valid_start)
    result = columns.result[i]
    values: dict[str, Any] = {
        "datastream": int(columns.datastream[i]),
        "phenomenon_time": Period(start, time(columns.phenomenon_end)),
        "result": result.item() if isinstance(result, np.generic) else result,
        "result_time": time(columns.result_time),
        "feature": time(columns.feature),
        "result_quality": columns.result_quality[i] if columns.result_quality else None,
        "valid_time": None if valid is None else Period(valid, time(columns.valid_end)),
        "parameters": columns.parameters[i] if columns.parameters else None,
    }
    return Reading(**(values | changes))
