"""The answer to `$apply`: aggregates of stretches of time, from the store's roll-ups to bytes."""

import numpy as np

from stadtherz.base.errors import Invalid, TooLarge
from stadtherz.base.time import DAY, HOUR, MINUTE
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings import texts
from stadtherz.sensorthings.found import Parent
from stadtherz.sensorthings.links import Urls
from stadtherz.sensorthings.schema import DATASTREAM
from stadtherz.sensorthings.syntax import Apply, Query
from stadtherz.sensorthings.texts import Column, Texts, layout
from stadtherz.store import public as store
from stadtherz.store.public import Bucketing, Buckets

MAX_ROWS = 100_000
MAX_STREAMS = 5_000
MAX_READINGS = 5_000_000

_SHORTEST: dict[Bucketing, int] = {
    Bucketing.MINUTE: MINUTE,
    Bucketing.QUARTER: 15 * MINUTE,
    Bucketing.HOUR: HOUR,
    Bucketing.DAY: 23 * HOUR,
    Bucketing.WEEK: 7 * DAY - HOUR,
    Bucketing.MONTH: 28 * DAY - HOUR,
    Bucketing.YEAR: 365 * DAY,
}
_FROM_READINGS = frozenset({Bucketing.MINUTE, Bucketing.QUARTER})  # no roll-up is so fine


def check(query: Query, *, observations: bool) -> None:
    """Raise Invalid for sets and options that do not go together with `$apply`."""
    if not observations:
        raise Invalid("$apply", "is for sets of Observations")
    others = {name for name, _ in query.texts} - {"$apply"}
    if others:
        raise Invalid(
            "$apply", f"takes no other option beside it, here {', '.join(sorted(others))}"
        )


def aggregates(apply: Apply, parent: Parent | None, visibility: Visibility, urls: Urls) -> bytes:
    """A set with one entity for each Datastream and bucket that holds numbers.

    Raises:
        Invalid: for an unknown time zone, or a set that is not one of Datastreams' Observations.
        TooLarge: for more than MAX_STREAMS Datastreams, or what could give more than MAX_ROWS buckets
            or take more than MAX_READINGS readings that no roll-up serves.
    """
    streams = _streams(parent, visibility)
    if len(streams) > MAX_STREAMS:
        raise TooLarge(f"$apply looks at {MAX_STREAMS} Datastreams at most; ask one of them")
    _check_cost(streams, apply)
    found = store.buckets_of(
        sorted(streams), apply.width, apply.zone, start=apply.start, end=apply.end
    )
    pieces: Texts = []
    for stream, buckets in found.items():
        pieces += [b",", *_rows(stream, buckets, apply, urls)]
    return b"".join([b'{"value":[', *pieces[1:], b"]}"])


def _streams(parent: Parent | None, visibility: Visibility) -> frozenset[int]:
    if parent is None:
        return store.streams_visible_to(visibility)
    if not parent.type.is_a(DATASTREAM):
        raise Invalid("$apply", "is for Observations of a Datastream, or for all Observations")
    return frozenset({parent.id})


def _check_cost(streams: frozenset[int], apply: Apply) -> None:
    """Refuse what would be too much before any of it is read, judged by how readings are spread."""
    rows = readings = 0.0
    for extent in store.extents(streams).values():
        first, last = extent.phenomenon.start, extent.phenomenon.last
        start = first if apply.start is None else max(first, apply.start)
        end = last if apply.end is None else min(last, apply.end)
        if end < start:
            continue
        within = extent.count * (end - start + 1) / (last - first + 1)
        readings += within
        rows += min(within + 1, (end - start) // _SHORTEST[apply.width] + 2)
    if rows > MAX_ROWS:
        raise TooLarge(f"the answer could have {rows:.0f} rows, {MAX_ROWS} fit; ask for less time")
    if apply.width in _FROM_READINGS and readings > MAX_READINGS:
        raise TooLarge(
            f"about {readings:.0f} readings would have to be looked at, {MAX_READINGS} are possible; "
            "ask for less time, or by the hour"
        )


def _rows(stream: int, buckets: Buckets, apply: Apply, urls: Urls) -> Texts:
    address = urls.entity(DATASTREAM, stream)
    row: list[Column] = [
        f'{{"Datastream@iot.navigationLink":"{address}","phenomenonTime":'.encode(),
        texts.instants(buckets.start),
    ]
    for alias, name in apply.terms:
        values = np.asarray(getattr(buckets, name), np.float64)
        row += [f',"{alias}":'.encode(), texts.results(values)]
    return layout([*row, b"}"], len(buckets))
