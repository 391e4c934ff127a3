"""From the bytes of one packet to its value. Whatever is wrong raises ProtocolError with the reason."""

from collections.abc import Callable

from stadtherz.mqtt.wire import properties
from stadtherz.mqtt.wire.fields import ProtocolError, Reader, malformed, text_of
from stadtherz.mqtt.wire.packets import (
    V3,
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
    Will,
    Wish,
)
from stadtherz.mqtt.wire.properties import NONE, Kind
from stadtherz.mqtt.wire.reasons import Reason

_BRIDGE = 0x80
"""With this bit Mosquitto marks the connections of its bridges, until it is refused."""

_FLAGS = {Kind.PUBREL: 2, Kind.SUBSCRIBE: 2, Kind.UNSUBSCRIBE: 2}


def decode(first: int, body: bytes, version: int) -> Packet:
    """The packet whose first byte and body these are, in the version of the connection.

    A CONNECT says its version itself.
    """
    kind = first >> 4
    if kind == Kind.PUBLISH:
        return _publish(first, body, version)
    if not kind or (kind == Kind.AUTH and version != V5):
        raise malformed(f"there is no packet of type {kind}")
    known = Kind(kind)
    if first & 0x0F != _FLAGS.get(known, 0):
        raise malformed(f"the flags of {known.name} are wrong")
    reader = Reader(body)
    packet = _DECODERS[known](known, reader, version)
    if not reader.done:
        raise malformed(f"{known.name} is longer than what is in it")
    return packet


# --- PUBLISH: by far the most ----------------------------------------------------------------------


def _publish(first: int, body: bytes, version: int) -> Publish:
    qos = first >> 1 & 3
    if qos == 3 or (first & 8 and not qos):
        raise malformed("the flags of PUBLISH are wrong")
    if len(body) < 2:
        raise malformed("the packet ends in the middle of a value")
    place = 2 + (body[0] << 8 | body[1])
    packet_id = 0
    if place + (2 if qos else 0) > len(body):
        raise malformed("the packet ends in the middle of a value")
    topic = text_of(body[2:place])
    if qos:
        packet_id = body[place] << 8 | body[place + 1]
        place += 2
        if not packet_id:
            raise ProtocolError(Reason.PROTOCOL_ERROR, "the packet identifier is 0")
    held = NONE
    if version == V5:
        if body[place : place + 1] == b"\0":
            place += 1
        else:
            reader = Reader(body, place)
            held = properties.read(reader, Kind.PUBLISH)
            place = reader.place
    if not topic and properties.Property.TOPIC_ALIAS not in held:
        raise ProtocolError(Reason.PROTOCOL_ERROR, "PUBLISH has neither a topic nor an alias")
    return Publish(topic, body[place:], qos, bool(first & 1), bool(first & 8), packet_id, held)


# --- the others --------------------------------------------------------------------------------------


def _connect(_kind: Kind, reader: Reader, _version: int) -> Connect:
    name, version = reader.binary(), reader.byte()
    if version == V3 | _BRIDGE:
        version = V3
    if name != b"MQTT" or version not in (V3, V5):
        raise ProtocolError(Reason.UNSUPPORTED_VERSION, "only MQTT 3.1.1 and 5.0 are spoken here")
    flags, keep_alive = reader.byte(), reader.number(2)
    has_will, qos = bool(flags & 4), flags >> 3 & 3
    if flags & 1 or qos == 3 or (not has_will and flags & 0x38):
        raise malformed("the flags of CONNECT are wrong")
    if version == V3 and flags & 0x40 and not flags & 0x80:
        raise malformed("CONNECT has a password, but no user name")
    held = properties.read(reader, Kind.CONNECT) if version == V5 else NONE
    client_id = reader.text()
    will = None
    if has_will:
        about = properties.read(reader, Kind.WILL) if version == V5 else NONE
        will = Will(reader.text(), reader.binary(), qos, bool(flags & 0x20), about)
    return Connect(
        version,
        client_id,
        bool(flags & 2),
        keep_alive,
        reader.text() if flags & 0x80 else None,
        reader.binary() if flags & 0x40 else None,
        will,
        held,
    )


def _connack(_kind: Kind, reader: Reader, version: int) -> Connack:
    flags, code = reader.byte(), reader.byte()
    if flags > 1:
        raise malformed("the flags of CONNACK are wrong")
    if version == V3:
        return Connack(bool(flags), _reason_311(code))
    return Connack(bool(flags), _reason(code), properties.read(reader, Kind.CONNACK))


_CONNACK_311 = (
    Reason.SUCCESS,
    Reason.UNSUPPORTED_VERSION,
    Reason.CLIENT_ID_NOT_VALID,
    Reason.SERVER_UNAVAILABLE,
    Reason.BAD_CREDENTIALS,
    Reason.NOT_AUTHORIZED,
)


def _reason_311(code: int) -> Reason:
    if code >= len(_CONNACK_311):
        raise malformed(f"there is no return code {code}")
    return _CONNACK_311[code]


def _reason(code: int) -> Reason:
    try:
        return Reason(code)
    except ValueError:
        raise malformed(f"there is no reason code 0x{code:02X}") from None


def _packet_id(reader: Reader) -> int:
    packet_id = reader.number(2)
    if not packet_id:
        raise ProtocolError(Reason.PROTOCOL_ERROR, "the packet identifier is 0")
    return packet_id


def _ack(kind: Kind, reader: Reader, version: int) -> Ack:
    """Reason and properties may be left out if all is well (§3.4.2.1)."""
    packet_id = _packet_id(reader)
    if version == V3 or reader.done:
        return Ack(kind, packet_id)
    reason = _reason(reader.byte())
    return Ack(kind, packet_id, reason, NONE if reader.done else properties.read(reader, kind))


def _subscribe(kind: Kind, reader: Reader, version: int) -> Subscribe:
    packet_id = _packet_id(reader)
    held = properties.read(reader, kind) if version == V5 else NONE
    wishes = []
    while not reader.done:
        wishes.append(_wish(reader.text(), reader.byte(), version))
    if not wishes:
        raise ProtocolError(Reason.PROTOCOL_ERROR, "SUBSCRIBE without a topic filter")
    return Subscribe(packet_id, tuple(wishes), held)


def _wish(topic: str, options: int, version: int) -> Wish:
    if version == V3:
        if options > 2:
            raise malformed("the options of SUBSCRIBE are wrong")
        return Wish(topic, options)
    qos, handling = options & 3, options >> 4 & 3
    if options & 0xC0 or qos == 3 or handling == 3:
        raise malformed("the options of SUBSCRIBE are wrong")
    return Wish(topic, qos, bool(options & 4), bool(options & 8), handling)


def _unsubscribe(kind: Kind, reader: Reader, version: int) -> Unsubscribe:
    packet_id = _packet_id(reader)
    held = properties.read(reader, kind) if version == V5 else NONE
    topics = []
    while not reader.done:
        topics.append(reader.text())
    if not topics:
        raise ProtocolError(Reason.PROTOCOL_ERROR, "UNSUBSCRIBE without a topic filter")
    return Unsubscribe(packet_id, tuple(topics), held)


def _suback(kind: Kind, reader: Reader, version: int) -> Suback:
    packet_id = _packet_id(reader)
    held = properties.read(reader, kind) if version == V5 else NONE
    return Suback(kind, packet_id, tuple(_reason(code) for code in reader.rest()), held)


def _ping(kind: Kind, _reader: Reader, _version: int) -> Ping:
    return Ping(kind)


def _disconnect(kind: Kind, reader: Reader, version: int) -> Disconnect:
    if version == V3 or reader.done:
        return Disconnect()
    reason = _reason(reader.byte())
    return Disconnect(reason, NONE if reader.done else properties.read(reader, kind))


def _auth(kind: Kind, reader: Reader, _version: int) -> Auth:
    if reader.done:
        return Auth(Reason.SUCCESS)
    reason = _reason(reader.byte())
    return Auth(reason, NONE if reader.done else properties.read(reader, kind))


_DECODERS: dict[Kind, Callable[[Kind, Reader, int], Packet]] = {
    Kind.CONNECT: _connect,
    Kind.CONNACK: _connack,
    **dict.fromkeys((Kind.PUBACK, Kind.PUBREC, Kind.PUBREL, Kind.PUBCOMP), _ack),
    Kind.SUBSCRIBE: _subscribe,
    Kind.UNSUBSCRIBE: _unsubscribe,
    Kind.SUBACK: _suback,
    Kind.UNSUBACK: _suback,
    Kind.PINGREQ: _ping,
    Kind.PINGRESP: _ping,
    Kind.DISCONNECT: _disconnect,
    Kind.AUTH: _auth,
}
