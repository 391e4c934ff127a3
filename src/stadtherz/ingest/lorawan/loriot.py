"""LORIOT: documents of its HTTP push and websocket output.

A server that sends `gw` (with all gateways) and `rx` (without) sends every frame twice; both have the
same sequence number.
"""

from collections.abc import Mapping
from typing import Any

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
    hex_bytes,
    milliseconds,
    place,
    port,
    spreading_factor,
)

NETWORK = "loriot"

_UPLINKS = frozenset({"gw", "rx"})
_STATUS = "status"
# What else it tells of a device; names differ between its versions.
_EVENTS = {
    "tx": "queued", "txd": "sent", "txa": "ack", "ack": "ack", "nack": "nack", "loc": "location", "location": "location",
    "join": "join", "join_request": "join", "join_accept": "join", "joinreq": "join", "joined": "join", "otaa": "join",
    "status": _STATUS, "devstatus": _STATUS, "device_status": _STATUS, "bat": _STATUS,
    "err": "error", "error": "error", "gwinfo": "gateway", "gw_status": "gateway", "cq": "cache",
}  # fmt: skip
_OTHER = "notification"
_OF_DEVICES = frozenset({"tx", "txd", "join"})


class Reception(Part):
    gweui: str | None = None
    rssi: Number | None = None
    snr: Number | None = None
    lat: Number | None = None
    lon: Number | None = None


class Document(Part, rename={"eui": "EUI"}):
    cmd: str | None = None
    eui: str | None = None
    seqno: Whole | None = None
    ts: Whole | None = None
    fcnt: Whole | None = None
    port: Whole | None = None
    freq: Whole | None = None
    dr: str | None = None
    ack: bool | None = None
    rssi: Number | None = None
    snr: Number | None = None
    gws: list[Reception] | None = None
    bat: Whole | None = None
    data: str | None = None
    encdata: str | None = None
    decoded: dict[str, Any] | None = None


def read(document: Any, query: Mapping[str, str], *, received: Micros) -> Uplink | Other:
    """The document in the normal form; raises Invalid where it cannot be read.

    What is neither a measurement nor known is a notification, unless it may hold a measurement.
    """
    whole = convert(document, Document)
    if whole.cmd not in _UPLINKS:
        return _event(whole, received)
    dev_eui = eui("EUI", whole.eui)
    time = uplink.network_time(milliseconds("ts", whole.ts), received)
    if whole.encdata and not whole.data:
        raise Invalid("encdata", "is encrypted; enter the device's AppSKey at LORIOT")
    payload, f_cnt = hex_bytes("data", whole.data), counter("fcnt", whole.fcnt)
    content = uplink.content(payload, whole.decoded)
    return Uplink(
        network=NETWORK,
        dev_eui=dev_eui,
        device="",
        application="",
        time=time,
        received=received,
        f_cnt=f_cnt,
        f_port=port("port", whole.port),
        payload=payload,
        decoded=whole.decoded,
        confirmed=bool(whole.ack),
        key=uplink.key(NETWORK, dev_eui, whole.seqno or "", f_cnt, content),
        radio=_radio(whole),
        battery=battery(whole.bat),
        counted=not whole.seqno,
    )


def _event(whole: Document, received: Micros) -> Other:
    cmd = (whole.cmd or "").lower()
    may_measure = whole.fcnt is not None and bool(whole.data or whole.decoded)
    if not cmd or (cmd not in _EVENTS and may_measure):
        raise Invalid("cmd", f"must be one of {', '.join(sorted(_UPLINKS | _EVENTS.keys()))}")
    dev_eui = eui("EUI", whole.eui) if whole.eui or cmd in _OF_DEVICES else None
    time = uplink.network_time(milliseconds("ts", whole.ts), received)
    event = _EVENTS.get(cmd, _OTHER)
    return Other(NETWORK, event, dev_eui, time, battery(whole.bat) if event == _STATUS else None)


def _radio(whole: Document) -> Radio:
    gateways = tuple(
        Gateway(
            id=(each.gweui or "").upper(),
            eui=(each.gweui or "").upper(),
            rssi=each.rssi,
            snr=each.snr,
            position=place(each.lon, each.lat),
        )
        for each in whole.gws or ()
    )
    if not gateways and whole.rssi is not None:
        gateways = (Gateway(id="", rssi=whole.rssi, snr=whole.snr),)
    return Radio(
        gateways=gateways,
        frequency=whole.freq,
        spreading_factor=spreading_factor(whole.dr),
    )
