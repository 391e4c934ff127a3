"""Which devices and gateways a simulated city has: the same ones for the same seed, on any machine."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from stadtherz.base.errors import Invalid
from stadtherz.simulate.kinds import KINDS, Kind
from stadtherz.simulate.values import noise

MOST = 10_000
FORMS = {
    "tts": "tts",
    "chirpstack": "chirpstack",
    "chirpstack3": "chirpstack",
    "actility": "actility",
    "loriot": "loriot",
    "helium": "helium",
}
"""The forms of documents, and the product's door for each."""

_RADIUS_KM = 4.0
_DEVICES_A_GATEWAY = 25
_HEARD_BY_AT_MOST = 3
_KM_A_DEGREE = 111.2


@dataclass(frozen=True, slots=True)
class Gateway:
    number: int
    id: str  # its EUI: sixteen hexadecimal digits
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Heard:
    """A gateway in reach of a device, and how loud: dBm, dB."""

    gateway: Gateway
    rssi: float
    snr: float


@dataclass(frozen=True, slots=True)
class SimulatedDevice:
    """`place` seeds what it measures; `form` is the kind of document its network sends."""

    number: int
    name: str
    kind: Kind
    form: str
    dev_eui: str
    longitude: float
    latitude: float
    place: int
    heard_by: tuple[Heard, ...]

    @property
    def network(self) -> str:
        return FORMS[self.form]


@dataclass(frozen=True, slots=True)
class SimulatedCity:
    """`seed` is the weather's too."""

    seed: int
    devices: tuple[SimulatedDevice, ...]
    gateways: tuple[Gateway, ...]


def simulated_city(
    count: int,
    *,
    forms: Sequence[str] = tuple(FORMS),
    seed: int = 1,
    centre: tuple[float, float] = (7.7689, 49.4447),
) -> SimulatedCity:
    """A city with `count` devices around `centre` (longitude, latitude in degrees).

    Networks and kinds take turns. Raises Invalid for a count or a form that there is not.
    """
    if not 1 <= count <= MOST:
        raise Invalid("devices", f"must be 1 to {MOST}")
    if not forms:
        raise Invalid("network", f"name at least one of {', '.join(FORMS)}")
    if unknown := [each for each in forms if each not in FORMS]:
        raise Invalid("network", f"{unknown[0]!r} is none of {', '.join(FORMS)}")
    if not 0 <= seed < 2**16:
        raise Invalid("seed", "must be 0 to 65535")
    gateways = tuple(
        Gateway(number, f"AA555A{seed:04X}{number:06X}", *_around(centre, seed + 77, number))
        for number in range(1 + count // _DEVICES_A_GATEWAY)
    )
    devices = tuple(_device(number, forms, seed, centre, gateways) for number in range(count))
    return SimulatedCity(seed, devices, gateways)


def _device(
    number: int,
    forms: Sequence[str],
    seed: int,
    centre: tuple[float, float],
    gateways: Sequence[Gateway],
) -> SimulatedDevice:
    # Networks first, then kinds: every network has devices of every kind.
    form = forms[number % len(forms)]
    kind = KINDS[number // len(forms) % len(KINDS)]
    longitude, latitude = _around(centre, seed, number)
    return SimulatedDevice(
        number=number,
        name=f"{kind.label} {number + 1:03}",
        kind=kind,
        form=form,
        dev_eui=f"0253494D{seed:04X}{number:04X}",  # "SIM", locally administered
        longitude=longitude,
        latitude=latitude,
        place=seed * MOST + number,
        heard_by=_heard(longitude, latitude, number, gateways),
    )


def _around(centre: tuple[float, float], seed: int, number: int) -> tuple[float, float]:
    """A point of the city; more of them near its centre."""
    distance = _RADIUS_KM * abs(noise(seed + 1, number))
    angle = math.pi * noise(seed + 2, number)
    longitude, latitude = centre
    shrink = max(0.05, math.cos(math.radians(latitude)))
    return (
        round(longitude + distance * math.cos(angle) / _KM_A_DEGREE / shrink, 6),
        round(latitude + distance * math.sin(angle) / _KM_A_DEGREE, 6),
    )


def _heard(
    longitude: float, latitude: float, number: int, gateways: Sequence[Gateway]
) -> tuple[Heard, ...]:
    near = sorted(gateways, key=lambda each: _km(longitude, latitude, each))[:_HEARD_BY_AT_MOST]
    return tuple(
        Heard(
            gateway,
            rssi=round(-72 - 11 * math.log2(1 + _km(longitude, latitude, gateway)), 0),
            snr=round(9 - 3 * _km(longitude, latitude, gateway) + noise(number, 9), 1),
        )
        for gateway in near
    )


def _km(longitude: float, latitude: float, gateway: Gateway) -> float:
    east = (gateway.longitude - longitude) * _shrink(round(latitude, 1))
    return math.hypot(east, gateway.latitude - latitude) * _KM_A_DEGREE


@lru_cache(maxsize=64)
def _shrink(latitude: float) -> float:
    return math.cos(math.radians(latitude))
