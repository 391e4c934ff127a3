"""Readings that a caller offers: whether the caller may add them is decided within their commit.

One statement tells of all offers of a commit what there is to know about their datastreams. Nothing
is remembered from one commit to the next, so whatever anybody changes, in any process, counts from
his commit on. An offer that is declined leaves nothing behind; why it was is for those to find out
who have the time.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from stadtherz.base.errors import Invalid
from stadtherz.base.visibility import Visibility
from stadtherz.sql.public import Sql, compose
from stadtherz.store.arrivals.checks import checked
from stadtherz.store.database import members
from stadtherz.store.sealed.batch import TAIL, Batch, Extra
from stadtherz.store.standpoint import standpoint
from stadtherz.store.values import NONE, Int64, Reading, Receipts

_FEATURE = TAIL.names.index("feature") if TAIL.names else -1
_STREAMS = f"""
    SELECT d.id, d.owner_id, d.access, d.group_id, t.owner_id, t.access, t.group_id, f.id{{}}
    FROM store_datastream d
    JOIN store_thing t ON t.id = d.thing_id
    LEFT JOIN store_featureofinterest f ON f.generated_from_id = {standpoint("d.thing_id")}
    WHERE d.data_types IS NULL AND {{}}
"""
_TYPE = Sql(", d.observation_type, d.unit_of_measurement")
_FEATURES = "SELECT id, owner_id, access, group_id FROM store_featureofinterest WHERE {}"


Fits = Callable[[str, Any], bool]


@dataclass(frozen=True, slots=True)
class Offer:
    """A reading that has been looked at, and who offers it.

    `places`: without a feature of its own it takes the one that was made from its Thing's Location.
    `fits`, if it matters: whether a datastream with this observation type and unit takes the result.
    """

    datastream: int
    feature: int | None
    row: tuple[Any, ...]
    extra: Extra | None
    visibility: Visibility
    places: bool
    fits: Fits | None = None


class Kept(NamedTuple):
    """What became of an offer that is on disk now."""

    id: int
    feature: int | None
    duplicate: bool


def offer(
    reading: Reading, visibility: Visibility, *, places: bool, fits: Fits | None = None
) -> Offer:
    """The reading as an offer. Raises Invalid for a value that cannot be kept."""
    row, extra = checked(reading)
    return Offer(reading.datastream, reading.feature, row, extra, visibility, places, fits)


@dataclass(frozen=True, slots=True)
class Judged:
    """Which offers are accepted, and these as a batch without ids."""

    accepted: Sequence[bool]
    batch: Batch

    def told(self, outcome: Receipts | Invalid) -> list[Kept | None]:
        """What became of each offer; None where nothing of it was kept."""
        if isinstance(outcome, Invalid):
            return [None] * len(self.accepted)
        features: Int64 = self.batch.readings["feature"]
        columns = (outcome.ids.tolist(), features.tolist(), outcome.duplicates.tolist())
        kept = (
            Kept(key, None if feature == NONE else feature, duplicate)
            for key, feature, duplicate in zip(*columns, strict=True)
        )
        return [next(kept) if accepted else None for accepted in self.accepted]


Answers = Sequence[Sequence[tuple[Any, ...]]]


def questions(offers: Sequence[Offer]) -> list[Sql]:
    """What has to be known of the offers, for `judged`; belongs into the transaction that keeps them."""
    return [*_streams(offers), *_features(offers)]


def judged(offers: Sequence[Offer], answers: Answers) -> Judged:
    """The offers as they stand by the answers to their `questions`."""
    streams, features = ({row[0]: row for row in rows} for rows in (*answers, (), ())[:2])
    rows: list[tuple[Any, ...]] = []
    extras: dict[int, Extra] = {}
    accepted: list[bool] = []
    for each in offers:
        row = _row(each, streams, features)
        accepted.append(row is not None)
        if row is None:
            continue
        if each.extra is not None:
            extras[len(rows)] = each.extra
        rows.append(row)
    return Judged(accepted, Batch(np.array(rows, TAIL), extras))


def _row(
    each: Offer, streams: dict[int, tuple[Any, ...]], features: dict[int, tuple[Any, ...]]
) -> tuple[Any, ...] | None:
    """The row that is to be kept, if the caller may add it."""
    found = streams.get(each.datastream)
    if found is None or not _may_add(found, each.visibility):
        return None
    if each.fits is not None and not each.fits(*found[8:]):
        return None
    if each.feature is not None:
        named = features.get(each.feature)
        return each.row if named is not None and _may_read(named, each.visibility) else None
    if not each.places:
        return each.row
    made = found[7]
    return None if made is None else (*each.row[:_FEATURE], made, *each.row[_FEATURE + 1 :])


def _may_add(found: tuple[Any, ...], visibility: Visibility) -> bool:
    """Whether the caller sees the datastream and its Thing, and may change the datastream."""
    seen = _may_read(found, visibility) and _may_read(found[3:], visibility)
    return seen and visibility.may_write(found[1])


def _may_read(row: tuple[Any, ...], visibility: Visibility) -> bool:
    """Of a row that goes on with owner, access and group behind its first column."""
    _, owner, access, group = row[:4]
    return visibility.may_read(access=access, owner=owner, group=group)


def _streams(offers: Sequence[Offer]) -> list[Sql]:
    asked = {each.datastream for each in offers}
    more = _TYPE if any(each.fits for each in offers) else Sql("")
    return [compose(_STREAMS, more, members("d.id", asked))] if asked else []


def _features(offers: Iterable[Offer]) -> list[Sql]:
    asked = {each.feature for each in offers if each.feature is not None}
    return [compose(_FEATURES, members("id", asked))] if asked else []
