"""A station's uplinks in the words of the network it speaks through."""

from base64 import b64encode
from collections.abc import Callable, Mapping

import orjson

from stadtherz.base.time import Micros, iso
from stadtherz.demo.recordings import Station

Document = dict[str, object]


def document(station: Station, number: int, at: Micros) -> Document:
    """The `number`th live uplink of a station, received by its network at `at`."""
    values = station.row(number).values
    payload = {path: values[path] for path in station.fields}
    return _NETWORKS[station.network](station, number, at, payload)


def _tts(station: Station, number: int, at: Micros, payload: Mapping[str, float]) -> Document:
    """As The Things Stack v3 sends it."""
    return {
        "end_device_ids": {
            "device_id": f"demo-{station.key}",
            "application_ids": {"application_id": "stadtherz-demo"},
            "dev_eui": station.dev_eui,
            "dev_addr": station.dev_eui[-8:],
        },
        "received_at": iso(at),
        "uplink_message": {
            "session_key_id": "c3RhZHRoZXJ6LWRlbW8=",
            "f_port": 1,
            "f_cnt": number,
            "frm_payload": _packed(payload),
            "decoded_payload": payload,
            "rx_metadata": [
                {"gateway_ids": {"gateway_id": "demo-gateway"}, "rssi": -97, "snr": 7.5}
            ],
            "settings": {"data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}}},
            "received_at": iso(at),
        },
    }


def _chirpstack(
    station: Station, number: int, at: Micros, payload: Mapping[str, float]
) -> Document:
    """As ChirpStack v4 sends it."""
    return {
        "deduplicationId": f"demo-{station.key}-{number}",
        "time": iso(at),
        "deviceInfo": {
            "applicationName": "stadtherz-demo",
            "deviceName": station.name,
            "devEui": station.dev_eui.lower(),
        },
        "devAddr": station.dev_eui[-8:].lower(),
        "fCnt": number,
        "fPort": 1,
        "data": _packed(payload),
        "object": payload,
        "rxInfo": [{"gatewayId": "0016c001f153a14c", "rssi": -101, "snr": 6.2}],
        "txInfo": {
            "frequency": 868_100_000,
            "modulation": {"lora": {"bandwidth": 125_000, "spreadingFactor": 7}},
        },
    }


def _packed(payload: Mapping[str, float]) -> str:
    return b64encode(orjson.dumps(payload)).decode()


_NETWORKS: Mapping[str, Callable[[Station, int, Micros, Mapping[str, float]], Document]] = {
    "tts": _tts,
    "chirpstack": _chirpstack,
}
