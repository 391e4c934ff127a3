"""The Things Stack v3: webhook documents (https://www.thethingsindustries.com/docs → data formats)."""

from collections.abc import Mapping
from typing import Any

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

NETWORK = "tts"

# Messages that are no uplink, by the member that holds them.
_EVENTS = {
    "uplink_normalized": "normalized",
    "join_accept": "join",
    "downlink_ack": "ack",
    "downlink_nack": "nack",
    "downlink_sent": "sent",
    "downlink_failed": "failed",
    "downlink_queued": "queued",
    "downlink_queue_invalidated": "invalidated",
    "location_solved": "location",
    "service_data": "service",
}


class ApplicationIds(Part):
    application_id: str | None = None


class DeviceIds(Part):
    device_id: str | None = None
    application_ids: ApplicationIds | None = None
    dev_eui: str | None = None
    dev_addr: str | None = None


class GatewayIds(Part):
    gateway_id: str | None = None
    eui: str | None = None


class Reception(Part):
    gateway_ids: GatewayIds | None = None
    rssi: Number | None = None
    snr: Number | None = None
    location: Position | None = None


class LoRa(Part):
    spreading_factor: Whole | None = None


class DataRate(Part):
    lora: LoRa | None = None


class Settings(Part):
    data_rate: DataRate | None = None
    data_rate_index: Whole | None = None
    frequency: Whole | None = None  # written as a string


class Battery(Part):
    value: Number | None = None


class Version(Part):
    brand_id: str | None = None
    model_id: str | None = None


class Message(Part):
    session_key_id: str | None = None
    f_cnt: Whole | None = None
    f_port: Whole | None = None
    frm_payload: str | None = None
    decoded_payload: dict[str, Any] | None = None
    normalized_payload: Any = None
    confirmed: bool | None = None
    rx_metadata: list[Reception] | None = None
    settings: Settings | None = None
    received_at: str | None = None
    last_battery_percentage: Battery | None = None
    version_ids: Version | None = None


class Document(Part):
    end_device_ids: DeviceIds | None = None
    received_at: str | None = None
    uplink_message: Message | None = None


def read(document: Any, query: Mapping[str, str], *, received: Micros) -> Uplink | Other:
    """The document in the normal form; raises Invalid where it cannot be read."""
    whole = convert(document, Document)
    message = whole.uplink_message
    if message is None:
        return _other(document, whole, received)
    ids = whole.end_device_ids or DeviceIds()
    dev_eui = eui("end_device_ids.dev_eui", ids.dev_eui)
    payload = base64_bytes("uplink_message.frm_payload", message.frm_payload)
    decoded = (
        message.decoded_payload if payload else message.decoded_payload or _normalized(message)
    )
    f_cnt = counter("uplink_message.f_cnt", message.f_cnt)
    version = message.version_ids
    battery = message.last_battery_percentage
    return Uplink(
        network=NETWORK,
        dev_eui=dev_eui,
        device=ids.device_id or "",
        application=_application(ids),
        time=_time(whole, message, received),
        received=received,
        f_cnt=f_cnt,
        f_port=port("uplink_message.f_port", message.f_port),
        payload=payload,
        decoded=decoded,
        confirmed=bool(message.confirmed),
        key=uplink.key(
            NETWORK,
            dev_eui,
            message.session_key_id or ids.dev_addr or "",
            f_cnt,
            uplink.content(payload, decoded),
        ),
        radio=_radio(message),
        battery=battery.value if battery else None,
        counted=True,
        model=f"{version.brand_id or ''}/{version.model_id or ''}" if version else "",
    )


def _normalized(message: Message) -> dict[str, Any] | None:
    """What a webhook delivers whose fields were narrowed to it: its first measurement, and all of them."""
    told = message.normalized_payload
    entries = [
        each for each in (told if isinstance(told, list) else [told]) if isinstance(each, dict)
    ]
    return {**entries[0], "normalized_payload": entries} if entries else None


def _other(document: Mapping[str, Any], whole: Document, received: Micros) -> Other:
    member = next((member for member in _EVENTS if member in document), None)
    if member is None:
        raise Invalid("uplink_message", "is missing, and no other message is there")
    ids = whole.end_device_ids or DeviceIds()
    told = instant("received_at", whole.received_at)
    return Other(
        network=NETWORK,
        event=_EVENTS[member],
        dev_eui=eui("end_device_ids.dev_eui", ids.dev_eui) if ids.dev_eui else None,
        time=uplink.network_time(told, received),
        downlink=_downlink(document, document[member]),
        detail=_error(document[member]),
    )


def _downlink(document: Mapping[str, Any], held: Any) -> str:
    """The key of our downlink, which the correlation ids of the document or of a part of it name."""
    parts = [document, held, held.get("downlink") if isinstance(held, dict) else None]
    for part in parts:
        ids = part.get("correlation_ids") if isinstance(part, dict) else None
        for each in ids if isinstance(ids, list) else ():
            if isinstance(each, str) and each.startswith(uplink.OURS):
                return each.removeprefix(uplink.OURS)
    return ""


def _error(held: Any) -> str:
    error = held.get("error") if isinstance(held, dict) else None
    if not isinstance(error, dict):
        return ""
    return str(error.get("message_format") or error.get("name") or "")


def _application(ids: DeviceIds) -> str:
    return (ids.application_ids and ids.application_ids.application_id) or ""


def _time(whole: Document, message: Message, received: Micros) -> Micros:
    """The network server's time, else the application server's; old documents have neither."""
    told = instant("uplink_message.received_at", message.received_at)
    if told is None:
        told = instant("received_at", whole.received_at)
    return uplink.network_time(told, received)


def _radio(message: Message) -> Radio:
    settings = message.settings or Settings()
    lora = settings.data_rate and settings.data_rate.lora
    return Radio(
        gateways=tuple(_gateway(reception) for reception in message.rx_metadata or ()),
        frequency=settings.frequency,
        spreading_factor=lora.spreading_factor if lora else None,
        data_rate=settings.data_rate_index,
    )


def _gateway(reception: Reception) -> Gateway:
    ids = reception.gateway_ids or GatewayIds()
    return Gateway(
        id=ids.gateway_id or ids.eui or "",
        eui=(ids.eui or "").upper(),
        rssi=reception.rssi or 0.0,
        snr=reception.snr or 0.0,
        position=reception.location.place if reception.location else None,
    )
