"""From a chosen device type to datastreams: what its examples hold, mapped and ready to measure."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction

from stadtherz.base.errors import Invalid
from stadtherz.ingest.devices.register import NewField, register_device
from stadtherz.ingest.library.logs import log_field
from stadtherz.ingest.library.proposals import observable
from stadtherz.ingest.models import Device, DeviceType
from stadtherz.store.public import NewStream, register_stream


def set_up_device(
    owner: int,
    network: str,
    dev_eui: str,
    name: str,
    key: str,
    *,
    location: dict[str, Any] | None = None,
    paths: Collection[str] = (),
) -> list[int]:
    """The datastreams of a device of this type, made with the device as far as they are not there.

    `paths` are the values that are wanted; without it all that are proposed. Raises Invalid for a type that the
    organisation does not have, and for a path that its type does not propose.
    """
    kind = DeviceType.objects.filter(owner_id=owner, key=key).first()
    if kind is None:
        raise Invalid("type", f"there is none of the key {key!r}; import it first")
    with transaction.atomic():
        device = register_device(owner, network, dev_eui, name, device_type=kind.pk)
        row = Device.objects.get(pk=device)
        if row.device_type_id is None:
            row.device_type = kind
            row.save()
        return set_up_datastreams(row, location=location, paths=paths)


def set_up_datastreams(
    device: Device, *, location: dict[str, Any] | None = None, paths: Collection[str] = ()
) -> list[int]:
    """The device's datastreams after those that its type proposes were added."""
    kind = device.device_type
    proposed = kind.proposals if kind is not None else []
    if unknown := set(paths) - {each["path"] for each in proposed}:
        raise Invalid("field", f"the device type does not propose {', '.join(sorted(unknown))}")
    mapped = set(device.fields.values_list("path", flat=True))
    wanted = [each for each in proposed if not paths or each["path"] in paths]
    for each in wanted:
        if each["path"] not in mapped:
            _add(device, each, _name(each, wanted), location)
    return list(dict.fromkeys(device.fields.values_list("datastream_id", flat=True)))


def _add(
    device: Device, proposal: Mapping[str, Any], name: str, location: dict[str, Any] | None
) -> None:
    observed = observable(proposal)
    datastream = register_stream(
        NewStream(
            owner=device.owner_id,
            thing_name=device.name,
            thing_description=device.name,
            location=location,
            sensor_name=str(device.device_type),
            sensor_description=device.device_type.description if device.device_type else "",
            observed=observed,
            name=f"{device.name}: {name}",
            description=observed.description,
        )
    )
    given = str(proposal["unit"])
    unit = "" if given == observed.unit.ucum else given  # converted into what the property has
    time = str(proposal.get("time", ""))
    field = NewField(proposal["path"], datastream, unit=unit, time_path=time)
    fields = [field, *log_field(proposal, field)]
    register_device(device.owner_id, device.network, device.dev_eui, device.name, fields=fields)


def _name(proposal: Mapping[str, Any], among: list[Mapping[str, Any]]) -> str:
    """The proposal's name; with its path where another has the same."""
    name = str(proposal["name"])
    alone = sum(each["name"] == name for each in among) == 1
    return name if alone else f"{name} ({proposal['path']})"
