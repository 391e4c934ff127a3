"""What a simulated device's network sends: the documents of five networks, ChirpStack's in two versions.

Each is written with the members, the types and the omissions of recorded ones: ChirpStack and The
Things Stack leave zero out, ThingPark writes numbers as text, version 3 of ChirpStack base64 EUIs.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from stadtherz.base.time import Micros, iso
from stadtherz.simulate.devices import Heard, SimulatedDevice
from stadtherz.simulate.kinds import Values

Document = dict[str, Any]

_APPLICATION = "stadtherz-simulator"
_APPLICATION_ID = "5d1c7f0e-7a54-4c5e-9a41-53494d000001"
_FREQUENCY = 868_100_000  # Hz


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of a device as its network received it at `at`.

    `session` changes when the device joins anew. `decoded` is None where the network has no codec.
    """

    device: SimulatedDevice
    at: Micros
    session: int
    f_cnt: int
    payload: bytes
    decoded: Values | None
    heard: tuple[Heard, ...]

    @property
    def address(self) -> str:
        """The device address of this session: eight hexadecimal digits."""
        return f"26{self._digest()[:6]}".upper()

    def _digest(self) -> str:
        return sha256(f"{self.device.dev_eui}:{self.session}".encode()).hexdigest()

    @property
    def session_key(self) -> str:
        return b64encode(bytes.fromhex(self._digest()[:32])).decode()

    @property
    def id(self) -> str:
        """As a network makes one up for each message."""
        told = f"{self.device.dev_eui}:{self.session}:{self.f_cnt}:{self.at}"
        return str(UUID(bytes=sha256(told.encode()).digest()[:16], version=4))


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: the body, the query of the webhook's address and the network's own MQTT topic."""

    body: bytes
    query: str
    topic: str


def uplink(frame: Frame) -> Message:
    """The document of a measurement."""
    return _FORMS[frame.device.form](frame, "up")


def join(frame: Frame) -> Message | None:
    """The document that tells of a device's joining; None where the network sends none."""
    form = frame.device.form
    return _FORMS[form](frame, "join") if form in _TELL_JOINS else None


_TELL_JOINS = frozenset({"tts", "chirpstack", "chirpstack3", "actility"})


def _message(document: Document, *, topic: str, query: str = "") -> Message:
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Message(body.encode(), query, topic)


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _base64_hex(text: str) -> str:
    return _base64(bytes.fromhex(text))


def _tts(frame: Frame, event: str) -> Message:
    device = frame.device
    name = f"sim-{device.kind.key}-{device.number:05}"
    document: Document = {
        "end_device_ids": {
            "device_id": name,
            "application_ids": {"application_id": _APPLICATION},
            "dev_eui": device.dev_eui,
            "join_eui": "0253494D00000000",
            "dev_addr": frame.address,
        },
        "correlation_ids": [f"gs:uplink:{frame.id}"],
        "received_at": iso(frame.at + 210_000),
    }
    if event == "join":
        document["join_accept"] = {
            "session_key_id": frame.session_key,
            "received_at": iso(frame.at),
        }
    else:
        document["uplink_message"] = _tts_uplink(frame)
    return _message(document, topic=f"v3/{_APPLICATION}@simulator/devices/{name}/{event}")


def _tts_uplink(frame: Frame) -> Document:
    told: Document = {"session_key_id": frame.session_key, "f_port": frame.device.kind.f_port}
    if frame.f_cnt:
        told["f_cnt"] = frame.f_cnt
    told["frm_payload"] = _base64(frame.payload)
    if frame.decoded is not None:
        told["decoded_payload"] = dict(frame.decoded)
    told["rx_metadata"] = [
        {
            "gateway_ids": {
                "gateway_id": f"sim-gateway-{heard.gateway.number}",
                "eui": heard.gateway.id,
            },
            "time": iso(frame.at - 40_000),
            "rssi": int(heard.rssi),
            "channel_rssi": int(heard.rssi),
            "snr": heard.snr,
            "location": {
                "latitude": heard.gateway.latitude,
                "longitude": heard.gateway.longitude,
                "source": "SOURCE_REGISTRY",
            },
        }
        for heard in frame.heard
    ]
    told["settings"] = {
        "data_rate": {
            "lora": {
                "bandwidth": 125_000,
                "spreading_factor": _spreading(frame),
                "coding_rate": "4/5",
            }
        },
        "frequency": str(_FREQUENCY),
    }
    told["consumed_airtime"] = "0.061696s"
    told["received_at"] = iso(frame.at)
    return told


def _chirpstack(frame: Frame, event: str) -> Message:
    device = frame.device
    document: Document = {
        "deduplicationId": frame.id,
        "time": iso(frame.at).replace("Z", "+00:00"),
        "deviceInfo": {
            "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
            "tenantName": "Simulator",
            "applicationId": _APPLICATION_ID,
            "applicationName": _APPLICATION,
            "deviceProfileName": device.kind.description,
            "deviceName": device.name,
            "devEui": device.dev_eui.lower(),
            "tags": {},
        },
        "devAddr": frame.address.lower(),
    }
    if event == "up":
        document |= _chirpstack_uplink(frame)
    topic = f"application/{_APPLICATION_ID}/device/{device.dev_eui.lower()}/event/{event}"
    return _message(document, topic=topic, query=f"event={event}")


def _chirpstack_uplink(frame: Frame) -> Document:
    told: Document = {"adr": True, "dr": 12 - _spreading(frame)}
    if frame.f_cnt:
        told["fCnt"] = frame.f_cnt
    told |= {"fPort": frame.device.kind.f_port, "data": _base64(frame.payload)}
    if frame.decoded is not None:
        told["object"] = dict(frame.decoded)
    told["rxInfo"] = [
        {
            "gatewayId": heard.gateway.id.lower(),
            "uplinkId": 40_000 + frame.f_cnt,
            "nsTime": iso(frame.at + 60_000).replace("Z", "+00:00"),
            "rssi": int(heard.rssi),
            "snr": heard.snr,
            "location": {
                "latitude": heard.gateway.latitude,
                "longitude": heard.gateway.longitude,
            },
            "crcStatus": "CRC_OK",
        }
        for heard in frame.heard
    ]
    told["txInfo"] = {
        "frequency": _FREQUENCY,
        "modulation": {
            "lora": {
                "bandwidth": 125_000,
                "spreadingFactor": _spreading(frame),
                "codeRate": "CR_4_5",
            }
        },
    }
    return told


def _chirpstack3(frame: Frame, event: str) -> Message:
    device = frame.device
    document: Document = {
        "applicationID": "1",
        "applicationName": _APPLICATION,
        "deviceName": device.name,
        "devEUI": _base64_hex(device.dev_eui),
    }
    if event == "up":
        document |= {
            "rxInfo": [
                {
                    "gatewayID": _base64_hex(heard.gateway.id),
                    "time": iso(frame.at),
                    "rssi": int(heard.rssi),
                    "loRaSNR": heard.snr,
                    "location": {
                        "latitude": heard.gateway.latitude,
                        "longitude": heard.gateway.longitude,
                        "altitude": 250,
                    },
                }
                for heard in frame.heard
            ],
            "txInfo": {
                "frequency": _FREQUENCY,
                "modulation": "LORA",
                "loRaModulationInfo": {
                    "bandwidth": 125,
                    "spreadingFactor": _spreading(frame),
                    "codeRate": "4/5",
                },
            },
            "adr": True,
            "dr": 12 - _spreading(frame),
            "fCnt": frame.f_cnt,
            "fPort": device.kind.f_port,
            "data": _base64(frame.payload),
            "objectJSON": "" if frame.decoded is None else json.dumps(dict(frame.decoded)),
            "confirmedUplink": False,
        }
    document |= {"devAddr": _base64_hex(frame.address), "publishedAt": iso(frame.at)}
    topic = f"application/1/device/{device.dev_eui.lower()}/event/{event}"
    return _message(document, topic=topic, query=f"event={event}")


def _actility(frame: Frame, event: str) -> Message:
    device = frame.device
    port = str(device.kind.f_port) if event == "up" else ""
    told: Document = {"Time": _with_offset(frame.at), "DevEUI": device.dev_eui}
    if event == "join":
        told |= {"rawJoinRequest": f"00{'4d' * 22}", "MType": 0, "Late": 0}
    else:
        told |= {
            "FPort": port,
            "FCntUp": str(frame.f_cnt),
            "ADRbit": "1",
            "MType": "2",
            "payload_hex": frame.payload.hex(),
            "SpFact": str(_spreading(frame)),
            "DevLrrCnt": str(len(frame.heard)),
            "Late": "0",
            **_best(frame),
            "Frequency": 868.1,
        }
        if frame.decoded is not None:
            told["payload"] = dict(frame.decoded)
    told |= {"CustomerID": "100000001", "DevAddr": frame.address}
    query = f"LrnDevEui={device.dev_eui}&LrnFPort={port}&LrnInfos=simulator&AS_ID=simulator"
    document = {"DevEUI_uplink": told}
    return _message(document, topic=f"actility/{device.dev_eui}/{event}", query=query)


def _best(frame: Frame) -> Document:
    """The loudest gateway, and all of them."""
    if not frame.heard:
        return {}
    best = frame.heard[0]
    return {
        "Lrrid": best.gateway.id[-8:],
        "LrrRSSI": f"{best.rssi:.6f}",
        "LrrSNR": f"{best.snr:.6f}",
        "LrrLAT": f"{best.gateway.latitude:.6f}",
        "LrrLON": f"{best.gateway.longitude:.6f}",
        "Lrrs": {
            "Lrr": [
                {
                    "Lrrid": heard.gateway.id[-8:],
                    "Chain": "0",
                    "LrrRSSI": f"{heard.rssi:.6f}",
                    "LrrSNR": f"{heard.snr:.6f}",
                }
                for heard in frame.heard
            ]
        },
    }


def _loriot(frame: Frame, _event: str) -> Message:
    device = frame.device
    milliseconds = frame.at // 1000
    document: Document = {
        "cmd": "gw",
        "seqno": frame.session % 1_000_000 + frame.f_cnt,
        "EUI": device.dev_eui,
        "ts": milliseconds,
        "fcnt": frame.f_cnt,
        "port": device.kind.f_port,
        "freq": _FREQUENCY,
        "toa": 61,
        "dr": f"SF{_spreading(frame)} BW125 4/5",
        "ack": False,
        "gws": [
            {
                "rssi": int(heard.rssi),
                "snr": heard.snr,
                "ts": milliseconds,
                "time": iso(frame.at),
                "gweui": heard.gateway.id,
                "ant": 0,
                "lat": heard.gateway.latitude,
                "lon": heard.gateway.longitude,
            }
            for heard in frame.heard
        ],
        "bat": 255,
        "data": frame.payload.hex(),
    }
    if frame.decoded is not None:
        document["decoded"] = dict(frame.decoded)
    return _message(document, topic=f"loriot/{device.dev_eui}/up")


def _helium(frame: Frame, _event: str) -> Message:
    device = frame.device
    milliseconds = frame.at // 1000
    document: Document = {
        "dev_eui": device.dev_eui,
        "app_eui": "0253494D00000000",
        "devaddr": frame.address,
        "fcnt": frame.f_cnt,
        "hotspots": [
            {
                "channel": 0,
                "frequency": 868.1,
                "id": f"sim{heard.gateway.id}",
                "name": f"simulated-hotspot-{heard.gateway.number}",
                "lat": heard.gateway.latitude,
                "long": heard.gateway.longitude,
                "reported_at": milliseconds,
                "rssi": heard.rssi,
                "snr": heard.snr,
                "spreading": f"SF{_spreading(frame)}BW125",
                "status": "success",
            }
            for heard in frame.heard
        ],
        "id": frame.session_key,
        "name": device.name,
        "payload": _base64(frame.payload),
        "payload_size": len(frame.payload),
        "port": device.kind.f_port,
        "replay": False,
        "reported_at": milliseconds,
        "type": "uplink",
        "uuid": frame.id,
    }
    if frame.decoded is not None:
        document["decoded"] = {"status": "success", "payload": dict(frame.decoded)}
    return _message(document, topic=f"helium/{device.dev_eui}/up")


def _spreading(frame: Frame) -> int:
    """The further the nearest gateway, the slower: SF7 to SF12."""
    if not frame.heard:
        return 12
    return min(12, max(7, 7 + round((-85 - frame.heard[0].rssi) / 5)))


def _with_offset(at: Micros) -> str:
    """Milliseconds and an offset, as ThingPark writes times."""
    text = iso(at + 3_600_000_000 - at % 1000)
    return (text[:-1] if "." in text else f"{text[:-1]}.000") + "+01:00"


_FORMS: Mapping[str, Callable[[Frame, str], Message]] = {
    "tts": _tts,
    "chirpstack": _chirpstack,
    "chirpstack3": _chirpstack3,
    "actility": _actility,
    "loriot": _loriot,
    "helium": _helium,
}
