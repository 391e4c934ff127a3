"""The way a message takes: one webhook request each, over connections that stay open.

Messages of one device go over one connection, so that they arrive in the order they were sent in.
"""

import http.client
import json
import queue
import ssl
import threading
import time
from typing import Protocol
from urllib.parse import urlsplit

from stadtherz.base.errors import Invalid
from stadtherz.simulate.schedule import Sending
from stadtherz.simulate.tally import Tally

_TIMEOUT_S = 15.0
_MOST_WAITING = 200  # messages for a connection; then the schedule waits
_PAUSE_S = 1.0  # after a connection that could not be made


class Door(Protocol):
    """Takes messages and counts what becomes of them."""

    def send(self, sending: Sending) -> None: ...

    def close(self) -> None:
        """Wait for the answers that are still to come."""


class HttpDoor:
    """Webhooks as networks call them; raises Invalid for an address that is none of http(s)."""

    def __init__(self, url: str, token: str, *, tally: Tally, connections: int = 8) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid("url", f"{url!r} does not begin with http:// or https://")
        self._lines = [_HttpLine(url, token, tally) for _ in range(connections)]

    def send(self, sending: Sending) -> None:
        self._lines[sending.device.number % len(self._lines)].put(sending)

    def close(self) -> None:
        for line in self._lines:
            line.end()
        for line in self._lines:
            line.join()


class _HttpLine(threading.Thread):
    """One connection and what is to be sent over it."""

    def __init__(self, url: str, token: str, tally: Tally) -> None:
        super().__init__(name="simulate-http", daemon=True)
        parts = urlsplit(url)
        self._host, self._port, self._scheme = parts.hostname or "", parts.port, parts.scheme
        self._path = parts.path.rstrip("/")
        self._headers = {"Content-Type": "application/json", "User-Agent": "stadtherz-simulate"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._tally = tally
        self._waiting: queue.Queue[Sending | None] = queue.Queue(_MOST_WAITING)
        self._connection: http.client.HTTPConnection | None = None
        self._ending = threading.Event()
        self.start()

    def put(self, sending: Sending) -> None:
        self._waiting.put(sending)

    def end(self) -> None:
        self._ending.set()
        self._waiting.put(None)

    def run(self) -> None:
        while (sending := self._waiting.get()) is not None:
            self._tally.count_sent()
            try:
                self._try(sending)
            except (OSError, http.client.HTTPException) as problem:
                self._tally.count_unanswered(type(problem).__name__)
                self._drop()
                if isinstance(problem, ConnectionRefusedError):
                    self._ending.wait(_PAUSE_S)
        self._drop()

    def _try(self, sending: Sending) -> None:
        """Once more where the server has meanwhile closed a connection that lay idle."""
        fresh = self._connection is None
        try:
            self._post(sending)
        except (ConnectionError, http.client.RemoteDisconnected):
            if fresh:
                raise
            self._drop()
            self._post(sending)

    def _post(self, sending: Sending) -> None:
        message = sending.message
        query = f"?{message.query}" if message.query else ""
        path = f"{self._path}/ingest/{sending.device.network}{query}"
        began = time.perf_counter()
        connection = self._connected()
        connection.request("POST", path, message.body, self._headers)
        answer = connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - began
        if answer.status < 300:
            self._tally.count_acknowledged(took)
        elif answer.status < 500:
            self._tally.count_refused(_reason(body) or f"HTTP {answer.status}", took)
        else:
            self._tally.count_unanswered(_reason(body) or f"HTTP {answer.status}")

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            if self._scheme == "https":
                self._connection = http.client.HTTPSConnection(
                    self._host,
                    self._port,
                    timeout=_TIMEOUT_S,
                    context=ssl.create_default_context(),
                )
            else:
                self._connection = http.client.HTTPConnection(
                    self._host, self._port, timeout=_TIMEOUT_S
                )
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _reason(body: bytes) -> str:
    """The product's name for what is wrong, if it is the product that answers."""
    try:
        told = json.loads(body)
    except ValueError:
        return ""
    return str(told.get("error", ""))[:60] if isinstance(told, dict) else ""
