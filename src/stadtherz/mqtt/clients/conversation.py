"""One connection: packets in, packets out, and the rules between them. It touches no socket and no
database; the wire carries its bytes, the hub does its errands.

All of it runs on the event loop's thread.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from stadtherz.base.visibility import ANONYMOUS
from stadtherz.mqtt.clients.inbox import Taken, content_of
from stadtherz.mqtt.clients.messages import Message
from stadtherz.mqtt.wire.decode import decode
from stadtherz.mqtt.wire.encode import encode, puback, publish
from stadtherz.mqtt.wire.fields import Frames, ProtocolError, malformed
from stadtherz.mqtt.wire.packets import (
    V3,
    V5,
    Ack,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Ping,
    Publish,
    Suback,
    Subscribe,
    Unsubscribe,
)
from stadtherz.mqtt.wire.properties import NONE, Kind, Properties, Property
from stadtherz.mqtt.wire.reasons import Reason

if TYPE_CHECKING:
    from stadtherz.mqtt.clients.session import Session
    from stadtherz.mqtt.meeting.hub import Hub

_FATAL_311 = frozenset({Reason.NOT_AUTHORIZED})
"""What version 3.1.1 cannot be told in a PUBACK, and is not to go on with (§3.3.5). Whatever else is
wrong stays wrong, so it is acknowledged: without that it would come again and again.
"""

_PACKET_OVERHEAD = 64


class Wire(Protocol):
    """What carries the bytes: a TCP connection or a websocket."""

    @property
    def address(self) -> str: ...
    def write(self, data: bytes) -> None: ...
    def close(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Conversation:
    """From the first byte to the end. `receive`, `lost`, `stuck` and `unstuck` are for the wire."""

    def __init__(self, wire: Wire, hub: "Hub") -> None:
        self.wire = wire
        self.hub = hub
        self.limits = hub.limits
        self.version = V3  # what everybody understands, until the client has said its own
        self.session: Session | None = None
        self.deadline: float | None = time.monotonic() + self.limits.connect
        self.ended = False
        self._begun = False
        self._asked: Connect | None = None
        self._held: list[tuple[int, bytes]] = []  # packets that came before we knew who it is
        self._frames = Frames(min(self.limits.packet, self.limits.stranger_packet))
        self._keep_alive = 0.0
        self._explains = True
        self._largest: int | None = None
        self._aliases_in: dict[int, str] = {}
        self._aliases_out: dict[str, int] = {}
        self._most_aliases = 0
        self._pending: deque[Taken] = deque()  # messages whose acknowledgement is due, in order
        self._out: list[bytes] = []
        self._writable = True
        self._paused = False

    # --- from the wire ---------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        try:
            self._check_first_byte(data)
            for first, body in self._frames.feed(data):
                if self.ended:
                    return
                self._take(first, body)
        except ProtocolError as error:
            self.end(error.reason, str(error))
        self._breathe()
        self.flush()

    def _check_first_byte(self, data: bytes) -> None:
        """Whoever begins with anything but a CONNECT speaks another protocol."""
        if not self._begun and data:
            self._begun = True
            if data[0] != Kind.CONNECT << 4:
                raise ProtocolError(Reason.PROTOCOL_ERROR, "the first packet must be CONNECT")

    def lost(self) -> None:
        """The connection is gone."""
        if not self.ended:
            self._gone(with_will=True)

    def stuck(self) -> None:
        """The client does not take what is written."""
        self._writable = False
        self.hub.watch_stuck(self)

    def unstuck(self) -> None:
        self._writable = True
        self.hub.unwatch_stuck(self)
        self.send_due()
        self.flush()

    # --- to the wire -----------------------------------------------------------------------------

    def flush(self) -> None:
        if self._out:
            data, self._out = b"".join(self._out), []
            self.wire.write(data)

    def _send(self, packet: Packet) -> None:
        self._out.append(encode(packet, self.version))

    def end(self, reason: Reason, text: str = "", *, with_will: bool = True) -> None:
        """Say why, as far as the version can, and close."""
        if self.ended:
            return
        if self.session is not None and self.version == V5:
            self._send(Disconnect(reason, self.because(text)))
        elif self.session is None and self._may_refuse(reason):
            self._send(Connack(False, reason, self.because(text)))
        self._gone(with_will=with_will)
        self.flush()
        self.wire.close()

    def _may_refuse(self, reason: Reason) -> bool:
        """Whether a CONNACK is the answer: to a CONNECT that could be read, or to its version."""
        return self._asked is not None or reason is Reason.UNSUPPORTED_VERSION

    def _gone(self, *, with_will: bool) -> None:
        self.ended = True
        self.deadline = None
        self.hub.leave(self, with_will=with_will)

    def because(self, text: str) -> Properties:
        """The reason as a text, if the client wants to hear it."""
        if not text or self.version != V5 or not self._explains:
            return NONE
        return {Property.REASON_STRING: text[:1000].replace("\0", "")}

    # --- packets ---------------------------------------------------------------------------------

    def _take(self, first: int, body: bytes) -> None:
        if self.session is None:
            self._before_the_session(first, body)
            return
        if self._keep_alive:
            self.deadline = time.monotonic() + self._keep_alive
        packet = decode(first, body, self.version)
        handler = _HANDLERS.get(type(packet))
        if handler is None:
            name = Kind(first >> 4).name
            raise ProtocolError(Reason.PROTOCOL_ERROR, f"{name} is not for a client to send")
        handler(self, packet)

    def _before_the_session(self, first: int, body: bytes) -> None:
        if self._asked is not None:
            self._held.append((first, body))
            return
        asked = decode(first, body, self.version)
        assert isinstance(asked, Connect)
        self.version = asked.version
        self._asked = asked
        self._explains = bool(asked.properties.get(Property.REQUEST_PROBLEM_INFORMATION, 1))
        self._check(asked)
        self.wire.pause()
        self.hub.enter(self, asked)

    def _check(self, asked: Connect) -> None:
        if Property.AUTHENTICATION_METHOD in asked.properties:
            reason = Reason.BAD_AUTHENTICATION_METHOD
            raise ProtocolError(reason, "show a token as the password")
        if len(asked.client_id) > self.limits.client_id:
            reason = Reason.CLIENT_ID_NOT_VALID
            raise ProtocolError(
                reason, f"a client identifier has at most {self.limits.client_id} characters"
            )
        if asked.client_id.startswith("$share/"):
            reason = Reason.CLIENT_ID_NOT_VALID
            raise ProtocolError(reason, "a client identifier does not begin with $share/")
        if self.version == V3 and not asked.client_id and not asked.clean:
            reason = Reason.CLIENT_ID_NOT_VALID
            raise ProtocolError(reason, "a session that lasts needs a client identifier")

    def open(self, session: "Session", *, present: bool, properties: Properties) -> None:
        """The hub has let the client in."""
        asked = self._asked
        assert asked is not None
        self.session = session
        if session.actor != ANONYMOUS.actor:
            self._frames.largest = self.limits.packet
        alive = properties.get(Property.SERVER_KEEP_ALIVE, asked.keep_alive)
        self._keep_alive = alive * 1.5
        self.deadline = time.monotonic() + self._keep_alive if alive else None
        self._largest = asked.properties.get(Property.MAXIMUM_PACKET_SIZE)
        most = asked.properties.get(Property.TOPIC_ALIAS_MAXIMUM, 0)
        self._most_aliases = min(most, self.limits.aliases)
        self._send(Connack(present, Reason.SUCCESS, properties if self.version == V5 else NONE))
        for packet in session.outbox.again():
            self._put(packet)
        self.send_due()
        held, self._held = self._held, []
        try:
            for first, body in held:
                if not self.ended:
                    self._take(first, body)
        except ProtocolError as error:
            self.end(error.reason, str(error))
        if not self.ended:
            self.wire.resume()
        self._breathe()
        self.flush()

    # --- messages from the client ----------------------------------------------------------------

    def _on_publish(self, packet: Publish) -> None:
        session = self.session
        assert session is not None
        topic = self._named(packet)
        if "#" in topic or "+" in topic:
            raise ProtocolError(Reason.TOPIC_NAME_INVALID, "a topic has no wildcards")
        if len(topic) > self.limits.topic:
            raise ProtocolError(
                Reason.TOPIC_NAME_INVALID, f"a topic has at most {self.limits.topic} characters"
            )
        if not packet.qos:
            self.hub.publish(self, packet._replace(topic=topic), None)
            return
        content = content_of(topic, packet.payload)
        inbox = session.inbox
        taken = inbox.known(packet.packet_id, packet.qos, content, dup=packet.dup)
        if taken is None:
            taken = inbox.take(packet.packet_id, packet.qos, content)
            self._line_up(taken)
            self.hub.publish(self, packet._replace(topic=topic), taken)
        else:
            self._line_up(taken)
            self.acknowledge()

    def _line_up(self, taken: Taken) -> None:
        self._pending.append(taken)
        if self.version == V5 and len(self._pending) > self.limits.incoming:
            raise ProtocolError(
                Reason.RECEIVE_MAXIMUM_EXCEEDED,
                f"more than {self.limits.incoming} messages wait for their acknowledgement",
            )

    def _named(self, packet: Publish) -> str:
        """The topic, also where an alias stands for it (§3.3.2.3.4)."""
        alias = packet.properties.get(Property.TOPIC_ALIAS)
        if alias is None:
            return packet.topic
        if alias > self.limits.aliases:
            raise ProtocolError(
                Reason.TOPIC_ALIAS_INVALID, f"aliases go from 1 to {self.limits.aliases}"
            )
        if packet.topic:
            self._aliases_in[alias] = packet.topic
            return packet.topic
        if alias not in self._aliases_in:
            raise ProtocolError(Reason.PROTOCOL_ERROR, f"alias {alias} stands for nothing yet")
        return self._aliases_in[alias]

    def acknowledge(self) -> None:
        """Acknowledge what has become known, in the order in which it came (§4.6)."""
        pending, now = self._pending, time.monotonic()
        while pending and pending[0].reason is not None and not self.ended:
            taken = pending.popleft()
            taken.answered = now
            self._answer(taken)
        self._breathe()

    def _answer(self, taken: Taken) -> None:
        reason = taken.reason
        assert reason is not None
        assert self.session is not None
        if self.version == V3 and reason in _FATAL_311:
            self.session.inbox.drop(taken)
            self.end(reason, taken.text)
        elif taken.qos == 1 and (self.version == V3 or (reason is Reason.SUCCESS)):
            self._out.append(puback(taken.packet_id))
        else:
            kind = Kind.PUBACK if taken.qos == 1 else Kind.PUBREC
            said = reason if self.version == V5 else Reason.SUCCESS
            self._send(Ack(kind, taken.packet_id, said, self.because(taken.text)))
            if said.failed:
                self.session.inbox.drop(taken)  # the identifier is free again (§4.3.3)

    def _breathe(self) -> None:
        """Read no faster than things are kept."""
        if self.session is None or self.ended:
            return
        behind = len(self._pending) >= self.limits.incoming or self.hub.intake.full
        if behind and not self._paused:
            self._paused = True
            self.wire.pause()
            self.hub.intake.waiters.add(self)
        elif self._paused and not behind and len(self._pending) < self.limits.incoming // 2:
            self._paused = False
            self.hub.intake.waiters.discard(self)
            self.wire.resume()

    def relax(self) -> None:
        """There is room again for what the client sends."""
        self._breathe()

    def _on_ack(self, ack: Ack) -> None:
        session = self.session
        assert session is not None
        if ack.kind is Kind.PUBREL:
            known = session.inbox.release(ack.packet_id)
            self.hub.sessions.released(session, ack.packet_id)
            self._send(_reply(Kind.PUBCOMP, ack.packet_id, known=known))
            return
        known = session.outbox.acknowledged(ack)
        if ack.kind is Kind.PUBREC and not ack.reason.failed:
            self._send(_reply(Kind.PUBREL, ack.packet_id, known=known))
        self.send_due()

    # --- subscriptions ---------------------------------------------------------------------------

    def _on_subscribe(self, packet: Subscribe) -> None:
        for wish in packet.wishes:
            if not wish.topic:
                raise malformed("a topic filter is empty")
            if wish.no_local and wish.topic.startswith("$share/"):
                raise ProtocolError(Reason.PROTOCOL_ERROR, "a share has no 'no local'")
        self.hub.subscribe(self, packet)

    def _on_unsubscribe(self, packet: Unsubscribe) -> None:
        self.hub.unsubscribe(self, packet)

    def subscribed(
        self, kind: Kind, packet_id: int, reasons: tuple[Reason, ...], text: str = ""
    ) -> None:
        """The answer to SUBSCRIBE or UNSUBSCRIBE."""
        if not self.ended:
            self._send(Suback(kind, packet_id, reasons, self.because(text)))
            self.flush()

    # --- messages to the client ------------------------------------------------------------------

    def deliver(self, message: Message, qos: int) -> None:
        """Line a message up; `send_due` and `flush` follow when all of a turn are there."""
        session = self.session
        if session is None or self.ended:
            return
        if not self._writable and not qos:
            return
        session.outbox.broken_off = session.outbox.full
        session.outbox.add(message, qos)
        if session.outbox.broken_off:
            self.end(Reason.QUOTA_EXCEEDED, "messages are not taken as fast as they come")

    def send_due(self) -> None:
        if self.session is None or self.ended or not self._writable:
            return
        for packet in self.session.outbox.due():
            self._put(packet)
        if self.session.place is not None and self.session.outbox.nearly_empty:
            self.hub.subscriptions.catch_up(self.session)

    def _put(self, packet: Publish | Ack) -> None:
        if isinstance(packet, Ack):
            self._send(packet)
            return
        size = len(packet.topic.encode()) + len(packet.payload) + _PACKET_OVERHEAD
        if self._largest is not None and size > self._largest:
            if packet.qos:  # as if it had been received (§3.1.2.11.4)
                assert self.session is not None
                self.session.outbox.acknowledged(Ack(Kind.PUBACK, packet.packet_id))
            return
        if self.version == V5:
            packet = self._with_alias(packet)
        self._out.append(publish(packet, self.version))

    def _with_alias(self, packet: Publish) -> Publish:
        if not self._most_aliases:
            return packet
        topic, alias = packet.topic, self._aliases_out.get(packet.topic)
        if alias is not None:
            topic = ""
        elif len(self._aliases_out) < self._most_aliases:
            alias = self._aliases_out[topic] = len(self._aliases_out) + 1
        else:
            return packet
        return packet._replace(
            topic=topic, properties={**packet.properties, Property.TOPIC_ALIAS: alias}
        )

    # --- the rest --------------------------------------------------------------------------------

    def _on_ping(self, packet: Ping) -> None:
        if packet.kind is not Kind.PINGREQ:
            raise ProtocolError(Reason.PROTOCOL_ERROR, "PINGRESP is not for a client to send")
        assert self.session is not None
        self.session.inbox.heard(time.monotonic())
        self._send(packet._replace(kind=Kind.PINGRESP))

    def _on_disconnect(self, packet: Disconnect) -> None:
        session = self.session
        assert session is not None
        expiry = packet.properties.get(Property.SESSION_EXPIRY)
        if expiry is not None:
            if expiry and not session.expiry:
                raise ProtocolError(
                    Reason.PROTOCOL_ERROR, "a session that ends with the connection stays one"
                )
            session.expiry = min(expiry, self.limits.session)
        self._gone(with_will=packet.reason is not Reason.SUCCESS)
        self.wire.close()


def _reply(kind: Kind, packet_id: int, *, known: bool) -> Ack:
    return Ack(kind, packet_id, Reason.SUCCESS if known else Reason.PACKET_ID_NOT_FOUND)


_HANDLERS: dict[type, Callable[[Conversation, Any], None]] = {
    Publish: Conversation._on_publish,
    Ack: Conversation._on_ack,
    Subscribe: Conversation._on_subscribe,
    Unsubscribe: Conversation._on_unsubscribe,
    Ping: Conversation._on_ping,
    Disconnect: Conversation._on_disconnect,
}
