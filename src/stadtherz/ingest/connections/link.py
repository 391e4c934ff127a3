"""One connection to a broker, from its beginning to its end, with paho-mqtt.

A session at the broker outlives it: MQTT 5 with a fixed client id, `clean_start` off and a long expiry; with
3.1.1 a session that is not clean. Every link has a client of its own, so an acknowledgement that comes
too late goes nowhere instead of to another message with the same number.
"""

import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from stadtherz.base.time import now_us
from stadtherz.ingest.connections.inbox import Inbox, Message
from stadtherz.ingest.connections.words import Problem
from stadtherz.ingest.downlinks.documents import Push
from stadtherz.ingest.downlinks.handing import Fate

V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
_EXPIRY_S = 7 * 24 * 3600
_IN_FLIGHT = 1_000
_LARGEST_PACKET = 32 * 1024 * 1024
_KEEPALIVE_S = 30
_PATIENCE_S = 15.0
_QOS = 1
_UNSUPPORTED, _BAD_NAME, _NOT_ALLOWED = 132, 134, 135  # MQTT 5.0 §3.2.2.2
_TAKEN_OVER = 142


@dataclass(frozen=True, slots=True)
class Address:
    """Where and as whom. `password` is not shown by `repr`, so no log has it."""

    host: str
    port: int
    tls: bool
    ca: str
    user_name: str
    password: str = field(repr=False)
    client_id: str
    subscription: str

    @property
    def facts(self) -> dict[str, Any]:
        return {"host": self.host, "port": self.port}


class Broken(Exception):
    """The link cannot be made, or is gone. `other_version`: perhaps the broker speaks the other one."""

    def __init__(
        self,
        problem: Problem,
        facts: Mapping[str, Any] | None = None,
        *,
        other_version: bool = False,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.facts = dict(facts or {})
        self.other_version = other_version


class Link:
    def __init__(self, address: Address, version: MQTTProtocolVersion, inbox: Inbox) -> None:
        self._address = address
        self._version = version
        self._inbox = inbox
        self._changed = threading.Condition()
        self._ready = False
        self._answered = False
        self._closing = False
        self._earlier = ""
        self._published_ids: dict[int, bool] = {}  # packet number and whether it was taken
        self.ended: Broken | None = None
        self._client = self._made()

    def _made(self) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            self._address.client_id,
            clean_session=None if self._version == V5 else False,
            protocol=self._version,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = _PATIENCE_S
        if self._address.user_name:
            client.username_pw_set(self._address.user_name, self._address.password or None)
        if self._address.tls:
            client.tls_set_context(ssl.create_default_context(cadata=self._address.ca or None))
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._came
        client.on_publish = self._published
        client.on_disconnect = self._gone
        return client

    def open(self, earlier: str) -> None:
        """Connect and subscribe; `earlier` is what the session was subscribed to. Raises Broken."""
        self._earlier = earlier
        try:
            self._connect()
            self._client.loop_start()
            with self._changed:
                self._changed.wait_for(lambda: self._ready or self.ended, _PATIENCE_S)
                if not self._ready:
                    raise self.ended or Broken(Problem.NO_ANSWER, self._address.facts)
        except Broken:
            self.close()
            raise

    def _connect(self) -> None:
        more: dict[str, Any] = {}
        if self._version == V5:
            properties = _properties(
                PacketTypes.CONNECT,
                SessionExpiryInterval=_EXPIRY_S,
                ReceiveMaximum=_IN_FLIGHT,
                MaximumPacketSize=_LARGEST_PACKET,
            )
            more = {"clean_start": False, "properties": properties}
        try:
            self._client.connect(self._address.host, self._address.port, _KEEPALIVE_S, **more)
        except (OSError, ValueError) as problem:
            raise self._explained(problem) from problem

    def _explained(self, problem: Exception) -> Broken:
        facts = self._address.facts
        match problem:
            case ssl.SSLCertVerificationError():
                return Broken(Problem.CERTIFICATE, {**facts, "told": problem.verify_message})
            case ssl.SSLError() | ConnectionResetError() if self._address.tls:
                return Broken(Problem.NO_TLS, facts)
            case socket.gaierror() | ValueError():
                return Broken(Problem.NO_NAME, facts)
            case ConnectionRefusedError():
                return Broken(Problem.NOBODY_LISTENS, facts)
            case _:
                return Broken(Problem.NO_ANSWER, facts)

    # --- called by paho's thread -----------------------------------------------------------------

    def _connected(
        self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _more: Any
    ) -> None:
        self._answered = True
        if reason.is_failure:
            self._end(self._refused(reason))
            return
        if self._earlier and self._earlier != self._address.subscription:
            client.unsubscribe(self._earlier)
        if self._version == V5:
            once = SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
            client.subscribe(
                self._address.subscription, options=SubscribeOptions(_QOS, retainHandling=once)
            )
        else:
            client.subscribe(self._address.subscription, _QOS)

    def _refused(self, reason: ReasonCode) -> Broken:
        if reason.value in (_BAD_NAME, _NOT_ALLOWED):
            return Broken(Problem.CREDENTIALS, self._address.facts)
        facts = {**self._address.facts, "told": reason.getName()}
        return Broken(Problem.REFUSED, facts, other_version=reason.value == _UNSUPPORTED)

    def _subscribed(
        self, _client: Any, _data: Any, _id: int, reasons: list[ReasonCode], _more: Any
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._end(Broken(Problem.SUBSCRIPTION, {"topic": self._address.subscription}))
            return
        with self._changed:
            self._ready = True
            self._changed.notify_all()

    def _came(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        number, qos = message.mid, message.qos
        self._inbox.put(
            Message(
                topic=message.topic,
                payload=bytes(message.payload),
                received=now_us(),
                acknowledge=lambda: client.ack(number, qos),
            ),
            may_wait=lambda: self.ended is None and not self._closing,
        )

    def _published(
        self, _client: Any, _data: Any, number: int, reason: ReasonCode, _more: Any
    ) -> None:
        with self._changed:
            self._published_ids[number] = not reason.is_failure
            self._changed.notify_all()

    def _gone(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _more: Any) -> None:
        if reason.value == _TAKEN_OVER:
            self._end(Broken(Problem.TAKEN_OVER))
        elif not self._answered:
            self._end(Broken(Problem.HUNG_UP, self._address.facts, other_version=True))
        else:
            self._end(Broken(Problem.CLOSED, {"told": reason.getName()}))

    def _end(self, why: Broken) -> None:
        with self._changed:
            self.ended = self.ended or why
            self._changed.notify_all()
        self._inbox.ring()

    # --- called by our thread --------------------------------------------------------------------

    def publish(self, push: Push) -> Fate:
        """Hand a message to the broker; returns when it has answered, or will not any more."""
        if self.ended is not None:
            return Fate.NOT_SENT
        self._published_ids.clear()
        info = self._client.publish(push.topic, push.body, push.qos)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            return Fate.NOT_SENT
        with self._changed:
            self._changed.wait_for(
                lambda: info.mid in self._published_ids or self.ended, _PATIENCE_S
            )
            taken = self._published_ids.get(info.mid)
        if taken is None:
            return Fate.PERHAPS
        return Fate.TAKEN if taken else Fate.REFUSED

    def close(self, *, forget: bool = False) -> None:
        """Say goodbye; `forget`: nobody comes back for what the broker would keep (MQTT 5 only)."""
        self._closing = True
        properties = None
        if forget and self._version == V5:
            properties = _properties(PacketTypes.DISCONNECT, SessionExpiryInterval=0)
        if self._client.disconnect(properties=properties) is MQTTErrorCode.MQTT_ERR_SUCCESS:
            with self._changed:
                self._changed.wait_for(lambda: self.ended, 1.0)
        self._client.loop_stop()


def _properties(kind: int, **values: int) -> Properties:
    made = Properties(kind)  # type: ignore[no-untyped-call]  # paho gives no type here
    for name, value in values.items():
        setattr(made, name, value)
    return made
