"""Actility ThingPark: HTTP application server documents (ThingPark Wireless, LoRaWAN tunnel interface).

Numbers come as numbers or as text, as the tenant has it; the payload is hexadecimal.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from stadtherz.base.errors import Invalid
from stadtherz.base.time import Micros
from stadtherz.ingest.documents import uplink
from stadtherz.ingest.documents.uplink import Gateway, Other, Radio, Uplink
from stadtherz.ingest.lorawan.documents import (
    Number,
    Part,
    Whole,
    battery,
    convert,
    counter,
    eui,
    hertz,
    hex_bytes,
    instant,
    place,
    port,
)

NETWORK = "actility"

_UPLINK = "DevEUI_uplink"
# Documents that are no uplink, by the member that holds them.
_EVENTS = {
    "DevEUI_downlink_Sent": "sent",
    "DevEUI_downlink_Rejected": "failed",
    "DevEUI_multicast_summary": "multicast",
    "DevEUI_notification": "notification",
    "DevEUI_location": "location",
}


class Reception(Part):
    id: str | None = msgspec.field(default=None, name="Lrrid")
    rssi: Number | None = msgspec.field(default=None, name="LrrRSSI")
    snr: Number | None = msgspec.field(default=None, name="LrrSNR")


class Receptions(Part):
    lrr: list[Reception] | Reception | None = msgspec.field(default=None, name="Lrr")

    @property
    def all(self) -> list[Reception]:
        """A tenant whose documents were XML once writes a single one without a list."""
        return [self.lrr] if isinstance(self.lrr, Reception) else self.lrr or []


class Message(Part, rename="pascal"):
    time: str | None = None
    dev_eui: str | None = msgspec.field(default=None, name="DevEUI")
    f_port: Whole | None = msgspec.field(default=None, name="FPort")
    f_cnt: Whole | None = msgspec.field(default=None, name="FCntUp")
    m_type: Whole | None = None
    payload_hex: str | None = msgspec.field(default=None, name="payload_hex")
    payload: Any = msgspec.field(default=None, name="payload")
    join_request: str | None = msgspec.field(default=None, name="rawJoinRequest")
    best: str | None = msgspec.field(default=None, name="Lrrid")
    latitude: Number | None = msgspec.field(default=None, name="LrrLAT")
    longitude: Number | None = msgspec.field(default=None, name="LrrLON")
    sp_fact: Whole | None = None
    lrrs: Receptions | None = None
    dev_addr: str | None = None
    customer_id: str | None = msgspec.field(default=None, name="CustomerID")
    frequency: Number | None = None  # MHz
    type: str | None = None  # of a notification
    battery: Whole | None = msgspec.field(default=None, name="Var1")  # of type devstatusans


_STATUS = "devstatusans"
_CONFIRMED = 4  # MType of a confirmed uplink (LoRaWAN 1.0.4, 4.2.1)


def read(document: Any, query: Mapping[str, str], *, received: Micros) -> Uplink | Other:
    """The document in the normal form; raises Invalid where it cannot be read."""
    whole = convert(document, dict[str, Any])
    member = next((each for each in _EVENTS if each in whole), _UPLINK)
    if member not in whole:
        member = next((each for each, held in whole.items() if _is_report(each, held)), member)
    if member not in whole:
        raise Invalid(_UPLINK, "is missing, and no other message is there")
    message = convert(_told(whole[member]), Message, under=member)
    dev_eui = eui(f"{member}.DevEUI", message.dev_eui)
    time = uplink.network_time(instant(f"{member}.Time", message.time), received)
    if member != _UPLINK or message.join_request is not None:
        return Other(NETWORK, _event(member, message), dev_eui, time, _battery(message))
    return _uplink(message, dev_eui, time=time, received=received)


def _is_report(member: str, held: Any) -> bool:
    """Whether it tells of a device and measures nothing: ThingPark has more reports than are known here."""
    return member.startswith("DevEUI_") and isinstance(held, dict) and "payload_hex" not in held


def _told(held: Any) -> Any:
    """Without what is empty: the untyped form writes nothing as "", numbers too.

    The first variable of a notification is a number only where it is a battery's.
    """
    if not isinstance(held, dict):
        return held
    status = held.get("Type") == _STATUS
    return {k: v for k, v in held.items() if v != "" and (k != "Var1" or status)}


def _event(member: str, message: Message) -> str:
    if member == "DevEUI_notification":
        return {"join": "join", _STATUS: "status"}.get(message.type or "", "notification")
    return _EVENTS.get(member, "join" if member == _UPLINK else "notification")


def _battery(message: Message) -> float | None:
    if message.type != _STATUS or message.battery is None:
        return None
    return battery(message.battery)


def _uplink(message: Message, dev_eui: str, *, time: Micros, received: Micros) -> Uplink:
    payload = hex_bytes(f"{_UPLINK}.payload_hex", message.payload_hex)
    f_cnt = counter(f"{_UPLINK}.FCntUp", message.f_cnt)
    decoded = message.payload if isinstance(message.payload, dict) else None
    content = uplink.content(payload, decoded)
    return Uplink(
        network=NETWORK,
        dev_eui=dev_eui,
        device="",
        application=message.customer_id or "",
        time=time,
        received=received,
        f_cnt=f_cnt,
        f_port=port(f"{_UPLINK}.FPort", message.f_port),
        payload=payload,
        decoded=decoded,
        confirmed=message.m_type == _CONFIRMED,
        key=uplink.key(NETWORK, dev_eui, message.dev_addr or "", f_cnt, content),
        radio=_radio(message),
        counted=True,
    )


def _radio(message: Message) -> Radio:
    heard = message.lrrs.all if message.lrrs else []
    position = place(message.longitude, message.latitude)
    return Radio(
        gateways=tuple(
            Gateway(
                id=each.id or "",
                rssi=each.rssi,
                snr=each.snr,
                position=position if each.id == message.best else None,
            )
            for each in heard
        ),
        frequency=hertz(message.frequency),
        spreading_factor=message.sp_fact,
    )
