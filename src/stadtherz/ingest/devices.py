"""Which device an uplink comes from and what its payload means, as values; cached for seconds.

The cache is emptied by every save and deletion in this process, also after its transaction commits;
changes by other processes show after `_FRESH`. An unknown device is never cached.
"""

import threading
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save

from stadtherz.base.time import SECOND, Micros, now_us
from stadtherz.ingest.models import Device, DeviceField
from stadtherz.ingest.plausibility import Rule
from stadtherz.store.public import feature_for

_FRESH: Micros = 3 * SECOND


@dataclass(frozen=True, slots=True)
class KnownField:
    path: str
    f_port: int | None
    datastream: int
    owner: int  # of the datastream
    feature: int | None  # of interest: where the datastream's Thing stands
    rule: Rule


@dataclass(frozen=True, slots=True)
class KnownDevice:
    id: int
    owner: int
    active: bool
    time_path: str
    fields: tuple[KnownField, ...]


class _Cache:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._generation = 0
        self._known: dict[tuple[str, str], tuple[Micros, KnownDevice]] = {}

    def find(self, network: str, dev_eui: str) -> KnownDevice | None:
        now = now_us()
        with self._lock:
            generation = self._generation
            loaded, device = self._known.get((network, dev_eui), (None, None))
        if loaded is not None and abs(now - loaded) < _FRESH:
            return device
        device = _load(network, dev_eui)
        with self._lock:
            # A change during the load emptied the cache: what was loaded may be the old state.
            if device is not None and generation == self._generation:
                self._known[network, dev_eui] = (now, device)
        return device

    def clear(self) -> None:
        with self._lock:
            self._generation += 1
            self._known.clear()


_cache = _Cache()
forget = _cache.clear


def find(network: str, dev_eui: str) -> KnownDevice | None:
    """The registered device with its fields, or None."""
    return _cache.find(network, dev_eui)


def _load(network: str, dev_eui: str) -> KnownDevice | None:
    device = Device.objects.filter(network=network, dev_eui=dev_eui).first()
    if device is None:
        return None
    return KnownDevice(
        id=device.pk,
        owner=device.owner_id,
        active=device.active,
        time_path=device.time_path,
        fields=tuple(
            KnownField(
                path=field.path,
                f_port=field.f_port,
                datastream=field.datastream_id,
                owner=field.datastream.owner_id,
                feature=feature_for(field.datastream_id),
                rule=Rule(field.factor, field.offset, field.minimum, field.maximum),
            )
            for field in device.fields.select_related("datastream")
        ),
    )


def _forget(**_signal: Any) -> None:
    _cache.clear()
    transaction.on_commit(_cache.clear)


for _signal in (post_save, post_delete):
    for _model in (Device, DeviceField, "store.Datastream"):
        _signal.connect(_forget, sender=_model, dispatch_uid=f"ingest-devices-{_signal}-{_model}")
