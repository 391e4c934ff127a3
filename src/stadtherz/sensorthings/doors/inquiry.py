"""What an address is about, and its answer, for callers inside the product.

Pages for people show what programs read over HTTP; they ask here in the same words, and see no more.
"""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import orjson

from stadtherz.base.errors import Invalid, NotFound, StadtherzError
from stadtherz.base.negotiation import preferred
from stadtherz.base.time import now_us
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers import addresses, openapi
from stadtherz.sensorthings.answers.get import get
from stadtherz.sensorthings.answers.links import Urls
from stadtherz.sensorthings.doors import datasets
from stadtherz.sensorthings.headers.origin import header
from stadtherz.sensorthings.language.formats import Unsupported
from stadtherz.sensorthings.language.paths import parse_path
from stadtherz.sensorthings.query.routes import resolve_route
from stadtherz.sensorthings.standard.faces import FACES, Face
from stadtherz.sensorthings.standard.model import EntityType

Scope = MutableMapping[str, Any]
Document = dict[str, Any]
_FOR_MACHINES = ("$resultFormat", "resultFormat", "$format", "$apply")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a path leads to: the service root (no `entity`), one entity, or else a set."""

    entity: EntityType | None = None
    single: bool = False


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Questions of one reader to one version; `host` is scheme and host, as in answers.

    `dataset` is the short name of the data set that they are about, if not everything; the visibility is
    that within it, then.
    """

    version: str
    visibility: Visibility
    host: str
    dataset: str = ""

    @property
    def face(self) -> Face:
        found = next((face for face in FACES if face.version == self.version), None)
        if found is None:
            raise NotFound(f"version {self.version}")
        return found

    @property
    def prefix(self) -> str:
        """Where this version is found below the host."""
        return addresses.prefix(self.dataset) + self.face.prefix

    @property
    def types(self) -> Mapping[str, EntityType]:
        return self.face.types

    def subject(self, path: str) -> Subject:
        """What the path is about.

        Raises:
            NotFound, Invalid: where it leads nowhere, or to something that is no entity or set.
        """
        resource = parse_path(path)
        if not resource.segments:
            return Subject()
        route = resolve_route(resource, self.face)
        if not route.whole:
            raise NotFound("a page about a property or a link alone")
        return Subject(route.last.entity, route.last.single)

    def ask(self, path: str, query: str = "") -> Document | None:
        """The JSON that a GET gives; None where a link leads nowhere."""
        urls = Urls(self.host + self.prefix, self.face, self.dataset)
        try:
            answer = get(path, query, self.visibility, urls, now=now_us()).whole()
        except Unsupported as error:
            raise Invalid("query", str(error)) from None
        found: Document | None = orjson.loads(answer.body) if answer.body else None
        return found

    def id_of(self, document: Document) -> int:
        return int(document[self.face.id])

    def count_of(self, document: Document, link: str = "") -> int | None:
        """How many there are in a set, or behind a link that is expanded; None if nobody asked."""
        found: int | None = document.get(f"{link}@{self.face.control}count")
        return found

    def next_of(self, document: Document) -> str:
        """Path and query of the next page below the host, or an empty text."""
        address = str(document.get(f"@{self.face.control}nextLink") or "")
        return address.removeprefix(self.host)


def is_for_people(scope: Scope) -> bool:
    """Whether a request to the interface wants a page: a browser that follows a link, not a program.

    A program that shows who it is, or asks for a format, gets what programs get; so does whoever
    prefers JSON, or does not say what.
    """
    if scope["method"] not in ("GET", "HEAD") or header(scope, b"authorization"):
        return False
    accept = header(scope, b"accept")
    if "text/html" not in accept or preferred(accept, _OFFERED) != "text/html":
        return False
    query = scope.get("query_string", b"").decode("latin-1").replace("%24", "$")
    if any(item.partition("=")[0] in _FOR_MACHINES for item in query.split("&")):
        return False
    return _has_a_page(scope["path"])


_OFFERED = ("application/json", "text/event-stream", "text/html")


def _has_a_page(path: str) -> bool:
    """Whether it is the root, a set, an entity, or a mistake: mistakes are explained on a page, too."""
    if datasets.is_about(path):
        return path.rstrip("/") != addresses.DATASETS
    found = addresses.asked(path, "")
    if found is None:
        return False
    urls, below = found
    try:
        resource = parse_path(below)
        if not resource.segments:
            return True
        if resource.suffix or resource.segments[0].name in (openapi.NAME, "$metadata", "$batch"):
            return False
        return not resolve_route(resource, urls.face).to_property
    except StadtherzError:
        return True
