"""What pages and services ask about devices: their state, their days, their last messages."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import zstandard
from django.db.models import QuerySet

from stadtherz.base.time import MINUTE, Micros, now_us
from stadtherz.ingest.devices import messages
from stadtherz.ingest.devices.messages import Message
from stadtherz.ingest.devices.register import registered
from stadtherz.ingest.health import judging, notes
from stadtherz.ingest.health.battery import Forecast
from stadtherz.ingest.health.conditions import Condition, Facts, conditions
from stadtherz.ingest.health.counters import Tally
from stadtherz.ingest.health.models import DeviceDay, DeviceHealth, DeviceMessages
from stadtherz.ingest.models import Device

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeviceState:
    """When a device was last heard and what it told of itself; times in microseconds."""

    id: int
    name: str
    last_seen: Micros | None
    last_f_cnt: int | None
    battery: float | None
    rssi: float | None
    snr: float | None


@dataclass(frozen=True, slots=True)
class Known:
    """A device with what is known of it, and the state that follows from it just now."""

    device: Device
    facts: Facts
    conditions: tuple[Condition, ...]
    learned: Micros | None
    gateway: str

    @property
    def worst(self) -> Condition:
        return self.conditions[0]


@dataclass(frozen=True, slots=True)
class Report:
    """All about one device; days and messages in the order in which they are read."""

    known: Known
    days: Sequence[DeviceDay]  # the oldest first
    recent: Tally
    battery: Forecast | None
    messages: Sequence[Message]  # the newest first


def device_state(network: str, dev_eui: str, owner: int | None = None) -> DeviceState | None:
    """What is known of a device just now; None if it is not registered."""
    notes.flush()
    device = registered(network, dev_eui, owner)
    if device is None:
        return None
    return DeviceState(
        id=device.pk,
        name=device.name,
        last_seen=device.last_seen,
        last_f_cnt=device.last_f_cnt,
        battery=device.battery,
        rssi=device.rssi,
        snr=device.snr,
    )


def known(devices: QuerySet[Device], now: Micros | None = None) -> list[Known]:
    """Each of these devices with its state; asks once."""
    moment = now_us() if now is None else now
    return [known_of(device, moment) for device in devices.select_related("health")]


def known_of(device: Device, now: Micros) -> Known:
    """Of one device; best with `select_related("health")`."""
    health: DeviceHealth | None = getattr(device, "health", None)
    facts = facts_of(device, health)
    return Known(
        device,
        facts,
        conditions(facts, now),
        learned=health.interval if health else None,
        gateway=health.gateway if health else "",
    )


def facts_of(device: Device, health: DeviceHealth | None) -> Facts:
    expected = device.expected_minutes
    state = health or DeviceHealth()
    return Facts(
        active=device.active,
        last_seen=device.last_seen,
        interval=state.interval if expected is None else expected * MINUTE,
        battery=device.battery if device.battery is not None else state.battery,
        volts=state.volts,
        empty_volts=device.empty_volts,
        empty_at=state.empty_at,
        rssi=state.rssi,
        snr=state.snr,
        received=state.received,
        lost=state.lost,
        skew=state.skew,
        registered=device.registered,
    )


def having(devices: QuerySet[Device], wanted: Iterable[Condition]) -> QuerySet[Device]:
    """Those of these devices of which one of these conditions holds."""
    any_of = frozenset(wanted)
    found = [each.device.pk for each in known(devices) if any_of & set(each.conditions)]
    return devices.filter(pk__in=found)


def report(device: int) -> Report:
    """All about one device, with what was noted until now."""
    notes.flush()
    row = Device.objects.select_related("health").get(pk=device)
    now = now_us()
    health: DeviceHealth | None = getattr(row, "health", None)
    days = judging.days_of(device, now)
    judged = judging.judge(health, days) if health else judging.judgement(row, days, now)
    return Report(
        known=known_of(Device.objects.select_related("health").get(pk=device), now),
        days=days,
        recent=judged.recent,
        battery=judged.battery,
        messages=last_messages(device),
    )


def last_messages(device: int) -> list[Message]:
    """The newest first."""
    rows = DeviceMessages.objects.filter(
        device=device, last_at__gte=messages.oldest_kept()
    ).order_by("-last_at")
    found = [message for row in rows for message in _unpacked(row)]
    return sorted(found, key=lambda message: message.received, reverse=True)[: messages.most_kept()]


def _unpacked(row: DeviceMessages) -> Iterable[Message]:
    try:
        return messages.unpack(bytes(row.packed))
    except (zstandard.ZstdError, msgspec.MsgspecError) as problem:
        logger.warning("messages of device %d cannot be read: %s", row.device_id, problem)
        return ()
