"""Two devices that somebody has to look after, so that the page on device health has something to show."""

from typing import Protocol

from stadtherz.base.time import DAY, HOUR, MINUTE, Micros, now_us
from stadtherz.ingest.public import Device, DeviceDay, DeviceHealth, NewField, register_device

SILENT = "70B3D57ED00600A1"
EMPTY = "70B3D57ED00600A2"
_DAYS = 60


class City(Protocol):
    """What is asked of the city that they stand in."""

    organisation: int

    def stream(self, key: str) -> int: ...


def set_up(city: City) -> None:
    """Spare sensors beside two gauges: one has fallen silent, the other's battery ends. Once, later they stay as they are."""
    silent = _spare(city, "tts", SILENT, "Ersatzsonde Eselsbach", "eselsbach.level")
    if silent is not None:
        _heard(silent, ago=3 * DAY + 4 * HOUR, expected=30, battery=78.0)
    empty = _spare(city, "chirpstack", EMPTY, "Ersatzsonde Volkspark", "volkspark.groundwater")
    if empty is not None:
        _heard(empty, ago=40 * MINUTE, expected=24 * 60, battery=12.0)
        _battery(empty, now_us())


def _spare(city: City, network: str, dev_eui: str, name: str, stream: str) -> Device | None:
    """The device, if it is new."""
    if Device.objects.filter(network=network, dev_eui=dev_eui).exists():
        return None
    fields = [NewField("spare", city.stream(stream))]
    key = register_device(city.organisation, network, dev_eui, name, fields=fields)
    return Device.objects.get(pk=key)


def _heard(device: Device, *, ago: Micros, expected: int, battery: float) -> None:
    device.expected_minutes = expected
    device.last_seen = now_us() - ago
    device.battery, device.rssi, device.snr = battery, -104.0, 4.5
    device.save()


def _battery(device: Device, now: Micros) -> None:
    """Sixty days of a battery that falls by a percent a day, give or take."""
    today = now // DAY * DAY
    DeviceDay.objects.bulk_create(
        DeviceDay(
            device=device,
            day=today - ago * DAY,
            received=1,
            battery=12.0 + ago + (ago % 3 - 1) * 0.5,
            rssi=-104.0,
            snr=4.5,
        )
        for ago in range(_DAYS)
    )
    DeviceHealth.objects.get_or_create(device=device, defaults={"battery": 12.0})
