"""Messages by MQTT 5.0 with quality 1: what was not acknowledged is sent again after a broken connection.

Only what a publisher needs is spoken here, on plain sockets, so that a load test measures the server
and not its sender: paho takes locks and calls back for each message. A refusal is a PUBACK with a
reason code of 128 and more (MQTT 5.0, 3.4.2.1).
"""

import queue
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from stadtherz.base.errors import Invalid, Unavailable
from stadtherz.simulate.schedule import Sending
from stadtherz.simulate.tally import Tally

_TIMEOUT_S = 15.0
_WINDOW = 50  # messages under way on a connection
_MOST_WAITING = 200
_PAUSES_S = (0.5, 1.0, 2.0, 5.0)
_PATIENCE_S = 30.0  # for the last acknowledgements
_CONNACK, _PUBACK, _PUBLISH, _DUP = 0x20, 0x40, 0x32, 0x08
_LARGEST_ID = 0xFFFF


class MqttDoor:
    """A broker, or the product's own listener, whose topics begin with `ingest/` and the network.

    With `outside` messages keep the topics their networks publish them under. Raises Invalid for an address
    that is not of the form mqtt://host:port or mqtts://host:port.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        *,
        tally: Tally,
        connections: int = 8,
        outside: bool = False,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise Invalid("url", f"{url!r} does not begin with mqtt:// or mqtts://")
        secure = parts.scheme == "mqtts"
        address = (parts.hostname, parts.port or (8883 if secure else 1883))
        self._outside = outside
        self._lines = [
            _MqttLine(_Account(address, secure, user, password, f"simulate-{number}"), tally)
            for number in range(connections)
        ]

    def send(self, sending: Sending) -> None:
        message = sending.message
        topic = (
            message.topic if self._outside else f"ingest/{sending.device.network}/{message.topic}"
        )
        self._lines[sending.device.number % len(self._lines)].put(topic, message.body)

    def close(self) -> None:
        for line in self._lines:
            line.end()
        for line in self._lines:
            line.join()


@dataclass(frozen=True, slots=True)
class _Account:
    address: tuple[str, int]
    secure: bool
    user: str
    password: str = field(repr=False)
    client: str

    def connect(self) -> socket.socket:
        """A connection whose CONNECT was accepted; raises OSError and Unavailable."""
        line = socket.create_connection(self.address, timeout=_TIMEOUT_S)
        if self.secure:
            context = ssl.create_default_context()
            line = context.wrap_socket(line, server_hostname=self.address[0])
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sendall(self._hello())
        kind, body = _read_packet(line)
        if kind != _CONNACK or len(body) < 2 or body[1]:
            line.close()
            code = body[1] if len(body) > 1 else 0
            raise Unavailable("broker", f"refused the connection with code {code}", retry=False)
        return line

    def _hello(self) -> bytes:
        flags = 0x02 | (0x80 if self.user else 0) | (0x40 if self.password else 0)
        body = b"\0\4MQTT\5" + bytes([flags]) + b"\0\0" + b"\0" + _text(self.client)
        for told in filter(None, (self.user, self.password)):
            body += _text(told)
        return b"\x10" + _length(len(body)) + body


@dataclass(slots=True)
class _UnderWay:
    topic: str
    body: bytes
    since: float


class _MqttLine(threading.Thread):
    """One connection: this thread publishes, another reads the acknowledgements."""

    def __init__(self, account: _Account, tally: Tally) -> None:
        super().__init__(name="simulate-mqtt", daemon=True)
        self._account, self._tally = account, tally
        self._waiting: queue.Queue[tuple[str, bytes] | None] = queue.Queue(_MOST_WAITING)
        self._under_way: dict[int, _UnderWay] = {}
        self._changed = threading.Condition()
        self._socket: socket.socket | None = None
        self._next_id = 0
        self.start()

    def put(self, topic: str, body: bytes) -> None:
        self._waiting.put((topic, body))

    def end(self) -> None:
        self._waiting.put(None)

    def run(self) -> None:
        while (told := self._waiting.get()) is not None:
            self._tally.count_sent()
            packet_id = self._enter(*told)
            if not self._write(packet_id, again=False):
                self._recover()
        self._wait_for_all()

    def _enter(self, topic: str, body: bytes) -> int:
        """A place among the messages under way, once there is one."""
        while True:
            with self._changed:
                if self._changed.wait_for(self._has_room, timeout=1.0):
                    self._next_id = self._next_id % _LARGEST_ID + 1
                    self._under_way[self._next_id] = _UnderWay(topic, body, time.perf_counter())
                    return self._next_id
            if self._socket is None:
                self._recover()

    def _has_room(self) -> bool:
        return len(self._under_way) < _WINDOW

    def _write(self, packet_id: int, *, again: bool) -> bool:
        under_way, line = self._under_way.get(packet_id), self._socket
        if under_way is None:
            return True
        if line is None:
            return False
        body = _text(under_way.topic) + packet_id.to_bytes(2) + b"\0" + under_way.body
        head = _PUBLISH | (_DUP if again else 0)
        try:
            line.sendall(bytes([head]) + _length(len(body)) + body)
        except OSError:
            self._lost(line)
            return False
        return True

    def _recover(self) -> None:
        """Connect again and send again what was not acknowledged, or give up what is under way."""
        for pause in (0.0, *_PAUSES_S):
            time.sleep(pause)
            try:
                line = self._account.connect()
            except (OSError, Unavailable):
                continue
            self._socket = line
            threading.Thread(
                target=self._listen, args=(line,), name="simulate-acks", daemon=True
            ).start()
            if all(self._write(each, again=True) for each in sorted(self._under_way)):
                return
        with self._changed:
            for _ in self._under_way:
                self._tally.count_unanswered("no connection")
            self._under_way.clear()

    def _listen(self, line: socket.socket) -> None:
        try:
            line.settimeout(None)
            while True:
                kind, body = _read_packet(line)
                if kind == _PUBACK:
                    self._acknowledged(int.from_bytes(body[:2]), body[2] if len(body) > 2 else 0)
        except (OSError, EOFError):
            self._lost(line)

    def _acknowledged(self, packet_id: int, reason: int) -> None:
        with self._changed:
            under_way = self._under_way.pop(packet_id, None)
            self._changed.notify_all()
        if under_way is None:
            return
        took = time.perf_counter() - under_way.since
        if reason < 0x80:
            self._tally.count_acknowledged(took)
        else:
            self._tally.count_refused(f"MQTT reason {reason}", took)

    def _lost(self, line: socket.socket) -> None:
        line.close()
        if self._socket is line:
            self._socket = None
        with self._changed:
            self._changed.notify_all()

    def _wait_for_all(self) -> None:
        until = time.monotonic() + _PATIENCE_S
        while self._under_way and time.monotonic() < until:
            if self._socket is None:
                self._recover()
            with self._changed:
                self._changed.wait_for(self._settled, timeout=1.0)
        for _ in self._under_way:
            self._tally.count_unanswered("no acknowledgement")
        if self._socket is not None:
            self._socket.close()

    def _settled(self) -> bool:
        return not self._under_way or self._socket is None


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2) + data


def _length(number: int) -> bytes:
    """A variable byte integer (MQTT 5.0, 1.5.5)."""
    parts = bytearray()
    while True:
        number, low = divmod(number, 128)
        parts.append(low | (0x80 if number else 0))
        if not number:
            return bytes(parts)


def _read_packet(line: socket.socket) -> tuple[int, bytes]:
    """The first byte's type and the body of the next packet; raises EOFError at the end."""
    kind = _exactly(line, 1)[0] & 0xF0
    length = shift = 0
    while True:
        byte = _exactly(line, 1)[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return kind, _exactly(line, length)


def _exactly(line: socket.socket, number: int) -> bytes:
    parts = b""
    while len(parts) < number:
        part = line.recv(number - len(parts))
        if not part:
            raise EOFError
        parts += part
    return parts
