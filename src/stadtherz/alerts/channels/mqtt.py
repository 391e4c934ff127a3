"""A document published to a topic of a broker, with MQTT 5: it has the message when it says so (PUBACK)."""

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from stadtherz.alerts.channels.outcomes import NotHandedOver, PerhapsHandedOver
from stadtherz.base.errors import Invalid

_CONNECT_S = 5.0
_PATIENCE_S = 10.0
_EXPIRY_S = (
    3600  # a broker that keeps it for longer would tell a returning client of a flood that is over
)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_NO_SUBSCRIBERS = 0x10
_BAD_LOGIN = frozenset({0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C})


@dataclass(frozen=True, slots=True)
class MqttBroker:
    """A broker with this city's account; the password is in no log."""

    host: str
    port: int
    tls: bool
    ca: str = ""
    user: str = ""
    password: str = field(default="", repr=False)

    def send(self, to: str, text: str, key: str, *, goes_next: Callable[[], None]) -> str:
        """Publish with QoS 1, not retained: what is wrong now is on the board, not in an old message.

        `goes_next` is called right before it leaves. Raises NotHandedOver or PerhapsHandedOver.
        """
        with _Line(self) as line:
            goes_next()
            line.publish(to, text.encode(), key)
        return key

    def check(self) -> None:
        """Log in and leave. Raises NotHandedOver."""
        with _Line(self):
            pass

    def knock(self, seconds: float) -> None:
        """As `check`, but do not wait for longer. Raises NotHandedOver."""
        with _Line(self, seconds):
            pass


def mqtt_broker(settings: Mapping[str, Any], secret: str) -> MqttBroker:
    """From a gateway's settings. Raises Invalid, which names the setting."""
    host, tls = str(settings.get("host", "")), bool(settings.get("tls", True))
    if not host:
        raise Invalid("host", "is missing")
    if not tls and host not in _LOOPBACK and not settings.get("insecure"):
        raise Invalid("tls", "must be on, or everybody on the way can read along")
    ca = str(settings.get("ca") or "")
    if ca.strip():
        try:
            ssl.create_default_context(cadata=ca)
        except (ssl.SSLError, ValueError) as problem:
            raise Invalid("ca", "is no certificate") from problem
    port = int(settings.get("port") or (8883 if tls else 1883))
    return MqttBroker(host, port, tls, ca, str(settings.get("user", "")), secret)


class _Line:
    """One connection, from the login to the end."""

    def __init__(self, broker: MqttBroker, seconds: float = _PATIENCE_S) -> None:
        self._broker = broker
        self._seconds = seconds
        self._answered = threading.Event()
        self._login: ReasonCode | None = None
        self._ended = threading.Event()
        self._reason: ReasonCode | None = None
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = min(_CONNECT_S, seconds)
        if broker.user:
            client.username_pw_set(broker.user, broker.password or None)
        if broker.tls:
            client.tls_set_context(ssl.create_default_context(cadata=broker.ca or None))
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        self._client = client

    def __enter__(self) -> "_Line":
        try:
            self._client.connect(self._broker.host, self._broker.port, keepalive=30)
        except (OSError, ValueError) as problem:
            raise NotHandedOver(f"{type(problem).__name__}: {problem}", unreached=True) from problem
        self._client.loop_start()
        answered = self._answered.wait(self._seconds)
        login = self._login
        if answered and login is not None and not login.is_failure:
            self._ended.clear()
            return self
        self._close()
        if login is None:
            raise NotHandedOver("the broker does not answer", unreached=True)
        account = login.value in _BAD_LOGIN
        raise NotHandedOver(str(login), permanent=account, account=account)

    def __exit__(self, *_problem: object) -> None:
        self._close()

    def publish(self, topic: str, body: bytes, key: str) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = "application/json"
        properties.MessageExpiryInterval = _EXPIRY_S
        properties.UserProperty = [("id", key)]
        self._client.publish(topic, body, qos=1, properties=properties)
        answered = self._ended.wait(_PATIENCE_S)
        reason = self._reason
        if not answered or reason is None:
            raise PerhapsHandedOver("the broker has not acknowledged it")
        if reason.is_failure:
            raise NotHandedOver(str(reason), permanent=True)

    def _close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _more: Any
    ) -> None:
        self._login = reason
        self._answered.set()

    def _on_publish(
        self, _client: Any, _data: Any, _mid: int, reason: ReasonCode, _more: Any
    ) -> None:
        self._reason = reason
        self._ended.set()

    def _on_disconnect(self, *_more: Any) -> None:
        self._answered.set()
        self._ended.set()
