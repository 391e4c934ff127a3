"""Gateways that count what they have taken, and kill whoever asks when the conversation gets to a stage."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from stadtherz.alerts.models import Address, Contact, Delivery
from stadtherz.alerts.public import change
from stadtherz.alerts.tests.factories import Ward, make_ward
from stadtherz.alerts.tests.processes import eventually, sending
from stadtherz.alerts.tests.receiver import Request
from stadtherz.alerts.tests.served import Quiet, Served

HTTP_STAGES = ("connected", "asked", "taken", "answered")
MQTT_STAGES = ("connected", "asked", "taken", "answered")
Status = Delivery.Status
STEPS = pytest.mark.parametrize(
    ("dies", "ends_as", "taken"),
    [
        ("after claim", Status.SENT, 1),
        ("before mark_handing_over", Status.SENT, 1),
        ("after mark_handing_over", Status.SENT, 1),
        ("before dot_goes_next", Status.SENT, 1),
        ("after dot_goes_next", Status.UNCERTAIN, 0),
        ("before mark_sent", Status.UNCERTAIN, 1),
        ("after mark_sent", Status.SENT, 1),
    ],
)
_PUBLISH, _PUBACK, _CONNACK = 0x30, 0x40, 0x20


def ward_of(channel: str, address: str, details: dict[str, Any] | None = None) -> Ward:
    """One person who is told on this way."""
    made = make_ward([])
    contact = Contact.objects.create(owner_id=made.organisation, name="Wehr")
    Address.objects.create(contact=contact, channel=channel, address=address, details=details or {})
    contact.lists.add(made.recipients)
    return made


def only() -> Delivery:
    return Delivery.objects.get()


def killed_between_two_steps(
    ward: Ward, dies: str, ends_as: str, came: Callable[[], int], taken: int
) -> None:
    """A new process brings the message to an end, and nothing comes after that."""
    change(ward.goes(0, 1, observation=1))
    with sending(dies=dies) as doomed:
        assert doomed.wait_for_death() == -9
    with sending():
        assert eventually(lambda: only().status == ends_as)
        assert not eventually(lambda: came() > taken, seconds=1)
    assert only().status == ends_as


class Killer:
    """Kills one process once."""

    def __init__(self) -> None:
        self._order: tuple[str, int] | None = None

    def kill_at(self, stage: str, pid: int) -> None:
        self._order = (stage, pid)

    def reached(self, stage: str) -> None:
        if self._order is not None and self._order[0] == stage:
            _stage, pid = self._order
            self._order = None
            os.kill(pid, signal.SIGKILL)


class Provider(Served, Killer):
    """Somebody's HTTP server."""

    def __init__(self) -> None:
        Killer.__init__(self)
        self.taken, self.asked, self.status = list[Request](), 0, 200
        provider = self

        class Handler(Quiet):
            def setup(self) -> None:
                provider.reached("connected")
                super().setup()

            def answer(self) -> None:
                provider.asked += 1
                provider.reached("asked")
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.path, headers, self.body())
                if provider.status < 300:
                    provider.taken.append(request)
                provider.reached("taken")
                self.says(provider.status)
                self.wfile.flush()
                provider.reached("answered")

        Served.__init__(self, Handler)


@contextmanager
def provider() -> Iterator[Provider]:
    made = Provider()
    try:
        yield made
    finally:
        made.close()


class Wire(Killer):
    """Stands between the product and a broker; each packet comes to it whole, since they are small."""

    def __init__(self, broker: int) -> None:
        super().__init__()
        self._broker = broker
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets = [self._listener]
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        """Wake all who wait for something, the one who accepts first: then nothing new comes."""
        for thread in self._threads:  # it grows until the first one has ended
            for each in self._sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            thread.join()
        for each in self._sockets:
            each.close()

    def _start(self, job: Callable[..., None], *given: socket.socket) -> None:
        self._threads.append(threading.Thread(target=job, args=given, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                self._sockets.append(client)
                broker = socket.create_connection(("127.0.0.1", self._broker))
                self._sockets.append(broker)
                self._start(self._pass_on, client, broker)
                self._start(self._pass_on, broker, client)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while packet := source.recv(65536):
                kind = packet[0] & 0xF0
                if kind == _PUBACK:
                    self.reached("taken")
                target.sendall(packet)
                if stage := {_CONNACK: "connected", _PUBLISH: "asked", _PUBACK: "answered"}.get(
                    kind
                ):
                    self.reached(stage)
            target.shutdown(socket.SHUT_WR)
