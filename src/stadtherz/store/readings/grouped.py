"""Observations that groups and relations lead to (22-022r1): they have ids and no rows to point at.

So nothing of the database's own keeps these pairs in order: who adds one looks whether the observation is
there, and who takes observations away takes theirs along (docs/decisions/0014).
"""

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
from django.db.models import Q, QuerySet

from stadtherz.base.errors import Invalid
from stadtherz.base.visibility import Visibility
from stadtherz.sql.public import Sql
from stadtherz.store.database import rows_of
from stadtherz.store.models import Grouped, Relation
from stadtherz.store.readings import rows
from stadtherz.store.readings.reads import by_id
from stadtherz.store.readings.sharing import streams_visible_to
from stadtherz.store.sealed.batch import SEQUENCE_BITS, stream_of
from stadtherz.store.values import Int64

_STEP = 500


def check_there(name: str, ids: Collection[int], visibility: Visibility) -> None:
    """Raise Invalid, in the name of a field, unless every observation is there and may be seen."""
    found = by_id(ids)
    seen = streams_visible_to(visibility, among=set(found.datastream.tolist()))
    pairs = zip(found.id.tolist(), found.datastream.tolist(), strict=True)
    missing = set(ids) - {key for key, stream in pairs if stream in seen}
    if missing:
        raise Invalid(name, f"there is no such entity: {min(missing)}")


def of_group(group: int) -> list[int]:
    held = Grouped.objects.filter(group=group).order_by("observation")
    return list(held.values_list("observation", flat=True))


def add(group: int, ids: Iterable[int]) -> bool:
    """Whether any of them was not in the group already."""
    fresh = sorted(set(ids) - set(of_group(group)))
    Grouped.objects.bulk_create(Grouped(group_id=group, observation=key) for key in fresh)
    return bool(fresh)


def remove(group: int, ids: Iterable[int]) -> bool:
    """Whether any of them was in the group."""
    held = Grouped.objects.filter(group=group)
    gone = [held.filter(observation__in=part).delete()[0] for part in _parts(sorted(ids))]
    return any(gone)


def streams_of(ids: Collection[int]) -> frozenset[int]:
    """The datastreams in which observations with these ids are, if they are anywhere."""
    wanted = np.array(sorted(ids), np.int64)
    moved = rows.with_ids(wanted.tolist()).datastream if len(wanted) else wanted
    return frozenset(stream_of(wanted).tolist()) | frozenset(moved.tolist())


# --- observations that go ------------------------------------------------------------------------


def forget(ids: Int64) -> None:
    """These observations are gone, and with them what was said of them."""
    if len(ids):
        gone = set(ids.tolist())
        _forget(_named(int(ids.min()), int(ids.max())) & gone)


def forget_stream(stream: int) -> None:
    """All observations of a datastream are about to go, also those that were moved into it."""
    named = _named(stream << SEQUENCE_BITS, ((stream + 1) << SEQUENCE_BITS) - 1)
    elsewhere = rows.with_ids(sorted(named))
    moved_away = set(elsewhere.id[elsewhere.datastream != stream].tolist())
    _forget((named - moved_away) | _moved_into(stream))


def _moved_into(stream: int) -> set[int]:
    text = f"SELECT id FROM store_row WHERE datastream = %s AND id >> {SEQUENCE_BITS} <> %s"
    return {key for (key,) in rows_of(Sql(text, (stream, stream)))}


def _named(low: int, high: int) -> set[int]:
    """The observations with ids from low to high that groups or relations lead to."""
    between = (low, high)
    held: list[tuple[QuerySet[Any], str]] = [
        (Grouped.objects.filter(observation__range=between), "observation"),
        (Relation.objects.filter(subject__range=between), "subject"),
        (Relation.objects.filter(object__range=between), "object"),
    ]
    return {key for found, column in held for key in found.values_list(column, flat=True)}


def _forget(ids: set[int]) -> None:
    """A relation says nothing any more when what it is about, or leads to, is gone."""
    for part in _parts(sorted(ids)):
        Grouped.objects.filter(observation__in=part).delete()
        Relation.objects.filter(Q(subject__in=part) | Q(object__in=part)).delete()


def _parts(ids: list[int]) -> Iterable[list[int]]:
    return (ids[begin : begin + _STEP] for begin in range(0, len(ids), _STEP))
