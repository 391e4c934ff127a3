"""The answer to `$apply`: aggregates of stretches of time, from the store's roll-ups to bytes."""

from collections.abc import Sequence

from stadtherz.base.errors import Invalid, QuerySyntaxError, TooLarge
from stadtherz.base.time import DAY, HOUR, MINUTE
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers import groups, several, texts
from stadtherz.sensorthings.answers.bucketed import rows_of
from stadtherz.sensorthings.answers.found import Parent
from stadtherz.sensorthings.answers.groups import Rows
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.answers.render import opening, quoted
from stadtherz.sensorthings.answers.texts import Column, Int64, Texts, layout
from stadtherz.sensorthings.language.apply import check_zones
from stadtherz.sensorthings.language.syntax import Apply, Query
from stadtherz.sensorthings.query.records import part_by_place
from stadtherz.sensorthings.query.tables import Reader
from stadtherz.sensorthings.standard.schema import DATASTREAM, MULTI_DATASTREAM, OBSERVATION
from stadtherz.store import public as store
from stadtherz.store.public import Bucketing, Part

MAX_ROWS = 100_000
MAX_STREAMS = 5_000
MAX_READINGS = 5_000_000
MAX_WITH_PARTS = 500_000
"""Readings whose results are documents, which are looked at one by one."""

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
    query: Query, apply: Apply, parent: Parent | None, reader: Reader, urls: Urls, path: str
) -> bytes:
    """A set with one entity for each Datastream and bucket that holds numbers.

    What stands beside `$apply` is about these entities, as OData 4.0 part 2 §5.1 has it; all of them
    are one page unless `$top` says less. `path` is the absolute address of the set.

    Raises:
        QuerySyntaxError: for names that the entities do not have.
        Invalid: for an unknown time zone, a set that is not one of Datastreams' Observations, or results
            of several parts of which none is named.
        TooLarge: for more than MAX_STREAMS Datastreams, or what could give more than MAX_ROWS buckets
            or take more than MAX_READINGS readings that no roll-up serves, or MAX_WITH_PARTS for parts.
    """
    if urls.face.odata:
        for condition, option in (
            (apply.within, "$apply"),
            (apply.having, "$apply"),
            (query.filter, "$filter"),
        ):
            check_zones(condition, option)
    rows = groups.in_order(_wanted(query, apply, _rows(apply, parent, reader, urls)), query.orderby)
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


def _rows(apply: Apply, parent: Parent | None, reader: Reader, urls: Urls) -> Rows:
    streams = _streams(parent, reader.visibility)
    if len(streams) > MAX_STREAMS:
        raise TooLarge(f"$apply looks at {MAX_STREAMS} Datastreams at most; ask one of them")
    _check_cost(streams, apply)
    parts = tuple(dict.fromkeys(term.part for term in apply.terms if term.part))
    if parts or (parent is not None and several.of_several_parts(streams)):
        _check_parts(streams, apply, len(parts))
        return rows_of(apply, streams, _by_place(parts, streams, reader, urls))
    return rows_of(apply, streams, {})


def _check_parts(streams: frozenset[int], apply: Apply, parts: int) -> None:
    whole = next((t for t in apply.terms if not t.part and t.what != "count"), None)
    if not parts and whole is not None:
        reason = "these results have several parts; name one of them, such as result[0]"
        raise QuerySyntaxError("$apply", reason, whole.position)
    most = MAX_WITH_PARTS + 1
    if store.number_with_parts(streams, most, start=apply.start, end=apply.end) == most:
        raise TooLarge(
            f"more than {MAX_WITH_PARTS} results with parts would have to be looked at; ask for less time"
        )


def _by_place(
    parts: Sequence[Part], streams: frozenset[int], reader: Reader, urls: Urls
) -> dict[tuple[Part, ...], set[int]]:
    """Datastreams by where they have these parts, which version 2.0 may name."""
    named = urls.face.odata and any(not part[0].isdigit() for part in parts)
    names = several.names_of_parts(reader) if named else {}
    found: dict[tuple[Part, ...], set[int]] = {}
    for stream in streams:
        own = names.get(stream, ())
        found.setdefault(tuple(part_by_place(part, own) for part in parts), set()).add(stream)
    return found


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
    row: list[Column] = [b"{", *_link(page.stream, urls), b')"']
    if page.start is not None:
        row += [b',"phenomenonTime":', *_time(page.start, urls)]
    for alias, column in page.values.items():
        row += [f',"{alias}":'.encode(), texts.results(column)]
    return layout([*row, b"}"], len(page))


def _link(streams: Int64, urls: Urls) -> list[Column]:
    """The link to what each row is of, up to its key."""
    of_parts = frozenset() if urls.face.odata else several.of_several_parts(streams.tolist())
    begins = {
        each: f'"{urls.face.navigation_link(kind.name)}":"{quoted(urls.entity_set(kind))}('.encode()
        for each, kind in ((False, DATASTREAM), (True, MULTI_DATASTREAM))
    }
    if not of_parts:
        return [begins[False], texts.integers(streams)]
    return [[begins[key in of_parts] for key in streams.tolist()], texts.integers(streams)]


def _time(starts: Int64, urls: Urls) -> list[Column]:
    shown = texts.instants(starts)
    return [b'{"start":', shown, b"}"] if urls.face.odata else [shown]
