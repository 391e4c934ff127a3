"""Requests to a server that is not trusted: no way into our own network, no redirects, no end without limits.

The name is looked up here and the connection made to the very address that was checked, so that a name that
answers differently the second time leads nowhere (DNS rebinding).
"""

import http.client
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

from stadtherz.base.addresses import is_public
from stadtherz.ingest.pull.words import Problem, PullProblem

LARGEST = 16 * 2**20  # bytes of an answer
LONGEST_S = 60.0  # of an answer, from the question to its last byte
_CONNECT_S = 10.0
_SILENCE_S = 20.0
_PART = 64 * 1024
_LONGEST_TOLD = 300
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """What a server says to a POST; `said` is the beginning of its reason, for people."""

    status: int
    body: bytes
    said: str = ""


class Uncertain(PullProblem):
    """The question has gone out, and nobody knows what became of it."""


class Origin:
    """One server by the address of its SensorThings; `token` goes as Bearer, or as Basic if it is user:password.

    `private` allows addresses that are not of the public internet. Every method raises PullProblem. For one thread.
    """

    def __init__(self, url: str, token: str = "", *, private: bool = False) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self._secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._root = parts.path.rstrip("/")
        self._private = private
        self._headers = {"Accept": "application/json", "User-Agent": "stadtherz-pull"}
        if token:
            basic = f"Basic {b64encode(token.encode()).decode()}"
            self._headers["Authorization"] = basic if ":" in token else f"Bearer {token}"
        self._connection: http.client.HTTPConnection | None = None

    def get(self, target: str) -> Json:
        """The JSON object at a path behind the root, or at an absolute address of this very server."""
        path = self._path(target)
        while True:
            fresh = self._connection is None
            try:
                return self._read(path)
            except ConnectionError as problem:
                self.close()
                if fresh:
                    raise self._no_answer(problem) from problem
                # The server had closed a connection that lay idle: once more.

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answered:
        """The answer to one POST behind the root, whatever it says; redirects are not followed.

        It is never sent twice: PullProblem where nothing has gone out, Uncertain where it may have.
        """
        self.close()
        connection = self._connected()
        try:
            answer, told = self._exchanged(connection, "POST", self._root + path, body, headers)
        except PullProblem as problem:
            raise Uncertain(problem.problem, **problem.facts) from problem
        except (OSError, http.client.HTTPException) as problem:
            known = self._no_answer(problem)
            raise Uncertain(known.problem, **known.facts) from problem
        return Answered(answer.status, told, _plain(told))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _path(self, target: str) -> str:
        if target.startswith("/"):
            return self._root + target
        try:
            parts = urlsplit(target)
            own = (
                parts.scheme == ("https" if self._secure else "http")
                and parts.hostname == self.host
                and (parts.port or (443 if self._secure else 80)) == self._port
            )
        except ValueError:
            own = False
        if not own:
            raise self._problem(Problem.ELSEWHERE, target)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def _read(self, path: str) -> Json:
        answer, body = self._exchanged(self._connected(), "GET", path, None, self._headers)
        return self._understood(answer, body)

    def _exchanged(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        content: bytes | None,
        headers: Mapping[str, str],
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Ask and read; a watchman ends what takes too long, however slowly its bytes trickle."""
        line, late = connection.sock, threading.Event()

        def end() -> None:
            late.set()
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

        watchman = threading.Timer(LONGEST_S, end)
        watchman.daemon = True
        watchman.start()
        try:
            connection.request(method, path, body=content, headers=dict(headers))
            answer = connection.getresponse()
            body = self._body(answer)
            if late.is_set():  # then the body may seem to have ended
                raise TimeoutError
        except (OSError, http.client.HTTPException) as problem:
            if late.is_set() or isinstance(problem, TimeoutError):
                self.close()
                raise self._problem(Problem.TOO_SLOW, LONGEST_S) from problem
            if isinstance(problem, ConnectionError):
                raise
            self.close()
            raise self._no_answer(problem) from problem
        finally:
            watchman.cancel()
        return answer, body

    def _body(self, answer: http.client.HTTPResponse) -> bytes:
        parts, size = [], 0
        while part := answer.read(_PART):
            size += len(part)
            if size > LARGEST:
                self.close()
                raise self._problem(Problem.TOO_LARGE, f"{LARGEST >> 20} MiB")
            parts.append(part)
        return b"".join(parts)

    def _understood(self, answer: http.client.HTTPResponse, body: bytes) -> Json:
        status = answer.status
        if 300 <= status < 400:
            raise self._problem(Problem.ELSEWHERE, answer.headers.get("Location") or status)
        if status in (401, 403):
            raise self._problem(Problem.CREDENTIALS)
        if status in (404, 410):
            raise self._problem(Problem.NOTHING_THERE)
        if status == 400:
            raise self._problem(Problem.FILTER, _told(body))
        if status in _BUSY:
            raise self._problem(Problem.BUSY, f"HTTP {status}")
        if status != 200:
            raise self._problem(Problem.STATUS, f"HTTP {status}")
        try:
            told = orjson.loads(body)
        except orjson.JSONDecodeError as problem:
            raise self._problem(Problem.NOT_JSON) from problem
        if not isinstance(told, dict):
            raise self._problem(Problem.NOT_SENSORTHINGS, "no object")
        return told

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None or self._connection.sock is None:
            line = self._line(self._address())
            connection = http.client.HTTPConnection(self.host, self._port, timeout=_SILENCE_S)
            connection.sock = line
            # Without a socket it would look the name up by itself.
            connection.auto_open = 0
            self._connection = connection
        return self._connection

    def _line(self, address: str) -> socket.socket:
        try:
            line = socket.create_connection((address, self._port), timeout=_CONNECT_S)
        except OSError as problem:
            raise self._no_answer(problem) from problem
        line.settimeout(_SILENCE_S)
        if not self._secure:
            return line
        try:
            return ssl.create_default_context().wrap_socket(line, server_hostname=self.host)
        except ssl.SSLError as problem:
            line.close()
            raise self._problem(Problem.CERTIFICATE, problem.reason or str(problem)) from problem
        except OSError as problem:
            line.close()
            raise self._no_answer(problem) from problem

    def _address(self) -> str:
        """One that may be spoken to; a name that also leads into a private network is refused as a whole."""
        try:
            found = socket.getaddrinfo(self.host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as problem:
            raise self._problem(Problem.NO_NAME) from problem
        addresses = [str(each[4][0]) for each in found]
        if not self._private and not all(is_public(each) for each in addresses):
            raise self._problem(Problem.PRIVATE)
        return addresses[0]

    def _no_answer(self, problem: BaseException) -> PullProblem:
        reason = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
        return self._problem(Problem.NO_ANSWER, reason)

    def _problem(self, problem: Problem, told: object = "") -> PullProblem:
        return PullProblem(problem, host=self.host, told=str(told)[:_LONGEST_TOLD])


def _plain(body: bytes) -> str:
    """The beginning of an answer as one line."""
    text = body[:_LONGEST_TOLD].decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _told(body: bytes) -> str:
    """What a server says about a bad request, if it says it as SensorThings servers do."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(told, dict):
        return ""
    message = told.get("message") or told.get("error")
    return " ".join(str(message or "").split())
