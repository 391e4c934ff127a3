"""Writing requests: from method, path and body to an Answer (18-088 §10).

An entity is found, compared with what the client demands of it, changed and shown in one
transaction that nobody else's change can come into.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from stadtherz.base.time import Micros
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings import bulk, filtered, references, write
from stadtherz.sensorthings.bodies import Body, Mode, changed, load, read_body
from stadtherz.sensorthings.conditions import Conditions, conditions_of
from stadtherz.sensorthings.fetch import Fetcher
from stadtherz.sensorthings.found import Parent
from stadtherz.sensorthings.get import Answer, shown
from stadtherz.sensorthings.links import Urls
from stadtherz.sensorthings.locks import hold, transaction
from stadtherz.sensorthings.origin import header
from stadtherz.sensorthings.patches import apply_operations, merge_into
from stadtherz.sensorthings.paths import parse_path
from stadtherz.sensorthings.plan import plan_set
from stadtherz.sensorthings.preferences import APPLIED, MINIMAL, prefers
from stadtherz.sensorthings.refusals import NotHere, UnsupportedMedia
from stadtherz.sensorthings.routes import Route, Step, resolve_route
from stadtherz.sensorthings.schema import DATASTREAM, OBSERVATION, EntityType, back_link
from stadtherz.sensorthings.syntax import Query, Segment

Scope = MutableMapping[str, Any]
_READS = ("GET", "HEAD", "OPTIONS")
_JSON = "application/json"
_MERGE = "application/merge-patch+json"
_OPERATIONS = "application/json-patch+json"
_MINIMAL_APPLIED = (APPLIED, "=".join(MINIMAL))
PATCHES = (_JSON, _MERGE, _OPERATIONS)
"""What a PATCH can be written in."""

_MODES: dict[str, Mode] = {"PATCH": "patch", "PUT": "replace"}


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

    def document(self, found: Parent) -> dict[str, Any]:
        """What clients can change of the entity, without its links."""
        names = tuple(p.name for p in found.type.properties if not p.derived)
        plan = plan_set(found.type, Query(select=names), now=self.now)
        body = shown(Fetcher(self.visibility), plan, found, self.urls).body
        document: dict[str, Any] = load(body)
        return document

    def locked(self, route: Route, conditions: Conditions) -> Parent:
        """The entity that the route leads to, as the client demands it; nobody else changes it now."""
        fetcher = Fetcher(self.visibility)
        found = fetcher.parent(route.steps)
        assert found is not None
        hold(found.type, [found.id], fetcher.reader)
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
    if resource.segments == (Segment(bulk.NAME),):
        return _create_many(method, scope, body, _Caller(visibility, urls, now))
    route = resolve_route(resource, urls.face)
    if not route.reference and (resource.suffix or route.to_property):
        raise NotHere("only sets, entities and links can be changed", _READS)
    caller = _Caller(visibility, urls, now)
    if route.reference or method == "POST" or not route.last.single:
        conditions_of(scope).check(None)
        return _change_set(method, route, scope, body, caller)
    return _change_entity(method, route, scope, body, caller)


def _change_set(method: str, route: Route, scope: Scope, raw: bytes, caller: _Caller) -> Answer:
    """What has no tag of its own: a link, or a set that is added to or deleted from."""
    query = scope.get("query_string", b"").decode("latin-1")
    if route.reference:
        references.change(method, route, query, raw, caller.visibility, caller.urls)
        return Answer(204)
    if method == "POST":
        _media(method, scope)
        return _create(route, raw, caller, minimal=prefers(scope, *MINIMAL))
    if method == "DELETE":
        filtered.delete(route, query, caller.visibility, caller.now)
        return Answer(200)
    raise NotHere(f"{method} needs one entity, such as Things(1)", (*_READS, "POST", "DELETE"))


def _change_entity(method: str, route: Route, scope: Scope, raw: bytes, caller: _Caller) -> Answer:
    media = "" if method == "DELETE" else _media(method, scope)
    conditions = conditions_of(scope)
    # A datastream shows the extent of its readings; what is deleted takes readings with it.
    readings = method == "DELETE" or any(
        route.last.entity.is_a(kind) for kind in (OBSERVATION, DATASTREAM)
    )
    with transaction(readings=readings):
        found = caller.locked(route, conditions)
        if method == "DELETE":
            write.delete(found.type, found.id, caller.visibility)
            return Answer(200)
        wanted = _described(found, raw, method, media, caller)
        write.update(found.type, found.id, wanted, caller.visibility)
        answer = caller.shown(found.type, found.id)
    if prefers(scope, *MINIMAL):
        return Answer(204, headers=(*answer.headers, _MINIMAL_APPLIED))
    return answer


def _media(method: str, scope: Scope) -> str:
    """The media type of the body; JSON if it says nothing."""
    media = header(scope, b"content-type").partition(";")[0].strip().lower() or _JSON
    possible = PATCHES if method == "PATCH" else (_JSON,)
    if media not in possible:
        raise UnsupportedMedia(f"the body must be {' or '.join(possible)}, not {media[:80]}")
    return media


def _create_many(method: str, scope: Scope, raw: bytes, caller: _Caller) -> Answer:
    if method != "POST":
        raise NotHere(f"{bulk.NAME} takes only POST", ("POST", "OPTIONS"))
    _media(method, scope)
    answer = bulk.create_observations(raw, caller.visibility, caller.urls, caller.now)
    return Answer(201, answer)


def _create(route: Route, raw: bytes, caller: _Caller, *, minimal: bool) -> Answer:
    if route.last.single:
        raise NotHere("POST needs a set, such as Things", (*_READS, "PATCH", "PUT", "DELETE"))
    entity, given = route.last.entity, {}
    parent = Fetcher(caller.visibility).parent(route.steps[:-1])
    if parent is not None and route.last.link is not None:
        given = {back_link(parent.type, route.last.link).name: parent.id}
    body = read_body(entity, load(raw), "create")
    key = write.create(entity, body, given, caller.visibility, caller.now)
    location = ("location", caller.urls.entity(entity, key))
    if minimal:
        return Answer(201, headers=(location, _MINIMAL_APPLIED))
    answer = caller.shown(entity, key)
    return Answer(201, answer.body, headers=(location, *answer.headers))


def _described(found: Parent, raw: bytes, method: str, media: str, caller: _Caller) -> Body:
    """What a client wants the entity to be."""
    document = load(raw)
    if media == _JSON:
        return read_body(found.type, document, _MODES[method])
    held = caller.document(found)
    apply = apply_operations if media == _OPERATIONS else merge_into
    wanted = read_body(found.type, apply(held, document), "replace")
    return changed(read_body(found.type, held, "replace"), wanted)
