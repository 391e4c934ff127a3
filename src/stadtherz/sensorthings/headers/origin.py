"""Under which address we are reached, and whether a browser may be used against its user."""

import re
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from stadtherz.base.errors import Forbidden

Scope = MutableMapping[str, Any]
_HOST = re.compile(r"[A-Za-z0-9.\-_:\[\]]{1,255}")


def header(scope: Scope, name: bytes) -> str:
    """The value of a header, or an empty text."""
    found = next((value for key, value in scope["headers"] if key == name), b"")
    text: str = found.decode("latin-1")
    return text


def host_of(scope: Scope) -> str:
    """The host that the client asked, with its port; a proxy hands it over in X-Forwarded-Host."""
    forwarded = header(scope, b"x-forwarded-host").split(",")[0].strip()
    host = forwarded or header(scope, b"host")
    if _HOST.fullmatch(host):
        return host
    name, port = scope.get("server") or ("localhost", None)
    return f"{name}:{port}" if port else str(name)


def root_of(scope: Scope) -> str:
    """Scheme and host as the client knows them: `https://sensoren.example.org`."""
    forwarded = header(scope, b"x-forwarded-proto").split(",")[0].strip()
    scheme = forwarded if forwarded in ("http", "https") else scope.get("scheme", "http")
    return f"{scheme}://{host_of(scope)}"


def check_origin(scope: Scope) -> None:
    """Refuse a write that a foreign page makes a signed-in user's browser send.

    Only cookies are sent without the page's knowledge; whoever shows a token in the Authorization
    header knows it.
    """
    if header(scope, b"authorization") or not header(scope, b"cookie"):
        return
    origin = header(scope, b"origin")
    if not origin or urlsplit(origin).netloc != host_of(scope):
        raise Forbidden("changes with a session must come from a page of this server")
