"""Runs the one process: a listening socket, uvicorn, and a word when it is ready."""

import ctypes
import os
import resource
import socket
from collections.abc import Callable
from contextlib import suppress

import click
import uvicorn

from stadtherz.cli.connection import BoundedConnection

# Live streams stay open for hours; at shutdown they get this long before they are cut.
_GRACE_S = 3
_MOST_OPEN_FILES = 65_536
_LARGEST_WEBSOCKET_MESSAGE = 1024 * 1024
_M_ARENA_MAX = -8  # of mallopt(3)
_ARENAS = 2


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Says plainly when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except socket.gaierror as problem:
        bound.close()
        raise click.ClickException(
            f"{host} is no address of this machine. Choose one with --host, for example 127.0.0.1"
        ) from problem
    except OSError as problem:
        bound.close()
        raise click.ClickException(
            f"Port {port} on {host} cannot be used ({problem.strerror}). Choose another: --port 8080"
        ) from problem
    return bound


def address(bound: socket.socket) -> str:
    """The socket's address as a URL that works on this machine."""
    host, port = bound.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - only shown
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


class _Server(uvicorn.Server):
    """uvicorn that calls back once it answers requests."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        from stadtherz.stream.public import close_live_streams  # Django is set up only by now

        close_live_streams()
        await super().shutdown(sockets=sockets)


def _allow_many_connections() -> None:
    """Every live page holds a file open; what a shell or systemd gives by default is 1024."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _share_memory_between_threads() -> None:
    """glibc gives up to eight heaps a core to threads, each with what it once needed and keeps."""
    with suppress(AttributeError):  # other C libraries do not, and have no such setting
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def run(bound: socket.socket, *, ready: Callable[[], None]) -> None:
    """Serve until Ctrl-C or a TERM signal; returns after everything has ended cleanly."""
    _allow_many_connections()
    _share_memory_between_threads()
    config = uvicorn.Config(
        "stadtherz.project.asgi:application",
        loop="uvloop",
        http=BoundedConnection,
        ws="websockets-sansio",
        ws_max_size=_LARGEST_WEBSOCKET_MESSAGE,
        ws_per_message_deflate=False,
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=_GRACE_S,
        proxy_headers=True,
        forwarded_allow_ips=os.environ.get("STADTHERZ_TRUSTED_PROXIES", "127.0.0.1"),
        server_header=False,
        date_header=True,
    )
    server = _Server(config, ready)
    with suppress(KeyboardInterrupt):  # uvicorn raises the signal again after its clean end
        server.run(sockets=[bound])
