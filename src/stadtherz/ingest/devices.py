"""Which device an uplink comes from and what its payload means, as values; cached for seconds.

The cache is emptied by every save and deletion in this process, also after its transaction commits;
changes by other processes show after `_FRESH`, new places of Things after `_SETTLED`. An unknown
device is never cached.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save

from stadtherz.base.time import MINUTE, SECOND, Micros, now_us
from stadtherz.ingest.course import Watch, courses
from stadtherz.ingest.decoding import KnownCodec, known_codec
from stadtherz.ingest.models import Codec, Device, DeviceField, DeviceType
from stadtherz.ingest.onboarding.models import Replacement
from stadtherz.ingest.plausibility import Rule
from stadtherz.ingest.units import Conversion
from stadtherz.store.public import entity_changed, features_for

_FRESH: Micros = 3 * SECOND
_SETTLED: Micros = 60 * SECOND


@dataclass(frozen=True, slots=True)
class KnownField:
    path: str
    f_port: int | None
    datastream: int
    owner: int  # of the datastream
    feature: int | None  # of interest: where the datastream's Thing stands
    rule: Rule
    listed: bool = False  # its path leads to every entry of a list
    time_path: str = ""
    watch: Watch | None = None  # None where nothing but the range is checked
    convertible: bool = True  # False once the datastream's unit has become one of another kind


@dataclass(frozen=True, slots=True)
class KnownDevice:
    id: int
    owner: int
    active: bool
    time_path: str
    fields: tuple[KnownField, ...]
    codec: KnownCodec | None
    variables: Mapping[str, str]
    placed: Micros  # when we last looked where its Things stand
    zone: str = ""  # of its clock; empty for UTC
    until: Micros | None = None  # another has its place since: what it measured until then counts

    def counts_at(self, time: Micros) -> bool:
        """Whether what it measured then is taken."""
        return self.active or (self.until is not None and time <= self.until)


_Key = tuple[str, str, int | None]  # network, what names the device there, organisation


class NotKnown(Exception):
    """The cache does not hold the device, or not as it is now: `find` it in a thread."""


class _Cache:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._generation = 0
        self._known: dict[_Key, tuple[Micros, KnownDevice]] = {}

    def find(self, key: _Key) -> KnownDevice | None:
        now = now_us()
        with self._lock:
            generation = self._generation
            loaded, device = self._known.get(key, (None, None))
            if device is not None and loaded is not None:
                if abs(now - loaded) < _FRESH:
                    return device
                # One caller looks again; the others go on with what is known until it has.
                self._known[key] = (now, device)
        device = _load(key, device)
        with self._lock:
            # A change during the load emptied the cache: what was loaded may be the old state.
            if generation != self._generation:
                return device
            if device is None:
                self._known.pop(key, None)
            else:
                self._known[key] = (now, device)
        return device

    def known(self, key: _Key) -> KnownDevice:
        with self._lock:
            loaded, device = self._known.get(key, (None, None))
        if device is None or loaded is None or abs(now_us() - loaded) >= _FRESH:
            raise NotKnown
        return device

    def clear(self) -> None:
        with self._lock:
            self._generation += 1
            self._known.clear()


_cache = _Cache()
forget = _cache.clear


def find(network: str, dev_eui: str, owner: int | None = None) -> KnownDevice | None:
    """The registered device with its fields, or None; `owner` where each has its own names."""
    return _cache.find((network, dev_eui, owner))


def known(network: str, dev_eui: str, owner: int | None = None) -> KnownDevice:
    """As `find`, without asking the database; raises NotKnown if that takes it."""
    return _cache.known((network, dev_eui, owner))


def _load(key: _Key, known: KnownDevice | None) -> KnownDevice | None:
    network, dev_eui, owner = key
    found = Device.objects.filter(network=network, dev_eui=dev_eui)
    if owner is not None:
        found = found.filter(owner_id=owner)
    device = found.select_related("device_type").first()
    if device is None:
        return None
    fields = list(device.fields.select_related("datastream"))
    watched = tuple(field.datastream_id for field in fields if field.watched)
    courses.recall(watched)
    placed, features = _features({field.datastream_id for field in fields}, known)
    return KnownDevice(
        id=device.pk,
        owner=device.owner_id,
        active=device.active,
        time_path=device.time_path,
        fields=tuple(_known_field(field, features[field.datastream_id]) for field in fields),
        codec=known_codec(_codec_id(device)),
        variables=device.variables,
        placed=placed,
        zone=device.clock_zone,
        until=None if device.active else _replaced_at(device),
    )


def _known_field(field: DeviceField, feature: int | None) -> KnownField:
    conversion = field.conversion()
    unit = conversion or Conversion()
    return KnownField(
        path=field.path,
        f_port=field.f_port,
        datastream=field.datastream_id,
        owner=field.datastream.owner_id,
        feature=feature,
        rule=Rule(
            unit.factor * field.factor,
            unit.offset * field.factor + field.offset,
            field.minimum,
            field.maximum,
        ),
        listed=field.listed,
        time_path=field.time_path,
        watch=_watch(field) if field.watched else None,
        convertible=conversion is not None,
    )


def _watch(field: DeviceField) -> Watch:
    frozen = field.frozen_minutes
    return Watch(field.jump, field.jump_minutes * MINUTE, frozen * MINUTE if frozen else None)


def _replaced_at(device: Device) -> Micros | None:
    return Replacement.objects.filter(old=device).values_list("at", flat=True).first()


def _codec_id(device: Device) -> int | None:
    """Its own codec, else that of its type."""
    if device.codec_id is not None or device.device_type is None:
        return device.codec_id
    return device.device_type.codec_id


def _features(
    streams: set[int], known: KnownDevice | None
) -> tuple[Micros, Mapping[int, int | None]]:
    """The feature of each datastream, and when we looked; stations hardly ever move."""
    now = now_us()
    if known is not None and abs(now - known.placed) < _SETTLED:
        features = {field.datastream: field.feature for field in known.fields}
        if features.keys() >= streams:
            return known.placed, features
    return now, features_for(streams)


def _forget(**_signal: Any) -> None:
    _cache.clear()
    transaction.on_commit(_cache.clear)


for _signal in (post_save, post_delete):
    for _model in (Codec, Device, DeviceField, DeviceType, "store.Datastream"):
        _signal.connect(_forget, sender=_model, dispatch_uid=f"ingest-devices-{_signal}-{_model}")
entity_changed.connect(_forget, dispatch_uid="ingest-devices")
