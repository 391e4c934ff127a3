"""From a folder to device types of an organisation: read, tested by their own tests, kept."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from stadtherz.base.errors import Invalid
from stadtherz.ingest.devices.register import codec_with
from stadtherz.ingest.library import chirpstack_profiles, things_network
from stadtherz.ingest.library.checking import Checked, check
from stadtherz.ingest.library.found import Collection, FoundCodec, FoundDevice, Trouble
from stadtherz.ingest.library.proposing import MOST_EXAMPLES, kept_examples, proposals_of
from stadtherz.ingest.models import Codec, DeviceType

_NOT_WHOLE = (
    "is The Things Network's repository, whose makers forbid to take it as a whole (their right in the"
    " database, Directive 96/9/EC). Name the one device that you have: --device VENDOR/DEVICE"
)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one device type; `checked` is None where it has no codec."""

    key: str
    name: str
    new: bool
    checked: Checked | None


@dataclass(frozen=True, slots=True)
class Report:
    source: str
    types: tuple[Imported, ...]
    troubles: tuple[Trouble, ...]


def import_types(
    owner: int,
    folder: Path,
    device: str = "",
    *,
    progress: Callable[[Imported], None] = lambda each: None,
) -> Report:
    """Keep the device types of a collection; those that are there are brought up to date.

    `device` names one of them. Raises Invalid where the folder is no collection, does not hold the device, or may not be
    taken as a whole.
    """
    collection = _read(folder, device)
    checked: dict[str, Checked] = {}
    types = []
    for found in collection.devices:
        if found.codec is not None and found.codec.name not in checked:
            checked[found.codec.name] = check(found.codec)
        types.append(_keep(owner, collection.source, found, checked))
        progress(types[-1])
    return Report(collection.source, tuple(types), tuple(collection.troubles))


def _read(folder: Path, device: str) -> Collection:
    if things_network.is_here(folder):
        if not device:
            raise Invalid("folder", _NOT_WHOLE)
        return things_network.read(folder, device)
    if not chirpstack_profiles.is_here(folder):
        raise Invalid("folder", "holds neither vendors/ (ChirpStack) nor vendor/index.yaml")
    collection = chirpstack_profiles.read(folder)
    if device:
        wanted = (device, f"{device}/")
        collection.devices = [
            each
            for each in collection.devices
            if each.key == wanted[0] or each.key.startswith(wanted[1])
        ]
        if not collection.devices:
            raise Invalid("device", f"{device!r} is not in the folder")
    return collection


def _keep(owner: int, source: str, found: FoundDevice, checked: dict[str, Checked]) -> Imported:
    told = checked[found.codec.name] if found.codec else None
    with transaction.atomic():
        codec = _keep_codec(owner, found.codec) if found.codec else None
        row, new = DeviceType.objects.update_or_create(
            owner_id=owner,
            key=found.key[:200],
            defaults={
                "vendor": found.vendor[:200],
                "name": found.name[:200],
                "description": found.description[:1000],
                "codec": codec,
                "source": source,
                "proposals": proposals_of(told.ran) if told else [],
                "examples": kept_examples(told.ran) if told else [],
                "downlinks": _kept_downlinks(told),
                "tests_held": told.held if told else 0,
                "tests_total": told.total if told else 0,
                "test_problems": list(told.problems) if told else [],
            },
        )
    return Imported(row.key, row.name, new, told)


def _keep_codec(owner: int, found: FoundCodec) -> Codec:
    codec = codec_with(owner, found.name[:200], found.text, Codec.Kind.JAVASCRIPT)
    codec.encoder = found.encoder
    codec.save()
    return codec


def _kept_downlinks(told: Checked | None) -> list[dict[str, Any]]:
    """What the device can be told, as its maker writes it; only what the encoder really makes."""
    return [
        {
            "name": each.name[:200],
            "data": each.data,
            "bytes": each.payload.hex(),
            "f_port": each.f_port,
        }
        for each in (told.downlinks[:MOST_EXAMPLES] if told else ())
    ]
