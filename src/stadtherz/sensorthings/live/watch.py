"""Queries that are watched: what changes in their answers, told as it happens.

Observations are followed through the store's log, each reader from a place of his own, so that
nothing is lost by whoever comes back as long as the log reaches. The log does not tell of other
entities; of these the answer itself is asked again and held against what the reader knows.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

import orjson

from stadtherz.base.errors import Invalid, NotFound, TooLarge
from stadtherz.base.expressions import Among, Column, Kind, Order
from stadtherz.base.time import now_us
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers import render
from stadtherz.sensorthings.answers.fetch import Fetcher
from stadtherz.sensorthings.answers.found import Page
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.language.paths import parse_path
from stadtherz.sensorthings.language.syntax import Query
from stadtherz.sensorthings.query import sql
from stadtherz.sensorthings.query.execute import rows
from stadtherz.sensorthings.query.options import parse_query
from stadtherz.sensorthings.query.plan import SetPlan, plan_set
from stadtherz.sensorthings.query.routes import Route, resolve_route
from stadtherz.sensorthings.query.trees import conjunction
from stadtherz.sensorthings.standard.schema import DATASTREAM, OBSERVATION
from stadtherz.sql.public import Sql
from stadtherz.store import public as store
from stadtherz.store.public import LogPlace, News

MOST_ENTITIES = 1_000
AT_ONCE = 500
"""Readings looked at in one go; with $expand, a few."""

_AT_ONCE_EXPANDED = 100
_OPTIONS = frozenset({"$filter", "$select", "$expand", "$format", "$resultFormat", "resultFormat"})
_ID = Column("id", Kind.NUMBER)
_STREAM = Column("datastream", Kind.NUMBER)
_NOT_REACHED = "what happened since then is no longer known here; ask for the present state, then go on listening"


def block(data: Any = None, *, event: str = "", place: str = "") -> bytes:
    """One event; without data it only tells the reader where to go on."""
    lines = [b"id: " + place.encode()] if place else []
    if event:
        lines.append(b"event: " + event.encode())
    if data is not None:
        lines.append(b"data: " + orjson.dumps(data))
    return b"\n".join([*lines, b"\n"])


@dataclass(frozen=True, slots=True)
class Heard:
    """What there is to tell; `more` if there may be more to be looked at right away."""

    blocks: list[bytes]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that is watched; who asks may see less with each time that it is looked at."""

    route: Route
    query: Query
    urls: Urls
    visibility_of: Callable[[], Visibility]

    def plan(self) -> SetPlan:
        """The plan as of now, `now()` in a filter included."""
        return plan_set(self.route.last.entity, self.query, now=now_us())

    def documents(self, found: Page) -> dict[int, dict[str, Any]]:
        """What is shown of each entity, by its id."""
        return dict(zip(found.ids, render.documents(found, self.urls), strict=True))


def watch(
    path: str, query: str, urls: Urls, visibility_of: Callable[[], Visibility]
) -> "LogWatch | StateWatch":
    """The watch over what a GET of the path would show.

    Raises:
        Invalid: for a path or an option whose changes cannot be told.
        NotFound, Unauthenticated, TooLarge: as a GET of the same address.
    """
    resource = parse_path(path)
    if not resource.segments:
        raise Invalid("path", "changes are told of sets and entities; name one")
    route = resolve_route(resource, urls.face)
    if not route.whole:
        raise Invalid("path", "changes are told of whole sets and entities")
    options = parse_query(query)
    for name, _ in options.texts:
        if name not in _OPTIONS:
            raise Invalid(name, "is for pages; changes are told with $filter, $select and $expand")
    if options.distinct:
        raise Invalid("$select", "changes are told of entities, not of distinct values")
    if not options.format.json:
        raise Invalid("$resultFormat", "changes are told as JSON")
    asked = Asked(route, options, urls, visibility_of)
    asked.plan()
    if route.last.entity.is_a(OBSERVATION) and not route.last.single:
        return LogWatch(asked)
    if options.filter is not None and route.last.single:
        raise Invalid("$filter", "is for sets")
    return StateWatch(asked)


# --- Observations --------------------------------------------------------------------------------


@dataclass(slots=True)
class LogWatch:
    """Observations as they are written or corrected, from a place in the log."""

    asked: Asked
    _place: LogPlace | None = None

    hears_readings = True
    patience = 20.0
    """Seconds until it is worth another look, though nothing is heard."""
    rest = 0.1
    """Seconds between two looks at least; what is committed meanwhile is told together."""
    calm = 2
    """How many times as long as a look took it rests at least."""

    @property
    def place(self) -> str:
        """Where to go on."""
        return "" if self._place is None else _told(self._place)

    def begin(self, last: str) -> Heard:
        """From the place that the reader knows, or from now on."""
        Fetcher(self.asked.visibility_of()).parent(self.asked.route.steps[:-1])
        self._place = _read(last) if last else store.log_place()
        if last and (self._place is None or store.news_after(self._place, 1) is None):
            return self._reset()
        ready = block({"resumed": bool(last)}, event="ready", place=self.place)
        return Heard([ready], more=True)

    def look(self) -> Heard:
        assert self._place is not None, "it begins before it looks"
        at_once = _AT_ONCE_EXPANDED if self.asked.query.expand else AT_ONCE
        news = store.news_after(self._place, at_once)
        if news is None:
            return self._reset()
        visibility = self.asked.visibility_of()  # also if there is nothing to tell: it may be gone
        blocks = self._told(news, visibility)
        self._place = news.place
        return Heard(blocks, more=len(news.ids) >= at_once)

    def _reset(self) -> Heard:
        self._place = store.log_place()
        return Heard([block({"reason": _NOT_REACHED}, event="reset", place=self.place)])

    def _told(self, news: News, visibility: Visibility) -> list[bytes]:
        fetcher = Fetcher(visibility)
        parent = fetcher.parent(self.asked.route.steps[:-1])
        streams = _visible(news.streams, fetcher)
        if not len(news.ids) or not streams:
            return []
        keys: list[int] = news.ids.tolist()
        among = (Among(_ID, frozenset(keys)), Among(_STREAM, streams))
        plan = self.asked.plan()
        plan = replace(
            plan,
            where=conjunction(plan.where, *among),
            order=(Order(_ID, descending=False),),
            top=len(keys),
        )
        found = fetcher.page(plan, parent, self.asked.route.last.link)
        return _in_order(keys, news.places, self.asked.documents(found))


def _in_order(
    keys: list[int], places: list[LogPlace], documents: dict[int, dict[str, Any]]
) -> list[bytes]:
    """The documents as they were committed, each once, as it is now.

    Several readings changed by one commit share a place; only behind the last of them may a reader
    go on, or he would miss the others.
    """
    last_of = {key: index for index, key in enumerate(keys)}
    told = [index for index, key in enumerate(keys) if key in documents and last_of[key] == index]
    blocks = []
    for index in told:
        whole = index + 1 == len(keys) or places[index + 1] != places[index]
        place = _told(places[index]) if whole else ""
        blocks.append(block(documents[keys[index]], place=place))
    return blocks


def _visible(streams: Iterable[int], fetcher: Fetcher) -> frozenset[int]:
    """Those of the datastreams that are there and may be seen."""
    wanted = sorted(streams)
    if not wanted:
        return frozenset()
    marks = ", ".join(["%s"] * len(wanted))
    among = Sql(f"t0.id IN ({marks})", tuple(wanted))
    return frozenset(row[0] for row in rows(sql.keys(DATASTREAM, fetcher.reader, among)))


def _told(place: LogPlace) -> str:
    return f"{place.position}-{place.stamp:x}"


def _read(text: str) -> LogPlace | None:
    """The place that `_told` made the text of; None for anything else."""
    position, hyphen, stamp = text.partition("-")
    if not (hyphen and position.isascii() and position.isdigit() and len(position) < 19):
        return None
    try:
        return LogPlace(int(position), int(stamp[:16], 16))
    except ValueError:
        return None


# --- everything else -----------------------------------------------------------------------------


@dataclass(slots=True)
class StateWatch:
    """Entities that come, change or go, among those that a query finds."""

    asked: Asked
    _known: dict[int, bytes] = field(default_factory=dict)

    patience = 10.0
    rest = 1.0
    calm = 20

    @property
    def hears_readings(self) -> bool:
        """Whether a new reading may change the answer."""
        return _tells_of_readings(self.asked.plan()) or "Observations" in str(
            self.asked.query.texts
        )

    @property
    def place(self) -> str:
        """What tells the state that the reader knows from any other."""
        known = b"".join(b"%d=%s" % pair for pair in sorted(self._known.items()))
        return "s" + blake2b(known, digest_size=12).hexdigest()

    def begin(self, last: str) -> Heard:
        """The whole state, unless the reader knows it already."""
        blocks = self._changes(must_be_there=True)
        ready = block({"resumed": last == self.place}, event="ready", place=self.place)
        if last == self.place:
            return Heard([ready], more=True)
        reset = [block({"reason": _NOT_REACHED}, event="reset")] if last else []
        return Heard([*reset, *blocks, ready], more=True)

    def look(self) -> Heard:
        blocks = self._changes(must_be_there=False)
        return Heard([*blocks, block(place=self.place)] if blocks else [])

    def _changes(self, *, must_be_there: bool) -> list[bytes]:
        found = self._found(self.asked.plan(), must_be_there=must_be_there)
        documents = {} if found is None else self.asked.documents(found)
        tags = {
            key: blake2b(orjson.dumps(document), digest_size=12).digest()
            for key, document in documents.items()
        }
        changed = [key for key, tag in tags.items() if self._known.get(key) != tag]
        gone = [key for key in self._known if key not in tags]
        self._known = tags
        return [
            *(block(documents[key]) for key in changed),
            *(block(self._reference(key), event="gone") for key in gone),
        ]

    def _found(self, plan: SetPlan, *, must_be_there: bool) -> Page | None:
        fetcher, route = Fetcher(self.asked.visibility_of()), self.asked.route
        if not route.last.single:
            parent = fetcher.parent(route.steps[:-1])
            page = fetcher.page(replace(plan, top=MOST_ENTITIES), parent, route.last.link)
            if page.more:
                raise TooLarge(f"more than {MOST_ENTITIES} entities are too many to be watched")
            return page
        try:
            single = fetcher.parent(route.steps)
        except NotFound:
            if must_be_there:
                raise
            return None
        assert single is not None, "a path to an entity has steps"
        return fetcher.entity(plan, single)

    def _reference(self, key: int) -> dict[str, Any]:
        face, entity = self.asked.urls.face, self.asked.route.last.entity
        return {face.address: self.asked.urls.entity(entity, key), face.id: key}


def _tells_of_readings(plan: SetPlan) -> bool:
    """Whether the answer shows Observations, or Datastreams, which tell the time of theirs."""
    if plan.entity.is_a(OBSERVATION) or plan.entity.is_a(DATASTREAM):
        return True
    return any(_tells_of_readings(expand.plan) for expand in plan.expands)
