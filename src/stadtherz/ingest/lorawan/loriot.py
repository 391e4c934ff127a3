"""LORIOT: documents of its HTTP push and websocket output.

A server that sends `gw` (with all gateways) and `rx` (without) sends every frame twice; both have the
same sequence number.
"""

from collections.abc import Mapping
from typing import Any

from stadtherz.base.errors import Invalid
from stadtherz.base.time import Micros
from stadtherz.ingest import uplink
from stadtherz.ingest.lorawan.documents import (
    Part,
    convert,
    counter,
    eui,
    hex_bytes,
    milliseconds,
    place,
    port,
    spreading_factor,
)
from stadtherz.ingest.uplink import Gateway, Other, Radio, Uplink

NETWORK = "loriot"

_UPLINKS = frozenset({"gw", "rx"})
_EVENTS = {"tx": "queued", "txd": "sent", "join": "join", "ack": "ack", "loc": "location"}
_FULL, _UNKNOWN, _EXTERNAL = 254, 255, 0  # of a battery, as LoRaWAN's DevStatusAns tells it


class Reception(Part):
    gweui: str | None = None
    rssi: float | None = None
    snr: float | None = None
    lat: float | None = None
    lon: float | None = None


class Document(Part, rename={"eui": "EUI"}):
    cmd: str | None = None
    eui: str | None = None
    seqno: int | None = None
    ts: int | None = None
    fcnt: int | None = None
    port: int | None = None
    freq: int | None = None
    dr: str | None = None
    ack: bool | None = None
    rssi: float | None = None
    snr: float | None = None
    gws: list[Reception] | None = None
    bat: int | None = None
    data: str | None = None
    decoded: dict[str, Any] | None = None


def read(document: Any, query: Mapping[str, str], *, received: Micros) -> Uplink | Other:
    """The document in the normal form; raises Invalid where it cannot be read."""
    whole = convert(document, Document)
    dev_eui = eui("EUI", whole.eui)
    time = uplink.network_time(milliseconds("ts", whole.ts), received)
    if whole.cmd in _EVENTS:
        return Other(NETWORK, _EVENTS[whole.cmd], dev_eui, time)
    if whole.cmd not in _UPLINKS:
        raise Invalid("cmd", f"must be one of {', '.join(sorted(_UPLINKS | _EVENTS.keys()))}")
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
        battery=_battery(whole.bat),
        counted=not whole.seqno,
    )


def _battery(level: int | None) -> float | None:
    if level is None or level in (_UNKNOWN, _EXTERNAL) or not 0 < level <= _FULL:
        return None
    return round(100 * level / _FULL, 1)


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
