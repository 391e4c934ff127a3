"""Writing requests: from method, path and body to an Answer (18-088 §10).

An entity is found, compared with what the client demands of it, changed and shown in one
transaction that nobody else's change can come into.
"""

from collections.abc import Iterable, MutableMapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from stadtherz.base.time import Micros
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings import sql, write
from stadtherz.sensorthings.bodies import Mode, load, read_body
from stadtherz.sensorthings.conditions import Conditions, conditions_of
from stadtherz.sensorthings.execute import rows
from stadtherz.sensorthings.fetch import Fetcher
from stadtherz.sensorthings.found import Parent
from stadtherz.sensorthings.get import Answer, shown
from stadtherz.sensorthings.links import Urls
from stadtherz.sensorthings.origin import header
from stadtherz.sensorthings.paths import parse_path
from stadtherz.sensorthings.plan import plan_set
from stadtherz.sensorthings.routes import Route, Step, resolve_route
from stadtherz.sensorthings.schema import DATASTREAM, OBSERVATION, EntityType, back_link
from stadtherz.sensorthings.syntax import Query
from stadtherz.store import public as store

Scope = MutableMapping[str, Any]
_READS = ("GET", "HEAD", "OPTIONS")
_MODES: dict[str, Mode] = {"PATCH": "patch", "PUT": "replace"}


class NotHere(Exception):
    """The address is there, but cannot be changed in this way."""

    def __init__(self, reason: str, allowed: Iterable[str]) -> None:
        super().__init__(reason)
        self.allowed = tuple(allowed)


class UnsupportedMedia(Exception):
    """A body that is no JSON document."""


@dataclass(frozen=True, slots=True)
class _Caller:
    """On whose behalf something is changed, and how its address is spelt for them."""

    visibility: Visibility
    urls: Urls
    now: Micros

    def shown(self, entity: EntityType, key: int) -> Answer:
        """The entity as it is now."""
        fetcher = Fetcher(self.visibility)
        parent = fetcher.parent((Step(entity, None, key),))
        assert parent is not None
        return shown(fetcher, plan_set(entity, Query(), now=self.now), parent, self.urls)

    def locked(self, route: Route, conditions: Conditions) -> Parent:
        """The entity that the route leads to, as the client demands it; nobody else changes it now."""
        fetcher = Fetcher(self.visibility)
        found = fetcher.parent(route.steps)
        assert found is not None
        if found.type is not OBSERVATION and fetcher.reader.dialect.name == "postgresql":
            rows(sql.lock(found.type, found.id))  # SQLite's transaction has no others beside it
        if conditions.any:
            conditions.check(self.shown(found.type, found.id).tag)
        return found


def change(
    method: str,
    path: str,
    scope: Scope,
    body: bytes,
    visibility: Visibility,
    urls: Urls,
    *,
    now: Micros,
) -> Answer:
    """Carry out a POST, PATCH, PUT or DELETE."""
    resource = parse_path(path)
    if not resource.segments:
        raise NotHere("the service root cannot be changed", _READS)
    route = resolve_route(resource)
    if resource.suffix or route.to_property:
        raise NotHere("only sets and entities can be changed", _READS)
    conditions = conditions_of(scope)
    caller = _Caller(visibility, urls, now)
    if method != "DELETE":
        _check_media(scope)
    if method == "POST":
        conditions.check(None)
        return _create(route, body, caller)
    if not route.last.single:
        raise NotHere(f"{method} needs one entity, such as Things(1)", (*_READS, "POST"))
    with _transaction(method, route.last.entity):
        found = caller.locked(route, conditions)
        if method == "DELETE":
            write.delete(found.type, found.id, visibility)
            return Answer(200)
        return _update(found, body, _MODES[method], caller)


def _transaction(method: str, entity: EntityType) -> AbstractContextManager[None]:
    """Whoever will touch readings, or looks at them while holding an entity, asks for them first."""
    if method == "DELETE" or entity in (OBSERVATION, DATASTREAM):
        return store.moving()
    return store.exclusive()


def _check_media(scope: Scope) -> None:
    media = header(scope, b"content-type").partition(";")[0].strip().lower()
    if media and media not in ("application/json", "application/merge-patch+json"):
        raise UnsupportedMedia(f"the body must be application/json, not {media[:80]}")


def _create(route: Route, raw: bytes, caller: _Caller) -> Answer:
    if route.last.single:
        raise NotHere("POST needs a set, such as Things", (*_READS, "PATCH", "PUT", "DELETE"))
    entity, given = route.last.entity, {}
    parent = Fetcher(caller.visibility).parent(route.steps[:-1])
    if parent is not None and route.last.link is not None:
        given = {back_link(parent.type, route.last.link).name: parent.id}
    body = read_body(entity, load(raw), "create")
    key = write.create(entity, body, given, caller.visibility, caller.now)
    answer = caller.shown(entity, key)
    location = ("location", caller.urls.entity(entity, key))
    return Answer(201, answer.body, headers=(location, *answer.headers))


def _update(found: Parent, raw: bytes, mode: Mode, caller: _Caller) -> Answer:
    body = read_body(found.type, load(raw), mode)
    write.update(found.type, found.id, body, mode, caller.visibility)
    return caller.shown(found.type, found.id)
