"""Messages to devices as networks take them by HTTP: pure text.

The Things Stack v3 (webhooks, `down/push`), ChirpStack v4 (its REST proxy, the device's queue), LORIOT (`/1/rest`)
and Actility ThingPark (`/thingpark/lrc/rest/downlink`, signed where the application server has a key).
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from uuid import UUID

import orjson

from stadtherz.base.time import Micros, from_us
from stadtherz.ingest.documents.uplink import OURS
from stadtherz.ingest.downlinks.documents import Content

NETWORKS = ("tts", "chirpstack", "loriot", "actility")


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a network takes messages: the parts of its addresses, and the key, which no `repr` shows."""

    network: str
    application: str = ""
    webhook: str = ""
    device: str = ""  # what The Things Stack calls it
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A POST: path with parameters, body, and headers."""

    path: str = field(repr=False)  # it may hold a signature
    body: bytes
    headers: Mapping[str, str] = field(repr=False)


def call(to: Reached, content: Content, now: Micros) -> Call:
    """How this network is told."""
    match to.network:
        case "tts":
            return _tts(to, content)
        case "chirpstack":
            return _chirpstack(to, content)
        case "loriot":
            return _loriot(to, content)
        case _:
            return _actility(to, content, now)


def _tts(to: Reached, content: Content) -> Call:
    downlink = {
        "f_port": content.f_port,
        "frm_payload": b64encode(content.payload).decode(),
        "confirmed": content.confirmed,
        "priority": "NORMAL",
        "correlation_ids": [OURS + content.key],
    }
    names = [quote(each, safe="") for each in (to.application, to.webhook, to.device)]
    path = "/api/v3/as/applications/{}/webhooks/{}/devices/{}/down/push".format(*names)
    return Call(path, orjson.dumps({"downlinks": [downlink]}), _bearer(to.key))


def _chirpstack(to: Reached, content: Content) -> Call:
    item = {
        "confirmed": content.confirmed,
        "data": b64encode(content.payload).decode(),
        "fPort": content.f_port,
    }
    path = f"/api/devices/{content.dev_eui.lower()}/queue"
    headers = _bearer(to.key) | {"Grpc-Metadata-Authorization": f"Bearer {to.key}"}
    return Call(path, orjson.dumps({"queueItem": item}), headers)


def _loriot(to: Reached, content: Content) -> Call:
    command: dict[str, Any] = {
        "cmd": "tx",
        "EUI": content.dev_eui,
        "port": content.f_port,
        "confirmed": content.confirmed,
        "data": content.payload.hex().upper(),
        "appid": to.application,
    }
    return Call("/1/rest", orjson.dumps(command), _bearer(to.key))


def _actility(to: Reached, content: Content, now: Micros) -> Call:
    """The token is the SHA-256 of the parameters as they are read, and the key in lower case."""
    told = {
        "DevEUI": content.dev_eui,
        "FPort": str(content.f_port),
        "Payload": content.payload.hex(),
        **({"Confirmed": "1"} if content.confirmed else {}),
    }
    if to.application and to.key:
        told |= {"AS_ID": to.application, "Time": _time(now)}
        plain = "&".join(f"{name}={value}" for name, value in told.items())
        told["Token"] = sha256((plain + to.key.lower()).encode()).hexdigest()
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in told.items())
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return Call(f"/thingpark/lrc/rest/downlink?{query}", b"", kind)


def _time(now: Micros) -> str:
    moment = from_us(now)
    assert moment.utcoffset() == timedelta(0)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}+00:00"


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}


def key_told(network: str, answer: bytes) -> UUID | None:
    """What the network calls the message from now on, where it chooses that itself (ChirpStack)."""
    if network != "chirpstack":
        return None
    try:
        return UUID(orjson.loads(answer)["id"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def complaint(network: str, answer: bytes) -> str:
    """What an answer of 2xx says against it all the same; empty if it was taken."""
    if network != "loriot":
        return ""
    try:
        told = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(told, dict):
        return ""
    return str(told.get("error") or "")
