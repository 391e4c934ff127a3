"""Somebody wants to tell a device something: checked, encoded and kept until a connection takes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from django.utils.translation import gettext

from stadtherz.base.errors import Conflict, Invalid, NotFound
from stadtherz.base.time import Micros, now_us
from stadtherz.ingest.devices.decoding import known_codec
from stadtherz.ingest.downlinks import servers, states
from stadtherz.ingest.downlinks.encoding import encode
from stadtherz.ingest.downlinks.models import Downlink, DownlinkWay
from stadtherz.ingest.downlinks.states import State
from stadtherz.ingest.models import Device

PORTS = range(1, 224)  # LoRaWAN 1.0.4 §4.3.2
LARGEST = 242  # bytes at the best data rate
_LONGEST = 10_000
_MOST_WAITING = 20


@dataclass(frozen=True, slots=True)
class Worked:
    """A message as a device gets it; `asked` is the object that a codec made it of."""

    payload: bytes
    f_port: int
    asked: Mapping[str, Any] | None


def send_downlink(
    device: Device, content: str, f_port: int | None, *, actor: str, confirmed: bool = False
) -> Downlink:
    """Keep a message: `content` is hexadecimal digits, or a JSON object for the device's codec, which may
    also say the port.

    Raises Invalid naming `content` or `port`, Conflict where the device cannot be reached or too many
    messages wait for it, Unavailable if no codec worker answers.
    """
    worked = work_out(device, content, f_port)
    return keep(device, worked, actor=actor, confirmed=confirmed, asked_at=now_us())


def work_out(device: Device, content: str, f_port: int | None) -> Worked:
    """What would be sent; raises as `send_downlink`."""
    if not DownlinkWay.objects.filter(device=device).exists() and not servers.is_reached(device):
        raise Conflict(
            gettext(
                "Nobody knows the way to this device yet: it needs a connection to its network’s broker, or a"
                " server that takes messages to its devices, and one message that came from it."
            )
        )
    waiting = Downlink.objects.filter(device=device, state=State.QUEUED).count()
    if waiting >= _MOST_WAITING:
        raise Conflict(gettext("Too many messages wait for this device already."))
    asked = _object(content)
    payload = _bytes(content) if asked is None else b""
    if asked is not None:
        payload, f_port = _by_codec(device, asked, f_port)
    if f_port is None or f_port not in PORTS:
        raise Invalid("port", gettext("Must be between 1 and 223."))
    if len(payload) > LARGEST:
        raise Invalid("content", gettext("LoRaWAN carries at most 242 bytes."))
    return Worked(payload, f_port, asked)


def keep(
    device: Device, worked: Worked, *, actor: str, confirmed: bool, asked_at: Micros
) -> Downlink:
    """Put it in the queue; the age of what waits counts from `asked_at`."""
    return Downlink.objects.create(
        device=device,
        f_port=worked.f_port,
        payload=worked.payload,
        asked=worked.asked,
        confirmed=confirmed,
        created_by=actor[:200],
        created_at=asked_at,
        changed_at=now_us(),
    )


def _object(content: str) -> dict[str, Any] | None:
    if len(content) > _LONGEST:
        raise Invalid("content", gettext("This is too long."))
    if not content.lstrip().startswith("{"):
        return None
    try:
        told: dict[str, Any] = orjson.loads(content)
    except orjson.JSONDecodeError as problem:
        raise Invalid("content", gettext("This is no JSON object.")) from problem
    return told


def _bytes(content: str) -> bytes:
    try:
        payload = bytes.fromhex(re.sub(r"[\s:-]", "", content))
    except ValueError as problem:
        raise Invalid(
            "content",
            gettext("Write hexadecimal digits, two for each byte, or a JSON object for the codec."),
        ) from problem
    if not payload:
        raise Invalid("content", gettext("Write at least one byte."))
    return payload


def _by_codec(
    device: Device, asked: Mapping[str, Any], f_port: int | None
) -> tuple[bytes, int | None]:
    kind = device.device_type
    codec = known_codec(device.codec_id or (kind.codec_id if kind else None))
    if codec is None:
        raise Invalid("content", gettext("This device has no codec; write bytes."))
    encoded = encode(codec, asked, f_port or 1, device.variables)
    return encoded.payload, f_port or encoded.f_port


def send_again(downlink: Downlink, *, actor: str) -> Downlink:
    """The same message once more, as a person decided who knows that it may come twice."""
    now = now_us()
    may = (State.UNKNOWN, State.FAILED)
    rows = Downlink.objects.filter(pk=downlink.pk, state__in=may).exclude(reason=states.REPLACED)
    if not rows.update(state=State.FAILED, reason=states.REPLACED, changed_at=now):
        raise NotFound("Downlink that failed")
    return Downlink.objects.create(
        device_id=downlink.device_id,
        f_port=downlink.f_port,
        payload=downlink.payload,
        asked=downlink.asked,
        confirmed=downlink.confirmed,
        created_by=actor[:200],
        created_at=now,
        changed_at=now,
    )


def withdraw(downlink: Downlink) -> None:
    """Take back one that is not handed over. Raises NotFound where it is too late."""
    rows = Downlink.objects.filter(pk=downlink.pk, state=State.QUEUED)
    news = {"state": State.FAILED, "reason": states.WITHDRAWN, "changed_at": now_us()}
    if not rows.update(**news):
        raise NotFound("Downlink that waits")
