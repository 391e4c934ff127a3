import socket
from contextlib import closing

import click
import pytest

from stadtherz.cli import server


def test_port_0_takes_a_free_one_and_the_address_names_it() -> None:
    with closing(server.listen("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
        assert port > 0
        assert server.address(bound) == f"http://127.0.0.1:{port}"


def test_a_taken_port_is_said_with_the_way_out() -> None:
    with closing(server.listen("127.0.0.1", 0)) as first:
        first.listen()
        with pytest.raises(click.ClickException, match="--port 8080"):
            server.listen("127.0.0.1", first.getsockname()[1])


def test_listening_everywhere_is_shown_as_an_address_that_works_here() -> None:
    with closing(server.listen("0.0.0.0", 0)) as bound:
        assert server.address(bound).startswith("http://127.0.0.1:")
    if socket.has_ipv6:
        with closing(server.listen("::1", 0)) as bound:
            assert server.address(bound).startswith("http://[::1]:")
