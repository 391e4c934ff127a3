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
from stadtherz.sensorthings import kinds
from stadtherz.sensorthings.bodies import Body, load, read_body
from stadtherz.sensorthings.faces import Face
from stadtherz.sensorthings.fetch import Fetcher
from stadtherz.sensorthings.found import Entity
from stadtherz.sensorthings.get import Answer, answer_of, shown
from stadtherz.sensorthings.links import Urls
from stadtherz.sensorthings.paths import parse_path
from stadtherz.sensorthings.plan import SetPlan, planned
from stadtherz.sensorthings.preferences import Return, preferred_return
from stadtherz.sensorthings.readings import shown_result
from stadtherz.sensorthings.routes import Step, resolve_route
from stadtherz.sensorthings.schema import DATASTREAM, OBSERVATION, EntityType, Own
from stadtherz.sensorthings.syntax import Query
from stadtherz.sensorthings.write import reading_of
from stadtherz.store import public as store
from stadtherz.store.public import Kept, Offer, Reading

Scope = MutableMapping[str, Any]
LARGEST = 16_384
"""Bytes of a body that is read on the event loop."""

_EVERYTHING = Query()
_STREAM, _FEATURE = Own("datastream"), Own("feature")
_JSON = b"application/json"
_ALIKE = (str, bool, type(None))  # numbers and documents may leave the database in other words


@dataclass(frozen=True, slots=True)
class _Target:
    """A set of Observations; `stream` is the Datastream in its path."""

    entity: EntityType
    stream: int | None


@dataclass(frozen=True, slots=True)
class Post:
    """An Observation that is offered, and what its sender wants to hear of it."""

    offer: Offer
    entity: EntityType
    values: dict[str, Any]
    urls: Urls
    wish: Return
    plan: SetPlan

    @property
    def direct(self) -> bool:
        """Whether the answer can be given without asking the database."""
        notes = [self.values.get(name) for name in ("result_quality", "parameters")]
        return self.wish.minimal or (
            isinstance(self.values.get("result"), (*_ALIKE, int, float))
            and all(isinstance(note, _ALIKE) for note in notes)
        )

    def answer(self, kept: Kept) -> Answer:
        """What a change that made this Observation answers."""
        location = ("location", self.urls.entity(self.entity, kept.id))
        if self.wish.minimal:
            return Answer(201, headers=(location, *self.wish.applied))
        answer = self._as_sent(kept) if self.direct else self._as_kept(kept)
        return Answer(201, answer.body, headers=(location, *answer.headers, *self.wish.applied))

    def _as_sent(self, kept: Kept) -> Answer:
        result = self.values.get("result")
        if isinstance(result, int | float) and not isinstance(result, bool):
            result = shown_result(float(result))
        own = {"id": kept.id, _STREAM.column: self.offer.datastream, _FEATURE.column: kept.feature}
        entity = Entity(self.entity, kept.id, {**self.values, "result": result, **own})
        return answer_of(entity, self.plan, self.urls)

    def _as_kept(self, kept: Kept) -> Answer:
        fetcher = Fetcher(self.offer.visibility)
        parent = fetcher.parent((Step(self.entity, None, kept.id),))
        assert parent is not None
        return shown(fetcher, self.plan, parent, self.urls)


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
    if not _is_alone(body):
        return None
    stream = _key(body, _STREAM) if target.stream is None else target.stream
    if stream is None:
        return None
    values = body.values
    if values.get("phenomenon_start") is None:
        values |= {"phenomenon_start": now, "phenomenon_end": None}
    values[_FEATURE.column] = _key(body, _FEATURE)
    return Post(
        _offer(body, reading_of(stream, values, default=Period(now)), visibility),
        body.entity,
        values,
        urls,
        preferred_return(scope, minimal=urls.face.odata),
        planned(body.entity, _EVERYTHING, now=now),
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
    if route.to_property or route.reference or route.count:
        return None
    whole = len(route.steps) == 1
    if not (whole or (len(route.steps) == 2 and first.entity.is_a(DATASTREAM))):
        return None
    return _Target(last.entity, first.key)


def _is_alone(body: Body) -> bool:
    """Whether it names no more than a Datastream and a feature, both of which exist."""
    named = (body.entity.link(name) for name in body.links)
    return not body.nested and all(link and link.via in (_STREAM, _FEATURE) for link in named)


def _key(body: Body, via: Own) -> int | None:
    """The id that the body names for the link."""
    link = next(link for link in body.entity.links if link.via == via)
    named = body.links.get(link.name)
    return named[0] if named and isinstance(named[0], int) else None


def _offer(body: Body, reading: Reading, visibility: Visibility) -> Offer:
    makes = next(link.made for link in body.entity.links if link.via == _FEATURE)
    checked = next(prop.checked for prop in body.entity.properties if prop.column == "result")
    fits = partial(kinds.fits, reading.result) if checked else None
    return store.offer(reading, visibility, places=makes, fits=fits)
