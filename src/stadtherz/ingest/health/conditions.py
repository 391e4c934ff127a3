"""The state of a device as a person would call it. Pure: no database, no clock."""

from dataclasses import dataclass
from enum import StrEnum

from stadtherz.base.time import DAY, Micros
from stadtherz.ingest.documents.uplink import AHEAD, BEHIND
from stadtherz.ingest.health.counters import share
from stadtherz.ingest.health.intervals import first_after, late_after, silent_after

LOW_PERCENT = 20.0
SOON: Micros = 60 * DAY
MANY_LOST = 10.0  # percent
_ENOUGH_SENT = 20
_WEAK_RSSI, _WEAK_SNR = -120.0, -15.0  # at the limit of what gateways hear


class Condition(StrEnum):
    """The worst first."""

    SILENT = "silent"
    NEVER_SENT = "never_sent"  # and should have by now
    BATTERY_LOW = "battery_low"
    NEVER_HEARD = "never_heard"
    LATE = "late"
    BATTERY_SOON = "battery_soon"
    MANY_LOST = "many_lost"
    WEAK_RADIO = "weak_radio"
    CLOCK_WRONG = "clock_wrong"
    FINE = "fine"
    SWITCHED_OFF = "switched_off"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a device; None where nothing is. Times in microseconds, battery in percent.

    `interval` is what a person expects, else what was learned. `empty_at` is the forecast of the battery,
    `registered` is since when it is known here, `skew` how much its own clock is ahead of the network's. `received` and `lost` are of the last days.
    """

    active: bool = True
    last_seen: Micros | None = None
    interval: Micros | None = None
    battery: float | None = None
    volts: float | None = None
    empty_volts: float | None = None
    empty_at: Micros | None = None
    rssi: float | None = None
    snr: float | None = None
    received: int = 0
    lost: int = 0
    skew: Micros | None = None
    registered: Micros | None = None


def conditions(facts: Facts, now: Micros) -> tuple[Condition, ...]:
    """All that holds, the worst first; never empty."""
    if not facts.active:
        return (Condition.SWITCHED_OFF,)
    found = {_presence(facts, now), _battery(facts, now), _radio(facts), _losses(facts)}
    found.add(_clock(facts))
    held = [condition for condition in Condition if condition in found]
    return tuple(held) or (Condition.FINE,)


def is_silent(last_seen: Micros | None, interval: Micros | None, now: Micros) -> bool:
    """Whether a device that has been heard, and whose interval is known, is quiet for too long."""
    if last_seen is None or interval is None:
        return False
    return now - last_seen > silent_after(interval)


def is_late(last_seen: Micros | None, interval: Micros | None, now: Micros) -> bool:
    """Whether it should have been heard by now; what is silent is late, too."""
    if last_seen is None or interval is None:
        return False
    return now - last_seen > late_after(interval)


def has_never_sent(facts: Facts, now: Micros) -> bool:
    """Whether nothing has come from a device that is known for longer than its interval."""
    if facts.last_seen is not None or facts.registered is None:
        return False
    return now - facts.registered > first_after(facts.interval)


def _presence(facts: Facts, now: Micros) -> Condition | None:
    if facts.last_seen is None:
        overdue = has_never_sent(facts, now)
        return Condition.NEVER_SENT if overdue else Condition.NEVER_HEARD
    if is_silent(facts.last_seen, facts.interval, now):
        return Condition.SILENT
    return Condition.LATE if is_late(facts.last_seen, facts.interval, now) else None


def _battery(facts: Facts, now: Micros) -> Condition | None:
    if facts.battery is not None and facts.battery < LOW_PERCENT:
        return Condition.BATTERY_LOW
    if facts.volts is not None and facts.volts <= (facts.empty_volts or 0.0):
        return Condition.BATTERY_LOW
    if facts.empty_at is not None and facts.empty_at - now < SOON:
        return Condition.BATTERY_SOON
    return None


def _radio(facts: Facts) -> Condition | None:
    faint = facts.rssi is not None and facts.rssi < _WEAK_RSSI
    noisy = facts.snr is not None and facts.snr < _WEAK_SNR
    return Condition.WEAK_RADIO if faint or noisy else None


def _losses(facts: Facts) -> Condition | None:
    lost = share(facts.received, facts.lost)
    if lost is None or facts.received + facts.lost < _ENOUGH_SENT:
        return None
    return Condition.MANY_LOST if lost > MANY_LOST else None


def _clock(facts: Facts) -> Condition | None:
    if facts.skew is None or -BEHIND <= facts.skew <= AHEAD:
        return None
    return Condition.CLOCK_WRONG
