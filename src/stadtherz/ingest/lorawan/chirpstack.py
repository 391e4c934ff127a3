"""ChirpStack v4 (v3: `chirpstack3`): HTTP integration events (https://www.chirpstack.io/docs → integrations, events)."""

from collections.abc import Mapping
from typing import Any

from stadtherz.base.errors import Invalid
from stadtherz.base.time import Micros
from stadtherz.ingest.documents import uplink
from stadtherz.ingest.documents.uplink import Gateway, Other, Radio, Uplink
from stadtherz.ingest.lorawan import chirpstack3
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

_EVENTS = frozenset({"join", "status", "ack", "txack", "log", "location", "integration"})
_SIGNS_OF_UP = frozenset({"data", "object", "rxInfo", "txInfo", "fCnt", "fPort"})


class Camel(Part, rename="camel"):
    """ChirpStack writes its members in camel case."""


class DeviceInfo(Camel):
    dev_eui: str | None = None
    device_name: str | None = None
    application_name: str | None = None
    device_profile_name: str | None = None


class Reception(Camel):
    gateway_id: str | None = None
    rssi: Number | None = None
    snr: Number | None = None
    location: Position | None = None


class LoRa(Camel):
    spreading_factor: Whole | None = None


class Modulation(Camel):
    lora: LoRa | None = None


class Transmission(Camel):
    frequency: Whole | None = None
    modulation: Modulation | None = None


class Document(Camel):
    deduplication_id: str | None = None
    time: str | None = None
    device_info: DeviceInfo | None = None
    dev_addr: str | None = None
    f_cnt: Whole | None = None
    f_port: Whole | None = None
    dr: Whole | None = None
    data: str | None = None
    object: dict[str, Any] | None = None
    confirmed: bool | None = None
    rx_info: list[Reception] | None = None
    tx_info: Transmission | None = None
    battery_level: Number | None = None
    battery_level_unavailable: bool | None = None
    external_power_source: bool | None = None


def read(document: Any, query: Mapping[str, str], *, received: Micros) -> Uplink | Other:
    """The document in the normal form; `query["event"]` says what it tells of."""
    if chirpstack3.is_this(document):
        return chirpstack3.read(document, query, received=received)
    whole = convert(document, Document)
    event = query.get("event") or _event(document)
    info = whole.device_info or DeviceInfo()
    dev_eui = eui("deviceInfo.devEui", info.dev_eui)
    time = uplink.network_time(instant("time", whole.time), received)
    if event in _EVENTS:
        return _other(document, event, dev_eui, time, _battery(whole))
    if event != "up":
        raise Invalid("event", f"must be up or one of {', '.join(sorted(_EVENTS))}")
    return _uplink(whole, info, dev_eui, time=time, received=received)


def _other(
    document: Mapping[str, Any], event: str, dev_eui: str, time: Micros, battery: float | None
) -> Other:
    """Of a downlink it has the id that we gave; a log names it only beside an error."""
    item, detail = document.get("queueItemId"), ""
    if event == "ack" and not document.get("acknowledged"):
        event = "nack"
    if event == "log":
        context = document.get("context")
        is_error = document.get("level") == "ERROR"
        item = context.get("queue_item_id") if is_error and isinstance(context, dict) else None
        detail = str(document.get("description") or document.get("code") or "")
    key = item if isinstance(item, str) else ""
    return Other(NETWORK, event, dev_eui, time, battery, downlink=key, detail=detail)


def _uplink(
    whole: Document, info: DeviceInfo, dev_eui: str, *, time: Micros, received: Micros
) -> Uplink:
    f_cnt = counter("fCnt", whole.f_cnt)
    payload = base64_bytes("data", whole.data)
    return Uplink(
        network=NETWORK,
        dev_eui=dev_eui,
        device=info.device_name or "",
        application=info.application_name or "",
        time=time,
        received=received,
        f_cnt=f_cnt,
        f_port=port("fPort", whole.f_port),
        payload=payload,
        decoded=whole.object,
        confirmed=bool(whole.confirmed),
        key=_key(whole, dev_eui, f_cnt, payload),
        radio=_radio(whole),
        model=info.device_profile_name or "",
        counted=not whole.deduplication_id,
    )


def _key(whole: Document, dev_eui: str, f_cnt: int, payload: bytes) -> str:
    """The network's own id; the device belongs to it, as simulators use one id for many devices."""
    if whole.deduplication_id:
        return uplink.key(NETWORK, dev_eui, "id", whole.deduplication_id)
    content = uplink.content(payload, whole.object)
    return uplink.key(NETWORK, dev_eui, "counter", whole.dev_addr or "", f_cnt, content)


def _event(document: Mapping[str, Any]) -> str:
    """What a document without `?event=` tells of, as far as its members show."""
    if _SIGNS_OF_UP & document.keys():
        return "up"
    raise Invalid("event", "is missing: the address must end in ?event=up")


def _battery(whole: Document) -> float | None:
    """A status event's battery level, if there is a battery and it was measured; missing is 0."""
    if (
        whole.battery_level is None
        or whole.battery_level_unavailable
        or whole.external_power_source
    ):
        return None
    return whole.battery_level


def _radio(whole: Document) -> Radio:
    transmission = whole.tx_info or Transmission()
    lora = transmission.modulation and transmission.modulation.lora
    return Radio(
        gateways=tuple(_gateway(reception) for reception in whole.rx_info or ()),
        frequency=transmission.frequency,
        spreading_factor=lora.spreading_factor if lora else None,
        data_rate=whole.dr,
    )


def _gateway(reception: Reception) -> Gateway:
    name = (reception.gateway_id or "").upper()
    return Gateway(
        id=name,
        eui=name,
        rssi=reception.rssi or 0.0,
        snr=reception.snr or 0.0,
        position=reception.location.place if reception.location else None,
    )
