"""Requests to servers that others have named: no way into our own network, no redirects, no waiting for ever.

The name is looked up here and the connection made to the very address that was checked, so that a name
that answers differently the second time leads nowhere (DNS rebinding).
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from django.conf import settings

from stadtherz.alerts.channels.outcomes import Gone, NotHandedOver, PerhapsHandedOver
from stadtherz.alerts.channels.places import check_url
from stadtherz.base.addresses import is_public
from stadtherz.base.errors import Invalid
from stadtherz.base.time import now

_CONNECT_S = 5.0
_SILENCE_S = 10.0
_LONGEST_S = 15.0  # from the request to the end of the answer
_LARGEST_ANSWER = 4096
_LONGEST_WAIT_S = 3600.0
# The other side has not taken it, and may later.
_LATER = frozenset({408, 425, 429, 503})
_ACCOUNT = frozenset({401, 402, 403, 407})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `wait` are the seconds of Retry-After."""

    status: int
    text: str
    wait: float


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, goes_next: Callable[[], None]
) -> Answer:
    """Send a POST and read the answer, whatever it is.

    `goes_next` is called right before the request leaves. Raises NotHandedOver or PerhapsHandedOver.
    """
    line, target = _connected(url)
    try:
        goes_next()
        return _asked(line, target, body, headers)
    finally:
        line.close()


def judge(answer: Answer, *, gone: frozenset[int] = frozenset({410})) -> None:
    """Raise what an answer means that is no yes."""
    status = answer.status
    said = f"{status} {answer.text}".strip()
    if 200 <= status < 300:
        return
    if status in gone:
        raise Gone(said)
    if status in _LATER:
        raise NotHandedOver(said, wait=answer.wait)
    if status >= 500:
        raise PerhapsHandedOver(said)
    raise NotHandedOver(said, permanent=True, account=status in _ACCOUNT)


def _connected(url: str) -> tuple[http.client.HTTPConnection, str]:
    """A line to the server and what is asked of it. Before it stands, nothing can have been handed over."""
    try:
        parts = check_url(url)
    except Invalid as problem:
        raise NotHandedOver(problem.reason, permanent=True) from problem
    secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    try:
        sock = socket.create_connection((_address(host, port), port), timeout=_CONNECT_S)
        sock.settimeout(_SILENCE_S)
        if secure:
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
    except (OSError, UnicodeError) as problem:
        raise NotHandedOver(f"{type(problem).__name__}: {problem}", unreached=True) from problem
    line = http.client.HTTPConnection(host, port, timeout=_SILENCE_S)
    line.sock = sock
    line.auto_open = 0  # without a socket it would look the name up by itself
    if secure:
        line.default_port = 443
    return line, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _address(host: str, port: int) -> str:
    """One that may be spoken to; a name that also leads into a private network is refused as a whole."""
    found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not settings.STADTHERZ["call_private"] and not all(map(is_public, found)):
        raise NotHandedOver("it leads into a private network", permanent=True)
    return found[0]


def _asked(
    line: http.client.HTTPConnection, target: str, body: bytes, headers: Mapping[str, str]
) -> Answer:
    """Ask and read; a watchman ends what takes too long, however slowly its bytes trickle."""
    sock = line.sock

    def end() -> None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    watchman = threading.Timer(_LONGEST_S, end)
    watchman.daemon = True
    watchman.start()
    try:
        line.request("POST", target, body, {"User-Agent": "stadtherz", **headers})
        answer = line.getresponse()
        text = answer.read(_LARGEST_ANSWER)[:200].decode("utf-8", "replace").strip()
        return Answer(answer.status, text, _wait(answer.headers.get("Retry-After", "")))
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise PerhapsHandedOver(f"no answer: {type(problem).__name__}") from problem
    finally:
        watchman.cancel()


def _wait(given: str) -> float:
    """Seconds, from a number or a date; at most an hour, since a warning cannot wait for days."""
    try:
        seconds = (
            float(given)
            if given.strip().isdigit()
            else (parsedate_to_datetime(given) - now()).total_seconds()
        )
    except (ValueError, TypeError):
        return 0
    return min(max(seconds, 0), _LONGEST_WAIT_S)
