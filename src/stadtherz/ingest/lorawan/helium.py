"""Helium: documents of the Console, and of operators that kept its form. (Most run ChirpStack now.)"""

from collections.abc import Mapping
from typing import Any

from stadtherz.base.time import Micros
from stadtherz.ingest.documents import uplink
from stadtherz.ingest.documents.uplink import Gateway, Other, Radio, Uplink
from stadtherz.ingest.lorawan.documents import (
    Number,
    Part,
    Whole,
    base64_bytes,
    convert,
    counter,
    eui,
    hertz,
    milliseconds,
    place,
    port,
    spreading_factor,
)

NETWORK = "helium"


class Hotspot(Part):
    id: str | None = None
    name: str | None = None
    rssi: Number | None = None
    snr: Number | None = None
    lat: Number | None = None
    long: Number | None = None
    frequency: Number | None = None  # MHz
    spreading: str | None = None


class Decoded(Part):
    payload: Any = None  # beside an error it may be anything


class Document(Part):
    type: str | None = None
    uuid: str | None = None
    dev_eui: str | None = None
    devaddr: str | None = None
    name: str | None = None
    app_eui: str | None = None
    fcnt: Whole | None = None
    port: Whole | None = None
    payload: str | None = None
    reported_at: Whole | None = None
    hotspots: list[Hotspot] | None = None
    decoded: Decoded | None = None


def read(document: Any, query: Mapping[str, str], *, received: Micros) -> Uplink | Other:
    """The document in the normal form; raises Invalid where it cannot be read."""
    whole = convert(document, Document)
    dev_eui = eui("dev_eui", whole.dev_eui)
    time = uplink.network_time(milliseconds("reported_at", whole.reported_at), received)
    if whole.type not in (None, "uplink"):
        return Other(NETWORK, str(whole.type)[:40], dev_eui, time)
    payload, f_cnt = base64_bytes("payload", whole.payload), counter("fcnt", whole.fcnt)
    held = whole.decoded.payload if whole.decoded else None
    decoded = held if isinstance(held, dict) else None
    told = (whole.uuid,) if whole.uuid else (whole.devaddr, f_cnt, uplink.content(payload, decoded))
    return Uplink(
        network=NETWORK,
        dev_eui=dev_eui,
        device=whole.name or "",
        application=whole.app_eui or "",
        time=time,
        received=received,
        f_cnt=f_cnt,
        f_port=port("port", whole.port),
        payload=payload,
        decoded=decoded,
        confirmed=False,
        key=uplink.key(NETWORK, dev_eui, *told),
        radio=_radio(whole.hotspots or []),
        counted=not whole.uuid,
    )


def _radio(hotspots: list[Hotspot]) -> Radio:
    first = hotspots[0] if hotspots else Hotspot()
    return Radio(
        gateways=tuple(
            Gateway(
                id=each.id or each.name or "",
                rssi=each.rssi,
                snr=each.snr,
                position=place(each.long, each.lat),
            )
            for each in hotspots
        ),
        frequency=hertz(first.frequency),
        spreading_factor=spreading_factor(first.spreading),
    )
