"""Buckets of Datastreams and of the parts of their results, put together as rows."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from stadtherz.sensorthings.answers.groups import Int64, Rows
from stadtherz.sensorthings.language.syntax import Aggregate, Apply
from stadtherz.store import public as store
from stadtherz.store.public import Bucketing, Buckets, Part

Found = Mapping[int, Buckets]


@dataclass(frozen=True, slots=True)
class _Told:
    """Buckets by Datastream, and which of the aggregates they say."""

    found: Found
    says: Callable[[Aggregate], bool]

    def column(self, name: str) -> npt.NDArray[Any]:
        return np.concatenate([np.empty(0), *(getattr(part, name) for part in self.found.values())])


def rows_of(
    apply: Apply, streams: Collection[int], parts: Mapping[tuple[Part, ...], Collection[int]]
) -> Rows:
    """A row for each Datastream and bucket that has a number; NaN for what it has not.

    `parts` are the Datastreams whose results have parts, by where they have those that are asked for.
    """
    told = [*_plain(apply, streams), *_of_parts(apply, parts)]
    stream, start, places = _keys(told)
    values = {term.alias: np.full(len(stream), np.nan) for term in apply.terms}
    for each, at in zip(told, places, strict=True):
        for term in apply.terms:
            if each.says(term):
                column = values[term.alias]
                before = np.where(np.isnan(column[at]), 0.0, column[at])
                column[at] = before + each.column(term.what)
    return Rows(stream, None if apply.width is None else start, values)


def _plain(apply: Apply, streams: Collection[int]) -> Iterator[_Told]:
    if all(term.part or term.what == "count" for term in apply.terms) and any(
        term.part for term in apply.terms
    ):
        return  # what has no such part does not count
    width = apply.width or Bucketing.YEAR
    found = store.buckets_of(sorted(streams), width, apply.zone, start=apply.start, end=apply.end)
    yield _Told(_whole(apply, found), lambda term: not term.part)


def _of_parts(apply: Apply, parts: Mapping[tuple[Part, ...], Collection[int]]) -> Iterator[_Told]:
    width = apply.width or Bucketing.YEAR
    asked = tuple(dict.fromkeys(term.part for term in apply.terms if term.part))
    for places, streams in parts.items():
        some, *each = store.buckets_of_parts(
            streams, places, width, apply.zone, start=apply.start, end=apply.end
        )
        yield _Told(_whole(apply, some), lambda term: term.what == "count")
        for part, found in zip(asked, each, strict=True):
            yield _Told(_whole(apply, found), partial(_is_of, part))


def _is_of(part: Part, term: Aggregate) -> bool:
    return term.part == part


def _whole(apply: Apply, found: Found) -> Found:
    if apply.width is not None:
        return found
    return {stream: _as_one(buckets) for stream, buckets in found.items()}


def _as_one(buckets: Buckets) -> Buckets:
    """All of the time as one bucket."""
    count, total = buckets.count.sum(keepdims=True), buckets.total.sum(keepdims=True)
    return Buckets(
        start=np.zeros(1, np.int64),
        count=count,
        mean=total / count,
        minimum=buckets.minimum.min(keepdims=True),
        maximum=buckets.maximum.max(keepdims=True),
        total=total,
        first=buckets.first[:1],
        last=buckets.last[-1:],
    )


def _keys(told: Sequence[_Told]) -> tuple[Int64, Int64, list[Int64]]:
    """Datastreams and starts of all buckets in order, and where those of each have their places."""
    keys = [_own_keys(each.found) for each in told]
    if len(keys) == 1:
        return keys[0][:, 0], keys[0][:, 1], [np.arange(len(keys[0]))]
    every = np.concatenate([np.empty((0, 2), np.int64), *keys])
    distinct, places = np.unique(every, axis=0, return_inverse=True)
    places, ends = places.reshape(-1), np.cumsum([len(own) for own in keys])
    each = [places[end - len(own) : end] for own, end in zip(keys, ends, strict=True)]
    return distinct[:, 0], distinct[:, 1], each


def _own_keys(found: Found) -> Int64:
    sizes = [len(buckets) for buckets in found.values()]
    stream = np.repeat(np.array(list(found), np.int64), sizes)
    start = np.concatenate([np.empty(0, np.int64), *(b.start for b in found.values())])
    return np.stack([stream, start], axis=1)
