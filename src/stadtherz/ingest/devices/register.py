"""Devices set up by other packages and scripts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from stadtherz.base.errors import Conflict, Invalid
from stadtherz.ingest.models import Codec, Device, DeviceField, Network, normal_eui
from stadtherz.ingest.values.decode import list_of


@dataclass(frozen=True, slots=True)
class NewField:
    """One value of the payload and its datastream: result = value * factor + offset.

    `path` is written as `decode` reads it: `level_cm`, `values[0]`, `bytes:0:u16be`, `history[*].level`
    with `time_path` `history[*].time`. `unit` is the UCUM code of the value where the datastream has
    another. Results must lie between `minimum` and `maximum`; `f_port` None takes the value from every
    LoRaWAN port. Flagged is a change of more than `jump` in `jump_minutes`, and a value that stays the
    same for `frozen_minutes`.
    """

    path: str
    datastream: int
    factor: float = 1.0
    offset: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    f_port: int | None = None
    unit: str = ""
    time_path: str = ""
    jump: float | None = None
    jump_minutes: int = 10
    frozen_minutes: int | None = None


def register_device(
    owner: int,
    network: str,
    dev_eui: str,
    name: str,
    *,
    fields: Sequence[NewField] = (),
    time_path: str = "",
    codec: int | None = None,
    device_type: int | None = None,
) -> int:
    """The device's id; makes it, or adds the fields it lacks and leaves what is there as it is.

    Raises Invalid for a field that cannot be right (naming it) and Conflict if the device belongs
    to another organisation.
    """
    with transaction.atomic():
        device = registered(network, dev_eui, owner)
        if device is None:
            device = Device(
                owner_id=owner,
                network=network,
                dev_eui=dev_eui,
                name=name,
                time_path=time_path,
                codec_id=codec,
                device_type_id=device_type,
            )
            save_checked(device)
        elif device.owner_id != owner:
            raise Conflict(f"The device {device.dev_eui} belongs to another organisation")
        present = set(device.fields.values_list("datastream_id", "listed"))
        for field in fields:
            if (field.datastream, list_of(field.path) is not None) not in present:
                save_checked(_device_field(device, field))
    return device.pk


def _device_field(device: Device, field: NewField) -> DeviceField:
    values = asdict(field)
    return DeviceField(device=device, datastream_id=values.pop("datastream"), **values)


def register_codec(owner: int, name: str, text: str, *, kind: str = Codec.Kind.JAVASCRIPT) -> int:
    """The codec's id; one of the same name gets the new text. Raises Invalid, naming the field."""
    codec = codec_with(owner, name, text, kind)
    save_checked(codec)
    return codec.pk


def codec_with(owner: int, name: str, text: str, kind: str) -> Codec:
    """The organisation's codec of this name, or a new one, with this text; not yet saved."""
    held = Codec.objects.filter(owner_id=owner, name=name).first()
    codec = held or Codec(owner_id=owner, name=name)
    codec.kind, codec.text = kind, text
    return codec


def codec_id(owner: int, name: str) -> int:
    """The organisation's codec of this name; raises Invalid if it has none."""
    found = Codec.objects.filter(owner_id=owner, name=name).values_list("pk", flat=True).first()
    if found is None:
        raise Invalid("codec", f"there is none of the name {name!r}")
    return found


def save_checked(row: Codec | Device | DeviceField) -> None:
    """Raises Invalid, naming the field, for a row that cannot be right."""
    try:
        row.full_clean()
    except ValidationError as problem:
        field, reasons = next(iter(problem.message_dict.items()))
        raise Invalid(field, " ".join(reasons)) from problem
    row.save()


def registered(network: str, dev_eui: str, owner: int | None) -> Device | None:
    """The device; of those that speak no LoRaWAN the one of `owner`, who named it."""
    found = Device.objects.filter(network=network, dev_eui=normal_eui(dev_eui, network))
    return (found.filter(owner_id=owner) if network == Network.JSON else found).first()


def device_id(owner: int, network: str, dev_eui: str) -> int:
    """The organisation's device; raises Invalid if it has none of this name."""
    device = registered(network, dev_eui, owner)
    if device is None or device.owner_id != owner:
        raise Invalid("device", f"there is none with the identifier {dev_eui!r} in {network}")
    return device.pk
