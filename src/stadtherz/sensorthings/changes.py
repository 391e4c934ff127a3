"""Writing requests: from method, path and body to an Answer (18-088 §10)."""

from collections.abc import Iterable, MutableMapping
from typing import Any

from stadtherz.base.time import Micros
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings import render, write
from stadtherz.sensorthings.bodies import Mode, load, read_body
from stadtherz.sensorthings.fetch import Fetcher
from stadtherz.sensorthings.found import Parent
from stadtherz.sensorthings.get import Answer
from stadtherz.sensorthings.links import Urls
from stadtherz.sensorthings.origin import header
from stadtherz.sensorthings.paths import parse_path
from stadtherz.sensorthings.plan import plan_set
from stadtherz.sensorthings.routes import Route, Step, resolve_route
from stadtherz.sensorthings.schema import EntityType, back_link
from stadtherz.sensorthings.syntax import Query

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
    if method == "POST":
        _check_media(scope)
        return _create(route, body, visibility, urls, now)
    if not route.last.single:
        raise NotHere(f"{method} needs one entity, such as Things(1)", (*_READS, "POST"))
    found = Fetcher(visibility).parent(route.steps)
    assert found is not None
    if method == "DELETE":
        write.delete(found.type, found.id, visibility)
        return Answer(200)
    _check_media(scope)
    return _update(found, body, _MODES[method], visibility, urls, now)


def _check_media(scope: Scope) -> None:
    media = header(scope, b"content-type").partition(";")[0].strip().lower()
    if media and media not in ("application/json", "application/merge-patch+json"):
        raise UnsupportedMedia(f"the body must be application/json, not {media[:80]}")


def _create(route: Route, raw: bytes, visibility: Visibility, urls: Urls, now: Micros) -> Answer:
    if route.last.single:
        raise NotHere("POST needs a set, such as Things", (*_READS, "PATCH", "PUT", "DELETE"))
    entity, given = route.last.entity, {}
    parent = Fetcher(visibility).parent(route.steps[:-1])
    if parent is not None and route.last.link is not None:
        given = {back_link(parent.type, route.last.link).name: parent.id}
    body = read_body(entity, load(raw), "create")
    key = write.create(entity, body, given, visibility, now)
    answer = _shown(entity, key, visibility, urls, now)
    return Answer(201, answer, headers=(("location", urls.entity(entity, key)),))


def _update(
    found: Parent, raw: bytes, mode: Mode, visibility: Visibility, urls: Urls, now: Micros
) -> Answer:
    body = read_body(found.type, load(raw), mode)
    write.update(found.type, found.id, body, mode, visibility)
    return Answer(200, _shown(found.type, found.id, visibility, urls, now))


def _shown(entity: EntityType, key: int, visibility: Visibility, urls: Urls, now: Micros) -> bytes:
    """The entity as it is now."""
    fetcher = Fetcher(visibility)
    plan = plan_set(entity, Query(), now=now)
    parent = fetcher.parent((Step(entity, None, key),))
    assert parent is not None
    return render.entity(fetcher.entity(plan, parent), plan, urls)
