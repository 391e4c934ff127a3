"""Which device an uplink comes from and what its payload means, as values; remembered for seconds.

Every save and deletion in this process counts at once, also after its transaction commits; changes by
other processes show after `remembered.FRESH`, new places of Things after `_SETTLED`. An unknown device is
never remembered.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.signals import post_delete, post_save

from stadtherz.base.errors import Invalid
from stadtherz.base.time import MINUTE, SECOND, Micros, now_us
from stadtherz.ingest.devices.decoding import KnownCodec, known_codecs
from stadtherz.ingest.devices.remembered import Remembered
from stadtherz.ingest.downlinks.models import DownlinkServer
from stadtherz.ingest.models import Codec, Device, DeviceField, DeviceType, conversion_now
from stadtherz.ingest.onboarding.models import Replacement
from stadtherz.ingest.quality.course import Watch, courses
from stadtherz.ingest.quality.plausibility import Rule
from stadtherz.ingest.trust import vault
from stadtherz.ingest.values.units import Conversion, code_of
from stadtherz.store.public import entity_changed, features_for

_SETTLED: Micros = 60 * SECOND
_SIGNS = "actility"  # ThingPark signs with the key of the tunnel interface (`signing`)


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
    # The key with which its network signs; None where nothing has to be signed, empty if it cannot be read.
    signed_with: str | None = field(default=None, repr=False)

    def counts_at(self, time: Micros) -> bool:
        """Whether what it measured then is taken."""
        return self.active or (self.until is not None and time <= self.until)


_Key = tuple[str, str, int | None]  # network, what names the device there, organisation


def find(network: str, dev_eui: str, owner: int | None = None) -> KnownDevice | None:
    """The registered device with its fields, or None; `owner` where each has its own names."""
    return _cache.find((network, dev_eui, owner))


def known(network: str, dev_eui: str, owner: int | None = None) -> KnownDevice:
    """As `find`, without asking the database; raises NotKnown if that takes it."""
    return _cache.known((network, dev_eui, owner))


class _DeviceRow(NamedTuple):
    id: int
    network: str
    dev_eui: str
    owner: int
    active: bool
    time_path: str
    clock_zone: str
    variables: dict[str, str]
    codec: int | None
    codec_of_type: int | None


_DEVICE_COLUMNS = ("pk", "network", "dev_eui", "owner", "active", "time_path", "clock_zone",
    "variables", "codec", "device_type__codec")  # fmt: skip


class _FieldRow(NamedTuple):
    device: int
    datastream: int
    owner: int
    unit_of_measurement: dict[str, Any] | None
    path: str
    time_path: str
    f_port: int | None
    unit: str
    unit_target: str
    unit_factor: float
    unit_offset: float
    listed: bool
    factor: float
    offset: float
    minimum: float | None
    maximum: float | None
    jump: float | None
    jump_minutes: int
    frozen_minutes: int | None


_FIELD_COLUMNS = ("device", "datastream", "datastream__owner",
    "datastream__unit_of_measurement", *_FieldRow._fields[4:])  # fmt: skip


def _load(wanted: Mapping[_Key, KnownDevice | None]) -> dict[_Key, KnownDevice]:
    """All of them in a few statements, however many there are."""
    rows = _device_rows(wanted)
    fields = _field_rows([row.id for row in rows.values()])
    courses.recall(
        each.datastream for some in fields.values() for each in some if _is_watched(each)
    )
    codecs = known_codecs({pk for row in rows.values() if (pk := _codec_id(row)) is not None})
    places = _places({key: (fields.get(row.id, ()), wanted[key]) for key, row in rows.items()})
    replaced = _replaced_at([row.id for row in rows.values() if not row.active])
    signing = _signing_keys({row.owner for row in rows.values() if row.network == _SIGNS})
    return {
        key: replace(
            _known_device(row, fields.get(row.id, ()), places[key], codecs, replaced),
            signed_with=signing.get(row.owner) if row.network == _SIGNS else None,
        )
        for key, row in rows.items()
    }


def _signing_keys(owners: Set[int]) -> dict[int, str]:
    """Of each organisation that has entered one; empty where it cannot be read any more."""
    if not owners:
        return {}
    rows = DownlinkServer.objects.filter(owner__in=owners, network=_SIGNS).exclude(secret="")
    return {owner: _opened(secret) for owner, secret in rows.values_list("owner", "secret")}


def _opened(secret: str) -> str:
    try:
        return vault.opened(secret)
    except Invalid:
        return ""


def _device_rows(wanted: Mapping[_Key, KnownDevice | None]) -> dict[_Key, _DeviceRow]:
    """The rows as they are now; a name may have become another row's."""
    ids = [device.id for device in wanted.values() if device is not None]
    found = _by_key(Device.objects.filter(pk__in=ids), wanted) if ids else {}
    left = wanted.keys() - found.keys()
    if left:
        networks, names = {key[0] for key in left}, {key[1] for key in left}
        found |= _by_key(Device.objects.filter(network__in=networks, dev_eui__in=names), left)
    return found


def _by_key(rows: QuerySet[Device], wanted: Iterable[_Key]) -> dict[_Key, _DeviceRow]:
    wanted = set(wanted)
    found: dict[_Key, _DeviceRow] = {}
    for row in (_DeviceRow(*row) for row in rows.values_list(*_DEVICE_COLUMNS)):
        for key in ((row.network, row.dev_eui, None), (row.network, row.dev_eui, row.owner)):
            if key in wanted:
                found.setdefault(key, row)
    return found


def _field_rows(devices: Sequence[int]) -> dict[int, list[_FieldRow]]:
    found: dict[int, list[_FieldRow]] = {}
    rows = DeviceField.objects.filter(device__in=devices).order_by("pk")
    for row in (_FieldRow(*row) for row in rows.values_list(*_FIELD_COLUMNS)):
        found.setdefault(row.device, []).append(row)
    return found


_Places = tuple[Micros, Mapping[int, int | None]]


def _places(
    wanted: Mapping[_Key, tuple[Sequence[_FieldRow], KnownDevice | None]],
) -> dict[_Key, _Places]:
    """Of each device when we looked, and the feature of each datastream; stations hardly ever move."""
    now = now_us()
    places: dict[_Key, _Places] = {}
    left: dict[_Key, set[int]] = {}
    for key, (fields, known) in wanted.items():
        streams = {each.datastream for each in fields}
        features = {each.datastream: each.feature for each in known.fields} if known else {}
        if known and abs(now - known.placed) < _SETTLED and features.keys() >= streams:
            places[key] = (known.placed, features)
        else:
            left[key] = streams
    asked = set[int]().union(*left.values())
    looked = features_for(asked) if asked else {}
    return places | dict.fromkeys(left, (now, looked))


def _known_device(
    row: _DeviceRow,
    fields: Sequence[_FieldRow],
    places: _Places,
    codecs: Mapping[int, KnownCodec],
    replaced: Mapping[int, Micros],
) -> KnownDevice:
    placed, features = places
    codec = _codec_id(row)
    return KnownDevice(
        id=row.id,
        owner=row.owner,
        active=row.active,
        time_path=row.time_path,
        fields=tuple(_known_field(field, features[field.datastream]) for field in fields),
        codec=None if codec is None else codecs.get(codec),
        variables=row.variables,
        placed=placed,
        zone=row.clock_zone,
        until=replaced.get(row.id),
    )


def _known_field(field: _FieldRow, feature: int | None) -> KnownField:
    worked_out = Conversion(field.unit_factor, field.unit_offset)
    conversion = conversion_now(
        field.unit, field.unit_target, worked_out, field.unit_of_measurement
    )
    unit = conversion or Conversion()
    return KnownField(
        path=field.path,
        f_port=field.f_port,
        datastream=field.datastream,
        owner=field.owner,
        feature=feature,
        rule=Rule(
            unit.factor * field.factor,
            unit.offset * field.factor + field.offset,
            field.minimum,
            field.maximum,
            _expected(field),
        ),
        listed=field.listed,
        time_path=field.time_path,
        watch=_watch(field) if _is_watched(field) else None,
        convertible=conversion is not None,
    )


def _expected(field: _FieldRow) -> str:
    """The unit in which its values come, UCUM; empty where only somebody's factor knows it."""
    if field.unit or (field.factor, field.offset) != (1.0, 0.0):
        return field.unit
    return code_of(field.unit_of_measurement) or "1"


def _is_watched(field: _FieldRow) -> bool:
    return field.jump is not None or field.frozen_minutes is not None


def _watch(field: _FieldRow) -> Watch:
    frozen = field.frozen_minutes
    return Watch(field.jump, field.jump_minutes * MINUTE, frozen * MINUTE if frozen else None)


def _replaced_at(devices: Sequence[int]) -> dict[int, Micros]:
    if not devices:
        return {}
    rows = Replacement.objects.filter(old__in=devices).order_by()
    return dict(rows.values_list("old", "at"))


def _codec_id(row: _DeviceRow) -> int | None:
    """Its own codec, else that of its type."""
    return row.codec_of_type if row.codec is None else row.codec


_cache: Remembered[_Key, KnownDevice] = Remembered(_load)
forget = _cache.clear


def _forget(**_signal: Any) -> None:
    _cache.clear()
    transaction.on_commit(_cache.clear)


for _signal in (post_save, post_delete):
    for _model in (Codec, Device, DeviceField, DeviceType, DownlinkServer, "store.Datastream"):
        _signal.connect(_forget, sender=_model, dispatch_uid=f"ingest-devices-{_signal}-{_model}")
entity_changed.connect(_forget, dispatch_uid="ingest-devices")
