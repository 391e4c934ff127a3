"""Requests that come as messages (23-019 binding/mqtt, request_response): the same as over HTTP.

Addresses have neither scheme nor host nor a slash at the beginning, and nothing in them is encoded:
`v2.0/Things?$filter=name eq 'Mast'`. Those that answers tell, such as where the next page is, are whole and
encoded; they may be sent back as they came.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from stadtherz.base.errors import Invalid
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.answers.get import Answer
from stadtherz.sensorthings.doors.http import whole
from stadtherz.sensorthings.standard.faces import FACES

TYPES = {
    "read": "GET",
    "create": "POST",
    "update": "PATCH",
    "replace": "PUT",
    "delete": "DELETE",
    "execute": "POST",
}
"""What may be asked for, and its method of HTTP."""

_FACE = next(face for face in FACES if face.odata)
_VERSION = _FACE.prefix.rpartition("/")[2]
TOPIC = f"{_VERSION}/$request"
"""Where requests are published."""

_WITHOUT_METADATA = "$format=application/json;metadata=none"
_IN_PATHS = "$()',;:/@*!.-_~"
_IN_QUERIES = f"=&?{_IN_PATHS}"
_ENCODED = f"%+{_IN_QUERIES}"
_UNKNOWN = "must be one of " + ", ".join(TYPES)


@dataclass(frozen=True, slots=True)
class Request:
    """`type` is one of TYPES; `prefer` and `media` are what the headers of these names would say."""

    url: str
    type: str
    body: bytes
    visibility: Visibility
    prefer: str = ""
    media: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """`location` is spelt as addresses of requests are."""

    status: int
    body: bytes
    media: str
    location: str = ""


def respond(request: Request, root: str) -> Response:
    """Carry out the request; `root` is the address of this server without a path. Asks the database.

    Raises:
        Invalid: for what is no request at all. Whatever else is wrong is told in the response.
    """
    method = TYPES.get(request.type)
    if method is None:
        raise Invalid("type", _UNKNOWN)
    below = root + _FACE.prefix.removesuffix(_VERSION)
    address = _encoded(request.url, below)
    if address.partition("?")[0].partition("/")[0] != _VERSION:
        raise Invalid("url", f"must begin with {_VERSION}")
    answer = _handled(request, method, address.removeprefix(_VERSION), root)
    location = dict(answer.headers).get("location", "")
    media = answer.content_type if answer.body else ""
    return Response(answer.status, answer.body, media, location.removeprefix(below))


def _encoded(url: str, below: str) -> str:
    """The address without what stands before the version."""
    if url.startswith(below):
        return quote(url.removeprefix(below), safe=_ENCODED)
    path, mark, query = url.partition("?")
    return quote(path, safe=_IN_PATHS) + mark + quote(query, safe=_IN_QUERIES)


def _handled(request: Request, method: str, address: str, root: str) -> Answer:
    path, _, query = address.partition("?")
    if method == "GET" and "$format=" not in query:
        query = "&".join(part for part in (query, _WITHOUT_METADATA) if part)
    scheme, _, host = root.partition("://")
    headers = {
        "authorization": "MQTT",
        "host": host,
        "prefer": request.prefer,
        "content-type": request.media,
    }
    raw = _FACE.prefix + path
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "scheme": scheme,
        "path": unquote(raw),
        "raw_path": raw.encode(),
        "query_string": query.encode(),
        "headers": [
            (name.encode(), value.encode("latin-1", "replace"))
            for name, value in headers.items()
            if value
        ],
    }
    return whole(scope, request.body, request.visibility)
