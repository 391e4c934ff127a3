"""The rows of devices' health as they are worked on: light, and written many at once.

The fields of each are the columns of its table (`models`), in one order for reading and writing.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields

from stadtherz.base.time import Micros
from stadtherz.ingest.health.models import DeviceDay, DeviceHealth
from stadtherz.store.public import put_rows


@dataclass(slots=True)
class State:
    """What is known of a device, see `models.DeviceHealth`; what is judged is written elsewhere."""

    device_id: int
    recent: bytes = b""
    interval: Micros | None = None
    gateway: str = ""
    skew: Micros | None = None
    rssi: float | None = None
    snr: float | None = None
    battery: float | None = None
    volts: float | None = None
    received: int = 0
    lost: int = 0
    empty_at: Micros | None = None
    judged_at: Micros = 0
    kept: int = 0


@dataclass(slots=True)
class DayRow:
    """One day of a device, see `models.DeviceDay`."""

    device_id: int
    day: Micros
    heard: bytes = b""
    received: int = 0
    lost: int = 0
    resets: int = 0
    low: int | None = None
    high: int | None = None
    battery: float | None = None
    battery_at: Micros = 0
    volts: float | None = None
    volts_at: Micros = 0
    rssi: float | None = None
    snr: float | None = None


_STATE = [each.name for each in fields(State)]
_DAY = [each.name for each in fields(DayRow)]

Days = dict[tuple[int, Micros], DayRow]


def locked_states(devices: Collection[int]) -> dict[int, State]:
    """The rows that are there; other processes that write of the same devices wait."""
    held = DeviceHealth.objects.select_for_update().filter(pk__in=devices).order_by("pk")
    found = (State(*row) for row in held.values_list(*_STATE))
    states = {state.device_id: state for state in found}
    for state in states.values():
        state.recent = bytes(state.recent)
    return states


def find_days(devices: Collection[int], days: Collection[Micros]) -> Days:
    rows = DeviceDay.objects.filter(device__in=devices, day__in=days).values_list(*_DAY)
    found = {(row.device_id, row.day): row for row in (DayRow(*row) for row in rows)}
    for row in found.values():
        row.heard = bytes(row.heard)
    return found


def save_states(states: Iterable[State]) -> None:
    put_rows(DeviceHealth, _STATE, [_values(state, _STATE) for state in states], key=["device_id"])


def save_days(days: Iterable[DayRow]) -> None:
    put_rows(DeviceDay, _DAY, [_values(day, _DAY) for day in days], key=["device_id", "day"])


def _values(row: State | DayRow, names: list[str]) -> list[object]:
    return [getattr(row, name) for name in names]
