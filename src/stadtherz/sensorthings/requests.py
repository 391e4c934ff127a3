"""Requests that come as messages (23-019 binding/mqtt, request_response): the same as over HTTP.

Addresses have neither scheme nor host nor a slash at the beginning, and nothing in them is encoded:
`v2.0/Things?$filter=name eq 'Mast'`.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from stadtherz.base.errors import Invalid
from stadtherz.base.visibility import Visibility
from stadtherz.sensorthings.faces import FACES
from stadtherz.sensorthings.get import Answer
from stadtherz.sensorthings.http import whole

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
    path, _, query = request.url.partition("?")
    if path.partition("/")[0] != _VERSION:
        raise Invalid("url", f"must begin with {_VERSION}")
    answer = _handled(request, method, path.removeprefix(_VERSION), query, root)
    below = root + _FACE.prefix.removesuffix(_VERSION)
    location = dict(answer.headers).get("location", "")
    media = answer.content_type if answer.body else ""
    return Response(answer.status, answer.body, media, location.removeprefix(below))


def _handled(request: Request, method: str, path: str, query: str, root: str) -> Answer:
    if method == "GET" and "$format=" not in query:
        query = "&".join(part for part in (query, _WITHOUT_METADATA) if part)
    scheme, _, host = root.partition("://")
    headers = {
        "authorization": "MQTT",
        "host": host,
        "prefer": request.prefer,
        "content-type": request.media,
    }
    address = _FACE.prefix + path
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "scheme": scheme,
        "path": address,
        "raw_path": quote(address, safe=_IN_PATHS).encode(),
        "query_string": quote(query, safe=_IN_QUERIES).encode(),
        "headers": [
            (name.encode(), value.encode("latin-1", "replace"))
            for name, value in headers.items()
            if value
        ],
    }
    return whole(scope, request.body, request.visibility)
