"""Properties of MQTT 5.0 packets (§2.2.2): which there are, of what type, and in which packets."""

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

from stadtherz.mqtt.wire.fields import (
    ProtocolError,
    Reader,
    binary,
    malformed,
    text,
    varint,
)
from stadtherz.mqtt.wire.reasons import Reason

Properties = Mapping[int, Any]
"""Values by Property. A user property and, in a PUBLISH, a subscription identifier may come several
times and are lists; everything else is one value."""

NONE: Properties = {}


class Kind(IntEnum):
    """Packets by the first half of their first byte; a will has properties of its own."""

    WILL = 0
    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


class Property(IntEnum):
    PAYLOAD_FORMAT = 0x01
    MESSAGE_EXPIRY = 0x02
    CONTENT_TYPE = 0x03
    RESPONSE_TOPIC = 0x08
    CORRELATION_DATA = 0x09
    SUBSCRIPTION_ID = 0x0B
    SESSION_EXPIRY = 0x11
    ASSIGNED_CLIENT_ID = 0x12
    SERVER_KEEP_ALIVE = 0x13
    AUTHENTICATION_METHOD = 0x15
    AUTHENTICATION_DATA = 0x16
    REQUEST_PROBLEM_INFORMATION = 0x17
    WILL_DELAY = 0x18
    REQUEST_RESPONSE_INFORMATION = 0x19
    RESPONSE_INFORMATION = 0x1A
    SERVER_REFERENCE = 0x1C
    REASON_STRING = 0x1F
    RECEIVE_MAXIMUM = 0x21
    TOPIC_ALIAS_MAXIMUM = 0x22
    TOPIC_ALIAS = 0x23
    MAXIMUM_QOS = 0x24
    RETAIN_AVAILABLE = 0x25
    USER = 0x26
    MAXIMUM_PACKET_SIZE = 0x27
    WILDCARDS_AVAILABLE = 0x28
    SUBSCRIPTION_IDS_AVAILABLE = 0x29
    SHARED_AVAILABLE = 0x2A


_P, _K = Property, Kind
_BYTES = frozenset(
    {
        _P.PAYLOAD_FORMAT, _P.REQUEST_PROBLEM_INFORMATION, _P.REQUEST_RESPONSE_INFORMATION,
        _P.MAXIMUM_QOS, _P.RETAIN_AVAILABLE, _P.WILDCARDS_AVAILABLE,
        _P.SUBSCRIPTION_IDS_AVAILABLE, _P.SHARED_AVAILABLE,
    }
)  # fmt: skip
"""All of these are 0 or 1."""

_TWO = frozenset({_P.SERVER_KEEP_ALIVE, _P.RECEIVE_MAXIMUM, _P.TOPIC_ALIAS_MAXIMUM, _P.TOPIC_ALIAS})
_FOUR = frozenset({_P.MESSAGE_EXPIRY, _P.SESSION_EXPIRY, _P.WILL_DELAY, _P.MAXIMUM_PACKET_SIZE})
_BINARY = frozenset({_P.CORRELATION_DATA, _P.AUTHENTICATION_DATA})
_NOT_ZERO = frozenset(
    {_P.RECEIVE_MAXIMUM, _P.TOPIC_ALIAS, _P.MAXIMUM_PACKET_SIZE, _P.SUBSCRIPTION_ID}
)

_REPLY = frozenset({_P.REASON_STRING, _P.USER})
_MESSAGE = frozenset(
    {
        _P.PAYLOAD_FORMAT, _P.MESSAGE_EXPIRY, _P.CONTENT_TYPE, _P.RESPONSE_TOPIC,
        _P.CORRELATION_DATA, _P.USER,
    }
)  # fmt: skip
_ALLOWED: dict[Kind, frozenset[Property]] = {
    _K.WILL: _MESSAGE | {_P.WILL_DELAY},
    _K.CONNECT: frozenset(
        {
            _P.SESSION_EXPIRY, _P.RECEIVE_MAXIMUM, _P.MAXIMUM_PACKET_SIZE, _P.TOPIC_ALIAS_MAXIMUM,
            _P.REQUEST_RESPONSE_INFORMATION, _P.REQUEST_PROBLEM_INFORMATION, _P.USER,
            _P.AUTHENTICATION_METHOD, _P.AUTHENTICATION_DATA,
        }
    ),
    _K.CONNACK: frozenset(
        {
            _P.SESSION_EXPIRY, _P.RECEIVE_MAXIMUM, _P.MAXIMUM_QOS, _P.RETAIN_AVAILABLE,
            _P.MAXIMUM_PACKET_SIZE, _P.ASSIGNED_CLIENT_ID, _P.TOPIC_ALIAS_MAXIMUM,
            _P.REASON_STRING, _P.USER, _P.WILDCARDS_AVAILABLE, _P.SUBSCRIPTION_IDS_AVAILABLE,
            _P.SHARED_AVAILABLE, _P.SERVER_KEEP_ALIVE, _P.RESPONSE_INFORMATION,
            _P.SERVER_REFERENCE, _P.AUTHENTICATION_METHOD, _P.AUTHENTICATION_DATA,
        }
    ),
    _K.PUBLISH: _MESSAGE | {_P.TOPIC_ALIAS, _P.SUBSCRIPTION_ID},
    **dict.fromkeys((_K.PUBACK, _K.PUBREC, _K.PUBREL, _K.PUBCOMP, _K.SUBACK, _K.UNSUBACK), _REPLY),
    _K.SUBSCRIBE: frozenset({_P.SUBSCRIPTION_ID, _P.USER}),
    _K.UNSUBSCRIBE: frozenset({_P.USER}),
    _K.DISCONNECT: _REPLY | {_P.SESSION_EXPIRY, _P.SERVER_REFERENCE},
    _K.AUTH: _REPLY | {_P.AUTHENTICATION_METHOD, _P.AUTHENTICATION_DATA},
}  # fmt: skip


def _pair(reader: Reader) -> tuple[str, str]:
    return reader.text(), reader.text()


def _reading(prop: Property) -> Callable[[Reader], Any]:
    if prop in _BYTES:
        return Reader.byte
    if prop in _TWO:
        return lambda reader: reader.number(2)
    if prop in _FOUR:
        return lambda reader: reader.number(4)
    if prop in _BINARY:
        return Reader.binary
    if prop is _P.SUBSCRIPTION_ID:
        return Reader.varint
    return _pair if prop is _P.USER else Reader.text


def _writing(prop: Property) -> Callable[[Any], bytes]:
    if prop in _BYTES:
        return lambda value: bytes((value,))
    if prop in _TWO:
        return lambda value: int(value).to_bytes(2)
    if prop in _FOUR:
        return lambda value: int(value).to_bytes(4)
    if prop in _BINARY:
        return binary
    if prop is _P.SUBSCRIPTION_ID:
        return varint
    return (lambda pair: text(pair[0]) + text(pair[1])) if prop is _P.USER else text


_READ = {prop: _reading(prop) for prop in Property}
_WRITE = {prop: _writing(prop) for prop in Property}


def is_list(prop: int, kind: Kind) -> bool:
    return prop == Property.USER or (prop == Property.SUBSCRIPTION_ID and kind is Kind.PUBLISH)


def read(reader: Reader, kind: Kind) -> Properties:
    """The properties at the reader's place."""
    size = reader.varint()
    if not size:
        return NONE
    part = reader.part(size)
    found: dict[int, Any] = {}
    while not part.done:
        _read_one(part, kind, found)
    return found


def _read_one(part: Reader, kind: Kind, found: dict[int, Any]) -> None:
    number = part.varint()
    try:
        prop = Property(number)
    except ValueError:
        raise malformed(f"there is no property 0x{number:02X}") from None
    if prop not in _ALLOWED[kind]:
        raise ProtocolError(Reason.PROTOCOL_ERROR, f"{prop.name} is no property of {kind.name}")
    value = _READ[prop](part)
    if (prop in _BYTES and value > 1) or (prop in _NOT_ZERO and not value):
        raise ProtocolError(Reason.PROTOCOL_ERROR, f"{prop.name} cannot be {value}")
    if is_list(prop, kind):
        found.setdefault(prop, []).append(value)
    elif prop in found:
        raise ProtocolError(Reason.PROTOCOL_ERROR, f"{prop.name} is given twice")
    else:
        found[prop] = value


def write(properties: Properties, kind: Kind) -> bytes:
    if not properties:
        return b"\0"
    parts = bytearray()
    for number, value in properties.items():
        prop = Property(number)
        for each in value if is_list(prop, kind) else (value,):
            parts += varint(prop)
            parts += _WRITE[prop](each)
    return varint(len(parts)) + bytes(parts)
