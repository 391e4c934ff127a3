"""What subscribers by MQTT receive (18-088 §14.2): sets, entities and properties as they change.

A topic is the path of a GET, with $select, $expand and $filter where they make sense. What is sent is
what that GET would show of the changed entity, to whom it would show it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import orjson

from stadtherz.base.errors import Invalid, NotFound
from stadtherz.base.expressions import TRUE, Among, Column, Kind, Order
from stadtherz.base.time import now_us
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers import found, render, several
from stadtherz.sensorthings.answers.addresses import within
from stadtherz.sensorthings.answers.fetch import Fetcher
from stadtherz.sensorthings.answers.found import Page
from stadtherz.sensorthings.language.formats import Format
from stadtherz.sensorthings.language.paths import parse_path
from stadtherz.sensorthings.language.syntax import Query
from stadtherz.sensorthings.live.topics import Address, address
from stadtherz.sensorthings.query import readings
from stadtherz.sensorthings.query.options import parse_query
from stadtherz.sensorthings.query.plan import SetPlan, plan_set, planned
from stadtherz.sensorthings.query.routes import Route, resolve_route
from stadtherz.sensorthings.query.trees import conjunction
from stadtherz.sensorthings.standard.schema import DATASTREAM, OBSERVATION
from stadtherz.store import public as store
from stadtherz.store.public import Columns

_EVERYTHING = Query()
_ID = Column("id", Kind.NUMBER)
_TIME = Column("phenomenon_start", Kind.TIME)
_OTHERS = "only $select, $expand and, for sets, $filter make sense in a topic"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic that has been understood; `stream` is the Datastream whose readings concern it.

    `every`: the readings of every Datastream may.
    """

    topic: str
    where: Address
    route: Route
    query: Query
    stream: int | None = None
    every: bool = False

    @property
    def costly(self) -> bool:
        """Whether the database is asked for everything new, for this topic alone."""
        return self.query.filter is not None or bool(self.query.expand)

    @property
    def observations(self) -> bool:
        """Whether it is about a set of Observations."""
        last = self.route.last
        return last.entity.is_a(OBSERVATION) and not last.single


def subscription(topic: str, visibility: Visibility, root: str) -> Subscription:
    """The topic understood, for somebody who may see what it names. Asks the database.

    Raises:
        NotFound: for what is not there, or not for this subscriber.
        Invalid, QuerySyntaxError, Unsupported, TooLarge: as a GET would.
    """
    where = address(topic, root)
    resource = parse_path(where.path)
    if not resource.segments or resource.suffix in ("$ref", "$count"):
        raise Invalid("topic", "must name a set such as Observations, an entity or a property")
    route = resolve_route(resource, where.urls.face)
    query = parse_query(where.query)
    _check(route, query, topic)
    planned(route.last.entity, query, now=now_us())
    fetcher = Fetcher(within(visibility, where.urls))
    if route.last.single:
        single = fetcher.parent(route.steps)
        assert single is not None
        stream = single.id if single.type.is_a(DATASTREAM) else None
        return Subscription(topic, where, route, query, stream)
    parent = fetcher.parent(route.steps[:-1])
    if not route.last.entity.is_a(OBSERVATION):
        return Subscription(topic, where, route, query)
    stream = parent.id if parent is not None and parent.type.is_a(DATASTREAM) else None
    return Subscription(topic, where, route, query, stream, every=stream is None)


def _check(route: Route, query: Query, topic: str) -> None:
    given = {name for name, _ in query.texts}
    possible = {"$select", "$expand"} if route.last.single else {"$select", "$expand", "$filter"}
    if route.to_property:
        possible = set()
    if given - possible or query.distinct or ("?" in topic and not given):
        raise Invalid("topic", _OTHERS)


# --- the last value ------------------------------------------------------------------------------


def newest(subscribed: Subscription, visibility: Visibility) -> bytes | None:
    """What a new subscriber gets at once: the entity or property as it is, or the newest Observation.

    None where there is none, and for other sets, which have no newest.
    """
    if not subscribed.observations:
        return present(subscribed, visibility) if subscribed.route.last.single else None
    fetcher = _fetcher(subscribed, visibility)
    plan = replace(_plan(subscribed), order=(Order(_TIME, True), Order(_ID, True)), top=1)
    parent = fetcher.parent(subscribed.route.steps[:-1])
    page = fetcher.page(plan, parent, subscribed.route.last.link)
    return next(iter(_words(page, subscribed)), None)


def present(subscribed: Subscription, visibility: Visibility) -> bytes | None:
    """The single thing that the topic names; None if it is gone, or the property holds nothing."""
    route = subscribed.route
    try:
        fetcher = _fetcher(subscribed, visibility)
        parent = fetcher.parent(route.steps)
        assert parent is not None
        entity = fetcher.entity(_plan(subscribed), parent)
    except NotFound:
        return None
    if not route.to_property:
        return _words(entity, subscribed)[0]
    value = render.property_value(entity, route)
    return None if value is None else _property(value, subscribed)


def _fetcher(subscribed: Subscription, visibility: Visibility) -> Fetcher:
    """Raises NotFound where the topic's data set is no longer there for the subscriber."""
    return Fetcher(within(visibility, subscribed.where.urls))


def _property(value: object, subscribed: Subscription) -> bytes:
    if not subscribed.route.value:
        return render.by_itself(value, subscribed.route, subscribed.where.urls)
    return value.encode() if isinstance(value, str) else orjson.dumps(value)


def _plan(subscribed: Subscription) -> SetPlan:
    """In version 2.0 without addresses and context, unless they are asked for."""
    query = _EVERYTHING if subscribed.route.to_property else subscribed.query
    entity = subscribed.route.last.entity
    if subscribed.where.urls.face.odata:
        query = replace(query, format=Format.BARE)
    elif query.filter is None:
        return planned(entity, query, now=0)
    return plan_set(entity, query, now=now_us())


def _words(page: Page, subscribed: Subscription) -> list[bytes]:
    """Each entity as a document."""
    return list(render.entities(page, subscribed.where.urls))


# --- what is new ---------------------------------------------------------------------------------


def of_readings(subscribed: Subscription, columns: Columns, visibility: Visibility) -> list[bytes]:
    """What these new readings are for a subscriber to Observations, in their order."""
    plan = _plan(subscribed)
    try:
        fetcher = _fetcher(subscribed, visibility)
        parent = fetcher.parent(subscribed.route.steps[:-1])
    except NotFound:
        return []
    if plan.where == TRUE and not plan.expands and (subscribed.stream or parent is None):
        seen = columns if subscribed.stream else _seen(columns, fetcher.visibility)
        page = found.of_readings(plan, seen)
        several.complete(page, fetcher.reader)
        return _words(page, subscribed)
    ids = columns.id.tolist()
    plan = replace(plan, where=conjunction(plan.where, Among(_ID, frozenset(ids))), top=len(ids))
    page = fetcher.page(plan, parent, subscribed.route.last.link)
    words = dict(zip(page.ids, _words(page, subscribed), strict=True))
    return [words[key] for key in ids if key in words]


def _seen(columns: Columns, visibility: Visibility) -> Columns:
    """The readings of datastreams that the subscriber may see."""
    if visibility.unbounded:
        return columns
    streams = store.streams_visible_to(visibility)
    places = [i for i, stream in enumerate(columns.datastream.tolist()) if stream in streams]
    return readings.some(columns, np.array(places, np.int64))


def of_changes(
    subscribed: Subscription, changed: Mapping[str, Collection[int]], visibility: Visibility
) -> list[bytes]:
    """What changed entities (ids by the store's kind) are for a subscriber to them, as they are now.

    Observations are among them that were corrected; with them a Datastream may span other times.
    """
    keys = changed.get(subscribed.route.last.entity.kind, ())
    if keys:
        return _as_they_are(subscribed, keys, visibility)
    spans = subscribed.stream is not None and not subscribed.observations
    if not (spans and OBSERVATION.kind in changed):
        return []
    words = present(subscribed, visibility)
    return [] if words is None else [words]


def of_going(
    subscribed: Subscription, kind: str, keys: Collection[int], visibility: Visibility
) -> list[bytes]:
    """What entities (of the store's kind) that are about to be deleted are for a subscriber to them.

    Nothing in version 1.1, which knows no message for it, nor for a property of theirs.
    """
    route = subscribed.route
    if not subscribed.where.urls.face.odata or route.to_property or route.last.entity.kind != kind:
        return []
    return _as_they_are(subscribed, keys, visibility)


def _as_they_are(
    subscribed: Subscription, keys: Collection[int], visibility: Visibility
) -> list[bytes]:
    last = subscribed.route.last
    if last.single:
        concerned = _concerns(subscribed, keys, visibility)
        words = present(subscribed, visibility) if concerned else None
        return [] if words is None else [words]
    plan = _plan(subscribed)
    plan = replace(plan, where=conjunction(plan.where, Among(_ID, frozenset(keys))), top=len(keys))
    try:
        fetcher = _fetcher(subscribed, visibility)
        parent = fetcher.parent(subscribed.route.steps[:-1])
        page = fetcher.page(plan, parent, last.link)
    except NotFound:
        return []
    return _words(page, subscribed)


def _concerns(subscribed: Subscription, keys: Collection[int], visibility: Visibility) -> bool:
    if subscribed.route.last.key is not None:
        return subscribed.route.last.key in keys
    try:
        parent = _fetcher(subscribed, visibility).parent(subscribed.route.steps)
    except NotFound:
        return False
    return parent is not None and parent.id in keys
