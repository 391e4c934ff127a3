"""What an impatient server does with clients that hold on to it, over real sockets."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import uvicorn

from stadtherz.cli import server
from stadtherz.cli.connection import LARGEST_HEAD, BoundedConnection

HEAD = b"POST / HTTP/1.1\r\nHost: here\r\n"
LARGE = b"x" * 8_000_000


class Hasty(BoundedConnection):
    patience_s = 0.3


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body, then waits or answers as the path says."""
    more = True
    while more:
        message = await receive()
        more = message.get("more_body", False)
    if scope["path"] == "/slow":
        await asyncio.sleep(1)
    body = LARGE if scope["path"] == "/large" else b"ok"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with closing(server.listen("127.0.0.1", 0)) as bound:
        bound.listen()  # who comes before the server is up waits
        config = uvicorn.Config(application, http=Hasty, ws="none", lifespan="off", log_config=None)
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [bound]})
        thread.start()
        yield bound.getsockname()[1]
        running.should_exit = True
        thread.join()


def opened(port: int, data: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(data)
    return connection


def all_of(connection: socket.socket) -> bytes:
    """Everything until the server closes; empty also if it just hangs up."""
    parts = []
    with closing(connection):
        try:
            while part := connection.recv(1 << 20):
                parts.append(part)
        except ConnectionResetError:
            pass
    return b"".join(parts)


@pytest.mark.parametrize(
    "beginning",
    [b"", b"GET / HT", HEAD, HEAD + b"Content-Length: 9\r\n\r\n1"],
)
def test_who_does_not_go_on_sending_is_hung_up_on(port: int, beginning: bytes) -> None:
    assert all_of(opened(port, beginning)) == b""


def test_a_head_that_trickles_in_does_not_take_longer_for_it(port: int) -> None:
    connection = opened(port, HEAD)
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        trickle(connection, lines=100)
    connection.close()


def trickle(connection: socket.socket, *, lines: int) -> None:
    for number in range(lines):
        connection.sendall(b"X-%d: y\r\n" % number)
        time.sleep(0.1)


def test_a_body_that_trickles_in_is_waited_for(port: int) -> None:
    connection = opened(port, HEAD + b"Connection: close\r\nContent-Length: 5\r\n\r\n")
    for _ in range(5):
        time.sleep(0.15)
        connection.sendall(b"x")
    assert all_of(connection).startswith(b"HTTP/1.1 200")


def test_an_answer_may_take_longer_than_a_request(port: int) -> None:
    answer = all_of(opened(port, b"GET /slow HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"))
    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"X-Long: " + b"x" * LARGEST_HEAD + b"\r\n\r\n",
        HEAD + b"".join(b"X-%05d: y\r\n" % number for number in range(9_000)) + b"\r\n",
        HEAD + b"X-Endless: " + b"x" * 4 * LARGEST_HEAD,
    ],
)
def test_a_head_that_is_too_long_is_refused(port: int, head: bytes) -> None:
    answer = all_of(opened(port, head))
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")


def test_who_does_not_read_the_answer_is_hung_up_on(port: int) -> None:
    connection = opened(port, b"GET /large HTTP/1.1\r\nHost: here\r\n\r\n")
    time.sleep(1)
    assert len(all_of(connection)) < len(LARGE)


def test_who_reads_the_answer_gets_all_of_it(port: int) -> None:
    request = b"GET /large HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
    assert len(all_of(opened(port, request))) > len(LARGE)
