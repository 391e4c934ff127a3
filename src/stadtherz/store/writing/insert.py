"""Batches of readings into the log, inside a transaction that holds the writer's lock."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from stadtherz.base.errors import Invalid
from stadtherz.sql.public import compose
from stadtherz.store.arrivals.log import announcing
from stadtherz.store.arrivals.repetitions import repetitions
from stadtherz.store.database import members, rows_of, run, run_at_last
from stadtherz.store.readings import areas, rows, summaries
from stadtherz.store.readings.view import READINGS, View, ascending
from stadtherz.store.sealed.batch import SEQUENCE_BITS, Batch, encode, joined, take
from stadtherz.store.values import Int64, Receipts

Outcome = Receipts | Invalid


@dataclass(frozen=True, slots=True)
class Written:
    """A log row, as those who follow the log will find it."""

    batch: Batch
    last: int
    stamp: int


def insert_batches(
    batches: Sequence[Batch], view: View, *, at_last: bool = False
) -> tuple[list[Outcome], Written | None]:
    """Keep what can be kept; a batch that names something unknown is left out as a whole.

    The batches have no ids yet; `view` must be that of this transaction. `at_last`: nothing else is
    done in it, so they may be written with its end.
    """
    mistakes = [_mistake_in(batch, view) for batch in batches]
    sound = [batch for batch, mistake in zip(batches, mistakes, strict=True) if mistake is None]
    if not any(len(batch) for batch in sound):
        nothing = Receipts(np.empty(0, np.int64), np.empty(0, bool))
        return [mistake or nothing for mistake in mistakes], None
    whole = joined(sound)
    old = repetitions(whole, view)
    fresh = np.flatnonzero(old == _FRESH)
    written = _write(take(whole, fresh), view, at_last=at_last) if len(fresh) else None
    ids = _ids_of(old, written)
    return _receipts(mistakes, batches, ids, old != _FRESH), written


_FRESH = -1  # what `repetitions` says of a new reading


def _ids_of(old: Int64, written: Written | None) -> Int64:
    """The id of each reading: its own, or that of the one it repeats.

    A repetition of a reading of this very group names it as -2 - its place.
    """
    ids = old.copy()
    if written is not None:
        ids[old == _FRESH] = written.batch.readings["id"]
    within = np.flatnonzero(old < _FRESH)
    ids[within] = ids[-2 - old[within]]
    return ids


def _receipts(
    mistakes: Sequence[Invalid | None],
    batches: Sequence[Batch],
    ids: Int64,
    duplicates: npt.NDArray[np.bool_],
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    begin = 0
    for mistake, batch in zip(mistakes, batches, strict=True):
        if mistake is not None:
            outcomes.append(mistake)
            continue
        part = slice(begin, begin := begin + len(batch))
        outcomes.append(Receipts(ids[part], duplicates[part]))
    return outcomes


# --- what readings refer to ----------------------------------------------------------------------


def _mistake_in(batch: Batch, view: View) -> Invalid | None:
    streams = set(batch.readings["datastream"].tolist())
    features = {f for f in set(batch.readings["feature"].tolist()) if f >= 0}
    unknown = _unknown("store_datastream", streams, view.streams)
    if unknown:
        return Invalid("Datastream", f"there is no datastream {min(unknown)}")
    unknown = _unknown("store_featureofinterest", features, view.features)
    if unknown:
        return Invalid("FeatureOfInterest", f"there is no feature {min(unknown)}")
    return None


def _unknown(table: str, wanted: set[int], known: set[int]) -> set[int]:
    """Those of the ids that do not exist; `known` learns the others."""
    asked = sorted(wanted - known)
    if not asked:
        return set()
    found = rows_of(compose(f"SELECT id FROM {table} WHERE {{}}", members("id", asked)))
    known.update(row[0] for row in found)
    return wanted - known


def check_references(batch: Batch, view: View) -> None:
    """Raise Invalid if a reading names a datastream or a feature that does not exist."""
    if mistake := _mistake_in(batch, view):
        raise mistake


# --- writing -------------------------------------------------------------------------------------


def _write(batch: Batch, view: View, *, at_last: bool) -> Written:
    readings = batch.readings
    readings["id"] = _new_ids(readings["datastream"], view)
    last = view.end + len(readings)
    readings["position"] = np.arange(view.end + 1, last + 1)
    rows.insert(batch)
    areas.widen(readings, view.areas)
    stamp = append_row(READINGS, last, len(readings), encode(batch), at_last=at_last)
    return Written(batch, last, stamp)


def append_row(kind: int, last: int, number: int, payload: bytes, *, at_last: bool = False) -> int:
    """Write a row at the end of the log, which all who follow it will hear of, and return its stamp."""
    stamp = secrets.randbits(62) | 1
    text = "INSERT INTO store_log (last, number, kind, stamp, payload) VALUES (%s, %s, %s, %s, %s)"
    write = run_at_last if at_last else run
    write(text + announcing(), (last, number, kind, stamp, payload))
    return stamp


def append_event(kind: int, view: View, event: dict[str, Any]) -> int:
    """Tell all who follow the log what was sealed or changed; the view follows, too."""
    last = view.end + 1
    stamp = append_row(kind, last, 0, orjson.dumps(event))
    view.note(kind, event, last, stamp)
    return last


def _new_ids(streams: Int64, view: View) -> Int64:
    """Ids that nobody else gets, because the writer's lock is held; ascending in each datastream."""
    order = np.argsort(streams, kind="stable")
    ordered = streams[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    distinct = ordered[first]
    counts = np.diff(np.r_[first, len(streams)])
    bases = _bases(distinct.tolist(), view)
    within = np.arange(len(streams)) - np.repeat(first, counts)
    ids = np.empty(len(streams), np.int64)
    ids[order] = (ordered << SEQUENCE_BITS) + np.repeat(bases, counts) + within
    return ids


def _bases(streams: Iterable[int], view: View) -> Int64:
    known = view.next_sequence
    missing = [stream for stream in streams if stream not in known]
    if missing:
        held = summaries.read(ascending(missing))
        known.update(zip(held["datastream"].tolist(), held["next_sequence"].tolist(), strict=True))
    return np.array([known[stream] for stream in streams], np.int64)
