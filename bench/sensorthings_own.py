"""Our own server as a process on an empty folder, with a token that may write."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench import setup  # before anything of Django is loaded
from bench.sensorthings_line import Server
from bench.server import running
from stadtherz.identity.public import create_organisation, create_token

__all__ = ["own", "setup"]


@contextmanager
def own() -> Iterator[tuple[Server, int]]:
    """The server and its process."""
    owner = create_organisation("bench", "Bench")
    token = create_token("bench", owner, ("read", "write"))
    with running() as (url, pid):
        yield Server(f"{url}/sta/v1.1", (f"Authorization: Bearer {token}",)), pid
