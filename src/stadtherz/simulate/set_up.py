"""Registers a simulated city's devices with the instance of this machine, so that what they send is understood.

Everything may run twice: what is there already stays as it is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from stadtherz.base.time import now
from stadtherz.base.visibility import Scope
from stadtherz.identity.public import ApiToken, create_token, organisation_id, revoke
from stadtherz.ingest.public import NewField, register_codec, register_device
from stadtherz.simulate.devices import SimulatedCity, SimulatedDevice
from stadtherz.simulate.kinds import KINDS, Quantity
from stadtherz.store.public import NewStream, register_stream


def set_up(
    city: SimulatedCity, organisation: str, *, progress: Callable[[int], None] = lambda _: None
) -> int:
    """How many datastreams the city's devices have, each with its Thing at its place.

    `progress` hears the number of devices done. Raises NotFound for an unknown organisation and
    Conflict for a device that belongs to another one.
    """
    owner = organisation_id(organisation)
    codecs = {
        kind.key: register_codec(owner, kind.coding.name, kind.coding.text, kind=kind.coding.kind)
        for kind in KINDS
        if kind.coding is not None
    }
    streams = 0
    for number, device in enumerate(city.devices, start=1):
        streams += _set_up_device(device, owner, codecs.get(device.kind.key))
        progress(number)
    return streams


def _set_up_device(device: SimulatedDevice, owner: int, codec: int | None) -> int:
    fields = [_field(device, owner, each) for each in device.kind.quantities]
    register_device(owner, device.network, device.dev_eui, device.name, fields=fields, codec=codec)
    return len(fields)


def _field(device: SimulatedDevice, owner: int, quantity: Quantity) -> NewField:
    observed = quantity.observed
    datastream = register_stream(
        NewStream(
            owner=owner,
            thing_name=device.name,
            thing_description=device.kind.description,
            location={"type": "Point", "coordinates": [device.longitude, device.latitude]},
            sensor_name=f"Simulator: {device.kind.key}",
            sensor_description=device.kind.description,
            observed=observed,
            name=f"{device.name}: {observed.name}",
            description=observed.description,
            thing_properties={"simulated": True, "dev_eui": device.dev_eui},
        )
    )
    return NewField(
        path=quantity.path,
        datastream=datastream,
        minimum=quantity.minimum,
        maximum=quantity.maximum,
    )


_LONGEST_LOAN = timedelta(days=30)


@contextmanager
def borrowed_token(organisation: str) -> Iterator[str]:
    """A token to send with, which is revoked when the play is over."""
    text = create_token("Simulator", organisation, [Scope.INGEST], expires=now() + _LONGEST_LOAN)
    try:
        yield text
    finally:
        for token in ApiToken.objects.filter(prefix=text.split("_")[1]):
            revoke(token)
