"""The one normal form of an uplink: what every network's document is turned into."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from stadtherz.base.time import DAY, MINUTE, Micros

AHEAD: Micros = 5 * MINUTE  # a clock may be this much ahead of ours
OURS = "stadtherz:"
"""What a correlation id of ours begins with; then comes the key of the message."""

BEHIND: Micros = 30 * DAY  # a device may deliver its own measurements this much later


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway that heard the uplink."""

    id: str
    eui: str = ""
    rssi: float | None = None
    snr: float | None = None
    position: tuple[float, float] | None = None  # longitude, latitude


@dataclass(frozen=True, slots=True)
class Radio:
    """How the uplink came through the air."""

    gateways: tuple[Gateway, ...] = ()
    frequency: int | None = None  # Hz
    spreading_factor: int | None = None
    data_rate: int | None = None  # the region's index

    @property
    def best(self) -> Gateway | None:
        """The gateway that heard it loudest."""
        heard = [gateway for gateway in self.gateways if gateway.rssi is not None]
        return max(heard, key=lambda gateway: gateway.rssi or 0.0, default=None)


@dataclass(frozen=True, slots=True)
class Uplink:
    """One message of one device.

    `time` is when the network received it, `received` when we did; both in microseconds. `decoded`
    is what the network's codec made of `payload`, None where it has no codec. Two documents with
    the same `key` tell of the same uplink; one that is made of the frame counter (`counted`) may come
    again after the counter was reset (`resets`). Where the values are of an interval, `time` is when it began.
    """

    network: str
    dev_eui: str  # sixteen hexadecimal digits in upper case; of no LoRaWAN what names the device
    device: str  # the network's name for it
    application: str
    time: Micros
    received: Micros
    f_cnt: int | None  # None where devices do not count
    f_port: int
    payload: bytes
    decoded: dict[str, Any] | None
    confirmed: bool
    key: str
    radio: Radio = field(default_factory=Radio)
    battery: float | None = None  # percent
    model: str = ""
    counted: bool = False
    ends: Micros | None = None

    @property
    def facts(self) -> dict[str, float | None]:
        """What the network tells of the message, by the names of `decode.FACTS`; dBm, dB, Hz, percent."""
        best = self.radio.best
        return {
            "rssi": best.rssi if best else None,
            "snr": best.snr if best else None,
            "gateways": len(self.radio.gateways) or None,
            "spreading_factor": self.radio.spreading_factor,
            "data_rate": self.radio.data_rate,
            "frequency": self.radio.frequency,
            "f_cnt": self.f_cnt,
            "battery": self.battery,
        }


@dataclass(frozen=True, slots=True)
class Other:
    """A document that is understood and is no measurement: join, status, log, downlink …

    `downlink` is the key of the message of ours that it tells of, `detail` what the network says of it.
    """

    network: str
    event: str
    dev_eui: str | None
    time: Micros
    battery: float | None = None
    downlink: str = ""
    detail: str = ""


def network_time(told: Micros | None, received: Micros) -> Micros:
    """When the network received it: what it told, unless its clock is ahead or it told nothing."""
    return received if told is None or told > received + AHEAD else told


def measured_at(own: Micros | None, time: Micros) -> Micros:
    """When it was measured: the device's own time if that is plausible, else the network's."""
    if own is None or own > time + AHEAD or own < time - BEHIND:
        return time
    return own


def key(network: str, dev_eui: str, *parts: object) -> str:
    """An idempotency key of bounded length; parts cannot run into one another."""
    told = "\x00".join(str(part) for part in parts)
    return f"{network}:{dev_eui}:{sha256(told.encode()).hexdigest()[:32]}"


def content(payload: bytes, decoded: dict[str, Any] | None) -> str:
    """What tells two uplinks with one counter apart; a network may leave the raw payload out."""
    known = payload or orjson.dumps(decoded, option=orjson.OPT_SORT_KEYS)
    return sha256(known).hexdigest()
