"""The control packets of MQTT 3.1.1 and 5.0 as values. What only 5.0 has is empty in 3.1.1."""

from typing import NamedTuple

from stadtherz.mqtt.wire.properties import NONE, Kind, Properties
from stadtherz.mqtt.wire.reasons import Reason

V3, V5 = 4, 5
"""What the versions 3.1.1 and 5.0 call themselves on the wire."""


class Will(NamedTuple):
    """What the server publishes for a client that vanishes."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    properties: Properties = NONE


class Connect(NamedTuple):
    version: int
    client_id: str
    clean: bool = True
    keep_alive: int = 0  # seconds
    username: str | None = None
    password: bytes | None = None
    will: Will | None = None
    properties: Properties = NONE


class Connack(NamedTuple):
    """`reason` as version 5.0 numbers it; 3.1.1 has five return codes for all."""

    session_present: bool
    reason: Reason
    properties: Properties = NONE


class Publish(NamedTuple):
    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int = 0  # 0: QoS 0 has none
    properties: Properties = NONE


class Ack(NamedTuple):
    """PUBACK, PUBREC, PUBREL or PUBCOMP."""

    kind: Kind
    packet_id: int
    reason: Reason = Reason.SUCCESS
    properties: Properties = NONE


class Wish(NamedTuple):
    """One topic filter of a SUBSCRIBE; `handling` says when the last value is wanted at once."""

    topic: str
    qos: int = 0
    no_local: bool = False
    as_published: bool = False
    handling: int = 0


class Subscribe(NamedTuple):
    packet_id: int
    wishes: tuple[Wish, ...]
    properties: Properties = NONE


class Unsubscribe(NamedTuple):
    packet_id: int
    topics: tuple[str, ...]
    properties: Properties = NONE


class Suback(NamedTuple):
    """SUBACK or UNSUBACK: one reason for each topic filter (UNSUBACK of 3.1.1: none)."""

    kind: Kind
    packet_id: int
    reasons: tuple[Reason, ...]
    properties: Properties = NONE


class Ping(NamedTuple):
    """PINGREQ or PINGRESP."""

    kind: Kind


class Disconnect(NamedTuple):
    reason: Reason = Reason.SUCCESS
    properties: Properties = NONE


class Auth(NamedTuple):
    reason: Reason
    properties: Properties = NONE


Packet = (
    Connect | Connack | Publish | Ack | Subscribe | Suback | Unsubscribe | Ping | Disconnect | Auth
)
