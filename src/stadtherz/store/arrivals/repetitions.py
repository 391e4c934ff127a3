"""Which readings of a batch are there already, by their keys."""

import numpy as np

from stadtherz.store.readings import rows
from stadtherz.store.readings.reads import sealed_at, sealed_with
from stadtherz.store.readings.view import View
from stadtherz.store.sealed.batch import Batch, stream_of
from stadtherz.store.state import remembered
from stadtherz.store.values import Int64

FRESH = -1


def repetitions(batch: Batch, view: View) -> Int64:
    """For each reading the id of the one it repeats, FRESH if it is new.

    A repetition of a reading further up in the batch is -2 minus the place of that.
    """
    found = np.full(len(batch), FRESH, np.int64)
    keys = batch.readings["key"]
    keyed = np.flatnonzero(keys)
    if not len(keyed):
        return found
    known = _existing(view.keys.find(keys[keyed]), view)
    seen: dict[int, int] = {}
    for place, key in zip(keyed.tolist(), keys[keyed].tolist(), strict=True):
        found[place] = known.get(key, -2 - seen[key] if key in seen else FRESH)
        seen.setdefault(key, place)
    if remembered("forgotten"):
        _recognise_old(batch, found, view)
    return found


def _existing(hits: dict[int, int], view: View) -> dict[int, int]:
    """Without readings that were deleted: their keys are free again."""
    if not hits:
        return hits
    ids = np.unique(np.array(list(hits.values()), np.int64))
    there = set(held_ids(ids, view).tolist())
    return {key: found for key, found in hits.items() if found in there}


def held_ids(ids: Int64, view: View) -> Int64:
    """Those of the ids (ascending) that belong to a reading."""
    unsealed = view.unsealed(np.unique(stream_of(ids)).tolist())["id"]
    parts = [unsealed[np.isin(unsealed, ids)], rows.with_ids(ids.tolist()).id]
    left = np.setdiff1d(ids, np.concatenate(parts))
    if len(left):
        parts += [chunk.id[places] for _, chunk, places in sealed_with(view.look_at_chunks(), left)]
    return np.concatenate(parts)


def _recognise_old(batch: Batch, found: Int64, view: View) -> None:
    """For readings from before the keys that are known: same instant, same number."""
    readings = batch.readings
    forgotten = remembered("forgotten")
    old = (found == FRESH) & (readings["key"] != 0) & readings["plain"]
    old &= readings["phenomenon_start"] <= forgotten
    for place in np.flatnonzero(old).tolist():
        reading = readings[place]
        same = sealed_at(view, int(reading["datastream"]), int(reading["phenomenon_start"]))
        equal = same.id[same.result == reading["result"]]
        if len(equal):
            found[place] = equal[0]
