"""What is known of a device's state, written aside of the measurements and in groups.

A state is worth nothing compared to a measurement: it may be lost in a crash, and never delays an
answer.
"""

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import Error, IntegrityError, transaction
from django.db.models import F, Q

from stadtherz.base.time import Micros
from stadtherz.ingest import lanes
from stadtherz.ingest.models import Device, DeviceEvent
from stadtherz.store.public import exclusive

logger = logging.getLogger(__name__)

_GATHER_S = 1.0  # what comes in this time shares one commit, and so takes little from the readings
_DEVICES_A_COMMIT = 50  # nobody else writes meanwhile on SQLite


@dataclass(frozen=True, slots=True)
class Seen:
    """One sign of life; None where it tells nothing. `own` is what the device's clock said."""

    device: int
    at: Micros
    f_cnt: int | None = None
    battery: float | None = None
    rssi: float | None = None
    snr: float | None = None
    event: str | None = None
    time: Micros | None = None  # when the network heard it
    own: Micros | None = None
    gateway: str = ""  # that heard it best

    @property
    def heard(self) -> Micros:
        """When the network heard it, as far as it told."""
        return self.at if self.time is None else self.time


class _Pending:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: list[Seen] = []

    def add(self, signs: Sequence[Seen]) -> bool:
        """True if these are the first since the last `take`: then somebody has to come for them."""
        with self._lock:
            first = not self._seen
            self._seen.extend(signs)
        return first

    def take(self) -> list[Seen]:
        with self._lock:
            taken, self._seen = self._seen, []
        return taken


_pending = _Pending()
_writing = threading.Lock()


def note(*signs: Seen) -> None:
    """Remember signs of life; they are written soon."""
    if signs and _pending.add(signs):
        lanes.states.submit(_flush_soon)


def _flush_soon() -> None:
    lanes.pause(_GATHER_S)
    flush()


def flush() -> None:
    """Write what was noted until now; another thread's flush has ended, too, when this returns."""
    with _writing:
        by_device: dict[int, list[Seen]] = {}
        for sign in _pending.take():
            by_device.setdefault(sign.device, []).append(sign)
        groups = list(by_device.values())
        for start in range(0, len(groups), _DEVICES_A_COMMIT):
            _try_to_write(groups[start : start + _DEVICES_A_COMMIT])


def _try_to_write(groups: Sequence[Sequence[Seen]]) -> None:
    try:
        with exclusive():
            for signs in groups:
                _write(sorted(signs, key=lambda sign: sign.at))
    except Error as problem:
        logger.warning("Signs of life of %d devices were lost: %s", len(groups), problem)


def _write(signs: Sequence[Seen]) -> None:
    """Write the signs of one device, in the order of their times."""
    device, newest = signs[-1].device, signs[-1].at
    Device.objects.filter(Q(last_seen=None) | Q(last_seen__lte=newest), pk=device).update(
        last_seen=newest, **_state(signs)
    )
    for sign in signs:
        if sign.event is not None:
            _count(device, sign.event, sign.at)


def _state(signs: Iterable[Seen]) -> dict[str, float | int]:
    """The latest of each value."""
    state: dict[str, float | int] = {}
    for sign in signs:
        told = {
            "last_f_cnt": sign.f_cnt,
            "battery": sign.battery,
            "rssi": sign.rssi,
            "snr": sign.snr,
        }
        state.update({name: value for name, value in told.items() if value is not None})
    return state


def _count(device: int, event: str, at: Micros) -> None:
    counted = DeviceEvent.objects.filter(device_id=device, event=event)
    if counted.update(count=F("count") + 1, last_at=at):
        return
    try:
        with transaction.atomic():
            DeviceEvent.objects.create(device_id=device, event=event, count=1, last_at=at)
    except IntegrityError:  # another process was first, or the device is gone
        counted.update(count=F("count") + 1, last_at=at)
