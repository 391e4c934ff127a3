"""The answer to `$apply`: aggregates of stretches of time, from the store's roll-ups to bytes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stadtherz.base.errors import Invalid, TooLarge
from stadtherz.base.time import DAY, HOUR, MINUTE
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings import groups, texts
from stadtherz.sensorthings.found import Parent
from stadtherz.sensorthings.groups import Rows
from stadtherz.sensorthings.links import Urls
from stadtherz.sensorthings.render import opening, quoted
from stadtherz.sensorthings.schema import DATASTREAM, OBSERVATION
from stadtherz.sensorthings.syntax import Apply, Query
from stadtherz.sensorthings.texts import Column, Int64, Texts, layout
from stadtherz.store import public as store
from stadtherz.store.public import Bucketing, Buckets

MAX_ROWS = 100_000
MAX_STREAMS = 5_000
MAX_READINGS = 5_000_000

_SHORTEST: dict[Bucketing | None, int] = {
    None: 100_000 * DAY,
    Bucketing.MINUTE: MINUTE,
    Bucketing.QUARTER: 15 * MINUTE,
    Bucketing.HOUR: HOUR,
    Bucketing.DAY: 23 * HOUR,
    Bucketing.WEEK: 7 * DAY - HOUR,
    Bucketing.MONTH: 28 * DAY - HOUR,
    Bucketing.YEAR: 365 * DAY,
}
_FROM_READINGS = frozenset({Bucketing.MINUTE, Bucketing.QUARTER})  # no roll-up is so fine


_BESIDE = frozenset({"$apply", "$filter", "$orderby", "$top", "$skip", "$count"})


def check(query: Query, *, observations: bool) -> None:
    """Raise Invalid for sets and options that do not go together with `$apply`."""
    if not observations:
        raise Invalid("$apply", "is for sets of Observations")
    others = sorted({name for name, _ in query.texts} - _BESIDE)
    if others:
        known = ", ".join(sorted(_BESIDE - {"$apply"}))
        raise Invalid("$apply", f"goes with {known}, but not with {', '.join(others)}")


def aggregates(
    query: Query, apply: Apply, parent: Parent | None, visibility: Visibility, urls: Urls, path: str
) -> bytes:
    """A set with one entity for each Datastream and bucket that holds numbers.

    What stands beside `$apply` is about these entities, as OData 4.0 part 2 §5.1 has it; all of them
    are one page unless `$top` says less. `path` is the absolute address of the set.

    Raises:
        QuerySyntaxError: for names that the entities do not have.
        Invalid: for an unknown time zone, or a set that is not one of Datastreams' Observations.
        TooLarge: for more than MAX_STREAMS Datastreams, or what could give more than MAX_ROWS buckets
            or take more than MAX_READINGS readings that no roll-up serves.
    """
    rows = groups.in_order(_wanted(query, apply, _rows(apply, parent, visibility)), query.orderby)
    end = None if query.top is None else query.skip + query.top
    page = rows.take(slice(query.skip, end))
    following = None
    if end is not None and end < len(rows):
        following = urls.page_after(path, query.texts, skip=end, token=None)
    count = len(rows) if query.count else None
    head = opening(urls, urls.context(OBSERVATION.plural), count=count, following=following)
    return b"".join([head, b'"value":[', *_written(page, urls), b"]}"])


def _wanted(query: Query, apply: Apply, rows: Rows) -> Rows:
    if apply.having is not None:
        rows = groups.fulfilling(rows, apply.having, "$apply")
    return rows if query.filter is None else groups.fulfilling(rows, query.filter, "$filter")


def _rows(apply: Apply, parent: Parent | None, visibility: Visibility) -> Rows:
    streams = _streams(parent, visibility)
    if len(streams) > MAX_STREAMS:
        raise TooLarge(f"$apply looks at {MAX_STREAMS} Datastreams at most; ask one of them")
    _check_cost(streams, apply)
    width = apply.width or Bucketing.YEAR
    found = store.buckets_of(sorted(streams), width, apply.zone, start=apply.start, end=apply.end)
    if apply.width is None:
        found = {stream: _as_one(buckets) for stream, buckets in found.items()}
    return _together(found, apply)


def _as_one(buckets: Buckets) -> Buckets:
    """All of the time as one bucket."""
    count, total = buckets.count.sum(keepdims=True), buckets.total.sum(keepdims=True)
    return Buckets(
        start=buckets.start[:1],
        count=count,
        mean=total / count,
        minimum=buckets.minimum.min(keepdims=True),
        maximum=buckets.maximum.max(keepdims=True),
        total=total,
        first=buckets.first[:1],
        last=buckets.last[-1:],
    )


def _together(found: Mapping[int, Buckets], apply: Apply) -> Rows:
    parts = list(found.values())
    keys, sizes = np.array(list(found), np.int64), [len(part) for part in parts]
    start = None if apply.width is None else _joined([part.start for part in parts], np.int64)
    return Rows(
        np.repeat(keys, sizes),
        start,
        {
            alias: _joined([getattr(part, name) for part in parts], np.float64)
            for alias, name in apply.terms
        },
    )


def _joined(parts: Sequence[Any], kind: type[Any]) -> Any:
    return np.concatenate([np.empty(0, kind), *parts]).astype(kind, copy=False)


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


def _written(page: Rows, urls: Urls) -> Texts:
    if not len(page):
        return []
    link = urls.face.navigation_link(DATASTREAM.name)
    streams = quoted(urls.entity_set(DATASTREAM))
    row: list[Column] = [f'{{"{link}":"{streams}('.encode(), texts.integers(page.stream), b')"']
    if page.start is not None:
        row += [b',"phenomenonTime":', *_time(page.start, urls)]
    for alias, column in page.values.items():
        row += [f',"{alias}":'.encode(), texts.results(column)]
    return layout([*row, b"}"], len(page))


def _time(starts: Int64, urls: Urls) -> list[Column]:
    shown = texts.instants(starts)
    return [b'{"start":', shown, b"}"] if urls.face.odata else [shown]
