"""The other side that we have not written: Kannel's own test centre (drive_smpp) reads and sends SMPP.

It knows a line for each way only, so this is also where such a pair is tried.
"""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from stadtherz.alerts.models import Address, Channel, Contact, Delivery
from stadtherz.alerts.outbox import lines
from stadtherz.alerts.outbox.listening import listen
from stadtherz.alerts.public import add_gateway, change, send_due
from stadtherz.alerts.tests.factories import make_ward
from stadtherz.alerts.tests.kannel import _free_ports
from stadtherz.alerts.tests.processes import eventually

PROGRAM = "/usr/lib/kannel/test/drive_smpp"
CONFIGURATION = "/usr/lib/kannel/test/drive_smpp.conf"
_BEARERBOX = 13001  # it wants to speak with one there, and ends if nobody listens


class Centre:
    def __init__(self, port: int, output: Path) -> None:
        self.port = port
        self.output = output

    def says(self, words: str) -> int:
        return self.output.read_text(errors="replace").count(words)


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    """It sends two messages to whoever binds as a receiver."""
    (port,) = _free_ports(1)
    output = tmp_path / "centre.log"
    with ExitStack() as ends:
        with suppress(OSError):  # a test beside this one has it
            ends.enter_context(socket.create_server(("127.0.0.1", _BEARERBOX)))
        log = ends.enter_context(output.open("wb"))
        command = [PROGRAM, "-v", "0", "-p", str(port), "-m", "2", "-c", CONFIGURATION]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path)
        try:
            running = Centre(port, output)
            assert eventually(lambda: running.says("accept_thread) maps to") == 1)
            yield running
        finally:
            lines.end_all()
            process.kill()
            process.wait()


def test_out_and_in_with_a_line_for_each_way(transactional_db: None, centre: Centre) -> None:
    ward = make_ward([])
    contact = Contact.objects.create(owner_id=ward.organisation, name="Wehr")
    Address.objects.create(contact=contact, channel=Channel.SMS, address="+4915111111111")
    contact.lists.add(ward.recipients)
    settings = {"host": "127.0.0.1", "port": centre.port, "tls": False, "user": "foo"}
    add_gateway("netz", "smpp", {**settings, "bind": "pair", "system_type": "VMA"}, secret="bar")
    change(ward.goes(0, 1, observation=1))
    listen()
    send_due()
    assert Delivery.objects.get().status == Delivery.Status.SENT
    assert eventually(lambda: centre.says("submit_sm: short_message = <de Vorwarnung: Pegel") == 1)
    assert eventually(lambda: centre.says("of type deliver_sm_resp") == 2)
    assert centre.says("Unhandled") == 0
