"""What every request passes first: what it may ask for, and which of its headers are believed.

uvicorn has by then read what a trusted proxy says about the client (address and scheme). Whatever
still stands in such headers may come from anybody, so nobody behind this door gets to see it.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from stadtherz.ingest.public import WRITING

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

_HEARSAY = frozenset(
    {
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-proto",
    }
)
# A network server inside the same machine room calls us by whatever name; its answer holds none.
_UNDER_ANY_NAME = "/ingest/"
_HEADERS: tuple[Header, ...] = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
)
_PRIVATE: Header = (b"cache-control", b"private, no-store")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A status and a plain sentence with the way out."""

    status: int
    sentence: str


def without_hearsay(scope: Scope) -> Scope:
    """The request without headers that say who it was forwarded for.

    Names with an underscore go, too: WSGI cannot tell them from those with a hyphen.
    """
    kept = [
        (name, value)
        for name, value in scope["headers"]
        if name not in _HEARSAY and b"_" not in name
    ]
    return {**scope, "headers": kept, "scheme": _scheme(scope)}


def _scheme(scope: Scope) -> str:
    """https also where the proxy that speaks it is not a trusted one: our own name says so."""
    scheme: str = scope.get("scheme", "http")
    city = urlsplit(settings.STADTHERZ["public_url"])
    called_so = _values(scope, b"host") == [city.netloc.encode()]
    return "https" if called_so and city.scheme == "https" else scheme


def refusal(scope: Scope) -> Refusal | None:
    """Why a request goes no further: no path of this server, or not this city's name."""
    if not scope["path"].startswith("/"):
        return Refusal(400, "The address must begin with a slash.")
    if scope["path"].startswith(_UNDER_ANY_NAME) or scope["path"] in WRITING:
        return None
    hosts = _values(scope, b"host")
    if len(hosts) != 1:
        return Refusal(400, "A request must name one host.")
    if not _is_known(hosts[0], tuple(settings.ALLOWED_HOSTS)):
        return Refusal(
            400,
            "This server is not known under this name. Its operator can add it to STADTHERZ_HOSTS.",
        )
    return None


@lru_cache(maxsize=100)  # a city has few names, and each request says one
def _is_known(host: bytes, allowed: tuple[str, ...]) -> bool:
    domain, _port = split_domain_port(host.decode("latin-1"))
    return bool(domain) and validate_host(domain, allowed)


async def refuse(given: Refusal, send: Send, *headers: Header) -> None:
    """Answer with a refusal as plain text."""
    body = given.sentence.encode() + b"\n"
    about = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    ]
    answer = {
        "type": "http.response.start",
        "status": given.status,
        "headers": [*about, *_HEADERS, *headers],
    }
    await send(answer)
    await send({"type": "http.response.body", "body": body})


def guarded(scope: Scope, send: Send) -> Send:
    """Adds to a data plane's answers what the pages get from their middleware.

    They run nothing, and an answer to somebody who showed who they are is kept by no cache.
    """
    added = [*_HEADERS, *_lasting_https(scope)]
    own = {name for name, _ in added}
    private = shows_credentials(scope)

    async def guarded_send(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = [header for header in message.get("headers", ()) if header[0] not in own]
            if private:
                given = [*(header for header in given if header[0] != _PRIVATE[0]), _PRIVATE]
            message["headers"] = [*given, *added]
        await send(message)

    return guarded_send


def shows_credentials(scope: Scope) -> bool:
    """Whether a request carries a token or a session."""
    session = f"{settings.SESSION_COOKIE_NAME}=".encode()
    return bool(_values(scope, b"authorization")) or any(
        session in value for value in _values(scope, b"cookie")
    )


def _lasting_https(scope: Scope) -> list[Header]:
    seconds = settings.SECURE_HSTS_SECONDS
    if not seconds or scope.get("scheme") != "https":
        return []
    return [(b"strict-transport-security", f"max-age={seconds}".encode())]


def _values(scope: Scope, name: bytes) -> list[bytes]:
    return [value for key, value in scope["headers"] if key == name]
