"""What takes the days of a device together: its losses and the forecast of its battery."""

from collections.abc import Sequence
from dataclasses import dataclass

from stadtherz.base.time import DAY, Micros, now_us
from stadtherz.ingest.health.battery import (
    LONGEST_LOOK,
    PERCENT,
    VOLTS,
    Forecast,
    forecast,
)
from stadtherz.ingest.health.counters import Tally, total
from stadtherz.ingest.health.models import DeviceDay, DeviceHealth
from stadtherz.ingest.models import Device

LOSS_DAYS = 7


@dataclass(frozen=True, slots=True)
class Judgement:
    """Uplinks of the last days, and the forecast of the battery with the day it counts from."""

    recent: Tally
    battery: Forecast | None
    empty_at: Micros | None


def judge(state: DeviceHealth, days: Sequence[DeviceDay] | None = None) -> Judgement:
    """Look at the days of a device, and keep what came of it."""
    now = now_us()
    given = judgement(state.device, days_of(state.pk, now) if days is None else days, now)
    changes = {
        "received": given.recent.received,
        "lost": given.recent.lost,
        "empty_at": given.empty_at,
        "judged_at": now,
    }
    DeviceHealth.objects.filter(pk=state.pk).update(**changes)
    return given


def days_of(device: int, now: Micros) -> list[DeviceDay]:
    """The days that are looked at, the oldest first."""
    rows = DeviceDay.objects.filter(device=device, day__gt=now - LONGEST_LOOK * DAY)
    return list(rows.order_by("day").defer("heard"))


def judgement(device: Device, days: Sequence[DeviceDay], now: Micros) -> Judgement:
    recent = total([_tally(day) for day in days if day.day > now - LOSS_DAYS * DAY])
    percent = [(day.day // DAY, day.battery) for day in days if day.battery is not None]
    volts = [(day.day // DAY, day.volts) for day in days if day.volts is not None]
    found, daily = forecast(percent, PERCENT), percent
    if found is None and device.empty_volts is not None:
        found, daily = forecast(volts, VOLTS, empty=device.empty_volts), volts
    empty_at = None if found is None else int((daily[-1][0] + found.days) * DAY)
    return Judgement(recent, found, empty_at)


def _tally(day: DeviceDay) -> Tally:
    return Tally(day.received, day.lost, day.resets, day.low, day.high)
