"""Messages to devices as networks want them: pure text.

ChirpStack v4: integrations, MQTT, `command/down`. The Things Stack v3: MQTT server, `down/push`.
"""

from base64 import b64encode
from dataclasses import dataclass

import orjson

from stadtherz.ingest.documents.uplink import OURS


@dataclass(frozen=True, slots=True)
class Push:
    topic: str
    body: bytes
    qos: int


@dataclass(frozen=True, slots=True)
class Content:
    key: str
    dev_eui: str
    f_port: int
    payload: bytes
    confirmed: bool


def push(network: str, way: str, content: Content) -> Push:
    """`way` is the part of the device's topics that they all begin with."""
    data = b64encode(content.payload).decode()
    if network == "chirpstack":
        command = {
            "id": content.key,
            "devEui": content.dev_eui.lower(),
            "confirmed": content.confirmed,
            "fPort": content.f_port,
            "data": data,
        }
        return Push(f"{way}/command/down", orjson.dumps(command), qos=1)
    downlink = {
        "f_port": content.f_port,
        "frm_payload": data,
        "confirmed": content.confirmed,
        "priority": "NORMAL",
        "correlation_ids": [OURS + content.key],
    }
    # The Things Stack knows quality 0 only; its event `down/queued` says that it has the message.
    return Push(f"{way}/down/push", orjson.dumps({"downlinks": [downlink]}), qos=0)


def way(network: str, topic: str) -> str:
    """What the topics of a device begin with; empty where a topic does not show it."""
    levels = topic.split("/")
    if network == "chirpstack" and len(levels) > 4 and levels[-2] == "event":
        return "/".join(levels[:-2])
    if network == "tts" and levels[0] == "v3" and len(levels) > 4 and levels[2] == "devices":
        return "/".join(levels[:4])
    return ""
