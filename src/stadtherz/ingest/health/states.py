"""The last state of devices, in their own rows, and how often they told what is no measurement."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from django.db import IntegrityError, transaction
from django.db.models import F

from stadtherz.base.time import Micros
from stadtherz.ingest.devices.seen import Seen
from stadtherz.ingest.models import Device, DeviceEvent
from stadtherz.store.public import renew_rows

_COLUMNS = {"last_f_cnt": "f_cnt", "battery": "battery", "rssi": "rssi", "snr": "snr"}
"""What a sign of life tells of the state, by the columns of `Device`."""


def write(signs: Mapping[int, Sequence[Seen]]) -> None:
    """Note what came of each device, if it is not older than what is known. Must run in a transaction."""
    heard = {pk: sorted(some, key=lambda sign: sign.at) for pk, some in signs.items() if some}
    rows = ((pk, some[-1].at, *_state(some)) for pk, some in heard.items())
    renew_rows(Device, tuple(_COLUMNS), rows, since="last_seen")
    for pk, some in heard.items():
        _count(pk, [sign for sign in some if sign.event is not None])


def _state(signs: Sequence[Seen]) -> Iterable[float | int | None]:
    """The latest of each value."""
    for name in _COLUMNS.values():
        told = (getattr(sign, name) for sign in reversed(signs))
        yield next((value for value in told if value is not None), None)


def _count(device: int, signs: Sequence[Seen]) -> None:
    last = {sign.event: sign.at for sign in signs}
    for event, number in Counter(sign.event for sign in signs).items():
        if event is not None:
            _add(device, event, number, last[event])


def _add(device: int, event: str, number: int, at: Micros) -> None:
    counted = DeviceEvent.objects.filter(device_id=device, event=event)
    if counted.update(count=F("count") + number, last_at=at):
        return
    try:
        with transaction.atomic():
            DeviceEvent.objects.create(device_id=device, event=event, count=number, last_at=at)
    except IntegrityError:  # another process was first
        counted.update(count=F("count") + number, last_at=at)
