"""Gateways that count what they have taken, and kill whoever asks when the conversation gets to a stage."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from stadtherz.alerts.tests.receiver import Request
from stadtherz.alerts.tests.served import Quiet, Served

HTTP_STAGES = ("connected", "asked", "taken", "answered")
MQTT_STAGES = ("connected", "asked", "taken", "answered")
_PUBLISH, _PUBACK, _CONNACK = 0x30, 0x40, 0x20


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
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                broker = socket.create_connection(("127.0.0.1", self._broker))
                for pair in ((client, broker), (broker, client)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

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
