"""A single Observation by POST: what most requests to a city's server are.

What can be said of it without the database is said here. Whether its Datastream is there, may be added
to and takes such results is decided within the commit (`store.offer`), and the answer is put together
from what was kept. Whatever is unusual, wrong or declined is no post; it goes the way of all changes,
which tells what is the matter.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from stadtherz.base.errors import StadtherzError
from stadtherz.base.time import Micros, Period
from stadtherz.base.visibility import Scope as TokenScope
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers.fetch import Fetcher
from stadtherz.sensorthings.answers.get import Answer, shown
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.headers.conditions import tag_of
from stadtherz.sensorthings.headers.preferences import Return, preferred_return
from stadtherz.sensorthings.language.paths import parse_path
from stadtherz.sensorthings.language.syntax import Query
from stadtherz.sensorthings.query.plan import plan_set
from stadtherz.sensorthings.query.routes import Step, resolve_route
from stadtherz.sensorthings.standard.faces import Face
from stadtherz.sensorthings.standard.schema import (
    DATASTREAM,
    OBSERVATION,
    TO_FEATURE,
    TO_STREAM,
    EntityType,
)
from stadtherz.sensorthings.writing import kinds, sent
from stadtherz.sensorthings.writing.bodies import Body, load, read_body
from stadtherz.sensorthings.writing.write import reading_of
from stadtherz.store import public as store
from stadtherz.store.public import Kept, Offer

Scope = MutableMapping[str, Any]
LARGEST = 16_384
"""Bytes of a body that is read on the event loop."""

_JSON = b"application/json"


@dataclass(frozen=True, slots=True)
class _Target:
    """A set of Observations; `stream` is the Datastream in its path.

    `feature` and `datastream` are the names of these links. `makes`: of the place a feature is made.
    `checked`: results must be what the Datastream says. `writer` is there if it knows this version.
    """

    entity: EntityType
    stream: int | None
    datastream: str
    feature: str
    makes: bool
    checked: bool
    writer: sent.Writer | None

    @classmethod
    def of(cls, entity: EntityType, stream: int | None) -> "_Target":
        datastream = next(link for link in entity.links if link.via == TO_STREAM)
        feature = entity.feature_link
        result = next(prop for prop in entity.properties if prop.column == "result")
        writer = sent.Writer.of(entity) if entity is OBSERVATION else None
        names = (datastream.name, feature.name)
        return cls(entity, stream, *names, feature.made, result.checked, writer)


@dataclass(frozen=True, slots=True)
class Post:
    """An Observation that is offered, and what its sender wants to hear of it."""

    offer: Offer
    target: _Target
    values: dict[str, Any]
    urls: Urls
    wish: Return

    @property
    def direct(self) -> bool:
        """Whether the answer can be given without asking the database."""
        return self.wish.minimal or (self.target.writer is not None and sent.exact(self.values))

    def answer(self, kept: Kept) -> Answer:
        """What a change that made this Observation answers."""
        address = self.urls.entity(self.target.entity, kept.id)
        location = ("location", address)
        if self.wish.minimal:
            return Answer(201, headers=(location, *self.wish.applied))
        if self.target.writer is None or not self.direct:
            return self._as_kept(kept, location)
        body = self.target.writer.write(address, kept.id, self.values, self.urls)
        tag = ("etag", tag_of(body, (self.offer.datastream, kept.feature)))
        return Answer(201, body, headers=(location, tag, *self.wish.applied))

    def _as_kept(self, kept: Kept, location: tuple[str, str]) -> Answer:
        fetcher = Fetcher(self.offer.visibility)
        entity = self.target.entity
        parent = fetcher.parent((Step(entity, None, kept.id),))
        assert parent is not None
        answer = shown(fetcher, plan_set(entity, Query(), now=0), parent, self.urls)
        return Answer(201, answer.body, headers=(location, *answer.headers, *self.wish.applied))


def read(
    path: str, scope: Scope, raw: bytes, visibility: Visibility, urls: Urls, *, now: Micros
) -> Post | None:
    """The post that the request is, if it is one and nothing is wrong with it."""
    try:
        return _read(path, scope, raw, visibility, urls, now)
    except StadtherzError:
        return None


def _read(
    path: str, scope: Scope, raw: bytes, visibility: Visibility, urls: Urls, now: Micros
) -> Post | None:
    if len(raw) > LARGEST or TokenScope.WRITE not in visibility.scopes:
        return None
    target = _target(path, urls.face)
    if target is None or not _is_plain(scope):
        return None
    body = read_body(target.entity, load(raw), "create", urls)
    if body.nested or not body.links.keys() <= {target.datastream, target.feature}:
        return None
    stream = _named(body, target.datastream) if target.stream is None else target.stream
    if stream is None:
        return None
    values = body.values
    if values.get("phenomenon_start") is None:
        values |= {"phenomenon_start": now, "phenomenon_end": None}
    values[TO_FEATURE.column] = _named(body, target.feature)
    reading = reading_of(stream, values, default=Period(now))
    fits = partial(kinds.fits, reading.result) if target.checked else None
    return Post(
        store.offer(reading, visibility, places=target.makes, fits=fits),
        target,
        values,
        urls,
        preferred_return(scope, minimal=urls.face.odata),
    )


def _is_plain(scope: Scope) -> bool:
    """Whether nothing but the body says what is wanted, and a token by whom."""
    headers = dict(reversed(scope["headers"]))  # of several of the same name the first counts
    media = headers.get(b"content-type", _JSON).partition(b";")[0].strip().lower()
    return (
        media in (b"", _JSON)
        and b"authorization" in headers  # with a session the origin counts, too
        and b"if-match" not in headers
        and b"if-none-match" not in headers
        and not scope.get("query_string")
    )


@lru_cache(maxsize=10_000)
def _target(path: str, face: Face) -> _Target | None:
    """Where the path leads, if to all Observations, or to those of one Datastream."""
    route = resolve_route(parse_path(path), face)
    first, last = route.steps[0], route.last
    if not last.entity.is_a(OBSERVATION) or last.single:
        return None
    if not route.whole:
        return None
    whole = len(route.steps) == 1
    if not (whole or (len(route.steps) == 2 and first.entity.is_a(DATASTREAM))):
        return None
    return _Target.of(last.entity, first.key)


def _named(body: Body, link: str) -> int | None:
    """The id that the body names for the link."""
    (key,) = body.links.get(link, (None,))
    assert not isinstance(key, Body), "it is not nested"
    return key
