"""HTTP with as little work as possible: connections that stay open, and how long answers take.

A client library would cost more than the server on the same two cores.
"""

import socket
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import click

_SAFE = "/?$=&(),;:@'*"


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask; `path` stands below the service root."""

    path: str
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Server:
    """Where the service root is, and what every request shows."""

    url: str
    headers: tuple[str, ...] = ()

    def line(self) -> "Line":
        return Line(self)


class Line:
    """One connection."""

    def __init__(self, server: Server) -> None:
        address = urlsplit(server.url)
        self._root = address.path
        shown = [f"Host: {address.netloc}", "Accept: application/json", *server.headers]
        self._head = "\r\n".join(shown)
        self._socket = socket.create_connection(
            (address.hostname or "", address.port or 80), timeout=600
        )
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._socket.makefile("rb", 1 << 16)

    def ask(self, request: Request) -> Reply:
        self._socket.sendall(self._written(request))
        status = int(self._answers.readline().split(b" ", 2)[1])
        headers = dict(self._headers())
        return Reply(status, headers, b"".join(self._body(headers)))

    def get(self, path: str) -> Reply:
        """The answer, which must be a good one."""
        reply = self.ask(Request(path))
        if reply.status >= 300:
            raise click.ClickException(f"{path} answered {reply.status}: {reply.body[:300]!r}")
        return reply

    def _written(self, request: Request) -> bytes:
        target = self._root + quote(request.path, safe=_SAFE)
        if request.body is None:
            return f"GET {target} HTTP/1.1\r\n{self._head}\r\n\r\n".encode()
        about = f"Content-Type: application/json\r\nContent-Length: {len(request.body)}"
        return f"POST {target} HTTP/1.1\r\n{self._head}\r\n{about}\r\n\r\n".encode() + request.body

    def _headers(self) -> Iterator[tuple[str, str]]:
        while line := self._answers.readline().rstrip():
            name, _, value = line.decode("latin-1").partition(":")
            yield name.lower(), value.strip()

    def _body(self, headers: dict[str, str]) -> Iterator[bytes]:
        if headers.get("transfer-encoding") != "chunked":
            yield self._answers.read(int(headers.get("content-length", 0)))
            return
        while size := int(self._answers.readline(), 16):
            yield self._answers.read(size)
            self._answers.readline()
        self._answers.readline()


@dataclass(frozen=True, slots=True)
class Timing:
    """How long it took in all, and each answer, shortest first, in seconds."""

    seconds: float
    each: tuple[float, ...]

    @property
    def rate(self) -> float:
        return len(self.each) / self.seconds

    def part(self, share: float) -> float:
        """Milliseconds within which this share of the answers came."""
        return 1000 * self.each[min(int(len(self.each) * share), len(self.each) - 1)]


def load(server: Server, requests: Iterable[Request], *, clients: int) -> Timing:
    """All of the requests from so many connections, each asking again as soon as it is answered."""
    waiting, lock = iter(list(requests)), threading.Lock()
    lines = [server.line() for _ in range(clients)]

    def work(line: Line) -> list[float]:
        took = []
        while (request := _next(waiting, lock)) is not None:
            began = time.perf_counter()
            reply = line.ask(request)
            took.append(time.perf_counter() - began)
            if reply.status >= 300:
                raise click.ClickException(
                    f"{request.path} answered {reply.status}: {reply.body[:300]!r}"
                )
        return took

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        each = [took for part in pool.map(work, lines) for took in part]
    return Timing(time.perf_counter() - began, tuple(sorted(each)))


def _next(waiting: Iterator[Request], lock: threading.Lock) -> Request | None:
    with lock:
        return next(waiting, None)


def again(path: str, times: int) -> Sequence[Request]:
    """The same question several times."""
    return [Request(path)] * times
