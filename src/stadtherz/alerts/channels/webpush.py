"""A message pushed to a browser (RFC 8030), which alone can read it (RFC 8291), in this city's name (RFC 8292).

The maker of the browser runs the server in between. It sees when and to which device something goes, and
how large it is, but nothing of what it says.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

from stadtherz.alerts.channels.outside import judge, post
from stadtherz.alerts.channels.places import check_url
from stadtherz.base.errors import Invalid
from stadtherz.base.time import SECOND, now_us
from stadtherz.kit.declaration import Severity

LARGEST = 3_900  # bytes of text; with what the cipher adds, no server must refuse them
_TTL_S = 3_600  # who looks at the telephone later finds the alarm board up to date, not old news
_TOKEN_S = 12 * 3_600
_POINT, _AUTH = 65, 16  # bytes
_LONGEST_URL = 1_000
_GONE = frozenset({404, 410})
_URGENCY = {Severity.DANGER: "high", Severity.WARNING: "high", Severity.INFO: "normal"}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: the private key in PEM, and how the push server reaches us if something is wrong."""

    private: str
    contact: str


@dataclass(frozen=True, slots=True)
class Device:
    """A browser that wants messages: where its push server is, and its keys."""

    endpoint: str
    point: str
    auth: str

    @property
    def details(self) -> dict[str, str]:
        """The keys as they are kept."""
        return {"p256dh": self.point, "auth": self.auth}


def device(subscription: Any) -> Device:
    """What a browser gave as its PushSubscription in JSON. Raises Invalid, naming what is wrong."""
    if not isinstance(subscription, Mapping) or not isinstance(subscription.get("keys"), Mapping):
        raise Invalid("subscription", "is no push subscription")
    endpoint = subscription.get("endpoint")
    if not isinstance(endpoint, str) or len(endpoint) > _LONGEST_URL:
        raise Invalid("endpoint", "is no address of a push server")
    check_url(endpoint)
    keys = subscription["keys"]
    found = Device(endpoint, _key(keys, "p256dh", _POINT), _key(keys, "auth", _AUTH))
    _check_point(found.point)
    return found


def of_details(endpoint: str, details: Mapping[str, Any]) -> Device:
    """A device as it was kept."""
    return Device(endpoint, str(details.get("p256dh", "")), str(details.get("auth", "")))


def push(
    to: Device,
    content: Mapping[str, Any],
    sender: Sender,
    *,
    topic: str,
    severity: Severity,
    goes_next: Callable[[], None],
) -> None:
    """Hand it over; a newer message of the same topic takes the place of one that still waits there.

    Raises NotHandedOver, Gone (the device has unsubscribed) or PerhapsHandedOver.
    """
    headers = {
        "Authorization": authorization(sender, to.endpoint),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(_TTL_S),
        "Topic": topic,
        "Urgency": _URGENCY.get(severity, "normal"),
    }
    body = sealed_for(to, shortened(content))
    judge(post(to.endpoint, body, headers, goes_next=goes_next), gone=_GONE)


def shortened(content: Mapping[str, Any]) -> bytes:
    """The message as JSON; its sentence is cut where the whole would be too long."""
    body = orjson.dumps(content)
    if len(body) <= LARGEST:
        return body
    kept = str(content.get("body", "")).encode()[: -(len(body) - LARGEST + 8)]
    return orjson.dumps({**content, "body": f"{kept.decode('utf-8', 'ignore')} …"})


def sealed_for(to: Device, text: bytes) -> bytes:
    """The text so that only the device can read it, and cannot be told apart from others by its sender's key."""
    import http_ece  # noqa: PLC0415 - brings ciphers along, seldom needed
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    encrypted: bytes = http_ece.encrypt(
        text,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=_bytes(to.point),
        auth_secret=_bytes(to.auth),
        version="aes128gcm",
    )
    return encrypted


def authorization(sender: Sender, endpoint: str) -> str:
    """The header by which the push server knows whose message it is."""
    from py_vapid import Vapid02  # noqa: PLC0415

    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": now_us() // SECOND + _TOKEN_S,
        "sub": sender.contact,
    }
    signed: str = Vapid02.from_pem(sender.private.encode()).sign(claims)["Authorization"]
    return signed


def new_keys() -> tuple[str, str]:
    """A private key in PEM, and the public one as browsers want it."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return private, base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def _key(keys: Mapping[str, Any], name: str, length: int) -> str:
    value = keys.get(name)
    try:
        right = isinstance(value, str) and len(_bytes(value)) == length
    except (binascii.Error, ValueError):
        right = False
    if not right:
        raise Invalid(name, "is no key of a push subscription")
    return str(value)


def _check_point(point: str) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(point))
    except ValueError as problem:
        raise Invalid("p256dh", "is no key of a push subscription") from problem


def _bytes(value: str) -> bytes:
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
