"""ChirpStack v3: its JSON documents have other names than v4's, EUIs in base64 and decoded values as text."""

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from stadtherz.base.errors import Invalid
from stadtherz.base.time import Micros
from stadtherz.ingest.documents import uplink
from stadtherz.ingest.documents.uplink import Gateway, Other, Radio, Uplink
from stadtherz.ingest.lorawan.documents import (
    Number,
    Part,
    Position,
    Whole,
    base64_bytes,
    convert,
    counter,
    eui,
    instant,
    port,
)

NETWORK = "chirpstack"

_EVENTS = frozenset({"join", "status", "ack", "txack", "error", "location", "integration"})
_EUI_BYTES = 8


class Reception(Part, rename={"gateway_id": "gatewayID", "snr": "loRaSNR"}):
    gateway_id: str | None = None
    mac: str | None = None  # its name in the server within Milesight's gateways, and before v3
    time: str | None = None
    rssi: Number | None = None
    snr: Number | None = None
    location: Position | None = None


class LoRa(Part, rename={"spreading_factor": "spreadingFactor"}):
    spreading_factor: Whole | None = None


class Transmission(Part, rename={"lora": "loRaModulationInfo"}):
    frequency: Whole | None = None
    dr: Whole | None = None
    lora: LoRa | None = None
    data_rate: Any = msgspec.field(default=None, name="dataRate")  # in place of it, before v3

    @property
    def spreading_factor(self) -> int | None:
        if self.lora is not None:
            return self.lora.spreading_factor
        told = self.data_rate.get("spreadFactor") if isinstance(self.data_rate, dict) else None
        return told if isinstance(told, int) and 5 <= told <= 12 else None


class Document(Part, rename="camel"):
    dev_eui: str | None = msgspec.field(default=None, name="devEUI")
    application_name: str | None = None
    device_name: str | None = None
    device_profile_name: str | None = None
    dev_addr: str | None = None
    f_cnt: Whole | None = None
    f_port: Whole | None = None
    dr: Whole | None = None
    data: str | None = None
    object: dict[str, Any] | None = None
    object_json: str | None = msgspec.field(default=None, name="objectJSON")
    confirmed: bool | None = msgspec.field(default=None, name="confirmedUplink")
    published_at: str | None = None
    rx_info: list[Reception] | None = None
    tx_info: Transmission | None = None
    battery_level: Number | None = None
    battery_level_unavailable: bool | None = None
    external_power_source: bool | None = None


def is_this(document: Any) -> bool:
    return isinstance(document, dict) and "devEUI" in document and "deviceInfo" not in document


def read(document: Any, query: Mapping[str, str], *, received: Micros) -> Uplink | Other:
    """The document in the normal form; raises Invalid where it cannot be read."""
    whole = convert(document, Document)
    dev_eui = _eui(whole.dev_eui)
    time = uplink.network_time(_time(whole), received)
    event = query.get("event", "up")
    if event in _EVENTS:
        known = not (whole.battery_level_unavailable or whole.external_power_source)
        return Other(NETWORK, event, dev_eui, time, whole.battery_level if known else None)
    if event != "up":
        raise Invalid("event", f"must be up or one of {', '.join(sorted(_EVENTS))}")
    payload, decoded = base64_bytes("data", whole.data), _decoded(whole)
    f_cnt = counter("fCnt", whole.f_cnt)
    content = uplink.content(payload, decoded)
    return Uplink(
        network=NETWORK,
        dev_eui=dev_eui,
        device=whole.device_name or "",
        application=whole.application_name or "",
        time=time,
        received=received,
        f_cnt=f_cnt,
        f_port=port("fPort", whole.f_port),
        payload=payload,
        decoded=decoded,
        confirmed=bool(whole.confirmed),
        key=uplink.key(NETWORK, dev_eui, "v3", whole.dev_addr or "", f_cnt, content),
        radio=_radio(whole),
        model=whole.device_profile_name or "",
        counted=True,
    )


def _eui(told: str | None) -> str:
    """Base64, or hexadecimal as an older option of the integration writes it."""
    if told is None or len(told) == 2 * _EUI_BYTES:
        return eui("devEUI", told)
    return eui("devEUI", base64_bytes("devEUI", told).hex())


def _time(whole: Document) -> Micros | None:
    told = whole.published_at or next(
        (each.time for each in whole.rx_info or () if each.time), None
    )
    return instant("publishedAt", told)


def _decoded(whole: Document) -> dict[str, Any] | None:
    if whole.object is not None or not whole.object_json:
        return whole.object
    try:
        told = orjson.loads(whole.object_json)
    except orjson.JSONDecodeError as problem:
        raise Invalid("objectJSON", "is not JSON") from problem
    return told if isinstance(told, dict) else None


def _radio(whole: Document) -> Radio:
    sent = whole.tx_info or Transmission()
    return Radio(
        gateways=tuple(_gateway(each) for each in whole.rx_info or ()),
        frequency=sent.frequency,
        spreading_factor=sent.spreading_factor,
        data_rate=whole.dr if whole.dr is not None else sent.dr,
    )


def _gateway(reception: Reception) -> Gateway:
    told = reception.gateway_id or reception.mac or ""
    name = told if len(told) == 2 * _EUI_BYTES else base64_bytes("gatewayID", told).hex()
    return Gateway(
        id=name.upper(),
        eui=name.upper(),
        rssi=reception.rssi or 0.0,
        snr=reception.snr or 0.0,
        position=reception.location.place if reception.location else None,
    )
