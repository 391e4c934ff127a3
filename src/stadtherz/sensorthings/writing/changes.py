"""Writing requests: from method, path and body to an Answer (18-088 §10).

An entity is found, compared with what the client demands of it, changed and shown in one
transaction that nobody else's change can come into.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass, replace
from typing import Any

from stadtherz.base.errors import Invalid, NotFound
from stadtherz.base.time import Micros
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers.fetch import Fetcher
from stadtherz.sensorthings.answers.found import Parent
from stadtherz.sensorthings.answers.get import Answer, shown
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.headers.conditions import Conditions, PreconditionFailed, conditions_of
from stadtherz.sensorthings.headers.origin import header
from stadtherz.sensorthings.headers.preferences import Return, preferred_return
from stadtherz.sensorthings.headers.refusals import NotHere, UnsupportedMedia
from stadtherz.sensorthings.language.paths import parse_path
from stadtherz.sensorthings.language.syntax import Query, Segment
from stadtherz.sensorthings.query.options import name_of, parse_query
from stadtherz.sensorthings.query.plan import plan_set
from stadtherz.sensorthings.query.routes import Route, Step, resolve_route
from stadtherz.sensorthings.standard.schema import (
    DATASTREAM,
    FEATURE_OF_INTEREST,
    OBSERVATION,
    EntityType,
    Property,
    Shape,
    back_link,
)
from stadtherz.sensorthings.writing import bulk, deep, filtered, references, upsert, write
from stadtherz.sensorthings.writing.bodies import Body, Mode, changed, load, read_body
from stadtherz.sensorthings.writing.locks import hold, transaction
from stadtherz.sensorthings.writing.patches import apply_operations, merge_into

Scope = MutableMapping[str, Any]
_READS = ("GET", "HEAD", "OPTIONS")
_JSON = "application/json"
_MERGE = "application/merge-patch+json"
_OPERATIONS = "application/json-patch+json"
PATCHES = (_JSON, _MERGE, _OPERATIONS)
"""What a PATCH can be written in."""

_EVERYTHING = Query()
_MODES: dict[str, Mode] = {"PATCH": "patch", "PUT": "replace"}


@dataclass(frozen=True, slots=True)
class _Caller:
    """On whose behalf something is changed, and how its address is spelt for them."""

    visibility: Visibility
    urls: Urls
    now: Micros

    def shown(self, entity: EntityType, key: int, query: Query = _EVERYTHING) -> Answer:
        """The entity as it is now."""
        fetcher = Fetcher(self.visibility)
        parent = fetcher.parent((Step(entity, None, key),))
        assert parent is not None
        return shown(fetcher, plan_set(entity, query, now=self.now), parent, self.urls)

    def asked(self, query: str) -> Query:
        """What of an entity is to be shown; version 1.1 shows all of it."""
        return parse_query(query) if self.urls.face.odata else _EVERYTHING

    def preferred(self, scope: Scope) -> Return:
        return preferred_return(scope, minimal=self.urls.face.odata)

    @property
    def deleted(self) -> Answer:
        return Answer(204 if self.urls.face.odata else 200)

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
    if resource.segments == (Segment(bulk.NAME),):
        return _create_many(scope, body, _Caller(visibility, urls, now))
    route = resolve_route(resource, urls.face)
    if not route.reference and (resource.suffix or route.to_property):
        raise NotHere("only sets, entities and links can be changed", _READS)
    caller = _Caller(visibility, urls, now)
    _check_no_filter(route, method, scope)
    if route.reference or method == "POST" or not route.last.single:
        conditions_of(scope).check(None)
        return _change_set(method, route, scope, body, caller)
    return _change_entity(method, route, scope, body, caller)


def _change_set(method: str, route: Route, scope: Scope, raw: bytes, caller: _Caller) -> Answer:
    """What has no tag of its own: a link, or a set that is added to or deleted from."""
    query = _query(scope)
    if route.reference:
        references.change(method, route, query, raw, caller.visibility, caller.urls)
        return Answer(204)
    if method == "POST":
        if route.last.single:
            raise NotHere("POST needs a set, such as Things", (*_READS, "PATCH", "PUT", "DELETE"))
        _media(method, scope)
        return _create(route, query, raw, caller, caller.preferred(scope))
    if method == "DELETE":
        filtered.delete(route, query, caller.visibility, caller.now)
        return caller.deleted
    raise NotHere(f"{method} needs one entity, such as Things(1)", (*_READS, "POST", "DELETE"))


def _change_entity(method: str, route: Route, scope: Scope, raw: bytes, caller: _Caller) -> Answer:
    media = "" if method == "DELETE" else _media(method, scope)
    conditions = conditions_of(scope)
    # A datastream shows the extent of its readings and the area of their features; what is deleted
    # takes readings with it.
    readings = (
        method == "DELETE"
        or b'"Observations"' in raw
        or any(
            route.last.entity.is_a(kind) for kind in (OBSERVATION, DATASTREAM, FEATURE_OF_INTEREST)
        )
    )
    readings |= write.names_readings(route.last.entity)
    with transaction(readings=readings):
        if method == "PUT" and _would_create(route, raw, caller):
            if conditions.match is not None:
                raise PreconditionFailed("there is nothing here yet")
            return _create(route, _query(scope), raw, caller, caller.preferred(scope))
        found = caller.locked(route, conditions)
        if method == "DELETE":
            write.delete(found.type, found.id, caller.visibility)
            return caller.deleted
        wanted = _described(found, raw, method, media, caller)
        if method == "PATCH" and caller.urls.face.odata:
            deep.update(found, wanted, caller.visibility, caller.urls, caller.now)
        else:
            write.update(found.type, found.id, wanted, caller.visibility)
        answer = caller.shown(found.type, found.id, caller.asked(_query(scope)))
    wish = caller.preferred(scope)
    headers = (*answer.headers, *wish.applied)
    return Answer(204, headers=headers) if wish.minimal else replace(answer, headers=headers)


def _would_create(route: Route, raw: bytes, caller: _Caller) -> bool:
    """Whether nothing is where the route leads, and the body says all that it takes to put it there."""
    entity = route.last.entity
    if route.last.key is None or entity.is_a(OBSERVATION):
        return False
    try:
        Fetcher(caller.visibility).parent(route.steps)
    except NotFound:
        document = load(raw)
        needed = {prop.name for prop in entity.properties if prop.required}
        return isinstance(document, dict) and needed <= document.keys()
    return False


def _check_no_filter(route: Route, method: str, scope: Scope) -> None:
    """Whoever adds a condition means it, and would lose what does not fulfil it."""
    of_a_set = method == "DELETE" and not route.last.single
    names = set(map(name_of, _query(scope).split("&")))
    if "$filter" in names and (route.reference or not of_a_set):
        raise Invalid("$filter", "is for reading sets and deleting from them; use If-Match here")


def _query(scope: Scope) -> str:
    query: str = scope.get("query_string", b"").decode("latin-1")
    return query


def _media(method: str, scope: Scope) -> str:
    """The media type of the body; JSON if it says nothing."""
    media = header(scope, b"content-type").partition(";")[0].strip().lower() or _JSON
    possible = PATCHES if method == "PATCH" else (_JSON,)
    if media not in possible:
        raise UnsupportedMedia(f"the body must be {' or '.join(possible)}, not {media[:80]}")
    coding = header(scope, b"content-encoding").strip().lower()
    if coding not in ("", "identity"):
        raise UnsupportedMedia(f"the body must be sent as it is, not as {coding[:80]}")
    return media


def _create_many(scope: Scope, raw: bytes, caller: _Caller) -> Answer:
    _media("POST", scope)
    _, paths = upsert.split(_query(scope))
    answer, new = bulk.create_observations(
        raw, caller.visibility, caller.urls, caller.now, recognise=upsert.by_time(paths)
    )
    return Answer(201 if new else 200, answer)


def _create(route: Route, query: str, raw: bytes, caller: _Caller, wish: Return) -> Answer:
    """POST to a set, or PUT to an address where nothing is yet."""
    entity, given = route.last.entity, {}
    parent = Fetcher(caller.visibility).parent(route.steps[:-1])
    if parent is not None and route.last.link is not None:
        given = {back_link(parent.type, route.last.link).name: parent.id}
    body = read_body(entity, load(raw), "create", caller.urls)
    if route.last.key is not None:
        body = replace(body, key=route.last.key)
    query, paths = upsert.split(query)
    asked = caller.asked(query)
    plan_set(entity, asked, now=caller.now)  # what cannot be shown is refused before it is there
    if paths:
        key, new = upsert.put(body, given, paths, caller.visibility, caller.now)
    else:
        key, new = write.create(entity, body, given, caller.visibility, caller.now), True
    location = ("location", caller.urls.entity(entity, key))
    if wish.minimal:
        return Answer(201 if new else 204, headers=(location, *wish.applied))
    answer = caller.shown(entity, key, asked)
    headers = (location, *answer.headers, *wish.applied)
    return Answer(201 if new else 200, answer.body, headers=headers)


def _described(found: Parent, raw: bytes, method: str, media: str, caller: _Caller) -> Body:
    """What a client wants the entity to be."""
    document = load(raw)
    if media == _JSON:
        if method == "PATCH" and caller.urls.face.odata:
            document = _merged(found, document, caller)
        if method == "PATCH":
            return _beside_held(found, document, caller)
        return read_body(found.type, document, _MODES[method], caller.urls)
    held = caller.document(found)
    apply = apply_operations if media == _OPERATIONS else merge_into
    wanted = read_body(found.type, apply(held, document), "replace", caller.urls)
    return changed(read_body(found.type, held, "replace", caller.urls), wanted)


def _beside_held(found: Parent, document: Any, caller: _Caller) -> Body:
    """A place must fit its encoding: where a client sends one of both, the other is as it was."""
    sent = document if isinstance(document, dict) else {}
    unsaid = [prop for prop in _place_and_encoding(found.type) if prop.name not in sent]
    if len(unsaid) != 1:
        return read_body(found.type, document, "patch", caller.urls)
    (held,) = unsaid
    whole = sent | {held.name: caller.document(found)[held.name]}
    body = read_body(found.type, whole, "patch", caller.urls)
    return replace(body, values={k: v for k, v in body.values.items() if k != held.column})


def _place_and_encoding(entity: EntityType) -> tuple[Property, ...]:
    """The two properties of a Location or a feature, and nothing of what has but one of them."""
    encoding = entity.property("encodingType")
    place = next((p for p in entity.properties if p.shape is Shape.GEOMETRY), None)
    return () if encoding is None or place is None else (place, encoding)


def _merged(found: Parent, document: Any, caller: _Caller) -> Any:
    """Members of objects that are not named stay as they are (OData 4.01 part 1 §11.4.3)."""
    if not isinstance(document, dict):
        return document
    inner = {
        p.name for p in found.type.properties if p.merges and isinstance(document.get(p.name), dict)
    }
    if not inner:
        return document
    held = caller.document(found)
    return document | {name: merge_into(held.get(name) or {}, document[name]) for name in inner}
