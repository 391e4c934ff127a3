"""A broken device's place is taken by another; the datastreams go on."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError
from django.db.models import Model
from django.utils.translation import gettext

from stadtherz.base.errors import Conflict, Invalid
from stadtherz.base.time import Micros
from stadtherz.base.visibility import Visibility
from stadtherz.ingest.devices.register import save_checked
from stadtherz.ingest.models import Device, DeviceField, DeviceType, Network
from stadtherz.ingest.onboarding.models import Replacement
from stadtherz.store import public as store


@dataclass(frozen=True, slots=True)
class Source:
    """result = value at `path`, converted from `unit`, * factor + offset; no path means that the new device has no such value."""

    path: str
    factor: float = 1.0
    offset: float = 0.0
    unit: str = ""  # UCUM, where the datastream has another


@dataclass(frozen=True, slots=True)
class Swap:
    """The new device. `sources` says for a field of the old one where the new one has its value."""

    network: str
    dev_eui: str
    at: Micros
    note: str = ""
    device_type: int | None = None
    sources: Mapping[int, Source] = field(default_factory=dict)


def swap(old: int, given: Swap, visibility: Visibility) -> int:
    """The new device's id. The old one is switched off, but what it measured until `at` is still taken.

    Raises Invalid, naming the field in the active language, and Conflict.
    """
    try:
        with store.exclusive():
            row = Device.objects.select_for_update().get(pk=old)
            _check(row, given)
            kind = _kind(row, given)
            new = _new(row, given, kind)
            if kind is not None and kind.pk != row.device_type_id:
                _change_sensor(row, kind, visibility)
            Replacement.objects.create(old=row, new=new, at=given.at)
            row.active = False
            row.note = "\n".join(filter(None, (row.note, given.note)))
            row.save()
            return new.pk
    except IntegrityError as problem:
        told = gettext("This device EUI is already registered. Ask whoever runs this platform.")
        raise Conflict(told) from problem


def _check(row: Device, given: Swap) -> None:
    if Replacement.objects.filter(old=row).exists():
        raise Conflict(gettext("Another device has taken this one’s place already."))
    known = Device.objects.filter(network=given.network, dev_eui=given.dev_eui)
    if given.network == Network.JSON:  # each organisation names these as it likes
        known = known.filter(owner_id=row.owner_id)
    if known.exists():
        told = gettext(
            "A device of this EUI is connected already. Check the number on the new device."
        )
        raise Invalid("dev_eui", told)


def _kind(row: Device, given: Swap) -> DeviceType | None:
    if given.device_type is None:
        return None
    return DeviceType.objects.filter(pk=given.device_type, owner_id=row.owner_id).first()


# What a device is, and not how it has been set up.
_ITS_OWN = {"id", "network", "dev_eui", "device_type_id", "note", "last_seen", "last_f_cnt", "battery", "rssi", "snr"}  # fmt: skip
_OF_ITS_MAKE = {"codec_id", "variables", "time_path", "clock_zone"}


def _new(row: Device, given: Swap, kind: DeviceType | None) -> Device:
    same = kind is None or kind.pk == row.device_type_id
    new = Device(
        network=given.network,
        dev_eui=given.dev_eui,
        device_type_id=row.device_type_id if kind is None else kind.pk,
        **_values(row, _ITS_OWN if same else _ITS_OWN | _OF_ITS_MAKE),
    )
    save_checked(new)
    for each in row.fields.all():
        field = DeviceField(**_values(each, {"id", "device_id"}), device=new)
        if not same:
            field.f_port, field.time_path = None, ""
        source = given.sources.get(each.pk)
        if source is not None:
            field.path, field.factor, field.offset = source.path, source.factor, source.offset
            field.unit = source.unit
        if field.path:
            save_checked(field)
    return new


def _values(row: Model, without: Set[str]) -> dict[str, Any]:
    names = (field.attname for field in row._meta.concrete_fields)
    return {name: getattr(row, name) for name in names if name not in without}


def _change_sensor(row: Device, kind: DeviceType, visibility: Visibility) -> None:
    """Another make measures from now on: SensorThings tells with what a datastream is measured."""
    streams = [each.datastream for each in row.fields.select_related("datastream__sensor")]
    if not streams:
        return
    sensor = next(iter(streams)).sensor
    found = type(sensor)._default_manager.filter(owner_id=row.owner_id, name=str(kind)).first()
    key = found.pk if found else _new_sensor(kind, sensor, visibility)
    for stream in streams:
        store.update("Datastream", stream.pk, {"sensor": key}, visibility)


def _new_sensor(kind: DeviceType, like: Any, visibility: Visibility) -> int:
    values = {
        "name": str(kind),
        "description": kind.description,
        "encoding_type": "text/plain",
        "metadata": kind.description or str(kind),
        "owner": kind.owner_id,
        "access": like.access,
        "group": like.group_id,
    }
    return store.create("Sensor", values, visibility)


def guessed_paths(fields: Sequence[DeviceField], kind: DeviceType) -> dict[int, str]:
    """Where another type has the values of these fields: the same name, else the same property.

    A field for which nothing is found is left out.
    """
    names = {each["path"] for each in kind.proposals}
    found: dict[int, str] = {}
    for each in fields:
        if each.path in names:
            found[each.pk] = each.path
            continue
        definition = each.datastream.observed_property.definition
        alike = [p["path"] for p in kind.proposals if p["definition"] == definition]
        if len(alike) == 1:
            found[each.pk] = alike[0]
    return found
