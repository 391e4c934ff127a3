"""An SMS centre that speaks SMPP 3.4, for the tests: it does what real ones do on good and on bad days.

What the product sends is read with another implementation of the protocol (aiosmpplib), so that both
sides do not share one mistake.
"""

import os
import signal
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiosmpplib.protocol import BindTransceiver, SmppMessage, SubmitSm

_RESPONSE = 0x80000000
_SUBMIT, _DELIVER, _UNBIND, _ALIVE = 0x04, 0x05, 0x06, 0x15
_BINDS = (0x01, 0x02, 0x09)
SILENT, CLOSES, HALF, NACK = -1, -2, -3, -4
RECEIPT = "id:{id} sub:001 dlvrd:001 submit date:2611272100 done date:2611272101 stat:{stat} err:{err} text:Vorwarnung"


@dataclass
class Centre:
    """The tests' side of it. `says` are the answers to the next messages; then all are taken."""

    port: int
    says: deque[int] = field(default_factory=deque)
    taken: list[SubmitSm] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    asked: int = 0  # submit_sm that came, taken or not
    binds: list[BindTransceiver] = field(default_factory=list)
    bound_as: list[int] = field(default_factory=list)  # commands of the binds
    signs_of_life: int = 0
    most: int = 100
    bind_status: int = 0
    id_format: str = "m-{}"
    alphabet: str = "gsm0338"
    answers_life: bool = True
    first_id: int = 6699
    lines: list[socket.socket] = field(default_factory=list)
    kill: tuple[str, int] | None = None
    _answers: dict[int, int] = field(default_factory=dict)
    _heard: threading.Condition = field(default_factory=threading.Condition)
    _sequence: int = 100

    @property
    def texts(self) -> list[str]:
        return [each.short_message for each in self.taken]

    def kill_at(self, stage: str, pid: int) -> None:
        """kill -9 when the conversation gets there: bound, asked, taken or answered."""
        self.kill = (stage, pid)

    def deliver(
        self,
        message: bytes,
        *,
        source: str = "4915111111111",
        esm_class: int = 0,
        coding: int = 0,
        extras: dict[int, bytes] | None = None,
        wait: bool = True,
    ) -> int | None:
        """Send a deliver_sm by the newest line; what was answered."""
        body = b"\0\x01\x01" + source.encode() + b"\0\0\0" + b"5000\0"
        body += (
            bytes((esm_class, 0, 0)) + b"\0\0" + bytes((0, 0, coding, 0, len(message))) + message
        )
        for tag, value in (extras or {}).items():
            body += struct.pack(">2H", tag, len(value)) + value
        self._sequence += 1
        sequence = self._sequence
        self.raw(_pdu(_DELIVER, sequence, body))
        return self.answer(sequence) if wait else sequence

    def receipt(self, message_id: str, stat: str = "DELIVRD", err: str = "000") -> int | None:
        text = RECEIPT.format(id=message_id, stat=stat, err=err)
        return self.deliver(text.encode(), esm_class=0x04)

    def answer(self, sequence: int, seconds: float = 20) -> int | None:
        """The status of the answer to a deliver_sm; None if there is none in time."""
        with self._heard:
            self._heard.wait_for(lambda: sequence in self._answers, seconds)
            return self._answers.get(sequence)

    def answered(self, sequence: int) -> bool:
        return sequence in self._answers

    def raw(self, octets: bytes) -> None:
        self.lines[-1].sendall(octets)

    def hang_up(self) -> None:
        for line in list(self.lines):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        self.lines.clear()

    # --- the conversation --------------------------------------------------------------------------

    def talk(self, line: socket.socket) -> None:
        with suppress(OSError, EOFError):
            while True:
                raw = _exactly(line, 16)
                raw += _exactly(line, struct.unpack(">I", raw[:4])[0] - 16)
                if not self._act(line, raw):
                    break
        if line in self.lines:
            self.lines.remove(line)
        line.close()

    def _act(self, line: socket.socket, raw: bytes) -> bool:
        _length, command, status, sequence = struct.unpack(">4I", raw[:16])
        if command in _BINDS:
            self.bound_as.append(command)
            return self._bound(line, raw, sequence, command)
        if command == _SUBMIT:
            return self._submitted(line, raw, sequence)
        if command == _ALIVE:
            self.signs_of_life += 1
            if self.answers_life:
                line.sendall(_pdu(command | _RESPONSE, sequence))
        elif command == _UNBIND:
            line.sendall(_pdu(command | _RESPONSE, sequence))
            return False
        elif command & _RESPONSE:
            with self._heard:
                self._answers[sequence] = status
                self._heard.notify_all()
        return True

    def _bound(self, line: socket.socket, raw: bytes, sequence: int, command: int) -> bool:
        bind = _read(BindTransceiver, raw)
        self.binds.append(bind)
        status = self.bind_status
        if bind.password != "geheim":
            status = 0x0E
        elif len(self.lines) >= self.most:
            status = 0x05
        self._stage("bound")
        if not status:
            self.lines.append(line)
        line.sendall(
            _pdu(command | _RESPONSE, sequence, b"centre\0" if not status else b"", status)
        )
        return not status

    def _submitted(self, line: socket.socket, raw: bytes, sequence: int) -> bool:
        self.asked += 1
        self._stage("asked")
        said = self.says.popleft() if self.says else 0
        if said == CLOSES:
            return False
        if said == NACK:
            line.sendall(_pdu(_RESPONSE, sequence, status=0x03))
            return True
        if said > 0:
            line.sendall(_pdu(_SUBMIT | _RESPONSE, sequence, status=said))
            return True
        self.bodies.append(raw[16:])
        self.taken.append(_read(SubmitSm, raw, self.alphabet))
        self._stage("taken")
        if said == SILENT:
            return True
        known_as = self.id_format.format(self.first_id + len(self.taken) - 1)
        answer = _pdu(_SUBMIT | _RESPONSE, sequence, known_as.encode() + b"\0")
        line.sendall(answer[:10] if said == HALF else answer)
        self._stage("answered")
        return said != HALF

    def _stage(self, name: str) -> None:
        if self.kill is not None and self.kill[0] == name:
            pid, self.kill = self.kill[1], None
            os.kill(pid, signal.SIGKILL)


@contextmanager
def running(context: ssl.SSLContext | None = None, **behaviour: Any) -> Iterator[Centre]:
    """A centre on a free port of the loopback."""
    server = socket.create_server(("127.0.0.1", 0))
    centre = Centre(server.getsockname()[1], **behaviour)

    def serve() -> None:
        with suppress(OSError):
            while True:
                line, _address = server.accept()
                if context is not None:
                    try:
                        line = context.wrap_socket(line, server_side=True)
                    except OSError:
                        continue
                threading.Thread(target=centre.talk, args=(line,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield centre
    finally:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        centre.hang_up()
        thread.join(timeout=10)


def _pdu(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    return struct.pack(">4I", 16 + len(body), command, status, sequence) + body


def _read(kind: Any, raw: bytes, alphabet: str = "") -> Any:
    return kind.from_pdu(raw, SmppMessage.parse_header(raw), alphabet)


def _exactly(line: socket.socket, number: int) -> bytes:
    found = b""
    while len(found) < number:
        piece = line.recv(number - len(found))
        if not piece:
            raise EOFError
        found += piece
    return found
