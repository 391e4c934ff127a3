"""Reading requests from path and query to an Answer."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import orjson
from django.conf import settings

from stadtherz.base.errors import Invalid, NotFound, TooLarge
from stadtherz.base.time import Micros
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers import aggregation, landing, observations, openapi, render
from stadtherz.sensorthings.answers.exports import Export
from stadtherz.sensorthings.answers.fetch import Fetcher
from stadtherz.sensorthings.answers.found import Page, Parent
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.headers.conditions import Conditions, tag_of
from stadtherz.sensorthings.language import formats
from stadtherz.sensorthings.language.formats import Format, Unsupported
from stadtherz.sensorthings.language.paths import parse_path
from stadtherz.sensorthings.language.syntax import Apply, Query, Resource, Segment
from stadtherz.sensorthings.query.options import parse_query
from stadtherz.sensorthings.query.plan import SetPlan, of_one, plan_set, planned
from stadtherz.sensorthings.query.routes import Route, resolve_route
from stadtherz.sensorthings.standard import csdl
from stadtherz.sensorthings.standard.schema import OBSERVATION
from stadtherz.store.public import patience

JSON = "application/json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
_METADATA = Resource((Segment("$metadata"),))
_DESCRIPTION = Resource((Segment(openapi.NAME),))
MAX_WHOLE = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and what else the reader has to be told; `more` goes on where the body ends."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    more: Iterator[bytes] | None = None

    def whole(self) -> "Answer":
        """The same without anything still to come."""
        if self.more is None:
            return self
        body = bytearray(self.body)
        for piece in self.more:
            body += piece
            if len(body) > MAX_WHOLE:
                raise TooLarge(f"at most {MAX_WHOLE} bytes of a set fit in here; use $top")
        return replace(self, body=bytes(body), more=None)

    @property
    def tag(self) -> str | None:
        """The entity tag, where it has one."""
        return dict(self.headers).get("etag")


def get(path: str, query: str, visibility: Visibility, urls: Urls, *, now: Micros) -> Answer:
    """The answer to a GET of `path` below the service root."""
    resource = parse_path(path)
    options = parse_query(query)
    if not resource.segments:
        return Answer(200, landing.service_root(urls), headers=openapi.advertised(urls))
    if resource == _DESCRIPTION:
        return Answer(200, openapi.document(urls), openapi.MEDIA)
    if urls.face.odata and resource == _METADATA:
        return Answer(200, orjson.dumps(csdl.metadata(list(urls.face.types.values()))))
    route = resolve_route(resource, urls.face)
    fetcher = Fetcher(visibility)
    with _in_time():
        if route.last.single:
            return _one(route, options, fetcher, urls, now)
        return _set(route, resource, options, fetcher, urls, now)


def _in_time() -> AbstractContextManager[None]:
    """An answer may cost the database so much; nobody's question holds up everybody else's."""
    return patience(settings.STADTHERZ["read_seconds"])


def _set(
    route: Route, resource: Resource, query: Query, fetcher: Fetcher, urls: Urls, now: Micros
) -> Answer:
    _check_level(query, urls)
    address = _address(resource, urls)
    if query.apply is not None:
        return _aggregated(query, query.apply, route, fetcher, urls, address)
    plan = planned(route.last.entity, query, now=now)
    if query.distinct and (route.count or route.reference or not query.format.json):
        raise Invalid("$select", "distinct values are told of whole sets, as JSON")
    if plan.inside and not query.format.json:
        raise Invalid("$select", f"{query.format} has whole properties only; select no paths")
    if route.count:
        number = fetcher.count(plan, fetcher.parent(route.steps[:-1]), route.last.link)
        return Answer(200, str(number).encode(), TEXT)
    formats.check(
        query.format,
        observations=plan.entity.is_a(OBSERVATION),
        expands=bool(plan.expands),
        selects=query.select is not None,
        entities=not route.reference,
    )
    if query.format.streamed:
        parent = fetcher.parent(route.steps[:-1])
        visibility = fetcher.visibility
        return _streamed(Export(plan.entity, query, parent, route.last.link, visibility, urls, now))
    parent = fetcher.supposed(route.steps[:-1])
    if query.format is Format.DATA_ARRAY:
        readings = fetcher.observations(plan, parent, route.last.link)
        return Answer(200, observations.data_array(readings, query.select, urls, address))
    found = fetcher.page(plan, parent, route.last.link)
    render_set = render.references if route.reference else render.page
    return Answer(200, render_set(found, urls, address))


def _aggregated(
    query: Query, apply: Apply, route: Route, fetcher: Fetcher, urls: Urls, address: str
) -> Answer:
    plain = not (route.count or route.reference)
    aggregation.check(query, observations=plain and route.last.entity.is_a(OBSERVATION))
    parent = fetcher.parent(route.steps[:-1])
    told = aggregation.aggregates(query, apply, parent, fetcher.reader, urls, address)
    return Answer(200, told)


def _streamed(export: Export) -> Answer:
    """With the first piece, so that what is wrong with the query is told in time."""
    pieces = export.pieces()
    first = next(pieces, b"")
    return Answer(200, first, export.query.format.media, export.headers, more=_each_in_time(pieces))


def _each_in_time(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """A whole export takes as long as it takes, but none of its pieces."""
    while True:
        with _in_time():
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def _address(resource: Resource, urls: Urls) -> str:
    parts = [s.name if s.key is None else f"{s.name}({s.key})" for s in resource.segments]
    if resource.suffix:
        parts.append(resource.suffix)
    return "/".join([urls.root, *parts])


def _one(route: Route, query: Query, fetcher: Fetcher, urls: Urls, now: Micros) -> Answer:
    if query.apply is not None:
        raise Invalid("$apply", "is for sets of Observations")
    if query.filter or query.orderby or query.after or query.distinct:
        raise Invalid("query", "an entity takes only $select and $expand; the others are for sets")
    _check_level(query, urls)
    if not query.format.json:
        raise Invalid(
            "$resultFormat", f"{query.format} is only for sets; choose one of its set by id"
        )
    plan = of_one(planned(route.last.entity, query, now=now))
    if not (route.reference or route.to_property or _may_be_nowhere(route, urls)):
        return answer_of(fetcher.single(plan, route.steps), urls)
    parent = _single(route, fetcher, urls)
    if parent is None:
        return Answer(204)
    if route.reference:
        return Answer(200, render.reference(parent.type, parent.id, urls))
    if route.to_property:
        return _property(route, fetcher, parent, urls, now)
    return shown(fetcher, plan, parent, urls)


def _check_level(query: Query, urls: Urls) -> None:
    if not (query.format.addresses or urls.face.odata):
        raise Unsupported("levels of metadata are of version 2.0; here is $resultFormat")


def _single(route: Route, fetcher: Fetcher, urls: Urls) -> Parent | None:
    """The entity at the end of the route; None for a link that leads nowhere, which is no error."""
    if not _may_be_nowhere(route, urls):
        return fetcher.parent(route.steps)
    fetcher.parent(route.steps[:-1])
    try:
        return fetcher.parent(route.steps)
    except NotFound:
        if route.to_property:
            raise
        return None


def _may_be_nowhere(route: Route, urls: Urls) -> bool:
    """Whether the route ends with a link that need not lead anywhere."""
    link = route.last.link
    return urls.face.odata and link is not None and not (link.many or link.required)


def shown(fetcher: Fetcher, plan: SetPlan, parent: Parent, urls: Urls) -> Answer:
    """The entity that `parent` found, with its tag."""
    return answer_of(fetcher.entity(plan, parent), urls)


def answer_of(found: Page, urls: Urls) -> Answer:
    """The only entity of a page with its tag."""
    body = render.entity(found, urls)
    return Answer(200, body, headers=(("etag", tag_of(body, found.keys())),))


def conditional(answer: Answer, conditions: Conditions) -> Answer:
    """The answer, or no more than that the reader has it already (304)."""
    if answer.tag is None or not conditions.unchanged(answer.tag):
        return answer
    return Answer(304, headers=(("etag", answer.tag),))


def _property(route: Route, fetcher: Fetcher, parent: Parent, urls: Urls, now: Micros) -> Answer:
    """A property without a value is 204 (18-088 §9.2.5), one that cannot be is 404."""
    plan = plan_set(parent.type, Query(), now=now)
    value = render.property_value(fetcher.entity(plan, parent), route)
    if value is None:
        return Answer(204)
    if not route.value:
        return Answer(200, render.by_itself(value, route, urls))
    if isinstance(value, str):
        return Answer(200, value.encode(), TEXT)
    is_document = isinstance(value, dict | list)
    return Answer(200, orjson.dumps(value), JSON if is_document else TEXT)
