"""A device that goes live: Thing, Location, Sensor, Datastreams and Device at once, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic

from django.db import IntegrityError
from django.db.models import Model
from django.utils.translation import gettext

from stadtherz.base.errors import Conflict, Invalid, Unavailable
from stadtherz.base.visibility import Visibility
from stadtherz.ingest.devices.register import NewField, register_codec, register_device
from stadtherz.ingest.library.logs import log_field
from stadtherz.ingest.library.proposals import observable
from stadtherz.ingest.models import Codec, Device, DeviceField, DeviceType, Network
from stadtherz.ingest.onboarding.messages import keep_form, others_of
from stadtherz.ingest.onboarding.models import Draft
from stadtherz.ingest.onboarding.samples import waiting
from stadtherz.ingest.onboarding.values import Wanted, check_streams, streams_of
from stadtherz.ingest.refused.keeping import replay
from stadtherz.ingest.values.positions import Place
from stadtherz.store.public import NewStream, exclusive, register_stream

_LONGEST_NAME = 255
_MOST_STATIONS = 2_000  # offered for choice


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device and where it stands. `codec` and `device_type` are ids of its organisation's."""

    owner: int
    network: str
    dev_eui: str
    name: str
    streams: Sequence[Wanted]
    description: str = ""
    place: Place | None = None
    access: str = "public"
    device_type: int | None = None
    codec: int | None = None
    byte_map: str = ""
    like: int | None = None  # a device whose values are read in the same way
    station: str = ""  # the name of the Thing where it stands; empty: it gets one of its own


def new_device(draft: Draft) -> NewDevice:
    """What has been entered."""
    place = None
    if draft.longitude is not None and draft.latitude is not None:
        place = (draft.longitude, draft.latitude)
    return NewDevice(
        owner=draft.owner_id,
        network=draft.network,
        dev_eui=draft.dev_eui,
        name=draft.name,
        streams=streams_of(draft.streams),
        description=draft.description,
        place=place,
        access=draft.access,
        device_type=draft.device_type_id,
        codec=draft.codec_id,
        byte_map=draft.byte_map,
        station=draft.station,
    )


def go_live(draft: int) -> int:
    """Connects what a draft describes and gives the device's id; a second time it is the same one.

    Raises Invalid, naming the field in the active language, and Conflict.
    """
    with exclusive():
        row = Draft.objects.select_for_update().get(pk=draft)
        if row.device_id is None:
            if row.network == Network.JSON:
                row.form = keep_form(row)
            row.device_id = connect(new_device(row))
            if not others_of(row):
                row.sample = ""
            row.save()
        return row.device_id


def connect(new: NewDevice) -> int:
    """The new device's id. Raises Invalid, naming the field in the active language, and Conflict."""
    wanted = check_streams(new.streams)
    try:
        with exclusive():
            check_new(new.owner, new.network, new.dev_eui, new.name, station=new.station)
            codec = _codec(new)
            kind = _kind(new)
            device = register_device(
                new.owner,
                new.network,
                new.dev_eui,
                new.name,
                codec=codec,
                device_type=kind.pk if kind else None,
            )
            fields = [_field(new, kind, each) for each in wanted]
            if new.like is not None:
                fields = _as_with(new.like, device, fields)
            elif kind is not None:
                fields = [*fields, *_logs(kind, fields)]
            register_device(new.owner, new.network, new.dev_eui, new.name, fields=fields)
            return device
    except IntegrityError as problem:
        raise Conflict(_taken()) from problem


def check_new(owner: int, network: str, dev_eui: str, name: str, *, station: str = "") -> None:
    """Raises Invalid, field `dev_eui`, `name` or `station`, if there is a device or a station of this kind
    already, or no `station` where there should be one.
    """
    rows = Device.objects.filter(network=network, dev_eui=dev_eui)
    if network == Network.JSON:  # each organisation names these as it likes
        rows = rows.filter(owner_id=owner)
    known = rows.first()
    if known is not None:
        if known.owner_id == owner:
            told = gettext("This device is connected already: it is called “{name}”.")
            raise Invalid("dev_eui", told.format(name=known.name))
        raise Invalid("dev_eui", _taken())
    if station:
        _check_station(owner, station, name)
    elif name_is_taken(owner, name):
        told = gettext(
            "There is a station called “{name}” already. Choose another name, so that their"
            " measurements are not mixed up."
        )
        raise Invalid("name", told.format(name=name))


def _check_station(owner: int, station: str, name: str) -> None:
    """Another device's datastreams at the same Thing must not be taken for those of this one."""
    things = _target(_target(DeviceField, "datastream"), "thing")
    found = things._default_manager.filter(owner_id=owner, name=station).count()
    if found != 1:
        told = gettext("There is no station called “{name}” in your organisation.")
        if found:
            told = gettext("Several stations are called “{name}”. Give them different names first.")
        raise Invalid("station", told.format(name=station))
    streams = _target(DeviceField, "datastream")._default_manager
    begin = f"{name.strip()}: "
    if (
        name
        and streams.filter(owner_id=owner, thing__name=station, name__startswith=begin).exists()
    ):
        told = gettext(
            "At this station there is a sensor called “{name}” already. Choose another name, for example with"
            " what it measures."
        )
        raise Invalid("name", told.format(name=name))


def stations_of(owner: int) -> list[str]:
    """The names of the organisation's Things, in their order."""
    things = _target(_target(DeviceField, "datastream"), "thing")
    names = things._default_manager.filter(owner_id=owner).order_by("name")
    return list(names.values_list("name", flat=True)[:_MOST_STATIONS])


def name_is_taken(owner: int, name: str) -> bool:
    things = _target(_target(DeviceField, "datastream"), "thing")
    return things._default_manager.filter(owner_id=owner, name=name.strip()).exists()


def _target(model: type[Model], name: str) -> type[Model]:
    """The model a foreign key leads to: the store shows its own to nobody."""
    related = model._meta.get_field(name).related_model
    assert isinstance(related, type)
    return related


def _taken() -> str:
    return gettext("This device EUI is already registered. Ask whoever runs this platform.")


def _kind(new: NewDevice) -> DeviceType | None:
    if new.device_type is None:
        return None
    return DeviceType.objects.filter(pk=new.device_type, owner_id=new.owner).first()


def _codec(new: NewDevice) -> int | None:
    if not new.byte_map.strip():
        if new.codec is None:
            return None
        own = Codec.objects.filter(pk=new.codec, owner_id=new.owner)
        return own.values_list("pk", flat=True).first()
    name = f"{new.name} ({new.dev_eui})"[:200]
    return register_codec(new.owner, name, new.byte_map, kind=Codec.Kind.BYTES)


def _field(new: NewDevice, kind: DeviceType | None, each: Wanted) -> NewField:
    observed = observable(each.told())
    stream = register_stream(
        NewStream(
            owner=new.owner,
            thing_name=new.station or new.name,
            thing_description=new.description or new.name,
            location=None
            if new.place is None
            else {"type": "Point", "coordinates": list(new.place)},
            sensor_name=str(kind) if kind else f"{Network(new.network).label} {new.dev_eui}",
            sensor_description=(kind.description if kind else "") or new.name,
            observed=observed,
            name=f"{new.name}: {each.name.strip()}"[:_LONGEST_NAME],
            description=observed.description,
            access=new.access,
        )
    )
    told = (
        row.get("time", "") for row in (kind.proposals if kind else ()) if row["path"] == each.path
    )
    return NewField(
        each.path,
        stream,
        minimum=each.minimum,
        maximum=each.maximum,
        unit=each.source,
        time_path=str(next(told, "")),
    )


def _logs(kind: DeviceType, fields: Sequence[NewField]) -> list[NewField]:
    """The logs of the values, as far as the type's examples show such."""
    told = {each["path"]: each for each in kind.proposals}
    return [log for each in fields for log in log_field(told.get(each.path, {}), each)]


_ITS_WAYS = ("time_path", "clock_zone", "variables", "expected_minutes", "empty_volts", "moves")


def _as_with(like: int, device: int, fields: Sequence[NewField]) -> list[NewField]:
    """What one device measures as another does: the same factors, ports, times and marks."""
    values = Device.objects.filter(pk=like).values(*_ITS_WAYS).get()
    Device.objects.filter(pk=device).update(**values)
    rows = list(DeviceField.objects.filter(device=like))
    by_path = {row.path: row for row in rows}
    streams = {by_path[each.path].datastream_id: each for each in fields}
    known = [_field_like(each, by_path[each.path]) for each in fields]
    told = {each.path for each in fields}
    logs = [row for row in rows if row.listed and row.path not in told]
    return known + [
        _field_like(replace(streams[row.datastream_id], path=row.path), row)
        for row in logs
        if row.datastream_id in streams
    ]


def _field_like(field: NewField, row: DeviceField) -> NewField:
    names = ("factor", "offset", "f_port", "time_path", "jump", "jump_minutes", "frozen_minutes")
    return replace(field, **{name: getattr(row, name) for name in names})


def catch_up(
    device: int,
    visibility: Visibility,
    *,
    seconds: float = 3.0,
    since: int = 0,
    form: str = "",
) -> int:
    """Run the messages again that waited for this device, the oldest first; how many wait still.

    It ends after `seconds`; calling it again goes on. `since` leaves out what came before (µs). `form` is the
    key of a message form that was not there when they came.
    """
    row = Device.objects.get(pk=device)
    rows = waiting(row.owner_id, row.network, row.dev_eui, form).filter(received_at__gte=since)
    until = monotonic() + seconds
    for key in list(rows.values_list("pk", flat=True)):
        if monotonic() > until:
            break
        try:
            replay(key, visibility)
        except Unavailable:  # the store is busy or away: it waits on
            break
    return rows.count()
