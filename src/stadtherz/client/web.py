"""Requests to one server: over one connection that is kept, never redirected elsewhere, tried again with pauses."""

import http.client
import json
import random
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

from stadtherz.client.problems import Away, CityError, NotAllowed, Refused, UnknownStream

_PAUSES_S = (0.2, 0.8)  # after the first and the second try
_LONGEST_PAUSE_S = 5.0  # that a server may ask for
_LARGEST = 64 * 2**20  # bytes of an answer
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})


class Server:
    """A city's SensorThings address. Not for several threads at once."""

    def __init__(self, url: str, token: str, *, timeout: float) -> None:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a city, such as https://daten.example")
        self.origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._root = parts.path.rstrip("/") or "/sta/v1.1"
        self._headers = {"User-Agent": "stadtherz-client", "Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None

    def get(self, path: str) -> Any:
        """The JSON at a path behind the root, or at a whole address of this server."""
        return self._ask("GET", self._path(path), None)

    def post(self, path: str, body: Any) -> Any:
        """Only for what may be sent twice without harm: it is tried again."""
        told = json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
        return self._ask("POST", self._path(path), told)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _path(self, path: str) -> str:
        if "://" not in path:
            return f"{self._root}{path}"
        parts = urlsplit(path)  # a next link: only its path counts, so that no token goes elsewhere
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def _ask(self, method: str, path: str, body: bytes | None) -> Any:
        for pause in (*_PAUSES_S, None):
            try:
                return self._once(method, path, body)
            except (OSError, http.client.HTTPException) as problem:
                self.close()
                reason = str(problem) or type(problem).__name__
                if pause is None:
                    raise Away(f"{self.origin} does not answer: {reason}") from problem
            except _Busy as busy:
                if pause is None:
                    raise Away(f"{self.origin} is busy ({busy})") from busy
                pause = max(pause, busy.seconds)
            time.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311 - so that not all come back at once
        raise AssertionError("the last try returns or raises")

    def _once(self, method: str, path: str, body: bytes | None) -> Any:
        connection = self._connected()
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        told = answer.read(_LARGEST + 1)
        if len(told) > _LARGEST:
            raise CityError(f"{self.origin} answers with more than {_LARGEST >> 20} MiB")
        if answer.status in _BUSY:
            raise _Busy(answer.status, answer.headers.get("Retry-After"))
        if answer.status >= 300:
            raise _problem(answer.status, told, self.origin)
        try:
            return json.loads(told) if told else None
        except ValueError as problem:
            raise CityError(f"{self.origin} answers with something else than JSON") from problem

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None and self._secure:
            self._connection = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout, context=ssl.create_default_context()
            )
        elif self._connection is None:
            self._connection = http.client.HTTPConnection(
                self._host, self._port, timeout=self._timeout
            )
        return self._connection


class _Busy(Exception):
    def __init__(self, status: int, after: str | None) -> None:
        super().__init__(f"HTTP {status}")
        seconds = float(after) if after and after.isdecimal() else 0.0
        self.seconds = min(seconds, _LONGEST_PAUSE_S)


def _problem(status: int, body: bytes, origin: str) -> CityError:
    reason = _reason(body) or f"HTTP {status}"
    if status in (401, 403):
        return NotAllowed(f"{origin} refuses this token: {reason}")
    if status == 404:
        return UnknownStream(f"{origin}: {reason}")
    if status < 400:
        return CityError(f"{origin} sends on to another address; give that one")
    return Refused(f"{origin} refuses this: {reason}")


def _reason(body: bytes) -> str:
    try:
        told = json.loads(body)
    except ValueError:
        return ""
    if isinstance(told, dict):
        for name in ("message", "detail", "error"):
            if isinstance(told.get(name), str):
                return str(told[name])[:500]
    return ""
