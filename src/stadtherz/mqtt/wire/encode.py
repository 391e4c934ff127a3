"""From a packet to its bytes."""

from collections.abc import Callable
from typing import Any

from stadtherz.mqtt.wire import properties
from stadtherz.mqtt.wire.fields import binary, text, varint
from stadtherz.mqtt.wire.packets import (
    V5,
    Ack,
    Auth,
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
from stadtherz.mqtt.wire.properties import Kind, Properties
from stadtherz.mqtt.wire.reasons import Reason, connack_311


def encode(packet: Packet, version: int) -> bytes:
    """The bytes of the packet in this version; a CONNECT has its own."""
    return _ENCODERS[type(packet)](packet, version)


def _framed(kind: Kind, body: bytes, flags: int = 0) -> bytes:
    return bytes((kind << 4 | flags,)) + varint(len(body)) + body


def _held(held: Properties, kind: Kind, version: int) -> bytes:
    return properties.write(held, kind) if version == V5 else b""


def puback(packet_id: int) -> bytes:
    """A PUBACK without anything to remark, which is the same in both versions."""
    return b"\x40\x02" + packet_id.to_bytes(2)


def publish(packet: Publish, version: int) -> bytes:
    flags = packet.dup << 3 | packet.qos << 1 | packet.retain
    topic = text(packet.topic)
    number = packet.packet_id.to_bytes(2) if packet.qos else b""
    body = topic + number + _held(packet.properties, Kind.PUBLISH, version) + packet.payload
    return _framed(Kind.PUBLISH, body, flags)


def _connect(packet: Connect, _version: int) -> bytes:
    will = packet.will
    flags = packet.clean << 1
    tail = text(packet.client_id)
    if will is not None:
        flags |= 4 | will.qos << 3 | will.retain << 5
        about = _held(will.properties, Kind.WILL, packet.version)
        tail += about + text(will.topic) + binary(will.payload)
    if packet.username is not None:
        flags |= 0x80
        tail += text(packet.username)
    if packet.password is not None:
        flags |= 0x40
        tail += binary(packet.password)
    head = text("MQTT") + bytes((packet.version, flags)) + packet.keep_alive.to_bytes(2)
    held = _held(packet.properties, Kind.CONNECT, packet.version)
    return _framed(Kind.CONNECT, head + held + tail)


def _connack(packet: Connack, version: int) -> bytes:
    code = packet.reason if version == V5 else connack_311(packet.reason)
    head = bytes((packet.session_present, code))
    return _framed(Kind.CONNACK, head + _held(packet.properties, Kind.CONNACK, version))


def _reply(kind: Kind, head: bytes, reason: Reason, held: Properties, version: int) -> bytes:
    """Reason and properties, as far as there is anything to say (§3.4.2.1)."""
    flags = 2 if kind is Kind.PUBREL else 0
    if version != V5 or (reason is Reason.SUCCESS and not held):
        return _framed(kind, head, flags)
    tail = properties.write(held, kind) if held else b""
    return _framed(kind, head + bytes((reason,)) + tail, flags)


def _ack(packet: Ack, version: int) -> bytes:
    head = packet.packet_id.to_bytes(2)
    return _reply(packet.kind, head, packet.reason, packet.properties, version)


def _subscribe(packet: Subscribe, version: int) -> bytes:
    head = packet.packet_id.to_bytes(2) + _held(packet.properties, Kind.SUBSCRIBE, version)
    wishes = b"".join(
        text(w.topic) + bytes((w.qos | w.no_local << 2 | w.as_published << 3 | w.handling << 4,))
        for w in packet.wishes
    )
    return _framed(Kind.SUBSCRIBE, head + wishes, 2)


def _unsubscribe(packet: Unsubscribe, version: int) -> bytes:
    head = packet.packet_id.to_bytes(2) + _held(packet.properties, Kind.UNSUBSCRIBE, version)
    return _framed(Kind.UNSUBSCRIBE, head + b"".join(map(text, packet.topics)), 2)


def _suback(packet: Suback, version: int) -> bytes:
    """Version 3.1.1 knows one kind of failure, and an UNSUBACK that says nothing."""
    reasons = bytes(packet.reasons)
    if version != V5:
        unsuback = packet.kind is Kind.UNSUBACK
        reasons = b"" if unsuback else bytes(min(r, Reason.UNSPECIFIED) for r in packet.reasons)
    head = packet.packet_id.to_bytes(2) + _held(packet.properties, packet.kind, version)
    return _framed(packet.kind, head + reasons)


def _ping(packet: Ping, _version: int) -> bytes:
    return _framed(packet.kind, b"")


def _disconnect(packet: Disconnect, version: int) -> bytes:
    return _reply(Kind.DISCONNECT, b"", packet.reason, packet.properties, version)


def _auth(packet: Auth, version: int) -> bytes:
    return _reply(Kind.AUTH, b"", packet.reason, packet.properties, version)


_ENCODERS: dict[type, Callable[[Any, int], bytes]] = {
    Connect: _connect,
    Connack: _connack,
    Publish: publish,
    Ack: _ack,
    Subscribe: _subscribe,
    Unsubscribe: _unsubscribe,
    Suback: _suback,
    Ping: _ping,
    Disconnect: _disconnect,
    Auth: _auth,
}
